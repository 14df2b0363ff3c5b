"""The log of a run in this process's memory: numbered, bounded, read by any number of viewers at their own pace."""

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

# What a viewer who comes late must not get again, or has no use for.
_PASSING = (ThreadItemAddedEvent, ThreadItemUpdatedEvent, ProgressUpdateEvent, NoticeEvent, ClientEffectEvent)

_ENVELOPE_BYTES = 160
_TEXT_NUMBERS = 64

GAP = b'{"type":"run.gap"}'
"""Tells a viewer that finished items were left out; clients that do not know it ignore it."""


@dataclass(slots=True)
class _Event:
    """One event, as the JSON that is sent."""

    number: int
    data: bytes

    @property
    def last(self) -> int:
        return self.number

    @property
    def size(self) -> int:
        return _ENVELOPE_BYTES + len(self.data)


class _Text:
    """Neighbouring text deltas of one part of a message: hundreds of them make an answer, so they share an entry."""

    __slots__ = ("_ends", "_parts", "_text", "first", "last", "newest", "part", "size")

    def __init__(self, number: int, part: tuple[str, int], event: ThreadItemUpdatedEvent, delta: str) -> None:
        self.first = self.last = number
        self.part = part
        self.newest = event
        self.size = _ENVELOPE_BYTES + _bytes_of(delta)
        self._parts = [delta]
        self._text = ""
        self._ends: array[int] | None = None

    @property
    def has_room(self) -> bool:
        return self._ends is None

    def append(self, event: ThreadItemUpdatedEvent, delta: str) -> None:
        """Add the next delta, under the next number."""
        self.newest = event
        self._parts.append(delta)
        self.last += 1
        self.size += _bytes_of(delta)
        if len(self._parts) == _TEXT_NUMBERS:
            # A string for each delta is ten times what it says.
            self._ends = array("I", accumulate(map(len, self._parts)))
            self._text, self._parts = "".join(self._parts), []

    def after(self, number: int) -> str:
        """Return what came after event `number`."""
        seen = max(number - self.first + 1, 0)
        if self._ends is None:
            return "".join(self._parts[seen:])
        return self._text[self._ends[seen - 1] :] if seen else self._text


