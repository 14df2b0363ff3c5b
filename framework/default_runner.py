"""The runner behind the Agents SDK's `Runner.run`: one for the process, exchanged without a private name.

The SDK has the two functions and calls them experimental; there is no other way to see the runs of a file that calls
`Runner.run` itself. `tests/unit/framework/test_reliances.py` pins what is relied on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Prepare = Callable[[Any, dict[str, Any]], dict[str, Any]]
"""Takes the agent and the keyword arguments of a run, and returns these as they shall be."""

Begun = Callable[[Any, Any], None]
"""Is told the result of a streamed run, and the context that it was given."""

LoopOf = Callable[[], asyncio.AbstractEventLoop | None]
"""Returns the loop that runs belong on, as the connections of their models do; None for that of whoever starts them."""


class PreparedRunner:
    """Begins each run with prepared arguments, by the runner that was set before.

    Args:
        own: The runner that was set before.
        prepare: Prepares the arguments.
        loop_of: Returns the loop that runs belong on.
        begun: Called with each streamed run.
    """

    def __init__(self, own: Any, prepare: Prepare, loop_of: LoopOf, begun: Begun | None = None) -> None:
        self.own = own
        self.prepare = prepare
        self._loop_of = loop_of
        self._begun = begun

    async def run(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Run an agent to its end."""
        prepared, loop = self.prepare(starting_agent, arguments), self._loop_of()
        if loop is None or asyncio.get_running_loop() is loop:
            return await self.own.run(starting_agent, input, **prepared)
        # Code of others may have made a loop of its own, in a thread.
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self.own.run(starting_agent, input, **prepared), loop)
        )

    def run_sync(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Run an agent to its end, from code without a loop."""
        prepared, loop = self.prepare(starting_agent, arguments), self._loop_of()
        if loop is None or _has_running_loop():  # a thread with a running loop must not wait for another
            return self.own.run_sync(starting_agent, input, **prepared)
        call: Coroutine[Any, Any, Any] = self.own.run(starting_agent, input, **prepared)
        return asyncio.run_coroutine_threadsafe(call, loop).result()

    def run_streamed(self, starting_agent: Any, input: Any, **arguments: Any) -> Any:
        """Begin a streamed run."""
        prepared = self.prepare(starting_agent, arguments)
        result = self.own.run_streamed(starting_agent, input, **prepared)
        if self._begun is not None:
            self._begun(result, prepared.get("context"))
        return result


def prepare_runs(prepare: Prepare, loop_of: LoopOf, begun: Begun | None = None) -> None:
    """Let all runs that begin from here on be prepared; a second call with the same function changes nothing."""
    wrap_default_runner(
        lambda runner: isinstance(runner, PreparedRunner) and runner.prepare is prepare,
        lambda own: PreparedRunner(own, prepare, loop_of, begun),
    )


def wrap_default_runner(is_there: Callable[[Any], bool], build: Callable[[Any], Any]) -> None:
    """Put a runner before the process's own, once: it may have others of ours before it by now.

    Args:
        is_there: Says whether a runner is already of the kind that `build` makes.
        build: Makes the new runner from the present one, which it keeps as its attribute `own`.
    """
    from agents.run import get_default_agent_runner, set_default_agent_runner

    first = get_default_agent_runner()
    runner: Any = first
    while runner is not None:
        if is_there(runner):
            return
        runner = getattr(runner, "own", None)
    set_default_agent_runner(build(first))


def _has_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
