"""Texts cut to a length, with a mark that they were."""

from __future__ import annotations


def shortened(text: str, limit: int) -> str:
    """Return `text`, cut to at most `limit` characters with a mark that it was."""
    return text if len(text) <= limit else text[: limit - 2] + " …"
