"""Updates of one run of an agent within a workflow, converted from the SDK's stream and told apart by run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agent_framework import AgentResponseUpdate, Content
from agents import Agent

from agents_sdk.model_events import ModelEvents


class RunUpdates:
    """Turns the stream of one run into updates.

    Args:
        agent: The agent that begins; a handoff changes it.
        number: The number of the run in its answer: agents that write side by side have a message each.

    Attributes:
        text: The text that was said so far.
    """

    def __init__(self, agent: Agent[Any], number: int) -> None:
        self._number = number
        self._events = ModelEvents()
        self.text = ""
        self.note_agent(agent)

    @property
    def is_structured(self) -> bool:
        """Whether the agent that speaks gives a structured output, which is not shown as it comes."""
        return self._events.is_structured

    def note_agent(self, agent: Agent[Any]) -> None:
        """Note who speaks from here on."""
        self._events.note_agent(agent, f"{agent.name}#{self._number}")

    def read(self, event: Any) -> Iterator[AgentResponseUpdate]:
        """Yield the updates that an event of the SDK's stream stands for."""
        if event.type == "raw_response_event":
            for update in self._events.read(event.data):
                self.text += update.text
                yield update
        elif event.type == "agent_updated_stream_event":
            self.note_agent(event.new_agent)
        elif event.name in ("tool_output", "handoff_occured"):
            yield self.update(_result(event.item.raw_item))

    def update(self, content: Content, *, merge_mode: Any = None, message_id: str | None = None) -> AgentResponseUpdate:
        """Return an update of whoever speaks."""
        role = "tool" if content.type == "function_result" else "assistant"
        more = {"merge_mode": merge_mode} if merge_mode else {}
        return AgentResponseUpdate(
            contents=[content], role=role, author_name=self._events.author, message_id=message_id, **more
        )


def _result(item: Any) -> Content:
    raw = item if isinstance(item, dict) else item.model_dump()
    output = raw.get("output")
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, default=str)
    return Content.from_function_result(str(raw.get("call_id") or raw.get("id")), result=text)
