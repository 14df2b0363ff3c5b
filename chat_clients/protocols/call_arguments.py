"""Parses the arguments of a tool call as a JSON object; a tool never runs with a part of them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pydantic_core import from_json

from chat_clients.json_numbers import replace_non_finite
from text.surrogates import join_surrogates

MAX_JSON_VALUES = 8
"""How many JSON values may follow one another; a text with more of them has no arguments."""

MAX_LITERAL_CHARS = 100_000

_FENCED = re.compile(r"```(?:\w+)?\s*\n(.*)\n\s*```", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


def read_arguments(text: str) -> str | None:
    """Return the arguments that a model has written as the JSON text of an object; None if they are not an object.

    Known mistakes of servers and models are corrected: no text for an empty object, NaN and infinities, line breaks
    within a string, an object that is repeated, follows an empty one or stands in a string, a code fence around it, and
    a Python literal. An object that was cut off is never completed.
    """
    if is_json_object(text):
        return text
    text = join_surrogates(text).strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1].strip()
    values = _read_values(text)
    if values is None:
        values = _read_literal(text)
    if values is None:
        return None
    values = [value for value in values if value not in (None, {}, [])]
    if not values:
        return "{}"
    first = values[0]
    if isinstance(first, str) and len(values) == 1:
        return first if is_json_object(first) else None
    if not isinstance(first, dict) or any(value != first for value in values):
        return None
    arguments = json.dumps(replace_non_finite(first), ensure_ascii=False)
    return arguments if is_json_object(arguments) else None


def read_pieces(pieces: Sequence[str]) -> str | None:
    """Return the arguments that arrived in pieces; None if they are not an object.

    Some servers repeat all earlier pieces in each piece, so that the last one is complete.
    """
    arguments = read_arguments("".join(pieces))
    if arguments is None and len(pieces) > 1 and all(after.startswith(before) for before, after in pairwise(pieces)):
        return read_arguments(pieces[-1])
    return arguments


def is_json_object(text: str) -> bool:
    """Return whether `text` is a complete JSON object for a strict parser."""
    try:
        # Lone surrogates and NaN are refused.
        return isinstance(from_json(text, allow_inf_nan=False), dict)
    except (TypeError, ValueError):  # a TypeError, if the text itself has a lone surrogate
        return False


def _read_values(text: str) -> list[Any] | None:
    """Return the JSON values that a text consists of; None if it contains anything else, such as a part of a value."""
    values: list[Any] = []
    try:
        while text and len(values) < MAX_JSON_VALUES:
            value, end = _DECODER.raw_decode(text)
            values.append(value)
            text = text[end:].lstrip()
    except (ValueError, RecursionError):
        return None
    return None if text else values


def _read_literal(text: str) -> list[Any] | None:
    """Return the object of a Python literal, alone in a list; None if the text is no such literal."""
    if not text.startswith("{") or len(text) > MAX_LITERAL_CHARS:
        return None
    try:
        value = json.loads(json.dumps(ast.literal_eval(text)))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return [value] if isinstance(value, dict) else None
