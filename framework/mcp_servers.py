"""Servers of the Model Context Protocol whose tools an agent has: connected when they are needed, and again when lost.

The framework connects a server once. One that was down then fails every answer, and one that has ended keeps being
asked over a connection that is closed. Here a server that is down is left out of the answer, and one that is lost is
connected anew. No connection is closed while a call runs over it: that call proves that its server lives.
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

from framework.held_things import member_of, things_held_by
from framework.inner_agents import agent_executors_within, given_tools, mcp_servers_of, original_of, put_agent
from framework.mcp_tool_lists import list_anew

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
PROBE_TIMEOUT_S = 5.0

RESTART_WAIT_S = 3.0
"""So long after its loss a server may take to be back, until a call is told that it cannot be reached.

A supervisor has often started one anew by then, an interpreter and all. A person waits for it once: what was lost
longer ago is looked for once.
"""

RESTART_POLL_S = 0.1
MAX_RESTART_POLL_S = 0.4
"""Pauses between two attempts to reach a server that is restarting: the first, and the longest."""

QUIET_WAIT_S = 5.0
"""How long a server that seems lost is waited for until no call runs over its connection any more."""

SILENCE_S = 60.0
IMPATIENT_TIMEOUT_S = 2.0
"""The longest wait, for `SILENCE_S`, for a server that did not answer in `CONNECT_TIMEOUT_S`."""

CLOSING_WAIT_S = 2.0

MAX_PAGES = 64
"""Pages of a server's tools that are read; the tools beyond are not known to be repeatable."""

# What the model is told.
UNKNOWN_OUTCOME = (
    "The server of this tool was lost during the call. Whether the call had any effect is not known: find out before "
    "you call it again."
)
NOT_REACHED = "The server of this tool cannot be reached at the moment, so nothing was done. Tell the person."
ABSENCE = "These servers of your tools cannot be reached now; say so if they are needed: {names}."


@dataclass(slots=True)
class ServerState:
    """State of a server, as far as it is known.

    Attributes:
        is_lost: Whether the connection was lost, though the framework may not know.
        lost_at: The time at which a call lost the connection, by the monotonic clock.
        connections: The number of times that the server was reconnected.
        repeatable: The tools that may be called twice: they only read, or do the same again.
        calls: How many calls are running.
        lived_at: The time of the server's last answer, by the monotonic clock.
        silent_until: Until when it is hardly waited for, as it has kept somebody waiting.
        listed: The tools as it listed them last, by name.
        quiet: Set while no call is running.
        lock: Held while it is connected.
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
    def calling(self) -> Iterator[None]:
        """Count a call that is running."""
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
    """Return the servers that a use case's server holds, in its agents and workflows too, of either framework."""
    for thing in things_held_by(holder):
        # A use case's own server object may have methods of these names without being a server of tools.
        if not isinstance(thing, ChatKitServer) and (_is_server(thing) or _is_sdk_server(thing)):
            yield thing


def _is_server(value: Any) -> bool:
    # Recognised by its members: importing the class takes longer than all of Parlor, and most have no such server.
    return _defines(type(value), "call_tool", "load_tools", "connect", "functions")


def _is_sdk_server(value: Any) -> bool:
    return _defines(type(value), "call_tool", "list_tools", "connect", "cleanup")


def _defines(kind: type, *names: str) -> bool:
    return all(member_of(kind, name) is not None for name in names)


def server_of(function: Any) -> Any:
    """Return the MCP server that a tool belongs to; None for any other tool, and when the server is not known."""
    if (function.additional_properties or {}).get("_mcp_remote_name") is None:
        return None
    return next((each for each in list(_servers) if any(own is function for own in functions_of(each))), None)


def functions_of(tool: Any) -> list[Any]:
    """Return the tools of a server; none where its author's names for them mean several."""
    try:
        return list(tool.functions)
    except Exception:  # noqa: BLE001 - the framework raises it again where it is told to somebody
        return []


def is_connected(tool: Any) -> bool:
    """Return whether a server is connected, as far as is known without asking it."""
    if _is_sdk_server(tool):
        return getattr(tool, "session", None) is not None
    return bool(tool.is_connected) and not state_of(tool).is_lost


