"""A viewer of a run: somebody who reads its log at their own pace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streaming.runs.run import Run

HEARTBEAT = b": keep-alive\n\n"


class Viewer:
    """Somebody who reads a run's log at their own pace: an async iterator of server-sent events.

    Not a generator, because a generator that was never started does nothing when it is closed.

    Attributes:
        headers: Which run it is, and the number of its last event when the viewer came: a client that comes back
            names the run, and knows where its past ends and its present begins.
    """

    def __init__(self, run: Run, after: int, heartbeat_s: float, *, with_ids: bool, keeps_run: bool) -> None:
        self.headers = {"Parlor-Run": run.id, "Parlor-Run-Last": str(run.log.last)}
        self._run = run
        self._cursor = after
        self._heartbeat_s = heartbeat_s
        self._with_ids = with_ids
        self._keeps_run = keeps_run
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()
        self._timer = self._loop.call_later(heartbeat_s, self._on_timer)
        self._is_silent = False

    def wake(self) -> None:
        """Tell the viewer that there is more to read."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> Viewer:
        return self

    async def __anext__(self) -> bytes:
        while not self._is_closed:
            # Read before asking whether it is over: the last events come before the end.
            is_over = self._run.is_over
            chunk, self._cursor = self._run.log.read(self._cursor, with_ids=self._with_ids)
            if not chunk and self._is_silent:
                chunk = HEARTBEAT
            if chunk:
                self._is_silent = False
                self._last_write = self._loop.time()
                return chunk
            if is_over:
                break
            self._waiter = self._loop.create_future()
            await self._waiter
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the viewer, and also the run if nothing else keeps it: then return when its clean-up is done."""
        if not self._is_closed:
            self._is_closed = True
            self._timer.cancel()
            await self._run.leave(self, keep=self._keeps_run)

    def _on_timer(self) -> None:
        idle = self._loop.time() - self._last_write
        if idle >= self._heartbeat_s * 0.99:
            self._is_silent = True
            self.wake()
            idle = 0.0
        self._timer = self._loop.call_later(self._heartbeat_s - idle, self._on_timer)
