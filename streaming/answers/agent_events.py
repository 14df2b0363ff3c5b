"""One run of an agent: its updates and the events of its tools become ChatKit events.

The stock `stream_agent_response` doubles the text of the Responses client, makes one message of everything and drops
what is not text, so this conversion is ours. Two sources meet here: the agent's stream, and what tools put into the
`Turn`. They are read in the order in which they happened, and neighbouring text that already waits is merged.
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
"""How many updates the model may be ahead of the store before its stream is paused."""

_END = object()


def agent_events(
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
        stream: The result of `agent.run(..., stream=True)`.
        turn: The turn, through which the agent's tools show things.
        labels: How tool calls are shown.
        limit_message: Returns the sentence for an answer that has taken as many steps as it may.
        more: Asked once, when the stream has ended and all of it is converted: what else belongs to the same answer.
        is_workflow: Whether agents follow each other: then the stream is left when a tool has asked the person
            something, as the next agent would not wait for the answer.
    """
    return _AgentRun(stream, turn, UpdateConverter(turn, labels, limit_message), more, is_workflow=is_workflow).events()


class _AgentRun:
    """One run of an agent: a task reads the stream ahead, a generator converts what it and the tools have put down."""

    def __init__(
        self,
        stream: ResponseStream[AgentResponseUpdate, Any],
        turn: Turn,
        converter: UpdateConverter,
        more: Callable[[], AsyncGenerator[AgentResponseUpdate, None] | None],
        *,
        is_workflow: bool,
    ) -> None:
        self._stream = stream
        self._turn = turn
        self._answer = turn.context.answer
        self._inbox = self._answer.inbox
        self._converter = converter
        self._more = more
        self._is_workflow = is_workflow
        self._failure: Exception | None = None
        self._is_over = False
        # Taken from the inbox, and converted, and not handed out yet.
        self._waiting: Iterator[Any] = iter(())
        self._converted: Iterator[ThreadStreamEvent] = iter(())

    async def events(self) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Return the events; see `agent_events`."""
        converter, inbox, direct_text = self._converter, self._inbox, self._answer.direct_text
        task = asyncio.create_task(self._read_stream(), name=f"agent {self._turn.thread.id}")
        is_stopped, is_open, is_ending = False, True, False
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
                    if event is _END:
                        remainder = None if self._failure is not None or is_ending else self._more()
                        is_ending = True
                        if remainder is None:
                            is_open = False
                        else:
                            task = asyncio.create_task(self._read_more(remainder), name=f"rest {self._turn.thread.id}")
                        continue
                    self._converted = converter.feed(event)
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
            # Not `await task`: that could not tell the reader's cancellation from our own.
            try:
                if await end_tasks(task):
                    release_stream(self._stream)
            finally:
                if is_stopped:
                    self._answer.keep_for_store(self._rest())
                    self._answer.keep_for_store(ThreadItemDoneEvent(item=item) for item in converter.unsaved_memory())

    async def _read_stream(self) -> None:
        """Put the agent's updates into the inbox, as far ahead as may be."""
        stream, is_first = self._stream, True
        with self._reading():
            async with stream:
                merge_kept_updates(stream)
                async for update in stream:
                    if is_first:
                        is_first = False
                        merge_kept_updates(stream)  # the streams within it are there only now
                    if self._is_over:
                        return  # a tool has swallowed the cancellation: nothing more is asked and done for nobody
                    await self._inbox.put_when_room(update, MAX_UPDATES_AHEAD)
                    if self._is_workflow and self._answer.question is not None and _has_result(update):
                        break

    async def _read_more(self, updates: AsyncGenerator[AgentResponseUpdate, None]) -> None:
        with self._reading():
            async with aclosing(updates):
                async for update in updates:
                    if self._is_over:
                        return
                    await self._inbox.put_when_room(update, MAX_UPDATES_AHEAD)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Leave a failure to `events`, which raises it once open items are finished; then mark the end of the inbox."""
        try:
            with ExitGuard(f"use case '{self._turn.context.use_case}'"):
                yield
        except Exception as exc:  # noqa: BLE001 - raised again
            self._failure = self._failure or exc
        finally:
            self._inbox.put_unbounded(_END)

    def _continue_text(self, text: str, message_id: str | None) -> ThreadItemUpdatedEvent | None:
        # What waits in the inbox came before.
        return self._converter.continue_text(text, message_id) if self._inbox.is_empty else None

    def _rest(self) -> Iterator[ThreadStreamEvent]:
        """Yield the events that were already waiting to be taken."""
        yield from self._converted
        for event in (*self._waiting, *self._inbox.drain()):
            if event is not _END:
                yield from self._converter.feed(event)


def _has_result(update: AgentResponseUpdate) -> bool:
    return any(content.type == "function_result" for content in update.contents)
