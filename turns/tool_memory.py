"""Tool calls of earlier turns, as a hidden item of the thread remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from text.shortening import shortened

TOOL_MEMORY_KEY = "parlor.tool_calls"
"""Marks a hidden item that remembers the tool calls of an answer."""

REPLAY = "replay"
"""Under this name a remembered call holds what its server wants back with it."""

REPLAY_KEY = "parlor.replay"
"""Marks a hidden item that holds, by call id, what servers want back with calls that the client makes."""

MAX_TOOL_RESULT_CHARS = 4_000


def remember_tool_calls(calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of a hidden item from which later turns know what tools returned.

    Args:
        calls: One mapping per finished call: ``call_id``, ``name``, ``arguments`` (JSON text), ``result``, and where
            its server wants something back with it, ``replay``.
    """
    return {TOOL_MEMORY_KEY: [{**call, "result": shortened(call["result"], MAX_TOOL_RESULT_CHARS)} for call in calls]}
