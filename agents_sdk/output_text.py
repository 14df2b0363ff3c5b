"""Formats structured outputs for people."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

MAX_DEPTH = 6
"""How many levels of nested lists are shown; deeper ones are put on one line."""


def format_output(output: Any) -> str:
    """Return an output as Markdown: the text of a single field alone, else a list with one entry per field."""
    value = _to_plain_value(output)
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        return only
    return "\n".join(_format_lines(value, 0)) if isinstance(value, Mapping | list) else _format_value(value)


def _to_plain_value(output: Any) -> Any:
    if hasattr(output, "model_dump"):
        return output.model_dump(mode="json")
    if isinstance(output, str | Mapping | list | int | float | None):
        return output
    if dataclasses.is_dataclass(output) or isinstance(output, tuple | set):
        return TypeAdapter(Any).dump_python(output, mode="json")
    return str(output)


def _format_lines(value: Any, depth: int) -> list[str]:
    indent = "  " * depth
    pairs = (
        [(f"**{_format_name(name)}**", item) for name, item in value.items()]
        if isinstance(value, Mapping)
        else [(None, item) for item in value]
    )
    lines: list[str] = []
    for name, item in pairs:
        if _is_short(item) or depth == MAX_DEPTH:
            lines.append(f"{indent}- {name}: {_format_value(item)}" if name else f"{indent}- {_format_value(item)}")
        elif name:
            lines += [f"{indent}- {name}:", *_format_lines(item, depth + 1)]
        else:
            # An object in a list: its fields are put on one line.
            lines.append(f"{indent}- {_format_value(item)}")
    return lines


def _is_short(value: Any) -> bool:
    if isinstance(value, Mapping):
        return not value
    return not isinstance(value, list) or not any(isinstance(item, Mapping | list) for item in value)


def _format_value(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return "; ".join(f"{_format_name(name)}: {_format_value(item)}" for name, item in value.items())
        case list():
            return ", ".join(map(_format_value, value)) or "–"
        case _:
            return str(value).replace("\n", " ")


def _format_name(name: Any) -> str:
    return str(name).replace("_", " ").strip().capitalize()
