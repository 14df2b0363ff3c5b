"""Patterns of fields: JavaScript's regular expressions, matched within a time limit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex

MATCH_TIMEOUT_S = 0.05
"""Time limit of one match: some expressions would take years for thirty letters."""

MAX_PATTERN_CHARS = 1_000
"""Length limit: longer patterns are not matched, since there is no time limit for compiling."""

MAX_PATTERN_PARTS = 10_000
"""Limit of parts, with fixed repetitions written out: the compiled form of a pattern grows with their number."""

_TOKENS = regex.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{(\d+)(?:,\d*)?\}|.", regex.DOTALL)


class SlowPatternError(Exception):
    """A pattern took longer than `MATCH_TIMEOUT_S`."""


def matches(pattern: str, text: str) -> bool:
    """Return whether the whole text matches; an invalid pattern matches everything, as in browsers.

    Raises:
        SlowPatternError: When the match takes longer than `MATCH_TIMEOUT_S`.
    """
    compiled = _compile(pattern) if _is_small(pattern) else None
    if not isinstance(compiled, regex.Pattern):
        return True
    try:
        return compiled.fullmatch(text, timeout=MATCH_TIMEOUT_S, concurrent=True) is not None
    except TimeoutError:
        raise SlowPatternError(f"the pattern {pattern[:60]!r} takes too long") from None


def explain_invalid_pattern(pattern: str) -> str | None:
    """Return why a pattern has no effect; None when it may be valid in some browser's engine."""
    if not _is_small(pattern):
        return "is too large a pattern: it is not matched"
    compiled = _compile(pattern)
    is_broken = isinstance(compiled, str) and any(word in compiled for word in _SYNTAX_ERRORS)
    return f"is no regular expression: {compiled}" if is_broken else None


def _is_small(pattern: str) -> bool:
    return len(pattern) <= MAX_PATTERN_CHARS and _count_parts(pattern) <= MAX_PATTERN_PARTS


def _count_parts(pattern: str) -> int:
    """Return the number of characters and groups in a pattern, counted once for each fixed repetition."""
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


_SYNTAX_ERRORS = (
    "missing",
    "unterminated",
    "unbalanced",
    "nothing to repeat",
    "multiple repeat",
    "bad character range",
)


@lru_cache(maxsize=256)
def _compile(pattern: str) -> Any:
    try:
        # In JavaScript `\d` and `\w` are ASCII.
        return regex.compile(_to_regex_syntax(pattern), regex.V1 | regex.ASCII)
    except (regex.error, ValueError, OverflowError, RecursionError) as exc:
        return str(exc) or "it cannot be read"


def _to_regex_syntax(pattern: str) -> str:
    """Return a JavaScript pattern in the syntax of the `regex` library, where the two differ."""
    translated: str = regex.sub(
        r"\\u\{([0-9a-fA-F]{1,6})\}", lambda match: f"\\U{match[1].zfill(8)}", pattern, timeout=MATCH_TIMEOUT_S
    )
    return translated.replace("[^]", r"[\s\S]")
