"""Cache of runs that have ended and can still be viewed, bounded in time and memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from runs.run import Run, RunKey

MAX_ENDED_BYTES = 64 * 1024 * 1024
"""The maximum size of the logs of all ended runs together, as `RunLog.size` counts it."""


@dataclass(slots=True)
class _Entry:
    run: Run
    size: int
    timer: asyncio.TimerHandle


class EndedRuns:
    """The last run of each thread, until it expires or is evicted by newer ones.

    Args:
        linger_s: How long a run is kept, in seconds.
        max_bytes: The maximum size of all logs together; the oldest are evicted first.
    """

    def __init__(self, linger_s: float, max_bytes: int = MAX_ENDED_BYTES) -> None:
        self._linger_s = linger_s
        self._max_bytes = max_bytes
        self._entries: OrderedDict[RunKey, _Entry] = OrderedDict()
        self._size = 0

    def add(self, key: RunKey, run: Run) -> None:
        """Keep a run that has ended, in place of the previous one of its thread."""
        self.forget(key)
        timer = asyncio.get_running_loop().call_later(self._linger_s, self.forget, key)
        entry = self._entries[key] = _Entry(run, run.log.size, timer)
        self._size += entry.size
        while self._size > self._max_bytes and len(self._entries) > 1:
            self.forget(next(iter(self._entries)))

    def find(self, key: RunKey) -> Run | None:
        """Return the ended run of a thread; None when none is kept."""
        entry = self._entries.get(key)
        return entry.run if entry is not None else None

    def forget(self, key: RunKey) -> None:
        """Remove the run of a thread, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size
            entry.timer.cancel()
