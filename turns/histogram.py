"""Histogram of times, as Prometheus counts them: how many took no longer than each of some bounds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


class Histogram:
    """Times, counted by the smallest bound that they do not exceed. One more costs a fraction of a microsecond.

    Args:
        bounds_s: The bounds, ascending, in seconds; what is longer than the last is counted too.

    Attributes:
        sum_s: All times together, in seconds.
    """

    __slots__ = ("_bounds_s", "_counts", "sum_s")

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count a time, in seconds."""
        self._counts[bisect_left(self._bounds_s, duration_s)] += 1
        self.sum_s += duration_s

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Yield each bound, and how many took no longer; ``+Inf`` is the last."""
        total = 0
        for bound, count in zip((*map(str, self._bounds_s), "+Inf"), self._counts, strict=True):
            total += count
            yield bound, total
