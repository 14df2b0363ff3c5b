"""One owner task per answer; the HTTP response only views what the answer has produced.

ChatKit's generator must be driven by one task from start to end: it sets context variables that another task may not
reset, and its clean-up after a cancellation awaits the store, which a web framework's cancel scope would cancel again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator

logger = logging.getLogger(__name__)

MAX_WAITING_BYTES = 8 * 1024 * 1024
"""How much of an answer may wait for a viewer who does not read. Beyond it the viewer is dropped, not the answer."""


class Run:
    """One answer in the making.

    The owner task never waits for its viewer: it would then stand outside of ChatKit's generator, where a cancellation
    cannot reach the clean-up.

    Args:
        chunks: ChatKit's server-sent events.
        name: For the task's name.
    """

    def __init__(self, chunks: AsyncIterator[bytes], name: str) -> None:
        self._chunks = chunks
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_viewed = True
        self._changed = asyncio.Event()
        self._failure: Exception | None = None
        self._task = asyncio.create_task(self._drive(), name=name)
        self._task.add_done_callback(lambda _: self._changed.set())

    async def view(self) -> AsyncGenerator[bytes, None]:
        """Wait for the first chunk, then return all of them as a generator.

        Closing the generator cancels the run and returns when its clean-up, which keeps the partial answer, is done.

        Raises:
            Exception: What stopped the run before its first chunk, so that it can still become an HTTP status.
        """
        try:
            await self._wait()
        except asyncio.CancelledError:
            await self.cancel()
            raise
        if not self._waiting and self._failure is not None:
            raise self._failure
        return self._view()

    async def cancel(self) -> None:
        """Stop the run; return when its clean-up is done."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _view(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                await self._wait()
                if not self._waiting:
                    break
                # What has gathered while the viewer was busy goes out in one write.
                chunks = b"".join(self._waiting)
                self._waiting.clear()
                self._waiting_bytes = 0
                yield chunks
        finally:
            # A viewer that was dropped for not reading leaves the run alone.
            if self._is_viewed:
                await self.cancel()

    async def _wait(self) -> None:
        while not self._waiting and self._is_viewed and not self._task.done():
            self._changed.clear()
            await self._changed.wait()

    async def _drive(self) -> None:
        try:
            async for chunk in self._chunks:
                if not self._is_viewed:
                    continue
                self._waiting.append(chunk)
                self._waiting_bytes += len(chunk)
                if self._waiting_bytes > MAX_WAITING_BYTES:
                    self._is_viewed = False
                    self._waiting.clear()
                    logger.warning("viewer dropped, it does not read", extra={"task": self._task.get_name()})
                self._changed.set()
        except Exception as exc:  # noqa: BLE001 - the viewer decides: a status before the first chunk, else the end
            self._failure = exc
