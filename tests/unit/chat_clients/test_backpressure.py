"""The pause between two reads: none without load, and bounded under load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from chat_clients.http.backpressure import FIRST_PAUSE_S, LONGEST_PAUSE_S, SAMPLE_INTERVAL_S, Backpressure
from chat_clients.http.provider_connection import ProviderConnection


class Machine:
    """A clock and a processor that do as they are told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.used = 7.0
        self.pace = Backpressure(lambda: self.now, lambda: self.used)

    def run(self, share: float, times: int = 1, step_s: float = SAMPLE_INTERVAL_S * 1.01) -> float:
        """Let `times` reads pass with `share` of a processor in use; return the pause."""
        pause_s = 0.0
        for _ in range(times):
            self.now += step_s
            self.used += share * step_s
            pause_s = self.pace.pause_s()
        return pause_s


class Steady(Backpressure):
    """Backpressure with a fixed pause at each read."""

    def __init__(self, pause_s: float) -> None:
        super().__init__()
        self._steady_s = pause_s

    def pause_s(self) -> float:
        return self._steady_s


@pytest.mark.parametrize("share", [0.0, 0.5, 0.94])
def test_no_pause_while_there_is_time_to_spare(share: float) -> None:
    assert Machine().run(share, times=50) == 0


def test_cpu_time_before_the_first_measurement_does_not_count() -> None:
    machine = Machine()
    machine.used += 1_000
    assert machine.run(0.1) == 0
    assert machine.run(0.1) == 0


def test_a_moments_rush_makes_nobody_wait() -> None:
    machine = Machine()
    machine.run(0.5)
    for _ in range(20):
        assert machine.run(1.0) == 0
        assert machine.run(0.9) == 0


def test_the_pause_grows_with_the_load_and_has_an_end() -> None:
    machine = Machine()
    assert machine.run(1.0, times=2) == 0
    assert machine.run(1.0) == FIRST_PAUSE_S
    assert FIRST_PAUSE_S < machine.run(1.0, times=3) < LONGEST_PAUSE_S
    assert machine.run(1.0, times=50) == LONGEST_PAUSE_S


def test_the_pause_holds_between_busy_and_calm_and_ends_in_the_calm() -> None:
    machine = Machine()
    held = machine.run(1.0, times=4)
    assert held > 0
    assert machine.run(0.92, times=10) == held
    assert machine.run(0.89, times=30) == 0


def test_between_two_looks_nothing_changes() -> None:
    machine = Machine()
    held = machine.run(1.0, times=4)
    assert machine.run(0.0, times=9, step_s=SAMPLE_INTERVAL_S / 10) == held


class Pieces(httpx.AsyncByteStream):
    """The events of an answer, one per read."""

    def __init__(self, count: int) -> None:
        self.count = count

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number in range(self.count):
            yield b'data: {"number": %d}\n\n' % number


async def test_a_busy_connection_waits_between_two_reads_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def note(delay_s: float) -> None:
        slept.append(delay_s)

    monkeypatch.setattr(asyncio, "sleep", note)
    answer = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(3))
    )
    connection = ProviderConnection("http://127.0.0.1:1", transport=answer, backpressure=Steady(0.125))
    numbers = [event["number"] async for events in connection.events("/answers", {}, list) for event in events]
    await connection.close()
    assert numbers == [0, 1, 2]
    assert slept == [0.125] * 3
