"""Reliances on the Agents SDK and on OpenAI's library, for agents that the platform runs; see `test_reliances.py`."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

from agent_framework import ChatResponse
from agent_framework import Message as AFMessage
from agents import Agent, Model, ModelSettings, RunConfig, Runner, WebSearchTool, function_tool, handoff
from agents.mcp import MCPServerStdio
from agents.models import get_default_model_settings
from agents.models.multi_provider import MultiProvider
from agents.models.openai_responses import Converter
from agents.run import AgentRunner, get_default_agent_runner, set_default_agent_runner
from chatkit.agents import AgentContext
from chatkit.types import ProgressUpdateEvent, ThreadMetadata
from httpx import AsyncClient, MockTransport, Response
from openai import AsyncOpenAI
from pydantic import BaseModel

from agents_sdk.platform_response import build_response
from framework.sdk_agents import (
    agent_behind_handoff,
    agent_behind_tool,
    can_start_runs,
    forward_events,
    loaded_agent_class,
)
from framework.sdk_mcp_servers import drop_connection, has_session, mark_disconnected
from turns.clock import utc_now

EXPERT = Agent[Any](name="expert")


def test_the_import_of_the_sdk_is_detected_by_its_modules() -> None:
    """Relied on by `framework/sdk_agents.py`: a process that runs no such agent does not load the SDK to find out.

    When this fails: look in which modules the classes are now.
    """
    assert loaded_agent_class() is Agent
    assert (can_start_runs(), Runner.__module__) == (True, "agents.run")


async def test_a_connection_to_a_server_of_tools_can_be_let_go() -> None:
    """Relied on by `framework/sdk_mcp_servers.py`: what an author's task has opened cannot be closed by another.

    When this fails: look in `connect` and `cleanup` of the SDK's servers where they keep what they have opened.
    """
    closed: list[str] = []
    server: Any = MCPServerStdio({"command": "nothing"})
    assert not has_session(server)
    server.session = server
    server.exit_stack.callback(closed.append, "the author's")
    assert has_session(server)
    drop_connection(server)
    server.exit_stack.callback(closed.append, "ours")
    await server.cleanup()
    assert closed == ["ours"]
    server.session = server
    mark_disconnected(server)
    assert not has_session(server)
    assert "self.exit_stack.enter_async_context(" in inspect.getsource(MCPServerStdio.connect)


def test_a_tool_knows_the_agent_that_it_was_made_of() -> None:
    """Relied on by `framework/sdk_agents.py`: whose tool a person has allowed.

    When this fails: look in `Agent.as_tool` where the tool has its agent now.
    """

    @function_tool
    def look() -> str:
        """Look."""
        return ""

    assert agent_behind_tool(EXPERT.as_tool("ask", "Ask.")) is EXPERT
    assert agent_behind_tool(look) is None


def test_a_handoff_knows_the_agent_that_it_leads_to() -> None:
    """Relied on by `framework/sdk_agents.py`: who goes on after a handoff.

    When this fails: look in `agents.handoff` where the handoff has its agent now.
    """
    assert agent_behind_handoff(handoff(EXPERT, tool_name_override="other")) is EXPERT


async def test_a_context_puts_all_its_events_where_they_are_sent() -> None:
    """Relied on by `framework/sdk_agents.py`: contexts of an author's own class.

    When this fails: look in `AgentContext.stream` and its neighbours where they put what they are given.
    """

    class Own(AgentContext[Any]):
        pass

    class Unused(BaseModel):
        pass

    thread = ThreadMetadata(id="thr_1", created_at=utc_now())
    context: Any = Own(thread=thread, store=Unused(), request_context=None)
    events: list[Any] = []
    forward_events(context, events.append)
    await context.stream(ProgressUpdateEvent(text="Looking"))
    context._complete()
    assert [event.text for event in events] == ["Looking"]
    assert "self._events.put(" in inspect.getsource(AgentContext.stream_widget)


def test_a_run_that_names_no_provider_has_the_class_that_stands_for_none() -> None:
    """Relied on by `agents_sdk/workflows/answer_run.py`: a provider that the file has chosen stays.

    When this fails: tell in `WorkflowRun.build_options` a provider of the file's from the SDK's default in another way.
    """
    assert type(RunConfig().model_provider) is MultiProvider


async def test_the_runner_of_the_process_serves_every_run() -> None:
    """Relied on by `framework/default_runner.py`: `Runner.run` in a tool or a guardrail asks the platform's model.

    When this fails: look in `agents/run.py` where `Runner` finds its runner.
    """
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


class Once(Model):
    """Says one sentence."""

    async def get_response(self, *args: Any, **more: Any) -> Any:
        raise NotImplementedError

    async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        yield build_response(ChatResponse(messages=[AFMessage("assistant", ["Yes."])]))


async def test_the_result_of_a_run_takes_another_stream_and_other_items() -> None:
    """Relied on by `agents_sdk/workflows/answer_run.py`: a file reads our stream, and makes input of what is new.

    When this fails: give the file an object of ours that hands on to the result.
    """
    result: Any = Runner.run_streamed(Agent[Any](name="a", model=Once()), "Hi")
    read = result.stream_events

    async def ours() -> AsyncIterator[Any]:
        async for event in read():
            yield event
        yield "the end"

    result.stream_events = ours
    assert [event async for event in result.stream_events()][-1] == "the end"
    assert result.is_complete
    assert [each["role"] for each in result.to_input_list()] == ["user", "assistant"]
    result.new_items = []
    assert [each["role"] for each in result.to_input_list()] == ["user"]


async def test_resources_of_a_client_ask_by_its_post_and_give_way_to_properties() -> None:
    """Relied on by `agents_sdk/workflows/openai_client.py`: a file's client asks for our model.

    When this fails: look in `openai/_resource.py` by which of the client's methods a resource asks.
    """
    asked: list[str] = []

    class Own(AsyncOpenAI):
        async def post(self, path: str, **options: Any) -> Any:  # type: ignore[override]
            asked.append(path)

    Own.files = property(lambda self: "not here")  # type: ignore[assignment]
    client = Own(api_key="k", http_client=AsyncClient(transport=MockTransport(lambda _: Response(500))))
    await client.chat.completions.create(model="m", messages=[])
    await client.responses.create(model="m", input="Hi")
    assert asked == ["/chat/completions", "/responses"]
    assert client.files == "not here"
    await client.close()


def test_tools_of_openai_are_written_as_the_sdk_writes_them() -> None:
    """Relied on by `agents_sdk/chat_options.py`: the form of hosted tools, and the settings that nobody has chosen.

    When this fails: look in `agents/models/openai_responses.py` what `convert_tools` takes and returns now.
    """
    assert Converter.convert_tools([WebSearchTool()], []).tools[0]["type"] == "web_search"
    assert isinstance(get_default_model_settings(None), ModelSettings)
