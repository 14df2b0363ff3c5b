"""Gives runs within a run the platform's model and limits: a guardrail or a tool may call `Runner.run` itself.

The SDK has one default runner per process, which can be replaced. Ours passes everything on to the one before it.
Within the answer of an agent it fills in what the author leaves to the SDK's defaults, which would be OpenAI with a key
of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from agents import RunConfig
from agents.models.multi_provider import MultiProvider

from agents_sdk.platform_model import PlatformModels
from agents_sdk.response_events import EventModels
from framework.default_runner import prepare_runs
from framework.sdk_runs import with_provider
from turns.answer_state import AnswerState


@dataclass(frozen=True, slots=True)
class RunDefaults:
    """Defaults of a run within an answer, for all that its author does not set.

    Attributes:
        models: The platform's models.
        max_turns: How often models are asked at most in each run.
        tool_error_formatter: Returns the text that the model reads of a tool's failure.
        loop: The loop of the answer, to which the models' connections belong.
    """

    models: PlatformModels
    max_turns: int
    tool_error_formatter: Any
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def apply(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a run, completed by the defaults."""
        config = arguments.get("run_config")
        config = RunConfig(**config) if isinstance(config, Mapping) else config or RunConfig()
        is_default = type(config.model_provider) is MultiProvider
        config = replace(
            config,
            model_provider=EventModels(self.models) if is_default else config.model_provider,
            tracing_disabled=True,
            tool_error_formatter=config.tool_error_formatter or self.tool_error_formatter,
        )
        turns = arguments.get("max_turns")
        limit = min(turns, self.max_turns) if isinstance(turns, int) else self.max_turns
        return {**arguments, "run_config": config, "max_turns": limit}


_defaults: ContextVar[RunDefaults | None] = ContextVar("run_defaults", default=None)


def _apply_defaults(agent: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    defaults = _defaults.get()
    return arguments if defaults is None else defaults.apply(arguments)


def _answer_loop() -> asyncio.AbstractEventLoop | None:
    defaults = _defaults.get()
    return defaults.loop if defaults is not None else None


@contextmanager
def run_defaults(defaults: RunDefaults) -> Iterator[None]:
    """Apply the defaults to all runs that are started within the block, directly or by other code."""
    prepare_runs(_apply_defaults, _answer_loop)
    token = _defaults.set(defaults)
    try:
        yield
    finally:
        _defaults.reset(token)


def build_author_options(
    options: Mapping[str, Any], client: Any, answer: AnswerState, *, may_choose: bool, max_turns: int
) -> dict[str, Any]:
    """Return the arguments of a run that an author's code starts in a request, outside of any agent.

    Args:
        options: The author's own arguments of the run.
        client: The chat client of the use case.
        answer: The answer that the tokens are counted for.
        may_choose: Whether an agent may name another model of the same provider.
        max_turns: How often models are asked at most.
    """
    config = options.get("run_config")
    if isinstance(getattr(config, "model_provider", None), EventModels):
        return dict(options)  # the run has our defaults already
    models = PlatformModels(client, may_choose=may_choose, is_paused=lambda: False, count=answer.add_usage)
    turns = options.get("max_turns")
    return {
        **options,
        "run_config": with_provider(config, EventModels(models)),
        "max_turns": min(turns, max_turns) if isinstance(turns, int) else max_turns,
    }
