"""SQLiteThreads: runs a whole transaction in one call to a thread that keeps its connection.

SQLAlchemy's driver for aiosqlite makes three or four calls to a thread per statement, and a call costs more than most
statements.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar, TypeVarTuple, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from databases.sqlite_engines import READERS, create_thread_engine
from databases.sqlite_file import SQLiteFile

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class SQLiteThreads:
    """Runs each transaction in one call to a thread: one thread writes, several read.

    Args:
        url: URL of the file.
        file: The file, which is checked before each connection and each transaction.
        wait_s: Longest wait for a thread, in seconds.
        options: Options of the engines, such as `json_serializer`.
    """

    def __init__(self, url: URL, file: SQLiteFile, wait_s: float, **options: Any) -> None:
        self._wait_s = wait_s
        self._readers = _Threads("sqlite-reader", READERS, create_thread_engine(url, file, writes=False, **options))
        self._writer = _Threads("sqlite-writer", 1, create_thread_engine(url, file, writes=True, **options))

    async def read(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return the result of `work(connection, *arguments)`, in a transaction that can only read."""
        return await self._visit(self._readers, work, arguments, waits_for_end=False)

    async def write(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return the result of `work(connection, *arguments)`, in a transaction that is rolled back if it raises."""
        return await self._visit(self._writer, work, arguments, waits_for_end=True)

    async def close(self) -> None:
        """Stop the threads after their transactions, and close the connections."""
        for threads in (self._readers, self._writer):
            await asyncio.to_thread(threads.close)

    async def _visit(
        self,
        threads: _Threads,
        work: Callable[[Connection, *Ts], R],
        arguments: tuple[*Ts],
        *,
        waits_for_end: bool,
    ) -> R:
        visit = _Visit(threads, work, arguments)
        job = threads.pool.submit(visit.run)
        is_late = False

        def give_up() -> None:
            nonlocal is_late
            if job.cancel():  # fails when it has begun, which SQLite's own timeout bounds
                is_late = True
                visit.ended.cancel()

        timer = visit.loop.call_later(self._wait_s, give_up)
        try:
            await visit.ended
        except asyncio.CancelledError:
            if is_late:
                raise PoolTimeoutError(f"no thread for SQLite was free within {self._wait_s:g} s") from None
            if not job.cancel() and waits_for_end:
                # A transaction that has begun runs to its end, which must not come after the cancellation.
                await _wait_for_end(job)
            raise
        finally:
            timer.cancel()
        return visit.result()


class _Threads:
    """Thread pool with a connection per thread, as a checkout from a pool costs more than beginning a transaction."""

    def __init__(self, name: str, count: int, engine: Engine) -> None:
        self.pool = ThreadPoolExecutor(count, name)
        self._engine = engine
        self._thread_local = threading.local()
        self._open: set[Connection] = set()

    def connection(self) -> Connection:
        """Return the connection of the current thread."""
        connection: Connection | None = getattr(self._thread_local, "connection", None)
        if connection is None:
            connection = self._thread_local.connection = self._engine.connect()
            self._open.add(connection)
        return connection

    def renew_connection(self) -> None:
        """Close the connection of the current thread, which opens another one when it needs it."""
        connection: Connection | None = getattr(self._thread_local, "connection", None)
        if connection is not None:
            self._thread_local.connection = None
            self._open.discard(connection)
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Wait for all transactions, and close the connections."""
        self.pool.shutdown()
        for connection in self._open:
            connection.close()
        self._engine.dispose()


class _Visit(Generic[R]):
    """A transaction that is run in a thread and awaited in the event loop.

    It replaces `asyncio.wrap_future`, whose cost is a tenth of that of a short transaction.
    """

    def __init__(self, threads: _Threads, work: Callable[..., R], arguments: tuple[Any, ...]) -> None:
        self.loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self._threads = threads
        self._work = work
        self._arguments = arguments
        self._outcome: R | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Run the transaction; called in the thread."""
        try:
            connection = self._threads.connection()
            with connection.begin():
                self._outcome = self._work(connection, *self._arguments)
        except BaseException as exc:  # noqa: BLE001 - raised again by `result`
            self._failure = exc
            if isinstance(exc, DBAPIError):  # the connection may be unusable for the next transaction
                self._threads.renew_connection()
        with suppress(RuntimeError):  # the loop is closed, and nothing waits any more
            self.loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def result(self) -> R:
        """Return the result of the work, or raise its exception."""
        if self._failure is not None:
            try:
                raise self._failure
            finally:
                self._failure = None  # breaks the reference cycle through the traceback
        return cast("R", self._outcome)


async def _wait_for_end(job: Future[None]) -> None:
    loop = asyncio.get_running_loop()
    has_ended = asyncio.Event()
    job.add_done_callback(lambda _: loop.call_soon_threadsafe(has_ended.set))
    await has_ended.wait()
