"""Structured outputs as a person reads them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

MAX_DEPTH = 6
"""How deep lists within lists are shown; what is deeper stands in one line."""


def in_words(output: Any) -> str:
    """Return an output as Markdown: the text of a single field alone, else one line per field, and never JSON."""
    value = _plain(output)
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        return only
    return "\n".join(_lines(value, 0)) if isinstance(value, Mapping | list) else _word(value)


def _plain(output: Any) -> Any:
    if hasattr(output, "model_dump"):
        return output.model_dump(mode="json")
    if isinstance(output, str | Mapping | list | int | float | None):
        return output
    if dataclasses.is_dataclass(output) or isinstance(output, tuple | set):
        return TypeAdapter(Any).dump_python(output, mode="json")
    return str(output)


def _lines(value: Any, depth: int) -> list[str]:
    indent = "  " * depth
    pairs = (
        [(f"**{_name(name)}**", each) for name, each in value.items()]
        if isinstance(value, Mapping)
        else [(None, each) for each in value]
    )
    lines: list[str] = []
    for name, each in pairs:
        if _is_short(each) or depth == MAX_DEPTH:
            lines.append(f"{indent}- {name}: {_word(each)}" if name else f"{indent}- {_word(each)}")
        elif name:
            lines += [f"{indent}- {name}:", *_lines(each, depth + 1)]
        else:
            # A list of objects: the fields of each stand behind one another.
            lines.append(f"{indent}- {_word(each)}")
    return lines


def _is_short(value: Any) -> bool:
    if isinstance(value, Mapping):
        return not value
    return not isinstance(value, list) or not any(isinstance(each, Mapping | list) for each in value)


def _word(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return "; ".join(f"{_name(name)}: {_word(each)}" for name, each in value.items())
        case list():
            return ", ".join(map(_word, value)) or "–"
        case _:
            return str(value).replace("\n", " ")


def _name(name: Any) -> str:
    return str(name).replace("_", " ").strip().capitalize()
