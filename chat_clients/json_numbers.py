"""Replaces NaN and the infinities, which Python writes into JSON and servers refuse, by null."""

from __future__ import annotations

from math import isfinite
from typing import Any


def replace_non_finite(value: Any) -> Any:
    """Return a JSON value with None in place of NaN and the infinities."""
    if isinstance(value, dict):
        return {key: replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replace_non_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
