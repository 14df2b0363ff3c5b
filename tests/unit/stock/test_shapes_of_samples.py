"""Features of stock servers in the form in which samples and documents use them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    RunConfig,
    RunContextWrapper,
    Runner,
    function_tool,
    handoff,
    input_guardrail,
)
from agents.model_settings import ModelSettings
from chatkit.agents import (
    AgentContext,
    ThreadItemConverter,
    accumulate_text,
    simple_to_agent_input,
    stream_agent_response,
)
from chatkit.server import ChatKitServer, stream_widget
from chatkit.types import (
    CustomSummary,
    CustomTask,
    ErrorEvent,
    NoticeEvent,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    ThreadItemDoneEvent,
    Workflow,
)
from chatkit.widgets import Card, Text
from openai.types.responses import ResponseInputTextParam
from pydantic import BaseModel

from tests.unit.harness import Chat, done_items, errors, texts, updates
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.stock.samples import build_message, now

Talk = Callable[..., Chat]


class Sample(ChatKitServer[dict[str, Any]]):
    """Runs one agent on the whole thread."""

    agent = Agent[Any](name="desk", instructions="Be kind.", model="gpt-4.1")
    converter: ThreadItemConverter = ThreadItemConverter()
    run_config: RunConfig | None = None

    async def respond(self, thread: Any, message: Any, context: dict[str, Any]) -> AsyncIterator[Any]:
        page = await self.store.load_thread_items(thread.id, None, 50, "asc", context)
        agent_context: Any = AgentContext(thread=thread, store=self.store, request_context=context)
        result = Runner.run_streamed(
            self.agent,
            await self.converter.to_agent_input(page.data),
            context=agent_context,
            run_config=self.run_config,
        )
        async for event in stream_agent_response(agent_context, result):
            yield event


def sample(agent: Agent[Any] | None = None, **members: Any) -> type[Any]:
    return type("Sampled", (Sample,), {**members, **({"agent": agent} if agent is not None else {})})


async def test_a_widget_grows_with_the_text_of_the_model(talk_to: Talk, model: ScriptedModel) -> None:
    class Growing(Sample):
        async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
            result = Runner.run_streamed(self.agent, await simple_to_agent_input(message))

            async def cards() -> Any:
                text = Text(id="text", value="", streaming=True)
                async for each in accumulate_text(result.stream_events(), text):
                    yield Card(children=[each])

            async for event in stream_widget(thread, cards()):
                yield event

    chat = talk_to(Growing)
    model.turns = [says("Once ", "upon ", "a time.")]
    events = await chat.send("Tell me")
    assert errors(events) == []
    assert [each["delta"] for each in updates(events, "widget.streaming_text.value_delta")] == [
        "Once ",
        "upon ",
        "a time.",
    ]
    [_, widget] = await chat.items()
    assert widget["widget"]["children"][0]["value"] == "Once upon a time."


async def test_a_tool_shows_a_workflow_and_a_widget_that_grows(talk_to: Talk, model: ScriptedModel) -> None:
    @function_tool
    async def plan(ctx: RunContextWrapper[AgentContext[Any]]) -> str:
        """Plan."""
        context = ctx.context
        await context.start_workflow(Workflow(type="custom", tasks=[]))
        await context.add_workflow_task(CustomTask(title="Look", status_indicator="loading"))
        await context.update_workflow_task(CustomTask(title="Looked", status_indicator="complete"), 0)
        await context.end_workflow(CustomSummary(title="Planned"), expanded=True)

        async def cards() -> Any:
            for value in ("One", "One two"):
                yield Card(children=[Text(id="t", value=value)])

        await context.stream_widget(cards())
        await context.stream(NoticeEvent(level="info", message="Planned."))
        return "Planned."

    chat = talk_to(sample(Agent(name="planner", tools=[plan])))
    model.turns = [calls("plan"), says("There.", message_id="m2")]
    events = await chat.send("Plan")
    assert errors(events) == []
    assert [event["message"] for event in events if event["type"] == "notice"] == ["Planned."]
    _, workflow, widget, answer = await chat.items()
    assert [task["title"] for task in workflow["workflow"]["tasks"]] == ["Looked"]
    assert workflow["workflow"]["summary"]["title"] == "Planned"
    assert widget["widget"]["children"][0]["value"] == "One two"
    assert answer["content"][0]["text"] == "There."


async def test_the_converter_of_a_server_determines_the_text_of_tags(talk_to: Talk, model: ScriptedModel) -> None:
    class Tagging(ThreadItemConverter):
        async def tag_to_message_content(self, tag: Any) -> Any:
            return ResponseInputTextParam(type="input_text", text=f"<TAG>{tag.id}</TAG>")

    chat = talk_to(sample(converter=Tagging()))
    model.turns = [says("Nice.")]
    tag = {"type": "input_tag", "id": "bern", "text": "Bern", "data": {}}
    events = await chat.send("", content=[{"type": "input_text", "text": "Look at "}, tag])
    assert errors(events) == []
    assert "<TAG>bern</TAG>" in str([message.text for message in model.requests[-1]])


async def test_a_tag_without_a_converter_is_a_reported_error(talk_to: Talk, caplog: pytest.LogCaptureFixture) -> None:
    chat = talk_to(sample())
    tag = {"type": "input_tag", "id": "bern", "text": "Bern", "data": {}}
    events = await chat.send("", content=[{"type": "input_text", "text": "Look at "}, tag])
    assert len(errors(events)) == 1
    assert "tag_to_message_content" in caplog.text


async def test_handoffs_and_agents_as_tools_have_our_model_too(talk_to: Talk, model: ScriptedModel) -> None:
    french = Agent[Any](name="french", instructions="Speak French.", model="gpt-4.1-mini")
    expert = Agent[Any](name="expert", instructions="Know it.", model="gpt-4.1-mini")
    first = Agent[Any](
        name="first",
        instructions="Be kind.",
        tools=[expert.as_tool(tool_name="ask_expert", tool_description="Ask.")],
        handoffs=[handoff(french)],
    )
    chat = talk_to(sample(first))
    model.turns = [
        calls("ask_expert", "c1", input="What?"),
        says("Forty-two."),
        calls("transfer_to_french", "c2"),
        says("Quarante-deux.", message_id="m2"),
    ]
    events = await chat.send("What is it?")
    assert (errors(events), texts(events)) == ([], ["Quarante-deux."])
    assert [request[0].text for request in model.requests] == ["Be kind.", "Know it.", "Be kind.", "Speak French."]


async def test_settings_and_structured_outputs_reach_the_model(talk_to: Talk, model: ScriptedModel) -> None:
    class Verdict(BaseModel):
        is_spam: bool

    verdicts: list[Any] = []

    class Judging(Sample):
        async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
            judge = Agent(name="judge", output_type=Verdict)
            run = await Runner.run(
                judge,
                await simple_to_agent_input(message),
                run_config=RunConfig(model_settings=ModelSettings(temperature=0.4)),
            )
            verdicts.append(run.final_output)
            yield ThreadItemDoneEvent(
                item=build_message(thread, self.store.generate_item_id("message", thread, context), "Judged.")
            )

    model.turns = [says('{"is_spam": true}')]
    assert texts(await talk_to(Judging).send("Buy!")) == ["Judged."]
    assert verdicts == [Verdict(is_spam=True)]
    assert model.options[0]["temperature"] == 0.4
    assert model.options[0]["response_format"]["type"] == "json_schema"


@input_guardrail
async def no_homework(ctx: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="homework" in str(given))


GUARDED = Agent[Any](name="guarded", input_guardrails=[no_homework])


@pytest.mark.parametrize("catches", [True, False])
async def test_a_guardrail_is_reported_in_a_sentence(talk_to: Talk, model: ScriptedModel, *, catches: bool) -> None:
    class Guarded(Sample):
        agent = GUARDED

        async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
            try:
                async for event in super().respond(thread, message, context):
                    yield event
            except InputGuardrailTripwireTriggered:
                if not catches:
                    raise
                yield ErrorEvent(message="No homework here.", allow_retry=False)

    chat = talk_to(Guarded)
    model.turns = [says("It is four.")]
    [error] = errors(await chat.send("Do my homework"))
    assert error["message"] == ("No homework here." if catches else "I cannot help with that.")
    assert error["allow_retry"] is False
    assert [item["type"] for item in await chat.items()] == ["user_message"]


async def test_a_question_to_the_person_is_answered(talk_to: Talk) -> None:
    class Asking(Sample):
        async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
            item_id = self.store.generate_item_id("message", thread, context)
            if message is not None:
                options: Any = [{"value": "Low"}, {"value": "High"}]
                questions = [
                    StructuredInputMultipleChoice(id="pri", question="How urgent?", options=options),
                    StructuredInputFreeform(id="note", question="Anything else?"),
                ]
                yield ThreadItemDoneEvent(
                    item=StructuredInputItem(id=item_id, thread_id=thread.id, created_at=now(), inputs=questions)
                )
                return
            page = await self.store.load_thread_items(thread.id, None, 1, "desc", context)
            answer = page.data[0].inputs[0].answer
            yield ThreadItemDoneEvent(item=build_message(thread, item_id, f"It is {answer.values[0]}."))

    chat = talk_to(Asking)
    [question] = done_items(await chat.send("A ticket"), "structured_input")
    events = await chat.request(
        "threads.add_structured_input",
        thread_id=chat.thread_id,
        item_id=question["id"],
        input={"answers": {"pri": {"values": ["High"]}}},
    )
    assert texts(events) == ["It is High."]


async def test_a_model_of_its_own_is_asked_and_not_ours(talk_to: Talk, model: ScriptedModel) -> None:
    from agents import Model, ModelResponse

    asked: list[str] = []

    class Own(Model):
        async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
            raise NotImplementedError

        async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
            asked.append("own")
            raise RuntimeError("it was asked")
            yield

    chat = talk_to(sample(Agent(name="own", model=Own())))
    assert len(errors(await chat.send("Hi"))) == 1
    assert (asked, model.requests) == (["own"], [])


async def test_previous_response_ids_are_replaced_by_the_thread(talk_to: Talk, model: ScriptedModel) -> None:
    @function_tool
    def look(what: str) -> str:
        """Look."""
        return f"Saw {what}."

    class Chaining(Sample):
        agent = Agent[Any](name="desk", instructions="Be kind.", model="gpt-4.1", tools=[look])

        async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
            agent_context: Any = AgentContext(thread=thread, store=self.store, request_context=context)
            result = Runner.run_streamed(
                self.agent,
                await simple_to_agent_input(message),
                context=agent_context,
                previous_response_id=thread.metadata.get("previous_response_id"),
                auto_previous_response_id=True,
            )
            async for event in stream_agent_response(agent_context, result):
                yield event
            thread.metadata["previous_response_id"] = result.last_response_id

    chat = talk_to(Chaining)
    model.turns = [says("Hello."), calls("look", what="rain"), says("Again.", message_id="m2")]
    await chat.send("Hi")
    events = await chat.send("More")
    assert (errors(events), texts(events)) == ([], ["Again."])
    first, second, third = model.requests
    assert [message.text for message in first] == ["Be kind.", "Hi"]
    assert [message.text for message in second] == ["Be kind.", "Hi", "Hello.", "More"]
    # What the tool said comes with its call: the rest of the run is there too.
    assert [message.role for message in third] == ["system", "user", "assistant", "user", "assistant", "tool"]


async def test_runs_outside_of_a_request_are_left_alone(
    model: ScriptedModel, talk_to: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    talk_to(sample())
    with pytest.raises(Exception, match="api_key"):
        await asyncio.wait_for(Runner.run(Sample.agent, "Hi"), 10)
    assert model.requests == []
