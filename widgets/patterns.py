"""Patterns of fields: JavaScript's regular expressions, matched within a time limit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex

MATCH_TIMEOUT_S = 0.05
"""How long one match may take: some expressions need years for thirty letters."""

MAX_PATTERN_CHARS = 1_000
"""A longer pattern is not matched: to compile one can take as long as one likes."""


class SlowPatternError(Exception):
    """A pattern took longer than `MATCH_TIMEOUT_S`."""


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole text matches; a pattern that is no expression constrains nothing, as in browsers.

    Raises:
        SlowPatternError: When it cannot be said in time.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        return True
    compiled = _compiled(pattern)
    if not isinstance(compiled, regex.Pattern):
        return True
    try:
        return compiled.fullmatch(text, timeout=MATCH_TIMEOUT_S, concurrent=True) is not None
    except TimeoutError:
        raise SlowPatternError(f"the pattern {pattern[:60]!r} takes too long") from None


def explain_pattern(pattern: str) -> str | None:
    """Return why no engine takes a pattern; None when one may, of which there are more dialects than one."""
    compiled = _compiled(pattern) if len(pattern) <= MAX_PATTERN_CHARS else ""
    return compiled if isinstance(compiled, str) and any(word in compiled for word in _BROKEN) else None


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
