"""Faults of a database: descriptions of the driver's exceptions that contain no paths and no secrets."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

DAMAGED = "is damaged"
DISK_FULL = "cannot be written to: the disk is full"
LOCKED = "cannot be written to: it is locked by another process, or busy"
READ_ONLY = "cannot be written to: it is read-only"
REPLACED = "was deleted or replaced while the server ran: move the same file back, or restart the server"
NO_ANSWER = "does not answer"
UNOPENABLE = "cannot be opened"

FILE_REMEDIES = {
    DAMAGED: "restore it from a backup, or move it away (with its -wal and -shm) to begin with an empty one",
    DISK_FULL: "free some space",
    LOCKED: "end the other process",
    READ_ONLY: "the file and its folder must be writable for the user that the server runs as",
    UNOPENABLE: "the file and its folder must be writable for the user that the server runs as",
}

_NEEDS_OPERATOR = frozenset({REPLACED, DAMAGED, READ_ONLY})

_SQLITE_FAULTS = {
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_CANTOPEN: UNOPENABLE,
    sqlite3.SQLITE_IOERR: "cannot be read or written to: the disk reports an error",
}
# PostgreSQL's documentation, appendix A, "PostgreSQL Error Codes".
_POSTGRES_FAULTS = {
    "53100": DISK_FULL,
    "25006": READ_ONLY,
    "55P03": LOCKED,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
    "28P01": "refuses the password",
    "28000": "refuses the user",
    "3D000": "does not exist on the server",
    "53300": "has too many connections",
}
_SQLITE_PRIMARY_CODE = 0xFF


class FileReplacedError(sqlite3.OperationalError):
    """The file of an open SQLite database was deleted or replaced, so that changes would be lost."""

    def __init__(self) -> None:
        super().__init__("the database file is not the one that was opened; it was deleted or replaced")


class DiskFullError(Exception):
    """The disk has hardly any free space."""


class ReadOnlyError(Exception):
    """The database server accepts no writes, such as a standby."""


def describe_fault(exc: BaseException) -> str:
    """Return a description of a database fault, e.g. ``"cannot be written to: the disk is full"``."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if isinstance(cause, FileReplacedError | FileNotFoundError):
        return REPLACED
    if isinstance(cause, ReadOnlyError):
        return READ_ONLY
    if isinstance(cause, DiskFullError):
        return DISK_FULL
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE_FAULTS.get(code & _SQLITE_PRIMARY_CODE, NO_ANSWER)
    return _POSTGRES_FAULTS.get(str(getattr(cause, "sqlstate", None)), NO_ANSWER)


def is_down(exc: BaseException) -> bool:
    """Return whether an exception means that the database is down, and not that a statement is wrong."""
    if getattr(getattr(exc, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return False  # a wrong statement, for which SQLite's driver raises an operational error too
    if isinstance(exc, OperationalError | InterfaceError | InternalError | PoolTimeoutError):
        return True
    # SQLite's driver raises the base class for a damaged file.
    return type(exc) is DatabaseError


def describe_known_fault(exc: BaseException) -> str | None:
    """Return a description of the fault if `exc` means that the database is down; None for any other or unknown one."""
    fault = describe_fault(exc) if is_down(exc) else NO_ANSWER
    return fault if fault != NO_ANSWER else None


def outage_advice(exc: BaseException) -> str:
    """Return advice for a person when the database is down: to retry, or to wait for the operator."""
    if describe_fault(exc) in _NEEDS_OPERATOR:
        return "Whoever runs this server has to put it right first: its log says how."
    return "Try again soon."
