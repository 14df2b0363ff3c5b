"""A bounded cache of fresh answers that asks only once for what several want at the same time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class FreshCache(Generic[V]):
    """Keeps the most recently used answers. Failures are not kept.

    Args:
        max_entries: How many answers at most.
        clock: Seconds that never go back.
    """

    def __init__(self, max_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self._asked: dict[Hashable, asyncio.Task[V]] = {}

    def peek(self, key: Hashable, max_age_s: float) -> V | None:
        """Return the value of `key` if it is at most `max_age_s` seconds old; None otherwise."""
        entry = self._entries.get(key)
        if entry is None or self._clock() - entry[0] > max_age_s:
            return None
        self._entries.move_to_end(key)
        return entry[1]

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, V]], max_age_s: float) -> V:
        """Return a fresh answer, kept or asked for now.

        Args:
            key: The question, by which its answer is found again.
            ask: Makes a new one; bounded in time. Called once however many wait for it.
            max_age_s: How old a kept answer may be, in seconds.
        """
        if (kept := self.peek(key, max_age_s)) is not None:
            return kept
        task = self._asked.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, ask))
            self._asked[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # One of those who wait may be cancelled; the others still want the answer.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stop what is being asked for."""
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        value = await ask()
        self._entries[key] = (self._clock(), value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
        return value

    def _forget(self, key: Hashable, task: asyncio.Task[V]) -> None:
        self._asked.pop(key, None)
        if not task.cancelled():
            task.exception()  # all who waited may be gone; asyncio would complain that nobody looked
