"""Calls of MCP tools of an Agents SDK agent: if the server's connection is lost, it is reconnected once.

The rule is that of Agent Framework's servers: a call is repeated if it only reads, if it is idempotent, or if it never
reached its server. The outcome of any other lost call is unknown, and the model is told so.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from agents import UserError
from agents.mcp import MCPServer

from agents_sdk.mcp_servers import calling, connect_with_retries, list_tools
from framework.mcp_recovery import is_lost, was_never_sent
from framework.mcp_servers import NOT_REACHED

logger = logging.getLogger(__name__)


class NotReachedError(UserError):
    """The server of a tool cannot be reached, and nothing was done."""

    def __init__(self) -> None:
        super().__init__(NOT_REACHED)


class RecoveringServer:
    """Wraps an MCP server for one answer, and recovers calls that are lost with the connection.

    Args:
        server: The server.
    """

    def __init__(self, server: MCPServer) -> None:
        self._server = server
        self._repeatable: frozenset[str] = frozenset()
        self._list: Any = server.list_tools

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    async def list_tools(self, *context: Any) -> Any:
        """Return the server's tools, and note which of them may be called twice."""
        self._list = partial(self._server.list_tools, *context)
        tools = await self._list()
        hints = {tool.name: tool.annotations for tool in tools if tool.annotations is not None}
        self._repeatable = frozenset(
            name for name, hint in hints.items() if hint.read_only_hint or hint.idempotent_hint
        )
        return tools

    async def call_tool(self, name: str, arguments: Any, **more: Any) -> Any:
        """Call a tool, and once more if the connection was lost and repeating is safe.

        Raises:
            NotReachedError: When the server cannot be reached, and the call was not made.
            Exception: Any failure of the call itself.
        """
        is_repeatable = name in self._repeatable
        # Listing first finds a lost connection before a call that must not be repeated.
        if not is_repeatable and await list_tools(self._server, self._list) is None:
            raise NotReachedError
        try:
            with calling(self._server) as number:
                return await self._server.call_tool(name, arguments, **more)
        except Exception as exc:
            if not is_lost(exc):
                raise
            was_sent = not was_never_sent(exc)
            logger.warning(
                "MCP server was lost during a call", extra={"server": self._server.name, "tool": name, "sent": was_sent}
            )
            if was_sent and not is_repeatable:
                raise
        if not await connect_with_retries(self._server, number):
            raise NotReachedError
        try:
            with calling(self._server):
                return await self._server.call_tool(name, arguments, **more)
        except Exception as exc:
            if is_lost(exc) and (is_repeatable or was_never_sent(exc)):
                raise NotReachedError from exc
            raise
