"""Probes of a database: whether it can be written to, and whether it is damaged."""

from __future__ import annotations

import sqlite3
import time
from typing import cast

from sqlalchemy import Connection

from databases.faults import DiskFullError, ReadOnlyError
from databases.sqlite_file import free_bytes

LOOK_FOR_DAMAGE_S = 1.0
"""Time limit for checking the pages of an SQLite file, in seconds: enough for some hundred MB, if they are cached."""

_STEPS_BETWEEN_CLOCK_CHECKS = 10_000

MIN_FREE_BYTES = 1024 * 1024
"""Space for new messages, on the disk or in an SQLite file: with less, the disk counts as full."""


def probe_writing(connection: Connection) -> None:
    """Write as little as possible, and change nothing. For `Database.run_write`, as the commit may fail too.

    Raises:
        DiskFullError: When there is hardly space for a message. The free space is checked, as this write alone reuses
            space in SQLite's log, and would succeed on a full disk.
        ReadOnlyError: When the server accepts no writes.
    """
    if connection.dialect.name == "sqlite":
        version = _pragma(connection, "user_version")
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
        unused = _pragma(connection, "freelist_count") * _pragma(connection, "page_size")
        if unused < MIN_FREE_BYTES and unused + free_bytes(str(connection.engine.url.database)) < MIN_FREE_BYTES:
            raise DiskFullError
        return
    is_read_only = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
    if connection.exec_driver_sql(is_read_only).scalar_one():
        raise ReadOnlyError
    connection.exec_driver_sql("SELECT pg_current_xact_id()")


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def find_damage(connection: Connection) -> bool:
    """Return whether an SQLite file is damaged, as far as it can be checked in time. For `Database.run_read`."""
    deadline = time.monotonic() + LOOK_FOR_DAMAGE_S
    driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_CLOCK_CHECKS)
    try:
        return bool(driver.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError as exc:
        if exc.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return False
        if exc.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return True
        raise
    finally:
        driver.set_progress_handler(None, 0)
