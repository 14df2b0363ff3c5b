"""Restarts of MCP servers: a server that was lost recently is waited for, others are not."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import pytest

from framework.mcp_servers import RESTART_WAIT_S, connect, connect_with_retries, examine, state_of


class Restarting:
    """Refuses to be connected so many times."""

    name = "shelf"
    is_connected = False

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.tries = 0

    async def connect(self, *, reset: bool = False) -> None:
        self.tries += 1
        if self.tries <= self.refusals:
            raise ConnectionRefusedError
        self.is_connected = True

    async def load_tools(self) -> None:
        raise AssertionError("nothing was listed")


async def test_a_server_that_was_lost_a_moment_ago_is_looked_for_until_it_is_back() -> None:
    server: Any = Restarting(2)
    state_of(server).is_lost, state_of(server).lost_at = True, monotonic()
    assert await connect_with_retries(server)
    assert server.tries == 3


async def test_a_server_that_is_down_for_longer_is_looked_for_once() -> None:
    server: Any = Restarting(2)
    state_of(server).is_lost, state_of(server).lost_at = True, monotonic() - RESTART_WAIT_S
    assert not await connect_with_retries(server)
    assert server.tries == 1


async def test_the_wait_for_a_server_has_an_end() -> None:
    server: Any = Restarting(1_000)
    state_of(server).is_lost, state_of(server).lost_at = True, monotonic() - RESTART_WAIT_S + 0.3
    assert not await connect_with_retries(server)
    assert 1 < server.tries < 6


class Abandoned(Restarting):
    """Tells who calls of a connection's cancellation as if the caller were cancelled, as the framework does."""

    functions = ()

    async def connect(self, *, reset: bool = False) -> None:
        self.tries += 1
        raise asyncio.CancelledError

    async def call_tool(self) -> None:
        raise AssertionError("nothing is called")

    async def close(self) -> None:
        raise asyncio.CancelledError


async def test_the_end_of_an_abandoned_connection_does_not_cancel_its_waiters() -> None:
    server: Any = Abandoned(0)
    assert await connect(server) is False
    assert await examine(server) == (False, "cannot be connected")
    assert server.tries == 2


async def test_a_task_that_is_cancelled_while_it_connects_is_cancelled() -> None:
    class Slow(Abandoned):
        async def connect(self, *, reset: bool = False) -> None:
            await asyncio.sleep(60)

    waiting = asyncio.create_task(connect(Slow(0)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
