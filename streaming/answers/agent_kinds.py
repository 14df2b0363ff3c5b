"""Kinds of agents: whatever `get_agent` returned becomes something that runs like an agent of Agent Framework."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from context import Turn
from errors import AgentError
from streaming.answers.generator_agent import GeneratorAgent

KINDS = "an agent or workflow of Agent Framework, or an async generator function (messages, turn)"
"""What `get_agent` may return, for errors."""


def as_agent(returned: Any, turn: Turn) -> Any:
    """Return an agent whose `run` gives Agent Framework's updates.

    Args:
        returned: What `get_agent` returned.
        turn: The answer that it is for.

    Raises:
        AgentError: When it is of no kind that can answer.
    """
    if callable(getattr(returned, "run", None)) and not isinstance(returned, type):
        return returned
    if is_generator_function(returned):
        return GeneratorAgent(returned, turn)
    raise AgentError(
        "This assistant cannot answer at the moment.",
        f"use case '{turn.context.use_case}': get_agent returned {_name(returned)}; return {KINDS}",
    )


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
