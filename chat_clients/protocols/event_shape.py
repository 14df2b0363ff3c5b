"""The shape of what a server sends, for the operator: names of members and kinds of values, and never a value."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 4
MAX_MEMBERS = 12
MAX_NAME_CHARS = 40


def describe_shape(value: Any, depth: int = MAX_DEPTH) -> str:
    """Return the shape of a value, e.g. ``"{id: str, choices: [{text: str}]}"``; bounded."""
    if isinstance(value, dict):
        members = list(value.items())
        told = [
            f"{str(name)[:MAX_NAME_CHARS]}: {describe_shape(each, depth - 1)}" for name, each in members[:MAX_MEMBERS]
        ]
        more = [] if len(members) <= MAX_MEMBERS else ["…"]
        return "{" + ", ".join([*told, *more] if depth else ["…"]) + "}"
    if isinstance(value, list):
        return "[" + (describe_shape(value[0], depth - 1) if value and depth else "") + "]"
    return "nothing" if value is None else type(value).__name__
