"""Texts cut to a maximum length."""

from __future__ import annotations


def shortened(text: str, limit: int) -> str:
    """Return `text`; a longer one is cut to `limit` characters, the ellipsis at its end included."""
    return text if len(text) <= limit else text[: limit - 2] + " …"
