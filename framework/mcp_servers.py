"""Servers of the Model Context Protocol whose tools an agent has: connected when they are needed, and again when lost.

The framework connects a server once. One that was down then fails every answer, and one that has ended keeps being
asked over a connection that is closed. Here a server that is down is left out of the answer, and one that is lost is
connected anew, once per call; the call is repeated where that cannot do anything twice.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from agent_framework import Agent, FunctionInvocationContext, FunctionMiddleware

from framework.inner_agents import agents_within

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
PROBE_TIMEOUT_S = 5.0

UNKNOWN_OUTCOME = (
    "The server of this tool was lost during the call. Whether the call had any effect is not known: find out before "
    "you call it again."
)
NOT_REACHED = "The server of this tool cannot be reached at the moment, so nothing was done. Tell the person."

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


@dataclass(slots=True)
class _Server:
    """State of a server, as far as it is known.

    Attributes:
        is_lost: Whether it was lost, though the framework may not know.
        connections: How often it was connected anew.
        repeatable: The tools that may be called twice: they only read, or do the same again.
        lock: Held while it is connected.
    """

    is_lost: bool = False
    connections: int = 0
    repeatable: frozenset[str] = frozenset()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_servers: WeakKeyDictionary[Any, _Server] = WeakKeyDictionary()


def _state_of(tool: Any) -> _Server:
    return _servers.setdefault(tool, _Server())


def is_connected(tool: Any) -> bool:
    """Return whether a server is connected, as far as is known without asking it."""
    return bool(tool.is_connected) and not _state_of(tool).is_lost


def servers_of(holder: Any) -> Iterator[Any]:
    """Return the servers that a use case's server, or an agent, keeps in its attributes."""
    found: dict[int, Any] = {}
    for value in [*getattr(holder, "__dict__", {}).values()]:
        for each in value if isinstance(value, list | tuple) else (value,):
            servers = getattr(each, "mcp_tools", None) if isinstance(each, Agent) else [each]
            found |= {id(server): server for server in servers or () if _is_server(server)}
    yield from found.values()


def _is_server(value: Any) -> bool:
    # By its members: to import the class takes longer than all of ours, and who has none need not.
    return all(hasattr(type(value), name) for name in ("call_tool", "load_tools", "connect", "functions"))


async def connect(tool: Any) -> bool:
    """Connect a server if it is not connected, anew if it was lost; return whether it is connected now."""
    state = _state_of(tool)
    before = state.connections
    async with state.lock:
        if is_connected(tool) or state.connections != before:
            return is_connected(tool)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await tool.connect(reset=bool(state.is_lost or tool.is_connected))
                state.repeatable = frozenset(await _repeatable(tool))
        except Exception as exc:  # noqa: BLE001 - whatever a server does, the answer goes on without it
            state.is_lost = True
            logger.warning("MCP server cannot be connected", extra={"server": tool.name, "error_type": _kind(exc)})
            return False
        state.is_lost = False
        state.connections += 1
        return True


async def with_servers(agent: Any) -> tuple[Any, list[str]]:
    """Return an agent whose servers are connected, and the names of those that it lacks because they are down.

    The servers of agents within a workflow are connected too; none of those can be left out.
    """
    tools = [tool for each in agents_within(agent) for tool in getattr(each, "mcp_tools", None) or ()]
    if not tools:
        return agent, []
    there = await asyncio.gather(*(_is_made_sure_of(tool) for tool in tools))
    if all(there) or not isinstance(agent, Agent):
        return agent, []
    without: Any = copy.copy(agent)
    without.mcp_tools = [tool for tool, is_there in zip(tools, there, strict=True) if is_there]
    return without, [tool.name for tool, is_there in zip(tools, there, strict=True) if not is_there]


async def _is_made_sure_of(tool: Any) -> bool:
    if is_connected(tool) and not await _answers(tool):
        _state_of(tool).is_lost = True
    return await connect(tool)


