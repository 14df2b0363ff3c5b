"""Describes the shape of an event for the operator: the names of its fields and their types, never a value."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 4
MAX_FIELDS = 12
MAX_NAME_CHARS = 40


def describe_shape(value: Any, depth: int = MAX_DEPTH) -> str:
    """Return the shape of a value, e.g. ``"{id: str, choices: [{text: str}]}"``, up to a depth."""
    if isinstance(value, dict):
        fields = list(value.items())
        shown = [
            f"{str(name)[:MAX_NAME_CHARS]}: {describe_shape(member, depth - 1)}" for name, member in fields[:MAX_FIELDS]
        ]
        more = [] if len(fields) <= MAX_FIELDS else ["…"]
        return "{" + ", ".join([*shown, *more] if depth else ["…"]) + "}"
    if isinstance(value, list):
        return "[" + (describe_shape(value[0], depth - 1) if value and depth else "") + "]"
    return "nothing" if value is None else type(value).__name__
