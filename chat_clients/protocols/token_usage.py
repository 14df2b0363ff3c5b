"""Reads the token usage and the time of an answer, under the framework's names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from agent_framework import UsageDetails

MAX_COUNT = 2**53
"""The largest count of tokens that is accepted: a browser has no exact numbers beyond it."""

LATEST_S = 32_503_680_000
"""The year 3000, in seconds: a later time is in milliseconds, microseconds or nanoseconds."""

MAX_TIME_NS = LATEST_S * 10**9
"""The latest time that is accepted, in nanoseconds."""

# The framework's name of a count, the provider's name that the framework also keeps, and the object and the field that
# hold the count.
_DetailFields = tuple[tuple[str | None, str, str, str], ...]

_RESPONSES_FIELDS: _DetailFields = (
    ("cache_creation_input_token_count", "openai.cache_write_tokens", "input_tokens_details", "cache_write_tokens"),
    ("cache_read_input_token_count", "openai.cached_input_tokens", "input_tokens_details", "cached_tokens"),
    ("reasoning_output_token_count", "openai.reasoning_tokens", "output_tokens_details", "reasoning_tokens"),
)

_OUTPUT_DETAILS, _INPUT_DETAILS = "completion_tokens_details", "prompt_tokens_details"
_COMPLETIONS_FIELDS: _DetailFields = (
    (None, "completion/accepted_prediction_tokens", _OUTPUT_DETAILS, "accepted_prediction_tokens"),
    (None, "completion/audio_tokens", _OUTPUT_DETAILS, "audio_tokens"),
    ("reasoning_output_token_count", "completion/reasoning_tokens", _OUTPUT_DETAILS, "reasoning_tokens"),
    (None, "completion/rejected_prediction_tokens", _OUTPUT_DETAILS, "rejected_prediction_tokens"),
    (None, "prompt/audio_tokens", _INPUT_DETAILS, "audio_tokens"),
    ("cache_creation_input_token_count", "prompt/cache_write_tokens", _INPUT_DETAILS, "cache_write_tokens"),
    ("cache_read_input_token_count", "prompt/cached_tokens", _INPUT_DETAILS, "cached_tokens"),
)


def read_responses_usage(raw: Any) -> UsageDetails | None:
    """Return the token usage of a response; None if it has none."""
    return _read_usage(raw, "input_tokens", "output_tokens", _RESPONSES_FIELDS)


def read_completions_usage(raw: Any) -> UsageDetails | None:
    """Return the token usage of a chat completion; None if it has none."""
    return _read_usage(raw, "prompt_tokens", "completion_tokens", _COMPLETIONS_FIELDS)


def _read_usage(raw: Any, input_name: str, output_name: str, details: _DetailFields) -> UsageDetails | None:
    if not isinstance(raw, Mapping):
        return None
    counts = {
        "input_token_count": _read_count(raw.get(input_name)),
        "output_token_count": _read_count(raw.get(output_name)),
        "total_token_count": _read_count(raw.get("total_tokens")),
    }
    # A count that is missing in one round is left out, so that the sum of all rounds is right.
    usage: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    for name, provider_name, part, count_name in details:
        details_object = raw.get(part)
        count = _read_count(details_object.get(count_name)) if isinstance(details_object, Mapping) else None
        if count is not None:
            usage[provider_name] = count
            if name is not None:
                usage[name] = count
    return cast("UsageDetails", usage)


def _read_count(value: Any) -> int | None:
    """Return a count, which may be sent as text; None for any other value, as no answer may fail for it."""
    if value is None or isinstance(value, bool):
        return None
    try:
        count = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return count if 0 <= count <= MAX_COUNT else None


def format_time(seconds: Any) -> str | None:
    """Return a Unix time, in seconds or smaller units, in the framework's format; None for any other value."""
    # Compared first: an integer may be too large to be a float.
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_TIME_NS:
        return None
    while seconds > LATEST_S:
        seconds /= 1_000
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    # Not `strftime`, which reads the machine's time zone file each time.
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
