"""Runs of Agents SDK agents that an author's code starts itself within a request: they use the platform's model.

A generator, a hook, an action or a tool may call `Runner.run`, which would call OpenAI with a key of its own. The SDK
is not loaded here until such a run begins.
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
    """The data of a request that the runs started in it need."""

    services: Services
    answer: AnswerState
    client: Any
    loop: asyncio.AbstractEventLoop


_current_request: ContextVar[_Request | None] = ContextVar("request_of_authors_runs", default=None)


def _prepare_arguments(agent: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    request = _current_request.get()
    if request is None:
        return arguments
    from agents_sdk.inner_runs import build_author_options

    settings = request.services.settings
    may_choose, max_turns = settings.is_openai, settings.model_max_round_trips
    return build_author_options(arguments, request.client, request.answer, may_choose=may_choose, max_turns=max_turns)


def _request_loop() -> asyncio.AbstractEventLoop | None:
    request = _current_request.get()
    return request.loop if request is not None else None


@contextmanager
def route_author_runs(services: Services, answer: AnswerState, client: Any) -> Iterator[None]:
    """Let SDK runs that are started within this block, or by tasks that it starts, use `client`.

    Args:
        services: The platform's services.
        answer: The answer that counts their tokens.
        client: The chat client of the use case.
    """
    if not can_start_runs():
        yield  # the SDK's runner is not loaded
        return
    prepare_runs(_prepare_arguments, _request_loop)
    token = _current_request.set(_Request(services, answer, client, asyncio.get_running_loop()))
    try:
        yield
    finally:
        _current_request.reset(token)
