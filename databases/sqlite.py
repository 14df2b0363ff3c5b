"""SQLite's side of the database: connections, settings, and the threads in which they work.

A visit to another thread costs more than most statements. So the driver of asynchronous sessions asks its thread once
per statement, and `SQLiteThreads` does a whole transaction in one visit.
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

import aiosqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

BUSY_TIMEOUT_S = 5.0
READERS = 4
"""How many connections of each kind read; each is a thread."""

_BEGIN_WRITE = "BEGIN IMMEDIATE"

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class SQLiteThreads:
    """Transactions that are done in one visit to a thread: one thread that writes, several that read.

    Args:
        url: Of the file.
        wait_s: How long a transaction waits for a thread, in seconds.
        options: Of the engines, such as `json_serializer`.
    """

    def __init__(self, url: URL, wait_s: float, **options: Any) -> None:
        self._wait_s = wait_s
        path = str(url.database)
        self._readers = _Threads("sqlite-reader", READERS, _create_engine(path, writes=False, **options))
        self._writer = _Threads("sqlite-writer", 1, _create_engine(path, writes=True, **options))

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
        url: Of the file.
        writes: Whether it gets the one connection whose transactions begin with the write lock, or several that
            cannot write.
        wait_s: How long a transaction waits for a connection, in seconds.
        options: Of the engine, such as `json_serializer`.
    """
    engine = create_async_engine(
        url,
        pool_size=1 if writes else READERS,
        max_overflow=0,
        pool_timeout=wait_s,
        async_creator=lambda: _connect_async(str(url.database), writes=writes),
        **options,
    )
    _begin_explicitly(engine.sync_engine, writes=writes)
    return engine


def _create_engine(path: str, *, writes: bool, **options: Any) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connect(path, writes=writes),
        poolclass=QueuePool,
        pool_size=1 if writes else READERS,
        max_overflow=0,
        **options,
    )
    _begin_explicitly(engine, writes=writes)
    return engine


def _begin_explicitly(engine: Engine, *, writes: bool) -> None:
    statement = _BEGIN_WRITE if writes else "BEGIN"

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Past SQLAlchemy, for which this would be a statement like any other: that takes longer than most of them.
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
        except sqlite3.Error as exc:
            raise OperationalError(statement, None, exc) from exc
        finally:
            cursor.close()


class _PatientCursor(sqlite3.Cursor):
    """A cursor that waits for the write lock where SQLite itself does not."""

    def execute(self, statement: str, parameters: Any = (), /) -> _PatientCursor:
        """Run a statement. This may sleep: it is only called in threads of its own."""
        if statement != _BEGIN_WRITE:
            super().execute(statement, parameters)
            return self
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                super().execute(statement)
                return self
            except sqlite3.OperationalError as exc:
                # While another process makes the file, the write lock is refused without heeding the timeout.
                if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)


class _PlainConnection(sqlite3.Connection):
    def cursor(self, factory: Any = _PatientCursor) -> Any:
        """Return a patient cursor."""
        return super().cursor(factory)


def _connect(path: str, *, writes: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        # Begin and commit are written out: the driver would begin transactions when it sees fit.
        isolation_level=None,
        timeout=BUSY_TIMEOUT_S,
        check_same_thread=False,
        factory=_PlainConnection,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    if writes:
        _switch_to_wal(connection)
    else:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # The first switch of a new file heeds no busy timeout: of two processes that start together, one would fail.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


class _Cursor:
    """A cursor that asks its connection's thread once per statement: the driver's own asks four times."""

    arraysize = 1

    def __init__(self, connection: _AsyncConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> _Cursor:
        """Run a statement and fetch its rows."""
        await self._connection.ask(self._run, "execute", statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Any) -> _Cursor:
        """Run a statement for each set of parameters."""
        await self._connection.ask(self._run, "executemany", statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Return the rows of the last statement."""
        return self._rows

    async def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    def _run(self, method: str, statement: str, parameters: Any) -> None:
        # Here we are in the connection's own thread.
        cursor = self._connection._conn.cursor()
        try:
            getattr(cursor, method)(statement, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class _AsyncConnection(aiosqlite.Connection):
    """The driver's connection with fewer ways to its thread."""

    async def ask(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do `work` in the connection's thread."""
        await self._execute(work, *arguments)  # type: ignore[no-untyped-call]

    def cursor(self) -> _Cursor:  # type: ignore[override]
        """Return a cursor at once."""
        return _Cursor(self)

    async def commit(self) -> None:
        """Commit, if there is something to commit."""
        if self._conn.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back, if there is something to roll back."""
        if self._conn.in_transaction:
            await super().rollback()


async def _connect_async(path: str, *, writes: bool) -> _AsyncConnection:
    connection = _AsyncConnection(lambda: _connect(path, writes=writes), iter_chunk_size=64)
    connection._thread.daemon = True
    await connection
    return connection