async def connect(tool: Any, *, is_patient: bool = False) -> bool:
    """Connect a server unless it is connected, or reconnect it if it was lost; return whether it is connected now.

    Args:
        tool: The server.
        is_patient: Whether to wait as long also for one that has kept somebody waiting a moment ago.
    """
    state = state_of(tool)
    before = state.connections
    async with state.lock:
        if is_connected(tool) or state.connections != before:
            return is_connected(tool)
        is_patient = is_patient or monotonic() >= state.silent_until
        if state.calls and tool.is_connected:
            if await _answers(tool):
                state.is_lost = False
                return True
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_WAIT_S):
                    await state.quiet.wait()
            if state.calls:
                return False
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S if is_patient else IMPATIENT_TIMEOUT_S):
                list_anew(tool)
                with _cancelled_only_by_others():
                    await tool.connect(reset=bool(state.is_lost or tool.is_connected))
                await _read_tools(tool)
        except Exception as exc:  # noqa: BLE001 - whatever a server does, the answer goes on without it
            if isinstance(exc, TimeoutError):
                state.silent_until = monotonic() + SILENCE_S if is_patient else state.silent_until
                await _abandon(tool)
            state.is_lost = True
            level = logging.INFO if monotonic() < state.lost_at + RESTART_WAIT_S else logging.WARNING
            logger.log(level, "MCP server cannot be connected", extra={"server": tool.name, "error_type": _kind(exc)})
            return False
        state.is_lost, state.silent_until = False, 0.0
        state.connections += 1
        return True


async def connect_soon(tool: Any) -> bool:
    """Connect a server that was lost, and look again until `RESTART_WAIT_S` after its loss; return whether it is back.

    A server that was not lost a moment ago is looked for once.
    """
    state, pause_s = state_of(tool), RESTART_POLL_S
    while not await connect(tool):
        left_s = state.lost_at + RESTART_WAIT_S - monotonic()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, MAX_RESTART_POLL_S)
    return True


async def _abandon(tool: Any) -> None:
    """End an abandoned attempt to connect, since the next one would have to wait for it."""
    owner = getattr(tool, "_lifecycle_owner_task", None)
    if isinstance(owner, asyncio.Task) and not owner.done():
        owner.cancel()
        await asyncio.wait([owner], timeout=CLOSING_WAIT_S)


@contextmanager
def _cancelled_only_by_others() -> Iterator[None]:
    """Raise `ConnectionAbortedError` where a call says that it was cancelled, and nobody has cancelled who calls.

    The framework ends the calls that wait for an abandoned connection with the `CancelledError` of that connection.
    """
    try:
        yield
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionAbortedError("the connection was abandoned while it was waited for") from exc


async def with_servers(agent: Any) -> tuple[Any, list[str]]:
    """Return an agent whose servers are connected, and the names of those that it lacks because they are down.

    Agents within a workflow are left without those too, and told so in their instructions.
    """
    executors = [(executor, original_of(inner)) for executor, inner in agent_executors_within(agent)]
    holders = [agent, *(inner for _, inner in executors)]
    tools = list({id(tool): tool for holder in holders for tool in mcp_servers_of(holder)}.values())
    if not tools:
        return agent, []
    there = await asyncio.gather(*(is_made_sure_of(tool) for tool in tools))
    down = {id(tool) for tool, is_there in zip(tools, there, strict=True) if not is_there}
    for executor, inner in executors:
        whole, missing = _without_servers(inner, down)
        if missing:
            options = dict(whole.default_options)
            told = (options.get("instructions"), ABSENCE.format(names=", ".join(missing)))
            whole.default_options = {**options, "instructions": "\n\n".join(each for each in told if each)}
        put_agent(executor, inner, whole)
        _give_unique_names(whole)
    agent, missing = _without_servers(agent, down)
    _give_unique_names(agent)
    return agent, missing


def _without_servers(agent: Any, down: set[int]) -> tuple[Any, list[str]]:
    """Return an agent without the servers that are down, and their names."""
    if not isinstance(agent, Agent) or not any(id(tool) in down for tool in agent.mcp_tools):
        return agent, []
    without: Any = copy.copy(agent)
    without.mcp_tools = [tool for tool in agent.mcp_tools if id(tool) not in down]
    return without, [tool.name for tool in agent.mcp_tools if id(tool) in down]


def _give_unique_names(agent: Any) -> None:
    """Name a server's tool after its server too where another of the agent's tools has its name.

    The framework would refuse the agent, though only a server's list may have changed.
    """
    seen = {getattr(tool, "name", None) for tool in given_tools(agent)}
    for tool in mcp_servers_of(agent):
        for function in functions_of(tool):
            if function.name in seen:
                function.name = f"{tool.name}_{function.name}"
                logger.warning("two tools have one name", extra={"server": tool.name, "tool": function.name})
            seen.add(function.name)


