"""Converts the SDK's stream of one run of an agent within a workflow to updates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agent_framework import AgentResponseUpdate, Content
from agents import Agent

from agents_sdk.model_events import ModelEvents


class RunUpdates:
    """Converts the events of one run to updates.

    Args:
        agent: The first agent of the run.
        number: The number of the run in its answer, so that agents which run in parallel get separate messages.

    Attributes:
        text: The text so far.
    """

    def __init__(self, agent: Agent[Any], number: int) -> None:
        self._number = number
        self._events = ModelEvents()
        self.text = ""
        self.note_agent(agent)

    @property
    def is_structured(self) -> bool:
        """Whether the current agent has a structured output, which is not shown while it arrives."""
        return self._events.is_structured

    def note_agent(self, agent: Agent[Any]) -> None:
        """Attribute the following updates to another agent."""
        self._events.note_agent(agent, f"{agent.name}#{self._number}")

    def read(self, event: Any) -> Iterator[AgentResponseUpdate]:
        """Yield the updates of an event of the SDK's stream."""
        if event.type == "raw_response_event":
            for update in self._events.read(event.data):
                self.text += update.text
                yield update
        elif event.type == "agent_updated_stream_event":
            self.note_agent(event.new_agent)
        elif event.name in ("tool_output", "handoff_occured"):
            yield self.update(_build_result(event.item.raw_item))

    def update(self, content: Content, *, merge_mode: Any = None, message_id: str | None = None) -> AgentResponseUpdate:
        """Return an update of the current agent."""
        role = "tool" if content.type == "function_result" else "assistant"
        more = {"merge_mode": merge_mode} if merge_mode else {}
        return AgentResponseUpdate(
            contents=[content], role=role, author_name=self._events.author, message_id=message_id, **more
        )


def _build_result(item: Any) -> Content:
    raw = item if isinstance(item, dict) else item.model_dump()
    output = raw.get("output")
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, default=str)
    return Content.from_function_result(str(raw.get("call_id") or raw.get("id")), result=text)
