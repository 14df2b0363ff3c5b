"""Runs of Agents SDK agents: hooks, contexts, settings, and unsupported features."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content
from agents import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    ModelSettings,
    ModelTracing,
    RunContextWrapper,
    RunHooks,
    Runner,
    SQLiteSession,
    function_tool,
    input_guardrail,
)
from chatkit.agents import AgentContext, ClientToolCall
from chatkit.types import ProgressUpdateEvent
from chatkit.widgets import Card, Text
from openai.types.shared import Reasoning
from pydantic import BaseModel

from agents_sdk.platform_model import PlatformModels
from agents_sdk.sdk_run import SDKRun
from context import Services, Turn
from errors import AgentError
from tests.unit.agents_sdk.conftest import SDKServer
from tests.unit.harness import Chat, done_items, errors, streamed_text, texts, with_settings
from tests.unit.scripted_model import ScriptedModel, calls, gives, says
from tests.waiting import until

Answer = Callable[..., Agent[Any]]


class Diary(RunHooks[Any]):
    def __init__(self) -> None:
        self.lines: list[str] = []

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        self.lines.append(f"{agent.name} begins")

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        self.lines.append(f"{context.usage.total_tokens} tokens")

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        self.lines.append(f"{tool.name}: {result}")

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        self.lines.append(f"{from_agent.name} to {to_agent.name}")

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        self.lines.append(f"{agent.name} says {output}")


class OwnDiary(AgentHooks[Any]):
    def __init__(self) -> None:
        self.lines: list[str] = []

    async def on_start(self, context: Any, agent: Any) -> None:
        self.lines.append("start")

    async def on_end(self, context: Any, agent: Any, output: Any) -> None:
        self.lines.append(f"end {output}")


class ShopContext(AgentContext[Any]):
    """An author's own."""

    shop: str

    async def greet(self) -> None:
        await self.stream(ProgressUpdateEvent(text=f"Welcome to {self.shop}"))


@function_tool
async def look(ctx: RunContextWrapper[Any]) -> str:
    """Look."""
    return f"Seen by {type(ctx.context).__name__}."


async def test_hooks_of_a_run_and_of_agents_are_called(chat: Chat, model: ScriptedModel) -> None:
    diary, own = Diary(), OwnDiary()
    clerk = Agent[Any](name="clerk", tools=[look], hooks=own)
    chat.server.returned = SDKRun(Agent(name="desk", handoffs=[clerk]), hooks=diary)  # type: ignore[attr-defined]
    usage = Content.from_usage({"input_token_count": 3, "output_token_count": 4})
    model.turns = [calls("transfer_to_clerk", "c1"), calls("look", "c2"), [*says("Seen."), *gives(usage)]]
    assert texts(await chat.send("Look")) == ["Seen."]
    assert diary.lines == [
        "desk begins", "0 tokens", "desk to clerk", "clerk begins", "0 tokens", "look: Seen by TurnContext.",
        "7 tokens", "clerk says Seen.",
    ]  # fmt: skip
    assert own.lines == ["start", "end Seen."]


@pytest.mark.parametrize("way", ["run", "turn"])
async def test_a_context_of_the_authors_own_class_shows_things_in_the_chat(
    chat: Chat, model: ScriptedModel, way: str
) -> None:
    @function_tool
    async def sell(ctx: RunContextWrapper[ShopContext]) -> str:
        """Sell."""
        await ctx.context.greet()
        await ctx.context.stream_widget(Card(children=[Text(value=ctx.context.shop)]))
        return "Sold."

    agent = Agent[Any](name="shop", tools=[sell])

    def returned(turn: Turn) -> Any:
        context = ShopContext(
            thread=turn.thread, store=turn.services.store, request_context=turn.context, shop="Corner"
        )
        if way == "run":
            return SDKRun(agent, context=context)
        turn.agent_context = context
        return agent

    chat.server.returned = returned  # type: ignore[attr-defined]
    model.turns = [calls("sell"), says("Bye.", message_id="m2")]
    events = await chat.send("Sell")
    assert [e["text"] for e in events if e["type"] == "progress_update"] == ["Welcome to Corner"]
    [shown] = done_items(events, "widget")
    assert shown["widget"]["children"][0]["value"] == "Corner"
    assert texts(events) == ["Bye."]


async def test_a_context_may_be_anything_that_the_tools_expect(chat: Chat, model: ScriptedModel) -> None:
    chat.server.returned = SDKRun(Agent(name="desk", tools=[look]), context=["plain"])  # type: ignore[attr-defined]
    model.turns = [calls("look"), says("Done.")]
    assert texts(await chat.send("Look")) == ["Done."]
    assert model.requests[1][-1].contents[0].result == "Seen by list."


