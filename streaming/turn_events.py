"""What a piece of work shows while it runs, as a stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from chatkit.types import ThreadStreamEvent

from context import Turn
from streaming.endings import end_tasks


async def turn_events(turn: Turn, work: Coroutine[Any, Any, None]) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Run `work` and return, as they come, the events it puts into `turn`; then raise what it raised.

    Closing the generator cancels the work and waits for its end, within bounds.
    """
    task = asyncio.create_task(work, name=f"turn {turn.thread.id}")
    waiter: asyncio.Task[None] | None = None
    try:
        while not task.done():
            waiter = asyncio.create_task(turn.inbox.wait())
            await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
            for event in turn.inbox.drain():
                yield event
        for event in turn.inbox.drain():
            yield event
        await task
    finally:
        await end_tasks(*(t for t in (task, waiter) if t is not None))
