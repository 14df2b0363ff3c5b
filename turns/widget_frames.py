"""Frames of a streamed widget: each is a whole widget, of which only the difference is sent."""

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
"""How many events of a streamed widget may wait in the inbox."""

GROWTH_PAUSE_S = 0.1
"""Shortest time between two events by which a text grows: a few letters cost two hundred bytes of envelope."""


class WidgetFrames:
    """Puts the frames of one widget into an answer.

    Args:
        inbox: The inbox from which the answer takes its events.
        growth_pause_s: Shortest time between two events by which a text grows, in seconds.

    Attributes:
        last: The widget item of the last frame; None before the first.
        count: The number of frames that were shown.
    """

    def __init__(self, inbox: Inbox, growth_pause_s: float = GROWTH_PAUSE_S) -> None:
        self.last: WidgetItem | None = None
        self.count = 0
        self._inbox = inbox
        self._growth_pause_s = growth_pause_s
        self._last_queued: ThreadStreamEvent | None = None
        self._held_event: ThreadStreamEvent | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._grown_at = float("-inf")

    async def show(self, item: WidgetItem) -> None:
        """Show the next frame; wait while too many events are in the inbox."""
        for event in self._build_events(item):
            if self._hold_back(event):
                continue
            self.flush()
            # Growth of a text that is still in the inbox becomes one event with it.
            merged = _merge_growth(self._last_queued, event)
            if merged is not None and self._inbox.replace_last(self._last_queued, merged):
                self._last_queued = merged
            else:
                await self._inbox.put_when_room(event, MAX_FRAMES_AHEAD)
                self._last_queued = event
            if _is_growth(event):
                self._grown_at = self._loop.time()
        self.last = item
        self.count += 1

    def flush(self) -> None:
        """Show the event that is held back, if any; must be called after the last frame, also after a failure."""
        if self._timer is not None:
            self._timer.cancel()
        event, self._held_event, self._timer = self._held_event, None, None
        if event is not None:
            self._inbox.put_unbounded(event)
            self._last_queued, self._grown_at = event, self._loop.time()

    def _hold_back(self, event: ThreadStreamEvent) -> bool:
        """Hold back growth that comes soon after other growth, to merge it with more; return whether it is held."""
        if not _is_growth(event):
            return False
        if self._held_event is not None:
            merged = _merge_growth(self._held_event, event)
            self._held_event = merged or self._held_event
            return merged is not None
        left_s = self._grown_at + self._growth_pause_s - self._loop.time()
        if left_s <= 0:
            return False
        self._held_event, self._timer = event, self._loop.call_later(left_s, self.flush)
        return True

    def _build_events(self, item: WidgetItem) -> Sequence[ThreadStreamEvent]:
        if self.last is None:
            return [ThreadItemAddedEvent(item=item)]
        old, new = cast("WidgetDocument", self.last.widget), cast("WidgetDocument", item.widget)
        return [ThreadItemUpdatedEvent(item_id=item.id, update=update) for update in widget_updates(old, new)]


def _is_growth(event: ThreadStreamEvent) -> bool:
    update = event.update if isinstance(event, ThreadItemUpdatedEvent) else None
    return isinstance(update, WidgetStreamingTextValueDelta) and not update.done


def _merge_growth(before: ThreadStreamEvent | None, event: ThreadStreamEvent) -> ThreadStreamEvent | None:
    """Return one event for two by which the same text grows; None for other events."""
    if not isinstance(before, ThreadItemUpdatedEvent) or not isinstance(event, ThreadItemUpdatedEvent):
        return None
    update = merge_deltas(before.update, event.update) if before.item_id == event.item_id else None
    return None if update is None else ThreadItemUpdatedEvent(item_id=event.item_id, update=update)
