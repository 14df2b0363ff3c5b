"""Agents of the OpenAI Agents SDK on the platform's model, with the platform's rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    RunContextWrapper,
    StopAtTools,
    function_tool,
    input_guardrail,
    output_guardrail,
)
from chatkit.agents import AgentContext, ClientToolCall
from chatkit.server import stream_widget
from chatkit.types import CustomTask, ProgressUpdateEvent, Workflow
from chatkit.widgets import Card, Text
from pydantic import BaseModel

from base_server import BaseChatKitServer
from context import Services, Turn
from errors import ForbiddenError
from tests.unit.harness import Chat, errors, texts, with_settings
from tests.unit.runs.running import adopt_thread, read_rest, read_until, start, stop
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from tests.unit.streaming.test_approvals import click
from tests.waiting import until

Context = RunContextWrapper[AgentContext[Any]]


class SDKServer(BaseChatKitServer):
    agent: Agent[Any]

    def get_agent(self, turn: Turn) -> Any:
        return self.agent


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def services(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Services]:
    async with open_services(tmp_path, model) as opened:
        yield opened


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(SDKServer(services))


def answer_with(chat: Chat, **agent: Any) -> None:
    assert isinstance(chat.server, SDKServer)
    chat.server.agent = Agent(name="desk", **agent)


async def kinds(chat: Chat) -> list[str]:
    return [item["type"] for item in await chat.items()]


async def test_it_answers_on_the_platforms_model_and_sees_the_conversation(chat: Chat, model: ScriptedModel) -> None:
    answer_with(chat, instructions="Be kind.")
    model.turns = [says("Hel", "lo."), says("Again.")]
    assert texts(await chat.send("Hi")) == ["Hello."]
    assert texts(await chat.send("More")) == ["Again."]
    assert [(m.role, m.text) for m in model.requests[1]] == [
        ("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello."), ("user", "More"),
    ]  # fmt: skip


async def test_a_tool_is_a_step_and_its_result_goes_to_the_model(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    def add(ctx: Context, item: str) -> str:
        """Add an item."""
        return f"Added {item}."

    answer_with(chat, tools=[add])
    model.turns = [calls("add", item="milk"), says("Done.")]
    assert texts(await chat.send("Add milk")) == ["Done."]
    assert await kinds(chat) == ["user_message", "workflow", "assistant_message"]
    assert model.requests[1][-1].contents[0].result == "Added milk."


async def test_events_of_tools_in_the_context_appear_in_order(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    async def show(ctx: Context) -> str:
        """Show."""
        await ctx.context.stream(ProgressUpdateEvent(text="Looking"))
        await ctx.context.start_workflow(Workflow(type="custom", tasks=[]))
        await ctx.context.add_workflow_task(CustomTask(title="Read"))
        await ctx.context.end_workflow()
        await ctx.context.stream_widget(Card(children=[Text(value=ctx.context.generate_id("message")[:3])]))
        return "Shown."

    answer_with(chat, tools=[show])
    model.turns = [calls("show"), says("There.")]
    events = await chat.send("Show")
    assert "progress_update" in [event["type"] for event in events]
    shown = await kinds(chat)
    assert sorted(shown) == ["assistant_message", "user_message", "widget", "workflow", "workflow"]
    assert shown[-1] == "assistant_message"


async def test_the_hook_sees_what_tools_set_on_the_context(services: Services, model: ScriptedModel) -> None:
    @function_tool
    def add(ctx: Context) -> str:
        """Add."""
        ctx.context._show_todo_widget = True  # type: ignore[attr-defined]
        return "Added."

    class TodoServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Any:
            return Agent(name="todo", tools=[add])

        async def post_respond_hook(self, thread: Any, agent_context: Any) -> AsyncGenerator[Any, None]:  # type: ignore[override]
            if getattr(agent_context, "_show_todo_widget", False):
                async for event in stream_widget(thread, Card(children=[Text(value="Milk")])):
                    yield event

    model.turns = [calls("add"), says("Done.")]
    chat = Chat(TodoServer(services))
    await chat.send("Add milk")
    assert (await kinds(chat))[-1] == "widget"


async def test_a_hook_with_a_turn_finds_the_context_there(services: Services, model: ScriptedModel) -> None:
    @function_tool
    def add(ctx: Context) -> str:
        """Add."""
        ctx.context._added = "milk"  # type: ignore[attr-defined]
        return "Added."

    class TodoServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Any:
            return Agent(name="todo", tools=[add])

        async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
            turn.notice(turn.agent_context._added)

    model.turns = [calls("add"), says("Done.")]
    assert [e["message"] for e in await Chat(TodoServer(services)).send("Go") if e["type"] == "notice"] == ["milk"]


async def test_a_call_of_the_client_pauses_the_answer(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    def pick(ctx: Context) -> str:
        """Let the person pick."""
        ctx.context.client_tool_call = ClientToolCall(name="pick_colour", arguments={"of": 3})
        return "Asked."

    answer_with(chat, tools=[pick])
    model.turns = [calls("pick"), says("Red it is.")]
    await chat.send("Pick")
    call = (await chat.items())[-1]
    assert (call["type"], call["name"], call["arguments"]) == ("client_tool_call", "pick_colour", {"of": 3})
    assert len(model.requests) == 1
    events = await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"colour": "red"})
    assert texts(events) == ["Red it is."]
    assert "red" in str(model.requests[1][-1].contents[0].result)


async def test_a_handoff_is_a_step_and_the_other_agent_answers(chat: Chat, model: ScriptedModel) -> None:
    answer_with(chat, handoffs=[Agent(name="billing", instructions="Bills.")])
    model.turns = [calls("transfer_to_billing"), says("Your bill.", message_id="m2")]
    assert texts(await chat.send("Bill?")) == ["Your bill."]
    assert await kinds(chat) == ["user_message", "workflow", "assistant_message"]
    assert model.requests[1][0].text == "Bills."


async def test_a_tools_failure_reaches_the_model_as_a_sentence(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    def refuse() -> str:
        """Refuse."""
        raise ForbiddenError("Not on Sundays.")

    @function_tool
    def fail() -> str:
        """Fail."""
        raise RuntimeError("secret")

    answer_with(chat, tools=[refuse, fail])
    model.turns = [[*calls("refuse", "c1"), *calls("fail", "c2")], says("Sorry.")]
    assert texts(await chat.send("Go")) == ["Sorry."]
    told = [content.result for message in model.requests[1] for content in message.contents if content.result]
    assert told == ["Not on Sundays.", "Error: Function failed."]


async def test_a_tool_that_takes_too_long_is_stopped(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    async def wait() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return "never"

    assert isinstance(chat.server, SDKServer)
    chat.server = with_settings(chat.server, tool_timeout_s=0.05)
    answer_with(chat, tools=[wait])
    model.turns = [calls("wait"), says("Sorry.")]
    assert texts(await chat.send("Go")) == ["Sorry."]
    assert model.requests[1][-1].contents[0].result == "The tool took longer than 0.05 seconds and was stopped."


async def test_an_input_guardrail_is_reported_in_a_sentence(chat: Chat, model: ScriptedModel) -> None:
    @input_guardrail(run_in_parallel=False)
    async def check(ctx: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    answer_with(chat, input_guardrails=[check])
    assert texts(await chat.send("Something bad")) == ["I cannot help with that."]
    assert model.requests == []


async def test_an_output_guardrail_replaces_the_text(chat: Chat, model: ScriptedModel) -> None:
    @output_guardrail
    async def check(ctx: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered="secret" in output)

    answer_with(chat, output_guardrails=[check])
    model.turns = [says("The secret.")]
    await chat.send("Tell")
    [_, message] = await chat.items()
    assert message["content"][0]["text"] == "I cannot help with that."


async def test_an_answer_of_too_many_turns_ends_with_a_sentence(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    def again() -> str:
        """Do it again."""
        return "Again."

    assert isinstance(chat.server, SDKServer)
    chat.server = with_settings(chat.server, model_max_round_trips=2)
    answer_with(chat, tools=[again])
    model.turns = [calls("again", f"c{n}") for n in range(5)]
    assert texts(await chat.send("Go"))[0].startswith("I stopped here")
    assert len(model.requests) == 2


async def test_a_run_that_stops_at_a_tool_asks_the_model_no_more(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    async def show(ctx: Context) -> str:
        """Show."""
        await ctx.context.stream_widget(Card(children=[Text(value="Here")]))
        return "Shown."

    answer_with(chat, tools=[show], tool_use_behavior=StopAtTools(stop_at_tool_names=["show"]))
    model.turns = [calls("show")]
    assert not errors(await chat.send("Show"))
    assert sorted(await kinds(chat)) == ["user_message", "widget", "workflow"]
    assert len(model.requests) == 1


class Trip(BaseModel):
    city: str
    must_see: list[str]


async def test_a_structured_output_is_read_as_lines_and_never_as_json(chat: Chat, model: ScriptedModel) -> None:
    answer_with(chat, output_type=Trip)
    model.turns = [says('{"city": "Bern", ', '"must_see": ["Zytglogge", "Aare"]}')]
    assert texts(await chat.send("Plan")) == ["- **City**: Bern\n- **Must see**: Zytglogge, Aare"]
    assert model.options[0]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("is_allowed", [True, False])
async def test_a_tool_that_needs_approval_is_run_only_when_a_person_allows_it(
    chat: Chat, model: ScriptedModel, is_allowed: bool
) -> None:
    ran = []

    @function_tool(needs_approval=True)
    def pay(ctx: Context, amount: int) -> str:
        """Pay."""
        ran.append(amount)
        return "Paid."

    answer_with(chat, tools=[pay])
    model.turns = [calls("pay", amount=5), says("As you say.", message_id="m2")]
    await chat.send("Pay")
    card = next(item for item in await chat.items() if item["type"] == "widget")
    assert ran == []
    chat.server = SDKServer(chat.server.services)  # as after a restart
    answer_with(chat, tools=[pay])
    events = await click(chat, card, "Allow" if is_allowed else "Don't allow")
    assert texts(events) == ["As you say."]
    assert ran == ([5] if is_allowed else [])
    told = [c.result for m in model.requests[-1] for c in m.contents if c.type == "function_result"]
    assert told == ["Paid."] if is_allowed else "not allowed" in told[0]


async def test_only_the_calls_of_a_batch_that_need_approval_wait_and_none_runs_twice(
    chat: Chat, model: ScriptedModel
) -> None:
    ran = []

    @function_tool(needs_approval=True)
    def pay() -> str:
        """Pay."""
        ran.append("pay")
        raise ForbiddenError("No money.")

    @function_tool
    def look() -> str:
        """Look."""
        ran.append("look")
        return "Seen."

    answer_with(chat, handoffs=[Agent(name="till", tools=[pay, look])])
    model.turns = [
        calls("transfer_to_till", "c0"),
        [*calls("look", "c1"), *calls("pay", "c2")],
        says("Sorry.", message_id="m2"),
    ]
    await chat.send("Look and pay")
    assert ran == ["look"]
    card = next(item for item in await chat.items() if item["type"] == "widget")
    assert texts(await click(chat, card, "Allow")) == ["Sorry."]
    assert ran == ["look", "pay"]
    told = {c.call_id: c.result for m in model.requests[-1] for c in m.contents if c.type == "function_result"}
    assert (told["c1"], told["c2"]) == ("Seen.", "No money.")


async def test_a_failure_of_the_model_keeps_the_text_so_far(chat: Chat, model: ScriptedModel) -> None:
    answer_with(chat)
    model.turns = [[*says("Half an"), RuntimeError("secret")]]
    events = await chat.send("Go")
    assert texts(events) == ["Half an"]
    assert errors(events)
    assert "secret" not in str(events)


async def test_a_stop_keeps_the_text_so_far_and_closes_the_models_stream(chat: Chat, model: ScriptedModel) -> None:
    answer_with(chat)
    model.turns = [[*says("Half a sent"), asyncio.Event()]]
    viewer = await start(chat)
    adopt_thread(chat, await read_until(viewer, b"Half a sent"))
    async with asyncio.timeout(10):
        assert (await stop(chat))["run"]["status"] == "stopped"
        await read_rest(viewer)
        await until(lambda: model.open_streams == 0)
    assert (await chat.items())[1]["content"][0]["text"] == "Half a sent"
