"""Arguments of a tool call as the JSON object that they have to be, or nothing: no tool runs with a part of them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pydantic_core import from_json

from chat_clients.json_numbers import without_odd_numbers
from text.surrogates import join_surrogates

MAX_VALUES = 8
"""How many values of JSON may stand one behind the other; text that holds more of them is no call."""

MAX_LITERAL_CHARS = 100_000

_FENCED = re.compile(r"```(?:\w+)?\s*\n(.*)\n\s*```", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


def read_arguments(text: str) -> str | None:
    """Return what a model has written as the JSON text of an object; None where it is none, such as one cut off.

    Forgiven is what servers and models are known to add: nothing for an empty object, numbers that JSON does not have,
    line breaks within a string, an object told twice, behind an empty one or within a string, a fence around it, and
    Python's way to write it. All of it ends with its own bracket: what is cut off is never forgiven.
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
    told = [value for value in values if value not in (None, {}, [])]
    if not told:
        return "{}"
    first = told[0]
    if isinstance(first, str) and len(told) == 1:
        return first if is_json_object(first) else None
    if not isinstance(first, dict) or any(value != first for value in told):
        return None
    told_once = json.dumps(without_odd_numbers(first), ensure_ascii=False)
    return told_once if is_json_object(told_once) else None


def read_pieces(pieces: Sequence[str]) -> str | None:
    """Return the arguments that come in pieces; None where they are no object.

    Of some servers each piece holds all that came before it too: then the last is the whole.
    """
    arguments = read_arguments("".join(pieces))
    if arguments is None and len(pieces) > 1 and all(after.startswith(before) for before, after in pairwise(pieces)):
        return read_arguments(pieces[-1])
    return arguments


def is_json_object(text: str) -> bool:
    """Return whether `text` is a whole JSON object, as strict servers read it."""
    try:
        # Half of a surrogate pair is no text, and NaN is no number.
        return isinstance(from_json(text, allow_inf_nan=False), dict)
    except (TypeError, ValueError):  # the first, where the text itself holds half a pair
        return False


def _read_values(text: str) -> list[Any] | None:
    """Return the JSON values that a text consists of; None where anything else is in it, such as half of one."""
    values: list[Any] = []
    try:
        while text and len(values) < MAX_VALUES:
            value, end = _DECODER.raw_decode(text)
            values.append(value)
            text = text[end:].lstrip()
    except (ValueError, RecursionError):
        return None
    return None if text else values


def _read_literal(text: str) -> list[Any] | None:
    """Return the object that a model has written as Python does, alone in a list; None where it is none."""
    if not text.startswith("{") or len(text) > MAX_LITERAL_CHARS:
        return None
    try:
        value = json.loads(json.dumps(ast.literal_eval(text)))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return [value] if isinstance(value, dict) else None
