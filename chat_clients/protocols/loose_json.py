"""Values of a provider's JSON in the types that are expected; what has another type is taken for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_NUMBER = 10**6
"""The greatest number of a place in a list; a greater one is no place."""


def read_place(value: Any) -> int | None:
    """Return a place in a list, which may come as text; None for what is none."""
    if type(value) is int:
        return value if 0 <= value <= MAX_NUMBER else None
    if isinstance(value, float):
        return read_place(int(value)) if value.is_integer() else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(MAX_NUMBER)):
        return int(value)
    return None


def read_number(value: Any) -> int:
    """Return a place in a list, or 0."""
    return read_place(value) or 0


def read_word(value: Any) -> str:
    """Return a name or an id, which may come as a number, or nothing."""
    if isinstance(value, str):
        return value
    number = read_place(value)
    return "" if number is None else str(number)


def read_object(value: Any) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def read_objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list, without what is none."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def read_list(value: Any) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []
