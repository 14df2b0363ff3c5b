"""Steps of an answer that are no tool calls: agents within a workflow whose output is not shown as text."""

from __future__ import annotations

from typing import Literal

from agent_framework import Content

AGENT_STEP = "agent_step"
"""Prefix of the content type of such a step. The framework has no such type, but accepts contents of any type."""


def agent_step(part: Literal["call", "result"], call_id: str, name: str) -> Content:
    """Return the content for the beginning or the end of an agent that is shown as a step of the answer.

    Args:
        part: Whether the agent begins or is done.
        call_id: The id of the step, which both contents share.
        name: The name of the agent.
    """
    return Content(f"{AGENT_STEP}_{part}", call_id=call_id, tool_name=name)  # type: ignore[arg-type]
