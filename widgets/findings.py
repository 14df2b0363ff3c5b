"""Findings: mistakes in a widget, each with the exact place and the nearest right name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

Kind = Literal[
    "unknown_component", "unknown_prop", "wrong_value", "wrong_type", "out_of_range", "missing", "wrong_child",
    "wrong_root", "duplicate_id", "duplicate_key", "duplicate_name", "unnamed_field", "unknown_icon",
    "undeclared_action", "no_effect", "too_deep",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake in a widget.

    Attributes:
        path: The place, from the root on: ``Card.children[2].Row.children[0].Button.lable``.
        message: A sentence that says what is wrong and what would be right.
        kind: The kind of the mistake.
        nearest: The right name or value that is most similar to the wrong one; None without one.
    """

    path: str
    message: str
    kind: Kind
    nearest: str | None = None

    @property
    def severity(self) -> Literal["error", "warning"]:
        """How serious it is: with a warning all is drawn, but something does nothing."""
        return "warning" if self.kind in ("no_effect", "duplicate_key") else "error"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


_SYNONYMS = {
    "text": ("value", "label"),
    "title": ("value", "label"),
    "content": ("value", "children"),
    "items": ("options", "children"),
    "onClick": ("onClickAction",),
    "onChange": ("onChangeAction",),
    "onSubmit": ("onSubmitAction",),
    "action": ("onClickAction", "onChangeAction", "onSubmitAction"),
    "url": ("src",),
    "checked": ("defaultChecked",),
    "spacing": ("gap",),
    "Column": ("Col",),
    "Dropdown": ("Select",),
    "Date": ("DatePicker",),
    "Heading": ("Title",),
    "Paragraph": ("Text",),
    "Stack": ("Col",),
    "Link": ("Markdown",),
    "TextInput": ("Input",),
    "TextField": ("Input",),
}
"""Words of other toolkits that are spelled unlike ours."""


@lru_cache(maxsize=2048)
def _nearest(name: str, known: frozenset[str]) -> str | None:
    for synonym in _SYNONYMS.get(name, ()):
        if synonym in known:
            return synonym
    found, best = None, 0.6
    written = name[:64].lower()
    for each in sorted(known):
        matcher = SequenceMatcher(None, written, each.lower())
        if matcher.quick_ratio() > 0.4:
            # Most slips are behind the beginning of a word.
            alike = next((at for at, (a, b) in enumerate(zip(written, each.lower(), strict=False)) if a != b), 4)
            score = matcher.ratio() + 0.05 * alike
            if score > best:
                found, best = each, score
    return found


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `name`; None when none is."""
    return _nearest(name, frozenset(known))
