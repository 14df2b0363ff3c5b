"""Web searches of the provider, as people see them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import Content

from context import Services
from tests.unit.harness import Chat, PlainServer, done_items
from tests.unit.scripted_model import ScriptedModel, gives, says


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(PlainServer(services))


async def task_of(chat: Chat, model: ScriptedModel, asked: Any, found: Any) -> dict[str, Any]:
    model.turns = [
        [
            *gives(Content.from_search_tool_call("ws_1", tool_name="web_search", arguments=asked)),
            *gives(Content.from_search_tool_result("ws_1", tool_name="web_search", result=found)),
            *says("Found."),
        ]
    ]
    [workflow] = done_items(await chat.send("Search"), "workflow")
    [task] = workflow["workflow"]["tasks"]
    return dict(task)


@pytest.mark.parametrize("kind", ["open_page", "find_in_page"])
@pytest.mark.parametrize("is_text", [True, False])
async def test_a_page_that_is_read_is_named_and_can_be_opened(
    chat: Chat, model: ScriptedModel, kind: str, is_text: bool
) -> None:
    action = {"type": kind, "url": "https://e.example/page", "pattern": "rain"}
    found = {"action": action}
    task = await task_of(chat, model, None, json.dumps(found) if is_text else found)
    assert (task["title"], task["queries"]) == ("https://e.example/page", [])
    assert [source["url"] for source in task["sources"]] == ["https://e.example/page"]


async def test_an_invalid_address_becomes_no_link(chat: Chat, model: ScriptedModel) -> None:
    action = {"type": "open_page", "url": "javascript:alert(1)" + "x" * 500}
    task = await task_of(chat, model, None, {"action": action})
    assert len(task["title"]) <= 120
    assert task["sources"] == []


@pytest.mark.parametrize("found", [{"action": None}, None, "odd", {"action": {"type": "open_page", "url": None}}])
async def test_a_search_that_says_nothing_of_what_it_found_keeps_its_title(
    chat: Chat, model: ScriptedModel, found: Any
) -> None:
    task = await task_of(chat, model, {"type": "search", "query": "bern"}, found)
    assert (task["title"], task["queries"], task["sources"]) == ("Searching the web", ["bern"], [])
