"""Formats the outputs of workflows for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

MAX_DEPTH = 4
"""How many levels of nested lists are shown; deeper ones are left out."""


def format_output(output: Any) -> str:
    """Return an output as Markdown: a text unchanged, the value of a single field, or a list of several fields.

    A text that contains JSON is parsed first. Empty fields are left out.
    """
    value = to_plain_value(output)
    if isinstance(value, Mapping):
        value = {name: item for name, item in value.items() if not _is_blank(item)}
        if len(value) == 1:
            value = next(iter(value.values()))
    if isinstance(value, Mapping | list):
        return "\n".join(_format_lines(value, 0))
    return _format_value(value)


def to_plain_value(output: Any) -> Any:
    """Return an output as mappings, lists, texts and numbers; a text that contains JSON is parsed."""
    if hasattr(output, "model_dump"):
        return output.model_dump(mode="json")
    if hasattr(output, "final_output"):  # a result of the SDK, which some files return
        return to_plain_value(output.final_output)
    if is_dataclass(output) and not isinstance(output, type):
        # Not `dataclasses.asdict`, which copies values, and some cannot be copied.
        return {field.name: to_plain_value(getattr(output, field.name)) for field in fields(output)}
    if isinstance(output, str) and output.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(output)
        except ValueError:
            return output
    if isinstance(output, tuple | set | frozenset):
        return list(output)
    return output


def is_json(text: str) -> bool:
    """Return whether a text is a JSON object or list."""
    return not isinstance(to_plain_value(text), str)


def _format_lines(value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if depth >= MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            label = f"{indent}- **{str(name).replace('_', ' ').capitalize()}**"
            item = to_plain_value(item)
            if isinstance(item, list) and not any(isinstance(one, Mapping | list) for one in item):
                item = ", ".join(_format_value(one) for one in item)
            if _is_blank(item):
                continue
            if isinstance(item, Mapping | list):
                yield f"{label}:"
                yield from _format_lines(item, depth + 1)
            else:
                yield f"{label}: {_format_value(item)}"
        return
    for item in value:
        inner = list(_format_lines(item, depth)) if isinstance(item, Mapping | list) else []
        if not inner:
            if not _is_blank(item) and not isinstance(item, Mapping | list):
                yield f"{indent}- {_format_value(item)}"
            continue
        # The fields of an object in a list are indented under the first of them, so that objects can be told apart.
        yield f"{indent}- {inner[0].strip().removeprefix('- ')}"
        yield from (f"  {line}" for line in inner[1:])


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _is_blank(value: Any, depth: int = 0) -> bool:
    """Return whether a value is empty, or has only empty values down to the depth that is shown."""
    value = to_plain_value(value)
    if isinstance(value, Mapping | list) and depth < MAX_DEPTH:
        return all(_is_blank(item, depth + 1) for item in (value.values() if isinstance(value, Mapping) else value))
    return value is None or value in ("", [], {})
