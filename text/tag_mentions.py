"""Tags that a text speaks about, in code, between quotes or within a sentence, told from those that end a thought."""

from __future__ import annotations

import re

from text.thought_tags import tags_in

LOOKAHEAD_CHARS = 3
"""How many characters after a tag must be known, unless the text ends before."""

_FENCE = re.compile(r"^[ \t>]*(?:```|~~~)", re.MULTILINE)
_BACKTICKS = re.compile(r"`+")

# Characters that may directly surround a tag that a text speaks about.
_AROUND = {'"': '"', "'": "'", "“": "”", "”": "”", "„": "“”", "‘": "’", "«": "»", "»": "«", "「": "」"} | {
    "`": "`",
    "(": ")",
    "[": "]",
    "*": "*",
    "_": "_",
}
_ALIKE = "\"'*_"  # They open and close with the same sign.
_SENTENCE_ENDS = ".!?…。！？"
_GOES_ON = re.compile(r"[.,;:!?)\]|]|[ \t]+(?:[a-zäöüßàâçéèêîôûñ(|=]|[-–—] )")


def is_mention(before: str, after: str, *, is_end: bool) -> bool | None:
    """Return whether a closing tag that nothing has opened is spoken about; None where more must be known.

    Args:
        before: The text before the tag.
        after: What stands behind it, as far as it is known.
        is_end: Whether nothing follows `after`.
    """
    if _has_open_tag(before) or _is_in_fence(before) or _is_in_code_span(before):
        return True
    if not is_end and len(after) < LOOKAHEAD_CHARS and "\n" not in after:
        return None
    return _is_quoted(before, after) or _is_in_sentence(before, after)


def is_inner(before: str, after: str, *, is_end: bool) -> bool | None:
    """Return whether a closing tag leaves the thought open that a tag has opened; None where more must be known.

    Only what cannot be its end does so: a model that thinks is not careful with its quotes.

    Args:
        before: The thought so far.
        after: What stands behind it, as far as it is known.
        is_end: Whether nothing follows `after`.
    """
    if _is_in_fence(before) and _has_open_tag(before[_last_fence(before) :]):
        return True
    if not _is_in_code_span(before) and before[-1:] not in _AROUND:
        return False
    if not after and not is_end:
        return None
    return (after.startswith("`") and _is_in_code_span(before)) or (before[-1:] != "`" and _is_quoted(before, after))


def _has_open_tag(before: str) -> bool:
    """Return whether a tag is opened in a text, other than one that is quoted itself."""
    return any(
        tag.family("opens") is not None and not _is_quoted(before[: tag.start], before[tag.end :])
        for tag in tags_in(before)
    )


def _last_fence(before: str) -> int:
    return max((found.start() for found in _FENCE.finditer(before)), default=0)


def _is_in_fence(before: str) -> bool:
    return len(_FENCE.findall(before)) % 2 == 1


def _is_in_code_span(before: str) -> bool:
    opened = 0
    for run in _BACKTICKS.findall(before.rpartition("\n")[2]):
        if not opened:
            opened = len(run)
        elif len(run) == opened:
            opened = 0
    return opened > 0


def _is_quoted(before: str, after: str) -> bool:
    sign = before[-1:]
    if not sign or not after or after[0] not in _AROUND.get(sign, ""):
        return False
    # 'They say "Hi"</think>"Hi"': the sign before the tag has closed something.
    return sign not in _ALIKE or before[-2:-1] in ("", *" \t\n(*_")


def _is_in_sentence(before: str, after: str) -> bool:
    """Return whether a sentence goes on around a tag, as "The tag </think> ends it." does."""
    words = before.rpartition("\n")[2].rstrip(" \t")
    if not before:
        return _GOES_ON.match(after) is not None
    if before[-1] not in " \t" or not words or words[-1] in _SENTENCE_ENDS:
        return False
    return not after or _GOES_ON.match(after) is not None
