"""Plain agents: those without middleware or overrides that could observe, change or hold back the text of an answer."""

from __future__ import annotations

from typing import Any

from agent_framework import Agent


def leaves_text_alone(agent: Any) -> bool:
    """Return whether an agent's text may be shown before it has passed through the agent.

    The agent must use a client of ours. Neither agent nor client may have middleware or overridden methods, and the
    agent no context providers, which may add middleware.
    """
    if type(agent) is not Agent or agent.middleware or agent.context_providers:
        return False
    return takes_text_sink(agent.client)


def takes_text_sink(client: Any) -> bool:
    """Return whether a chat client supports a text sink and has no middleware that could change the text."""
    return _takes_text_sink(type(client)) and not client.chat_middleware


def _takes_text_sink(kind: type) -> bool:
    """Return whether a class supports a text sink; False for a subclass that overrides any method."""
    for each in kind.__mro__:
        if "takes_text_sink" in vars(each):
            return bool(vars(each)["takes_text_sink"])
        if any(callable(value) and not name.startswith("__") for name, value in vars(each).items()):
            return False
    return False
