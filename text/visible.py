"""Removes invisible characters, and those that hide or reorder others, from texts of one line."""

from __future__ import annotations

import re

from text.blanks import is_blank

# Controls, directional marks and overrides (they reorder their neighbours), zero-width characters, fillers, lone
# surrogates. Scripts and emoji need the joiners U+200C and U+200D, one variation selector after a character, the
# fillers of old Korean syllables and the blank of braille, which are therefore not among them.
HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    r"\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    r"\U000e01f0-\U000e0fff"
)
"""Hidden characters, to be put into a character class of a regular expression."""

_VARIATION_SELECTORS = r"\ufe00-\ufe0f\U000e0100-\U000e01ef"
# A character takes one variation selector; a run of them can smuggle bytes that nobody sees.
_HIDDEN_RUN = re.compile(f"[{HIDDEN}]+|(?<=[{_VARIATION_SELECTORS}])[{_VARIATION_SELECTORS}]+")
_VISIBLE_FILLERS = "\u3164\uffa0"
_FLAG_EMOJI = re.compile("(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f)")


def one_visible_line(text: str) -> str:
    """Return `text` on one line without hidden characters; "" if it is blank."""
    if not text.isascii():
        # Flags such as England's are written with characters that are hidden anywhere else.
        parts = _FLAG_EMOJI.split(text)
        text = "".join(part if at % 2 else _HIDDEN_RUN.sub(_replacement, part) for at, part in enumerate(parts))
    else:
        text = _HIDDEN_RUN.sub(_replacement, text)
    line = " ".join(text.split())
    return "" if is_blank(line) else line


def _replacement(match: re.Match[str]) -> str:
    """Return a space for characters that separate words, and nothing for others."""
    return " " if any(char.isspace() or char in _VISIBLE_FILLERS for char in match[0]) else ""
