"""Formats of texts in widgets: lengths and colours of CSS, dates, patterns, addresses of pictures.

Parlor's client leaves out what it does not understand: such a value is a prop without effect. In doubt, a value passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache

from widgets.catalogue import load_catalogue
from widgets.findings import nearest
from widgets.patterns import explain_pattern

_UNITS = (
    "px|em|rem|ex|rex|ch|rch|cap|rcap|ic|ric|lh|rlh|[sld]?v(?:w|h|i|b|min|max)|cq(?:w|h|i|b|min|max)|cm|mm|q|in|pt|pc|%"
)
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_LENGTH = re.compile(rf"{_NUMBER}(?:{_UNITS})?", re.IGNORECASE)
_FUNCTIONS = frozenset(
    {
        "rgb",
        "rgba",
        "hsl",
        "hsla",
        "hwb",
        "lab",
        "lch",
        "oklab",
        "oklch",
        "color",
        "color-mix",
        "light-dark",
        "linear-gradient",
        "radial-gradient",
        "conic-gradient",
        "repeating-linear-gradient",
        "repeating-radial-gradient",
        "repeating-conic-gradient",
        "calc",
        "min",
        "max",
        "clamp",
        "var",
        "fit-content",
        "minmax",
    }
)
"""The functions that the client lets through; others could load something."""
_WIDE_WORDS = frozenset({"inherit", "initial", "unset", "revert", "revert-layer"})
_LENGTH_WORDS = _WIDE_WORDS | {
    "auto", "none", "min-content", "max-content", "fit-content", "stretch", "-webkit-fill-available", "-moz-available",
    "normal", "thin", "medium", "thick", "content",
}  # fmt: skip
_SAFE = re.compile(r"[\w\s#%.,()+*/-]+")
_MAX_CSS_CHARS = 300
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_WORD = re.compile(r"-?[a-z][a-z0-9-]*", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])", re.ASCII)

Problem = tuple[str, str | None]
"""A sentence that says what is wrong, and the nearest right value."""


def check_format(text: str, name: str, tokens: str = "") -> Problem | None:
    """Return the problem with a text that should have the format `name`, e.g. ``length``; None without one.

    Args:
        text: The text in the widget.
        name: The format, as the catalogue calls it.
        tokens: The family of colours, where the format is one.
    """
    return _check(text, name, tokens) if len(text) <= 2_000 else None


@lru_cache(maxsize=4096)
def _check(text: str, name: str, tokens: str) -> Problem | None:
    if name == "color":
        return _color(text, tokens)
    return _FORMATS[name](text)


def parse_day(text: str) -> date | None:
    """Return the day of an ISO date or date-time as it is written; None when it is neither."""
    if not _DATE.match(text):
        return None
    try:
        # A time may be followed by a zone, which moves no day.
        datetime.fromisoformat(text)
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _is_function(text: str) -> bool:
    """Say whether a text is made of functions that the client lets through, with brackets that close."""
    names = re.findall(r"([\w-]*)\(", text)
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return bool(names) and depth == 0 and all(not name or name.lower() in _FUNCTIONS for name in names)


def _is_safe(text: str) -> bool:
    return len(text) <= _MAX_CSS_CHARS and _SAFE.fullmatch(text) is not None and "/*" not in text


def _is_one_length(text: str, words: frozenset[str] = _LENGTH_WORDS) -> bool:
    return _LENGTH.fullmatch(text) is not None or text.lower() in words


def _length(text: str) -> Problem | None:
    word = text.strip()
    if _is_safe(text) and (_is_one_length(word) or _is_function(word)):
        if word.startswith("-") and _LENGTH.fullmatch(word) and re.search(r"[1-9]", word):
            return f"{text!r} is less than nothing", None
        return None
    return f"{text!r} is no CSS length, e.g. 12, '12px' or '50%'", nearest(word, _LENGTH_WORDS)


def _spacing(text: str) -> Problem | None:
    words = text.split()
    if _is_safe(text) and (_is_function(text) or (1 <= len(words) <= 4 and all(map(_is_one_length, words)))):
        return None
    return f"{text!r} is no CSS length, e.g. 2, '8px' or '8px 16px'", None


def _flex(text: str) -> Problem | None:
    words = text.split()
    if _is_safe(text) and (_is_function(text) or (1 <= len(words) <= 3 and all(map(_is_one_length, words)))):
        return None
    return f"{text!r} is no CSS flex, e.g. 1, 'auto' or '1 1 0'", None


def _ratio(text: str) -> Problem | None:
    sides = [side.strip() for side in text.split("/")]
    numbers = [re.fullmatch(_NUMBER, side) for side in sides]
    if len(sides) <= 2 and all(numbers) and all(float(side) > 0 for side in sides):
        return None
    word = text.strip().lower()
    if word in _WIDE_WORDS | {"auto"} or _is_function(text) or re.fullmatch(rf"auto\s+{_NUMBER}.*", word):
        return None
    return f"{text!r} is no ratio, e.g. 1.5 or '16 / 9'", None


def _color(text: str, tokens: str) -> Problem | None:
    word = text.strip()
    names = load_catalogue().colors[tokens]
    if word in names or word.lower() in names or _HEX.fullmatch(word) or re.fullmatch(r"alpha-\d{2}", word):
        return None
    if _is_safe(text) and _is_function(word):
        return None
    if _WORD.fullmatch(word) or word.startswith("#") or not word or not _is_safe(text):
        near = nearest(word, names)
        return f"{text!r} is no colour" + _hint(near), near
    return None


def _date(text: str) -> Problem | None:
    return None if parse_day(text.strip()) else (f"{text!r} is no ISO date, e.g. '2026-05-01'", None)


def _image(text: str) -> Problem | None:
    scheme = _SCHEME.match(text.strip())
    # Of a mark for a file of ours the edge makes an address.
    if scheme is None or scheme[1].lower() in ("http", "https", "blob", "parlor-file"):
        return None
    if re.match(r"data:image/[\w.+-]+[;,]", text.strip(), re.IGNORECASE):
        return None
    return f"a picture cannot be loaded from an address that begins with {scheme[0]!r}", None


def _pattern(text: str) -> Problem | None:
    problem = explain_pattern(text)
    return None if problem is None else (f"{text!r} {problem}", None)


def _hint(near: str | None) -> str:
    return f"; did you mean {near!r}?" if near else ""


_FORMATS: Mapping[str, Callable[[str], Problem | None]] = {
    "length": _length,
    "spacing": _spacing,
    "flex": _flex,
    "ratio": _ratio,
    "date": _date,
    "image": _image,
    "pattern": _pattern,
}
