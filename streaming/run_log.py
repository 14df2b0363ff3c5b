"""The numbered, bounded log of one answer, from which any number of viewers read at their own pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

from streaming.open_items import OpenItems

# What a viewer who comes late must not get again, or has no use for.
_PASSING = (ThreadItemAddedEvent, ThreadItemUpdatedEvent, ProgressUpdateEvent, NoticeEvent, ClientEffectEvent)

_ENVELOPE_BYTES = 160

GAP = b'{"type":"run.gap"}'
"""Tells a viewer that finished items were left out; clients that do not know it ignore it."""


@dataclass(slots=True)
class _Entry:
    """One event.

    Attributes:
        number: From 1, without gaps.
        data: Its JSON; None for text deltas, which are only written when somebody reads them.
        delta: For text deltas: item, content index, text.
    """

    number: int
    data: bytes | None
    delta: tuple[str, int, str] | None = None

    @property
    def size(self) -> int:
        return len(self.data) if self.data is not None else _ENVELOPE_BYTES + len(self.delta[2] if self.delta else "")


class RunLog:
    """Events by number. The newest are kept as they were; of older ones only what still matters.

    Args:
        serialize: Makes the JSON of an event.
        max_bytes: How much is kept. A viewer who asks for more gets each finished item whole, and each unfinished one
            with what it holds so far.
    """

    def __init__(self, serialize: Callable[[Any], bytes], max_bytes: int) -> None:
        self._serialize = serialize
        self._max_bytes = max_bytes
        self._recent: deque[_Entry] = deque()
        self._recent_bytes = 0
        self._older: deque[_Entry] = deque()
        self._older_bytes = 0
        self._dropped = 0
        self._open = OpenItems()
        self.last = 0

    def append(self, event: Any) -> None:
        """Add an event under the next number."""
        self._open.apply(event)
        self.last += 1
        entry = _Entry(self.last, None)
        update = event.update if isinstance(event, ThreadItemUpdatedEvent) else None
        if isinstance(update, AssistantMessageContentPartTextDelta):
            entry.delta = (event.item_id, update.content_index, update.delta)
        else:
            entry.data = self._serialize(event)
        self._recent.append(entry)
        self._recent_bytes += entry.size
        if not isinstance(event, _PASSING) and entry.data is not None:
            self._older.append(entry)
            self._older_bytes += entry.size
        self._trim()

    def open_items(self) -> list[ThreadItem]:
        """Return what is unfinished, as far as it is."""
        return self._open.snapshot()

    def read(self, after: int, *, with_ids: bool) -> tuple[bytes, int]:
        """Return all that came after the event `after`, as server-sent events, and the number of the last of them.

        Neighbouring text deltas of one message come as one event, under the number of the last.
        """
        if after >= self.last:
            return b"", max(after, 0)
        if after + 1 < self._first_recent:
            return self._digest(after, with_ids), self.last
        frames: list[bytes] = []
        pending: _Entry | None = None
        texts: list[str] = []
        for entry in self._entries_after(after):
            if entry.delta is not None:
                if pending is not None and pending.delta is not None and pending.delta[:2] == entry.delta[:2]:
                    pending = entry
                    texts.append(entry.delta[2])
                    continue
                if pending is not None:
                    frames.append(self._delta_frame(pending, texts, with_ids))
                pending, texts = entry, [entry.delta[2]]
                continue
            if pending is not None:
                frames.append(self._delta_frame(pending, texts, with_ids))
                pending = None
            frames.append(_frame(entry.data or b"", entry.number, with_ids))
        if pending is not None:
            frames.append(self._delta_frame(pending, texts, with_ids))
        return b"".join(frames), self.last

    @property
    def _first_recent(self) -> int:
        return self._recent[0].number if self._recent else self.last + 1

    def _entries_after(self, after: int) -> Iterator[_Entry]:
        skipped = max(after + 1 - self._first_recent, 0)
        if skipped * 2 < len(self._recent):
            entries = iter(self._recent)
            for _ in range(skipped):
                next(entries)
            yield from entries
            return
        # A viewer who keeps up wants the last few: walk there from the end.
        tail: list[_Entry] = []
        for entry in reversed(self._recent):
            if entry.number <= after:
                break
            tail.append(entry)
        yield from reversed(tail)

    def _digest(self, after: int, with_ids: bool) -> bytes:
        # Finished items that are not here any more are in the store: Parlor's client reads the thread again.
        frames = [_frame(GAP, self._dropped, with_ids)] if self._dropped > after else []
        frames += [_frame(entry.data or b"", entry.number, with_ids) for entry in self._older if entry.number > after]
        frames += [
            _frame(self._serialize(ThreadItemAddedEvent(item=item)), self.last, with_ids)
            for item in self._open.snapshot()
        ]
        return b"".join(frames)

    def _delta_frame(self, entry: _Entry, texts: list[str], with_ids: bool) -> bytes:
        item_id, index, _ = entry.delta or ("", 0, "")
        update = AssistantMessageContentPartTextDelta(content_index=index, delta="".join(texts))
        data = self._serialize(ThreadItemUpdatedEvent(item_id=item_id, update=update))
        return _frame(data, entry.number, with_ids)

    def _trim(self) -> None:
        while self._recent_bytes > self._max_bytes and len(self._recent) > 1:
            self._recent_bytes -= self._recent.popleft().size
        while self._older_bytes > self._max_bytes and len(self._older) > 1:
            dropped = self._older.popleft()
            self._older_bytes -= dropped.size
            self._dropped = dropped.number


def _frame(data: bytes, number: int, with_id: bool) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (number, data) if with_id else b"data: %b\n\n" % data
