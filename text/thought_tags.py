"""Tags between which models put their thoughts, and how to find one in a text that is still arriving."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

Role = Literal["opens", "closes", "says", "said", "wraps"]
"""The role of a tag: it opens or closes a thought, or stands before or behind speech, or before it after a thought."""

_WORDS = ("think", "thinking", "thought", "thoughts", "reasoning")

# Written like an element, with a namespace or names around it, and with attributes: <think>, <seed:think time="3">,
# <inner_thoughts>, <think_fast>.
_ELEMENTS = "|".join(
    sorted((*_WORDS, "reason", "antthinking", "scratchpad", "monologue", "cot"), key=len, reverse=True)
)
_NAME = rf"(?:[a-z][a-z0-9]{{0,15}}[:_-]){{0,2}}(?P<word>{_ELEMENTS})(?:[_-][a-z0-9_-]{{1,48}})?"
_ELEMENT = re.compile(rf"<(?P<end>/?)\s{{0,3}}{_NAME}(?:\s[^<>]{{0,120}}?)?(?P<empty>/?)\s{{0,3}}>", re.IGNORECASE)
_HALF_ELEMENT = re.compile(
    rf"<(?:/\s{{0,3}})?(?:[a-z][a-z0-9:_-]{{0,80}}|{_NAME}\s[^<>]{{0,120}}/?\s{{0,3}})?/?\Z", re.IGNORECASE
)

_ANALYSIS = ("<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>analysis<|message|>")
_FINAL = tuple(
    f"{start}<|channel|>{channel}<|message|>"
    for start, channel in product(("", "<|start|>assistant"), ("final", "commentary"))
)

# Opening and closing tags of a thought that are always written alike: of Cohere, Bespoke and OpenThinker; of Magistral,
# Kimi, MedGemma, Gemma; and of the gpt-oss models, whose channels leak.
_THOUGHTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    *(
        (
            f"|{word}|",
            tuple(f"<|{begin}{word}|>" for begin in ("", "start_", "begin_", "start_of_", "begin_of_")),
            tuple(f"<|{end}{word}|>" for end in ("/", "end_", "end_of_")),
        )
        for word in _WORDS
    ),
    ("[think]", ("[think]",), ("[/think]",)),
    ("◁think▷", ("◁think▷",), ("◁/think▷",)),
    ("<unused94>", ("<unused94>thought\n", "<unused94>"), ("<unused95>",)),
    ("<|channel>", ("<|channel>thought\n", "<|channel>thought"), ("<channel|>",)),
    ("analysis", _ANALYSIS, ("<|end|>",)),
)
# What the same models put around that which they say.
_SPEECH: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("final", _FINAL, ("<|end|>", "<|return|>")),
    ("response", ("<|start_response|>",), ("<|end_response|>",)),
    ("solution", ("<|begin_of_solution|>",), ("<|end_of_solution|>",)),
)

_LITERALS: dict[str, list[tuple[Role, str]]] = {}
# Of Hunyuan and others trained like it: an answer may well hold such a tag of its own, and so may a thought.
_LITERALS |= {"<answer>": [("wraps", "answer")], "</answer>": [("said", "answer")]}
for _pairs, _begin, _end in ((_THOUGHTS, "opens", "closes"), (_SPEECH, "says", "said")):
    for _family, _openers, _closers in _pairs:
        for _tag in _openers:
            _LITERALS.setdefault(_tag, []).append((_begin, _family))  # type: ignore[arg-type]
        for _tag in _closers:
            _LITERALS.setdefault(_tag, []).append((_end, _family))  # type: ignore[arg-type]

_LITERAL = re.compile("|".join(re.escape(tag) for tag in sorted(_LITERALS, key=len, reverse=True)), re.IGNORECASE)

_HALVES = frozenset(tag[:length] for tag in _LITERALS for length in range(1, len(tag)))

MAX_TAG_CHARS = 180

_STARTS = re.compile(r"[<\[◁]")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag in a text.

    Attributes:
        start: The index of the tag's first character.
        end: Where what follows it begins.
        roles: The meanings of the tag, each with its family: what ends a thought of one model ends another's speech.
        is_empty: Whether the tag opens and closes at once.
    """

    start: int
    end: int
    roles: tuple[tuple[Role, str], ...]
    is_empty: bool = False

    def family(self, *roles: Role) -> str | None:
        """Return the family in which it has one of `roles`; None where it has none of them."""
        return next((family for role, family in self.roles if role in roles), None)


def tag_at(text: str, start: int) -> Tag | None:
    """Return the tag that begins at `start`."""
    if found := _LITERAL.match(text, start):
        return Tag(start, found.end(), tuple(_LITERALS[found.group().lower()]))
    if found := _ELEMENT.match(text, start):
        role: Role = "closes" if found["end"] else "opens"
        return Tag(start, found.end(), ((role, found["word"].lower()),), bool(found["empty"]) and not found["end"])
    return None


def tags_in(text: str, start: int = 0) -> Iterator[Tag]:
    """Return the tags from `start` on, in order."""
    while found := _STARTS.search(text, start):
        tag = tag_at(text, found.start())
        if tag is not None:
            yield tag
        start = tag.end if tag is not None else found.end()


def half_tag_start(text: str) -> int:
    """Return where at the end of `text` that begins which may become a tag; the end itself where nothing does."""
    at = max(0, len(text) - MAX_TAG_CHARS)
    while found := _STARTS.search(text, at):
        if is_half_tag(text[found.start() :]):
            return found.start()
        at = found.end()
    return len(text)


def is_half_tag(text: str) -> bool:
    """Return whether all of `text` is the beginning of a tag, and not the whole of one."""
    return text.lower() in _HALVES or _HALF_ELEMENT.match(text) is not None
