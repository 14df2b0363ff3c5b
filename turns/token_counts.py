"""Token counts under the provider's names, and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from agent_framework import UsageDetails, add_usage_details

Counts = dict[str, Any]


def add_counts(first: Mapping[str, Any], second: Mapping[str, Any]) -> Counts:
    """Return the sum of two token counts, name by name."""
    return dict(add_usage_details(cast("UsageDetails", first), cast("UsageDetails", second)))
