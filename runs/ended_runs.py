"""Cache of runs that have ended and can still be viewed, bounded in time and memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from runs.run import Run, RunKey

MAX_ENDED_BYTES = 64 * 1024 * 1024
"""How much the logs of all ended runs may hold together, by their own count."""


@dataclass(slots=True)
class _Entry:
    run: Run
    size: int
    timer: asyncio.TimerHandle


class EndedRuns:
    """The last run of each thread, until its time is up or newer ones need its place.

    Args:
        linger_s: How long a run stays, in seconds.
        max_bytes: How much all of them may hold; the oldest go first.
    """

    def __init__(self, linger_s: float, max_bytes: int = MAX_ENDED_BYTES) -> None:
        self._linger_s = linger_s
        self._max_bytes = max_bytes
        self._entries: OrderedDict[RunKey, _Entry] = OrderedDict()
        self._size = 0

    def add(self, key: RunKey, run: Run) -> None:
        """Keep a run that has ended, instead of the previous one of its thread."""
        self.forget(key)
        timer = asyncio.get_running_loop().call_later(self._linger_s, self.forget, key)
        entry = self._entries[key] = _Entry(run, run.log.size, timer)
        self._size += entry.size
        while self._size > self._max_bytes and len(self._entries) > 1:
            self.forget(next(iter(self._entries)))

    def find(self, key: RunKey) -> Run | None:
        """Return the ended run of a thread; None when it is not kept, or not any longer."""
        entry = self._entries.get(key)
        return entry.run if entry is not None else None

    def forget(self, key: RunKey) -> None:
        """Let go of the run of a thread, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size
            entry.timer.cancel()
