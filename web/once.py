"""Once: remembers what was logged already, within a bound."""

from __future__ import annotations


class Once:
    """Tells what is new from what was there before.

    Args:
        most: How many different things are told apart; whatever comes after that is not new.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()

    def is_new(self, what: str) -> bool:
        """Return whether `what` is asked about for the first time."""
        if what in self._seen or len(self._seen) >= self._most:
            return False
        self._seen.add(what)
        return True
