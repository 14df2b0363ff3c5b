from __future__ import annotations

import gc

from web.collector import GROWTH_BYTES, RUN_BYTES, QuietCollector


async def test_full_collections_wait_for_a_quiet_moment_or_for_memory() -> None:
    active, memory = [0], [0]
    collector = QuietCollector(lambda: active[0], lambda: memory[0])
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
