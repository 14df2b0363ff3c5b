"""MCP servers of the Agents SDK: whether one is connected, and how to drop a lost connection.

`tests/unit/framework/test_sdk_agents.py` notices a change. The SDK is not imported here.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any


def has_session(server: Any) -> bool:
    """Return whether a server has a session; True for a class without sessions."""
    return getattr(server, "session", server) is not None


def drop_connection(server: Any) -> None:
    """Make a server drop its connection without closing it, which only the task that opened it may do."""
    if hasattr(server, "exit_stack"):
        server.exit_stack = AsyncExitStack()


def mark_disconnected(server: Any) -> None:
    """Mark a server as not connected, after a failed attempt to connect."""
    if hasattr(server, "session"):
        server.session = None
