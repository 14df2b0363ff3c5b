"""Agents that belong to an agent: those it hands over to, and those that are its tools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from agent_framework import Message
from agents import Agent, FunctionTool, Handoff

from framework.sdk_agents import agent_behind_handoff, agent_behind_tool

_ASIDE = re.compile(r"<(\w+)>\n.*\n</\1>", re.DOTALL)
"""The tagged notes that the platform tells the model in the person's place."""


def agents_of(agent: Agent[Any]) -> Iterator[Agent[Any]]:
    """Return an agent and all that belong to it, however deep, the nearest first."""
    waiting, seen = [agent], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [other for _, other in _handoffs(each)]
            waiting += experts_of(each)


def experts_of(agent: Agent[Any]) -> list[Agent[Any]]:
    """Return the agents that are tools of an agent."""
    found = (agent_behind_tool(tool) for tool in agent.tools)
    return [expert for expert in found if isinstance(expert, Agent)]


def agent_in_charge(agent: Agent[Any], messages: Sequence[Message]) -> Agent[Any]:
    """Return who was answering when an answer paused: the last one that was handed over to.

    Args:
        agent: The agent that every answer begins with.
        messages: The thread.
    """
    last = max((at for at, message in enumerate(messages) if _is_of_the_person(message)), default=-1)
    current = agent
    for message in messages[last + 1 :]:
        for content in message.contents:
            if content.type == "function_call":
                current = next((other for name, other in _handoffs(current) if name == content.name), current)
    return current


def _handoffs(agent: Agent[Any]) -> Iterator[tuple[str, Agent[Any]]]:
    for each in agent.handoffs:
        if isinstance(each, Agent):
            yield Handoff.default_tool_name(each), each
        elif isinstance(other := agent_behind_handoff(each), Agent):
            yield each.tool_name, other


def _is_of_the_person(message: Message) -> bool:
    return message.role == "user" and _ASIDE.fullmatch(message.text or "") is None


def has_function(agent: Agent[Any], name: str) -> bool:
    """Say whether a function of that name is among an agent's own tools."""
    return any(isinstance(tool, FunctionTool) and tool.name == name for tool in agent.tools)