async def is_made_sure_of(tool: Any) -> bool:
    """Return whether a server can be called, after reconnecting it if it was lost."""
    if is_connected(tool) and not await is_there(tool):
        state_of(tool).is_lost = True
    return await connect(tool)


async def is_there(tool: Any) -> bool:
    """Return whether a connected server answers. A call that is running over its connection proves that."""
    state = state_of(tool)
    if state.calls:
        return True
    asked_at = monotonic()
    # A call may have begun meanwhile, and keep the server from answering anybody else.
    return await _answers(tool) or state.calls > 0 or state.lived_at > asked_at


async def _answers(tool: Any) -> bool:
    """Ask a server for its tools; return whether it answers."""
    state, asked_at = state_of(tool), monotonic()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await _read_tools(tool)
    except Exception:  # noqa: BLE001 - a server that is gone says so in many ways
        return state.lived_at > asked_at
    return True


async def _read_tools(tool: Any) -> None:
    """Ask a server for its tools, and let the framework load them again if they have changed."""
    state = state_of(tool)
    listed: dict[str, Any] = {}
    async for page in _pages(tool):
        state.lived_at = monotonic()
        listed |= {each.name: each for each in page.tools}
    hints = {name: each.annotations for name, each in listed.items() if each.annotations is not None}
    state.repeatable = frozenset(name for name, hint in hints.items() if hint.read_only_hint or hint.idempotent_hint)
    before, state.listed = state.listed, listed
    if before and before != listed and tool.is_connected:
        changed = {name for name, each in before.items() if listed.get(name) != each}
        functions = getattr(tool, "_functions", None)
        if isinstance(functions, list):
            # The framework keeps a tool that it has under the name, whatever else has changed.
            functions[:] = [
                each for each in functions if (each.additional_properties or {}).get("_mcp_remote_name") not in changed
            ]
        await tool.load_tools()


async def _pages(tool: Any) -> AsyncIterator[Any]:
    # The framework keeps the connection and the tools' annotations to itself; a test notices when that changes.
    connection = getattr(tool, "_connection", None)
    if connection is None:
        return  # of a class of its own, which knows best
    from mcp.types import PaginatedRequestParams  # not before a server is connected: it takes long

    page = await connection.list_tools_page(None)
    yield page
    for _ in range(MAX_PAGES - 1):
        if not page.next_cursor:
            return
        page = await connection.list_tools_page(PaginatedRequestParams(cursor=page.next_cursor))
        yield page


def links(exc: BaseException) -> Iterator[BaseException]:
    """Return an exception, and those that it comes from."""
    waiting, seen = [exc], set[int]()
    while waiting and len(seen) < 32:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        waiting += [each for each in (link.__cause__, link.__context__) if each is not None]


def _kind(exc: BaseException) -> str:
    return type(next((link for link in links(exc) if link.__cause__ is None), exc)).__name__


async def examine(tool: Any) -> tuple[bool, str]:
    """Connect a server, if it is not connected, and return whether that works and what was found, for the operator."""
    if _is_sdk_server(tool):
        return await _examine_sdk_server(tool)
    was_connected = is_connected(tool)
    is_there = await connect(tool, is_patient=True)
    found = f"connected, {len(functions_of(tool))} tools" if is_there else "cannot be connected"
    if not was_connected:
        with suppress(Exception):
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                with _cancelled_only_by_others():
                    await tool.close()
    return is_there, found


async def _examine_sdk_server(server: Any) -> tuple[bool, str]:
    was_connected = is_connected(server)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            if not was_connected:
                with _cancelled_only_by_others():
                    await server.connect()
            # Which tools are visible can depend on the answer, and there is none here.
            is_for_all = not callable(getattr(server, "tool_filter", None))
            found = f", {len(await server.list_tools())} tools" if is_for_all else ""
    except Exception:  # noqa: BLE001 - a server that is down says so in many ways
        return False, "cannot be connected"
    else:
        return True, f"connected{found}"
    finally:
        if not was_connected:
            with suppress(Exception):
                async with asyncio.timeout(PROBE_TIMEOUT_S):
                    with _cancelled_only_by_others():
                        await server.cleanup()
