"""Base, types, engine, sessions. Knows dialects, no domain.

SQLite gets two engines: readers that cannot write, and one writer whose transactions begin with the write lock. So
readers never wait, writers queue here instead of failing with "database is locked", and no transaction that has read
can be refused when it wants to write. PostgreSQL needs one engine.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosqlite
from sqlalchemy import JSON, Connection, DateTime, Dialect, MetaData, String, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from errors import ConfigError

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5
POOL_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 30
SQLITE_BUSY_TIMEOUT_S = 5.0
_BEGIN_WRITE = "BEGIN IMMEDIATE"
SQLITE_READERS = 4  # each is a thread
POSTGRES_CONNECTIONS = 10

# Any fixed number; it keeps two replicas that start together from creating the same table.
_SCHEMA_LOCK = 0x7061726C6F72

_NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def build_metadata() -> MetaData:
    """Return an empty `MetaData` whose constraints get predictable names, which migrations need to find them."""
    return MetaData(naming_convention=_NAMING_CONVENTION)


class Base(DeclarativeBase):
    """The base of the platform's own tables. A use case declares its own, on its own `build_metadata()`."""

    metadata = build_metadata()


_ids_lock = threading.Lock()
_last_id = 0


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``"msg_0198c5d0…"``: the prefix and a UUIDv7 of 32 hexadecimal digits.

    Ids made in this process sort in the order in which they were made, whatever the clock does.
    Source: RFC 9562, 5.7 and 6.2, method 2.
    """
    global _last_id
    fresh = ((time.time_ns() // 1_000_000) << 74) | secrets.randbits(74)
    with _ids_lock:
        # In the same millisecond, or when the clock went back: a random step from the last one.
        _last_id = fresh if fresh >> 74 > _last_id >> 74 else _last_id + 1 + secrets.randbits(32)
        value = _last_id
    time_ms, rand_a, rand_b = value >> 74, (value >> 62) & 0xFFF, value & ((1 << 62) - 1)
    return f"{prefix}_{UUID(int=time_ms << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b).hex}"


def storable_text(value: str) -> str:
    """Return `value` with what no database can store, NUL and lone surrogates, as U+FFFD."""
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


class PlainText(TypeDecorator[str]):
    """Text that may come from anywhere; see `storable_text`. An id with a NUL in it is merely not found."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make the text storable."""
        return None if value is None else storable_text(value)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time: a naive one is refused on the way in, UTC comes out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: nobody could say which one it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite forgets the zone; what was stored is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JSONDocument(TypeDecorator[Any]):
    """Any JSON value; JSONB on PostgreSQL. None is NULL. Assign a new value: changes inside it are not noticed."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use the binary kind where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(JSON(none_as_null=True))


class Database:
    """The one way to the database: two kinds of transactions, tables, readiness."""

    def __init__(self, url: str | URL) -> None:
        """Prepare the engines; the first connection is made by the first transaction.

        Args:
            url: ``sqlite+aiosqlite:///path/to/file.db`` (its folder is made) or ``postgresql+psycopg://…``.

        Raises:
            ConfigError: When the URL is of another kind, its driver is missing, or the folder cannot be made.
        """
        self._url = _parse_url(url)
        self.dialect = self._url.get_backend_name()
        """``"sqlite"`` or ``"postgresql"``."""
        if self.dialect == "sqlite":
            _make_parent_folder(self._url)
            self._reading = _create_sqlite_engine(self._url, writes=False)
            self._writing = _create_sqlite_engine(self._url, writes=True)
        else:
            self._writing = _create_postgres_engine(self._url)
            self._reading = self._writing.execution_options(postgresql_readonly=True)
        self._file: tuple[int, int] | None = None
        self._read_sessions = async_sessionmaker(self._reading, expire_on_commit=False)
        self._write_sessions = async_sessionmaker(self._writing, expire_on_commit=False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that can only read, and waits for no writer."""
        async with self._read_sessions() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction that is committed when the block ends, and rolled back when it raises.

        Keep it short, and never open a second one inside: on SQLite there is one writer at a time.
        """
        async with self._write_sessions.begin() as session:
            yield session

    def insert(self, row: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT for `row` that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
        return sqlite.insert(row) if self.dialect == "sqlite" else postgresql.insert(row)

    async def create_tables(self, *metadata: MetaData) -> None:
        """Create the tables that are missing, all or none, while other processes that start wait.

        Raises:
            ConfigError: When the database cannot be reached or opened.
        """
        try:
            async with self._writing.begin() as connection:
                if self.dialect == "postgresql":
                    await connection.execute(select(text(f"pg_advisory_xact_lock({_SCHEMA_LOCK})")))
                for each in metadata:
                    await connection.run_sync(each.create_all)
            if self.dialect == "sqlite":
                self._file = await asyncio.to_thread(_file_id, self._url)
        except (DBAPIError, OSError) as exc:
            cause = exc.orig if isinstance(exc, DBAPIError) else exc
            shown = self._url.render_as_string(hide_password=True)
            raise ConfigError(_variable(self.dialect), f"{shown} cannot be opened: {cause}") from exc

    async def ping(self, timeout_s: float) -> bool:
        """Return whether the database answers within `timeout_s` seconds.

        An SQLite file that was deleted or exchanged while it is open does not: what is written goes nowhere.
        """
        try:
            async with asyncio.timeout(timeout_s), self.read() as session:
                await session.execute(select(1))
                if self.dialect == "sqlite":
                    found = await asyncio.to_thread(_file_id, self._url)
                    self._file = self._file or found
                    if found != self._file:
                        raise FileNotFoundError("the database file is not the one that was opened")
        except (SQLAlchemyError, OSError) as exc:
            logger.warning("database does not answer", extra={"reason": type(exc).__name__})
            return False
        return True

    async def close(self) -> None:
        """Close all connections."""
        await self._reading.dispose()
        await self._writing.dispose()


def _parse_url(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        # The text is not repeated: it may hold a password.
        raise ConfigError("DATABASE_URL", "is not a URL such as postgresql+psycopg://user@host/name") from exc
    drivers = {"sqlite": "aiosqlite", "postgresql": "psycopg", "postgres": "psycopg"}
    backend, _, driver = parsed.drivername.partition("+")
    if backend not in drivers or driver not in ("", drivers[backend]):
        raise ConfigError("DATABASE_URL", f"'{parsed.drivername}' is neither sqlite+aiosqlite nor postgresql+psycopg")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigError("DATABASE_URL", "an SQLite database in memory cannot be shared; name a file")
    return parsed.set(drivername=f"{backend.replace('postgres', 'postgresql')[:10]}+{drivers[backend]}")


def _file_id(url: URL) -> tuple[int, int]:
    found = os.stat(str(url.database))
    return found.st_dev, found.st_ino


def _variable(dialect: str) -> str:
    # The default URL is made from DATA_DIR; which of the two was set is not known here.
    return "DATA_DIR or DATABASE_URL" if dialect == "sqlite" else "DATABASE_URL"


def _make_parent_folder(url: URL) -> None:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(_variable("sqlite"), f"the folder '{folder}' cannot be made: {exc.strerror}") from exc


def _dump_json(value: Any) -> str:
    """Serialise for a JSON column; the slow way only for what PostgreSQL would refuse."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.dumps(_storable(value), ensure_ascii=False, separators=(",", ":"))
    if "\\u0000" in written or "NaN" in written or "Infinity" in written:
        return json.dumps(_storable(value), ensure_ascii=False, separators=(",", ":"))
    return written


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(key): _storable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None  # JSON has no such numbers; the browser would get null too
    return value


