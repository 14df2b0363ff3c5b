"""NaN and the infinities, which Python writes into JSON and servers refuse, replaced by null."""

from __future__ import annotations

from math import isfinite
from typing import Any


def without_odd_numbers(value: Any) -> Any:
    """Return a JSON value with null instead of NaN and the infinities."""
    if isinstance(value, dict):
        return {key: without_odd_numbers(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_odd_numbers(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
