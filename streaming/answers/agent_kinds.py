"""Kinds of agents: whatever `get_agent` returned becomes something that runs like an agent of Agent Framework."""

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

KINDS = (
    "an agent or workflow of Agent Framework, an Agent of the OpenAI Agents SDK, "
    "or an async generator function (messages, turn)"
)
"""The kinds of agents that `get_agent` may return, in the words of an error."""

_taking_turn: WeakKeyDictionary[FunctionType, bool] = WeakKeyDictionary()


def as_agent(returned: Any, turn: Turn, client: Any) -> Any:
    """Return an agent whose `run` gives Agent Framework's updates.

    Args:
        returned: What `get_agent` returned.
        turn: The answer that it is for.
        client: The use case's chat client, for an agent that brings none.

    Raises:
        AgentError: When it is of no kind that can answer.
    """
    if isinstance(returned, Workflow):
        # Its own `run` yields events of the workflow, and takes other arguments.
        return returned.as_agent()
    if isinstance(returned, BaseAgent):
        return returned
    # The others by what they are before what they have: a class of the author's may have a helper called `run`.
    if is_sdk_agent(returned):
        # Here and nowhere else: a process without such use cases does not load the SDK.
        from agents_sdk.sdk_agent import SDKAgent

        return SDKAgent(returned, turn, client)
    if is_generator_function(returned) and not isinstance(returned, SupportsAgentRun):
        return GeneratorAgent(returned, turn)
    if callable(getattr(returned, "run", None)) and not isinstance(returned, type):
        return returned
    raise AgentError(
        "This assistant cannot answer at the moment.",
        f"use case '{turn.context.use_case}': get_agent returned {_name(returned)}; return {KINDS}",
    )


def is_sdk_agent(value: Any) -> bool:
    """Say whether `value` is an agent of the OpenAI Agents SDK or a run of one, without loading the SDK.

    Only a loaded one makes agents.
    """
    kinds = [loaded_agent_class(), getattr(sys.modules.get("agents_sdk.sdk_run"), "SDKRun", None)]
    return any(isinstance(kind, type) and isinstance(value, kind) for kind in kinds)


def hook_argument(hook: Any, turn: Turn) -> Any:
    """Return the second argument of a `post_respond_hook`: the turn, or what a hook written for the SDK expects.

    That is one whose parameter is called `agent_context`. It gets the context that the agent's tools had.
    """
    if turn.agent_context is not None and "agent_context" in inspect.signature(hook).parameters:
        return turn.agent_context
    return turn


def call_get_agent(get_agent: Any, turn: Turn) -> Any:
    """Return what `get_agent` returns: of the turn, or without one where it was written for ChatKit's samples."""
    return get_agent(turn) if _takes_turn(get_agent) else get_agent()


def _takes_turn(get_agent: Any) -> bool:
    # To read a signature takes as long as the database's part of an answer, and it is asked for each one.
    function = getattr(get_agent, "__func__", None)
    if not isinstance(function, FunctionType):
        return bool(inspect.signature(get_agent).parameters)
    if function not in _taking_turn:
        _taking_turn[function] = bool(inspect.signature(get_agent).parameters)
    return _taking_turn[function]


def is_generator_function(value: Any) -> bool:
    """Say whether a call of `value` gives an async generator: a function, a method, a partial, or a callable object."""
    while isinstance(value, partial):
        value = value.func
    if inspect.isasyncgenfunction(value):
        return True
    return callable(value) and not isinstance(value, type) and inspect.isasyncgenfunction(type(value).__call__)


def _name(value: Any) -> str:
    if value is None:
        return "None"
    if inspect.isasyncgen(value):
        return f"an async generator that was called already ({value.__qualname__}): return the function itself"
    if inspect.isroutine(value) or isinstance(value, type):
        kind = "the class" if isinstance(value, type) else "the function"
        return f"{kind} {value.__qualname__}"
    return f"a {type(value).__module__}.{type(value).__qualname__}"
