"""Patterns of fields: JavaScript's regular expressions, matched within a time limit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex

MATCH_TIMEOUT_S = 0.05
"""How long one match may take: some expressions need years for thirty letters."""

MAX_PATTERN_CHARS = 1_000
"""A longer pattern is not matched: to compile one can take as long as one likes."""


MAX_PATTERN_PARTS = 10_000
"""A pattern with more parts, what it repeats for certain written out, is not matched: compiled, it is that large."""

_TOKENS = regex.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{(\d+)(?:,\d*)?\}|.", regex.DOTALL)


class SlowPatternError(Exception):
    """A pattern took longer than `MATCH_TIMEOUT_S`."""


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole text matches; a pattern that is no expression constrains nothing, as in browsers.

    Raises:
        SlowPatternError: When it cannot be said in time.
    """
    compiled = _compiled(pattern) if _is_small(pattern) else None
    if not isinstance(compiled, regex.Pattern):
        return True
    try:
        return compiled.fullmatch(text, timeout=MATCH_TIMEOUT_S, concurrent=True) is not None
    except TimeoutError:
        raise SlowPatternError(f"the pattern {pattern[:60]!r} takes too long") from None


def explain_pattern(pattern: str) -> str | None:
    """Return why a pattern constrains nothing; None when one of the many engines may take it."""
    if not _is_small(pattern):
        return "is too large a pattern: it is not matched"
    compiled = _compiled(pattern)
    is_broken = isinstance(compiled, str) and any(word in compiled for word in _BROKEN)
    return f"is no regular expression: {compiled}" if is_broken else None


def _is_small(pattern: str) -> bool:
    return len(pattern) <= MAX_PATTERN_CHARS and _parts(pattern) <= MAX_PATTERN_PARTS


def _parts(pattern: str) -> int:
    """Return how many signs and groups a pattern has, with what it repeats for certain written out."""
    sums, last = [0], 0
    for token in _TOKENS.finditer(pattern):
        if token[1] is not None:
            last *= max(1, int(token[1]))
        elif token[0] == "(":
            sums[-1] += last
            sums.append(0)
            last = 0
        elif token[0] == ")" and len(sums) > 1:
            last += sums.pop() + 1
        else:
            sums[-1] += last
            last = 1
    return sum(sums) + last


_BROKEN = ("missing", "unterminated", "unbalanced", "nothing to repeat", "multiple repeat", "bad character range")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    try:
        # In JavaScript `\d` and `\w` are ASCII.
        return regex.compile(_translated(pattern), regex.V1 | regex.ASCII)
    except (regex.error, ValueError, OverflowError, RecursionError) as exc:
        return str(exc) or "it cannot be read"


def _translated(pattern: str) -> str:
    """Return a pattern of JavaScript as the library spells it, as far as the two differ in spelling."""
    spelled: str = regex.sub(
        r"\\u\{([0-9a-fA-F]{1,6})\}", lambda found: f"\\U{found[1].zfill(8)}", pattern, timeout=MATCH_TIMEOUT_S
    )
    return spelled.replace("[^]", r"[\s\S]")
