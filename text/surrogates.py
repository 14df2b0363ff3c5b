"""Halves of UTF-16 surrogate pairs, joined into characters or replaced by U+FFFD."""

from __future__ import annotations


def ends_in_half(text: str) -> bool:
    """Say whether `text` ends with the first half of a surrogate pair.

    A server that cuts its text by UTF-16 units may cut a character in two, such as an emoji.
    """
    return "\ud800" <= text[-1:] <= "\udbff"


def joined_halves(text: str) -> str:
    """Return `text` with the halves of surrogate pairs joined, and those that are alone as U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def join_pieces(pieces: list[str], *, may_go_on: bool) -> tuple[str, str]:
    """Return the text of pieces, and half a character at its end that waits for the other half.

    Args:
        pieces: Neighbouring pieces of one text; one at least.
        may_go_on: Whether more of the text may come; if not, nothing waits.
    """
    text = pieces[0] if len(pieces) == 1 else "".join(pieces)
    if text.isascii():
        return text, ""
    rest = text[-1] if may_go_on and ends_in_half(text) else ""
    return joined_halves(text[: len(text) - len(rest)]), rest
