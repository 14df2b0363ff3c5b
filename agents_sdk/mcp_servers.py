"""MCP servers of the Agents SDK: connected when an agent needs them, and again after a connection is lost.

The SDK expects servers to be connected before the run, and fails the run if one does not answer. Here an answer does
without the tools of a server that is down, and the next answer tries it again.
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
from framework.sdk_mcp_servers import drop_connection, has_session, mark_disconnected

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
LIST_TIMEOUT_S = 5.0
CLEANUP_TIMEOUT_S = 2.0


@dataclass(slots=True)
class _Connection:
    """State of a server's connection, also when the author opened it.

    Attributes:
        manager: Connects and closes the server in one task, as its transport demands; None if the author does.
        lock: Held while a connection is being made.
        count: Number of times that a connection was made here.
        calls: Number of calls of the server's tools that are running.
        quiet: Set when the last running call ends.
    """

    manager: MCPServerManager | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    count: int = 0
    calls: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)


_connections: WeakKeyDictionary[MCPServer, _Connection] = WeakKeyDictionary()


async def list_tools(server: MCPServer, ask: Callable[[], Any]) -> Any:
    """Return the tools of a server, connecting it first where necessary; None when it cannot be reached.

    Args:
        server: The server; connected here, in an `async with` of the author's, or by `connect()`.
        ask: Asks the server for its tools; called a second time when the connection was lost.
    """
    connection = _connections.setdefault(server, _Connection())
    for is_last in (False, True):
        count = connection.count
        if not has_session(server) and not await _connect(server, connection, count):
            break
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                return await ask()
        except Exception as exc:  # noqa: BLE001 - a lost connection shows in many ways
            kind = type(exc).__name__
            logger.warning("MCP server does not answer", extra={"server": server.name, "error_type": kind})
        if is_last or not await _connect(server, connection, count):
            break
    return None


async def ensure_connected(server: MCPServer) -> None:
    """Connect a server unless it is connected; a failure shows when the server is used."""
    connection = _connections.setdefault(server, _Connection())
    if not has_session(server):
        await _connect(server, connection, connection.count)


@contextmanager
def count_call(server: MCPServer) -> Iterator[int]:
    """Count a running call, and yield the number of the connection that it uses."""
    connection = _connections.setdefault(server, _Connection())
    connection.calls += 1
    connection.quiet.clear()
    try:
        yield connection.count
    finally:
        connection.calls -= 1
        if connection.calls == 0:
            connection.quiet.set()


async def reconnect(server: MCPServer, number: int) -> bool:
    """Reconnect a server that was lost, trying for `RESTART_WAIT_S` seconds; return whether it is back.

    Args:
        server: The server.
        number: The number of the connection that was lost; a newer one is used as it is.
    """
    connection, pause_s, until = _connections[server], RESTART_POLL_S, monotonic() + RESTART_WAIT_S
    while not await _connect(server, connection, number):
        number, left_s = connection.count, until - monotonic()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, MAX_RESTART_POLL_S)
    return True


def forget_tools(server: MCPServer) -> None:
    """Drop the SDK's cached list of a server's tools, so that the next answer finds out whether it still answers."""
    invalidate: Any = getattr(server, "invalidate_tools_cache", None)
    if callable(invalidate):
        invalidate()


async def _connect(server: MCPServer, connection: _Connection, count: int) -> bool:
    """Connect or reconnect a server; return whether it is connected now.

    Args:
        server: The server.
        connection: The state of its connection.
        count: The number of the connection that has failed; if there is a newer one, nothing is done.
    """
    async with connection.lock:
        if connection.count != count:
            return has_session(server)
        if connection.calls:
            # Calls of a server that has gone end at once; those of a living one get time to finish.
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_WAIT_S):
                    await connection.quiet.wait()
        if connection.manager is not None:
            await connection.manager.cleanup_all()
        elif has_session(server):
            # The author's task opened this connection, and only that task can close it.
            drop_connection(server)
        forget_tools(server)
        connection.manager = MCPServerManager(
            [server],
            connect_timeout_seconds=CONNECT_TIMEOUT_S,
            cleanup_timeout_seconds=CLEANUP_TIMEOUT_S,
            connect_in_parallel=True,
        )
        connection.count += 1
        if await connection.manager.connect_all():
            return True
        await connection.manager.cleanup_all()
        connection.manager = None
        mark_disconnected(server)
        logger.warning("MCP server cannot be connected", extra={"server": server.name})
        return False
