"""Reliances on things that the SDK does not promise: each test names what would have to change here."""

from __future__ import annotations

import inspect
from typing import Any

from agents import Agent, RunConfig, Runner, function_tool, handoff
from agents.models.multi_provider import MultiProvider
from agents.run import AgentRunner, get_default_agent_runner, set_default_agent_runner
from chatkit.agents import AgentContext
from chatkit.types import ProgressUpdateEvent, ThreadMetadata
from pydantic import BaseModel

from framework.sdk_agents import agent_behind_handoff, agent_behind_tool, send_events_to
from turns.clock import utc_now

EXPERT = Agent[Any](name="expert")


def test_a_tool_knows_the_agent_that_it_was_made_of() -> None:
    @function_tool
    def look() -> str:
        """Look."""
        return ""

    assert agent_behind_tool(EXPERT.as_tool("ask", "Ask.")) is EXPERT
    assert agent_behind_tool(look) is None


def test_a_handoff_knows_the_agent_that_it_leads_to() -> None:
    assert agent_behind_handoff(handoff(EXPERT, tool_name_override="other")) is EXPERT


async def test_a_context_puts_all_its_events_where_they_are_sent() -> None:
    class Own(AgentContext[Any]):
        pass

    class Unused(BaseModel):
        pass

    thread = ThreadMetadata(id="thr_1", created_at=utc_now())
    context: Any = Own(thread=thread, store=Unused(), request_context=None)
    events: list[Any] = []
    send_events_to(context, events.append)
    await context.stream(ProgressUpdateEvent(text="Looking"))
    context._complete()
    assert [event.text for event in events] == ["Looking"]
    assert "self._events.put(" in inspect.getsource(AgentContext.stream_widget)


def test_a_run_that_names_no_provider_has_the_class_that_stands_for_none() -> None:
    assert type(RunConfig().model_provider) is MultiProvider


async def test_the_runner_of_the_process_serves_every_run() -> None:
    asked: list[str] = []
    before = get_default_agent_runner()

    class Listening(AgentRunner):
        async def run(self, starting_agent: Any, input: Any, **options: Any) -> Any:
            asked.append(starting_agent.name)

    set_default_agent_runner(Listening())
    try:
        await Runner.run(EXPERT, "Hi")
    finally:
        set_default_agent_runner(before)
    assert asked == ["expert"]