async def test_a_context_of_ones_own_may_call_the_client(chat: Chat, model: ScriptedModel) -> None:
    @function_tool
    def pick(ctx: RunContextWrapper[ShopContext]) -> str:
        """Pick."""
        ctx.context.client_tool_call = ClientToolCall(name="pick_colour", arguments={})
        return "Asked."

    def returned(turn: Turn) -> Any:
        context = ShopContext(thread=turn.thread, store=turn.services.store, request_context=turn.context, shop="X")
        return SDKRun(Agent(name="desk", tools=[pick]), context=context)

    chat.server.returned = returned  # type: ignore[attr-defined]
    model.turns = [calls("pick"), says("Red.")]
    await chat.send("Pick")
    assert (await chat.items())[-1]["name"] == "pick_colour"
    assert len(model.requests) == 1


async def test_a_session_is_refused_with_what_to_do(tmp_path: Path) -> None:
    session = SQLiteSession("s", tmp_path / "s.db")
    with pytest.raises(AgentError, match="a SQLiteSession was given as session: the thread keeps the conversation"):
        SDKRun(Agent(name="desk"), session=session)  # type: ignore[arg-type]
    session.close()


async def test_a_run_may_have_fewer_turns_and_never_more(chat: Chat, model: ScriptedModel) -> None:
    chat.server = with_settings(chat.server, model_max_round_trips=2)
    agent = Agent[Any](name="desk", tools=[look])
    for own, asked in ((1, 1), (50, 2)):
        chat.server.returned = SDKRun(agent, max_turns=own)  # type: ignore[attr-defined]
        model.requests.clear()
        model.turns = [calls("look", f"c{own}{n}") for n in range(5)]
        assert texts(await chat.send("Look"))[0].startswith("I stopped here")
        assert len(model.requests) == asked


async def test_a_prompt_that_is_kept_at_openai_is_refused_by_name(
    chat: Chat, model: ScriptedModel, answer_with: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    answer_with(prompt={"id": "pmpt_shop"})
    [error] = errors(await chat.send("Hi"))
    assert error["message"].startswith("This assistant cannot answer at the moment.")
    assert "the prompt 'pmpt_shop' is kept at OpenAI" in caplog.text
    assert model.requests == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_instructions_may_be_a_function_of_the_context(
    chat: Chat, model: ScriptedModel, answer_with: Answer, is_async: bool
) -> None:
    def say(ctx: RunContextWrapper[Any], agent: Agent[Any]) -> str:
        return f"You are {agent.name} for {ctx.context.request_context.user_id}."

    async def say_later(ctx: RunContextWrapper[Any], agent: Agent[Any]) -> str:
        return say(ctx, agent)

    answer_with(instructions=say_later if is_async else say)
    await chat.send("Hi")
    assert model.requests[0][0].text == "You are desk for user_a."


async def test_settings_of_an_agent_go_to_the_model(chat: Chat, model: ScriptedModel, answer_with: Answer) -> None:
    answer_with(
        tools=[look],
        model_settings=ModelSettings(
            temperature=0.5,
            max_tokens=50,
            frequency_penalty=0.1,
            parallel_tool_calls=False,
            tool_choice="look",
            verbosity="high",
            reasoning=Reasoning(effort="high"),
            extra_args={"seed": 7},
        ),
    )
    model.turns = [says("Yes.")]
    await chat.send("Hi")
    sent = {key: value for key, value in model.options[0].items() if key != "tools"}
    assert sent == {
        "temperature": 0.5, "max_tokens": 50, "frequency_penalty": 0.1, "allow_multiple_tool_calls": False,
        "tool_choice": {"mode": "required", "required_function_name": "look"}, "verbosity": "high",
        "reasoning_effort": "high", "seed": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("may_choose", "named", "asked"),
    [
        (True, "gpt-x", "gpt-x"),
        (True, "openai/gpt-x", "gpt-x"),
        (True, "litellm/anthropic/other", None),
        (True, None, None),
        (False, "gpt-x", None),
    ],
)
async def test_the_model_that_an_agent_names_is_asked_where_the_key_allows(
    model: ScriptedModel, may_choose: bool, named: str | None, asked: str | None
) -> None:
    models = PlatformModels(model, may_choose=may_choose, is_paused=lambda: False)
    for each in (models.get_model(named), models.model_of(named, None)):
        answer = await each.get_response(
            None, "Hi", ModelSettings(), [], None, [], ModelTracing.DISABLED,
            previous_response_id=None, conversation_id=None, prompt=None,
        )  # fmt: skip
        assert answer.usage.requests == 1
        assert model.options[-1].get("model") == asked


async def test_two_people_at_once_share_an_agent_and_nothing_else(services: Services, model: ScriptedModel) -> None:
    met = asyncio.Barrier(2)

    @function_tool
    async def who(ctx: RunContextWrapper[Any]) -> str:
        """Say who asks."""
        await met.wait()
        ctx.context._asked = ctx.context.turn.user_id
        await met.wait()
        await ctx.context.stream_widget(Card(children=[Text(value=ctx.context._asked)]))
        return str(ctx.context._asked)

    server = SDKServer(services)
    server.returned = Agent(name="desk", tools=[who])
    model.turns = [calls("who", "c1"), calls("who", "c1"), says("You."), says("You.")]
    chats = [Chat(server, user=user) for user in ("ada", "bob")]
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*(chat.send("Who am I?") for chat in chats))
    for chat, events in zip(chats, answers, strict=True):
        [shown] = done_items(events, "widget")
        assert shown["widget"]["children"][0]["value"] == chat.user
        assert texts(events) == ["You."]


