"""RecentFailures: remembers files that could not be read, so that not every answer tries again."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_FAILURES = 1_000
FAILURE_LIFE_S = 600.0


class RecentFailures:
    """Set of keys that expire after `FAILURE_LIFE_S`, with at most `MAX_FAILURES` entries.

    Args:
        now: A clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._expires_at: dict[str, float] = {}

    def add(self, key: str) -> None:
        """Add the key of something that has failed."""
        self._expires_at.pop(key, None)
        self._expires_at[key] = self._now() + FAILURE_LIFE_S
        if len(self._expires_at) > MAX_FAILURES:
            del self._expires_at[next(iter(self._expires_at))]

    def __contains__(self, key: str) -> bool:
        return self._expires_at.get(key, 0.0) > self._now()
