"""Errors that servers put into a stream of events, where no member of their own is called ``error``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXTS = ("message", "msg", "error_msg", "error_message", "errmsg")
_OBJECTS = ("detail", "errors", "fault")


def is_error(event: Mapping[str, Any]) -> bool:
    """Return whether an event that holds no piece of an answer says that there will be none."""
    if "error" in (event.get("object"), event.get("type")) or any(event.get(name) for name in _OBJECTS):
        return True
    state = event.get("base_resp")  # of MiniMax, beside each piece too
    if isinstance(state, Mapping) and state.get("status_code") not in (None, 0):
        return True
    return any(event.get(name) and isinstance(event[name], str) for name in _TEXTS)
