"""Inbox: the way of events from a turn's tools to the task that stores and sends them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

from errors import TurnOverflowError

MAX_PENDING_EVENTS = 2_000
"""How many events tools may have emitted that are not stored and sent yet."""


class Inbox:
    """Events on their way from tools, which may run in threads, to the task that stores and sends them."""

    def __init__(self) -> None:
        self._events: deque[Any] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def put(self, event: Any) -> None:
        """Append `event`; safe to call from a tool's worker thread.

        Raises:
            TurnOverflowError: When `MAX_PENDING_EVENTS` events are waiting.
        """
        if len(self._events) >= MAX_PENDING_EVENTS:
            raise TurnOverflowError(f"more than {MAX_PENDING_EVENTS} events wait to be sent; await between them")
        self.put_last(event)

    def put_last(self, event: Any) -> None:
        """Append `event` even when the inbox is full: for the one event that must not be lost."""
        self._events.append(event)
        if threading.get_ident() == self._thread:
            self._wake.set()
        else:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def put_when_room(self, event: Any, limit: int) -> None:
        """Append `event` as soon as fewer than `limit` events are waiting."""
        while len(self._events) >= limit:
            self._room.clear()
            await self._room.wait()
        self._events.append(event)
        self._wake.set()

    def drain(self) -> list[Any]:
        """Return and forget what is waiting."""
        # A worker thread may append meanwhile: take one by one what was there at the start.
        events = [self._events.popleft() for _ in range(len(self._events))]
        self._room.set()
        return events

    async def wait(self) -> None:
        """Return as soon as something is waiting."""
        while not self._events:
            self._wake.clear()
            if self._events:
                break
            await self._wake.wait()