async def test_a_guardrail_that_runs_beside_the_model_retracts_its_text(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    has_spoken = asyncio.Event()

    @input_guardrail
    async def check(ctx: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        await has_spoken.wait()
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    answer_with(input_guardrails=[check])
    # The SDK acts on it with the next thing that the model says.
    goes_on = asyncio.Event()
    model.turns = [[*says("The secret is"), goes_on, *says(" this.", "Again."), asyncio.Event()]]
    answer = asyncio.create_task(chat.send("Tell"))
    await until(lambda: model.open_streams == 1)
    has_spoken.set()
    goes_on.set()
    async with asyncio.timeout(10):
        events = await answer
    assert texts(events) == ["I cannot help with that."]
    await until(lambda: model.open_streams == 0)


async def test_a_guardrail_and_a_tool_may_run_agents_of_their_own_on_the_platforms_model(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    class Verdict(BaseModel):
        is_bad: bool

    judge = Agent[Any](name="judge", instructions="Judge.", output_type=Verdict)
    expert = Agent[Any](name="expert", instructions="Know.", model="gpt-of-theirs")

    @input_guardrail(run_in_parallel=False)
    async def check(ctx: RunContextWrapper[Any], agent: Any, given: Any) -> GuardrailFunctionOutput:
        verdict = (await Runner.run(judge, given, context=ctx.context)).final_output
        return GuardrailFunctionOutput(output_info=verdict, tripwire_triggered=verdict.is_bad)

    @function_tool
    async def ask_expert(ctx: RunContextWrapper[Any], question: str) -> str:
        """Ask the expert."""
        result = Runner.run_streamed(expert, question, context=ctx.context)
        async for _ in result.stream_events():
            pass
        return str(result.final_output)

    answer_with(instructions="Serve.", input_guardrails=[check], tools=[ask_expert])
    model.turns = [
        says('{"is_bad": false}'),
        calls("ask_expert", question="Why?"),
        says("Because."),
        says("He says: because.", message_id="m2"),
        says('{"is_bad": true}'),
    ]
    assert texts(await chat.send("Why?")) == ["He says: because."]
    assert [request[0].text for request in model.requests] == ["Judge.", "Serve.", "Know.", "Serve."]
    assert texts(await chat.send("Something bad")) == ["I cannot help with that."]


async def test_a_structured_answer_of_a_wrong_form_is_reported_as_a_failure_of_the_model(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    class Trip(BaseModel):
        city: str

    answer_with(output_type=Trip)
    model.turns = [says("no json at all")]
    events = await chat.send("Plan")
    [error] = errors(events)
    assert error["message"].startswith("The model gave an answer that could not be used.")
    assert texts(events) == []


async def test_text_is_shown_directly_and_passed_to_the_sdk_once(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    diary = Diary()
    answer_with(tools=[look])
    chat.server.returned = SDKRun(chat.server.returned, hooks=diary)  # type: ignore[attr-defined]
    model.tries_direct_text, model.direct_text_tries = True, 2_000
    model.turns = [[*says("Let ", "me ", "see."), *calls("look")], says("It ", "is ", "there.", message_id="m2")]
    events = await chat.send("Look")
    assert texts(events) == ["Let me see.", "It is there."]
    assert streamed_text(events) == "Let me see.It is there."
    assert model.direct_texts > 0
    assert diary.lines[-1] == "desk says It is there."


async def test_structured_text_is_never_shown_directly(chat: Chat, model: ScriptedModel, answer_with: Answer) -> None:
    class Trip(BaseModel):
        city: str
        nights: int

    answer_with(output_type=Trip)
    model.tries_direct_text = True
    model.turns = [says('{"city": ', '"Bern", ', '"nights": 2}')]
    events = await chat.send("Plan")
    assert texts(events) == ["- **City**: Bern\n- **Nights**: 2"]
    assert "{" not in streamed_text(events)
