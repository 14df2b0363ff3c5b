"""The SDK's default runner, which shows the runs of an exported workflow; elsewhere it is the SDK's own."""

from __future__ import annotations

from typing import Any

from agents_sdk.workflows.answer_run import WorkflowRun, current_run, is_within_agent
from framework.default_runner import wrap_default_runner


class AnswerRunner:
    """Serves every `Runner.run` of the process.

    Args:
        own: The runner that was set before, to which all is handed that belongs to no exported workflow.
    """

    def __init__(self, own: Any) -> None:
        self.own = own

    async def run(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent to its end."""
        run = current_run.get()
        if run is None:
            return await self.own.run(starting_agent, input, **options)
        if is_within_agent.get():
            return await self.own.run(starting_agent, input, **run.options_of(options))
        return await run.run(self.own.run_streamed, starting_agent, input, options)

    def run_sync(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Run an agent to its end from a thread without a loop."""
        run = current_run.get()
        if run is None or is_within_agent.get():
            return self.own.run_sync(starting_agent, input, **(run.options_of(options) if run else options))
        return run.run_sync(self.own.run_streamed, starting_agent, input, options)

    def run_streamed(self, starting_agent: Any, input: Any, **options: Any) -> Any:
        """Start an agent and return its stream."""
        run: WorkflowRun | None = current_run.get()
        if run is None:
            return self.own.run_streamed(starting_agent, input, **options)
        if is_within_agent.get():
            return self.own.run_streamed(starting_agent, input, **run.options_of(options))
        return run.start_streamed(self.own.run_streamed, starting_agent, input, options)


def install_runner() -> None:
    """Let the runner of the process tell the answers of exported workflows from other runs; once."""
    wrap_default_runner(lambda runner: isinstance(runner, AnswerRunner), AnswerRunner)
