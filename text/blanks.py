"""Blank texts: white space, and characters without a visible shape."""

from __future__ import annotations

import re

# Signs without a shape that models and proxies put before or in the place of an answer: byte order marks, soft hyphens,
# joiners, directions, fillers and control characters. Python counts none of them as white space.
# Source: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt; also controls and the empty braille.
_SHAPELESS = (
    "\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e"
    "\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a"
    "\\U000e0000-\\U000e0fff"
)
_LEADING = re.compile(rf"[\s{_SHAPELESS}]*")
_VISIBLE = re.compile(rf"[^\s{_SHAPELESS}](?:.*[^\s{_SHAPELESS}])?", re.DOTALL)


def leading_blanks(text: str) -> int:
    """Return how many characters at the beginning of `text` are blank."""
    found = _LEADING.match(text)
    return found.end() if found else 0


def without_blanks(text: str) -> str:
    """Return `text` from the first character that can be seen to the last."""
    found = _VISIBLE.search(text)
    return found.group() if found else ""


def is_blank(text: str) -> bool:
    """Return whether nothing of `text` can be seen."""
    return leading_blanks(text) == len(text)
