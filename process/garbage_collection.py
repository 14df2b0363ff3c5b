"""Garbage collection while the server is idle, so that it does not pause all answers for a tenth of a second.

A full collection visits every object; in a process that has imported a model framework this takes 100 to 200 ms, in
which no answer proceeds. So objects from the start and the first answers are frozen, and full collections happen when
no answer is being written, or when memory has grown by much.
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
"""Growth of memory that makes a full collection worth its pause."""

RUN_BYTES = 1024 * 1024
"""Memory that each unfinished answer may hold: it is in use, so a collection would not free it."""

LATE_FREEZES = 2
"""Number of idle collections, from the first on, that freeze what survives: modules and caches of the first answers.

Later ones freeze nothing, since objects that survive may still become garbage, and would never be freed."""

# Young objects are collected a little less often than by default, and full collections never start by themselves.
_THRESHOLDS = (5_000, 20, 1_000_000)

# Importing a model framework creates a quarter of a million objects, of which a collection frees fifty. So the start
# has none, unless a use case creates many more; the threshold bounds the garbage that such a use case leaves.
_START_THRESHOLDS = (1_000_000, 50, 1_000)

_PAGE_BYTES = 4096


def collect_seldom() -> None:
    """Raise the thresholds to a million objects for the start of a process, which then takes a tenth less time."""
    gc.set_threshold(*_START_THRESHOLDS)


class GarbageCollector:
    """Replaces automatic full garbage collections by ones at idle times, from `start` to `stop`.

    Args:
        active: Function that returns the number of answers that are being written.
        memory_bytes: Function that returns the memory of the process; default: `resident_bytes`.
    """

    def __init__(self, active: Callable[[], int], memory_bytes: Callable[[], int] | None = None) -> None:
        self._active = active
        self._memory_bytes = memory_bytes or resident_bytes
        self._previous_thresholds = gc.get_threshold()
        self._task: asyncio.Task[None] | None = None
        self._bytes_after_collection = 0
        self._is_clean = True
        self._late_freezes = LATE_FREEZES

    def start(self) -> None:
        """Freeze all existing objects and begin to watch; to be called when everything is loaded."""
        # No collection before: after the start it would free next to nothing, and take a twentieth of the time of it.
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        self._bytes_after_collection = self._memory_bytes()
        self._task = asyncio.create_task(self._watch(), name="collector")

    async def stop(self) -> None:
        """Restore automatic collections, with the thresholds from before `start`."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            gc.set_threshold(*self._previous_thresholds)
            gc.unfreeze()

    def check(self) -> bool:
        """Collect garbage if the server is idle or memory has grown by much; return whether it was collected."""
        active = self._active()
        if active:
            self._is_clean = False
            if self._memory_bytes() - self._bytes_after_collection < GROWTH_BYTES + active * RUN_BYTES:
                return False
        elif self._is_clean:
            return False  # no answer since the last collection
        gc.collect()
        if not active and self._late_freezes > 0:
            self._late_freezes -= 1
            gc.freeze()
        self._is_clean = not active
        self._bytes_after_collection = self._memory_bytes()
        return True

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            self.check()


def resident_bytes() -> int:
    """Return the resident memory of the process in bytes; 0 on systems that do not report it."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0
