"""Tags that a text only mentions, in code, in quotes or within a sentence, as opposed to tags that end a thought."""

from __future__ import annotations

import re

from text.thought_tags import tags_in

LOOKAHEAD_CHARS = 3
"""How many characters after a tag must be known, unless the text ends before that."""

_FENCE = re.compile(r"^[ \t>]*(?:```|~~~)", re.MULTILINE)
_BACKTICKS = re.compile(r"`+")

# Characters that may directly surround a tag that is only mentioned: the one before it, and those after it.
_QUOTE_PAIRS = {'"': '"', "'": "'", "“": "”", "”": "”", "„": "“”", "‘": "’", "«": "»", "»": "«", "「": "」"} | {
    "`": "`",
    "(": ")",
    "[": "]",
    "*": "*",
    "_": "_",
}
_SYMMETRIC_QUOTES = "\"'*_"
_SENTENCE_ENDS = ".!?…。！？"
_SENTENCE_CONTINUES = re.compile(r"[.,;:!?)\]|]|[ \t]+(?:[a-zäöüßàâçéèêîôûñ(|=]|[-–—] )")


def is_mention(before: str, after: str, *, is_end: bool) -> bool | None:
    """Return whether a closing tag without an opening one is only mentioned; None if more text is needed to tell.

    Args:
        before: The text before the tag.
        after: The text after the tag, as far as it has arrived.
        is_end: Whether nothing follows `after`.
    """
    if _has_open_tag(before) or _is_in_fence(before) or _is_in_code_span(before):
        return True
    if not is_end and len(after) < LOOKAHEAD_CHARS and "\n" not in after:
        return None
    return _is_quoted(before, after) or _is_in_sentence(before, after)


def leaves_thought_open(before: str, after: str, *, is_end: bool) -> bool | None:
    """Return whether a closing tag is part of an opened thought, and does not end it; None if more text is needed.

    Stricter than `is_mention`, since a model that thinks is not careful with its quotes.

    Args:
        before: The thought so far.
        after: The text after the tag, as far as it has arrived.
        is_end: Whether nothing follows `after`.
    """
    if _is_in_fence(before) and _has_open_tag(before[_last_fence_start(before) :]):
        return True
    if not _is_in_code_span(before) and before[-1:] not in _QUOTE_PAIRS:
        return False
    if not after and not is_end:
        return None
    return (after.startswith("`") and _is_in_code_span(before)) or (before[-1:] != "`" and _is_quoted(before, after))


def _has_open_tag(before: str) -> bool:
    """Return whether a text contains an opening tag that is not quoted."""
    return any(
        tag.family("opens_thought") is not None and not _is_quoted(before[: tag.start], before[tag.end :])
        for tag in tags_in(before)
    )


def _last_fence_start(before: str) -> int:
    return max((match.start() for match in _FENCE.finditer(before)), default=0)


def _is_in_fence(before: str) -> bool:
    return len(_FENCE.findall(before)) % 2 == 1


def _is_in_code_span(before: str) -> bool:
    open_backticks = 0
    for backticks in _BACKTICKS.findall(before.rpartition("\n")[2]):
        if not open_backticks:
            open_backticks = len(backticks)
        elif len(backticks) == open_backticks:
            open_backticks = 0
    return open_backticks > 0


def _is_quoted(before: str, after: str) -> bool:
    quote = before[-1:]
    if not quote or not after or after[0] not in _QUOTE_PAIRS.get(quote, ""):
        return False
    # In 'They say "Hi"</think>"Hi"' the quote before the tag closes a quotation.
    return quote not in _SYMMETRIC_QUOTES or before[-2:-1] in ("", *" \t\n(*_")


def _is_in_sentence(before: str, after: str) -> bool:
    """Return whether a tag stands in the middle of a sentence, such as "The tag </think> ends it."."""
    words = before.rpartition("\n")[2].rstrip(" \t")
    if not before:
        return _SENTENCE_CONTINUES.match(after) is not None
    if before[-1] not in " \t" or not words or words[-1] in _SENTENCE_ENDS:
        return False
    return not after or _SENTENCE_CONTINUES.match(after) is not None
