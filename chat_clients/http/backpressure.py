"""Backpressure: answers are read less often, in larger pieces, when the event loop has no time to spare."""

from __future__ import annotations

import time
from collections.abc import Callable

SAMPLE_INTERVAL_S = 0.4
"""How often the load is sampled, in seconds."""

BUSY_SHARE = 0.95
"""Share of one processor above which reads pause and pieces merge: a large piece costs hardly more than a small one."""

CALM_SHARE = 0.9
"""Share of one processor below which the pause shrinks. Close to `BUSY_SHARE`, since a pause in which no pieces merge
saves nothing and only keeps people waiting."""

BUSY_SAMPLES = 2
"""How many samples in a row must find the thread busy before reads pause: short peaks pass by themselves."""

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.3
"""Longest pause between two reads: the text on the screen still grows three times a second."""

_GROWTH = 1.5
_SHRINKAGE = 0.7


class Backpressure:
    """Finds the pause between two reads of an answer, which is 0 as long as the event loop has time to spare.

    Without it, a process with more streams than it can serve falls behind ever further. With it, a piece waits for its
    successors, and they are handled as one.

    Args:
        clock: Returns the time, in seconds.
        thread_time: Returns the CPU time of the event loop's thread, in seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, thread_time: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._thread_time = thread_time
        self._sampled_at = clock()
        self._used_s: float | None = None
        self._pause_s = 0.0
        self._busy_samples = 0

    def pause_s(self) -> float:
        """Return how long to wait before the next read, in seconds: 0, or up to `LONGEST_PAUSE_S`."""
        now = self._clock()
        elapsed_s = now - self._sampled_at
        if elapsed_s >= SAMPLE_INTERVAL_S:
            used_s = self._thread_time()
            # The first sample has nothing to compare with.
            if self._used_s is not None:
                self._adapt((used_s - self._used_s) / elapsed_s)
            self._sampled_at, self._used_s = now, used_s
        return self._pause_s

    def _adapt(self, share: float) -> None:
        self._busy_samples = self._busy_samples + 1 if share > BUSY_SHARE else 0
        if self._busy_samples >= BUSY_SAMPLES:
            self._pause_s = min(max(self._pause_s * _GROWTH, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        elif share < CALM_SHARE:
            self._pause_s *= _SHRINKAGE
            if self._pause_s < FIRST_PAUSE_S / 2:
                self._pause_s = 0.0
