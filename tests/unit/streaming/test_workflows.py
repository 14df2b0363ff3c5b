"""Workflows of agents: one after another, side by side, and handed over; each answer is one chat."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from agent_framework import (
    Agent,
    FunctionInvocationContext,
    WorkflowAgent,
    WorkflowBuilder,
    tool,
)

from base_server import BaseChatKitServer
from context import Services, Turn, turn_of
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.scripted_model import ScriptedModel, calls, says

MakeAgent = Callable[["WorkflowServer"], Any]


class WorkflowServer(BaseChatKitServer):
    """Answers with whatever agent the test makes."""

    make: MakeAgent

    def get_agent(self, turn: Turn) -> Any:
        return self.make(self)

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        if "place" in turn.state:
            turn.widget({"type": "Card", "id": "place", "children": []})


@tool(additional_properties={"title": "Look it up", "icon": "search"})
async def look(place: str, ctx: FunctionInvocationContext) -> str:
    """Look a place up."""
    turn_of(ctx).state["place"] = place
    return f"It rains in {place}."


def writer_and_reviewer(server: WorkflowServer, *tools: Any) -> WorkflowAgent:
    """One after another: both are heard."""
    writer = Agent(server.chat_client, name="writer", tools=list(tools))
    reviewer = Agent(server.chat_client, name="reviewer")
    return (
        WorkflowBuilder(start_executor=writer, output_from=[writer, reviewer])
        .add_edge(writer, reviewer)
        .build()
        .as_agent()
    )


def texts_of(items: list[dict[str, Any]]) -> list[str]:
    """Return what a reload shows of the assistant's messages."""
    return ["".join(p["text"] for p in item["content"]) for item in items if item["type"] == "assistant_message"]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def server(services: Services) -> WorkflowServer:
    made = WorkflowServer(services)
    made.make = lambda server: writer_and_reviewer(server, look)
    return made


@pytest.fixture
def chat(server: WorkflowServer) -> Chat:
    return Chat(server)


async def test_agents_that_work_one_after_another_are_one_message_each(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [says("A ", "draft."), says("Fine.")]
    events = await chat.send("Write")
    assert texts(events) == ["A draft.", "Fine."]
    assert not errors(events)
    assert [m.text for m in model.requests[1]] == ["Write", "A draft."]


async def test_a_tool_in_a_workflow_finds_the_turn_that_it_belongs_to(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("look", place="Bern"), says("A draft."), says("Fine.")]
    events = await chat.send("Write")
    assert texts(events) == ["A draft.", "Fine."]
    assert done_items(events, "widget")[0]["widget"]["id"] == "place"


async def test_a_turn_is_one_and_the_same_however_it_is_copied(server: WorkflowServer, chat: Chat) -> None:
    turns: list[Turn] = []
    server.make = lambda server: Agent(server.chat_client)
    server.get_agent = lambda turn: turns.append(turn) or Agent(server.chat_client)  # type: ignore[method-assign, func-returns-value, assignment]
    await chat.send("Hi")
    assert copy.copy(turns[0]) is turns[0]
    assert copy.deepcopy({"turn": turns[0]})["turn"] is turns[0]
