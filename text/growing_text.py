"""A text that grows by hundreds of small pieces, kept hardly larger than the text itself."""

from __future__ import annotations

_LOOSE_PIECES = 16
"""Most pieces that are kept as they came: each is ten times what it says, and an answer is kept in several places."""


class GrowingText:
    """A text that grows by hundreds of small pieces: hardly larger than the text, and cheap to add to.

    A string that is added to is copied each time, and a list, or `io.StringIO`, keeps ten times the text.

    Attributes:
        length: In characters.
    """

    __slots__ = ("_joined", "_loose", "length")

    def __init__(self, text: str = "") -> None:
        self.length = len(text)
        self._joined = [text]
        self._loose: list[str] = []

    def add(self, piece: str) -> None:
        """Put `piece` at the end."""
        self.length += len(piece)
        self._loose.append(piece)
        if len(self._loose) == _LOOSE_PIECES:
            joined = self._joined
            joined.append("".join(self._loose))
            self._loose.clear()
            # Each is copied when it has doubled, so that a long text is a few strings and is seldom copied.
            while len(joined) > 1 and len(joined[-2]) <= 2 * len(joined[-1]):
                joined[-2:] = ["".join(joined[-2:])]

    def __str__(self) -> str:
        return "".join((*self._joined, *self._loose))
