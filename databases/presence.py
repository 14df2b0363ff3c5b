"""Presence: a file lock by which processes know whether others on the machine have the same SQLite database open."""

from __future__ import annotations

import os
import time
from pathlib import Path

from databases.sqlite_file import PRIVATE

try:
    import fcntl
except ImportError:  # on Windows no process can know that it is alone
    fcntl = None  # type: ignore[assignment]


_ATTEMPTS = 100
_PAUSE_S = 0.05
"""Pause between two attempts, in seconds; in all, five seconds are waited for a process that cleans up."""


class Presence:
    """Lock that tells other processes on the machine that this one has a database open.

    The system releases it when the process ends in any way, and it works between containers on one machine.
    Source: flock(2).

    Args:
        database: Path of the database file; symbolic links are resolved, and the lock file is created beside it.
    """

    def __init__(self, database: Path) -> None:
        database = database.resolve()  # as SQLite does, so that all processes with the file open use one lock
        self._path = database.with_name(f"{database.name}-in-use")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Acquire the lock exclusively, and return whether this is the only process with the database open.

        Until this process calls `share`, others wait in their call of it. False also means that locks cannot be used.
        """
        if fcntl is None or self._descriptor is not None:
            return False
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def share(self) -> bool:
        """Share the lock with others from now on; return whether it is held, so that others know of this process."""
        for _ in range(_ATTEMPTS):
            if self._descriptor is None:
                break
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE_S)  # another process is starting, or was suspended during its start
            except OSError:
                break
            else:
                return True
        self.release()
        return False

    def release(self) -> None:
        """Release the lock. Its file is kept: if it were deleted, processes could hold locks on different files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
