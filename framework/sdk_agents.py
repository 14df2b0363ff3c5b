"""Internals of the Agents SDK and of ChatKit's `AgentContext`: loaded modules, targets of handoffs, event queues.

`tests/unit/framework/test_sdk_agents.py` notices a change. The SDK is not imported here.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any


def loaded_agent_class() -> type[Any] | None:
    """Return the class of the SDK's agents; None if it is not loaded, so that there can be no agents."""
    # ChatKit imports the package, whose attributes are lazy; to access the class there would load the whole SDK.
    return getattr(sys.modules.get("agents.agent"), "Agent", None)


def can_start_runs() -> bool:
    """Return whether the SDK's runner is loaded."""
    return "agents.run" in sys.modules


def agent_behind_tool(tool: Any) -> Any:
    """Return the agent that a tool from `as_tool` wraps; None for another tool."""
    return getattr(tool, "_agent_instance", None)


def agent_behind_handoff(handoff: Any) -> Any:
    """Return the target agent of a `handoff(...)`; None if only its own function knows it."""
    reference = getattr(handoff, "_agent_ref", None)
    return reference() if reference is not None else None


def lead_handoff_to(handoff: Any, agent: Any) -> None:
    """Set the target agent of a copied `handoff(...)`, to which the caller must keep a reference."""
    handoff._agent_ref = weakref.ref(agent)


class _EventForwarder:
    """Replacement for the queue of an `AgentContext`, which only `stream_agent_response` reads."""

    def __init__(self, put: Callable[[Any], None]) -> None:
        self._put = put

    async def put(self, event: Any) -> None:
        self.put_nowait(event)

    def put_nowait(self, event: Any) -> None:
        if hasattr(event, "model_dump"):  # the object that marks the end of the queue is not an event
            self._put(event)


def forward_events(context: Any, put: Callable[[Any], None]) -> None:
    """Pass all events that tools put into an `AgentContext`, or a subclass of it, to `put`."""
    context._events = _EventForwarder(put)
