"""Memory of recent failures, so that a file that could not be read in time is not tried again in each answer."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_FAILURES = 1_000
FAILURE_LIFE_S = 600.0


class RecentFailures:
    """Keys of what has failed in the last ten minutes; at most a thousand.

    Args:
        now: A clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ends: dict[str, float] = {}

    def add(self, key: str) -> None:
        """Remember that something has failed."""
        self._ends.pop(key, None)
        self._ends[key] = self._now() + FAILURE_LIFE_S
        if len(self._ends) > MAX_FAILURES:
            del self._ends[next(iter(self._ends))]

    def __contains__(self, key: str) -> bool:
        return self._ends.get(key, 0.0) > self._now()