async def _switch_to_wal(connection: Any) -> None:
    # The first switch of a new file heeds no busy timeout: of two processes that start together, one would fail.
    deadline = time.monotonic() + SQLITE_BUSY_TIMEOUT_S
    while True:
        try:
            await connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.02)


class _Cursor:
    """A cursor that asks its connection's thread once per statement: the driver's own asks four times."""

    arraysize = 1

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> _Cursor:
        """Run a statement and fetch its rows."""
        await self._connection.ask(self._run, sqlite3.Cursor.execute, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Any) -> _Cursor:
        """Run a statement for each set of parameters."""
        await self._connection.ask(self._run, sqlite3.Cursor.executemany, statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Return the rows of the last statement."""
        return self._rows

    async def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    def _run(self, method: Any, statement: str, parameters: Any) -> None:
        # Here we are in the connection's own thread, which may sleep.
        deadline = time.monotonic() + SQLITE_BUSY_TIMEOUT_S
        cursor = self._connection._conn.cursor()
        try:
            while True:
                try:
                    method(cursor, statement, parameters)
                    break
                except sqlite3.OperationalError as exc:
                    # While another process makes the file, the write lock is refused without heeding the timeout.
                    if statement != _BEGIN_WRITE or exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                        raise
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class _Connection(aiosqlite.Connection):
    """The driver's connection with fewer ways to its thread, each of which costs more than most statements."""

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


async def _connect_sqlite(path: str) -> _Connection:
    connection = _Connection(
        # Begin and commit are written out: the driver would begin transactions when it sees fit.
        lambda: sqlite3.connect(path, isolation_level=None, timeout=SQLITE_BUSY_TIMEOUT_S, check_same_thread=False),
        iter_chunk_size=64,
    )
    connection._thread.daemon = True
    await connection
    return connection


def _create_sqlite_engine(url: URL, *, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        json_serializer=_dump_json,
        hide_parameters=True,  # an error's text goes to the log, which holds no contents
        pool_size=1 if writes else SQLITE_READERS,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        async_creator=lambda: _connect_sqlite(str(url.database)),
    )

    async def prepare(connection: Any) -> None:
        await connection.execute("PRAGMA foreign_keys = ON")
        await connection.execute("PRAGMA synchronous = NORMAL")
        if writes:
            await _switch_to_wal(connection)
        else:
            await connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.run_async(prepare)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(_BEGIN_WRITE if writes else "BEGIN")

    return engine


def _create_postgres_engine(url: URL) -> AsyncEngine:
    try:
        engine = create_async_engine(
            url,
            json_serializer=_dump_json,
            hide_parameters=True,
            pool_size=POSTGRES_CONNECTIONS,
            max_overflow=POSTGRES_CONNECTIONS,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,  # a server that was restarted costs a ping, not a failed answer
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
        )
    except ImportError as exc:
        raise ConfigError("DATABASE_URL", "PostgreSQL needs a driver: pip install 'parlor[postgres]'") from exc

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_S * 1000}")
        cursor.close()
        connection.commit()

    return engine
