"""The default runner behind the Agents SDK's `Runner.run`, wrapped so that the arguments of runs can be changed.

The SDK calls its two functions for that experimental; there is no other way to intercept the runs of code that calls
`Runner.run` itself. `tests/unit/framework/test_reliances.py` pins what is relied on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Prepare = Callable[[Any, dict[str, Any]], dict[str, Any]]
"""Returns the keyword arguments of a run to use, given the agent and the original ones."""

OnStarted = Callable[[Any, Any], None]
"""Called with the result of a streamed run that has started, and the run's context."""

GetLoop = Callable[[], asyncio.AbstractEventLoop | None]
"""Returns the event loop of the models' connections, on which runs must execute; None for the caller's loop."""


class PreparedRunner:
    """Starts each run with prepared arguments, by the runner that was the default before.

    Args:
        own: The runner that was the default before.
        prepare: Prepares the arguments.
        get_loop: Returns the event loop on which runs must execute.
        on_started: Called with each streamed run.
    """

    def __init__(self, own: Any, prepare: Prepare, get_loop: GetLoop, on_started: OnStarted | None = None) -> None:
        self.own = own
        self.prepare = prepare
        self._get_loop = get_loop
        self._on_started = on_started

    async def run(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Run an agent to its end."""
        prepared, loop = self.prepare(starting_agent, arguments), self._get_loop()
        if loop is None or asyncio.get_running_loop() is loop:
            return await self.own.run(starting_agent, input, **prepared)
        # An author's code may run its own event loop in a thread.
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self.own.run(starting_agent, input, **prepared), loop)
        )

    def run_sync(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Run an agent to its end, from synchronous code."""
        prepared, loop = self.prepare(starting_agent, arguments), self._get_loop()
        if loop is None or _has_running_loop():  # a thread with a running loop must not wait for another
            return self.own.run_sync(starting_agent, input, **prepared)
        call: Coroutine[Any, Any, Any] = self.own.run(starting_agent, input, **prepared)
        return asyncio.run_coroutine_threadsafe(call, loop).result()

    def run_streamed(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Start a streamed run."""
        prepared = self.prepare(starting_agent, arguments)
        result = self.own.run_streamed(starting_agent, input, **prepared)
        if self._on_started is not None:
            self._on_started(result, prepared.get("context"))
        return result


def prepare_runs(prepare: Prepare, get_loop: GetLoop, on_started: OnStarted | None = None) -> None:
    """Prepare all runs that start from now on; a second call with the same function changes nothing."""
    wrap_default_runner(
        lambda runner: isinstance(runner, PreparedRunner) and runner.prepare is prepare,
        lambda own: PreparedRunner(own, prepare, get_loop, on_started),
    )


def wrap_default_runner(is_installed: Callable[[Any], bool], build: Callable[[Any], Any]) -> None:
    """Wrap the process's default runner, unless it is or wraps such a runner already.

    Args:
        is_installed: Returns whether a runner is of the kind that `build` creates.
        build: Creates the new runner from the present one, which it keeps in its attribute `own`.
    """
    from agents.run import get_default_agent_runner, set_default_agent_runner

    first = get_default_agent_runner()
    runner: Any = first
    while runner is not None:
        if is_installed(runner):
            return
        runner = getattr(runner, "own", None)
    set_default_agent_runner(build(first))


def _has_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
