"""SQLite's side of the database: engines, their settings, and threads that do a transaction in one visit.

Sessions are SQLAlchemy's own, on its driver for aiosqlite, which visits a thread three or four times per statement. A
visit costs more than most statements, so `SQLiteThreads` does a whole transaction in one.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar, TypeVarTuple, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, AdaptedConnection
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_S = 5.0
READERS = 4
"""How many connections of each kind read; each is a thread."""

_RETRY_S = 0.02

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class SQLiteThreads:
    """Transactions that are done in one visit to a thread: one thread that writes, several that read.

    Args:
        url: The file's.
        wait_s: How long a transaction waits for a thread, in seconds.
        options: Options of the engines, such as `json_serializer`.
    """

    def __init__(self, url: URL, wait_s: float, **options: Any) -> None:
        self._wait_s = wait_s
        self._readers = _Threads("sqlite-reader", READERS, _create_thread_engine(url, writes=False, **options))
        self._writer = _Threads("sqlite-writer", 1, _create_thread_engine(url, writes=True, **options))

    async def read(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return `work(connection, *arguments)`; it can only read."""
        return await self._visit(self._readers, work, arguments, settles=False)

    async def write(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return `work(connection, *arguments)`, committed; nothing is, if it raises."""
        return await self._visit(self._writer, work, arguments, settles=True)

    async def close(self) -> None:
        """End the threads, once what they do is done, and close the connections."""
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
    """Some threads, each of which keeps a connection: to borrow one costs more than to begin a transaction."""

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
        """Wait until all is done, and close the connections."""
        self.pool.shutdown()
        for connection in self._open:
            connection.close()
        self._engine.dispose()


class _Visit(Generic[R]):
    """A transaction on its way to a thread and back.

    What `asyncio.wrap_future` does, for less: it is a tenth of what a short transaction costs.
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
        """Do it, in the thread."""
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
        """Return what the work returned, or raise what it raised."""
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


def create_sqlite_engine(url: URL, *, writes: bool, wait_s: float, **options: Any) -> AsyncEngine:
    """Return an engine for asynchronous sessions.

    Args:
        url: The file's.
        writes: Whether it gets the one connection whose transactions begin with the write lock, or several that
            cannot write.
        wait_s: How long a transaction waits for a connection, in seconds.
        options: Options of the engine, such as `json_serializer`.
    """
    engine = create_async_engine(url, pool_timeout=wait_s, **_pool_options(writes=writes), **options)
    _listen(engine.sync_engine, writes=writes)
    statement = _begin_statement(writes=writes)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return engine


def _create_thread_engine(url: URL, *, writes: bool, **options: Any) -> Engine:
    engine = create_engine(url.set(drivername="sqlite"), **_pool_options(writes=writes), **options)
    _listen(engine, writes=writes)
    statement = _begin_statement(writes=writes)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver is asked itself: SQLAlchemy's way to it is a tenth of what an empty transaction costs.
        try:
            cast("sqlite3.Connection", connection.connection.dbapi_connection).execute(statement)
        except sqlite3.Error as exc:
            raise OperationalError(statement, None, exc) from exc

    return engine


def _begin_statement(*, writes: bool) -> str:
    return "BEGIN IMMEDIATE" if writes else "BEGIN"


def _pool_options(*, writes: bool) -> dict[str, Any]:
    return {
        "pool_size": 1 if writes else READERS,
        "max_overflow": 0,
        # Without an isolation level the driver begins no transaction when it sees fit; the `begin` event does.
        "connect_args": {"isolation_level": None, "timeout": BUSY_TIMEOUT_S},
    }


def _listen(engine: Engine, *, writes: bool) -> None:
    """Give each connection its settings and its end; a transaction's beginning is another event of each engine.

    Source: SQLAlchemy's documentation of SQLite, "Enabling Non-Legacy SQLite Transactional Modes".
    """

    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = NORMAL")
        if writes:
            _switch_to_wal(connection, cursor)
        else:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "invalidate")
    def invalidate(connection: DBAPIConnection, _record: ConnectionPoolEntry, _failure: BaseException | None) -> None:
        # SQLAlchemy would only close it. But a query that was cancelled between its rows keeps the transaction, and
        # its lock, beyond that. And of two cancellations the second would leave the closing task waiting for ever.
        with suppress(sqlite3.Error):
            connection.rollback()
            connection.close()


def _switch_to_wal(connection: DBAPIConnection, cursor: DBAPICursor) -> None:
    # The first switch of a new file heeds no busy timeout: of two processes that start together, one would fail.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        if isinstance(connection, AdaptedConnection):
            connection.run_async(lambda _: asyncio.sleep(_RETRY_S))
        else:
            time.sleep(_RETRY_S)  # in one of our threads
