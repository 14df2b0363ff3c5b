"""Halves of UTF-16 surrogate pairs, joined into characters or replaced by U+FFFD."""

from __future__ import annotations


def ends_with_high_surrogate(text: str) -> bool:
    """Return whether `text` ends with a high surrogate, the first half of a surrogate pair.

    A server that cuts its text by UTF-16 code units may cut a character in two, such as an emoji.
    """
    return "\ud800" <= text[-1:] <= "\udbff"


def join_surrogates(text: str) -> str:
    """Return `text` with surrogate pairs joined into characters, and lone surrogates replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def join_pieces(pieces: list[str], *, may_go_on: bool) -> tuple[str, str]:
    """Return the text of pieces, and a high surrogate at its end that waits for its other half.

    Args:
        pieces: Neighbouring pieces of one text, at least one.
        may_go_on: Whether more of the text may come; if not, no surrogate waits.
    """
    text = pieces[0] if len(pieces) == 1 else "".join(pieces)
    if text.isascii():
        return text, ""
    waiting = text[-1] if may_go_on and ends_with_high_surrogate(text) else ""
    return join_surrogates(text[: len(text) - len(waiting)]), waiting
