"""Database, base of tables, column types and ids, which authors of use cases import. Engines are in `databases`.

There are two ways to a transaction: a session (`read`, `write`), whose statements may be awaited one by one, and a
function (`run_read`, `run_write`), which does all of it at once and is several times cheaper on SQLite.

SQLite gets readers that cannot write, and writers, one for each way, whose transactions begin with the write lock. So
readers never wait, writers queue instead of failing with "database is locked", and no transaction that has read can be
refused when it wants to write. PostgreSQL needs one engine.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import Connection, MetaData, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase

from databases import faults
from databases.columns import JSONDocument, PlainText, UTCDateTime, dump_json, load_json
from databases.faults import FileReplacedError, is_down, known_fault_of, outlook_of
from databases.postgres import create_postgres_engine
from databases.presence import Presence
from databases.probes import find_damage, write_nothing
from databases.sqlite_engines import create_sqlite_engine
from databases.sqlite_file import SQLiteFile
from databases.sqlite_threads import SQLiteThreads
from errors import ConfigError

__all__ = [
    "Base", "Database", "JSONDocument", "PlainText", "UTCDateTime", "build_metadata", "is_down", "known_fault_of",
    "new_id", "outlook_of",
]  # fmt: skip

logger = logging.getLogger(__name__)

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

POOL_TIMEOUT_S = 10.0

_ENGINE_OPTIONS: dict[str, Any] = {
    "wait_s": POOL_TIMEOUT_S,
    "json_serializer": dump_json,
    "json_deserializer": load_json,
    "hide_parameters": True,  # an error's text goes to the log, which holds no contents
}

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
    return f"{prefix}_{time_ms << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b:032x}"


class Database:
    """A database: two kinds of transactions, creation of tables, readiness."""

    def __init__(self, url: str | URL) -> None:
        """Prepare the engines; the first connection is made by the first transaction.

        Args:
            url: Address of the database, ``sqlite+aiosqlite:///path/to/file.db`` (its folder is made) or ``postgresql+psycopg://…``.

        Raises:
            ConfigError: When the URL is of another kind, its driver is missing, or the folder cannot be made.
        """
        self._url = _parse_url(url)
        self.dialect = self._url.get_backend_name()
        """``"sqlite"`` or ``"postgresql"``."""
        if self.dialect == "sqlite":
            self._file: SQLiteFile | None = SQLiteFile(self._url)
            _make_parent_folder(self._file.path.parent)
            self._reading = create_sqlite_engine(self._url, self._file, writes=False, **_ENGINE_OPTIONS)
            self._writing = create_sqlite_engine(self._url, self._file, writes=True, **_ENGINE_OPTIONS)
            self._threads: SQLiteThreads | None = SQLiteThreads(self._url, self._file, **_ENGINE_OPTIONS)
            self._presence: Presence | None = Presence(self._file.path)
        else:
            self._file = self._threads = self._presence = None
            self._writing = create_postgres_engine(self._url, **_ENGINE_OPTIONS)
            self._reading = self._writing.execution_options(postgresql_readonly=True)
        self._probe: asyncio.Task[str | None] | None = None
        self._has_answered = False
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

    async def run_read(self, work: Callable[[Connection, *Ts], R], *args: *Ts) -> R:
        """Return `work(connection, ...)`, done in a transaction that can only read.

        On SQLite the whole of it is one visit to a thread, which costs a fraction of a session. `work` must not touch
        what the event loop owns.
        """
        if self._threads is not None:
            return await self._threads.read(work, *args)
        async with self._reading.connect() as connection:
            return await connection.run_sync(work, *args)

    async def run_write(self, work: Callable[[Connection, *Ts], R], *args: *Ts) -> R:
        """Return `work(connection, ...)`, done in a transaction that is committed, or rolled back when it raises.

        One that is cancelled is not begun, or has ended; on SQLite it may then have been committed.
        """
        if self._threads is not None:
            return await self._threads.write(work, *args)
        async with self._writing.begin() as connection:
            return await connection.run_sync(work, *args)

    async def run_delete(self, work: Callable[[Connection, *Ts], R], *args: *Ts) -> R:
        """Return what `run_write` returns, for work that deletes: that is possible on a full disk too.

        SQLite writes what it deletes into its log first. Where there is no room for that, it gets the reserved space.
        """
        try:
            return await self.run_write(work, *args)
        except DBAPIError as exc:
            if self._file is None or faults.fault_of(exc) != faults.DISK_FULL:
                raise
            if not await asyncio.to_thread(self._file.release_reserve):
                raise
        try:
            return await self.run_write(work, *args)
        finally:
            await asyncio.to_thread(self._file.take_reserve_back)

    def insert(self, row: type[DeclarativeBase] | Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT for `row` that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
        return sqlite.insert(row) if self.dialect == "sqlite" else postgresql.insert(row)

    async def create_tables(self, *metadata: MetaData) -> None:
        """Create the tables that are missing, all or none, while other processes that start wait.

        Raises:
            ConfigError: When the database cannot be reached or opened, or is damaged.
        """
        try:
            await self.run_write(_create_tables, metadata)
            if self._file is not None and not self._file.is_claimed:
                await self._claim(self._file)
        except (DBAPIError, OSError) as exc:
            raise ConfigError(_variable(self.dialect), self.explain(exc)) from exc

    async def _claim(self, file: SQLiteFile) -> None:
        """Begin to work with a file that has all tables, once it is known to be sound."""
        file.claim()
        if await self.run_read(find_damage):
            raise ConfigError(_variable(self.dialect), self.explain(faults.DAMAGED))
        await asyncio.to_thread(file.keep_reserve)

    async def enter(self, clean_up: Callable[[Connection], object]) -> bool:
        """Have other processes know, until the end of this one, that it works with this database.

        Processes of versions that know no lock, and those that could not take it, are seen by nobody.

        Args:
            clean_up: A transaction for what dead processes have left. It is run before, if no other process has this
                database open and holds the lock, which there is with SQLite only; where it fails, the log says so.

        Returns:
            Whether this process holds the lock: when another one finds itself alone, this one is dead.
        """
        if self._presence is None:
            return False
        try:
            if await asyncio.to_thread(self._presence.enter):
                await self.run_write(clean_up)
        except (DBAPIError, FileReplacedError) as exc:
            logger.warning("what a killed server has left stays for now", extra={"reason": self.explain(exc)})
        except BaseException:
            self._presence.leave()
            raise
        return await asyncio.to_thread(self._presence.stay)

    def explain(self, fault: str | Exception) -> str:
        """Return a sentence for the operator: which database, what is wrong with it, and what to do.

        Args:
            fault: What `find_fault` returned, or what was raised instead.
        """
        if isinstance(fault, Exception):
            cause = fault.orig if isinstance(fault, DBAPIError) else fault
            fault = faults.fault_of(fault)
            fault = f"cannot be opened: {cause}" if fault == faults.SILENT else fault
        if self._file is None:
            return f"{self._url.render_as_string(hide_password=True)} {fault}"
        remedy = faults.FILE_REMEDIES.get(fault)
        return f"'{self._file.path}' {fault}{f'; {remedy}' if remedy else ''}"

    async def find_fault(self, timeout_s: float) -> str | None:
        """Return why the database cannot be read or written now, without a path or a secret; None when it can.

        It reads and writes, as much as nothing, within `timeout_s` seconds. Callers that ask at once share one attempt.
        """
        if self._file is not None and self._file.is_damaged:
            return faults.DAMAGED
        if self._probe is None or self._probe.done():
            self._has_answered = False
            self._probe = asyncio.create_task(self._read_and_write(), name="probe of the database")
        await asyncio.wait([self._probe], timeout=timeout_s)
        if self._probe.done() and not self._probe.cancelled():
            return self._probe.result()
        return faults.LOCKED if self._has_answered else faults.SILENT

    async def _read_and_write(self) -> str | None:
        try:
            await self.run_read(Connection.execute, select(1))
            self._has_answered = True
            await self.run_write(write_nothing)
        except (SQLAlchemyError, OSError, faults.DiskFullError, faults.ReadOnlyError) as exc:
            fault = faults.fault_of(exc)
            logger.warning("database cannot be used", extra={"reason": fault, "error_type": type(exc).__name__})
            return fault
        if self._file is not None:
            await asyncio.to_thread(self._file.keep_reserve)
        return None

    async def find_damage(self) -> str | None:
        """Return that the database is damaged, as `find_fault` does, after a look at as much as a second allows."""
        try:
            is_damaged = self._file is not None and await self.run_read(find_damage)
        except DBAPIError as exc:
            return faults.fault_of(exc)
        return faults.DAMAGED if is_damaged else None

    async def close(self) -> None:
        """Close all connections."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.wait([self._probe])
        if self._threads is not None:
            await self._threads.close()
        await self._reading.dispose()
        await self._writing.dispose()
        if self._presence is not None:
            self._presence.leave()


def _create_tables(connection: Connection, metadata: tuple[MetaData, ...]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(text(f"pg_advisory_xact_lock({_SCHEMA_LOCK})")))
    for each in metadata:
        each.create_all(connection)


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


def _variable(dialect: str) -> str:
    # The default URL is made from DATA_DIR; which of the two was set is not known here.
    return "DATA_DIR or DATABASE_URL" if dialect == "sqlite" else "DATABASE_URL"


def _make_parent_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(_variable("sqlite"), f"the folder '{folder}' cannot be made: {exc.strerror}") from exc
