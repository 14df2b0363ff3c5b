"""PeriodicTask: work that is repeated while the process lives; a failure is logged, and does not end the repetition."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

logger = logging.getLogger(__name__)

Work = Callable[[], Awaitable[object]]


class PeriodicTask:
    """Background task that does `work` at intervals.

    Args:
        name: The name of the task, for the log.
        work: The work, awaited each time.
        interval_s: Pause between two repetitions, in seconds; a jitter of a fifth keeps replicas from running in step.
        ready: Awaited before the first time.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        interval_s: float,
        ready: Work,
    ) -> None:
        self._name = name
        self._work = work
        self._interval_s = interval_s
        self._ready = ready

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do the work in the background; on leaving, stop it."""
        task = asyncio.create_task(self._run(), name=self._name)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        try:
            await self._ready()
        except Exception as exc:  # noqa: BLE001 - a failed start is reported by the lifecycle
            logger.info("periodic work never began", extra={"task": self._name, "error_type": type(exc).__name__})
            return
        while True:
            try:
                await self._work()
            except Exception:
                logger.exception("periodic work failed", extra={"task": self._name})
            await asyncio.sleep(self._interval_s * random.uniform(0.9, 1.1))
