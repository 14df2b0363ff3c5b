"""Guards a provider's answer: an answer that was cut off fails, and is never taken for a complete one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from typing import Any, Protocol

from agent_framework import ChatResponseUpdate

from chat_clients.failures import build_model_error, explain_model_failure
from chat_clients.http.answer_forms import NoAnswerError
from chat_clients.http.server_events import Event
from chat_clients.protocols.event_shape import describe_shape
from chat_clients.protocols.text_relay import TextRelay
from errors import ModelError
from framework.text_updates import TextSink

logger = logging.getLogger(__name__)

CLOSING_WAIT_S = 0.5
"""How long to wait for the end of the stream after the answer, so that the connection can be reused."""


class AnswerReader(Protocol):
    """Converts the events of one answer to updates.

    Attributes:
        finish_reason: The reason why the answer has ended; None as long as it has not.
        is_done: Whether no further event matters.
    """

    finish_reason: str | None
    is_done: bool

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether the text has begun with a thought without an opening tag; None if that is unknown."""
        ...

    def read(self, events: list[Event]) -> Iterable[ChatResponseUpdate]:
        """Return the updates of events that arrived together; neighbouring text becomes one update."""
        ...

    def close(self) -> Iterable[ChatResponseUpdate]:
        """Return the remaining updates when the stream has ended."""
        ...

    def close_text(self) -> Iterable[ChatResponseUpdate]:
        """Return only the text that has waited for more, as the answer was cut off."""
        ...


Ask = Callable[[Callable[[list[Event]], list[ChatResponseUpdate] | None]], Awaitable[AsyncGenerator[Any, None]]]
"""Sends a request and returns the results of the given function for the events of the answer, batch by batch."""


async def stream_answer(
    ask: Ask,
    reader: AnswerReader,
    show_text: TextSink | None = None,
    *,
    on_begin: Callable[[], None] = lambda: None,
) -> AsyncGenerator[ChatResponseUpdate, None]:
    """Send a request and yield the updates of its answer; fail with a `ModelError` if the answer is incomplete.

    The framework takes a stream that merely stops for a finished answer, and would run a tool call that was cut off.

    Args:
        ask: Sends the request.
        reader: Converts the events of the answer.
        show_text: Shows text at once; shown text is repeated in one `ShownPiece` before the update that follows it.
        on_begin: Called when the first part of the answer has arrived.

    Raises:
        ModelError: When the answer fails or is incomplete.
    """
    reading = _AnswerReading(reader, show_text, on_begin)
    try:
        async with contextlib.aclosing(await ask(reading.read)) as batches:
            async for updates in batches:
                for update in updates:
                    yield update
                if reading.failure is not None:
                    raise reading.failure
                if reader.is_done:
                    break
            for update in reading.close():
                yield update
            if reader.is_done:
                await _await_end(batches)
        if not reading.has_begun:
            _log_silence(reading.first_event, reader.finish_reason)
    except Exception as exc:
        for update in reading.close_text():
            yield update
        if isinstance(exc, ModelError):
            raise
        if isinstance(exc, NoAnswerError):
            logger.warning("model server has sent what is no answer", extra={"begins": exc.begins})
        raise explain_model_failure(exc, has_begun=reading.has_begun) from exc
    raise_if_incomplete(reader.finish_reason)


class _AnswerReading:
    """Converts the events of an answer, and shows its text directly if that is possible.

    Attributes:
        has_begun: Whether a part of the answer has arrived.
        first_event: The first event of the server; None once the answer has begun.
        failure: The error that follows the latest updates, or None.
    """

    def __init__(self, reader: AnswerReader, show_text: TextSink | None, on_begin: Callable[[], None]) -> None:
        self._on_begin = on_begin
        self.has_begun = False
        self.first_event: Event | None = None
        self.failure: Exception | None = None
        self._reader = reader
        self._relay = TextRelay(show_text)

    def read(self, events: list[Event]) -> list[ChatResponseUpdate] | None:
        """Return the updates that were not shown directly; None if there are none, and the answer goes on."""
        if self._reader.is_done:
            return None
        if self.first_event is None and not self.has_begun:
            self.first_event = events[0]
        remaining: list[ChatResponseUpdate] = []
        try:
            for update in self._reader.read(events):
                self._note_begin()
                if remaining or not self._relay.take(update):
                    remaining += [*self._relay.replay_shown(), update]
        except Exception as exc:
            if not remaining:
                raise
            self.failure = exc  # raised after the updates before it
        return remaining if remaining or self._reader.is_done else None

    def close(self) -> Iterator[ChatResponseUpdate]:
        """Yield the remaining updates when the stream has ended."""
        yield from self._relay.replay_shown()
        for update in self._reader.close():
            if any(content.type != "usage" for content in update.contents):
                self._note_begin()
            yield update

    def close_text(self) -> Iterator[ChatResponseUpdate]:
        """Yield the remaining text when the answer is cut off."""
        for update in self._reader.close_text():
            yield from self._relay.replay_shown()
            self._note_begin()
            yield update

    def _note_begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self.first_event = None  # no longer needed, and possibly large
            self._on_begin()


def _log_silence(first_event: Event | None, finish_reason: str | None) -> None:
    """Log why an answer is empty, unless it has failed, which is logged elsewhere."""
    if finish_reason in COMPLETE_REASONS:
        logger.info("model has said nothing", extra={"finish_reason": finish_reason})
    elif finish_reason is None or finish_reason == INTERRUPTED:
        logger.warning(
            "model server has sent nothing that is read as an answer",
            extra={"event": describe_shape(first_event), "finish_reason": finish_reason},
        )


async def _await_end(batches: AsyncGenerator[Any, None]) -> None:
    """Wait briefly for the end of the stream, without which the connection cannot be reused."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSING_WAIT_S):
            async for _ in batches:
                pass


_FINISH_REASONS: dict[str, str] = {
    **dict.fromkeys(("stop", "stop_sequence", "eos", "eos_token", "end", "end_turn", "complete", "completed"), "stop"),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call", "function_calls"), "tool_calls"),
    **dict.fromkeys(
        ("length", "max_length", "max_token", "max_tokens", "max_output_tokens", "model_length", "token_limit"),
        "length",
    ),
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "error": "error",
}
"""Our finish reasons by those of OpenAI and of compatible servers."""

INTERRUPTED = "interrupted"
"""Finish reason for all unknown ones, such as ``abort`` or ``SAFETY``: the answer may be incomplete."""

COMPLETE_REASONS = ("stop", "tool_calls")
"""Finish reasons of complete answers."""


def read_finish_reason(value: Any) -> str | None:
    """Return one of our finish reasons for that of a provider; None if it gives none."""
    if value is None or value == "":
        return None
    text = re.sub(r"[\s-]+", "_", str(value).strip().lower())
    # Google's libraries print "FINISH_REASON_STOP" or "FinishReason.STOP".
    text = text.removeprefix("finish_reason_").removeprefix("finishreason.")
    return None if text in ("null", "none") else _FINISH_REASONS.get(text, INTERRUPTED)


def raise_if_incomplete(finish_reason: str | None) -> None:
    """Raise an error if `finish_reason` says that an answer is incomplete.

    Raises:
        ModelError: An error with a sentence for the person.
    """
    match finish_reason:
        case "stop" | "tool_calls":
            return
        case "length":
            raise build_model_error("model.cut_short")
        case "content_filter":
            raise build_model_error("model.content_filter")
        case "error":
            raise build_model_error("model.failed")
        case _:
            raise build_model_error("model.interrupted")
