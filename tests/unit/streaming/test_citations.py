"""Citations keep their places in a message that another item splits in two."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Content

from context import Services
from tests.unit.harness import Chat, PlainServer, done_items, texts
from tests.unit.scripted_model import ScriptedModel, gives, says


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(PlainServer(services))


def searches() -> list[Any]:
    return gives(Content.from_search_tool_call("ws_1", tool_name="web_search", arguments={"query": "q"}))


@pytest.mark.parametrize(("end", "index"), [(11, 5), (4, None)])
async def test_a_citation_is_placed_at_its_text_or_omitted_if_that_is_in_an_earlier_message(
    chat: Chat, model: ScriptedModel, end: int, index: int | None
) -> None:
    regions = [{"type": "text_span", "start_index": 0, "end_index": end}]
    cited: Any = {"type": "citation", "url": "https://e.x", "title": "E", "annotated_regions": regions}
    cites = gives(Content.from_text("", annotations=[cited]), message_id="m1")
    model.turns = [[*says("Hello "), *searches(), *says("wor", "ld."), *cites]]
    first, second = done_items(await chat.send("Cite"), "assistant_message")
    assert [part["content"][0]["text"] for part in (first, second)] == ["Hello ", "world."]
    assert [annotation.get("index") for annotation in second["content"][0]["annotations"]] == [index]


async def test_a_whole_text_is_not_repeated_when_a_part_of_it_was_shown(chat: Chat, model: ScriptedModel) -> None:
    whole = gives(Content.from_text("Hello world.", merge_mode="replace"), message_id="m1")
    model.turns = [[*says("Hello "), *searches(), *says("wor"), *whole]]
    assert texts(await chat.send("Go")) == ["Hello ", "world."]
