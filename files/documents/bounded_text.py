"""BoundedText: collects the text of a document up to a limit."""

from __future__ import annotations

MAX_PARTS = 500
"""Largest number of slides, sheets, or kinds of headers that are read."""


class TextFullError(Exception):
    """Raised when the text of a document exceeds the limit of its `BoundedText`."""


class BoundedText:
    """Text that is collected in pieces, up to a limit of characters."""

    def __init__(self, max_chars: int) -> None:
        self._left = max_chars
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Append a piece, cut at the limit.

        Raises:
            TextFullError: When the limit is exceeded.
        """
        self._pieces.append(piece[: self._left])
        self._left -= len(piece)
        if self._left < 0:
            raise TextFullError

    def __str__(self) -> str:
        return "".join(self._pieces).strip()
