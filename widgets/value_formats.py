"""Formats of texts in widgets: lengths and colours of CSS, dates, patterns, addresses of pictures.

Parlor's client ignores values that it does not understand. A value that may be valid is not reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache

from widgets.catalogue import load_catalogue
from widgets.findings import nearest
from widgets.patterns import explain_invalid_pattern

_UNITS = (
    "px|em|rem|ex|rex|ch|rch|cap|rcap|ic|ric|lh|rlh|[sld]?v(?:w|h|i|b|min|max)|cq(?:w|h|i|b|min|max)|cm|mm|q|in|pt|pc|%"
)
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_LENGTH = re.compile(rf"{_NUMBER}(?:{_UNITS})?", re.IGNORECASE)
_CSS_FUNCTIONS = frozenset(
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
"""The CSS functions that the client allows; others could load something."""
_CSS_WIDE_KEYWORDS = frozenset({"inherit", "initial", "unset", "revert", "revert-layer"})
_LENGTH_KEYWORDS = _CSS_WIDE_KEYWORDS | {
    "auto", "none", "min-content", "max-content", "fit-content", "stretch", "-webkit-fill-available", "-moz-available",
    "normal", "thin", "medium", "thick", "content",
}  # fmt: skip
_SAFE_CSS = re.compile(r"[\w\s#%.,()+*/-]+")
_MAX_CSS_CHARS = 300
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_WORD = re.compile(r"-?[a-z][a-z0-9-]*", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])", re.ASCII)

Problem = tuple[str, str | None]
"""A message that says what is wrong, and the nearest valid value."""


def check_format(text: str, name: str, tokens: str = "") -> Problem | None:
    """Return the problem with a text that should have the format `name`, e.g. ``length``; None if it is valid.

    Args:
        text: The text in the widget.
        name: The name of the format in the catalogue.
        tokens: The family of colours, for the format ``color``.
    """
    return _check_cached(text, name, tokens) if len(text) <= 2_000 else None


@lru_cache(maxsize=4096)
def _check_cached(text: str, name: str, tokens: str) -> Problem | None:
    if name == "color":
        return _check_color(text, tokens)
    return _FORMAT_CHECKS[name](text)


def parse_day(text: str) -> date | None:
    """Return the day of an ISO date or date-time as written, time zones ignored; None for any other text."""
    if not _DATE.match(text):
        return None
    try:
        # This validates the time too, if there is one.
        datetime.fromisoformat(text)
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _is_css_function(text: str) -> bool:
    """Return whether a text consists of functions that the client allows, with balanced parentheses."""
    names = re.findall(r"([\w-]*)\(", text)
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return bool(names) and depth == 0 and all(not name or name.lower() in _CSS_FUNCTIONS for name in names)


def _is_safe_css(text: str) -> bool:
    return len(text) <= _MAX_CSS_CHARS and _SAFE_CSS.fullmatch(text) is not None and "/*" not in text


def _is_length(text: str, words: frozenset[str] = _LENGTH_KEYWORDS) -> bool:
    return _LENGTH.fullmatch(text) is not None or text.lower() in words


def _check_length(text: str) -> Problem | None:
    word = text.strip()
    if _is_safe_css(text) and (_is_length(word) or _is_css_function(word)):
        if word.startswith("-") and _LENGTH.fullmatch(word) and re.search(r"[1-9]", word):
            return f"{text!r} is less than nothing", None
        return None
    return f"{text!r} is no CSS length, e.g. 12, '12px' or '50%'", nearest(word, _LENGTH_KEYWORDS)


def _check_spacing(text: str) -> Problem | None:
    words = text.split()
    if _is_safe_css(text) and (_is_css_function(text) or (1 <= len(words) <= 4 and all(map(_is_length, words)))):
        return None
    return f"{text!r} is no CSS length, e.g. 2, '8px' or '8px 16px'", None


def _check_flex(text: str) -> Problem | None:
    words = text.split()
    if _is_safe_css(text) and (_is_css_function(text) or (1 <= len(words) <= 3 and all(map(_is_length, words)))):
        return None
    return f"{text!r} is no CSS flex, e.g. 1, 'auto' or '1 1 0'", None


def _check_ratio(text: str) -> Problem | None:
    sides = [side.strip() for side in text.split("/")]
    numbers = [re.fullmatch(_NUMBER, side) for side in sides]
    if len(sides) <= 2 and all(numbers) and all(float(side) > 0 for side in sides):
        return None
    word = text.strip().lower()
    if word in _CSS_WIDE_KEYWORDS | {"auto"} or _is_css_function(text) or re.fullmatch(rf"auto\s+{_NUMBER}.*", word):
        return None
    return f"{text!r} is no ratio, e.g. 1.5 or '16 / 9'", None


def _check_color(text: str, tokens: str) -> Problem | None:
    word = text.strip()
    names = load_catalogue().colors[tokens]
    if word in names or word.lower() in names or _HEX.fullmatch(word) or re.fullmatch(r"alpha-\d{2}", word):
        return None
    if _is_safe_css(text) and _is_css_function(word):
        return None
    if _WORD.fullmatch(word) or word.startswith("#") or not word or not _is_safe_css(text):
        near = nearest(word, names)
        return f"{text!r} is no colour" + _hint(near), near
    return None


def _check_date(text: str) -> Problem | None:
    return None if parse_day(text.strip()) else (f"{text!r} is no ISO date, e.g. '2026-05-01'", None)


def _check_image(text: str) -> Problem | None:
    scheme = _SCHEME.match(text.strip())
    # The web layer replaces a `parlor-file` reference with an address.
    if scheme is None or scheme[1].lower() in ("http", "https", "blob", "parlor-file"):
        return None
    if re.match(r"data:image/[\w.+-]+[;,]", text.strip(), re.IGNORECASE):
        return None
    return f"a picture cannot be loaded from an address that begins with {scheme[0]!r}", None


def _check_pattern(text: str) -> Problem | None:
    problem = explain_invalid_pattern(text)
    return None if problem is None else (f"{text!r} {problem}", None)


def _hint(near: str | None) -> str:
    return f"; did you mean {near!r}?" if near else ""


_FORMAT_CHECKS: Mapping[str, Callable[[str], Problem | None]] = {
    "length": _check_length,
    "spacing": _check_spacing,
    "flex": _check_flex,
    "ratio": _check_ratio,
    "date": _check_date,
    "image": _check_image,
    "pattern": _check_pattern,
}
