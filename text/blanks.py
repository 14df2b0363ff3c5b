"""Blank texts: white space, and characters without a visible shape."""

from __future__ import annotations

import re

# Invisible characters that models and proxies put before an answer, or send instead of one: byte order marks, soft
# hyphens, joiners, directional marks, fillers and control characters. Python counts none of them as white space.
# Source: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt; also controls and the empty braille.
_INVISIBLE = (
    "\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e"
    "\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a"
    "\\U000e0000-\\U000e0fff"
)
_LEADING_BLANKS = re.compile(rf"[\s{_INVISIBLE}]*")
_VISIBLE_PART = re.compile(rf"[^\s{_INVISIBLE}](?:.*[^\s{_INVISIBLE}])?", re.DOTALL)


def count_leading_blanks(text: str) -> int:
    """Return how many characters at the beginning of `text` are blank."""
    match = _LEADING_BLANKS.match(text)
    return match.end() if match else 0


def strip_blanks(text: str) -> str:
    """Return `text` without the blank characters at its beginning and its end."""
    match = _VISIBLE_PART.search(text)
    return match.group() if match else ""


def is_blank(text: str) -> bool:
    """Return whether `text` has no visible character."""
    return count_leading_blanks(text) == len(text)
