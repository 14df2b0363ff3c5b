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
print(presence.acquire(), flush=True)
presence.share()
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
        assert not beside.acquire()
        beside.share()
        third = Presence(database)
        assert not third.acquire()
        process.kill()
        process.wait()
        third.release()
        assert not third.acquire(), "the one beside it is there"
        third.release()
        beside.release()
    assert third.acquire()
    assert not third.acquire(), "said once"
    third.release()


def test_a_folder_that_nothing_can_be_written_to_says_nothing_of_others(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "missing" / "parlor.db")
    assert not presence.acquire()
    assert not presence.share()
    presence.release()


def test_processes_that_open_a_database_by_different_names_see_each_other(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "data" / "parlor.db")
    first, second = Presence(tmp_path / "data" / "parlor.db"), Presence(tmp_path / "link.db")
    assert first.acquire()
    assert first.share()
    assert not second.acquire()
    assert second.share()
    first.release()
    second.release()


def test_a_child_process_that_is_started_meanwhile_does_not_hold_the_lock(tmp_path: Path) -> None:
    presence = Presence(tmp_path / "parlor.db")
    assert presence.acquire()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as tool:
        presence.release()
        deadline = time.monotonic() + 300
        # The system closes what a program does not inherit at its start, one after the other.
        while not (other := Presence(tmp_path / "parlor.db")).acquire():
            other.release()
            assert time.monotonic() < deadline
        other.release()
        tool.kill()


def test_a_process_frozen_while_it_enters_delays_nobody_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, other = (Presence(tmp_path / "parlor.db") for _ in range(2))
    assert frozen.acquire()
    assert not other.acquire()
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    assert not other.share()
    assert frozen.share()
    assert not other.acquire()
    assert other.share()
    other.release()
    frozen.release()
