"""Reads values of a provider's JSON in the expected type; values of other types count as missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_INDEX = 10**6
"""The largest index that is accepted."""


def read_index(value: Any) -> int | None:
    """Return an index, which may be sent as text; None for any other value."""
    if type(value) is int:
        return value if 0 <= value <= MAX_INDEX else None
    if isinstance(value, float):
        return read_index(int(value)) if value.is_integer() else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(MAX_INDEX)):
        return int(value)
    return None


def read_index_or_zero(value: Any) -> int:
    """Return an index; 0 for any other value."""
    return read_index(value) or 0


def read_string(value: Any) -> str:
    """Return a name or an id, which may be sent as a number; "" for any other value."""
    if isinstance(value, str):
        return value
    number = read_index(value)
    return "" if number is None else str(number)


def read_object(value: Any) -> Mapping[str, Any]:
    """Return an object; an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def read_objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a list; an empty list for any other value."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def read_list(value: Any) -> list[Any]:
    """Return a list; an empty one for any other value."""
    return value if isinstance(value, list) else []
