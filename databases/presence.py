"""Which processes have an SQLite database open: each holds a lock beside it, which the system frees when it dies."""

from __future__ import annotations

import os
import time
from pathlib import Path

from databases.sqlite_file import PRIVATE

try:
    import fcntl
except ImportError:  # Windows: nobody is known to be alone
    fcntl = None  # type: ignore[assignment]


_TRIES = 100
_PAUSE_S = 0.05
"""Five seconds in all are waited for another one that cleans up what dead processes have left."""


class Presence:
    """The lock by which other processes on the machine know that this one has a database open.

    Source: flock(2): it goes with the process, however that ends, and holds among containers on one machine.

    Args:
        database: Path of the database's file; the lock's file lies beside it; a link is followed first.
    """

    def __init__(self, database: Path) -> None:
        database = database.resolve()  # as SQLite does, so that all who have one file open meet at one lock
        self._path = database.with_name(f"{database.name}-in-use")
        self._descriptor: int | None = None

    def enter(self) -> bool:
        """Take the lock, and return whether no other process holds it; until `stay`, others that enter wait there.

        Where that cannot be known, others may be there.
        """
        if fcntl is None or self._descriptor is not None:
            return False
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def stay(self) -> bool:
        """Hold the lock beside others from now on; return whether it is held, so that others know of this process."""
        for _ in range(_TRIES):
            if self._descriptor is None:
                break
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE_S)  # another one starts, or was frozen in its start
            except OSError:
                break
            else:
                return True
        self.leave()
        return False

    def leave(self) -> None:
        """Give up the lock. Its file stays, or a process that has it open would hold a lock that others cannot see."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
