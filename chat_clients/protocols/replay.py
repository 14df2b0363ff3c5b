"""Members of a tool call that are unknown here, on their way back to the server that sent them.

Some servers refuse a conversation without them: Gemini wants its ``extra_content`` with a thought's signature, Kimi the
``reasoning_content`` beside the call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent_framework import Content

from chat_clients.protocols.request_options import openai_property

MAX_REPLAY_CHARS = 100_000
"""Of all that goes back with one call, as JSON; of more, nothing is kept, and the call is told in words if need be."""


class Members:
    """Members of an object that arrives in pieces."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def add(self, piece: Mapping[str, Any]) -> None:
        """Add the members of another piece: text to text, list to list."""
        for name, value in piece.items():
            if value is not None:
                self._values[name] = _joined(self._values.get(name), value)

    @property
    def values(self) -> dict[str, Any]:
        """All of them."""
        return self._values


def _joined(known: Any, value: Any) -> Any:
    if isinstance(known, str) and isinstance(value, str):
        # One that each piece repeats is no text in pieces.
        return known if known == value else known + value
    if isinstance(known, list) and isinstance(value, list):
        return [*known, *value]
    if isinstance(known, Mapping) and isinstance(value, Mapping):
        return {**known, **{name: _joined(known.get(name), each) for name, each in value.items()}}
    return value


def build_replay(
    model: str | None, round_id: str, *, call: Members, function: Members | None = None, beside: Members | None = None
) -> dict[str, Any]:
    """Return what is noted on a call for its way back.

    Args:
        model: Who was asked: what it wants back goes to no other.
        round_id: A number that all calls of one answer of the model share.
        call: Members of the call.
        function: Members of its function.
        beside: Members of the message that holds the calls; given with the first of them.
    """
    replay: dict[str, Any] = {"origin": model, "round": round_id}
    parts = {"call": call, "function": function, "beside": beside}
    members = {name: part.values for name, part in parts.items() if part is not None and part.values}
    if members and len(json.dumps(members)) <= MAX_REPLAY_CHARS:
        replay.update(members)
    return replay


def replay_of(call: Content) -> dict[str, Any]:
    """Return what was noted by `build_replay`; nothing where nothing was."""
    replay: Any = openai_property(call, "replay")
    return replay if isinstance(replay, dict) else {}
