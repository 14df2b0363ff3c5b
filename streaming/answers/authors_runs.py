"""Runs of Agents SDK agents that an author's code starts itself within a request: they ask the platform's model.

A generator, a hook, an action or a tool may call `Runner.run`, which would ask OpenAI with a key of its own. Nothing of
the SDK is loaded for it, or for anything else here, unless such a run begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from context import Services
from framework.default_runner import prepare_runs
from framework.sdk_agents import can_start_runs
from turns.answer_state import AnswerState


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, as far as the runs that are started in it need it."""

    services: Services
    answer: AnswerState
    client: Any
    loop: asyncio.AbstractEventLoop


_request: ContextVar[_Request | None] = ContextVar("request_of_authors_runs", default=None)


def _prepare(agent: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    request = _request.get()
    if request is None:
        return arguments
    from agents_sdk.inner_runs import build_author_options

    settings = request.services.settings
    may_choose, max_turns = settings.provider == "openai", settings.model_max_round_trips
    return build_author_options(arguments, request.client, request.answer, may_choose=may_choose, max_turns=max_turns)


def _loop() -> asyncio.AbstractEventLoop | None:
    request = _request.get()
    return request.loop if request is not None else None


@contextmanager
def authors_runs(services: Services, answer: AnswerState, client: Any) -> Iterator[None]:
    """Let runs that are started within this block, and by the tasks that it starts, ask `client`.

    Args:
        services: The platform's services.
        answer: The answer to which their tokens are added.
        client: The chat client of the use case.
    """
    if not can_start_runs():
        yield  # nobody has anything to start them with
        return
    prepare_runs(_prepare, _loop)
    token = _request.set(_Request(services, answer, client, asyncio.get_running_loop()))
    try:
        yield
    finally:
        _request.reset(token)
