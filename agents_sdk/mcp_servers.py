"""MCP servers of the Agents SDK: connected when an agent needs them, and again when they were lost.

The SDK wants a server to be connected before the run, and fails the run whose server does not answer. Here a server
that is down costs an answer its tools, and the next answer looks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from agents.mcp import MCPServer, MCPServerManager

from framework.mcp_servers import MAX_RESTART_POLL_S, QUIET_WAIT_S, RESTART_POLL_S, RESTART_WAIT_S
from framework.sdk_mcp_servers import forget_session, has_session, let_go

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
LIST_TIMEOUT_S = 5.0
CLEANUP_TIMEOUT_S = 2.0


@dataclass(slots=True)
class _Connection:
    """How a server was connected, if it was by us.

    Attributes:
        manager: Connects and closes it in one task, as its transport demands.
        lock: Held while it is connected.
        count: How often it was connected.
        calls: How many calls of its tools are running.
        quiet: Set while no call is running.
    """

    manager: MCPServerManager | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    count: int = 0
    calls: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)


_connections: WeakKeyDictionary[MCPServer, _Connection] = WeakKeyDictionary()


async def listed(server: MCPServer, tools: Callable[[], Any]) -> Any:
    """Return what `tools` returns of a server that is connected; None when the server cannot be reached.

    Args:
        server: The server; connected here, in an `async with` of the author's, or by `connect()`.
        tools: Asks it for its tools; called once more where the connection was lost.
    """
    connection = _connections.setdefault(server, _Connection())
    for is_last in (False, True):
        count = connection.count
        if not has_session(server) and not await _connect(server, connection, count):
            break
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                return await tools()
        except Exception as exc:  # noqa: BLE001 - a server that is gone says so in many ways
            kind = type(exc).__name__
            logger.warning("MCP server does not answer", extra={"server": server.name, "error_type": kind})
        if is_last or not await _connect(server, connection, count):
            break
    return None


async def ensure_connected(server: MCPServer) -> None:
    """Connect a server that is not; where that fails, whoever uses it is told."""
    connection = _connections.setdefault(server, _Connection())
    if not has_session(server):
        await _connect(server, connection, connection.count)


@contextmanager
def calling(server: MCPServer) -> Iterator[int]:
    """Count a call that is running, and give the number of the connection that it goes over."""
    connection = _connections.setdefault(server, _Connection())
    connection.calls += 1
    connection.quiet.clear()
    try:
        yield connection.count
    finally:
        connection.calls -= 1
        if connection.calls == 0:
            connection.quiet.set()


async def connect_soon(server: MCPServer, number: int) -> bool:
    """Connect a server anew that was lost, and look for it until `RESTART_WAIT_S` from now; return whether it is back.

    Args:
        server: The server.
        number: The number of the connection that was lost; where there is a newer one, that is taken.
    """
    connection, pause_s, until = _connections[server], RESTART_POLL_S, monotonic() + RESTART_WAIT_S
    while not await _connect(server, connection, number):
        number, left_s = connection.count, until - monotonic()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, MAX_RESTART_POLL_S)
    return True


def doubt(server: MCPServer) -> None:
    """Let a server be asked for its tools again, after one of them failed: perhaps it is gone."""
    forget: Any = getattr(server, "invalidate_tools_cache", None)
    if callable(forget):
        forget()


async def _connect(server: MCPServer, connection: _Connection, count: int) -> bool:
    """Connect a server, anew if it was connected; return whether it is connected now."""
    async with connection.lock:
        if connection.count != count:
            return has_session(server)
        if connection.calls:
            # Those of a server that is gone end at once; of one that lives, they are left their connection.
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_WAIT_S):
                    await connection.quiet.wait()
        if connection.manager is not None:
            await connection.manager.cleanup_all()
        elif has_session(server):
            # Connected in a task of the author's, where alone it can be closed: it is left to that.
            let_go(server)
        doubt(server)
        connection.manager = MCPServerManager(
            [server],
            connect_timeout_seconds=CONNECT_TIMEOUT_S,
            cleanup_timeout_seconds=CLEANUP_TIMEOUT_S,
            connect_in_parallel=True,
        )
        connection.count += 1
        is_there = bool(await connection.manager.connect_all())
        if not is_there:
            await connection.manager.cleanup_all()
            connection.manager = None
            forget_session(server)
            logger.warning("MCP server cannot be connected", extra={"server": server.name})
        return is_there
