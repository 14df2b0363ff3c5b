"""Times of the store's transactions, by use case: what operators look at when answers are slow to begin."""

from __future__ import annotations

from turns.histogram import Histogram

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
MAX_USE_CASES = 200
OTHER = "other"
"""Name under which use cases are counted beyond `MAX_USE_CASES`."""


class TransactionTimes:
    """How long the transactions of this process took, with their wait for a connection, by use case and kind.

    Attributes:
        by_kind: Times by use case and ``read``, ``write`` or ``delete``.
    """

    def __init__(self) -> None:
        self.by_kind: dict[tuple[str, str], Histogram] = {}

    def add(self, use_case: str, kind: str, duration_s: float) -> None:
        """Count a transaction of `kind`, failed or not, that took `duration_s` seconds."""
        known = self.by_kind.get((use_case, kind))
        if known is None:
            if len(self.by_kind) >= 3 * MAX_USE_CASES:
                use_case = OTHER
            known = self.by_kind.setdefault((use_case, kind), Histogram(BOUNDS_S))
        known.add(duration_s)
