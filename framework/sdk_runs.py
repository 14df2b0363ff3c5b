"""Runs of the OpenAI Agents SDK that code of others begins: prepared before they begin, and ended when nobody reads.

The SDK lets its runner be set, and says that this may change; where its default client is kept is private, as is the
queue of ChatKit's `AgentContext`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

Prepare = Callable[[dict[str, Any]], dict[str, Any]]
"""Returns the keyword arguments of a run as they shall be."""

Begun = Callable[[Any, Any], None]
"""Is told the result of a streamed run, and the context that it was given."""


class PreparedRunner:
    """Begins each run with prepared arguments, by the runner that was set before.

    Args:
        inner: The runner that was set before.
        prepare: Prepares the arguments.
        begun: Is told of streamed runs.
    """

    def __init__(self, inner: Any, prepare: Prepare, begun: Begun) -> None:
        self._inner = inner
        self._prepare = prepare
        self._begun = begun

    async def run(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Run an agent to its end."""
        return await self._inner.run(starting_agent, input, **self._prepare(arguments))

    def run_sync(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Run an agent to its end, from code without a loop."""
        return self._inner.run_sync(starting_agent, input, **self._prepare(arguments))

    def run_streamed(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Begin a streamed run."""
        prepared = self._prepare(arguments)
        result = self._inner.run_streamed(starting_agent, input, **prepared)
        self._begun(result, prepared.get("context"))
        return result


def prepare_runs(prepare: Prepare, begun: Begun) -> None:
    """Let all runs that begin from here on be prepared; a second call with the same functions changes nothing."""
    from agents.run import get_default_agent_runner, set_default_agent_runner

    before: Any = get_default_agent_runner()
    if not (isinstance(before, PreparedRunner) and before._prepare == prepare):
        runner: Any = PreparedRunner(before, prepare, begun)
        set_default_agent_runner(runner)


def with_provider(run_config: Any, provider: Any) -> Any:
    """Return the configuration of a run with a provider of models in the place of the SDK's default one.

    A provider that somebody chose stays, and so does the default one where it was given a client or a key.
    """
    from agents import MultiProvider, RunConfig
    from agents.models._openai_shared import get_default_openai_client, get_default_openai_key

    config = RunConfig(**run_config) if isinstance(run_config, dict) else run_config or RunConfig()
    is_default = type(config.model_provider) is MultiProvider
    if is_default and get_default_openai_client() is None and get_default_openai_key() is None:
        config = replace(config, model_provider=provider)
    return replace(config, tracing_disabled=True)


def end_run(result: Any, context: Any) -> None:
    """End a streamed run that nobody reads any more, and what waits in ChatKit's context for its events."""
    result.cancel()
    complete = getattr(context, "_complete", None)
    if complete is not None:
        with suppress(Exception):
            complete()
