from __future__ import annotations

import gc
from itertools import pairwise

from process.garbage_collection import GROWTH_BYTES, LATE_FREEZES, RUN_BYTES, GarbageCollector, collect_seldom


def test_a_start_collects_seldom_but_does_not_stop_collecting() -> None:
    before = gc.get_threshold()
    # Python's own: a command that has run in this process before has set its own.
    gc.set_threshold(700, 10, 10)
    try:
        collect_seldom()
        during = gc.get_threshold()
    finally:
        gc.set_threshold(*before)
    assert during[0] > 300_000, "the objects that a start makes and keeps"
    assert gc.isenabled()


async def test_the_end_of_a_start_waits_for_no_collection() -> None:
    collections: list[str] = []

    def note(phase: str, _: dict[str, int]) -> None:
        collections.append(phase)

    collector = GarbageCollector(lambda: 0)
    gc.callbacks.append(note)
    try:
        collector.start()
    finally:
        gc.callbacks.remove(note)
        await collector.stop()
    assert collections == []


async def test_full_collections_wait_for_a_quiet_moment_or_for_memory() -> None:
    active, memory = [0], [0]
    collector = GarbageCollector(lambda: active[0], lambda: memory[0])
    before = gc.get_threshold()
    collector.start()
    try:
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[2] > 100_000
        assert not collector.check(), "nothing has happened yet"
        active[0] = 3
        assert not collector.check(), "somebody is being answered"
        memory[0] = GROWTH_BYTES + 2 * RUN_BYTES
        assert not collector.check(), "much of this is what is being written"
        memory[0] = GROWTH_BYTES + 3 * RUN_BYTES
        assert collector.check(), "it cannot wait"
        assert not collector.check()
        active[0] = 0
        assert collector.check(), "a quiet moment"
        assert not collector.check()
    finally:
        await collector.stop()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


async def test_objects_of_the_first_answers_are_excluded_from_later_collections() -> None:
    active = [0]
    collector = GarbageCollector(lambda: active[0], lambda: 0)
    collector.start()
    try:
        kept: list[list[object]] = []
        frozen = [gc.get_freeze_count()]
        for _ in range(LATE_FREEZES + 1):
            kept.append([[] for _ in range(1_000)])
            active[0] = 1
            collector.check()
            active[0] = 0
            assert collector.check()
            frozen.append(gc.get_freeze_count())
        growth = [after - before for before, after in pairwise(frozen)]
        assert all(each > 900 for each in growth[:LATE_FREEZES])
        assert growth[LATE_FREEZES] < 100, "what lives in a quiet moment may be garbage later"
    finally:
        await collector.stop()
