"""The file of an SQLite database: readable by its owner alone, watched while it is open, with room to delete.

SQLite opens the path anew for each connection and keeps what it has opened. So a path that leads to another file, or to
none, would split what is stored, and an empty file would be made where one was deleted.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy.engine import URL

from databases.faults import DAMAGED, FileReplacedError, fault_of

logger = logging.getLogger(__name__)

PRIVATE = 0o600
RESERVE_BYTES = 8 * 1024 * 1024
"""Space for what a delete writes into SQLite's log before that is folded into the file: 4 MB and as much again."""

FOLD_TIMEOUT_S = 1.0

_COMPANIONS = ("", "-wal", "-shm")
_OF_OTHERS = 0o077


class SQLiteFile:
    """The file that a database consists of, and its identity once the tables are there.

    Args:
        url: Address of the file.

    Attributes:
        path: Path of the file.
        is_damaged: Whether a statement met damage since the start.
    """

    def __init__(self, url: URL) -> None:
        self.path = Path(str(url.database))
        self._reserve = self.path.with_name(f"{self.path.name}-reserve")
        self._identity: tuple[int, int] | None = None
        self.is_damaged = False

    @property
    def is_claimed(self) -> bool:
        """Whether the file is known that every transaction has to find at the path."""
        return self._identity is not None

    def note_failure(self, exc: BaseException) -> None:
        """Note that a statement failed; one that met damage makes the file damaged until the next start."""
        if not self.is_damaged and fault_of(exc) == DAMAGED:
            self.is_damaged = True
            logger.error("the database file is damaged: restore it from a backup and restart the server")

    def claim(self) -> None:
        """Note which file it is; from now on no other one is used in its place."""
        status = os.stat(self.path)
        self._identity = status.st_dev, status.st_ino

    def check(self) -> None:
        """Refuse to work with another file than the one that was claimed. It is asked before each transaction.

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
        """Make the file if it is new, and close it to others; SQLite gives its other files the same mode.

        Raises:
            FileReplacedError: As `check` does.
        """
        if self._identity is not None:
            self.check()
            return
        with suppress(OSError):  # what cannot be made, SQLite says better
            # Only ever a new file: to close one that this process has open as a database would release its locks.
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
            os.close(descriptor)
            os.chmod(self.path, PRIVATE)  # whatever the umask says
        for suffix in _COMPANIONS:
            _close_to_others(Path(f"{self.path}{suffix}"))

    def keep_reserve(self, *, leaves: int = RESERVE_BYTES) -> None:
        """Have `RESERVE_BYTES` of the disk at hand for a delete, if so many bytes as `leaves` are free beside it."""
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
        """Give the reserved space back to the disk; say whether there was any."""
        try:
            self._reserve.unlink()
        except OSError:
            return False
        logger.warning("the disk is full: space that was reserved for deleting is used")
        return True

    def take_reserve_back(self) -> None:
        """Reserve again what a delete has used and freed, before anything else is written there.

        The log is folded into the file first, and gives back its space. An active reader may prevent that;
        then the next probe of the database makes the reserve, when there is room.
        """
        try:
            with closing(sqlite3.connect(self.path, isolation_level=None, timeout=FOLD_TIMEOUT_S)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as exc:
            logger.warning("the log of the database could not be folded", extra={"reason": str(exc)})
        self.keep_reserve(leaves=0)


def _close_to_others(path: Path) -> None:
    with suppress(OSError):  # it is not there, or another user's
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode & _OF_OTHERS:
            os.chmod(path, mode & ~_OF_OTHERS)


def free_bytes(path: str | Path) -> int:
    """Return how much this user may still write to the disk of a file or folder."""
    if not hasattr(os, "statvfs"):
        return 2 * RESERVE_BYTES
    status = os.statvfs(path)
    return status.f_frsize * (status.f_bavail if os.geteuid() else status.f_bfree)


def _allocate(descriptor: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
    else:
        os.write(descriptor, bytes(RESERVE_BYTES))
