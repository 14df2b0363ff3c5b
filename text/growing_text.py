"""A text buffer that many small pieces are appended to, at little more than the size of the text."""

from __future__ import annotations

_MAX_LOOSE_PIECES = 16
"""How many pieces may wait to be joined: as a string object, a piece takes ten times the memory of its characters."""


class GrowingText:
    """A text that hundreds of small pieces are appended to, cheap in time and in memory.

    Appending to a `str` copies it each time; a list of the pieces, or `io.StringIO`, takes ten times the memory of the
    text, and an answer is kept in several places at once.

    Attributes:
        length: Number of characters.
    """

    __slots__ = ("_blocks", "_loose_pieces", "length")

    def __init__(self, text: str = "") -> None:
        self.length = len(text)
        self._blocks = [text]
        self._loose_pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Append `piece`."""
        self.length += len(piece)
        self._loose_pieces.append(piece)
        if len(self._loose_pieces) == _MAX_LOOSE_PIECES:
            blocks = self._blocks
            blocks.append("".join(self._loose_pieces))
            self._loose_pieces.clear()
            # Neighbours are merged once the newer is half as long as the older, so that a long text consists of a few
            # strings and is seldom copied.
            while len(blocks) > 1 and len(blocks[-2]) <= 2 * len(blocks[-1]):
                blocks[-2:] = ["".join(blocks[-2:])]

    def __str__(self) -> str:
        return "".join((*self._blocks, *self._loose_pieces))
