"""Kinds of agents that `get_agent` may return, each adapted to run like an agent of Agent Framework."""

from __future__ import annotations

import inspect
import sys
from functools import partial
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from agent_framework import BaseAgent, SupportsAgentRun, Workflow

from context import Turn
from errors import AgentError
from framework.sdk_agents import loaded_agent_class
from streaming.answers.generator_agent import GeneratorAgent

AGENT_KINDS = (
    "an agent or workflow of Agent Framework, an Agent of the OpenAI Agents SDK, "
    "or an async generator function (messages, turn)"
)
"""The kinds of agents that `get_agent` may return, as an error message lists them."""

_takes_turn_cache: WeakKeyDictionary[FunctionType, bool] = WeakKeyDictionary()


def as_agent(returned: Any, turn: Turn, client: Any) -> Any:
    """Return an agent whose `run` yields Agent Framework's updates.

    Args:
        returned: The result of `get_agent`.
        turn: The turn that the agent answers.
        client: The use case's chat client, for an agent without one.

    Raises:
        AgentError: When `returned` is none of `AGENT_KINDS`.
    """
    if isinstance(returned, Workflow):
        # Its own `run` yields events of the workflow, and takes other arguments.
        return returned.as_agent()
    if isinstance(returned, BaseAgent):
        return returned
    # By type before by duck typing: a class of the author's may have an unrelated method called `run`.
    if is_sdk_agent(returned):
        # Imported here only, so that a process without such use cases does not load the SDK.
        from agents_sdk.sdk_agent import SDKAgent

        return SDKAgent(returned, turn, client)
    if is_generator_function(returned) and not isinstance(returned, SupportsAgentRun):
        return GeneratorAgent(returned, turn)
    if callable(getattr(returned, "run", None)) and not isinstance(returned, type):
        return returned
    raise AgentError(
        "This assistant cannot answer at the moment.",
        f"use case '{turn.context.use_case}': get_agent returned {_describe(returned)}; return {AGENT_KINDS}",
    )


def is_sdk_agent(value: Any) -> bool:
    """Return whether `value` is an agent of the OpenAI Agents SDK, or a run of one, without loading the SDK.

    As long as the SDK is not loaded, there are no such agents.
    """
    kinds = [loaded_agent_class(), getattr(sys.modules.get("agents_sdk.sdk_run"), "SDKRun", None)]
    return any(isinstance(kind, type) and isinstance(value, kind) for kind in kinds)


def post_respond_argument(hook: Any, turn: Turn) -> Any:
    """Return the second argument of a `post_respond_hook`: the turn, or the SDK's context.

    A hook whose parameter is called `agent_context` gets the context that the tools of an Agents SDK agent had.
    """
    if turn.agent_context is not None and "agent_context" in inspect.signature(hook).parameters:
        return turn.agent_context
    return turn


def call_get_agent(get_agent: Any, turn: Turn) -> Any:
    """Call `get_agent` with the turn, or without arguments if it takes none, as in ChatKit's samples."""
    return get_agent(turn) if _takes_turn(get_agent) else get_agent()


def _takes_turn(get_agent: Any) -> bool:
    # Cached, since this runs for each answer: to read a signature takes as long as an answer's database work.
    function = getattr(get_agent, "__func__", None)
    if not isinstance(function, FunctionType):
        return bool(inspect.signature(get_agent).parameters)
    if function not in _takes_turn_cache:
        _takes_turn_cache[function] = bool(inspect.signature(get_agent).parameters)
    return _takes_turn_cache[function]


def is_generator_function(value: Any) -> bool:
    """Return whether calling `value`, a function, method, partial or callable object, returns an async generator."""
    while isinstance(value, partial):
        value = value.func
    if inspect.isasyncgenfunction(value):
        return True
    return callable(value) and not isinstance(value, type) and inspect.isasyncgenfunction(type(value).__call__)


def _describe(value: Any) -> str:
    if value is None:
        return "None"
    if inspect.isasyncgen(value):
        return f"an async generator that was called already ({value.__qualname__}): return the function itself"
    if inspect.isroutine(value) or isinstance(value, type):
        kind = "the class" if isinstance(value, type) else "the function"
        return f"{kind} {value.__qualname__}"
    return f"a {type(value).__module__}.{type(value).__qualname__}"
