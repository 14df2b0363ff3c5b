"""Frames of a widget that is streamed: each is a whole widget, and what is sent is the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from chatkit.types import ThreadItemAddedEvent, ThreadItemUpdatedEvent, ThreadStreamEvent, WidgetItem

from turns.inbox import Inbox
from widgets.documents import WidgetDocument
from widgets.widget_stream import merged_growth, widget_updates

MAX_FRAMES_AHEAD = 64
"""How many events a streamed widget is ahead of those who read them."""


class WidgetFrames:
    """Puts the frames of one widget into an answer.

    Args:
        inbox: Where the answer takes its events from.

    Attributes:
        last: The widget as its last frame shows it; None before the first.
        count: How many frames have been shown.
    """

    def __init__(self, inbox: Inbox) -> None:
        self.last: WidgetItem | None = None
        self.count = 0
        self._inbox = inbox
        self._waiting: ThreadStreamEvent | None = None

    async def show(self, item: WidgetItem) -> None:
        """Show the next frame; one that comes too fast waits for those who read them."""
        for event in self._events(item):
            # What nobody has taken yet, and has only grown, is one event.
            merged = _merged(self._waiting, event)
            if merged is not None and self._inbox.replace_last(self._waiting, merged):
                self._waiting = merged
            else:
                await self._inbox.put_when_room(event, MAX_FRAMES_AHEAD)
                self._waiting = event
        self.last = item
        self.count += 1

    def _events(self, item: WidgetItem) -> Sequence[ThreadStreamEvent]:
        if self.last is None:
            return [ThreadItemAddedEvent(item=item)]
        old, new = cast("WidgetDocument", self.last.widget), cast("WidgetDocument", item.widget)
        return [ThreadItemUpdatedEvent(item_id=item.id, update=update) for update in widget_updates(old, new)]


def _merged(before: ThreadStreamEvent | None, event: ThreadStreamEvent) -> ThreadStreamEvent | None:
    """Return one event for two by which the same text grows; None when they are others."""
    if not isinstance(before, ThreadItemUpdatedEvent) or not isinstance(event, ThreadItemUpdatedEvent):
        return None
    update = merged_growth(before.update, event.update) if before.item_id == event.item_id else None
    return None if update is None else ThreadItemUpdatedEvent(item_id=event.item_id, update=update)