class MemoryLog:
    """A `RunLog` in memory. The newest events are kept as they were; of older ones only what still matters.

    Args:
        serialize: Makes the JSON of an event.
        max_bytes: How much is kept, in bytes. A viewer who asks for more gets each finished item whole, and each
            unfinished one with what it holds so far.
    """

    def __init__(self, serialize: Serialize, max_bytes: int) -> None:
        self._serialize = serialize
        self._max_bytes = max_bytes
        self._recent: deque[_Event | _Text] = deque()
        self._recent_bytes = 0
        self._older: deque[_Event] = deque()
        self._older_bytes = 0
        self._dropped = 0
        self._open = OpenItems()
        self._readers: set[Callable[[], None]] = set()
        self.last = 0
        self.is_closed = False

    def append(self, event: Any) -> None:
        """Add an event under the next number; nothing is added if it cannot be serialized."""
        if isinstance(event, ThreadItemUpdatedEvent) and isinstance(event.update, AssistantMessageContentPartTextDelta):
            self._open.apply(event)
            self.last += 1
            self._append_text(event, event.update)
        else:
            data = self._serialize(event)
            self._open.apply(event)
            self.last += 1
            entry = _Event(self.last, data)
            self._recent.append(entry)
            self._recent_bytes += entry.size
            if not isinstance(event, _PASSING):
                self._older.append(entry)
                self._older_bytes += entry.size
        self._trim()
        for wake in self._readers:
            wake()

    def close(self) -> None:
        """Note that nothing more will come, and let those know who wait for it."""
        self.is_closed = True
        for wake in self._readers:
            wake()

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there is more to read, and at the end."""
        self._readers.add(wake)

    def unsubscribe(self, wake: Callable[[], None]) -> None:
        """Call `wake` no more."""
        self._readers.discard(wake)

    def _append_text(self, event: ThreadItemUpdatedEvent, update: AssistantMessageContentPartTextDelta) -> None:
        part = (event.item_id, update.content_index)
        newest = self._recent[-1] if self._recent else None
        if isinstance(newest, _Text) and newest.has_room and newest.part == part:
            newest.append(event, update.delta)
            self._recent_bytes += _bytes_of(update.delta)
        else:
            entry = _Text(self.last, part, event, update.delta)
            self._recent.append(entry)
            self._recent_bytes += entry.size

    @property
    def size(self) -> int:
        """The memory that the log takes, in bytes, as far as it is known."""
        return self._recent_bytes + self._older_bytes

    def open_items(self) -> list[ThreadItem]:
        """Return copies of the unfinished items, each with what it holds so far."""
        return self._open.snapshot()

    async def read(self, after: int, *, with_ids: bool) -> tuple[bytes, int]:
        """Return all that came after the event `after`, as server-sent events, and the number of the last of them.

        Neighbouring text deltas of one message come as one event, under the number of the last.
        """
        if after >= self.last:
            return b"", max(after, 0)
        if after + 1 < self._first_recent:
            return self._digest(after, with_ids), self.last
        if after + 1 == self.last and isinstance(newest := self._recent[-1], _Text):
            # Who keeps up gets each piece as it came.
            return _frame(self._serialize(newest.newest), self.last, with_ids), self.last
        frames: list[bytes] = []
        texts: list[str] = []
        pending: _Text | None = None
        for entry in self._entries_after(after):
            if pending is not None and not (isinstance(entry, _Text) and entry.part == pending.part):
                frames.append(self._text_frame(pending, texts, with_ids))
                pending, texts = None, []
            if isinstance(entry, _Text):
                pending = entry
                texts.append(entry.after(after))
            else:
                frames.append(_frame(entry.data, entry.number, with_ids))
        if pending is not None:
            frames.append(self._text_frame(pending, texts, with_ids))
        return b"".join(frames), self.last

    @property
    def _first_recent(self) -> int:
        if not self._recent:
            return self.last + 1
        oldest = self._recent[0]
        return oldest.first if isinstance(oldest, _Text) else oldest.number

    def _entries_after(self, after: int) -> Iterator[_Event | _Text]:
        # A viewer who keeps up wants the last one: walk there from the end.
        tail = list(takewhile(lambda entry: entry.last > after, reversed(self._recent)))
        return reversed(tail)

    def _digest(self, after: int, with_ids: bool) -> bytes:
        # Finished items that are not here any more are in the store: Parlor's client reads the thread again.
        frames = [_frame(GAP, self._dropped, with_ids)] if self._dropped > after else []
        frames += [_frame(entry.data, entry.number, with_ids) for entry in self._older if entry.number > after]
        frames += [
            _frame(self._serialize(ThreadItemAddedEvent(item=item)), self.last, with_ids)
            for item in self._open.snapshot()
        ]
        return b"".join(frames)

    def _text_frame(self, entry: _Text, texts: list[str], with_ids: bool) -> bytes:
        item_id, index = entry.part
        update = AssistantMessageContentPartTextDelta(content_index=index, delta="".join(texts))
        data = self._serialize(ThreadItemUpdatedEvent(item_id=item_id, update=update))
        return _frame(data, entry.last, with_ids)

    def _trim(self) -> None:
        while self._recent_bytes > self._max_bytes and len(self._recent) > 1:
            self._recent_bytes -= self._recent.popleft().size
        while self._older_bytes > self._max_bytes and len(self._older) > 1:
            dropped = self._older.popleft()
            self._older_bytes -= dropped.size
            self._dropped = dropped.number


def _bytes_of(text: str) -> int:
    # Most text is ASCII, and a string knows whether it is.
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _frame(data: bytes, number: int, with_id: bool) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (number, data) if with_id else b"data: %b\n\n" % data
