"""MCP servers of the Agents SDK: whether one is connected, and how to drop a lost connection.

`tests/unit/framework/test_sdk_agents.py` notices a change. The SDK is not imported here.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any


def has_session(server: Any) -> bool:
    """Return whether a server is connected, as far as it knows; one of a class without sessions knows best."""
    return getattr(server, "session", server) is not None


def let_go(server: Any) -> None:
    """Have a server forget a connection that it cannot close here: one closes it in the task that has opened it."""
    if hasattr(server, "exit_stack"):
        server.exit_stack = AsyncExitStack()


def forget_session(server: Any) -> None:
    """Have a server know that it is not connected, after an attempt that has failed."""
    if hasattr(server, "session"):
        server.session = None
