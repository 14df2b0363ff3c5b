"""A default runner for the SDK that shows the runs of exported workflows, and leaves others to the SDK's own."""

from __future__ import annotations

from typing import Any

from agents_sdk.workflows.answer_run import WorkflowRun, current_run, is_within_agent
from framework.default_runner import wrap_default_runner


class AnswerRunner:
    """Handles every `Runner.run` of the process.

    Args:
        own: The runner that was set before, which handles all runs outside of exported workflows.
    """

    def __init__(self, own: Any) -> None:
        self.own = own

    async def run(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent and return the result."""
        run = current_run.get()
        if run is None:
            return await self.own.run(starting_agent, input, **options)
        if is_within_agent.get():
            return await self.own.run(starting_agent, input, **run.build_options(options))
        return await run.run(self.own.run_streamed, starting_agent, input, options)

    def run_sync(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent from a thread without an event loop, and return the result."""
        run = current_run.get()
        if run is None or is_within_agent.get():
            return self.own.run_sync(starting_agent, input, **(run.build_options(options) if run else options))
        return run.run_sync(self.own.run_streamed, starting_agent, input, options)

    def run_streamed(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Start an agent and return its streamed result."""
        run: WorkflowRun | None = current_run.get()
        if run is None:
            return self.own.run_streamed(starting_agent, input, **options)
        if is_within_agent.get():
            return self.own.run_streamed(starting_agent, input, **run.build_options(options))
        return run.start_streamed(self.own.run_streamed, starting_agent, input, options)


def install_runner() -> None:
    """Make an `AnswerRunner` the default runner of the process, once."""
    wrap_default_runner(lambda runner: isinstance(runner, AnswerRunner), AnswerRunner)
