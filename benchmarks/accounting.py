"""The cost of a stretch of time: processor time and memory of processes and their children, read from /proc."""

from __future__ import annotations

import os
import time

from sse_client import clock

TICK = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    out = [pid]
    try:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/children") as f:
                for c in f.read().split():
                    out += tree(int(c))
    except OSError:
        pass
    return out


def cpu_s(pid: int | None) -> float:
    total = 0.0
    for p in tree(pid) if pid else []:
        try:
            with open(f"/proc/{p}/stat") as f:
                v = f.read().rsplit(")", 1)[1].split()
            total += (int(v[11]) + int(v[12])) / TICK
        except OSError:
            pass
    return total


def rss_mb(pid: int | None) -> float | None:
    total = 0
    for p in tree(pid) if pid else []:
        try:
            with open(f"/proc/{p}/statm") as f:
                total += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass
    return round(total / 1e6, 1) if pid else None


def machine_busy() -> float:
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:]]
    return (sum(v[:8]) - v[3] - v[4]) / TICK


class Window:
    """CPU over a stretch of time: the server's, the stub's, ours, and what else the machine did."""

    def __init__(self, a):
        self.a = a
        self.start = self._now()

    def _now(self):
        return (clock(), cpu_s(self.a.pid), cpu_s(self.a.stub_pid), time.process_time(), machine_busy())

    def end(self) -> dict:
        d = [y - x for x, y in zip(self.start, self._now())]
        wall = d[0] or 1e-9
        out = {"wall_s": round(d[0], 3), "client_cpu": round(d[3] / wall, 3)}
        if self.a.pid:
            out |= {"server_cpu_s": round(d[1], 3), "server_cpu": round(d[1] / wall, 3)}
        if self.a.stub_pid:
            out["stub_cpu"] = round(d[2] / wall, 3)
        out["others_cpu"] = round(max(0.0, d[4] - d[1] - d[2] - d[3]) / wall, 3)
        return out
