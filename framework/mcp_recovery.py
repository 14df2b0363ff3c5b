"""Recovery of a tool call whose MCP server is lost: the server is reconnected, and a safe call is repeated once."""

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
    ServerState,
    connect,
    connect_with_retries,
    is_alive,
    iterate_causes,
    server_of,
    state_of,
)
from text.shortening import shortened

logger = logging.getLogger(__name__)

MAX_FAILURE_CHARS = 2_000
"""How much of a server's message about its tool's failure the model is given."""

_LOST_ERRORS = frozenset(
    {"ClosedResourceError", "BrokenResourceError", "EndOfStream", "ReadError", "WriteError", "RemoteProtocolError"}
    | {"ConnectError", "ConnectTimeout", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError"}
    | {"BrokenPipeError", "IncompleteRead"}
)
_NEVER_SENT_ERRORS = frozenset({"ConnectError", "ConnectTimeout", "ConnectionRefusedError"})
# Errors of the protocol's client, whose messages are matched; a tool's own error may contain the same phrases.
_CLIENT_ERRORS = frozenset({"MCPError", "McpError", "RuntimeError"})
_LOST_PHRASES = ("connection closed", "connection lost", "is not connected")
_RECONNECT_FAILED_PHRASE = "failed to reconnect to mcp server"
_SESSION_LOST_PHRASES = (
    "session terminated",
    "session not found",
    "session expired",
    "unknown session",
    "no valid session",
)


class McpRecovery(FunctionMiddleware):
    """Reconnects a lost server when one of its tools is called, and repeats the call once if that is safe.

    Args:
        fail: Ends a call with a sentence for the model.
    """

    def __init__(self, fail: Callable[[FunctionInvocationContext, str], None]) -> None:
        self._fail = fail

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Call a tool, with recovery if it belongs to an MCP server."""
        tool = server_of(context.function)
        if tool is None:
            await call_next()
            return
        remote_name = (context.function.additional_properties or {})["_mcp_remote_name"]
        state = state_of(tool)
        if (state.is_lost or not await self._is_reachable(tool, remote_name)) and not await connect_with_retries(tool):
            self._fail(context, NOT_REACHED)
            return
        loss = await self._call(context, call_next, state)
        if loss is None:
            return
        state.lost_at, was_sent = monotonic(), not was_never_sent(loss)
        logger.warning(
            "MCP server was lost during a call", extra={"server": tool.name, "tool": remote_name, "sent": was_sent}
        )
        if was_sent and remote_name not in state.repeatable:
            await connect(tool)  # for later calls
            self._fail(context, UNKNOWN_OUTCOME)
        elif not await connect_with_retries(tool):
            self._fail(context, NOT_REACHED)
        elif (loss := await self._call(context, call_next, state)) is not None:
            is_safe = remote_name in state.repeatable or was_never_sent(loss)
            self._fail(context, NOT_REACHED if is_safe else UNKNOWN_OUTCOME)

    async def _call(
        self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]], state: ServerState
    ) -> Exception | None:
        """Call the tool; return the exception by which its server was lost, None if the server has answered.

        Raises:
            Exception: A failure that neither means a lost server nor is explained by the server.
        """
        try:
            with state.count_call():
                await call_next()
        except Exception as exc:
            if is_lost(exc):
                state.is_lost = True
                return exc
            if not self._explain_failure(context, exc):
                raise
        return None

    def _explain_failure(self, context: FunctionInvocationContext, exc: Exception) -> bool:
        """Give the model the server's message about its tool's failure; return whether there is one."""
        if not isinstance(exc, ToolExecutionException) or exc.__cause__ is not None:
            return False
        logger.info("MCP tool has failed", extra={"tool": context.function.name})
        self._fail(context, shortened(str(exc), MAX_FAILURE_CHARS))
        return True

    @staticmethod
    async def _is_reachable(tool: Any, remote_name: str) -> bool:
        """Return whether a server can be called; it is probed only if the call must not be repeated."""
        state = state_of(tool)
        if remote_name in state.repeatable or await is_alive(tool):
            return True
        state.is_lost, state.lost_at = True, monotonic()
        return False


def is_lost(exc: BaseException) -> bool:
    """Return whether a failure means that the connection to a server is gone."""
    return any(
        type(cause).__name__ in _LOST_ERRORS
        or _RECONNECT_FAILED_PHRASE in str(cause).lower()
        or _mentions(cause, (*_LOST_PHRASES, *_SESSION_LOST_PHRASES))
        for cause in iterate_causes(exc)
    )


def was_never_sent(exc: BaseException) -> bool:
    """Return whether a call failed before it reached its server."""
    return any(
        type(cause).__name__ in _NEVER_SENT_ERRORS or _mentions(cause, _SESSION_LOST_PHRASES)
        for cause in iterate_causes(exc)
    )


def _mentions(cause: BaseException, phrases: Iterable[str]) -> bool:
    text = str(cause).lower()
    return type(cause).__name__ in _CLIENT_ERRORS and any(phrase in text for phrase in phrases)
