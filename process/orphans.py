"""OrphanReaper: reaps orphaned processes of tools, which the first process of a container inherits as zombies."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
REAP_INTERVAL_S = 30.0
"""Interval of the reaper, in seconds; code that waits for its own child has reaped it long before."""


class OrphanReaper:
    """Reaps children that were already zombies at the previous check.

    The code that started a process waits for it, so our own children are reaped at once. One that is still a zombie at
    the next check is an orphan, which would occupy the process table until it is full.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    @staticmethod
    def is_needed() -> bool:
        """Return whether this process inherits orphans, as the first one of a container does."""
        return os.getpid() == 1

    async def reap(self) -> None:
        """Reap the zombies of the previous check, and remember the current ones."""
        zombies = find_dead_children()
        for pid in zombies & self._seen:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 - the process has ended: this does not block
        self._seen = zombies


def find_dead_children(proc: Path = PROC) -> set[int]:
    """Return the ids of our zombie children; empty on systems without `/proc`."""
    zombies = set()
    for path in proc.glob("[0-9]*/stat"):
        try:
            # The name in front may contain anything, parentheses included. Source: proc_pid_stat(5).
            state, parent, *_ = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (OSError, ValueError):
            continue  # the process is gone
        if state == "Z" and int(parent) == os.getpid():
            zombies.add(int(path.parent.name))
    return zombies
