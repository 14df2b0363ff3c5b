"""The lock by which processes on one database detect each other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from databases.presence import Presence
from tests.preloaded.commands import own_python

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys
from pathlib import Path
from databases.presence import Presence
presence = Presence(Path(sys.argv[1]))
print(presence.enter(), flush=True)
presence.stay()
print("stays", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_is_there_no_more_and_a_living_one_is(tmp_path: Path) -> None:
    database = tmp_path / "parlor.db"
    with subprocess.Popen(
        own_python("-c", HOLD, str(database)), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline().strip() for _ in range(2)] == ["True", "stays"]
        beside = Presence(database)
        assert not beside.enter()
        beside.stay()
        third = Presence(database)
        assert not third.enter()
        process.kill()
        process.wait()
        third.leave()
        assert not third.enter(), "the one beside it is there"
        third.leave()
        beside.leave()
    assert third.enter()
    assert not third.enter(), "said once"
    third.leave()


def test_a_folder_that_nothing_can_be_written_to_says_nothing_of_others(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "missing" / "parlor.db")
    assert not presence.enter()
    assert not presence.stay()
    presence.leave()


def test_processes_that_open_a_database_by_different_names_see_each_other(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "data" / "parlor.db")
    first, second = Presence(tmp_path / "data" / "parlor.db"), Presence(tmp_path / "link.db")
    assert first.enter()
    assert first.stay()
    assert not second.enter()
    assert second.stay()
    first.leave()
    second.leave()


def test_a_child_process_that_is_started_meanwhile_does_not_hold_the_lock(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "parlor.db")
    assert presence.enter()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as tool:
        presence.leave()
        deadline = time.monotonic() + 300
        # The system closes what a program does not inherit at its start, one after the other.
        while not (other := Presence(tmp_path / "parlor.db")).enter():
            other.leave()
            assert time.monotonic() < deadline
        other.leave()
        tool.kill()


def test_a_process_frozen_while_it_enters_delays_nobody_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, other = (Presence(tmp_path / "parlor.db") for _ in range(2))
    assert frozen.enter()
    assert not other.enter()
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    assert not other.stay()
    assert frozen.stay()
    assert not other.enter()
    assert other.stay()
    other.leave()
    frozen.leave()
