"""Halves of characters: what UTF-16 cuts in two, joined again or replaced by U+FFFD."""

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
