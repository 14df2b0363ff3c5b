"""Internals of the Agents SDK and of ChatKit's context: loaded modules, targets of handoffs, queues of events.

`tests/unit/framework/test_sdk_agents.py` notices a change. The SDK is not imported here.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any


def loaded_agent_class() -> type[Any] | None:
    """Return the class of the SDK's agents; None while nobody has loaded it, when there can be no agent."""
    # ChatKit loads the package itself, which is lazy; to ask that for the class would load all of it.
    return getattr(sys.modules.get("agents.agent"), "Agent", None)


def can_start_runs() -> bool:
    """Return whether somebody has loaded what starts runs of the SDK's agents."""
    return "agents.run" in sys.modules


def agent_behind_tool(tool: Any) -> Any:
    """Return the agent that was made a tool by `as_tool`; None for another tool."""
    return getattr(tool, "_agent_instance", None)


def agent_behind_handoff(handoff: Any) -> Any:
    """Return the agent that a `handoff(...)` leads to; None where only its own function knows."""
    reference = getattr(handoff, "_agent_ref", None)
    return reference() if reference is not None else None


def lead_handoff_to(handoff: Any, agent: Any) -> None:
    """Let a copy of a `handoff(...)` lead to an agent, which somebody else has to hold."""
    handoff._agent_ref = weakref.ref(agent)


class _Events:
    """Takes the place of the queue of an `AgentContext`, which only `stream_agent_response` reads."""

    def __init__(self, put: Callable[[Any], None]) -> None:
        self._put = put

    async def put(self, event: Any) -> None:
        self.put_nowait(event)

    def put_nowait(self, event: Any) -> None:
        if hasattr(event, "model_dump"):  # what marks the end of the queue is no event
            self._put(event)


def send_events_to(context: Any, put: Callable[[Any], None]) -> None:
    """Have all that tools put into an `AgentContext`, of whatever class, go elsewhere."""
    context._events = _Events(put)
