"""The arguments of an agent's run: its turn, the guard of its tools, and the person's choices in the composer."""

from __future__ import annotations

import inspect
from typing import Any

from agent_framework import Agent
from chatkit.types import UserMessageItem

from context import TURN_KWARG, Turn
from errors import AgentError
from framework.plain_agents import leaves_text_alone
from framework.text_updates import TEXT_SINK_KWARG
from streaming.answers.tool_guard import build_tool_middleware, is_guarded


def run_arguments(agent: Any, turn: Turn) -> dict[str, Any]:
    """Return the arguments of `agent.run`, besides the messages; those that it does not accept are left out.

    Raises:
        AgentError: When the person has chosen a model or tool in the composer, and `agent.run` accepts no options.
    """
    arguments: dict[str, Any] = {"stream": True}
    if _accepts(agent, "function_invocation_kwargs"):
        arguments["function_invocation_kwargs"] = {TURN_KWARG: turn}
    if isinstance(agent, Agent) and not is_guarded(agent.client):
        arguments["middleware"] = build_tool_middleware(turn.services.settings.tool_timeout_s)
    if chosen := _composer_options(turn.user_message):
        if not _accepts(agent, "options"):
            raise AgentError(
                "This assistant cannot answer with the model or tool that was chosen.",
                f"use case '{turn.context.use_case}': the run of a {type(agent).__name__} takes no options; offer no "
                "models and tools in its Composer, or read turn.user_message.inference_options in get_agent",
            )
        arguments["options"] = chosen
    direct_text = turn.context.answer.direct_text
    if direct_text is not None and leaves_text_alone(agent):
        arguments["client_kwargs"] = {TEXT_SINK_KWARG: direct_text.take}
    return arguments


def _accepts(agent: Any, name: str) -> bool:
    if isinstance(agent, Agent):
        return True  # by far the most frequent kind, and reading a signature is slow
    parameters = inspect.signature(agent.run).parameters
    return name in parameters or any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())


def _composer_options(message: UserMessageItem | None) -> dict[str, Any]:
    if message is None:
        return {}
    chosen = message.inference_options
    options: dict[str, Any] = {}
    if chosen.model:
        options["model"] = chosen.model
    if chosen.tool_choice:
        options["tool_choice"] = {"mode": "required", "required_function_name": chosen.tool_choice.id}
    return options
