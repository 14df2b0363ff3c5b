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
        path: The path from the root: ``Card.children[2].Row.children[0].Button.lable``.
        message: A sentence that says what is wrong and how to correct it.
        kind: The kind of the mistake.
        nearest: The valid name or value that is most similar to the wrong one; None if none is similar.
    """

    path: str
    message: str
    kind: Kind
    nearest: str | None = None

    @property
    def severity(self) -> Literal["error", "warning"]:
        """The severity: with a warning the whole widget is drawn, but a part of it has no effect."""
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
"""Names that other toolkits use for our components and props, where the spelling alone would not match."""


@lru_cache(maxsize=2048)
def _find_nearest(name: str, known: frozenset[str]) -> str | None:
    for synonym in _SYNONYMS.get(name, ()):
        if synonym in known:
            return synonym
    best, best_score = None, 0.6
    lowered = name[:64].lower()
    for candidate in sorted(known):
        matcher = SequenceMatcher(None, lowered, candidate.lower())
        if matcher.quick_ratio() > 0.4:
            # The first letters of a misspelled word are usually right, so that a common prefix counts extra.
            pairs = zip(lowered, candidate.lower(), strict=False)
            prefix_length = next((at for at, (a, b) in enumerate(pairs) if a != b), 4)
            score = matcher.ratio() + 0.05 * prefix_length
            if score > best_score:
                best, best_score = candidate, score
    return best


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to `name`; None if none is similar enough."""
    return _find_nearest(name, frozenset(known))
