"""Calls of the tools of an Agents SDK agent's MCP servers: their server is connected anew where it is lost, once.

The rule is that of Agent Framework's servers: a call is repeated that only reads, or does the same again, or that has
not reached its server. What becomes of any other is not known, and the model is told so.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from agents import UserError
from agents.mcp import MCPServer

from agents_sdk.mcp_servers import calling, connect_soon, list_tools
from framework.mcp_recovery import is_lost, was_never_sent
from framework.mcp_servers import NOT_REACHED

logger = logging.getLogger(__name__)


class NotReachedError(UserError):
    """The server of a tool cannot be reached, and nothing was done."""

    def __init__(self) -> None:
        super().__init__(NOT_REACHED)


class RecoveringServer:
    """Stands for an MCP server in one answer, and is the same in all but what becomes of a call when it is lost.

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
        """Call a tool, and once more where its server was lost and that is safe.

        Raises:
            NotReachedError: Nothing was done.
            Exception: The failure of the call.
        """
        is_repeatable = name in self._repeatable
        # Asked only where a call must not be made twice.
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
        if not await connect_soon(self._server, number):
            raise NotReachedError
        try:
            with calling(self._server):
                return await self._server.call_tool(name, arguments, **more)
        except Exception as exc:
            if is_lost(exc) and (is_repeatable or was_never_sent(exc)):
                raise NotReachedError from exc
            raise
