"""Tool calls of earlier turns, as a hidden item of the thread remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from text.shortening import shortened

TOOL_MEMORY_KEY = "parlor.tool_calls"
"""Key of a hidden item that remembers the tool calls of an answer."""

REPLAY = "replay"
"""Key of a remembered call's data that its provider expects back with it."""

REPLAY_KEY = "parlor.replay"
"""Key of a hidden item that holds such data, by call id, for calls that the client makes."""

MAX_TOOL_RESULT_CHARS = 4_000


def remember_tool_calls(calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of a hidden item that tells later turns what tools returned.

    Args:
        calls: One mapping per finished call: ``call_id``, ``name``, ``arguments`` (JSON text), ``result``, and
            ``replay`` if its provider expects data back with it.
    """
    return {TOOL_MEMORY_KEY: [{**call, "result": shortened(call["result"], MAX_TOOL_RESULT_CHARS)} for call in calls]}
