"""A bounded asynchronous cache with a maximum age, which loads a value once for all that wait for it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class FreshCache(Generic[V]):
    """A least recently used cache with a maximum age per request. Failures are not cached.

    Args:
        max_entries: Limit of the entries.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, max_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self._pending: dict[Hashable, asyncio.Task[V]] = {}

    def peek(self, key: Hashable, max_age_s: float) -> V | None:
        """Return the value of `key` if it is at most `max_age_s` seconds old; None otherwise."""
        entry = self._entries.get(key)
        if entry is None or self._clock() - entry[0] > max_age_s:
            return None
        self._entries.move_to_end(key)
        return entry[1]

    async def get(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, V]], max_age_s: float) -> V:
        """Return a cached value, or load it.

        Args:
            key: The key of the value.
            load: Loads a new value within a time limit of its own; concurrent callers share one call.
            max_age_s: Maximum age of a cached value, in seconds.
        """
        if (cached := self.peek(key, max_age_s)) is not None:
            return cached
        task = self._pending.get(key)
        if task is None:
            task = asyncio.create_task(self._load(key, load))
            self._pending[key] = task
            task.add_done_callback(lambda done: self._discard_task(key, done))
        # A caller that is cancelled must not cancel the task for the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel the pending loads."""
        tasks = list(self._pending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, V]]) -> V:
        value = await load()
        self._entries[key] = (self._clock(), value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
        return value

    def _discard_task(self, key: Hashable, task: asyncio.Task[V]) -> None:
        self._pending.pop(key, None)
        if not task.cancelled():
            task.exception()  # if all callers were cancelled, asyncio would warn that nobody retrieved it
