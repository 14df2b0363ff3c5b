"""Text of a document, which grows up to a bound."""

from __future__ import annotations

MAX_PARTS = 500
"""How many slides, sheets, or kinds of headers are told."""


class FullError(Exception):
    """There is as much text as is wanted."""


class Text:
    """Text that grows up to a bound."""

    def __init__(self, max_chars: int) -> None:
        self._left = max_chars
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Add a piece.

        Raises:
            FullError: When there is more than is wanted.
        """
        self._pieces.append(piece[: self._left])
        self._left -= len(piece)
        if self._left < 0:
            raise FullError

    def __str__(self) -> str:
        return "".join(self._pieces).strip()
