"""Sanitising of file names, which are shown to people and sent in headers, but never used as paths."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from files.media_types import EXTENSIONS, extension_of

MAX_NAME_CHARS = 120
"""Longest name of a file; even at four bytes per character it is within the limits of file systems."""

MAX_EXTENSION_CHARS = 16
FALLBACK_NAME = "file"

_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Reserved device names on Windows, with any extension.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³])(?:\.|$)", re.IGNORECASE)
# Zero-width joiners: needed in Persian, Indic scripts and emoji sequences, invisible anywhere else.
_JOINERS = "\u200c\u200d"
_EMOJI_STYLE = "\ufe0f"
# Source: The Unicode Standard 16.0, 23.2: cursive joining, and conjuncts of Indic scripts.
_JOINING_SCRIPTS = frozenset(
    {
        "ARABIC", "BENGALI", "DEVANAGARI", "GUJARATI", "GURMUKHI", "KANNADA", "KHMER", "MALAYALAM", "MANDAIC",
        "MONGOLIAN", "MYANMAR", "NKO", "ORIYA", "SINHALA", "SYRIAC", "TAMIL", "TELUGU",
    }
)  # fmt: skip
# The recommended subdivision flags. Any other tag sequence is displayed as a plain flag, and could hide text.
# Source: UTS 51, 2.6.3 and emoji-sequences.txt.
_TAGS = {ord(c): 0xE0000 + ord(c) for c in "abcdefghijklmnopqrstuvwxyz"}
_FLAGS = re.compile("|".join(f"\U0001f3f4{each.translate(_TAGS)}\U000e007f" for each in ("gbeng", "gbsct", "gbwls")))
_CUT_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]+$")
_STRIPPED_ENDS = f". {_JOINERS}"
_NOT_ASCII = re.compile(r"[^A-Za-z0-9._ ()+-]")


def clean_name(name: str) -> str:
    """Return a file name without folders, and without invisible, reserved or misleading characters; never empty."""
    # The last part of a POSIX or Windows path. NUL and bidirectional controls are of the category C.
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    flags = {at for each in _FLAGS.finditer(base) for at in range(each.start(), each.end())}
    kept = (c for at, c in enumerate(base) if c.isspace() or at in flags or _is_visible(base, at))
    visible = "".join(" " if c.isspace() else c for c in kept)
    plain = _FORBIDDEN.sub("_", " ".join(visible.split())).strip(". ")
    if _DEVICES.match(plain):
        plain = f"_{plain}"
    return _shorten(plain) or FALLBACK_NAME


def with_extension_for(name: str, media_type: str) -> str:
    """Return a name with an extension that matches the detected type, so that no picture is called ``x.html``."""
    extensions = EXTENSIONS.get(media_type)
    if extensions is None or extension_of(name) in extensions:
        return name
    return f"{_shorten(name, MAX_NAME_CHARS - len(extensions[0]))}{extensions[0]}"


def content_disposition(name: str, *, is_inline: bool) -> str:
    """Return the value of a `Content-Disposition` header. Source: RFC 6266, 4 and RFC 8187, 3.2."""
    kind = "inline" if is_inline else "attachment"
    plain = _NOT_ASCII.sub("_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _is_visible(name: str, at: int) -> bool:
    if name[at] in _JOINERS:
        return 0 < at < len(name) - 1 and _takes_joiner(name[at - 1]) and _takes_joiner(name[at + 1])
    return unicodedata.category(name[at])[0] != "C"


def _takes_joiner(char: str) -> bool:
    """Return whether a joiner next to this character has a visible effect."""
    if unicodedata.category(char) in ("So", "Sk") or char == _EMOJI_STYLE:
        return True
    return unicodedata.name(char, "").partition(" ")[0] in _JOINING_SCRIPTS


def _shorten(name: str, size: int = MAX_NAME_CHARS) -> str:
    if len(name) <= size:
        return name
    extension = extension_of(name)
    if not 0 < len(extension) <= MAX_EXTENSION_CHARS:
        return _truncate(name, size)
    return f"{_truncate(name, size - len(extension))}{name[-len(extension) :]}"


def _truncate(name: str, size: int) -> str:
    return _CUT_FLAG.sub("", name[:size]).rstrip(_STRIPPED_ENDS)
