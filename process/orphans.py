"""Reaps processes that tools have left behind: in a container they become our children, and zombies otherwise."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
REAP_INTERVAL_S = 30.0
"""Pause between two looks, in seconds; whoever started a process himself has taken note of its end long before."""


class OrphanReaper:
    """Takes note of the end of processes that were dead at the last look too.

    A process of our own is waited for by whoever started it, at once. What is still dead one look later is somebody's
    orphan, and would stay in the table of processes, which is full at some time.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    @staticmethod
    def is_needed() -> bool:
        """Return whether orphans come to this process: it is the first one of its container."""
        return os.getpid() == 1

    async def reap(self) -> None:
        """Look once."""
        dead = find_dead_children()
        for pid in dead & self._seen:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 - it has ended: there is nothing to wait for
        self._seen = dead


def find_dead_children(proc: Path = PROC) -> set[int]:
    """Return the ids of our children that have ended and that nobody has waited for; none where that is not known."""
    found = set()
    for path in proc.glob("[0-9]*/stat"):
        try:
            # The name before it may hold anything, brackets included. Source: proc_pid_stat(5).
            state, parent, *_ = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (OSError, ValueError):
            continue  # it is gone
        if state == "Z" and int(parent) == os.getpid():
            found.add(int(path.parent.name))
    return found
