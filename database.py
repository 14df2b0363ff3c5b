"""Database, base of tables, column types and ids, which authors of use cases import. Engines are in `databases`.

There are two kinds of transactions: in a session (`read`, `write`), whose statements are awaited one by one, or in a
function (`run_read`, `run_write`), which runs all of them at once and is several times cheaper on SQLite.

On SQLite, each kind has readers that cannot write, and one writer whose transactions begin with the write lock. So
readers never wait, writers queue instead of failing with "database is locked", and no transaction fails because it
cannot upgrade a read lock. PostgreSQL needs one engine.
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
from databases.faults import FileReplacedError, describe_known_fault, is_down, outage_advice
from databases.postgres import create_postgres_engine
from databases.presence import Presence
from databases.probes import find_damage, probe_writing
from databases.sqlite_engines import create_sqlite_engine
from databases.sqlite_file import SQLiteFile
from databases.sqlite_threads import SQLiteThreads
from errors import ConfigError

__all__ = [
    "Base", "Database", "JSONDocument", "PlainText", "UTCDateTime", "build_metadata", "describe_known_fault", "is_down",
    "new_id", "outage_advice",
]  # fmt: skip

logger = logging.getLogger(__name__)

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

POOL_TIMEOUT_S = 10.0

_ENGINE_OPTIONS: dict[str, Any] = {
    "wait_s": POOL_TIMEOUT_S,
    "json_serializer": dump_json,
    "json_deserializer": load_json,
    "hide_parameters": True,  # error texts are logged, and the log must not contain what people wrote
}

# Key of the advisory lock, an arbitrary number, by which replicas that start together create tables one at a time.
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
    """Base of the platform's tables. A use case declares a base of its own, with its own `build_metadata()`."""

    metadata = build_metadata()


