"""Runs of Agents SDK agents that an author's code starts itself within a request: they ask the platform's model.

A generator, a hook, an action or a tool may call `Runner.run`, which would ask OpenAI with a key of its own. Nothing of
the SDK is loaded for it, or for anything else here, unless such a run begins.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from context import Services
from framework.default_runner import awaited_on, waited_for_on, wrap_default_runner
from turns.answer_state import AnswerState


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, as far as the runs that are started in it need it."""

    services: Services
    answer: AnswerState
    client: Any
    loop: asyncio.AbstractEventLoop

    def __call__(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a run as they shall be."""
        from agents_sdk.inner_runs import options_of_author

        settings = self.services.settings
        may_choose, max_turns = settings.provider == "openai", settings.model_max_round_trips
        return options_of_author(options, self.client, self.answer, may_choose=may_choose, max_turns=max_turns)


_prepare: ContextVar[_Request | None] = ContextVar("prepare_authors_run", default=None)


class AuthorsRunner:
    """Serves every `Runner.run` of the process; those that belong to no request stay as they are.

    Args:
        own: The runner that was set before.
    """

    def __init__(self, own: Any) -> None:
        self.own = own

    async def run(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent to its end."""
        prepare = _prepare.get()
        if prepare is None:
            return await self.own.run(starting_agent, input, **options)
        given = prepare(options)
        return await awaited_on(prepare.loop, lambda: self.own.run(starting_agent, input, **given))

    def run_sync(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent to its end, from a thread without a loop."""
        prepare = _prepare.get()
        if prepare is None:
            return self.own.run_sync(starting_agent, input, **options)
        given = prepare(options)
        return waited_for_on(
            prepare.loop,
            lambda: self.own.run(starting_agent, input, **given),
            lambda: self.own.run_sync(starting_agent, input, **given),
        )

    def run_streamed(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Start an agent and return its stream."""
        prepare = _prepare.get()
        given = options if prepare is None else prepare(options)
        return self.own.run_streamed(starting_agent, input, **given)


@contextmanager
def authors_runs(services: Services, answer: AnswerState, client: Any) -> Iterator[None]:
    """Let runs that are started within this block, and by the tasks that it starts, ask `client`.

    Args:
        services: The platform's services.
        answer: Where their tokens are counted.
        client: The chat client of the use case.
    """
    if "agents.run" not in sys.modules:
        yield  # nobody has anything to start them with
        return
    wrap_default_runner(AuthorsRunner, AuthorsRunner)
    token = _prepare.set(_Request(services, answer, client, asyncio.get_running_loop()))
    try:
        yield
    finally:
        _prepare.reset(token)
