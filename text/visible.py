"""Removes characters that are invisible, or that hide or reorder others, from texts of one line."""

from __future__ import annotations

import re

from text.blanks import is_blank

# Controls, marks and overrides of the direction (they swap what stands beside them), characters without a width,
# fillers, halves of surrogate pairs. Not the two joiners U+200C and U+200D, one variation selector after a sign, the
# fillers of old Korean syllables and the blank of braille: scripts and emoji need them.
HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    r"\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    r"\U000e01f0-\U000e0fff"
)
"""Characters of a regular expression's class: those that hide or change something and show nothing."""

_SELECTORS = r"\ufe00-\ufe0f\U000e0100-\U000e01ef"
# Each sign takes one variation selector; a row of them carries bytes that nobody sees.
_HIDDEN = re.compile(f"[{HIDDEN}]+|(?<=[{_SELECTORS}])[{_SELECTORS}]+")
_WIDE = "\u3164\uffa0"
_FLAG = re.compile("(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f)")


def one_visible_line(text: str) -> str:
    """Return `text` on one line, without what hides or turns it; "" where it is blank."""
    if not text.isascii():
        # England's flag and its like are written with characters that hide things elsewhere.
        text = "".join(part if at % 2 else _HIDDEN.sub(_gap, part) for at, part in enumerate(_FLAG.split(text)))
    else:
        text = _HIDDEN.sub(_gap, text)
    line = " ".join(text.split())
    return "" if is_blank(line) else line


def _gap(match: re.Match[str]) -> str:
    """Return a blank for a character that separates words, and nothing for one within a word."""
    return " " if any(char.isspace() or char in _WIDE for char in match[0]) else ""
