"""A histogram of durations with cumulative buckets, as Prometheus defines them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


class Histogram:
    """Counts durations by bucket; to add one takes a fraction of a microsecond.

    Args:
        bounds_s: The upper bounds of the buckets, ascending, in seconds; a last bucket holds longer durations.

    Attributes:
        sum_s: The sum of all durations, in seconds.
    """

    __slots__ = ("_bounds_s", "_counts", "sum_s")

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count a duration, in seconds."""
        self._counts[bisect_left(self._bounds_s, duration_s)] += 1
        self.sum_s += duration_s

    def cumulative_counts(self) -> Iterator[tuple[str, int]]:
        """Yield each bound with the number of durations up to it; the last bound is ``+Inf``."""
        total = 0
        for bound, count in zip((*map(str, self._bounds_s), "+Inf"), self._counts, strict=True):
            total += count
            yield bound, total
