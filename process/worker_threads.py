"""WorkerThreads: the executor for blocking work, such as synchronous tools, files and name resolution."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

MAX_THREADS = 64
"""Number of threads. The default of asyncio depends on the processors, and is six on two of them."""


class WorkerThreads(ThreadPoolExecutor):
    """Default executor of the event loop, with enough threads for tools that block, and a warning when all are busy.

    Args:
        max_threads: Number of threads; work beyond it waits.
    """

    def __init__(self, max_threads: int = MAX_THREADS) -> None:
        super().__init__(max_threads, "worker")
        self._max_threads = max_threads
        self._lock = threading.Lock()
        self._jobs = 0
        self._is_full = False
        self._on_idle: Callable[[], object] | None = None

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run `fn` in a thread as soon as one is free."""
        job = super().submit(fn, *args, **kwargs)
        with self._lock:
            self._jobs += 1
            is_news = self._jobs > self._max_threads and not self._is_full
            self._is_full = self._is_full or is_news
        if is_news:
            logger.warning("all worker threads are busy, more work waits", extra={"threads": self._max_threads})
        job.add_done_callback(self._note_end)
        return job

    async def end(self, timeout_s: float) -> bool:
        """Accept no more work, and return whether the work in progress ends within `timeout_s` seconds."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if not self._jobs:
                return True
            self._on_idle = lambda: loop.call_soon_threadsafe(ended.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await ended.wait()
        self._on_idle = None
        return not self._jobs

    def _note_end(self, _: Future[R]) -> None:
        with self._lock:
            self._jobs -= 1
            if not self._jobs and self._on_idle is not None:
                self._on_idle()
            # Hysteresis: one warning each time that all threads become busy, not one for each piece of work.
            self._is_full = self._is_full and self._jobs > self._max_threads // 2
