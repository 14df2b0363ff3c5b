"""Finds the to-do that a person refers to: by id, by number, or by the words of its title."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from use_cases.todo.items import MAX_TITLE_CHARS, Todo

MAX_NEAR_MISSES = 5
MIN_PART_CHARS = 2
MIN_SIMILARITY = 0.5
"""Lowest similarity, 0 to 1, of the titles that are suggested when none matches."""

_QUOTES = "\"'“”‘’„«»` "

_STOP_WORDS = frozenset(
    (
        "a",
        "all",
        "an",
        "and",
        "at",
        "everything",
        "for",
        "from",
        "in",
        "it",
        "item",
        "my",
        "of",
        "on",
        "one",
        "task",
        "that",
        "the",
        "them",
        "thing",
        "this",
        "to",
        "to-do",
        "todo",
        "with",
    )
)
"""Words that do not identify a to-do: a query of these alone matches whole titles only."""


@dataclass(frozen=True, slots=True)
class Match:
    """The result of a search for the to-do that a person refers to.

    Attributes:
        todos: The to-dos that match; several when the query is ambiguous.
        near_misses: Similar to-dos, best first, when none matches.
    """

    todos: tuple[Todo, ...]
    near_misses: tuple[Todo, ...] = ()


def find_todo(items: Iterable[Todo], which: str, *, prefer_done: bool | None = None) -> Match:
    """Find the to-do that a person refers to.

    The query is compared with ids and numbers first, then with whole titles, their beginnings, parts of them, and most
    of their words, ignoring case and accents. The first comparison that matches anything decides.

    Args:
        items: The to-dos to search.
        which: An id, a number such as ``"#3"``, or words of the title.
        prefer_done: The state to prefer when several match; None keeps them all.
    """
    items = tuple(items)
    for item in items:
        if item.id == which.strip():
            return Match((item,))
    number = re.fullmatch(r"\s*(#|number\s+|no\.?\s+)?\s*(\d{1,9})\s*", which, re.IGNORECASE)
    if number:
        matches = tuple(item for item in items if item.number == int(number[2]))
        if matches or number[1]:
            return Match(matches)
    wanted = _normalize(which)
    if not wanted:
        return Match(())
    titles = [(item, _normalize(item.title)) for item in items]
    if exact := tuple(item for item, title in titles if title == wanted):
        return Match(_prefer_state(exact, prefer_done))
    if len(wanted) < MIN_PART_CHARS or not _significant_words(wanted):
        return Match(())
    parts = (
        lambda title: title.startswith(wanted),
        lambda title: f" {wanted}" in title,
        lambda title: wanted in title,
    )
    for fits in parts:
        if matches := tuple(item for item, title in titles if fits(title)):
            return Match(_prefer_state(matches, prefer_done))
    if matches := _find_by_words(titles, wanted):
        return Match(_prefer_state(matches, prefer_done))
    return Match((), _find_near_misses(titles, wanted))


def _normalize(text: str) -> str:
    """Return `text` for comparison, without case, accents, enclosing quotes and final punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(letters.split()).lstrip(_QUOTES).rstrip(_QUOTES + ".,;:!?…")


def _significant_words(plain: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w'-]+", plain)) - _STOP_WORDS


def _find_by_words(titles: Sequence[tuple[Todo, str]], wanted: str) -> tuple[Todo, ...]:
    """Return the to-dos that share most words with `wanted`, if they share more than half of them."""
    words = _significant_words(wanted)
    shared = [(item, len(words & _significant_words(title))) for item, title in titles]
    most = max((count for _, count in shared), default=0)
    if most * 2 <= len(words):
        return ()
    return tuple(item for item, count in shared if count == most)


def _find_near_misses(titles: Sequence[tuple[Todo, str]], wanted: str) -> tuple[Todo, ...]:
    words = _significant_words(wanted)
    likeness = difflib.SequenceMatcher(autojunk=False)
    likeness.set_seq2(wanted[:MAX_TITLE_CHARS])
    scored: list[tuple[float, Todo]] = []
    for item, title in titles:
        score = 1.0 if words & _significant_words(title) else 0.0
        likeness.set_seq1(title)
        # The exact ratio is slow for long titles; this upper bound rules out most of them.
        if likeness.quick_ratio() >= MIN_SIMILARITY:
            score += likeness.ratio()
        if score >= MIN_SIMILARITY:
            scored.append((score, item))
    scored.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(item for _, item in scored[:MAX_NEAR_MISSES])


def _prefer_state(matches: tuple[Todo, ...], prefer_done: bool | None) -> tuple[Todo, ...]:
    if prefer_done is None:
        return matches
    return tuple(item for item in matches if item.is_done is prefer_done) or matches
