"""Plain agents: those of which no part may want to see, change or hold back the text of an answer on its way."""

from __future__ import annotations

from typing import Any

from agent_framework import Agent


def leaves_text_alone(agent: Any) -> bool:
    """Say whether an agent's text may be shown before the agent has seen it.

    The model must be asked by a client of ours. Neither agent nor client may have middleware or methods of their own,
    and the agent no context providers, which may bring middleware along.
    """
    if type(agent) is not Agent or agent.middleware or agent.context_providers:
        return False
    return takes_text_sink(agent.client)


def takes_text_sink(client: Any) -> bool:
    """Say whether a chat client gives text away directly, with no middleware that may want to see it first."""
    return _takes_text_sink(type(client)) and not client.chat_middleware


def _takes_text_sink(kind: type) -> bool:
    """Say whether clients of a class give text away directly; one that overrides a method may want to see it first."""
    for each in kind.__mro__:
        if "takes_text_sink" in vars(each):
            return bool(vars(each)["takes_text_sink"])
        if any(callable(value) and not name.startswith("__") for name, value in vars(each).items()):
            return False
    return False
