"""Numbers of list items, which documents do not contain as text: they are counted as word processors do.

Source: ECMA-376, 17.9 for documents, 21.1.2.4.1 for presentations.
"""

from __future__ import annotations

import re
from typing import Any

from files.documents.parts import attribute, parse_number

MAX_LEVELS = 9
MAX_NUMBER = 30_000
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_SCHEMES = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
_PLACEHOLDER = re.compile(r"%([1-9])")
BULLET = "-"


def format_number(count: int, form: str) -> str:
    """Return a number in a format of ECMA-376; in digits for the formats of other alphabets."""
    match form:
        case "lowerLetter" | "upperLetter" if count > 0:
            # After z comes aa, then bb.
            text = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        case "lowerRoman" | "upperRoman":
            text, rest = "", count
            for unit, digits in _ROMAN:
                text += digits * (rest // unit)
                rest %= unit
        case "decimalZero":
            text = f"{count:02}"
        case _:
            text = str(count)
    return text.upper() if form.startswith("upper") else text


class _Level:
    """Definition of a list level: the format of its numbers, the text around them, and the first number."""

    def __init__(self, element: Any) -> None:
        def child_value(name: str) -> str | None:
            return next((attribute(each) for each in element.iterfind(f"{{*}}{name}")), None)

        self.start = parse_number(child_value("start"), 1 if child_value("start") is None else 0, MAX_NUMBER)
        self.form = child_value("numFmt") or "decimal"
        self.text = child_value("lvlText") or ""
        self.restarts_below = parse_number(child_value("lvlRestart"), MAX_LEVELS, MAX_LEVELS)
        self.is_digits = element.find("{*}isLgl") is not None
        self.style = child_value("pStyle")


class Numbering:
    """Counters of all lists of a document, set up from its list definitions."""

    def __init__(self, root: Any | None) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._counters: dict[str, dict[int, int]] = {}
        self._shared: dict[str, dict[int, int]] = {}
        """Counters by definition: lists of one definition continue each other's numbers, unless one restarts them."""
        self.level_of_style: dict[tuple[str, str], int] = {}
        if root is None:
            return
        abstract = {attribute(each, "abstractNumId"): each for each in root.iterfind("{*}abstractNum")}
        for each in root.iterfind("{*}num"):
            self._define(attribute(each, "numId") or "", each, abstract)

    def _define(self, list_id: str, element: Any, abstract: dict[str | None, Any]) -> None:
        definition = next((attribute(each) for each in element.iterfind("{*}abstractNumId")), None)
        levels = {
            parse_number(attribute(each, "ilvl"), 0, MAX_LEVELS): _Level(each)
            for each in (abstract[definition].iterfind("{*}lvl") if definition in abstract else ())
        }
        is_own = False
        for each in element.iterfind("{*}lvlOverride"):
            level = parse_number(attribute(each, "ilvl"), 0, MAX_LEVELS)
            for override in each.iterfind("{*}lvl"):
                levels[level] = _Level(override)
            for start in each.iterfind("{*}startOverride"):
                is_own = True
                if level in levels:
                    levels[level].start = parse_number(attribute(start), 1, MAX_NUMBER)
        self._levels[list_id] = levels
        self._counters[list_id] = {} if is_own else self._shared.setdefault(str(definition), {})
        for level, each in levels.items():
            if each.style is not None:
                self.level_of_style[list_id, each.style] = level

    def next_label(self, list_id: str, level: int) -> str:
        """Return the label of the next item of a list: its number, or a dash."""
        levels = self._levels.get(list_id, {})
        here = levels.get(level)
        if here is None:
            return BULLET
        counters = self._counters[list_id]
        counters[level] = min(counters[level] + 1, MAX_NUMBER) if level in counters else here.start
        for deeper in [each for each in counters if each > level]:
            if (below := levels.get(deeper)) is None or level < below.restarts_below:
                del counters[deeper]
        if here.form in ("bullet", "none") and not _PLACEHOLDER.search(here.text):
            return BULLET if here.form == "bullet" else here.text

        def fill_placeholder(placeholder: re.Match[str]) -> str:
            at = int(placeholder[1]) - 1
            other = levels.get(at)
            if other is None or other.form in ("bullet", "none"):
                return ""
            return format_number(counters.get(at, other.start), "decimal" if here.is_digits else other.form)

        return _PLACEHOLDER.sub(fill_placeholder, here.text)


class AutoNumbers:
    """Counters of the numbered paragraphs in a text body of a slide."""

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._forms: dict[int, str] = {}

    def next_number(self, paragraph: Any, level: int) -> str:
        """Return the number of a paragraph; empty when it has none."""
        numbering = next(iter(paragraph.iterfind("{*}pPr/{*}buAutoNum")), None)
        del self._counts[level + 1 :]
        if numbering is None:
            del self._counts[level:]
            return ""
        scheme = attribute(numbering, "type") or "arabicPeriod"
        if len(self._counts) <= level or self._forms.get(level) != scheme:
            del self._counts[level:]
            self._counts += [0] * (level - len(self._counts))
            self._counts.append(parse_number(attribute(numbering, "startAt"), 1, MAX_NUMBER) - 1)
        self._forms[level] = scheme
        self._counts[level] += 1
        form = next((form for kind, form in _SCHEMES.items() if scheme.startswith(kind)), "decimal")
        text = format_number(self._counts[level], form)
        if scheme.endswith("ParenBoth"):
            return f"({text})"
        return f"{text}{')' if scheme.endswith('ParenR') else '' if scheme.endswith('Plain') else '.'}"
