"""The platform's models for Agents SDK agents that a server runs itself, with the events that ChatKit's helper reads.

Imported when a server written for ChatKit runs an agent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from agent_framework import ChatResponseUpdate
from agents import Model, ModelProvider, ModelResponse, Usage
from chatkit.agents import ThreadItemConverter
from chatkit.types import Attachment, ThreadItem, UserMessageTagContent
from openai.types.responses import ResponseInputTextParam

from agents_sdk.platform_model import PlatformModels
from agents_sdk.platform_response import PlatformResponse
from agents_sdk.response_events import ResponseEvents
from turns.answer_state import AnswerState

LoadHistory = Callable[[], Awaitable[list[Any]]]
"""Returns the earlier messages of a thread as input items of the Responses API."""

SHOW_TIMEOUT_S = 0.5
"""How long a failure waits until the text before it is shown, in seconds."""


class StockModels(ModelProvider):
    """Provides the platform's model to the agents of a server.

    Args:
        client: A chat client of the platform.
        may_choose: Whether an agent may name another model of the same provider.
        answer: The answer, which counts the tokens.
        history: Loads the earlier messages, for a run that is given only the new ones.
    """

    def __init__(
        self, client: Any, *, may_choose: bool, answer: AnswerState, history: LoadHistory | None = None
    ) -> None:
        self._models = PlatformModels(client, may_choose=may_choose, is_paused=lambda: False)
        self._answer = answer
        self._history = history

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that an agent names, or the configured one if agents may not choose."""
        return StockModel(self._models.get_model(model_name), self._answer, self._history)


class StockModel(Model):
    """A model of the platform whose stream has the events of OpenAI's Responses API.

    Args:
        model: The platform's model.
        answer: The answer, which counts the tokens.
        history: Loads the earlier messages, for a run that is given only the new ones.
    """

    def __init__(self, model: Model, answer: AnswerState, history: LoadHistory | None = None) -> None:
        self._model: Any = model
        self._answer = answer
        self._history = history

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Return a whole response."""
        output: list[Any] = []
        async with aclosing(self.stream_response(*args, **more)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, PlatformResponse):
                    output = event.response.output
        return ModelResponse(output=output, usage=Usage(requests=1), response_id=None)

    async def stream_response(
        self, system_instructions: str | None, input: Any, *args: Any, **more: Any
    ) -> AsyncIterator[Any]:
        """Yield the events of a response; the last one holds the complete response."""
        if self._history is not None:
            new = [{"role": "user", "content": input}] if isinstance(input, str) else input
            input = [*await self._history(), *new]
        writer = ResponseEvents()
        try:
            async with aclosing(self._model.stream_response(system_instructions, input, *args, **more)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ChatResponseUpdate):
                        self._count_usage(piece)
                    for event in writer.convert(piece):
                        yield event
        except Exception:
            await self._wait_until_shown(writer.text)
            raise

    async def _wait_until_shown(self, text: str) -> None:
        """Wait until a text is shown, `SHOW_TIMEOUT_S` at most: on a failure, the SDK discards unread events."""
        deadline = time.monotonic() + SHOW_TIMEOUT_S
        while text and time.monotonic() < deadline:
            items = self._answer.open_items()
            if any(part.text == text for item in items for part in getattr(item, "content", ())):
                return
            await asyncio.sleep(SHOW_TIMEOUT_S / 100)

    def _count_usage(self, update: ChatResponseUpdate) -> None:
        for content in update.contents:
            if content.type == "usage" and content.usage_details:
                self._answer.add_usage(content.usage_details)


class _PlainConverter(ThreadItemConverter):
    """ChatKit's converter for earlier messages, which replaces files and tags by their names."""

    async def attachment_to_message_content(self, attachment: Attachment) -> ResponseInputTextParam:
        return ResponseInputTextParam(type="input_text", text=f"[file: {attachment.name}]")

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ResponseInputTextParam:
        return ResponseInputTextParam(type="input_text", text=f"[{tag.text}]")


async def earlier_items(newest_first: Sequence[ThreadItem], message_id: str | None) -> list[Any]:
    """Return the input items of a thread's history, up to the message that is answered.

    Args:
        newest_first: The newest items of a thread, newest first.
        message_id: The message that is answered; None if the newest item is answered, such as a client tool's output.
    """
    ids = [item.id for item in newest_first]
    first_earlier = ids.index(message_id) + 1 if message_id in ids else 1
    return list(await _PlainConverter().to_agent_input(list(reversed(newest_first[first_earlier:]))))
