"""The events of one agent run: its updates and the events of its tools are converted into ChatKit events.

Agent Framework's own `stream_agent_response` doubles the text of the Responses client, puts everything into one message
and drops whatever is not text, so this conversion is ours. It merges two sources in the order of their events: the
agent's stream, and the events that tools put into the `Turn`. Consecutive pieces of text that already wait become one
event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any

from agent_framework import AgentResponseUpdate, ResponseStream
from chatkit.types import ThreadItemDoneEvent, ThreadItemUpdatedEvent, ThreadStreamEvent

from context import Turn
from errors import EmptyAnswerError, ExitGuard
from framework.merged_updates import merge_kept_updates, release_stream
from runs.cancellation import end_tasks
from streaming.answers.tool_labels import ToolLabel
from streaming.answers.update_converter import LIMIT_TEXT, UpdateConverter

MAX_UPDATES_AHEAD = 64
"""How many updates may wait to be stored before the model's stream is paused."""

_END_OF_STREAM = object()


def agent_events(
    stream: ResponseStream[AgentResponseUpdate, Any],
    turn: Turn,
    labels: Mapping[str, ToolLabel],
    limit_message: Callable[[], str] = lambda: LIMIT_TEXT,
    remainder: Callable[[], AsyncGenerator[AgentResponseUpdate, None] | None] = lambda: None,
    *,
    is_workflow: bool = False,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Return the ChatKit events of one run of an agent.

    The stream is always closed, and cannot be asked for its final response. After a failure, open items are finished
    first, so that partial text is kept; then the failure is raised. An empty answer is a failure too.

    Args:
        stream: The result of `agent.run(..., stream=True)`.
        turn: The turn, through which the agent's tools show things.
        labels: The labels of tools, by name.
        limit_message: Returns the sentence for an answer that has reached its limit of steps.
        remainder: Called once the stream has ended and is converted; returns further updates of the same answer.
        is_workflow: Whether several agents answer in turn: then the stream is abandoned after a tool has asked the
            person a question, as the next agent would not wait for the answer.
    """
    converter = UpdateConverter(turn, labels, limit_message)
    return _AgentRun(stream, turn, converter, remainder, is_workflow=is_workflow).events()


class _AgentRun:
    """One run of an agent: a task reads the stream into the inbox, and a generator converts the inbox."""

    def __init__(
        self,
        stream: ResponseStream[AgentResponseUpdate, Any],
        turn: Turn,
        converter: UpdateConverter,
        remainder: Callable[[], AsyncGenerator[AgentResponseUpdate, None] | None],
        *,
        is_workflow: bool,
    ) -> None:
        self._stream = stream
        self._turn = turn
        self._answer = turn.context.answer
        self._inbox = self._answer.inbox
        self._converter = converter
        self._remainder = remainder
        self._is_workflow = is_workflow
        self._failure: Exception | None = None
        self._is_over = False
        # Events that were taken from the inbox, and events that were converted, and not yielded yet.
        self._waiting: Iterator[Any] = iter(())
        self._converted: Iterator[ThreadStreamEvent] = iter(())

    async def events(self) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Yield the events; see `agent_events`."""
        converter, inbox, direct_text = self._converter, self._inbox, self._answer.direct_text
        task = asyncio.create_task(self._read_stream(), name=f"agent {self._turn.thread.id}")
        is_stopped, is_open, is_in_remainder = False, True, False
        try:
            while is_open:
                if direct_text is not None:
                    direct_text.open(self._continue_text)
                try:
                    await inbox.wait()
                finally:
                    if direct_text is not None:
                        direct_text.close()
                self._waiting = iter(inbox.drain())
                for event in self._waiting:
                    if event is _END_OF_STREAM:
                        reading = None if is_in_remainder else self._start_remainder()
                        is_open, is_in_remainder, task = reading is not None, True, reading or task
                        continue
                    self._converted = converter.convert(event)
                    for converted in self._converted:
                        yield converted
                if (text := converter.pending_text()) is not None:
                    yield text
            self._converted = converter.close() if self._failure is None else converter.fail()
            for converted in self._converted:
                yield converted
            if self._failure is not None:
                raise self._failure
            if converter.is_empty and self._answer.decided is None:
                raise EmptyAnswerError
        except (asyncio.CancelledError, GeneratorExit):
            is_stopped = True
            raise
        except Exception:
            for converted in converter.fail():
                yield converted
            raise
        finally:
            self._is_over = True
            # Not `await task`, which could not tell the task's cancellation from our own.
            try:
                if await end_tasks(task):
                    release_stream(self._stream)
            finally:
                if is_stopped:
                    self._answer.keep_for_store(self._remaining_events())
                    self._answer.keep_for_store(ThreadItemDoneEvent(item=item) for item in converter.take_memory())

    async def _read_stream(self) -> None:
        """Put the agent's updates into the inbox, `MAX_UPDATES_AHEAD` at most."""
        stream, is_first = self._stream, True
        with self._signal_end():
            async with stream:
                merge_kept_updates(stream)
                async for update in stream:
                    if is_first:
                        is_first = False
                        merge_kept_updates(stream)  # the inner streams exist only now
                    if self._is_over:
                        return  # a tool has swallowed the cancellation: stop asking the model
                    await self._inbox.put_when_room(update, MAX_UPDATES_AHEAD)
                    if self._is_workflow and self._answer.question is not None and _has_tool_result(update):
                        break

    def _start_remainder(self) -> asyncio.Task[None] | None:
        """Return a task that reads further updates of the answer; None if there are none, or the stream has failed."""
        updates = self._remainder() if self._failure is None else None
        if updates is None:
            return None
        return asyncio.create_task(self._read_remainder(updates), name=f"rest {self._turn.thread.id}")

    async def _read_remainder(self, updates: AsyncGenerator[AgentResponseUpdate, None]) -> None:
        with self._signal_end():
            async with aclosing(updates):
                async for update in updates:
                    if self._is_over:
                        return
                    await self._inbox.put_when_room(update, MAX_UPDATES_AHEAD)

    @contextmanager
    def _signal_end(self) -> Iterator[None]:
        """Mark the end of a stream in the inbox, after keeping its failure for `events` to raise."""
        try:
            with ExitGuard(f"use case '{self._turn.context.use_case}'"):
                yield
        except Exception as exc:  # noqa: BLE001 - raised again
            self._failure = self._failure or exc
        finally:
            self._inbox.put_unbounded(_END_OF_STREAM)

    def _continue_text(self, text: str, message_id: str | None) -> ThreadItemUpdatedEvent | None:
        # Events that wait in the inbox come first.
        return self._converter.continue_text(text, message_id) if self._inbox.is_empty else None

    def _remaining_events(self) -> Iterator[ThreadStreamEvent]:
        """Yield the events that were already produced and not yielded yet."""
        yield from self._converted
        for event in (*self._waiting, *self._inbox.drain()):
            if event is not _END_OF_STREAM:
                yield from self._converter.convert(event)


def _has_tool_result(update: AgentResponseUpdate) -> bool:
    return any(content.type == "function_result" for content in update.contents)
