"""The events that a piece of work shows while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any

from chatkit.types import ThreadStreamEvent

from context import Turn
from errors import run_without_exit
from runs.cancellation import end_tasks


async def turn_events(turn: Turn, work: Coroutine[Any, Any, None]) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Run `work` and return, as they come, the events it puts into `turn`; then raise what it raised.

    Closing the generator cancels the work and waits for its end, within bounds. What it has shown by then and is still
    to be stored is left in the state of the answer.
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
