"""The guard around a provider's answer: a part of an answer is never taken for the whole."""

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
"""How long a connection may take to say that the answer is over, so that it can be used again."""


class AnswerReader(Protocol):
    """Reads the events of one answer.

    Attributes:
        finish_reason: Why the model ended, once it has.
        is_done: Nothing of meaning follows.
    """

    finish_reason: str | None
    is_done: bool

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether a thought was closed in the text that nothing had opened; None where nothing tells."""
        ...

    def read(self, events: list[Event]) -> Iterable[ChatResponseUpdate]:
        """Return what `events`, which arrived together, mean; neighbouring text is one update."""
        ...

    def close(self) -> Iterable[ChatResponseUpdate]:
        """Return what is left to say when the stream has ended."""
        ...

    def close_text(self) -> Iterable[ChatResponseUpdate]:
        """Return the text that has waited for more, and no more than that: the answer was cut off."""
        ...


Ask = Callable[[Callable[[list[Event]], list[ChatResponseUpdate] | None]], Awaitable[AsyncGenerator[Any, None]]]
"""Sends a request and returns what the function it is given makes of the events of its answer, batch by batch."""


async def whole_updates(
    ask: Ask,
    reader: AnswerReader,
    show_text: TextSink | None = None,
    *,
    on_begin: Callable[[], None] = lambda: None,
) -> AsyncGenerator[ChatResponseUpdate, None]:
    """Yield what `reader` makes of the answer; fail with a `ModelError` where that fails or ends before its end.

    The framework takes a stream that merely stops for a finished answer, and would run a tool call that was cut off.

    Args:
        ask: Sends the request.
        reader: What reads the events.
        show_text: Where text may go at once. What went there is said again, in one `ShownPiece`, before what follows.
        on_begin: Called when the first of the answer has come.

    Raises:
        ModelError: When the answer fails, or is a part only.
    """
    reading = _Reading(reader, show_text, on_begin)
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
            _note_silence(reading.first_event, reader.finish_reason)
    except Exception as exc:
        for update in reading.close_text():
            yield update
        if isinstance(exc, ModelError):
            raise
        if isinstance(exc, NoAnswerError):
            logger.warning("model server has sent what is no answer", extra={"begins": exc.begins})
        raise explain_model_failure(exc, has_begun=reading.has_begun) from exc
    refuse_unfinished(reader.finish_reason)


class _Reading:
    """Reads an answer's events and lets text be shown directly where that is possible.

    Attributes:
        has_begun: Whether the answer has said anything.
        first_event: The first thing that the server has sent, as long as the answer has not begun.
        failure: Why nothing follows what was read last, if that is so.
    """

    def __init__(self, reader: AnswerReader, show_text: TextSink | None, on_begin: Callable[[], None]) -> None:
        self._on_begin = on_begin
        self.has_begun = False
        self.first_event: Event | None = None
        self.failure: Exception | None = None
        self._reader = reader
        self._relay = TextRelay(show_text)

    def read(self, events: list[Event]) -> list[ChatResponseUpdate] | None:
        """Return the updates that are left; None when there are none, and nobody has to be told."""
        if self._reader.is_done:
            return None
        if self.first_event is None and not self.has_begun:
            self.first_event = events[0]
        left: list[ChatResponseUpdate] = []
        try:
            for update in self._reader.read(events):
                self._note_begin()
                if left or not self._relay.take(update):
                    left += [*self._relay.say_again(), update]
        except Exception as exc:
            if not left:
                raise
            self.failure = exc  # what came before it is said first
        return left if left or self._reader.is_done else None

    def close(self) -> Iterator[ChatResponseUpdate]:
        """Return what is left to say when the stream has ended."""
        yield from self._relay.say_again()
        for update in self._reader.close():
            if any(content.type != "usage" for content in update.contents):
                self._note_begin()
            yield update

    def close_text(self) -> Iterator[ChatResponseUpdate]:
        """Return the text that is left when the answer is cut off."""
        for update in self._reader.close_text():
            yield from self._relay.say_again()
            self._note_begin()
            yield update

    def _note_begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self.first_event = None  # it may hold all that was asked, and nobody asks for it any more
            self._on_begin()


def _note_silence(first_event: Event | None, finish_reason: str | None) -> None:
    """Tell the operator why an answer has no words; of what has failed, the person and the log are told anyway."""
    if finish_reason in ENDS:
        logger.info("model has said nothing", extra={"finish_reason": finish_reason})
    elif finish_reason is None or finish_reason == INTERRUPTED:
        logger.warning(
            "model server has sent nothing that is read as an answer",
            extra={"event": describe_shape(first_event), "finish_reason": finish_reason},
        )


async def _await_end(batches: AsyncGenerator[Any, None]) -> None:
    """Wait a moment for the end of the stream: a connection that is closed before it has to be opened anew."""
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
"""Words that are known to say why an answer ends, of servers that call themselves compatible too."""

INTERRUPTED = "interrupted"
"""Stands for every other word, such as ``abort``, ``network_error``, ``SAFETY``: nobody knows that it is an end."""

ENDS = ("stop", "tool_calls")
"""Reasons by which an answer is whole."""


def read_finish_reason(word: Any) -> str | None:
    """Return why an answer ends in one of our words; None where nothing is said."""
    if word is None or word == "":
        return None
    text = re.sub(r"[\s-]+", "_", str(word).strip().lower())
    # As Google's libraries print it: "FINISH_REASON_STOP", "FinishReason.STOP".
    text = text.removeprefix("finish_reason_").removeprefix("finishreason.")
    return None if text in ("null", "none") else _FINISH_REASONS.get(text, INTERRUPTED)


def refuse_unfinished(finish_reason: str | None) -> None:
    """Raise when `finish_reason` says that the answer is a part only.

    Raises:
        ModelError: With what the person can be told.
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
