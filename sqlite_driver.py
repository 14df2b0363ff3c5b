"""SQLite's side of the database: connections, settings, and the threads in which they work.

A visit to another thread costs more than most statements. So the driver of asynchronous sessions asks its thread once
per statement, and `SQLiteThreads` does a whole transaction in one visit.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar, TypeVarTuple, cast

import aiosqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
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
        self._readers = _create_engine(path, writes=False, **options)
        self._writer = _create_engine(path, writes=True, **options)
        self._reading = ThreadPoolExecutor(READERS, "sqlite-reader")
        self._writing = ThreadPoolExecutor(1, "sqlite-writer")

    async def read(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return `work(connection, *arguments)`; it can only read."""
        return await self._visit(self._reading, self._readers, work, arguments, settles=False)

    async def write(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        """Return `work(connection, *arguments)`, committed; nothing is, if it raises."""
        return await self._visit(self._writing, self._writer, work, arguments, settles=True)

    async def close(self) -> None:
        """End the threads, once what they do is done, and close the connections."""
        for pool, engine in ((self._reading, self._readers), (self._writing, self._writer)):
            await asyncio.to_thread(pool.shutdown)
            engine.dispose()

    async def _visit(
        self,
        pool: ThreadPoolExecutor,
        engine: Engine,
        work: Callable[[Connection, *Ts], R],
        arguments: tuple[*Ts],
        *,
        settles: bool,
    ) -> R:
        visit = _Visit(engine, work, arguments)
        job = pool.submit(visit.run)
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


class _Visit(Generic[R]):
    """A transaction on its way to a thread and back.

    What `asyncio.wrap_future` does, for less: it is a tenth of what a short transaction costs.
    """

    def __init__(self, engine: Engine, work: Callable[..., R], arguments: tuple[Any, ...]) -> None:
        self.loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self._engine = engine
        self._work = work
        self._arguments = arguments
        self._outcome: R | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Do it, in the thread."""
        try:
            with self._engine.begin() as connection:
                self._outcome = self._work(connection, *self._arguments)
        except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
            self._failure = exc
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
        connection.exec_driver_sql(statement)


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
