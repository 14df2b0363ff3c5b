"""Connections to the MCP servers of agents, opened when they are needed and reopened when they are lost.

The framework connects a server once. If the server is down then, every answer fails; if it ends later, it is called
over the closed connection. Here an answer does without a server that is down, and a lost server is reconnected. No
connection is closed while a call runs over it, since that call proves that the server is alive.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from agent_framework import Agent
from chatkit.server import ChatKitServer

from framework.inner_agents import (
    agent_executors_within,
    configured_tools,
    mcp_servers_of,
    original_agent_of,
    replace_executor_agent,
)
from framework.mcp_tool_lists import refresh_tool_lists
from framework.reachable_objects import find_class_member, iterate_reachable

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
PROBE_TIMEOUT_S = 5.0

RESTART_WAIT_S = 3.0
"""How long after its loss a server is waited for before a call fails, in seconds.

By then a supervisor has often restarted the server, including its interpreter. People wait for a restart only once: a
server that was lost earlier is tried once.
"""

RESTART_POLL_S = 0.1
MAX_RESTART_POLL_S = 0.4
"""The first and the longest pause between two attempts to reach a server that is restarting, in seconds."""

QUIET_WAIT_S = 5.0
"""How long the reconnection of a server waits for calls that are still running over its connection, in seconds."""

SILENCE_S = 60.0
IMPATIENT_TIMEOUT_S = 2.0
"""The timeout that replaces `CONNECT_TIMEOUT_S` for `SILENCE_S` seconds after a server has exceeded that."""

CLOSING_WAIT_S = 2.0

MAX_PAGES = 64
"""How many pages of a server's tools are read; tools on later pages count as not repeatable."""

# Sentences for the model.
UNKNOWN_OUTCOME = (
    "The server of this tool was lost during the call. Whether the call had any effect is not known: find out before "
    "you call it again."
)
NOT_REACHED = "The server of this tool cannot be reached at the moment, so nothing was done. Tell the person."
SERVERS_DOWN = "These servers of your tools cannot be reached now; say so if they are needed: {names}."


@dataclass(slots=True)
class ServerState:
    """The known state of a server.

    Attributes:
        is_lost: Whether the connection was lost, even if the framework has not noticed.
        lost_at: The time at which a call lost the connection, by the monotonic clock.
        connections: The number of times that the server was reconnected.
        repeatable: The names of read-only or idempotent tools, whose calls may be repeated.
        calls: The number of running calls.
        lived_at: The time of the server's last response, by the monotonic clock.
        silent_until: The time until which the shorter timeout applies, by the monotonic clock.
        listed: The tools in the server's last list, by name.
        quiet: Set while no call is running.
        lock: Held while the server is being connected.
    """

    is_lost: bool = False
    lost_at: float = -RESTART_WAIT_S
    connections: int = 0
    repeatable: frozenset[str] = frozenset()
    calls: int = 0
    lived_at: float = 0.0
    silent_until: float = 0.0
    listed: dict[str, Any] = field(default_factory=dict)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @contextmanager
    def count_call(self) -> Iterator[None]:
        """Count a running call for the duration of the block."""
        self.calls += 1
        self.quiet.clear()
        try:
            yield
            self.lived_at = monotonic()
        finally:
            self.calls -= 1
            if self.calls == 0:
                self.quiet.set()


_servers: WeakKeyDictionary[Any, ServerState] = WeakKeyDictionary()


def state_of(tool: Any) -> ServerState:
    """Return the state of a server, which callers may change."""
    return _servers.setdefault(tool, ServerState())


def servers_of(holder: Any) -> Iterator[Any]:
    """Yield the MCP servers that a use case's server references, also in agents and workflows, of either framework."""
    for thing in iterate_reachable(holder):
        # A ChatKit server may have methods of these names without being an MCP server.
        if not isinstance(thing, ChatKitServer) and (_is_server(thing) or _is_sdk_server(thing)):
            yield thing


def _is_server(value: Any) -> bool:
    # Recognised by its members: importing the class takes longer than importing Parlor, and few use cases need it.
    return _has_members(type(value), "call_tool", "load_tools", "connect", "functions")


def _is_sdk_server(value: Any) -> bool:
    return _has_members(type(value), "call_tool", "list_tools", "connect", "cleanup")


def _has_members(kind: type, *names: str) -> bool:
    return all(find_class_member(kind, name) is not None for name in names)


def server_of(function: Any) -> Any:
    """Return the MCP server that a tool belongs to; None for other tools, and if the server is unknown."""
    if (function.additional_properties or {}).get("_mcp_remote_name") is None:
        return None
    return next((each for each in list(_servers) if any(own is function for own in functions_of(each))), None)


