"""Runs of Agents SDK agents that an author's code starts itself within a request: they ask the platform's model.

A generator, a hook, an action or a tool may call `Runner.run`, which would ask OpenAI with a key of its own. Nothing of
the SDK is loaded for it, or for anything else here, unless such a run begins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from context import Services
from framework.default_runner import wrap_default_runner
from turns.answer_state import AnswerState

Prepare = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Returns the arguments of a run as they shall be."""

_prepare: ContextVar[Prepare | None] = ContextVar("prepare_authors_run", default=None)


class AuthorsRunner:
    """Serves every `Runner.run` of the process; those that belong to no request stay as they are.

    Args:
        own: The runner that was set before.
    """

    def __init__(self, own: Any) -> None:
        self.own = own

    async def run(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent to its end."""
        return await self.own.run(starting_agent, input, **_prepared(options))

    def run_sync(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent to its end, from a thread without a loop."""
        return self.own.run_sync(starting_agent, input, **_prepared(options))

    def run_streamed(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Start an agent and return its stream."""
        return self.own.run_streamed(starting_agent, input, **_prepared(options))


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

    def prepare(options: Mapping[str, Any]) -> dict[str, Any]:
        from agents_sdk.inner_runs import options_of_author

        settings = services.settings
        may_choose, max_turns = settings.provider == "openai", settings.model_max_round_trips
        return options_of_author(options, client, answer, may_choose=may_choose, max_turns=max_turns)

    token = _prepare.set(prepare)
    try:
        yield
    finally:
        _prepare.reset(token)


def _prepared(options: dict[str, Any]) -> dict[str, Any]:
    prepare = _prepare.get()
    return options if prepare is None else prepare(options)
