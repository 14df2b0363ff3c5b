"""What a piece of work shows while it runs, as a stream of events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator
from typing import Any

from chatkit.types import ThreadItemDoneEvent, ThreadItemRemovedEvent, ThreadItemReplacedEvent, ThreadStreamEvent

from context import RequestContext, Turn
from streaming.runs.cancellation import end_tasks

logger = logging.getLogger(__name__)

_STORED = (ThreadItemDoneEvent, ThreadItemReplacedEvent, ThreadItemRemovedEvent)


async def turn_events(turn: Turn, work: Coroutine[Any, Any, None]) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Run `work` and return, as they come, the events it puts into `turn`; then raise what it raised.

    Closing the generator cancels the work and waits for its end, within bounds. What it has shown by then and is still
    to be stored is left in the context.
    """
    waiting: Iterator[Any] = iter(())
    task = asyncio.create_task(work, name=f"turn {turn.thread.id}")
    waiter: asyncio.Task[None] | None = None
    try:
        while not task.done():
            waiter = asyncio.create_task(turn.inbox.wait())
            await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
            waiting = iter(turn.inbox.drain())
            for event in waiting:
                yield event
        waiting = iter(turn.inbox.drain())
        for event in waiting:
            yield event
        await task
    finally:
        try:
            await end_tasks(*(t for t in (task, waiter) if t is not None))
        finally:
            keep_for_store(turn.context, waiting)
            keep_for_store(turn.context, turn.inbox.drain())


def keep_for_store(context: RequestContext, events: Iterable[Any]) -> None:
    """Leave in `context` what changes the thread, of events that nobody will take any more."""
    try:
        for event in events:
            if isinstance(event, _STORED):
                context.unsaved_events.append(event)
    except Exception as exc:  # noqa: BLE001 - the answer is over already
        logger.warning("the rest of a stopped answer is lost", extra={"error_type": type(exc).__name__})
