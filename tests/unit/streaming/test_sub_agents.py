"""Agents as tools of another agent: limits, questions, and unsupported ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, FunctionTool, tool
from chatkit.types import StructuredInputFreeform

from base_server import BaseChatKitServer
from context import Services, Turn, turn_of
from errors import NotFoundError
from streaming.answers.tool_guard import NEEDS_PERSON, with_tool_guard
from tests.unit.harness import Chat, done_items, texts
from tests.unit.scripted_model import ScriptedModel, calls, says

TOOL_TIMEOUT_S = 5.0


@tool(additional_properties={"timeout_s": 0.05})
async def fetch(source: str, ctx: FunctionInvocationContext) -> str:
    """Fetch it, which is refused or takes long."""
    turn_of(ctx).effect("fetched", {"source": source})
    if source == "slow":
        await asyncio.sleep(60)
    raise NotFoundError("There is no such source.")


@tool(approval_mode="always_require")
async def publish() -> str:
    """Publish it."""
    return "Published."


@tool
async def ask_size(ctx: FunctionInvocationContext) -> str:
    """Ask for the size."""
    return turn_of(ctx).ask(StructuredInputFreeform(id="size", question="How long?"))


read_page = FunctionTool(name="read_page", description="Read the page.", input_model={"type": "object"})


class EditorServer(BaseChatKitServer):
    """An editor who has an expert."""

    expert_model: ScriptedModel

    def get_agent(self, turn: Turn) -> Agent[Any]:
        expert = Agent(self.expert_model, name="expert", tools=[fetch, publish, ask_size, read_page])
        return Agent(self.chat_client, tools=[expert.as_tool(name="ask_expert", description="Ask.")])


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def expert_model() -> ScriptedModel:
    made: ScriptedModel = with_tool_guard(ScriptedModel(), TOOL_TIMEOUT_S)
    return made


@pytest.fixture
def chat(services: Services, expert_model: ScriptedModel) -> Chat:
    server = EditorServer(services)
    server.expert_model = expert_model
    return Chat(server)


def last_result(model: ScriptedModel) -> Any:
    return next(content.result for content in model.requests[-1][-1].contents if content.type == "function_result")


@pytest.mark.parametrize(
    ("source", "result"),
    [("x", "There is no such source."), ("slow", "The tool took longer than 0.05 seconds and was stopped.")],
)
async def test_a_sub_agents_tools_have_their_limits_and_the_turn(
    chat: Chat, model: ScriptedModel, expert_model: ScriptedModel, source: str, result: str
) -> None:
    model.turns = [calls("ask_expert", task="Fetch"), says("Done.")]
    expert_model.turns = [calls("fetch", "i1", source=source), says("I could not.")]
    events = await chat.send("Go")
    assert last_result(expert_model) == result
    assert last_result(model) == "I could not."
    assert [e["data"] for e in events if e["type"] == "client_effect"] == [{"source": source}]
    assert texts(events) == ["Done."]


async def test_a_question_of_a_sub_agent_pauses_the_whole_answer(
    chat: Chat, model: ScriptedModel, expert_model: ScriptedModel
) -> None:
    model.turns = [calls("ask_expert", task="Write")]
    expert_model.turns = [calls("ask_size", "i1")]
    events = await chat.send("Go")
    assert len(done_items(events, "structured_input")) == 1
    assert (len(model.requests), len(expert_model.requests)) == (1, 1)


@pytest.mark.parametrize("name", ["publish", "read_page"])
async def test_a_question_that_a_sub_agent_cannot_ask_is_reported_to_the_model_and_the_author(
    chat: Chat, model: ScriptedModel, expert_model: ScriptedModel, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    model.turns = [calls("ask_expert", task="Publish"), says("It needs your permission.")]
    expert_model.turns = [calls(name, "i1")]
    events = await chat.send("Go")
    assert last_result(model) == NEEDS_PERSON
    assert not done_items(events, "widget")
    assert not done_items(events, "client_tool_call")
    assert texts(events) == ["It needs your permission."]
    assert "a sub-agent needs the person" in caplog.text
