"""Outputs of a workflow in words, for people to read instead of the JSON of a structured output."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

MAX_DEPTH = 4
"""How deep lists within lists are shown; what lies deeper is left out."""


def words_of(output: Any) -> str:
    """Return an output as Markdown: a text as it is, one field alone as its value, several as a list.

    A text that is JSON is read first, so that nobody sees it. What is empty gives an empty text.
    """
    value = plain(output)
    if isinstance(value, Mapping):
        value = {name: each for name, each in value.items() if not _is_blank(each)}
        if len(value) == 1:
            value = next(iter(value.values()))
    if isinstance(value, Mapping | list):
        return "\n".join(_lines(value, 0))
    return _word(value)


def plain(output: Any) -> Any:
    """Return an output as mappings, lists, texts and numbers; a text that holds JSON is parsed."""
    if hasattr(output, "model_dump"):
        return output.model_dump(mode="json")
    if hasattr(output, "final_output"):  # a result of the SDK, which files return as it is
        return plain(output.final_output)
    if is_dataclass(output) and not isinstance(output, type):
        # Without copies: a field may hold what cannot be copied.
        return {each.name: plain(getattr(output, each.name)) for each in fields(output)}
    if isinstance(output, str) and output.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(output)
        except ValueError:
            return output
    if isinstance(output, tuple | set | frozenset):
        return list(output)
    return output


def is_json(text: str) -> bool:
    """Say whether a text is a JSON object or list."""
    return not isinstance(plain(text), str)


def _lines(value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if depth >= MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, each in value.items():
            label = f"{indent}- **{str(name).replace('_', ' ').capitalize()}**"
            each = plain(each)
            if isinstance(each, list) and not any(isinstance(one, Mapping | list) for one in each):
                each = ", ".join(_word(one) for one in each)
            if _is_blank(each):
                continue
            if isinstance(each, Mapping | list):
                yield f"{label}:"
                yield from _lines(each, depth + 1)
            else:
                yield f"{label}: {_word(each)}"
        return
    for each in value:
        inner = list(_lines(each, depth)) if isinstance(each, Mapping | list) else []
        if not inner:
            if not _is_blank(each) and not isinstance(each, Mapping | list):
                yield f"{indent}- {_word(each)}"
            continue
        # The fields of one entry of a list stand under a number of their own, so that entries can be told apart.
        yield f"{indent}- {inner[0].strip().removeprefix('- ')}"
        yield from (f"  {line}" for line in inner[1:])


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _is_blank(value: Any, depth: int = 0) -> bool:
    """Say whether nothing can be read of a value: it is empty, or all that it holds is, as deep as it is shown."""
    value = plain(value)
    if isinstance(value, Mapping | list) and depth < MAX_DEPTH:
        return all(_is_blank(each, depth + 1) for each in (value.values() if isinstance(value, Mapping) else value))
    return value is None or value in ("", [], {})
