"""Worker threads for blocking work: their limit, a warning when it is reached, and a bounded shutdown."""

from __future__ import annotations

import asyncio
import threading

import pytest

from process.worker_threads import WorkerThreads


async def test_more_work_than_threads_waits_and_the_log_says_so_once(log: pytest.LogCaptureFixture) -> None:
    threads, gate = WorkerThreads(2), threading.Event()
    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(threads, gate.wait, 10) for _ in range(5)]
    assert [each.message for each in log.records] == ["all worker threads are busy, more work waits"]
    gate.set()
    assert await asyncio.gather(*jobs) == [True] * 5
    assert await threads.end(10)


async def test_work_that_ends_is_waited_for_and_work_that_does_not_is_reported() -> None:
    gate = threading.Event()
    loop = asyncio.get_running_loop()
    slow, stuck = WorkerThreads(1), WorkerThreads(1)
    job = loop.run_in_executor(slow, gate.wait, 10)
    hung = loop.run_in_executor(stuck, gate.wait, 10)
    queued = loop.run_in_executor(stuck, print)
    assert not await stuck.end(0.01)
    assert queued.cancelled() or not queued.done()
    ending = asyncio.create_task(slow.end(10))
    await asyncio.sleep(0)
    gate.set()
    assert await ending
    assert await asyncio.gather(job, hung) == [True, True]
    assert await WorkerThreads().end(0), "nothing was ever done there"
