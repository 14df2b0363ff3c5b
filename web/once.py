"""Once: remembers which warnings have been logged, up to a limit."""

from __future__ import annotations


class Once:
    """Bounded set that tells whether an item is seen for the first time.

    Args:
        max_items: Number of items that are remembered; beyond it every item counts as seen.
    """

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._seen: set[str] = set()

    def is_new(self, item: str) -> bool:
        """Return whether `item` is seen for the first time, and remember it."""
        if item in self._seen or len(self._seen) >= self._max_items:
            return False
        self._seen.add(item)
        return True
