"""Values of a provider's JSON in the types that are expected; what has another type is taken for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def read_number(value: Any) -> int:
    """Return a whole number, or 0."""
    return value if isinstance(value, int) else 0


def read_word(value: Any) -> str:
    """Return a name or an id, which may come as a number, or nothing."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def read_object(value: Any) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def read_objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list, without what is none."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
