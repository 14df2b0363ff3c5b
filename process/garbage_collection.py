"""The garbage collector, kept from stopping everybody for a tenth of a second.

A full collection walks all that lives; in a process that has imported a model framework this takes 100 to 200 ms, in
which no answer moves. What lives since the start, and after the first answers, is therefore left out for good, and full
collections happen when no answer is being written, or when memory has grown by much.
Source: gc.freeze and gc.set_threshold in Python's documentation; measured by `parlor bench`.
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
"""How much memory may grow before a full collection is worth a stop."""

RUN_BYTES = 1024 * 1024
"""What an answer that is being written may hold: that is in use, and no collection would free it."""

LATE_FREEZES = 2
"""How many of the first quiet moments leave out for good what lives then: modules and caches that came with the first
answers. Not all of them do: what lives in a quiet moment may be garbage later, and would stay."""

# Young objects are collected a little less often than by default, full collections never by themselves.
_THRESHOLDS = (5_000, 20, 1_000_000)

_PAGE_BYTES = 4096


class QuietCollector:
    """Takes over from the automatic full collections, from `start` to `stop`.

    Args:
        active: Says how many answers are being written.
        memory_bytes: Returns the process's memory.
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
        """Leave out what lives now, and watch. Call it when everything is loaded."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        self._low = self._memory_bytes()
        self._task = asyncio.create_task(self._watch(), name="collector")

    async def stop(self) -> None:
        """Go back to how it was."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            gc.set_threshold(*self._before)
            gc.unfreeze()

    def check(self) -> bool:
        """Collect if now is a good time or it cannot wait; return whether it did."""
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
