"""The log of a run in memory: numbered, bounded, and read by any number of viewers at their own pace."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ClientEffectEvent,
    NoticeEvent,
    ProgressUpdateEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemUpdatedEvent,
)

from runs.open_items import OpenItems
from runs.run_log import Serialize

# Events that are not kept for late viewers, who need only the result, or must not see them again.
_TRANSIENT_EVENTS = (ThreadItemAddedEvent, ThreadItemUpdatedEvent, ProgressUpdateEvent, NoticeEvent, ClientEffectEvent)

_ENVELOPE_BYTES = 160
_DELTAS_PER_ENTRY = 64

GAP = b'{"type":"run.gap"}'
"""Tells a viewer that finished items were left out; clients that do not know this event ignore it."""


@dataclass(slots=True)
class _EventEntry:
    """One event as JSON."""

    number: int
    data: bytes

    @property
    def last(self) -> int:
        return self.number

    @property
    def size(self) -> int:
        return _ENVELOPE_BYTES + len(self.data)


class _TextEntry:
    """Consecutive text deltas of one content part, which share an entry: an answer consists of hundreds of them."""

    __slots__ = ("_ends", "_parts", "_text", "first", "last", "last_event", "part", "size")

    def __init__(self, number: int, part: tuple[str, int], event: ThreadItemUpdatedEvent, delta: str) -> None:
        self.first = self.last = number
        self.part = part
        self.last_event = event
        self.size = _ENVELOPE_BYTES + _byte_count(delta)
        self._parts = [delta]
        self._text = ""
        self._ends: array[int] | None = None

    @property
    def has_room(self) -> bool:
        return self._ends is None

    def append(self, event: ThreadItemUpdatedEvent, delta: str) -> None:
        """Add the next delta, under the next number."""
        self.last_event = event
        self._parts.append(delta)
        self.last += 1
        self.size += _byte_count(delta)
        if len(self._parts) == _DELTAS_PER_ENTRY:
            # A string object for each short delta takes ten times the memory of its text.
            self._ends = array("I", accumulate(map(len, self._parts)))
            self._text, self._parts = "".join(self._parts), []

    def text_after(self, number: int) -> str:
        """Return the text of the deltas after event `number`."""
        seen = max(number - self.first + 1, 0)
        if self._ends is None:
            return "".join(self._parts[seen:])
        return self._text[self._ends[seen - 1] :] if seen else self._text


class MemoryLog:
    """A `RunLog` in memory, which keeps the newest events in full and condenses older ones.

    Args:
        serialize: Returns the JSON of an event.
        max_bytes: How many bytes of events are kept in full. A viewer that needs older ones gets each finished item
            whole, and each unfinished one with its content so far.
    """

    def __init__(self, serialize: Serialize, max_bytes: int) -> None:
        self._serialize = serialize
        self._max_bytes = max_bytes
        self._recent: deque[_EventEntry | _TextEntry] = deque()
        self._recent_bytes = 0
        self._older: deque[_EventEntry] = deque()
        self._older_bytes = 0
        self._last_dropped = 0
        self._open = OpenItems()
        self._subscribers: set[Callable[[], None]] = set()
        self.last = 0
        self.is_closed = False

    def append(self, event: Any) -> None:
        """Add an event under the next number; add nothing if it cannot be serialized."""
        if isinstance(event, ThreadItemUpdatedEvent) and isinstance(event.update, AssistantMessageContentPartTextDelta):
            self._open.apply(event)
            self.last += 1
            self._append_text(event, event.update)
        else:
            data = self._serialize(event)
            self._open.apply(event)
            self.last += 1
            entry = _EventEntry(self.last, data)
            self._recent.append(entry)
            self._recent_bytes += entry.size
            if not isinstance(event, _TRANSIENT_EVENTS):
                self._older.append(entry)
                self._older_bytes += entry.size
        self._trim()
        for wake in self._subscribers:
            wake()

    def close(self) -> None:
        """Mark the log as complete, and wake all subscribers."""
        self.is_closed = True
        for wake in self._subscribers:
            wake()

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there is more to read, and at the end."""
        self._subscribers.add(wake)

    def unsubscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` no more."""
        self._subscribers.discard(wake)

    def _append_text(self, event: ThreadItemUpdatedEvent, update: AssistantMessageContentPartTextDelta) -> None:
        part = (event.item_id, update.content_index)
        newest = self._recent[-1] if self._recent else None
        if isinstance(newest, _TextEntry) and newest.has_room and newest.part == part:
            newest.append(event, update.delta)
            self._recent_bytes += _byte_count(update.delta)
        else:
            entry = _TextEntry(self.last, part, event, update.delta)
            self._recent.append(entry)
            self._recent_bytes += entry.size

    @property
    def size(self) -> int:
        """The approximate memory that the log takes, in bytes."""
        return self._recent_bytes + self._older_bytes

    def open_items(self) -> list[ThreadItem]:
        """Return copies of the unfinished items, each with its content so far."""
        return self._open.snapshot()

    async def read(self, after: int, *, with_ids: bool) -> tuple[bytes, int]:
        """Return the events after the event `after`, as server-sent events, and the number of the last one.

        Consecutive text deltas of one message are merged into one event, under the number of the last.
        """
        if after >= self.last:
            return b"", max(after, 0)
        if after + 1 < self._first_recent:
            return self._read_summary(after, with_ids), self.last
        if after + 1 == self.last and isinstance(newest := self._recent[-1], _TextEntry):
            # A viewer that keeps up gets each delta as it came.
            return _build_frame(self._serialize(newest.last_event), self.last, with_ids), self.last
        frames: list[bytes] = []
        texts: list[str] = []
        pending: _TextEntry | None = None
        for entry in self._entries_after(after):
            if pending is not None and not (isinstance(entry, _TextEntry) and entry.part == pending.part):
                frames.append(self._build_text_frame(pending, texts, with_ids))
                pending, texts = None, []
            if isinstance(entry, _TextEntry):
                pending = entry
                texts.append(entry.text_after(after))
            else:
                frames.append(_build_frame(entry.data, entry.number, with_ids))
        if pending is not None:
            frames.append(self._build_text_frame(pending, texts, with_ids))
        return b"".join(frames), self.last

    @property
    def _first_recent(self) -> int:
        if not self._recent:
            return self.last + 1
        oldest = self._recent[0]
        return oldest.first if isinstance(oldest, _TextEntry) else oldest.number

    def _entries_after(self, after: int) -> Iterator[_EventEntry | _TextEntry]:
        # A viewer that keeps up needs only the last entry: search from the end.
        tail = list(takewhile(lambda entry: entry.last > after, reversed(self._recent)))
        return reversed(tail)

    def _read_summary(self, after: int, with_ids: bool) -> bytes:
        # Dropped items are in the store: on a gap, Parlor's client reads the thread again.
        frames = [_build_frame(GAP, self._last_dropped, with_ids)] if self._last_dropped > after else []
        frames += [_build_frame(entry.data, entry.number, with_ids) for entry in self._older if entry.number > after]
        frames += [
            _build_frame(self._serialize(ThreadItemAddedEvent(item=item)), self.last, with_ids)
            for item in self._open.snapshot()
        ]
        return b"".join(frames)

    def _build_text_frame(self, entry: _TextEntry, texts: list[str], with_ids: bool) -> bytes:
        item_id, index = entry.part
        update = AssistantMessageContentPartTextDelta(content_index=index, delta="".join(texts))
        data = self._serialize(ThreadItemUpdatedEvent(item_id=item_id, update=update))
        return _build_frame(data, entry.last, with_ids)

    def _trim(self) -> None:
        while self._recent_bytes > self._max_bytes and len(self._recent) > 1:
            self._recent_bytes -= self._recent.popleft().size
        while self._older_bytes > self._max_bytes and len(self._older) > 1:
            dropped = self._older.popleft()
            self._older_bytes -= dropped.size
            self._last_dropped = dropped.number


def _byte_count(text: str) -> int:
    # Most text is ASCII, and a string knows whether it is.
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _build_frame(data: bytes, number: int, with_id: bool) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (number, data) if with_id else b"data: %b\n\n" % data
