"""Names of files, cleaned: they are kept for people, and reach neither a path nor a header as they came."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from files.media_types import EXTENSIONS, extension_of

MAX_NAME_CHARS = 120
"""The longest name of a file: with four bytes for each character, it is still less than file systems take."""

MAX_EXTENSION_CHARS = 16
FALLBACK_NAME = "file"

_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Names of devices on Windows, with any extension.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³])(?:\.|$)", re.IGNORECASE)
# They join the letters of Persian and of Indian scripts, and pictures to one; elsewhere nobody sees them.
_JOINERS = "\u200c\u200d"
_EMOJI_STYLE = "\ufe0f"
# Source: The Unicode Standard 16.0, 23.2: cursive joining, and conjuncts of Indic scripts.
_JOINING_SCRIPTS = frozenset(
    {
        "ARABIC", "BENGALI", "DEVANAGARI", "GUJARATI", "GURMUKHI", "KANNADA", "KHMER", "MALAYALAM", "MANDAIC",
        "MONGOLIAN", "MYANMAR", "NKO", "ORIYA", "SINHALA", "SYRIAC", "TAMIL", "TELUGU",
    }
)  # fmt: skip
# Flags of parts of a country that Unicode recommends. In others, which look like a mere flag, a text can hide.
# Source: UTS 51, 2.6.3 and emoji-sequences.txt.
_TAGS = {ord(c): 0xE0000 + ord(c) for c in "abcdefghijklmnopqrstuvwxyz"}
_FLAGS = re.compile("|".join(f"\U0001f3f4{each.translate(_TAGS)}\U000e007f" for each in ("gbeng", "gbsct", "gbwls")))
_CUT_FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]+$")
_ENDS = f". {_JOINERS}"
_NOT_ASCII = re.compile(r"[^A-Za-z0-9._ ()+-]")


def clean_name(name: str) -> str:
    """Return a name without folders and without characters that mislead a reader or a system; never empty."""
    # The last part of a path of either system; NUL and what turns the direction of writing are of category C.
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    flags = {at for each in _FLAGS.finditer(last) for at in range(each.start(), each.end())}
    shown = (c for at, c in enumerate(last) if c.isspace() or at in flags or _is_shown(last, at))
    visible = "".join(" " if c.isspace() else c for c in shown)
    plain = _FORBIDDEN.sub("_", " ".join(visible.split())).strip(". ")
    if _DEVICES.match(plain):
        plain = f"_{plain}"
    return _shortened(plain) or FALLBACK_NAME


def named_as(name: str, media_type: str) -> str:
    """Return a clean name whose extension fits a type that is told from bytes: a picture is not called ``x.html``."""
    fitting = EXTENSIONS.get(media_type)
    if fitting is None or extension_of(name) in fitting:
        return name
    return f"{_shortened(name, MAX_NAME_CHARS - len(fitting[0]))}{fitting[0]}"


def content_disposition(name: str, *, is_inline: bool) -> str:
    """Return the header that names a file for a browser. Source: RFC 6266, 4 and RFC 8187, 3.2."""
    kind = "inline" if is_inline else "attachment"
    plain = _NOT_ASCII.sub("_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _is_shown(name: str, at: int) -> bool:
    if name[at] in _JOINERS:
        return 0 < at < len(name) - 1 and _is_joined(name[at - 1]) and _is_joined(name[at + 1])
    return unicodedata.category(name[at])[0] != "C"


def _is_joined(char: str) -> bool:
    """Return whether a joiner beside this changes what is seen; elsewhere it would only hide."""
    if unicodedata.category(char) in ("So", "Sk") or char == _EMOJI_STYLE:
        return True
    return unicodedata.name(char, "").partition(" ")[0] in _JOINING_SCRIPTS


def _shortened(name: str, size: int = MAX_NAME_CHARS) -> str:
    if len(name) <= size:
        return name
    extension = extension_of(name)
    if not 0 < len(extension) <= MAX_EXTENSION_CHARS:
        return _cut(name, size)
    return f"{_cut(name, size - len(extension))}{name[-len(extension) :]}"


def _cut(name: str, size: int) -> str:
    return _CUT_FLAG.sub("", name[:size]).rstrip(_ENDS)
