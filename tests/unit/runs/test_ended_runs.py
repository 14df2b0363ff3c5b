"""Ended runs: the limit of the bytes that can still be viewed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from runs.ended_runs import EndedRuns


def ended_run(size: int) -> Any:
    return SimpleNamespace(log=SimpleNamespace(size=size))


def key(name: str) -> tuple[str, str, str]:
    return ("user_a", "test", name)


async def test_the_oldest_go_when_all_together_hold_too_much_and_the_newest_always_stays() -> None:
    lingering = EndedRuns(60, max_bytes=100)
    runs = {name: ended_run(40) for name in "abc"}
    for name, run in runs.items():
        lingering.add(key(name), run)
    assert [lingering.find(key(name)) for name in "abc"] == [None, runs["b"], runs["c"]]
    lingering.forget(key("b"))
    lingering.add(key("d"), run := ended_run(60))
    assert lingering.find(key("c")) is runs["c"], "what was let go of counts no more"
    lingering.add(key("d"), again := ended_run(60))
    assert lingering.find(key("c")) is runs["c"], "one of each thread"
    assert lingering.find(key("d")) is again is not run
    lingering.add(key("e"), huge := ended_run(1_000))
    assert [lingering.find(key(name)) for name in "cde"] == [None, None, huge]
    lingering.forget(key("e"))
