"""Durations of the store's transactions by use case, for operators who look for the cause of slow answers."""

from __future__ import annotations

from turns.histogram import Histogram

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
MAX_USE_CASES = 200
OTHER = "other"
"""Name under which use cases beyond `MAX_USE_CASES` are counted."""


class TransactionTimes:
    """Durations of the transactions of this process, including their wait for a connection.

    Attributes:
        by_kind: Histograms by use case and kind of transaction: ``read``, ``write`` or ``delete``.
    """

    def __init__(self) -> None:
        self.by_kind: dict[tuple[str, str], Histogram] = {}

    def add(self, use_case: str, kind: str, duration_s: float) -> None:
        """Count a transaction of `kind`, failed or not, that took `duration_s` seconds."""
        histogram = self.by_kind.get((use_case, kind))
        if histogram is None:
            if len(self.by_kind) >= 3 * MAX_USE_CASES:
                use_case = OTHER
            histogram = self.by_kind.setdefault((use_case, kind), Histogram(BOUNDS_S))
        histogram.add(duration_s)