_ids_lock = threading.Lock()
_last_id = 0


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``"msg_0198c5d0…"``: the prefix and a UUIDv7 of 32 hexadecimal digits.

    Ids of one process sort in the order of their creation, even when the clock goes back.
    Source: RFC 9562, 5.7 and 6.2, method 2.
    """
    global _last_id
    fresh = ((time.time_ns() // 1_000_000) << 74) | secrets.randbits(74)
    with _ids_lock:
        # In the same millisecond, or after the clock went back: a random increment of the last id.
        _last_id = fresh if fresh >> 74 > _last_id >> 74 else _last_id + 1 + secrets.randbits(32)
        value = _last_id
    time_ms, rand_a, rand_b = value >> 74, (value >> 62) & 0xFFF, value & ((1 << 62) - 1)
    return f"{prefix}_{time_ms << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b:032x}"


class Database:
    """A database on SQLite or PostgreSQL: transactions, creation of tables, health checks."""

    def __init__(self, url: str | URL) -> None:
        """Prepare the engines; the first connection is made by the first transaction.

        Args:
            url: URL of the database, ``sqlite+aiosqlite:///path/to/file.db``, whose folder is created if it is missing,
                or ``postgresql+psycopg://…``.

        Raises:
            ConfigError: When the URL is of another kind, its driver is missing, or the folder cannot be created.
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
        """Open a transaction that can only read, and does not wait for writers."""
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
        """Return the result of `work(connection, *args)`, run in a transaction that can only read.

        On SQLite it runs in a thread, at a fraction of the cost of a session. So `work` must not touch objects that
        belong to the event loop.
        """
        if self._threads is not None:
            return await self._threads.read(work, *args)
        async with self._reading.connect() as connection:
            return await connection.run_sync(work, *args)

    async def run_write(self, work: Callable[[Connection, *Ts], R], *args: *Ts) -> R:
        """Return the result of `work(connection, *args)`, run in a transaction that is rolled back when it raises.

        When the call is cancelled, the transaction has not begun or has ended; on SQLite it may have been committed.
        """
        if self._threads is not None:
            return await self._threads.write(work, *args)
        async with self._writing.begin() as connection:
            return await connection.run_sync(work, *args)

    async def run_delete(self, work: Callable[[Connection, *Ts], R], *args: *Ts) -> R:
        """Return the result of `run_write` for work that deletes, which succeeds on a full disk too.

        SQLite writes deletions to its log first. If there is no space for that, the reserved space is freed.
        """
        try:
            return await self.run_write(work, *args)
        except DBAPIError as exc:
            if self._file is None or faults.describe_fault(exc) != faults.DISK_FULL:
                raise
            if not await asyncio.to_thread(self._file.release_reserve):
                raise
        try:
            return await self.run_write(work, *args)
        finally:
            await asyncio.to_thread(self._file.take_reserve_back)

    def insert(self, row: type[DeclarativeBase] | Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT for `row` that supports `on_conflict_do_update` and `on_conflict_do_nothing`."""
        return sqlite.insert(row) if self.dialect == "sqlite" else postgresql.insert(row)

    async def create_tables(self, *metadata: MetaData) -> None:
        """Create the missing tables, all or none; other processes that start at the same time wait.

        Raises:
            ConfigError: When the database cannot be reached or opened, or is damaged.
        """
        try:
            await self.run_write(_create_tables, metadata)
            if self._file is not None and not self._file.is_claimed:
                await self._claim_file(self._file)
        except (DBAPIError, OSError) as exc:
            raise ConfigError(_setting_name(self.dialect), self.explain(exc)) from exc

    async def _claim_file(self, file: SQLiteFile) -> None:
        """Claim a file that has all tables, check it for damage, and reserve space for deletions."""
        file.claim()
        if await self.run_read(find_damage):
            raise ConfigError(_setting_name(self.dialect), self.explain(faults.DAMAGED))
        await asyncio.to_thread(file.keep_reserve)

    async def hold_presence_lock(self, clean_up: Callable[[Connection], object]) -> bool:
        """Hold a lock from now on by which other processes know that this one uses the database. SQLite only.

        Processes of versions without the lock, and those that failed to acquire it, go unnoticed.

        Args:
            clean_up: A transaction that cleans up after dead processes; run first, if no other process holds the lock.
                Its failure is logged.

        Returns:
            Whether this process holds the lock. Then others that find the lock free know that this process has ended.
        """
        if self._presence is None:
            return False
        try:
            if await asyncio.to_thread(self._presence.acquire):
                await self.run_write(clean_up)
        except (DBAPIError, FileReplacedError) as exc:
            logger.warning("what a killed server has left stays for now", extra={"reason": self.explain(exc)})
        except BaseException:
            self._presence.release()
            raise
        return await asyncio.to_thread(self._presence.share)

    def explain(self, fault: str | Exception) -> str:
        """Return a sentence for the operator that names the database, the fault, and a remedy.

        Args:
            fault: The result of `find_fault`, or an exception.
        """
        if isinstance(fault, Exception):
            cause = fault.orig if isinstance(fault, DBAPIError) else fault
            fault = faults.describe_fault(fault)
            fault = f"cannot be opened: {cause}" if fault == faults.NO_ANSWER else fault
        if self._file is None:
            return f"{self._url.render_as_string(hide_password=True)} {fault}"
        remedy = faults.FILE_REMEDIES.get(fault)
        return f"'{self._file.path}' {fault}{f'; {remedy}' if remedy else ''}"

    async def find_fault(self, timeout_s: float) -> str | None:
        """Return why the database cannot be read or written now, without paths or secrets; None when it can.

        It is probed by a minimal read and write within `timeout_s` seconds. Concurrent callers share one probe.
        """
        if self._file is not None and self._file.is_damaged:
            return faults.DAMAGED
        if self._probe is None or self._probe.done():
            self._has_answered = False
            self._probe = asyncio.create_task(self._read_and_write(), name="probe of the database")
        await asyncio.wait([self._probe], timeout=timeout_s)
        if self._probe.done() and not self._probe.cancelled():
            return self._probe.result()
        return faults.LOCKED if self._has_answered else faults.NO_ANSWER

    async def _read_and_write(self) -> str | None:
        try:
            await self.run_read(Connection.execute, select(1))
            self._has_answered = True
            await self.run_write(probe_writing)
        except (SQLAlchemyError, OSError, faults.DiskFullError, faults.ReadOnlyError) as exc:
            fault = faults.describe_fault(exc)
            logger.warning("database cannot be used", extra={"reason": fault, "error_type": type(exc).__name__})
            return fault
        if self._file is not None:
            await asyncio.to_thread(self._file.keep_reserve)
        return None

    async def find_damage(self) -> str | None:
        """Return a fault as `find_fault` does, if an SQLite file is damaged as far as it can be checked in a second."""
        try:
            is_damaged = self._file is not None and await self.run_read(find_damage)
        except DBAPIError as exc:
            return faults.describe_fault(exc)
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
            self._presence.release()


def _create_tables(connection: Connection, metadata: tuple[MetaData, ...]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(text(f"pg_advisory_xact_lock({_SCHEMA_LOCK})")))
    for each in metadata:
        each.create_all(connection)


def _parse_url(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        # The URL is not quoted, as it may contain a password.
        raise ConfigError("DATABASE_URL", "is not a URL such as postgresql+psycopg://user@host/name") from exc
    drivers = {"sqlite": "aiosqlite", "postgresql": "psycopg", "postgres": "psycopg"}
    backend, _, driver = parsed.drivername.partition("+")
    if backend not in drivers or driver not in ("", drivers[backend]):
        raise ConfigError("DATABASE_URL", f"'{parsed.drivername}' is neither sqlite+aiosqlite nor postgresql+psycopg")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigError("DATABASE_URL", "an SQLite database in memory cannot be shared; name a file")
    return parsed.set(drivername=f"{backend.replace('postgres', 'postgresql')[:10]}+{drivers[backend]}")


def _setting_name(dialect: str) -> str:
    # The default URL is derived from DATA_DIR, and which of the two was set is not known here.
    return "DATA_DIR or DATABASE_URL" if dialect == "sqlite" else "DATABASE_URL"


def _make_parent_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(_setting_name("sqlite"), f"the folder '{folder}' cannot be made: {exc.strerror}") from exc
