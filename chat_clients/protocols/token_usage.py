"""Cost and time of an answer, under the framework's names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from agent_framework import UsageDetails

MAX_COUNT = 2**53
"""The greatest count of tokens; a greater one is none, and would be no number in a browser."""

LATEST_S = 32_503_680_000
"""The year 3000, in seconds: what is later is in milliseconds, or in less."""

MAX_TIME = LATEST_S * 10**9
"""The latest time, in nanoseconds: a greater number is no time."""

# The framework's name, the provider's name under which the framework keeps it too, the part it is in, its name there.
_Details = tuple[tuple[str | None, str, str, str], ...]

_RESPONSES: _Details = (
    ("cache_creation_input_token_count", "openai.cache_write_tokens", "input_tokens_details", "cache_write_tokens"),
    ("cache_read_input_token_count", "openai.cached_input_tokens", "input_tokens_details", "cached_tokens"),
    ("reasoning_output_token_count", "openai.reasoning_tokens", "output_tokens_details", "reasoning_tokens"),
)

_OUT, _IN = "completion_tokens_details", "prompt_tokens_details"
_COMPLETIONS: _Details = (
    (None, "completion/accepted_prediction_tokens", _OUT, "accepted_prediction_tokens"),
    (None, "completion/audio_tokens", _OUT, "audio_tokens"),
    ("reasoning_output_token_count", "completion/reasoning_tokens", _OUT, "reasoning_tokens"),
    (None, "completion/rejected_prediction_tokens", _OUT, "rejected_prediction_tokens"),
    (None, "prompt/audio_tokens", _IN, "audio_tokens"),
    ("cache_creation_input_token_count", "prompt/cache_write_tokens", _IN, "cache_write_tokens"),
    ("cache_read_input_token_count", "prompt/cached_tokens", _IN, "cached_tokens"),
)


def read_responses_usage(raw: Any) -> UsageDetails | None:
    """Return what a response cost; None when it does not say."""
    return _read(raw, "input_tokens", "output_tokens", _RESPONSES)


def read_completions_usage(raw: Any) -> UsageDetails | None:
    """Return what a chat completion cost; None when it does not say."""
    return _read(raw, "prompt_tokens", "completion_tokens", _COMPLETIONS)


def _read(raw: Any, input_name: str, output_name: str, details: _Details) -> UsageDetails | None:
    if not isinstance(raw, Mapping):
        return None
    counts = {
        "input_token_count": _count(raw.get(input_name)),
        "output_token_count": _count(raw.get(output_name)),
        "total_token_count": _count(raw.get("total_tokens")),
    }
    # One that is missing in a round must not spoil the sum of all.
    usage: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    for name, provider_name, part, count_name in details:
        held = raw.get(part)
        count = _count(held.get(count_name)) if isinstance(held, Mapping) else None
        if count is not None:
            usage[provider_name] = count
            if name is not None:
                usage[name] = count
    return cast("UsageDetails", usage)


def _count(value: Any) -> int | None:
    """Return a count, in whatever type it comes; None for what is none, as no answer may fail for it."""
    if value is None or isinstance(value, bool):
        return None
    try:
        count = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return count if 0 <= count <= MAX_COUNT else None


def format_time(seconds: Any) -> str | None:
    """Return a Unix time as the framework writes it, or None for what is none; it may be in milliseconds or less."""
    # Compared first: an integer may be too large to be a float.
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_TIME:
        return None
    while seconds > LATEST_S:
        seconds /= 1_000
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    # Not `strftime`, which looks at the machine's time zone file each time.
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
