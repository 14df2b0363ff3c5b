"""Recovery of a tool's call when its server is lost: reconnected once, and called again where that is safe."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Any

from agent_framework import FunctionInvocationContext, FunctionMiddleware
from agent_framework.exceptions import ToolExecutionException

from framework.mcp_servers import (
    NOT_REACHED,
    UNKNOWN_OUTCOME,
    connect,
    connect_soon,
    is_there,
    links,
    server_of,
    state_of,
)
from text.shortening import shortened

logger = logging.getLogger(__name__)

MAX_FAILURE_CHARS = 2_000
"""How much the model is told of the words in which a server explains its tool's failure."""

_LOST = frozenset(
    {"ClosedResourceError", "BrokenResourceError", "EndOfStream", "ReadError", "WriteError", "RemoteProtocolError"}
    | {"ConnectError", "ConnectTimeout", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError"}
    | {"BrokenPipeError", "IncompleteRead"}
)
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "ConnectionRefusedError"})
# Said by the client of the protocol; a tool may say the same of something else.
_CLIENT_ERRORS = frozenset({"MCPError", "McpError", "RuntimeError"})
_LOST_WORDS = ("connection closed", "connection lost", "is not connected")
_NOT_RECONNECTED = "failed to reconnect to mcp server"
_FORGOTTEN_WORDS = ("session terminated", "session not found", "session expired", "unknown session", "no valid session")


class McpRecovery(FunctionMiddleware):
    """Reconnects a server that is lost when one of its tools is called, once, and repeats the call where it may.

    Args:
        fail: Ends a call with a sentence for the model.
    """

    def __init__(self, fail: Callable[[FunctionInvocationContext, str], None]) -> None:
        self._fail = fail

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Call the tool; of another kind of tools nothing is known here."""
        tool = server_of(context.function)
        if tool is None:
            await call_next()
            return
        remote_name = (context.function.additional_properties or {})["_mcp_remote_name"]
        state = state_of(tool)
        if (state.is_lost or not await self._is_there(tool, remote_name)) and not await connect_soon(tool):
            self._fail(context, NOT_REACHED)
            return
        try:
            with state.calling():
                await call_next()
            return
        except Exception as exc:
            if not is_lost(exc):
                if not self._is_explained(context, exc):
                    raise
                return
            state.is_lost, state.lost_at = True, monotonic()
            was_sent = not was_never_sent(exc)
            logger.warning(
                "MCP server was lost during a call", extra={"server": tool.name, "tool": remote_name, "sent": was_sent}
            )
        if was_sent and remote_name not in state.repeatable:
            await connect(tool)  # for the calls to come
            self._fail(context, UNKNOWN_OUTCOME)
        elif not await connect_soon(tool):
            self._fail(context, NOT_REACHED)
        else:
            try:
                with state.calling():
                    await call_next()
            except Exception as exc:
                if not is_lost(exc):
                    if not self._is_explained(context, exc):
                        raise
                    return
                state.is_lost = True
                is_safe = remote_name in state.repeatable or was_never_sent(exc)
                self._fail(context, NOT_REACHED if is_safe else UNKNOWN_OUTCOME)

    def _is_explained(self, context: FunctionInvocationContext, exc: Exception) -> bool:
        """Tell the model what a server says of its tool's failure; return whether it is one of these."""
        if not isinstance(exc, ToolExecutionException) or exc.__cause__ is not None:
            return False
        logger.info("MCP tool has failed", extra={"tool": context.function.name})
        self._fail(context, shortened(str(exc), MAX_FAILURE_CHARS))
        return True

    @staticmethod
    async def _is_there(tool: Any, remote_name: str) -> bool:
        """Return whether a server can be called; asked only where a call must not be made twice."""
        state = state_of(tool)
        if remote_name in state.repeatable or await is_there(tool):
            return True
        state.is_lost, state.lost_at = True, monotonic()
        return False


def is_lost(exc: BaseException) -> bool:
    """Return whether a failure means that the connection to a server is gone."""
    return any(
        type(link).__name__ in _LOST
        or _NOT_RECONNECTED in str(link).lower()
        or _says(link, (*_LOST_WORDS, *_FORGOTTEN_WORDS))
        for link in links(exc)
    )


def was_never_sent(exc: BaseException) -> bool:
    """Return whether a call that was lost has not reached its server."""
    return any(type(link).__name__ in _NEVER_SENT or _says(link, _FORGOTTEN_WORDS) for link in links(exc))


def _says(link: BaseException, words: Iterable[str]) -> bool:
    text = str(link).lower()
    return type(link).__name__ in _CLIENT_ERRORS and any(word in text for word in words)
