"""Models of Agents SDK agents that a server runs itself: the platform's, told in the form that ChatKit's helper reads.

Loaded when a server written for ChatKit runs an agent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from agent_framework import ChatResponseUpdate, add_usage_details
from agents import Model, ModelProvider, ModelResponse, Usage

from agents_sdk.platform_model import PlatformModels, PlatformResponse
from streaming.stock.response_events import ResponseEvents, with_call_ids
from turns.answer_state import AnswerState

logger = logging.getLogger(__name__)

READING_TIME_S = 0.5
"""Longest wait for a text to be shown, before the failure that follows it is told."""


class StockModels(ModelProvider):
    """Gives agents of a server the platform's model.

    Args:
        client: A chat client of the platform.
        may_choose: Whether an agent may name another model of the same provider.
        answer: The answer that is being made; its tokens are counted there.
    """

    def __init__(self, client: Any, *, may_choose: bool, answer: AnswerState) -> None:
        self._models = PlatformModels(client, may_choose=may_choose, is_paused=lambda: False)
        self._answer = answer

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that an agent names, as far as the platform's key reaches."""
        return StockModel(self._models.get_model(model_name), self._answer)


class StockModel(Model):
    """A model of the platform whose stream has the events of OpenAI's Responses API.

    Args:
        model: The platform's model.
        answer: The answer that is being made.
    """

    def __init__(self, model: Model, answer: AnswerState) -> None:
        self._model: Any = model
        self._answer = answer

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Return a whole response."""
        output: list[Any] = []
        async with aclosing(self.stream_response(*args, **more)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, PlatformResponse):
                    output = event.response.output
        return ModelResponse(output=output, usage=Usage(requests=1), response_id=None)

    async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        """Return the events of a response, at the end the whole of it."""
        # The platform keeps no responses that could be gone on with; the server has the thread for that.
        if more.get("previous_response_id") or more.get("conversation_id"):
            logger.warning("a response that is stored at OpenAI cannot be gone on with: hand over the thread's items")
        writer = ResponseEvents()
        try:
            async with aclosing(self._model.stream_response(*args, **more)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ChatResponseUpdate):
                        self._count(piece)
                        for event in writer.read(piece):
                            yield event
                    elif isinstance(piece, PlatformResponse):
                        for event in writer.close():
                            yield event
                        piece.response.output = with_call_ids(piece.response.output)
                        yield piece
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
