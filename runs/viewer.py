"""A viewer of a run: somebody who reads its log at their own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from runs.run_log import ViewedLog

HEARTBEAT = b": keep-alive\n\n"


class Viewer:
    """Somebody who reads a run's log at their own pace: an async iterator of server-sent events.

    Not a generator, because a generator that was never started does nothing when it is closed.

    Args:
        run_id: The run that is viewed.
        log: The events of that run.
        after: The number of the last event that the client has seen; 0 for all.
        heartbeat_s: A comment is sent after so many seconds of silence.
        with_ids: Whether to send the numbers of events, as ``id:`` lines.
        leave: Called once, when the viewer goes.

    Attributes:
        headers: Which run it is, and the number of its last event when the viewer came: a client that comes back
            names the run, and knows where its past ends and its present begins.
    """

    def __init__(
        self,
        run_id: str,
        log: ViewedLog,
        after: int,
        heartbeat_s: float,
        *,
        with_ids: bool,
        leave: Callable[[], Awaitable[object]],
    ) -> None:
        self.headers = {"Parlor-Run": run_id, "Parlor-Run-Last": str(log.last)}
        self._log = log
        self._cursor = after
        self._heartbeat_s = heartbeat_s
        self._with_ids = with_ids
        self._leave = leave
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()
        self._timer = self._loop.call_later(heartbeat_s, self._on_timer)
        self._is_silent = False
        log.subscribe(self._wake)

    def __aiter__(self) -> Viewer:
        return self

    async def __anext__(self) -> bytes:
        while not self._is_closed:
            # Ask before reading whether it is over: the last events come before the end.
            is_over = self._log.is_closed
            chunk, self._cursor = await self._log.read(self._cursor, with_ids=self._with_ids)
            if not chunk and self._is_silent:
                chunk = HEARTBEAT
            if chunk:
                self._is_silent = False
                self._last_write = self._loop.time()
                return chunk
            if is_over:
                break
            if self._log.last > self._cursor or self._log.is_closed:
                continue  # it came while the log was being read
            self._waiter = self._loop.create_future()
            await self._waiter
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the viewer, and also the run if nothing else keeps it: then return when its clean-up is done."""
        if not self._is_closed:
            self._is_closed = True
            self._timer.cancel()
            self._log.unsubscribe(self._wake)
            await self._leave()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _on_timer(self) -> None:
        idle = self._loop.time() - self._last_write
        if idle >= self._heartbeat_s * 0.99:
            self._is_silent = True
            self._wake()
            idle = 0.0
        self._timer = self._loop.call_later(self._heartbeat_s - idle, self._on_timer)
