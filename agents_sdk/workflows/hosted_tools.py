"""Refuses tools of an exported workflow that run at OpenAI if the model does not."""

from __future__ import annotations

from typing import Any

from agents import Agent

from agents_sdk.workflows.openai_client import build_unavailable_error
from agents_sdk.workflows.openai_services import HOSTED_TOOLS
from chat_clients.model_client import RawResponsesClient


def refuse_hosted_tools(agent: Agent[Any], client: Any) -> None:
    """Refuse an agent that has, or hands over to one that has, a tool which the model's server does not run.

    Args:
        agent: The agent.
        client: The chat client that is asked.

    Raises:
        UnavailableError: The text names agent and service.
    """
    if isinstance(client, RawResponsesClient):
        return
    waiting, seen = [agent], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen or not isinstance(current, Agent):
            continue
        seen.add(id(current))
        for tool in current.tools:
            if service := HOSTED_TOOLS.get(type(tool).__name__):
                raise build_unavailable_error(service, current.name)
        waiting.extend(other for other in current.handoffs if isinstance(other, Agent))
