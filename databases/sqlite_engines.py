"""Engines for SQLite: WAL, foreign keys, one connection that writes, several that only read.

Sessions use SQLAlchemy's driver for aiosqlite; `SQLiteThreads` has engines without it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import URL, AdaptedConnection
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from databases.faults import FileReplacedError
from databases.sqlite_file import SQLiteFile

BUSY_TIMEOUT_S = 5.0
READERS = 4
"""Number of connections that read, for sessions and for threads each."""

_RETRY_S = 0.02


def create_sqlite_engine(url: URL, file: SQLiteFile, *, writes: bool, wait_s: float, **options: Any) -> AsyncEngine:
    """Return an engine for asynchronous sessions.

    Args:
        url: URL of the file.
        file: The file, which is checked before each connection and each transaction.
        writes: Whether the engine has one connection, whose transactions begin with the write lock, or several that
            cannot write.
        wait_s: Longest wait for a connection, in seconds.
        options: Options of the engine, such as `json_serializer`.
    """
    engine = create_async_engine(url, pool_timeout=wait_s, **_pool_options(writes=writes), **options)
    _configure_connections(engine.sync_engine, file, writes=writes)
    statement = _begin_statement(writes=writes)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        try:
            file.check()
        except FileReplacedError as exc:
            raise OperationalError(statement, None, exc) from exc
        connection.exec_driver_sql(statement)

    return engine


def create_thread_engine(url: URL, file: SQLiteFile, *, writes: bool, **options: Any) -> Engine:
    """Return an engine for `SQLiteThreads`; the arguments are those of `create_sqlite_engine`."""
    engine = create_engine(url.set(drivername="sqlite"), **_pool_options(writes=writes), **options)
    _configure_connections(engine, file, writes=writes)
    statement = _begin_statement(writes=writes)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # On the driver's connection, as SQLAlchemy's layers would be a tenth of the cost of an empty transaction.
        try:
            file.check()
            cast("sqlite3.Connection", connection.connection.dbapi_connection).execute(statement)
        except sqlite3.Error as exc:
            file.note_failure(exc)
            raise OperationalError(statement, None, exc) from exc

    return engine


def _begin_statement(*, writes: bool) -> str:
    return "BEGIN IMMEDIATE" if writes else "BEGIN"


def _pool_options(*, writes: bool) -> dict[str, Any]:
    return {
        "pool_size": 1 if writes else READERS,
        "max_overflow": 0,
        # Without an isolation level the driver begins no transactions implicitly; the `begin` event does.
        "connect_args": {"isolation_level": None, "timeout": BUSY_TIMEOUT_S},
    }


def _configure_connections(engine: Engine, file: SQLiteFile, *, writes: bool) -> None:
    """Register the events that configure and close connections; the `begin` event is registered with each engine.

    Source: SQLAlchemy's documentation of SQLite, "Enabling Non-Legacy SQLite Transactional Modes".
    """

    @event.listens_for(engine, "do_connect")
    def prepare(_dialect: Dialect, _record: ConnectionPoolEntry, _args: object, _options: object) -> None:
        file.prepare()

    @event.listens_for(engine, "handle_error")
    def note(failure: ExceptionContext) -> None:
        file.note_failure(failure.original_exception)

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
        # its lock, open after that. And a second cancellation would leave the closing task waiting for ever.
        with suppress(sqlite3.Error):
            connection.rollback()
            connection.close()


def _switch_to_wal(connection: DBAPIConnection, cursor: DBAPICursor) -> None:
    # The first switch of a new file ignores the busy timeout: of two processes that start together, one would fail.
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
