"""Tools of Agents SDK agents: results, exceptions, titles of their steps, and ends of runs."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agents import (
    Agent,
    FunctionToolResult,
    RunContextWrapper,
    StopAtTools,
    ToolGuardrailFunctionOutput,
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
    ToolsToFinalOutputResult,
    function_tool,
    tool_input_guardrail,
)
from chatkit.types import CustomTask, Workflow
from chatkit.widgets import Card, Text
from PIL import Image
from pydantic import BaseModel

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from errors import ForbiddenError
from tests.unit.agents_sdk.conftest import SDKServer
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.provider_stub import Call, ProviderStub, Received, Responses
from tests.unit.provider_stub import Chat as ProviderChat
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from tests.unit.strict_history import check_completions, check_responses

Answer = Callable[..., Agent[Any]]


def picture() -> str:
    bytes_ = io.BytesIO()
    Image.new("RGB", (2, 2)).save(bytes_, "PNG")
    return f"data:image/png;base64,{base64.b64encode(bytes_.getvalue()).decode()}"


class Trip(BaseModel):
    city: str


@dataclass
class Leg:
    km: int


def results(model: ScriptedModel) -> list[Any]:
    return [c.result for m in model.requests[-1] for c in m.contents if c.type == "function_result"]


async def kinds(chat: Chat) -> list[str]:
    return [item["type"] for item in await chat.items()]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "None"),
        (7, "7"),
        ({"a": 1}, "{'a': 1}"),
        (Trip(city="Bern"), "city='Bern'"),
        (Leg(3), "Leg(km=3)"),
        (["a", "b"], "['a', 'b']"),
        ([], "[]"),
        ("", ""),
        (ToolOutputText(text="said"), "said"),
        ("x" * 2_000_000, "x" * 2_000_000),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_whatever_a_tool_returns_reaches_the_model_as_the_sdk_says_it(
    chat: Chat, model: ScriptedModel, answer_with: Answer, value: Any, told: str
) -> None:
    @function_tool
    def get() -> Any:
        """Get it."""
        return value

    answer_with(tools=[get])
    model.turns = [calls("get"), says("There.")]
    assert texts(await chat.send("Get it")) == ["There."]
    assert results(model) == [told]


async def test_a_picture_that_a_tool_returns_is_shown_and_seen_and_not_kept_as_text(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @function_tool
    def draw() -> list[Any]:
        """Draw."""
        return [ToolOutputText(text="A square"), ToolOutputImage(image_url=picture())]

    answer_with(tools=[draw])
    model.turns = [calls("draw"), says("There.", message_id="m2"), says("Yes.", message_id="m3")]
    events = await chat.send("Draw")
    [shown] = done_items(events, "generated_image")
    assert shown["image"]["url"] == picture()
    [result] = [c for m in model.requests[1] for c in m.contents if c.type == "function_result"]
    assert [item.type for item in result.items or ()] == ["text", "data"]
    await chat.send("Nice?")
    assert "base64" not in str([c.to_dict() for m in model.requests[2] for c in m.contents])
    assert "A square" in str(results(model))


async def test_a_file_that_a_tool_returns_goes_to_the_model(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @function_tool
    def fetch() -> Any:
        """Fetch."""
        return ToolOutputFileContent(file_data="JVBERi0=", filename="a.pdf")

    answer_with(tools=[fetch])
    model.turns = [calls("fetch"), says("Read.")]
    assert texts(await chat.send("Fetch")) == ["Read."]
    [result] = [c for m in model.requests[1] for c in m.contents if c.type == "function_result"]
    assert result.items is not None
    assert result.items[0].additional_properties["filename"] == "a.pdf"


async def test_a_step_is_called_what_its_author_says(chat: Chat, model: ScriptedModel, answer_with: Answer) -> None:
    @function_tool
    def look_up() -> str:
        """Look it up."""
        return "Sun."

    look_up.additional_properties = {"title": "Asking the sky", "icon": "globe"}  # type: ignore[attr-defined]
    answer_with(handoffs=[Agent(name="sky", tools=[look_up])])
    model.turns = [calls("transfer_to_sky", "c0"), calls("look_up", "c1"), says("Sun.")]
    [workflow] = done_items(await chat.send("Weather?"), "workflow")
    assert [(t["title"], t.get("icon")) for t in workflow["workflow"]["tasks"]] == [
        ("Transfer to sky", None), ("Asking the sky", "globe"),
    ]  # fmt: skip


async def test_a_tool_may_have_more_time_than_the_others(chat: Chat, model: ScriptedModel, answer_with: Answer) -> None:
    @function_tool(timeout=0.05)
    async def own_limit() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return "never"

    @function_tool
    async def given_limit() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return "never"

    given_limit.additional_properties = {"timeout_s": 0.05}  # type: ignore[attr-defined]
    answer_with(tools=[own_limit, given_limit])
    model.turns = [[*calls("own_limit", "c1"), *calls("given_limit", "c2")], says("Sorry.")]
    assert texts(await chat.send("Go")) == ["Sorry."]
    assert "timed out" in results(model)[0]
    assert results(model)[1] == "The tool took longer than 0.05 seconds and was stopped."


def refuse_loose_histories(request: Received) -> None:
    """Raise where a strict server would refuse."""
    if "messages" in request.body:
        check_completions(request.body["messages"])
    else:
        check_responses(request.body["input"])


@pytest.mark.parametrize(
    "kind", [(ResponsesChatClient, "responses", Responses), (CompletionsChatClient, "chat/completions", ProviderChat)]
)
async def test_parallel_calls_are_answered_in_one_request_by_either_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    client_class, path, answers = kind
    together = asyncio.Barrier(2)

    @function_tool
    async def look_up(city: str) -> str:
        """Look it up."""
        await together.wait()
        return f"Sun in {city}."

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as stub:
        stub.refuses = refuse_loose_histories
        stub.will(
            answers.calls(Call("c1", "look_up", {"city": "Bern"}), Call("c2", "look_up", {"city": "Rome"})),
            answers.text("Sun ", "everywhere."),
        )
        connection = ProviderConnection(stub.url)
        async with open_services(tmp_path, client_class(connection=connection, model="m", path="/" + path)) as services:
            server = SDKServer(services)
            server.returned = Agent(name="sky", tools=[look_up])
            chat = Chat(server)
            assert texts(await chat.send("Weather?")) == ["Sun everywhere."]
        await connection.close()
    told = json.dumps(stub.requests[-1].body)
    assert told.count("Sun in Bern.") == told.count("Sun in Rome.") == 1


async def test_call_ids_that_restart_in_each_round_are_understood(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @function_tool
    def look(city: str) -> str:
        """Look."""
        return f"Seen {city}."

    answer_with(tools=[look])
    for city in ("Bern", "Olten"):
        model.turns += [calls("look", city=city), calls("look", city=f"{city} again"), says("Both seen.")]
        events = await chat.send("Look twice")
        assert (texts(events), errors(events)) == (["Both seen."], [])
    contents = [content for message in model.requests[-1] for content in message.contents]
    results = [str(content.result) for content in contents if content.type == "function_result"]
    assert results == ["Seen Bern.", "Seen Bern again.", "Seen Olten.", "Seen Olten again."]


async def test_an_unknown_tool_is_reported_to_the_model(chat: Chat, model: ScriptedModel, answer_with: Answer) -> None:
    @function_tool
    def look() -> str:
        """Look."""
        return "Seen."

    answer_with(tools=[look])
    model.turns = [calls("fly"), says("I cannot fly.")]
    assert texts(await chat.send("Fly")) == ["I cannot fly."]


async def test_a_failure_that_an_author_lets_through_ends_the_answer_with_its_own_text(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @function_tool(failure_error_function=None)
    def refuse() -> str:
        """Refuse."""
        raise ForbiddenError("Not on Sundays.")

    answer_with(tools=[refuse])
    model.turns = [calls("refuse")]
    [error] = errors(await chat.send("Go"))
    assert error["message"].startswith("Not on Sundays.")


async def test_a_failure_of_a_tool_that_the_author_explains_reads_as_they_say(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    def explain(ctx: RunContextWrapper[Any], error: Exception) -> str:
        return f"It is closed: {type(error).__name__}."

    @function_tool(failure_error_function=explain)
    def fail() -> str:
        """Fail."""
        raise OSError("secret")

    answer_with(tools=[fail])
    model.turns = [calls("fail"), says("Closed.")]
    assert texts(await chat.send("Go")) == ["Closed."]
    assert results(model) == ["It is closed: OSError."]


async def test_a_guardrail_of_a_tool_is_reported_in_a_sentence(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @tool_input_guardrail
    def never(data: Any) -> ToolGuardrailFunctionOutput:
        return ToolGuardrailFunctionOutput.raise_exception(output_info="secret")

    @function_tool(tool_input_guardrails=[never])
    def act() -> str:
        """Act."""
        return "done"

    answer_with(tools=[act])
    model.turns = [calls("act")]
    events = await chat.send("Go")
    assert texts(events) == ["I cannot help with that."]
    assert "secret" not in str(events)


def stop_with_words(ctx: RunContextWrapper[Any], done: list[FunctionToolResult]) -> ToolsToFinalOutputResult:
    return ToolsToFinalOutputResult(is_final_output=bool(done), final_output=f"Found: {done[0].output}")


async def stop_later(ctx: RunContextWrapper[Any], done: list[FunctionToolResult]) -> ToolsToFinalOutputResult:
    return stop_with_words(ctx, done)


@pytest.mark.parametrize(
    ("behavior", "said"),
    [
        ("stop_on_first_tool", "Sun."),
        (StopAtTools(stop_at_tool_names=["look_up"]), "Sun."),
        (stop_with_words, "Found: Sun."),
        (stop_later, "Found: Sun."),
    ],
)
async def test_a_run_that_a_tool_ends_shows_its_result_unless_it_has_shown_something(
    chat: Chat, model: ScriptedModel, answer_with: Answer, behavior: Any, said: str
) -> None:
    shows = False

    @function_tool
    async def look_up(ctx: RunContextWrapper[Any]) -> str:
        """Look it up."""
        if shows:
            await ctx.context.stream_widget(Card(children=[Text(value="Sun")]))
        return "Sun."

    answer_with(tools=[look_up], tool_use_behavior=behavior)
    model.turns = [calls("look_up", "c1"), calls("look_up", "c2")]
    assert texts(await chat.send("Weather?")) == [said]
    shows = True
    events = await chat.send("Show it")
    assert texts(events) == []
    assert len(done_items(events, "widget")) == 1
    assert len(model.requests) == 2


async def test_a_workflow_that_a_tool_leaves_open_ends_before_the_text(
    chat: Chat, model: ScriptedModel, answer_with: Answer
) -> None:
    @function_tool
    async def work(ctx: RunContextWrapper[Any]) -> str:
        """Work."""
        await ctx.context.start_workflow(Workflow(type="custom", tasks=[]))
        await ctx.context.add_workflow_task(CustomTask(title="Dig"))
        await ctx.context.update_workflow_task(CustomTask(title="Dug"), 0)
        return "Done."

    answer_with(tools=[work])
    model.turns = [calls("work"), says("There.")]
    events = await chat.send("Work")
    titles = [[task["title"] for task in item["workflow"]["tasks"]] for item in done_items(events, "workflow")]
    assert sorted(titles) == [["Dug"], ["Work"]]
    assert (await kinds(chat))[-1] == "assistant_message"
