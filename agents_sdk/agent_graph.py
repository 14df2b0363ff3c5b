"""The agents that an agent can reach: those it hands over to, and those that are its tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from agent_framework import Message
from agents import Agent, FunctionTool, Handoff

from framework.sdk_agents import agent_behind_handoff, agent_behind_tool

_PLATFORM_NOTE = re.compile(r"<(\w+)>\n.*\n</\1>", re.DOTALL)
"""Tagged notes of the platform, which the model reads as messages of the person."""


def reachable_agents(agent: Agent[Any]) -> Iterator[Agent[Any]]:
    """Yield an agent and all agents that it can reach, nearest first."""
    waiting, seen = [agent], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [other for _, other in _handoff_targets(current)]
            waiting += agents_as_tools(current)


def agents_as_tools(agent: Agent[Any]) -> list[Agent[Any]]:
    """Return the agents that are tools of an agent."""
    candidates = (agent_behind_tool(tool) for tool in agent.tools)
    return [candidate for candidate in candidates if isinstance(candidate, Agent)]


def find_active_agent(agent: Agent[Any], messages: Sequence[Message]) -> Agent[Any]:
    """Return the agent that was answering when an answer paused: the target of the last handoff.

    Args:
        agent: The agent that each answer begins with.
        messages: The messages of the thread.
    """
    last = max((at for at, message in enumerate(messages) if _is_persons_message(message)), default=-1)
    current = agent
    for message in messages[last + 1 :]:
        for content in message.contents:
            if content.type == "function_call":
                current = next((other for name, other in _handoff_targets(current) if name == content.name), current)
    return current


def _handoff_targets(agent: Agent[Any]) -> Iterator[tuple[str, Agent[Any]]]:
    for handoff in agent.handoffs:
        if isinstance(handoff, Agent):
            yield Handoff.default_tool_name(handoff), handoff
        elif isinstance(target := agent_behind_handoff(handoff), Agent):
            yield handoff.tool_name, target


def _is_persons_message(message: Message) -> bool:
    return message.role == "user" and _PLATFORM_NOTE.fullmatch(message.text or "") is None


def has_function(agent: Agent[Any], name: str) -> bool:
    """Return whether one of an agent's own tools is a function of this name."""
    return any(isinstance(tool, FunctionTool) and tool.name == name for tool in agent.tools)
