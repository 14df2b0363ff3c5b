"""Viewer: sends the events of a run's log to one client, at the client's pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from runs.run_log import ViewedLog

HEARTBEAT = b": keep-alive\n\n"


class Viewer:
    """Async iterator over a run's log as server-sent events, at the pace of one client.

    Not a generator, since closing one that was never started does nothing.

    Args:
        run_id: The run that is viewed.
        log: The events of that run.
        after: The number of the last event that the client has seen; 0 for none.
        heartbeat_s: Seconds of silence after which a comment is sent.
        with_ids: Whether to send the numbers of events, as ``id:`` lines.
        leave: Called once, when the viewer is closed.

    Attributes:
        headers: Response headers with the id of the run, which a client sends when it reconnects, and the number of
            its last event when the viewer was created, by which the client tells old events from new ones.
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
        self._is_heartbeat_due = False
        log.subscribe(self._wake)

    def __aiter__(self) -> Viewer:
        return self

    async def __anext__(self) -> bytes:
        while not self._is_closed:
            # Checked before reading, since the last events are logged before the log is closed.
            is_over = self._log.is_closed
            chunk, self._cursor = await self._log.read(self._cursor, with_ids=self._with_ids)
            if not chunk and self._is_heartbeat_due:
                chunk = HEARTBEAT
            if chunk:
                self._is_heartbeat_due = False
                self._last_write = self._loop.time()
                return chunk
            if is_over:
                break
            if self._log.last > self._cursor or self._log.is_closed:
                continue  # more was logged while the log was being read
            self._waiter = self._loop.create_future()
            await self._waiter
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close the viewer; stop the run too, and wait for its clean-up, if nothing else keeps it running."""
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
            self._is_heartbeat_due = True
            self._wake()
            idle = 0.0
        self._timer = self._loop.call_later(self._heartbeat_s - idle, self._on_timer)
