"""Frames of a widget that is streamed: each is a whole widget, and what is sent is the difference."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from chatkit.types import (
    ThreadItemAddedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WidgetItem,
    WidgetStreamingTextValueDelta,
)

from turns.inbox import Inbox
from widgets.documents import WidgetDocument
from widgets.widget_stream import merge_deltas, widget_updates

MAX_FRAMES_AHEAD = 64
"""How many events a streamed widget is ahead of those who read them."""

GROWTH_PAUSE_S = 0.1
"""Shortest time between two events by which a text grows: what is around a few letters is two hundred bytes."""


class WidgetFrames:
    """Puts the frames of one widget into an answer.

    Args:
        inbox: The inbox from which the answer takes its events.
        growth_pause_s: Growth that comes sooner after the last, in seconds, waits for more of it.

    Attributes:
        last: The widget as its last frame shows it; None before the first.
        count: How many frames have been shown.
    """

    def __init__(self, inbox: Inbox, growth_pause_s: float = GROWTH_PAUSE_S) -> None:
        self.last: WidgetItem | None = None
        self.count = 0
        self._inbox = inbox
        self._growth_pause_s = growth_pause_s
        self._waiting: ThreadStreamEvent | None = None
        self._held: ThreadStreamEvent | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._grown_at = float("-inf")

    async def show(self, item: WidgetItem) -> None:
        """Show the next frame; one that comes too fast waits for those who read them."""
        for event in self._events(item):
            if self._hold(event):
                continue
            self.flush()
            # What nobody has taken yet, and has only grown, is one event.
            merged = _merged(self._waiting, event)
            if merged is not None and self._inbox.replace_last(self._waiting, merged):
                self._waiting = merged
            else:
                await self._inbox.put_when_room(event, MAX_FRAMES_AHEAD)
                self._waiting = event
            if _is_growth(event):
                self._grown_at = self._loop.time()
        self.last = item
        self.count += 1

    def flush(self) -> None:
        """Show what is held back now; to be called after the last frame, however that came to be the last."""
        if self._timer is not None:
            self._timer.cancel()
        held, self._held, self._timer = self._held, None, None
        if held is not None:
            self._inbox.put_last(held)
            self._waiting, self._grown_at = held, self._loop.time()

    def _hold(self, event: ThreadStreamEvent) -> bool:
        """Hold growth back that comes soon after other growth, to be one event with what follows; say if it is held."""
        if not _is_growth(event):
            return False
        if self._held is not None:
            merged = _merged(self._held, event)
            self._held = merged or self._held
            return merged is not None
        left_s = self._grown_at + self._growth_pause_s - self._loop.time()
        if left_s <= 0:
            return False
        self._held, self._timer = event, self._loop.call_later(left_s, self.flush)
        return True

    def _events(self, item: WidgetItem) -> Sequence[ThreadStreamEvent]:
        if self.last is None:
            return [ThreadItemAddedEvent(item=item)]
        old, new = cast("WidgetDocument", self.last.widget), cast("WidgetDocument", item.widget)
        return [ThreadItemUpdatedEvent(item_id=item.id, update=update) for update in widget_updates(old, new)]


def _is_growth(event: ThreadStreamEvent) -> bool:
    update = event.update if isinstance(event, ThreadItemUpdatedEvent) else None
    return isinstance(update, WidgetStreamingTextValueDelta) and not update.done


def _merged(before: ThreadStreamEvent | None, event: ThreadStreamEvent) -> ThreadStreamEvent | None:
    """Return one event for two by which the same text grows; None when they are others."""
    if not isinstance(before, ThreadItemUpdatedEvent) or not isinstance(event, ThreadItemUpdatedEvent):
        return None
    update = merge_deltas(before.update, event.update) if before.item_id == event.item_id else None
    return None if update is None else ThreadItemUpdatedEvent(item_id=event.item_id, update=update)