def functions_of(tool: Any) -> list[Any]:
    """Return the tools of a server; empty if their names are ambiguous."""
    try:
        return list(tool.functions)
    except Exception:  # noqa: BLE001 - the framework raises it again where it is reported
        return []


def is_connected(tool: Any) -> bool:
    """Return whether a server counts as connected, without probing it."""
    if _is_sdk_server(tool):
        return getattr(tool, "session", None) is not None
    return bool(tool.is_connected) and not state_of(tool).is_lost


async def connect(tool: Any, *, is_patient: bool = False) -> bool:
    """Connect a server, or reconnect it if it was lost; return whether it is connected now.

    Args:
        tool: The server.
        is_patient: Whether to use the full timeout even if the server has exceeded it a moment ago.
    """
    state = state_of(tool)
    connections_before = state.connections
    async with state.lock:
        if is_connected(tool) or state.connections != connections_before:
            return is_connected(tool)
        is_patient = is_patient or monotonic() >= state.silent_until
        if state.calls and tool.is_connected:
            if await _responds(tool):
                state.is_lost = False
                return True
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_WAIT_S):
                    await state.quiet.wait()
            if state.calls:
                return False
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S if is_patient else IMPATIENT_TIMEOUT_S):
                refresh_tool_lists(tool)
                with _translate_cancellation():
                    await tool.connect(reset=bool(state.is_lost or tool.is_connected))
                await _read_tools(tool)
        except Exception as exc:  # noqa: BLE001 - whatever a server does, the answer goes on without it
            if isinstance(exc, TimeoutError):
                state.silent_until = monotonic() + SILENCE_S if is_patient else state.silent_until
                await _cancel_connecting(tool)
            state.is_lost = True
            level = logging.INFO if monotonic() < state.lost_at + RESTART_WAIT_S else logging.WARNING
            error_type = _root_error_name(exc)
            logger.log(level, "MCP server cannot be connected", extra={"server": tool.name, "error_type": error_type})
            return False
        state.is_lost, state.silent_until = False, 0.0
        state.connections += 1
        return True


async def connect_with_retries(tool: Any) -> bool:
    """Reconnect a lost server, with retries until `RESTART_WAIT_S` after its loss; return whether it is connected.

    A server that was lost earlier is tried once.
    """
    state, pause_s = state_of(tool), RESTART_POLL_S
    while not await connect(tool):
        left_s = state.lost_at + RESTART_WAIT_S - monotonic()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, MAX_RESTART_POLL_S)
    return True


async def _cancel_connecting(tool: Any) -> None:
    """Cancel an attempt to connect that has timed out, since the next one would have to wait for it."""
    owner = getattr(tool, "_lifecycle_owner_task", None)
    if isinstance(owner, asyncio.Task) and not owner.done():
        owner.cancel()
        await asyncio.wait([owner], timeout=CLOSING_WAIT_S)


@contextmanager
def _translate_cancellation() -> Iterator[None]:
    """Translate a `CancelledError` into a `ConnectionAbortedError`, unless the current task was cancelled itself.

    When a connection is abandoned, the framework raises its `CancelledError` in all calls that wait for it.
    """
    try:
        yield
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionAbortedError("the connection was abandoned while it was waited for") from exc


async def with_servers(agent: Any) -> tuple[Any, list[str]]:
    """Connect an agent's servers; return the agent without the servers that are down, and the names of these.

    Agents within a workflow lose them too; their instructions then mention the missing servers.
    """
    executors = [(executor, original_agent_of(inner)) for executor, inner in agent_executors_within(agent)]
    holders = [agent, *(inner for _, inner in executors)]
    tools = list({id(tool): tool for holder in holders for tool in mcp_servers_of(holder)}.values())
    if not tools:
        return agent, []
    outcomes = await asyncio.gather(*(ensure_connected(tool) for tool in tools))
    down = {id(tool) for tool, is_connected_now in zip(tools, outcomes, strict=True) if not is_connected_now}
    for executor, inner in executors:
        stand_in, missing = _without_servers(inner, down)
        if missing:
            options = dict(stand_in.default_options)
            parts = (options.get("instructions"), SERVERS_DOWN.format(names=", ".join(missing)))
            stand_in.default_options = {**options, "instructions": "\n\n".join(part for part in parts if part)}
        replace_executor_agent(executor, inner, stand_in)
        _give_unique_names(stand_in)
    agent, missing = _without_servers(agent, down)
    _give_unique_names(agent)
    return agent, missing


def _without_servers(agent: Any, down: set[int]) -> tuple[Any, list[str]]:
    """Return a copy of an agent without the servers that are down, and their names."""
    if not isinstance(agent, Agent) or not any(id(tool) in down for tool in agent.mcp_tools):
        return agent, []
    without: Any = copy.copy(agent)
    without.mcp_tools = [tool for tool in agent.mcp_tools if id(tool) not in down]
    return without, [tool.name for tool in agent.mcp_tools if id(tool) in down]


