"""Resource usage of processes and their children over a stretch of time, read from /proc."""

from __future__ import annotations

import os
import time

from sse_client import clock

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def process_tree(pid: int) -> list[int]:
    """Return the ids of a process and all of its descendants."""
    pids = [pid]
    try:
        for task_id in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task_id}/children") as file:
                for child in file.read().split():
                    pids += process_tree(int(child))
    except OSError:
        pass
    return pids


def cpu_seconds(root_pid: int | None) -> float:
    """Return the processor time that a process and its descendants have used."""
    total = 0.0
    for pid in process_tree(root_pid) if root_pid else []:
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS_PER_S
        except OSError:
            pass
    return total


def rss_mb(root_pid: int | None) -> float | None:
    """Return the resident memory of a process and its descendants in MB; None without a process."""
    total = 0
    for pid in process_tree(root_pid) if root_pid else []:
        try:
            with open(f"/proc/{pid}/statm") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass
    return round(total / 1e6, 1) if root_pid else None


def machine_busy_seconds() -> float:
    """Return the processor time that the whole machine has spent, idle time and waits for I/O excluded."""
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICKS_PER_S


class UsageWindow:
    """CPU usage over a stretch of time: of the server, the stub, this process, and the rest of the machine."""

    def __init__(self, args):
        self.args = args
        self.start = self._read()

    def _read(self):
        return (
            clock(),
            cpu_seconds(self.args.pid),
            cpu_seconds(self.args.stub_pid),
            time.process_time(),
            machine_busy_seconds(),
        )

    def end(self) -> dict:
        """Return the usage since the start; ratios are in processors."""
        wall, server, stub, client, machine = (after - before for before, after in zip(self.start, self._read()))
        wall = wall or 1e-9
        usage = {"wall_s": round(wall, 3), "client_cpu": round(client / wall, 3)}
        if self.args.pid:
            usage |= {"server_cpu_s": round(server, 3), "server_cpu": round(server / wall, 3)}
        if self.args.stub_pid:
            usage["stub_cpu"] = round(stub / wall, 3)
        usage["others_cpu"] = round(max(0.0, machine - server - stub - client) / wall, 3)
        return usage
