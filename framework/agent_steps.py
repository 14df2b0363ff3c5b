"""Steps of an answer that are no tool calls: agents within a workflow whose output is not shown as text."""

from __future__ import annotations

from typing import Literal

from agent_framework import Content

AGENT_STEP = "agent_step"
"""Kind of such a step, which the framework does not have: it keeps contents of any kind."""


def agent_step(part: Literal["call", "result"], call_id: str, name: str) -> Content:
    """Return the content that says that an agent begins, or is done, shown as a step of the answer.

    Args:
        part: Whether the agent begins or is done.
        call_id: The id of the step, the same for both.
        name: The name of the agent.
    """
    return Content(f"{AGENT_STEP}_{part}", call_id=call_id, tool_name=name)  # type: ignore[arg-type]
