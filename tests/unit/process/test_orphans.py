from __future__ import annotations

from tests.unit.process.test_command_line import run_python

# The kernel gives a subreaper the orphans below it, as it gives them to the first process of a container.
PROGRAM = """
import asyncio, ctypes, os, subprocess, time
from process.orphans import OrphanReaper, find_dead_children
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
own = subprocess.Popen(["true"])
subprocess.run(["sh", "-c", "true & true & exit 0"], check=True)
deadline = time.monotonic() + 20
while len(find_dead_children()) < 3 and time.monotonic() < deadline:
    pass
dead = find_dead_children()
assert len(dead) == 3 and own.pid in dead, dead
reaper = OrphanReaper()
asyncio.run(reaper.reap())
assert find_dead_children() == dead, "not at the first look"
assert own.wait() == 0, "whoever started it learns of its end"
asyncio.run(reaper.reap())
assert find_dead_children() == set()
asyncio.run(reaper.reap())
"""


def test_orphans_are_taken_note_of_and_own_processes_are_left_to_their_parents() -> None:
    done = run_python("-c", PROGRAM)
    assert (done.returncode, done.stderr) == (0, "")
