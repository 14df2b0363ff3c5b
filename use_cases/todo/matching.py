"""Finds the to-do that a person means: by id or number, or by its title, however it is called."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from use_cases.todo.items import MAX_TITLE_CHARS, Todo

MAX_NEAR_MISSES = 5
MIN_PART_CHARS = 2
MIN_LIKENESS = 0.5
"""The least likeness, 0 to 1, of a title that is named as one that the person may have meant."""

_QUOTES = "\"'“”‘’„«»` "

_SMALL_WORDS = frozenset(
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
"""Words that name no to-do: without another word beside them, only the whole title fits."""


@dataclass(frozen=True, slots=True)
class Match:
    """The to-do that a person's words mean.

    Attributes:
        found: The to-dos that fit: one when it is clear, several when it is ambiguous.
        near: When nothing fits: what comes close, best first.
    """

    found: tuple[Todo, ...]
    near: tuple[Todo, ...] = ()


def find_todo(items: Iterable[Todo], which: str, *, prefer_done: bool | None = None) -> Match:
    """Find the to-do that a person means.

    An id or number comes first, then the whole title, its beginning, a part of it, and most of the words in it; case
    and accents do not count. The first of these that fits anything decides.

    Args:
        items: The to-dos to search.
        which: An id, a number such as ``"#3"``, or what the person calls it.
        prefer_done: Breaks ties: which state it is likely to be in; None leaves them open.
    """
    items = tuple(items)
    for item in items:
        if item.id == which.strip():
            return Match((item,))
    number = re.fullmatch(r"\s*(#|number\s+|no\.?\s+)?\s*(\d{1,9})\s*", which, re.IGNORECASE)
    if number:
        found = tuple(item for item in items if item.number == int(number[2]))
        if found or number[1]:
            return Match(found)
    wanted = _plain(which)
    if not wanted:
        return Match(())
    titles = [(item, _plain(item.title)) for item in items]
    if exact := tuple(item for item, title in titles if title == wanted):
        return Match(_of_state(exact, prefer_done))
    if len(wanted) < MIN_PART_CHARS or not _words(wanted):
        return Match(())
    parts = (
        lambda title: title.startswith(wanted),
        lambda title: f" {wanted}" in title,
        lambda title: wanted in title,
    )
    for fits in parts:
        if found := tuple(item for item, title in titles if fits(title)):
            return Match(_of_state(found, prefer_done))
    if found := _sharing_words(titles, wanted):
        return Match(_of_state(found, prefer_done))
    return Match((), _near_misses(titles, wanted))


def _plain(text: str) -> str:
    """Return `text` for comparison: without case, accents, quotes around it, and punctuation at its end."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(letters.split()).lstrip(_QUOTES).rstrip(_QUOTES + ".,;:!?…")


def _words(plain: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w'-]+", plain)) - _SMALL_WORDS


def _sharing_words(titles: Sequence[tuple[Todo, str]], wanted: str) -> tuple[Todo, ...]:
    """Return the to-dos that share most words with `wanted`, if they share more than half of them."""
    words = _words(wanted)
    shared = [(item, len(words & _words(title))) for item, title in titles]
    most = max((count for _, count in shared), default=0)
    if most * 2 <= len(words):
        return ()
    return tuple(item for item, count in shared if count == most)


def _near_misses(titles: Sequence[tuple[Todo, str]], wanted: str) -> tuple[Todo, ...]:
    words = _words(wanted)
    likeness = difflib.SequenceMatcher(autojunk=False)
    likeness.set_seq2(wanted[:MAX_TITLE_CHARS])
    scored: list[tuple[float, Todo]] = []
    for item, title in titles:
        score = 1.0 if words & _words(title) else 0.0
        likeness.set_seq1(title)
        # The cheap upper bound spares most titles the comparison, which takes long for long ones.
        if likeness.quick_ratio() >= MIN_LIKENESS:
            score += likeness.ratio()
        if score >= MIN_LIKENESS:
            scored.append((score, item))
    scored.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(item for _, item in scored[:MAX_NEAR_MISSES])


def _of_state(found: tuple[Todo, ...], prefer_done: bool | None) -> tuple[Todo, ...]:
    if prefer_done is None:
        return found
    return tuple(item for item in found if item.is_done is prefer_done) or found
