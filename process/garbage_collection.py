"""Garbage collection at quiet moments, so that it does not stop everybody for a tenth of a second.

A full collection walks all that lives; in a process that has imported a model framework this takes 100 to 200 ms, in
which no answer moves. What lives since the start, and after the first answers, is therefore left out for good, and full
collections happen when no answer is being written, or when memory has grown by much.
Source: gc.freeze and gc.set_threshold in Python's documentation; measured by `./parlor bench`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

CHECK_EVERY_S = 5.0
GROWTH_BYTES = 256 * 1024 * 1024
"""Growth of memory that makes a full collection worth a stop."""

RUN_BYTES = 1024 * 1024
"""Memory that each answer in the making may hold: it is in use, and no collection would free it."""

LATE_FREEZES = 2
"""Number of quiet moments, from the first on, that leave out for good what lives then: modules and caches of the first
answers. Not all of them do: what lives in a quiet moment may be garbage later, and would stay."""

# Young objects are collected a little less often than by default, full collections never by themselves.
_THRESHOLDS = (5_000, 20, 1_000_000)

# Importing a model framework makes a quarter of a million objects that stay, of which a collection frees fifty. So a
# start has none, unless a use case makes as many again; the number is a bound for what one leaves that makes garbage.
_THRESHOLDS_OF_A_START = (1_000_000, 50, 1_000)

_PAGE_BYTES = 4096


def collect_seldom() -> None:
    """Let the collector wait for a million objects, for the start of a process: it takes a tenth less time."""
    gc.set_threshold(*_THRESHOLDS_OF_A_START)


class GarbageCollector:
    """Full garbage collections at quiet moments instead of automatic ones, from `start` to `stop`.

    Args:
        active: Function that returns the number of answers that are being written.
        memory_bytes: Function that returns the memory of the process; default: `resident_bytes`.
    """

    def __init__(self, active: Callable[[], int], memory_bytes: Callable[[], int] | None = None) -> None:
        self._active = active
        self._memory_bytes = memory_bytes or resident_bytes
        self._before = gc.get_threshold()
        self._task: asyncio.Task[None] | None = None
        self._low = 0
        self._is_clean = True
        self._late_freezes = LATE_FREEZES

    def start(self) -> None:
        """Freeze all objects that are there now and begin to watch; to be called when everything is loaded."""
        # Not collected before: at the end of a start that frees next to nothing, and takes a twentieth of its time.
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        self._low = self._memory_bytes()
        self._task = asyncio.create_task(self._watch(), name="collector")

    async def stop(self) -> None:
        """Give collections back to Python, with the thresholds from before `start`."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            gc.set_threshold(*self._before)
            gc.unfreeze()

    def check(self) -> bool:
        """Collect garbage if no answer is being written or memory has grown by much; return whether it did."""
        active = self._active()
        if active:
            self._is_clean = False
            if self._memory_bytes() - self._low < GROWTH_BYTES + active * RUN_BYTES:
                return False
        elif self._is_clean:
            return False  # nothing has happened since the last time
        gc.collect()
        if not active and self._late_freezes > 0:
            self._late_freezes -= 1
            gc.freeze()
        self._is_clean = not active
        self._low = self._memory_bytes()
        return True

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            self.check()


def resident_bytes() -> int:
    """Return the process's resident memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0
