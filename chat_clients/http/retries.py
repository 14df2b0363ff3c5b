"""Decides whether a failed request to a provider is repeated, and after how long."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from chat_clients.http.refusal_meanings import classify_refusal, is_about_tools
from chat_clients.http.status_errors import ProviderStatusError

LONGEST_RETRY_AFTER_S = 20.0
"""Longest wait that a server may ask for; if it asks for more, the request fails and the person may try again."""

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 8.0

_RETRIED_STATUSES = frozenset({408, 409, 425, 429, 498})
_RETRIED_CODES = frozenset({"model.failed", "model.rate_limited", "model.timeout"})


def retry_delay_s(headers: httpx.Headers, failure: ProviderStatusError, failures: int) -> float | None:
    """Return how long to wait before the request is repeated, in seconds; None if it should not be."""
    should_retry = headers.get("x-should-retry")
    code = classify_refusal(failure)
    if should_retry == "false" or code in ("model.no_quota", "model.too_long") or is_about_tools(failure):
        return None
    is_passing = failure.status in _RETRIED_STATUSES or failure.status >= 500
    if should_retry != "true" and not (is_passing and code in _RETRIED_CODES):
        return None
    asked_s = retry_after_s(headers)
    if asked_s > LONGEST_RETRY_AFTER_S:
        return None
    return asked_s if asked_s > 0 else backoff_s(failures)


def backoff_s(failures: int) -> float:
    """Return how long to wait after a number of failures, in seconds: twice as long after each."""
    # With jitter, so that requests that failed together are not repeated together.
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0**failures) * random.uniform(0.75, 1)


def retry_after_s(headers: httpx.Headers) -> float:
    """Return the wait that Retry-After asks for, in seconds; 0 if there is none. Source: RFC 9110, 10.2.3."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            asked_s = float(headers[name]) * unit_s
        except (KeyError, ValueError):
            continue
        return asked_s if asked_s > 0 else 0  # nor for NaN
    try:
        return max(0.0, (parsedate_to_datetime(headers["retry-after"]) - datetime.now(UTC)).total_seconds())
    except (KeyError, TypeError, ValueError):
        return 0
