"""Runs that an author's code starts itself: the SDK's own events, with the thread as session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Message
from agents import Agent, AgentHooks, RunContextWrapper, Runner, function_tool
from agents.models._openai_shared import get_default_openai_client
from chatkit.agents import AgentContext, stream_agent_response
from chatkit.server import ChatKitServer
from openai import OpenAIError
from openai.types.responses import ResponseTextDeltaEvent

from agents_sdk.workflows.thread_sessions import ThreadSession
from base_server import BaseChatKitServer, action
from context import ActionTurn, Services, Turn
from stock_server import StockServer
from tests.unit.agents_sdk.conftest import SDKServer
from tests.unit.agents_sdk.imported import imported, sent_messages
from tests.unit.harness import Chat, errors, texts
from tests.unit.provider_stub import Chat as Completions
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.streaming.test_approvals import calls_with_results

pytestmark = pytest.mark.usefixtures("known_cities")


@pytest.mark.parametrize("provider", ["openai", "compatible"])
async def test_a_file_reads_the_deltas_of_its_agent_and_its_session_is_the_thread(
    tmp_path: Path, provider: str
) -> None:
    async with imported(tmp_path, "reader", provider) as flow:
        chat = flow.chat()
        flow.will_say(flow.answers.text("Once ", "upon."), "Two.")
        events = await chat.send("Tell me")
        assert (texts(events), errors(events)) == (["Once upon.", "Two.", "10 letters"], [])
        flow.will_say("The end.", "Two again.")
        assert texts(await chat.send("Go on")) == ["The end.", "Two again.", "8 letters"]
        _, first_count, teller, count = [sent_messages(request)[1:] for request in flow.stub.requests]
        words = ["Tell me", "Once upon.", "Count the words."]
        assert [text for _, text in first_count] == words
        assert (teller[0][1], teller[-1][1]) == ("Tell me", "Go on")
        assert [text for _, text in count][-2:] == ["The end.", "Count the words."]
        flow.will_say("Who are you?", "Three.")
        await flow.chat("bob").send("Hello")
        assert [text for _, text in sent_messages(flow.stub.requests[4])[1:]] == ["Hello"], "nothing of Ada's"


async def test_a_tool_reads_the_deltas_of_an_agent_and_may_pass_its_stream_on(
    chat: Chat, model: ScriptedModel, answer_with: Callable[..., Any]
) -> None:
    expert, read = Agent[Any](name="expert", instructions="Know."), list[str]()

    @function_tool
    async def ask_expert(ctx: RunContextWrapper[Any]) -> str:
        """Ask the expert."""
        result = Runner.run_streamed(expert, "Why?", context=ctx.context)
        async for event in result.stream_events():
            if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
                read.append(event.data.delta)
        return str(result.final_output)

    @function_tool
    async def show_expert(ctx: RunContextWrapper[AgentContext[Any]]) -> str:
        """Let the expert speak."""
        result = Runner.run_streamed(expert, "How?", context=ctx.context)
        async for event in stream_agent_response(ctx.context, result):
            await ctx.context.stream(event)
        return "Shown."

    answer_with(instructions="Serve.", tools=[ask_expert, show_expert])
    model.turns = [
        calls("ask_expert", "c1"),
        says("Because ", "of it."),
        calls("show_expert", "c2"),
        says("Like this."),
        says("That was it.", message_id="m2"),
    ]
    events = await chat.send("Why?")
    assert (texts(events), errors(events)) == (["Like this.", "That was it."], [])
    assert "".join(read) == "Because of it."


async def test_runs_that_a_generator_a_hook_and_an_action_start_ask_the_platforms_model(
    services: Services, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    expert, said = Agent[Any](name="expert", instructions="Know."), list[str]()

    class GeneratorServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Any:
            return self.answer

        async def answer(self, messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
            async for event in Runner.run_streamed(expert, messages[-1].text).stream_events():
                if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
                    yield event.data.delta
            yield None  # as the last piece of a client's stream

        async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
            said.append((await Runner.run(expert, "A title?")).final_output)

        @action("ask", needs_widget=False)
        async def ask(self, turn: ActionTurn) -> None:
            said.append((await Runner.run(expert, "A click?")).final_output)

    chat = Chat(GeneratorServer(services))
    model.turns = [says("Be", "cause."), says("Causes"), says("Clicked.")]
    events = await chat.send("Why?")
    assert (texts(events), errors(events)) == (["Because."], [])
    assert not errors(await chat.act(None, "ask"))
    assert said == ["Causes", "Clicked."]
    assert [request[0].text for request in model.requests] == ["Know."] * 3
    # Outside of a request they are the SDK's own affair.
    with pytest.raises(OpenAIError):
        await Runner.run(expert, "Anybody?")


@pytest.mark.parametrize("kind", ["agent", "server"])
async def test_a_tool_in_a_thread_may_wait_for_a_run_which_is_made_where_the_connections_are(
    services: Services, model: ScriptedModel, kind: str
) -> None:
    loops: list[Any] = []

    class ExpertHooks(AgentHooks[Any]):
        async def on_start(self, context: Any, agent: Any) -> None:
            loops.append(asyncio.get_running_loop())

    expert = Agent[Any](name="expert", instructions="Know.", hooks=ExpertHooks())

    @function_tool
    def ask_at_once() -> str:
        """Ask the expert."""
        return str(Runner.run_sync(expert, "Why?").final_output)

    @function_tool
    def ask_in_a_loop() -> str:
        """Ask the expert."""
        return str(asyncio.run(Runner.run(expert, "Why?")).final_output)  # type: ignore[arg-type]

    desk = Agent[Any](name="desk", tools=[ask_at_once, ask_in_a_loop])

    class DeskServer(ChatKitServer[Any]):
        async def respond(self, thread: Any, message: Any, context: Any) -> AsyncGenerator[Any, None]:
            given = AgentContext(thread=thread, store=self.store, request_context=context)
            async for event in stream_agent_response(given, Runner.run_streamed(desk, "Go", context=given)):
                yield event

    server: Any = SDKServer(services) if kind == "agent" else StockServer(DeskServer)
    if kind == "agent":
        server.returned = desk
    else:
        server.bind(services)
    model.turns = [
        calls("ask_at_once", "c1"), says("Because."), calls("ask_in_a_loop", "c2"), says("So."),
        says("He knows.", message_id="m2"),
    ]  # fmt: skip
    events = await Chat(server).send("Why?")
    assert (texts(events), errors(events)) == (["He knows."], [])
    assert loops == [asyncio.get_running_loop()] * 2
    assert [result for _, result in calls_with_results(model.requests[-1])] == ["Because.", "So."]


@pytest.mark.parametrize("provider", ["openai", "compatible"])
async def test_a_class_runs_the_agents_and_the_key_in_the_environment_is_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client_before = get_default_openai_client()
    async with imported(tmp_path, "manager", provider) as flow:
        chat = flow.chat()
        flow.will_say("Hello.", Completions.text("Bye."))
        assert texts(await chat.send("Hi")) == ["Hello.", "Bye."]
        flow.will_say("Again.", Completions.text("And bye."))
        events = await chat.send("Me again")
        assert (texts(events), errors(events)) == (["Again.", "And bye."], [])
        assert [request.target for request in flow.stub.requests][1::2] == ["/chat/completions"] * 2
        key = "Bearer sk-test" if provider == "openai" else "Bearer no-key"
        assert flow.stub.requests[-1].headers["authorization"] == key
        assert [text for _, text in sent_messages(flow.stub.requests[-1])][1:] == [
            "Hi", "Hello.", "Bye.", "Me again", "Again.", "Close it.",
        ]  # fmt: skip
    assert get_default_openai_client() is client_before, "no default of others was changed"


async def test_the_session_of_a_thread_gives_the_newest_and_takes_back_the_last() -> None:
    session = ThreadSession("s", [{"role": "user", "content": "One"}])
    await session.add_items([{"role": "assistant", "content": "Two"}])
    assert [each["content"] for each in await session.get_items()] == ["One", "Two"]
    assert [each["content"] for each in await session.get_items(1)] == ["Two"]
    assert await session.get_items(0) == []
    assert (await session.pop_item())["content"] == "Two"
    await session.clear_session()
    assert await session.get_items() == []
    assert await session.pop_item() is None
