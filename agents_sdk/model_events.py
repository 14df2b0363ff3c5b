"""Converts the events of the models in a run: updates of our client, or OpenAI's events of an author's own model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_framework import AgentResponseUpdate, ChatResponseUpdate
from agents import Agent

from agents_sdk.platform_response import PlatformResponse
from chat_clients.protocols.responses import ResponsesReader


class ModelEvents:
    """Reads the raw events of one run.

    Attributes:
        author: The name of the agent that is speaking.
        is_structured: Whether that agent has a structured output, which is not shown while it arrives.
    """

    def __init__(self) -> None:
        self.author: str | None = None
        self.is_structured = False
        self._reader: ResponsesReader | None = None

    def note_agent(self, agent: Agent[Any], author: str) -> None:
        """Attribute the following updates to another agent."""
        self.author = author
        self.is_structured = agent.output_type is not None and agent.output_type is not str

    def read(self, data: Any) -> Iterator[AgentResponseUpdate]:
        """Yield the updates of an event of a model."""
        if isinstance(data, ChatResponseUpdate):
            yield from self._convert(data)
        elif not isinstance(data, PlatformResponse) and data.type.startswith("response."):
            if self._reader is None or data.type == "response.created":
                self._reader = ResponsesReader()
            for update in self._reader.read([data.model_dump()]):
                yield from self._convert(update)
            if self._reader.is_done:
                for update in self._reader.close():
                    yield from self._convert(update)
                self._reader = None

    def _convert(self, update: ChatResponseUpdate) -> Iterator[AgentResponseUpdate]:
        contents = update.contents
        if self.is_structured:
            contents = [content for content in contents if content.type != "text"]
        if contents or update.finish_reason is not None:
            yield AgentResponseUpdate(
                contents=contents,
                role=update.role or "assistant",
                author_name=self.author,
                message_id=update.message_id,
                response_id=update.response_id,
                finish_reason=update.finish_reason,
            )
