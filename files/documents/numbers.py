"""Numbers of numbered lists, which documents do not contain as text: counted as word processors count them.

Source: ECMA-376, 17.9 for documents, 21.1.2.4.1 for presentations.
"""

from __future__ import annotations

import re
from typing import Any

from files.documents.parts import number, value

MAX_LEVELS = 9
MAX_NUMBER = 30_000
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_SCHEMES = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
_PLACE = re.compile(r"%([1-9])")
BULLET = "-"


def numeral(count: int, form: str) -> str:
    """Return a number in one of the forms of ECMA-376; in digits where it is one of an alphabet not known here."""
    match form:
        case "lowerLetter" | "upperLetter" if count > 0:
            # After z comes aa, then bb.
            text = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        case "lowerRoman" | "upperRoman":
            text, left = "", count
            for each, sign in _ROMAN:
                text += sign * (left // each)
                left %= each
        case "decimalZero":
            text = f"{count:02}"
        case _:
            text = str(count)
    return text.upper() if form.startswith("upper") else text


class _Level:
    """A level of a list as it is defined: its form, what stands around its number, and where it begins."""

    def __init__(self, element: Any) -> None:
        def said(name: str) -> str | None:
            return next((value(each) for each in element.iterfind(f"{{*}}{name}")), None)

        self.start = number(said("start"), 1 if said("start") is None else 0, MAX_NUMBER)
        self.form = said("numFmt") or "decimal"
        self.text = said("lvlText") or ""
        self.restarts_below = number(said("lvlRestart"), MAX_LEVELS, MAX_LEVELS)
        self.is_digits = element.find("{*}isLgl") is not None
        self.style = said("pStyle")


class Numbering:
    """Counters of all lists of a document, from its definitions of them."""

    def __init__(self, root: Any | None) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._counters: dict[str, dict[int, int]] = {}
        self._shared: dict[str, dict[int, int]] = {}
        """Counters by definition: its lists continue one another's numbers, except those that restart them."""
        self.level_of_style: dict[tuple[str, str], int] = {}
        if root is None:
            return
        abstract = {value(each, "abstractNumId"): each for each in root.iterfind("{*}abstractNum")}
        for each in root.iterfind("{*}num"):
            self._define(value(each, "numId") or "", each, abstract)

    def _define(self, list_id: str, element: Any, abstract: dict[str | None, Any]) -> None:
        definition = next((value(each) for each in element.iterfind("{*}abstractNumId")), None)
        levels = {
            number(value(each, "ilvl"), 0, MAX_LEVELS): _Level(each)
            for each in (abstract[definition].iterfind("{*}lvl") if definition in abstract else ())
        }
        is_own = False
        for each in element.iterfind("{*}lvlOverride"):
            level = number(value(each, "ilvl"), 0, MAX_LEVELS)
            for override in each.iterfind("{*}lvl"):
                levels[level] = _Level(override)
            for start in each.iterfind("{*}startOverride"):
                is_own = True
                if level in levels:
                    levels[level].start = number(value(start), 1, MAX_NUMBER)
        self._levels[list_id] = levels
        self._counters[list_id] = {} if is_own else self._shared.setdefault(str(definition), {})
        for level, each in levels.items():
            if each.style is not None:
                self.level_of_style[list_id, each.style] = level

    def next(self, list_id: str, level: int) -> str:
        """Return the mark of the next point of a list: its number, or a dash."""
        levels = self._levels.get(list_id, {})
        here = levels.get(level)
        if here is None:
            return BULLET
        counters = self._counters[list_id]
        counters[level] = min(counters[level] + 1, MAX_NUMBER) if level in counters else here.start
        for deeper in [each for each in counters if each > level]:
            if (below := levels.get(deeper)) is None or level < below.restarts_below:
                del counters[deeper]
        if here.form in ("bullet", "none") and not _PLACE.search(here.text):
            return BULLET if here.form == "bullet" else here.text

        def shown(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            other = levels.get(at)
            if other is None or other.form in ("bullet", "none"):
                return ""
            return numeral(counters.get(at, other.start), "decimal" if here.is_digits else other.form)

        return _PLACE.sub(shown, here.text)


class AutoNumbers:
    """Counters of the numbered paragraphs of a text on a slide."""

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._forms: dict[int, str] = {}

    def next(self, paragraph: Any, level: int) -> str:
        """Return the number of a paragraph; empty when it has none."""
        found = next(iter(paragraph.iterfind("{*}pPr/{*}buAutoNum")), None)
        del self._counts[level + 1 :]
        if found is None:
            del self._counts[level:]
            return ""
        scheme = value(found, "type") or "arabicPeriod"
        if len(self._counts) <= level or self._forms.get(level) != scheme:
            del self._counts[level:]
            self._counts += [0] * (level - len(self._counts))
            self._counts.append(number(value(found, "startAt"), 1, MAX_NUMBER) - 1)
        self._forms[level] = scheme
        self._counts[level] += 1
        form = next((form for kind, form in _SCHEMES.items() if scheme.startswith(kind)), "decimal")
        text = numeral(self._counts[level], form)
        if scheme.endswith("ParenBoth"):
            return f"({text})"
        return f"{text}{')' if scheme.endswith('ParenR') else '' if scheme.endswith('Plain') else '.'}"
