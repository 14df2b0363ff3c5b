"""Agent Framework updates -> ChatKit events.

The stock `stream_agent_response` doubles the text of the Responses client, makes one message of everything and drops
what is not text, so this conversion is ours. Two sources meet here: the agent's stream, and what tools put into the
`Turn`. They are read in the order in which they happened, and neighbouring text that already waits is merged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from agent_framework import AgentResponseUpdate, ResponseStream
from chatkit.types import ThreadItem, ThreadItemDoneEvent, ThreadItemUpdatedEvent, ThreadStreamEvent

from context import Turn
from errors import ModelError
from framework.kept_updates import keep_merged, release
from streaming.answers.turn_events import keep_for_store
from streaming.answers.update_converter import LIMIT_TEXT, Answer
from streaming.answers.workflow_steps import ToolLabel
from streaming.runs.cancellation import end_tasks

MAX_UPDATES_AHEAD = 64
"""How many updates the model may be ahead of the store before its stream is paused."""


async def agent_events(
    stream: ResponseStream[AgentResponseUpdate, Any],
    turn: Turn,
    labels: Mapping[str, ToolLabel],
    limit_message: Callable[[], str] = lambda: LIMIT_TEXT,
    more: Callable[[], AsyncGenerator[AgentResponseUpdate, None] | None] = lambda: None,
    *,
    is_workflow: bool = False,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Return the ChatKit events of one run of an agent.

    The provider's stream is closed on every way out, and cannot be asked for its final response. After a failure what
    was open is finished first, so that partial text is kept; then the failure is raised. To say nothing is one too.

    Args:
        stream: What `agent.run(..., stream=True)` returned.
        turn: Where the agent's tools put what they show.
        labels: How tool calls are shown.
        limit_message: Says what the person reads when the answer has taken as many steps as it may.
        more: Asked once, when the stream has ended and all of it is converted: what else belongs to the same answer.
        is_workflow: Whether agents follow each other: then the stream is left when a tool has asked the person
            something, as the next agent would not wait for the answer.
    """
    answer = Answer(turn, labels, limit_message)
    inbox = turn.inbox
    end = object()
    failure: list[BaseException] = []
    is_over = False
    waiting: Iterator[Any] = iter(())
    converting: Iterator[ThreadStreamEvent] = iter(())

    async def pump() -> None:
        try:
            async with stream:
                keep_merged(stream)
                is_first = True
                async for update in stream:
                    if is_first:
                        is_first = False
                        keep_merged(stream)  # the streams within it are there only now
                    if is_over:
                        return  # a tool has swallowed the cancellation: nothing more is asked and done for nobody
                    await inbox.put_when_room(update, MAX_UPDATES_AHEAD)
                    if is_workflow and turn.question is not None and _has_result(update):
                        break
        except Exception as exc:  # noqa: BLE001 - raised again by the reader, after what is open is finished
            failure.append(exc)
        finally:
            inbox.put_last(end)

    async def pump_more(updates: AsyncGenerator[AgentResponseUpdate, None]) -> None:
        try:
            async with aclosing(updates):
                async for update in updates:
                    if is_over:
                        return
                    await inbox.put_when_room(update, MAX_UPDATES_AHEAD)
        except Exception as exc:  # noqa: BLE001 - as above
            failure.append(exc)
        finally:
            inbox.put_last(end)

    def continue_text(text: str, message_id: str | None) -> ThreadItemUpdatedEvent | None:
        # What waits in the inbox came before.
        return answer.continue_text(text, message_id) if inbox.is_empty else None

    def rest() -> Iterator[ThreadStreamEvent]:
        """Return what would have come next."""
        yield from converting
        for event in (*waiting, *inbox.drain()):
            if event is not end:
                yield from answer.feed(event)

    short_way = turn.context.short_way
    task = asyncio.create_task(pump(), name=f"agent {turn.thread.id}")
    is_stopped = False
    try:
        is_open, is_ending = True, False
        while is_open:
            if short_way is not None:
                short_way.open(continue_text)
            try:
                await inbox.wait()
            finally:
                if short_way is not None:
                    short_way.close()
            waiting = iter(inbox.drain())
            for event in waiting:
                if event is end:
                    remainder = None if failure or is_ending else more()
                    is_ending = True
                    if remainder is None:
                        is_open = False
                    else:
                        task = asyncio.create_task(pump_more(remainder), name=f"rest {turn.thread.id}")
                    continue
                converting = answer.feed(event)
                for converted in converting:
                    yield converted
            if (text := answer.pending_text()) is not None:
                yield text
        converting = answer.fail() if failure else answer.close()
        for converted in converting:
            yield converted
        if failure:
            raise failure[0]
        if answer.is_empty and turn.decided is None:
            raise ModelError("The model gave no answer.", code="model.empty")
    except (asyncio.CancelledError, GeneratorExit):
        is_stopped = True
        raise
    except Exception:
        for converted in answer.fail():
            yield converted
        raise
    finally:
        is_over = True
        # Not `await task`: that could not tell the pump's cancellation from our own.
        try:
            if await end_tasks(task):
                release(stream)
        finally:
            if is_stopped:
                keep_for_store(turn.context, rest())
                keep_for_store(turn.context, map(_done, answer.unsaved_memory()))


def _done(item: ThreadItem) -> ThreadItemDoneEvent:
    return ThreadItemDoneEvent(item=item)


def _has_result(update: AgentResponseUpdate) -> bool:
    return any(content.type == "function_result" for content in update.contents)