def _give_unique_names(agent: Any) -> None:
    """Prefix a tool's name with that of its server if another tool of the agent has the same name.

    The framework would refuse the agent, although only the list of a server may have changed.
    """
    seen = {getattr(tool, "name", None) for tool in configured_tools(agent)}
    for tool in mcp_servers_of(agent):
        for function in functions_of(tool):
            if function.name in seen:
                function.name = f"{tool.name}_{function.name}"
                logger.warning("two tools have one name", extra={"server": tool.name, "tool": function.name})
            seen.add(function.name)


async def ensure_connected(tool: Any) -> bool:
    """Reconnect a server if it was lost; return whether it is connected."""
    if is_connected(tool) and not await is_alive(tool):
        state_of(tool).is_lost = True
    return await connect(tool)


async def is_alive(tool: Any) -> bool:
    """Return whether a connected server responds; a running call counts as a response."""
    state = state_of(tool)
    if state.calls:
        return True
    asked_at = monotonic()
    # A call may have started meanwhile, and keep the server from responding to the probe.
    return await _responds(tool) or state.calls > 0 or state.lived_at > asked_at


async def _responds(tool: Any) -> bool:
    """Request a server's list of tools as a probe; return whether it responds."""
    state, asked_at = state_of(tool), monotonic()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await _read_tools(tool)
    except Exception:  # noqa: BLE001 - the loss of a server shows in many exceptions
        return state.lived_at > asked_at
    return True


async def _read_tools(tool: Any) -> None:
    """Read a server's list of tools, and let the framework reload them if they have changed."""
    state = state_of(tool)
    listed: dict[str, Any] = {}
    async for page in _list_tool_pages(tool):
        state.lived_at = monotonic()
        listed |= {each.name: each for each in page.tools}
    hints = {name: each.annotations for name, each in listed.items() if each.annotations is not None}
    state.repeatable = frozenset(name for name, hint in hints.items() if hint.read_only_hint or hint.idempotent_hint)
    previous, state.listed = state.listed, listed
    if previous and previous != listed and tool.is_connected:
        changed = {name for name, each in previous.items() if listed.get(name) != each}
        functions = getattr(tool, "_functions", None)
        if isinstance(functions, list):
            # The framework would keep a tool whose name is unchanged, even if other properties have changed.
            functions[:] = [
                each for each in functions if (each.additional_properties or {}).get("_mcp_remote_name") not in changed
            ]
        await tool.load_tools()


async def _list_tool_pages(tool: Any) -> AsyncIterator[Any]:
    # The framework exposes neither the connection nor the tools' annotations; a test notices when that changes.
    connection = getattr(tool, "_connection", None)
    if connection is None:
        return  # an author's own class
    from mcp.types import PaginatedRequestParams  # not before a server is connected: it takes long

    page = await connection.list_tools_page(None)
    yield page
    for _ in range(MAX_PAGES - 1):
        if not page.next_cursor:
            return
        page = await connection.list_tools_page(PaginatedRequestParams(cursor=page.next_cursor))
        yield page


def iterate_causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and contexts, and the members of exception groups."""
    waiting, seen = [exc], set[int]()
    while waiting and len(seen) < 32:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        waiting += [each for each in (cause.__cause__, cause.__context__) if each is not None]


def _root_error_name(exc: BaseException) -> str:
    return type(next((cause for cause in iterate_causes(exc) if cause.__cause__ is None), exc)).__name__


async def examine(tool: Any) -> tuple[bool, str]:
    """Connect a server, if it is not connected; return whether that works, and a sentence for the operator."""
    if _is_sdk_server(tool):
        return await _examine_sdk_server(tool)
    was_connected = is_connected(tool)
    is_connected_now = await connect(tool, is_patient=True)
    report = f"connected, {len(functions_of(tool))} tools" if is_connected_now else "cannot be connected"
    if not was_connected:
        with suppress(Exception):
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                with _translate_cancellation():
                    await tool.close()
    return is_connected_now, report


async def _examine_sdk_server(server: Any) -> tuple[bool, str]:
    was_connected = is_connected(server)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            if not was_connected:
                with _translate_cancellation():
                    await server.connect()
            # A filter may depend on the answer, and there is none here.
            is_unfiltered = not callable(getattr(server, "tool_filter", None))
            tool_count = f", {len(await server.list_tools())} tools" if is_unfiltered else ""
    except Exception:  # noqa: BLE001 - a server that is down shows in many exceptions
        return False, "cannot be connected"
    else:
        return True, f"connected{tool_count}"
    finally:
        if not was_connected:
            with suppress(Exception):
                async with asyncio.timeout(PROBE_TIMEOUT_S):
                    with _translate_cancellation():
                        await server.cleanup()
