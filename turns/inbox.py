"""Inbox: the queue of events from a turn's tools to the task that stores and sends them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

from errors import TurnOverflowError

MAX_PENDING_EVENTS = 2_000
"""The maximum number of events that tools have emitted and that are not stored and sent yet."""


class Inbox:
    """Queue of events from tools, which may run in threads, to the one task that stores and sends them.

    Attributes:
        items_shown: The number of events about thread items that tools have put here so far.
    """

    def __init__(self) -> None:
        self._events: deque[Any] = deque()
        self.items_shown = 0
        self._loop = asyncio.get_running_loop()
        # The one reader waits here, and writers that are too fast; a future costs half of an `asyncio.Event`.
        self._reader: asyncio.Future[None] | None = None
        self._writers: list[asyncio.Future[None]] = []
        self._thread = threading.get_ident()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is waiting."""
        return not self._events

    def put(self, event: Any) -> None:
        """Append `event`; safe to call from a tool's worker thread.

        Raises:
            TurnOverflowError: When `MAX_PENDING_EVENTS` events are waiting.
        """
        if len(self._events) >= MAX_PENDING_EVENTS:
            raise TurnOverflowError(f"more than {MAX_PENDING_EVENTS} events wait to be sent; await between them")
        self.items_shown += str(getattr(event, "type", "")).startswith("thread.item.")
        self.put_unbounded(event)

    def put_unbounded(self, event: Any) -> None:
        """Append `event` even when the inbox is full: for an event that must not be lost."""
        self._events.append(event)
        if threading.get_ident() == self._thread:
            _wake(self._reader)
        else:
            self._loop.call_soon_threadsafe(lambda: _wake(self._reader))

    async def put_when_room(self, event: Any, limit: int) -> None:
        """Append `event` as soon as fewer than `limit` events are waiting."""
        while len(self._events) >= limit:
            writer = self._loop.create_future()
            self._writers.append(writer)
            await writer
        self.items_shown += str(getattr(event, "type", "")).startswith("thread.item.")
        self._events.append(event)
        _wake(self._reader)

    def replace_last(self, event: Any, by: Any) -> bool:
        """Replace `event` by `by` if it is still the last one in the inbox; return whether it was."""
        is_waiting = bool(self._events) and self._events[-1] is event
        if is_waiting:
            self._events[-1] = by
        return is_waiting

    def drain(self) -> list[Any]:
        """Remove and return all waiting events."""
        # A worker thread may append meanwhile: take only as many as there were at the start.
        events = [self._events.popleft() for _ in range(len(self._events))]
        writers, self._writers = self._writers, []
        for writer in writers:
            _wake(writer)
        return events

    async def wait(self) -> None:
        """Wait until there is an event."""
        while not self._events:
            self._reader = self._loop.create_future()
            await self._reader


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
