"""Tags that models put around their thoughts and answers, found in a text that is still arriving."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

Role = Literal["opens_thought", "closes_thought", "opens_answer", "closes_answer", "wraps_answer"]
"""The role of a tag; one that ``wraps_answer`` opens an answer only if a thought came before it."""

_THOUGHT_WORDS = ("think", "thinking", "thought", "thoughts", "reasoning")

# Tags in the form of an XML element, perhaps with a namespace, a longer name or attributes: <think>,
# <seed:think time="3">, <inner_thoughts>, <think_fast>.
_ELEMENT_WORDS = "|".join(
    sorted((*_THOUGHT_WORDS, "reason", "antthinking", "scratchpad", "monologue", "cot"), key=len, reverse=True)
)
_NAME = rf"(?:[a-z][a-z0-9]{{0,15}}[:_-]){{0,2}}(?P<word>{_ELEMENT_WORDS})(?:[_-][a-z0-9_-]{{1,48}})?"
_ELEMENT = re.compile(rf"<(?P<end>/?)\s{{0,3}}{_NAME}(?:\s[^<>]{{0,120}}?)?(?P<empty>/?)\s{{0,3}}>", re.IGNORECASE)
_PARTIAL_ELEMENT = re.compile(
    rf"<(?:/\s{{0,3}})?(?:[a-z][a-z0-9:_-]{{0,80}}|{_NAME}\s[^<>]{{0,120}}/?\s{{0,3}})?/?\Z", re.IGNORECASE
)

_TagTable = tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]

_ANALYSIS_OPENERS = ("<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>analysis<|message|>")
_FINAL_OPENERS = tuple(
    f"{start}<|channel|>{channel}<|message|>"
    for start, channel in product(("", "<|start|>assistant"), ("final", "commentary"))
)

# Family, opening and closing tags of thoughts that have a fixed form: those of Cohere, Bespoke and OpenThinker; of
# Magistral, Kimi, MedGemma and Gemma; and the channels that the gpt-oss models leak.
_THOUGHT_TAGS: _TagTable = (
    *(
        (
            f"|{word}|",
            tuple(f"<|{begin}{word}|>" for begin in ("", "start_", "begin_", "start_of_", "begin_of_")),
            tuple(f"<|{end}{word}|>" for end in ("/", "end_", "end_of_")),
        )
        for word in _THOUGHT_WORDS
    ),
    ("[think]", ("[think]",), ("[/think]",)),
    ("◁think▷", ("◁think▷",), ("◁/think▷",)),
    ("<unused94>", ("<unused94>thought\n", "<unused94>"), ("<unused95>",)),
    ("<|channel>", ("<|channel>thought\n", "<|channel>thought"), ("<channel|>",)),
    ("analysis", _ANALYSIS_OPENERS, ("<|end|>",)),
)
# Tags that the same models put around their answer.
_ANSWER_TAGS: _TagTable = (
    ("final", _FINAL_OPENERS, ("<|end|>", "<|return|>")),
    ("response", ("<|start_response|>",), ("<|end_response|>",)),
    ("solution", ("<|begin_of_solution|>",), ("<|end_of_solution|>",)),
)


def _collect_literal_roles() -> dict[str, list[tuple[Role, str]]]:
    """Return the roles of each tag of a fixed form, each role with its family."""
    # <answer> is Hunyuan's. An answer, or a thought, may well contain such a tag of its own.
    roles: dict[str, list[tuple[Role, str]]] = {
        "<answer>": [("wraps_answer", "answer")],
        "</answer>": [("closes_answer", "answer")],
    }
    tables: tuple[tuple[_TagTable, Role, Role], ...] = (
        (_THOUGHT_TAGS, "opens_thought", "closes_thought"),
        (_ANSWER_TAGS, "opens_answer", "closes_answer"),
    )
    for table, opens, closes in tables:
        for family, openers, closers in table:
            for tag in openers:
                roles.setdefault(tag, []).append((opens, family))
            for tag in closers:
                roles.setdefault(tag, []).append((closes, family))
    return roles


_LITERAL_ROLES = _collect_literal_roles()
_LITERAL = re.compile("|".join(re.escape(tag) for tag in sorted(_LITERAL_ROLES, key=len, reverse=True)), re.IGNORECASE)

_LITERAL_PREFIXES = frozenset(tag[:length] for tag in _LITERAL_ROLES for length in range(1, len(tag)))

MAX_TAG_CHARS = 180

_TAG_START = re.compile(r"[<\[◁]")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag in a text.

    Attributes:
        start: The index of the tag's first character.
        end: The index of the first character after the tag.
        roles: The roles of the tag, each with its family: a tag may close a thought of one model and another's answer.
        is_empty: Whether the tag opens and closes a thought at once.
    """

    start: int
    end: int
    roles: tuple[tuple[Role, str], ...]
    is_empty: bool = False

    def family(self, *roles: Role) -> str | None:
        """Return the family in which the tag has one of `roles`, or None."""
        return next((family for role, family in self.roles if role in roles), None)


def tag_at(text: str, start: int) -> Tag | None:
    """Return the tag that begins at `start`, or None."""
    if match := _LITERAL.match(text, start):
        return Tag(start, match.end(), tuple(_LITERAL_ROLES[match.group().lower()]))
    if match := _ELEMENT.match(text, start):
        role: Role = "closes_thought" if match["end"] else "opens_thought"
        return Tag(start, match.end(), ((role, match["word"].lower()),), bool(match["empty"]) and not match["end"])
    return None


def tags_in(text: str, start: int = 0) -> Iterator[Tag]:
    """Yield the tags from `start` on, in order."""
    while match := _TAG_START.search(text, start):
        tag = tag_at(text, match.start())
        if tag is not None:
            yield tag
        start = tag.end if tag is not None else match.end()


def partial_tag_start(text: str) -> int:
    """Return the index of an incomplete tag at the end of `text`; the length of `text` if there is none."""
    at = max(0, len(text) - MAX_TAG_CHARS)
    while match := _TAG_START.search(text, at):
        if is_partial_tag(text[match.start() :]):
            return match.start()
        at = match.end()
    return len(text)


def is_partial_tag(text: str) -> bool:
    """Return whether `text` is the beginning of a tag that is not complete yet."""
    return text.lower() in _LITERAL_PREFIXES or _PARTIAL_ELEMENT.match(text) is not None