async def _answers(tool: Any) -> bool:
    """Ask a server for its tools; return whether it answers."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _state_of(tool).repeatable = frozenset(await _repeatable(tool))
    except Exception:  # noqa: BLE001 - a server that is gone says so in many ways
        return False
    return True


async def _repeatable(tool: Any) -> list[str]:
    # The framework keeps the connection and the tools' annotations to itself; a test notices when that changes.
    connection = getattr(tool, "_connection", None)
    if connection is None:
        return []  # of a class of its own, which knows best
    page = await connection.list_tools_page(None)
    hints = [(each.name, each.annotations) for each in page.tools if each.annotations is not None]
    return [name for name, hint in hints if hint.read_only_hint or hint.idempotent_hint]


class McpRecovery(FunctionMiddleware):
    """Connects a server anew that is lost when one of its tools is called, once, and repeats the call where it may.

    Args:
        fail: Ends a call with a sentence for the model.
    """

    def __init__(self, fail: Callable[[FunctionInvocationContext, str], None]) -> None:
        self._fail = fail

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        """Call the tool; of another kind of tools nothing is known here."""
        remote_name = (context.function.additional_properties or {}).get("_mcp_remote_name")
        tool = next((each for each in list(_servers) if context.function in each.functions), None)
        if remote_name is None or tool is None:
            await call_next()
            return
        state = _state_of(tool)
        if (state.is_lost or not await self._is_there(tool, remote_name)) and not await connect(tool):
            self._fail(context, NOT_REACHED)
            return
        try:
            await call_next()
            return
        except Exception as exc:
            if not is_lost(exc):
                raise
            state.is_lost = True
            was_sent = not _was_never_sent(exc)
            logger.warning(
                "MCP server was lost during a call", extra={"server": tool.name, "tool": remote_name, "sent": was_sent}
            )
        is_there = await connect(tool)
        if was_sent and remote_name not in state.repeatable:
            self._fail(context, UNKNOWN_OUTCOME)
        elif not is_there:
            self._fail(context, NOT_REACHED)
        else:
            try:
                await call_next()
            except Exception as exc:
                if not is_lost(exc):
                    raise
                state.is_lost = True
                self._fail(context, UNKNOWN_OUTCOME if remote_name not in state.repeatable else NOT_REACHED)

    @staticmethod
    async def _is_there(tool: Any, remote_name: str) -> bool:
        """Return whether a server can be called; asked only where a call must not be made twice."""
        state = _state_of(tool)
        if remote_name in state.repeatable or await _answers(tool):
            return True
        state.is_lost = True
        return False


def _links(exc: BaseException) -> Iterator[BaseException]:
    waiting, seen = [exc], set[int]()
    while waiting and len(seen) < 32:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        waiting += [each for each in (link.__cause__, link.__context__) if each is not None]


def is_lost(exc: BaseException) -> bool:
    """Say whether a failure means that the connection to a server is gone."""
    return any(
        type(link).__name__ in _LOST
        or _NOT_RECONNECTED in str(link).lower()
        or _says(link, (*_LOST_WORDS, *_FORGOTTEN_WORDS))
        for link in _links(exc)
    )


def _was_never_sent(exc: BaseException) -> bool:
    return any(type(link).__name__ in _NEVER_SENT or _says(link, _FORGOTTEN_WORDS) for link in _links(exc))


def _says(link: BaseException, words: Iterable[str]) -> bool:
    text = str(link).lower()
    return type(link).__name__ in _CLIENT_ERRORS and any(word in text for word in words)


def _kind(exc: BaseException) -> str:
    return type(next((link for link in _links(exc) if link.__cause__ is None), exc)).__name__


async def examine(tool: Any) -> tuple[bool, str]:
    """Connect a server, if it is not connected, and return whether that works and what was found, for the operator."""
    was_connected = is_connected(tool)
    is_there = await connect(tool)
    found = f"connected, {len(tool.functions)} tools" if is_there else "cannot be connected"
    if not was_connected:
        with suppress(Exception):
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await tool.close()
    return is_there, found
