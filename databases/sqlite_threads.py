"""SQLite's threads: a whole transaction in one visit to a thread that keeps its connection.

SQLAlchemy's driver for aiosqlite visits a thread three or four times per statement, and a visit costs more than most
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
    """Transactions that are done in one visit to a thread: one thread that writes, several that read.

    Args:
        url: Address of the file.
        file: The file, which is asked before each connection and each transaction.
        wait_s: How long a transaction waits for a thread, in seconds.
        options: Options of the engines, such as `json_serializer`.
    """

    def __init__(self, url: URL, file: SQLiteFile, wait_s: float, **options: Any) -> None:
        self._wait_s = wait_s
        self._readers = _Threads("sqlite-reader", READERS, create_thread_engine(url, file, writes=False, **options))
        self._writer = _Threads("sqlite-writer", 1, create_thread_engine(url, file, writes=True, **options))

    async def read(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return `work(connection, *arguments)`, done in a transaction that can only read."""
        return await self._visit(self._readers, work, arguments, settles=False)

    async def write(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return `work(connection, *arguments)`, done in a transaction that is rolled back if it raises."""
        return await self._visit(self._writer, work, arguments, settles=True)

    async def close(self) -> None:
        """End the threads, once their transactions are done, and close the connections."""
        for threads in (self._readers, self._writer):
            await asyncio.to_thread(threads.close)

    async def _visit(
        self,
        threads: _Threads,
        work: Callable[[Connection, *Ts], R],
        arguments: tuple[*Ts],
        *,
        settles: bool,
    ) -> R:
        visit = _Visit(threads, work, arguments)
        job = threads.pool.submit(visit.run)
        is_late = False

        def give_up() -> None:
            nonlocal is_late
            if job.cancel():  # not when it has begun: then SQLite's own timeout bounds it
                is_late = True
                visit.ended.cancel()

        timer = visit.loop.call_later(self._wait_s, give_up)
        try:
            await visit.ended
        except asyncio.CancelledError:
            if is_late:
                raise PoolTimeoutError(f"no thread for SQLite was free within {self._wait_s:g} s") from None
            if not job.cancel() and settles:
                # It has begun, and so it ends: who cancels must not see it happen afterwards.
                await _end_of(job)
            raise
        finally:
            timer.cancel()
        return visit.result()


class _Threads:
    """Thread pool whose threads keep a connection each: to borrow one costs more than to begin a transaction."""

    def __init__(self, name: str, count: int, engine: Engine) -> None:
        self.pool = ThreadPoolExecutor(count, name)
        self._engine = engine
        self._own = threading.local()
        self._open: set[Connection] = set()

    def connection(self) -> Connection:
        """Return the connection of the thread that asks."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._engine.connect()
            self._open.add(connection)
        return connection

    def renew_connection(self) -> None:
        """Close the connection of the thread that asks; it gets another one when it needs it."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is not None:
            self._own.connection = None
            self._open.discard(connection)
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Wait until all transactions are done, and close the connections."""
        self.pool.shutdown()
        for connection in self._open:
            connection.close()
        self._engine.dispose()


class _Visit(Generic[R]):
    """A transaction on its way to a thread and back.

    It does the work of `asyncio.wrap_future` for less, which is a tenth of what a short transaction costs.
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
        """Carry out the transaction, in the thread."""
        try:
            connection = self._threads.connection()
            with connection.begin():
                self._outcome = self._work(connection, *self._arguments)
        except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
            self._failure = exc
            if isinstance(exc, DBAPIError):  # whatever it was: the next one is not to suffer from it
                self._threads.renew_connection()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
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
                self._failure = None  # or the two would hold each other
        return cast("R", self._outcome)


async def _end_of(job: Future[None]) -> None:
    loop = asyncio.get_running_loop()
    has_ended = asyncio.Event()
    job.add_done_callback(lambda _: loop.call_soon_threadsafe(has_ended.set))
    await has_ended.wait()
