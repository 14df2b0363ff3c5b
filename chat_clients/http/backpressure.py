"""How often the pieces of answers are read: as they come, unless there are more than can be passed on one by one."""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK_INTERVAL_S = 0.4
"""How often the load is looked at, in seconds."""

BUSY_SHARE = 0.95
"""The share of one processor above which pieces gather: a larger one costs hardly more than a small one."""

CALM_SHARE = 0.9
"""Below it they are left to gather less. Near the other: a pause that is too short for anything to gather in it saves
nothing, and only keeps people waiting."""

PATIENCE = 2
"""How many looks in a row must find the thread busy before pieces wait: a moment's rush passes by itself."""

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.3
"""How long a piece may wait at most: text then still grows three times a second."""

_GROWTH = 1.5
_SHRINKAGE = 0.7


class Backpressure:
    """Finds the pause between two reads of an answer: none at all as long as the event loop has time to spare.

    Without it, a process with more streams than it can serve falls behind ever further. With it, each piece waits a
    moment and takes its successors along.

    Args:
        clock: The time, in seconds.
        processor_time: What the thread of the event loop has used of a processor, in seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, processor_time: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._processor_time = processor_time
        self._looked_at = clock()
        self._used_s: float | None = None
        self._pause_s = 0.0
        self._busy_looks = 0

    def pause_s(self) -> float:
        """Return how long to wait before the next read, in seconds: 0, or up to `LONGEST_PAUSE_S`."""
        now = self._clock()
        elapsed_s = now - self._looked_at
        if elapsed_s >= LOOK_INTERVAL_S:
            used_s = self._processor_time()
            # The first look has nothing to compare with.
            if self._used_s is not None:
                self._adapt((used_s - self._used_s) / elapsed_s)
            self._looked_at, self._used_s = now, used_s
        return self._pause_s

    def _adapt(self, share: float) -> None:
        self._busy_looks = self._busy_looks + 1 if share > BUSY_SHARE else 0
        if self._busy_looks >= PATIENCE:
            self._pause_s = min(max(self._pause_s * _GROWTH, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        elif share < CALM_SHARE:
            self._pause_s *= _SHRINKAGE
            if self._pause_s < FIRST_PAUSE_S / 2:
                self._pause_s = 0.0
