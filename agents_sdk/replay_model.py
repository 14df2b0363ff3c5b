"""A model that asks for calls which a person has allowed, once, and has nothing to say to their results."""

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
    """Stands in for the model of an agent, whose tools then take the way of any call.

    Args:
        calls: The calls to ask for.
    """

    def __init__(self, calls: Sequence[PendingApproval]) -> None:
        self._calls = list(calls)

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Refuse: a replay is streamed."""
        raise NotImplementedError

    async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        """Return the response that asks for the calls; then the end."""
        if not self._calls:
            yield Paused()
            await asyncio.Event().wait()  # the run is stopped by whoever reads that
        contents = [Content.from_function_call(c.call_id, c.name, arguments=c.arguments) for c in self._calls]
        self._calls = []
        yield build_response(ChatResponse(messages=[Message("assistant", contents)]))
