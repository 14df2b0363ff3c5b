"""The events that a coroutine puts into its turn while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any

from chatkit.types import ThreadStreamEvent

from context import Turn
from errors import run_without_exit
from runs.cancellation import end_tasks


async def turn_events(turn: Turn, work: Coroutine[Any, Any, None]) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Run `work` and yield the events that it puts into `turn` as they come; then raise its exception, if any.

    Closing the generator cancels the work and waits for its end, within limits. Events that are still to be stored then
    are kept in the state of the answer.
    """
    answer = turn.context.answer
    waiting: Iterator[Any] = iter(())
    work = run_without_exit(work, f"use case '{turn.context.use_case}'")
    task = asyncio.create_task(work, name=f"turn {turn.thread.id}")
    waiter: asyncio.Task[None] | None = None
    try:
        while not task.done():
            waiter = asyncio.create_task(answer.inbox.wait())
            await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
            waiting = iter(answer.inbox.drain())
            for event in waiting:
                yield event
        waiting = iter(answer.inbox.drain())
        for event in waiting:
            yield event
        await task
    finally:
        try:
            await end_tasks(*(t for t in (task, waiter) if t is not None))
        finally:
            answer.keep_for_store(waiting)
            answer.keep_for_store(answer.inbox.drain())
