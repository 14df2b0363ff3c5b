"""SQLiteFile: a private database file, protected against replacement while it is open, with disk space for deletions.

SQLite opens the path again for each connection, and keeps open files. So if the file is replaced, connections would use
different files, and if it is deleted, an empty one would be created.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy.engine import URL

from databases.faults import DAMAGED, FileReplacedError, describe_fault

logger = logging.getLogger(__name__)

PRIVATE = 0o600
RESERVE_BYTES = 8 * 1024 * 1024
"""Disk space that a delete needs in SQLite's log until the next checkpoint: 4 MB, and as much again."""

FOLD_TIMEOUT_S = 1.0

_COMPANIONS = ("", "-wal", "-shm")
_OF_OTHERS = 0o077


class SQLiteFile:
    """The file of a database, and its identity (device and inode) once the tables have been created.

    Args:
        url: URL of the file.

    Attributes:
        path: Path of the file.
        is_damaged: Whether a statement has met damage since the start.
    """

    def __init__(self, url: URL) -> None:
        self.path = Path(str(url.database))
        self._reserve = self.path.with_name(f"{self.path.name}-reserve")
        self._identity: tuple[int, int] | None = None
        self.is_damaged = False

    @property
    def is_claimed(self) -> bool:
        """Whether the identity of the file has been recorded by `claim`."""
        return self._identity is not None

    def note_failure(self, exc: BaseException) -> None:
        """Record the failure of a statement: once one has met damage, the file counts as damaged until a restart."""
        if not self.is_damaged and describe_fault(exc) == DAMAGED:
            self.is_damaged = True
            logger.error("the database file is damaged: restore it from a backup and restart the server")

    def claim(self) -> None:
        """Record the identity of the file; from now on `check` rejects any other one at the path."""
        status = os.stat(self.path)
        self._identity = status.st_dev, status.st_ino

    def check(self) -> None:
        """Check that the path still leads to the claimed file. Called before each transaction.

        Raises:
            FileReplacedError: When the path leads to another file, or to none.
        """
        if self._identity is None:
            return
        try:
            status = os.stat(self.path)  # 1.5 us, a twentieth of an empty transaction
        except OSError as exc:
            raise FileReplacedError from exc
        if (status.st_dev, status.st_ino) != self._identity:
            raise FileReplacedError

    def prepare(self) -> None:
        """Create the file if it is missing, and make it private; SQLite gives its other files the same mode.

        Raises:
            FileReplacedError: When the file was claimed, and the path leads to another one, or to none.
        """
        if self._identity is not None:
            self.check()
            return
        with suppress(OSError):  # SQLite reports a better error
            # Only a new file: closing one that this process has open as a database would release its locks.
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
            os.close(descriptor)
            os.chmod(self.path, PRIVATE)  # regardless of the umask
        for suffix in _COMPANIONS:
            _close_to_others(Path(f"{self.path}{suffix}"))

    def keep_reserve(self, *, leaves: int = RESERVE_BYTES) -> None:
        """Reserve `RESERVE_BYTES` on the disk for deletions, if at least `leaves` bytes remain free."""
        try:
            if self._reserve.exists() or free_bytes(self.path.parent) < RESERVE_BYTES + leaves:
                return
            descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
            try:
                _allocate(descriptor)
            finally:
                os.close(descriptor)
        except FileExistsError:
            return  # another process was faster
        except OSError as exc:
            logger.warning("no space is reserved for deleting", extra={"reason": exc.strerror})
            with suppress(OSError):
                self._reserve.unlink(missing_ok=True)

    def release_reserve(self) -> bool:
        """Free the reserved space; return whether there was any."""
        try:
            self._reserve.unlink()
        except OSError:
            return False
        logger.warning("the disk is full: space that was reserved for deleting is used")
        return True

    def take_reserve_back(self) -> None:
        """Reserve space again after a delete, before anything else uses it.

        A checkpoint of the log frees its space first. An active reader may prevent that; then the next probe of the
        database creates the reserve, when there is space.
        """
        try:
            with closing(sqlite3.connect(self.path, isolation_level=None, timeout=FOLD_TIMEOUT_S)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as exc:
            logger.warning("the log of the database could not be folded", extra={"reason": str(exc)})
        self.keep_reserve(leaves=0)


def _close_to_others(path: Path) -> None:
    with suppress(OSError):  # missing, or owned by another user
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode & _OF_OTHERS:
            os.chmod(path, mode & ~_OF_OTHERS)


def free_bytes(path: str | Path) -> int:
    """Return the disk space that is available to this user at a path, in bytes."""
    if not hasattr(os, "statvfs"):
        return 2 * RESERVE_BYTES
    status = os.statvfs(path)
    return status.f_frsize * (status.f_bavail if os.geteuid() else status.f_bfree)


def _allocate(descriptor: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
    else:
        os.write(descriptor, bytes(RESERVE_BYTES))
