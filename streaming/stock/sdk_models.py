"""Models of Agents SDK agents that a server runs itself: the platform's, told in the form that ChatKit's helper reads.

Loaded when a server written for ChatKit runs an agent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from agent_framework import ChatResponseUpdate, add_usage_details
from agents import Model, ModelProvider, ModelResponse, Usage
from chatkit.agents import ThreadItemConverter
from chatkit.types import Attachment, ThreadItem, UserMessageTagContent
from openai.types.responses import ResponseInputTextParam

from agents_sdk.platform_model import PlatformModels
from agents_sdk.platform_response import PlatformResponse
from agents_sdk.response_events import ResponseEvents
from turns.answer_state import AnswerState

History = Callable[[], Awaitable[list[Any]]]
"""Returns items of the Responses API's input."""

READING_TIME_S = 0.5
"""Longest wait for a text to be shown, before the failure that follows it is told."""


class StockModels(ModelProvider):
    """Gives agents of a server the platform's model.

    Args:
        client: A chat client of the platform.
        may_choose: Whether an agent may name another model of the same provider.
        answer: The answer that is being made; its tokens are counted there.
        history: Returns what was said before, for a run that is given what is new alone.
    """

    def __init__(self, client: Any, *, may_choose: bool, answer: AnswerState, history: History | None = None) -> None:
        self._models = PlatformModels(client, may_choose=may_choose, is_paused=lambda: False)
        self._answer = answer
        self._history = history

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that an agent names, as far as the platform's key reaches."""
        return StockModel(self._models.get_model(model_name), self._answer, self._history)


class StockModel(Model):
    """A model of the platform whose stream has the events of OpenAI's Responses API.

    Args:
        model: The platform's model.
        answer: The answer that is being made.
        history: Returns what was said before, for a run that is given what is new alone.
    """

    def __init__(self, model: Model, answer: AnswerState, history: History | None = None) -> None:
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
        """Return the events of a response, at the end the whole of it."""
        if self._history is not None:
            new = [{"role": "user", "content": input}] if isinstance(input, str) else input
            input = [*await self._history(), *new]
        writer = ResponseEvents()
        try:
            async with aclosing(self._model.stream_response(system_instructions, input, *args, **more)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ChatResponseUpdate):
                        self._count(piece)
                    for event in writer.convert(piece):
                        yield event
        except Exception:
            await self._let_be_read(writer.text)
            raise

    async def _let_be_read(self, text: str) -> None:
        """Wait a little until a text is shown: with a failure, the SDK throws away what nobody has read yet."""
        deadline = time.monotonic() + READING_TIME_S
        while text and time.monotonic() < deadline:
            items = self._answer.open_items()
            if any(part.text == text for item in items for part in getattr(item, "content", ())):
                return
            await asyncio.sleep(READING_TIME_S / 100)

    def _count(self, update: ChatResponseUpdate) -> None:
        for content in update.contents:
            if content.type == "usage" and content.usage_details:
                counts: Any = add_usage_details(self._answer.usage or None, content.usage_details)  # type: ignore[arg-type]
                self._answer.usage = dict(counts)


class _PlainConverter(ThreadItemConverter):
    """ChatKit's converter, for what was said before: files and tags are named."""

    async def attachment_to_message_content(self, attachment: Attachment) -> ResponseInputTextParam:
        return ResponseInputTextParam(type="input_text", text=f"[file: {attachment.name}]")

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ResponseInputTextParam:
        return ResponseInputTextParam(type="input_text", text=f"[{tag.text}]")


async def earlier_items(newest_first: Sequence[ThreadItem], message_id: str | None) -> list[Any]:
    """Return the input items for a thread's history, without the message that is answered and what follows it.

    Args:
        newest_first: The newest items of a thread.
        message_id: The message that is answered; None where it is the newest item, such as a client tool's output.
    """
    ids = [item.id for item in newest_first]
    behind = ids.index(message_id) + 1 if message_id in ids else 1
    return list(await _PlainConverter().to_agent_input(list(reversed(newest_first[behind:]))))
