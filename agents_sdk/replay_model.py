"""A model that only returns the calls which a person has approved, and no answer to their results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from agent_framework import ChatResponse, Content, Message
from agents import Model, ModelResponse

from agents_sdk.platform_model import Paused
from agents_sdk.platform_response import build_response
from turns.approval_request import PendingApproval


class ReplayModel(Model):
    """Replaces the model of an agent, so that the SDK makes the given calls like any others.

    Args:
        calls: The calls to return.
    """

    def __init__(self, calls: Sequence[PendingApproval]) -> None:
        self._calls = list(calls)

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Raise an error, since a replay is always streamed."""
        raise NotImplementedError

    async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        """Yield a response with the calls the first time, and `Paused` the second time."""
        if not self._calls:
            yield Paused()
            await asyncio.Event().wait()  # the reader of that event stops the run
        contents = [Content.from_function_call(c.call_id, c.name, arguments=c.arguments) for c in self._calls]
        self._calls = []
        yield build_response(ChatResponse(messages=[Message("assistant", contents)]))
