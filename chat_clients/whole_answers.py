"""The guard around a provider's answer: a part of an answer is never taken for the whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Protocol

from agent_framework import ChatResponseUpdate

from chat_clients.failures import build_model_error, explain_model_failure
from chat_clients.server_events import Event

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

    def read(self, events: list[Event]) -> Iterable[ChatResponseUpdate]:
        """Return what `events`, which arrived together, mean; neighbouring text is one update."""
        ...

    def close(self) -> Iterable[ChatResponseUpdate]:
        """Return what is left to say when the stream has ended."""
        ...


async def whole_updates(
    ask: Callable[[], Awaitable[AsyncGenerator[list[Event], None]]], reader: AnswerReader
) -> AsyncGenerator[ChatResponseUpdate, None]:
    """Yield what `reader` makes of the answer; fail with a `ModelError` where that fails or ends before its end.

    The framework takes a stream that merely stops for a finished answer, and would run a tool call that was cut off.

    Args:
        ask: Sends the request and returns the events of its answer, as many at a time as arrived together.
        reader: What reads them.

    Raises:
        ModelError: When the answer fails, or is a part only.
    """
    has_begun = False
    try:
        async with contextlib.aclosing(await ask()) as batches:
            async for events in batches:
                for update in reader.read(events):
                    has_begun = True
                    yield update
                if reader.is_done:
                    break
            for update in reader.close():
                yield update
            if reader.is_done:
                await _await_end(batches)
    except Exception as exc:
        raise explain_model_failure(exc, has_begun=has_begun) from exc
    refuse_unfinished(reader.finish_reason)


async def _await_end(batches: AsyncGenerator[list[Event], None]) -> None:
    """Wait a moment for the end of the stream: a connection that is closed before it has to be opened anew."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSING_WAIT_S):
            async for _ in batches:
                pass


def refuse_unfinished(finish_reason: str | None) -> None:
    """Raise when `finish_reason` says that the answer is a part only.

    Raises:
        ModelError: With what the person can be told.
    """
    match finish_reason:
        case None:
            raise build_model_error("model.interrupted")
        case "length":
            raise build_model_error("model.cut_short")
        case "content_filter":
            raise build_model_error("model.content_filter")
        case "error":
            raise build_model_error("model.failed")
        case _:
            return
