"""Lines that show all that they hold: what hides characters, or turns them, is taken out."""

from __future__ import annotations

import re

from text.blanks import is_blank

# Controls, marks and overrides of the direction (they swap what stands beside them), characters without a width, halves
# of surrogate pairs. Not the two joiners U+200C and U+200D and the variation selectors: scripts and emoji need them.
HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f"
)
"""Characters of a regular expression's class: those that hide or change something and show nothing."""

_HIDDEN = re.compile(f"[{HIDDEN}]+")
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
    """Return a blank in the place of what separates words, and nothing for what stands within one."""
    return " " if any(char.isspace() for char in match[0]) else ""
