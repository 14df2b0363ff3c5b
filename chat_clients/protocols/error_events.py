"""Recognises errors within a stream that servers send without a field called ``error``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT_FIELDS = ("message", "msg", "error_msg", "error_message", "errmsg")
_OBJECT_FIELDS = ("detail", "errors", "fault")


def is_error(event: Mapping[str, Any]) -> bool:
    """Return whether an event without a piece of an answer reports an error."""
    if "error" in (event.get("object"), event.get("type")) or any(event.get(name) for name in _OBJECT_FIELDS):
        return True
    base_response = event.get("base_resp")  # of MiniMax, beside each piece too
    if isinstance(base_response, Mapping) and base_response.get("status_code") not in (None, 0):
        return True
    return any(event.get(name) and isinstance(event[name], str) for name in _TEXT_FIELDS)
