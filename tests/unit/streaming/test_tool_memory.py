"""Tool calls in the history of later turns and for people, also with sloppy servers and models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import Agent, Content, tool

from base_server import BaseChatKitServer
from context import Services, Turn
from streaming.answers.tool_results import MAX_IMAGES
from tests.unit.harness import Chat, done_items
from tests.unit.scripted_model import ScriptedModel, calls, gives, says


@tool(additional_properties={"title": "Look it up"})
async def look(city: str) -> str:
    """Look at the sky."""
    return f"Rain in {city}."


PNG = Content.from_data(b"\x89PNG\r\n\x1a\n", "image/png")
LINKED = Content.from_uri("https://e.example/radar.png", media_type="image/png")
LOCAL = Content.from_uri("file:///etc/radar.png", media_type="image/png")


@tool
async def photo() -> list[Content]:
    """Take a picture."""
    return [PNG, LINKED, LOCAL, Content.from_data(b"RIFF", "audio/wav")]


@tool
async def many_photos() -> list[Content]:
    """Take many pictures."""
    return [PNG] * 20


class LookServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[look, photo, many_photos])


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(LookServer(services))


def known_calls(model: ScriptedModel) -> list[tuple[Any, Any]]:
    """Return arguments and result of the calls in the last request; their ids must be paired."""
    contents = [content for message in model.requests[-1] for content in message.contents]
    called = [content for content in contents if content.type == "function_call"]
    results = {content.call_id: content.result for content in contents if content.type == "function_result"}
    assert len({content.call_id for content in called}) == len(called) == len(results)
    return [(json.loads(content.arguments), results[content.call_id]) for content in called]


async def test_calls_of_two_rounds_with_the_same_id_are_two_steps_and_two_memories(
    chat: Chat, model: ScriptedModel
) -> None:
    model.turns = [calls("look", "call_0", city="Bern"), calls("look", "call_0", city="Basel"), says("Wet.")]
    [workflow] = done_items(await chat.send("Go"), "workflow")
    assert [task["status_indicator"] for task in workflow["workflow"]["tasks"]] == ["complete", "complete"]
    await chat.send("And?")
    assert known_calls(model) == [({"city": "Bern"}, "Rain in Bern."), ({"city": "Basel"}, "Rain in Basel.")]


async def test_a_call_of_a_later_turn_with_an_id_of_an_earlier_one_is_another(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("look", "call_0", city="Bern"), says("Wet."), calls("look", "call_0", city="Basel")]
    await chat.send("Go")
    assert len(done_items(await chat.send("And Basel?"), "workflow")) == 1


@pytest.mark.parametrize("arguments", ['{"city": "Be', "[1]", "Bern", '{"city": "\\ud83d"}'])
async def test_arguments_that_are_no_json_object_do_not_come_back_in_later_turns(
    chat: Chat, model: ScriptedModel, arguments: str
) -> None:
    model.turns = [
        gives(Content.from_function_call("c1", "look", arguments=arguments), message_id="m1"),
        says("Sorry."),
    ]
    await chat.send("Go")
    await chat.send("And?")
    [(known, _)] = known_calls(model)
    assert known == {}


async def test_pictures_that_a_tool_returns_are_shown_and_mentioned_in_later_turns(
    chat: Chat, model: ScriptedModel
) -> None:
    model.turns = [calls("photo"), says("Nice.", message_id="m2")]
    shown = done_items(await chat.send("Show it"), "generated_image")
    assert [item["image"]["url"] for item in shown] == [PNG.uri], "another server would learn who looks at it"
    assert [item["type"] for item in await chat.items()].count("generated_image") == 1
    await chat.send("And?")
    [(_, result)] = known_calls(model)
    assert result == "\n".join(["[an image was returned]"] * 3 + ["[a file was returned]"])
    contents = [content for message in model.requests[-1] for content in message.contents]
    assert "data" not in {content.type for content in contents}, "a model that cannot see would refuse the thread"


async def test_a_picture_on_another_server_is_shown_where_the_thread_allows_it(
    services: Services, model: ScriptedModel
) -> None:
    class OpenServer(LookServer):
        def get_agent(self, turn: Turn) -> Agent[Any]:
            turn.thread.allowed_image_domains = ["e.example"]
            return super().get_agent(turn)

    model.turns = [calls("photo"), says("Nice.", message_id="m2")]
    shown = done_items(await Chat(OpenServer(services)).send("Show it"), "generated_image")
    assert [item["image"]["url"] for item in shown] == [PNG.uri, LINKED.uri]


async def test_of_very_many_pictures_the_first_are_shown(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("many_photos"), says("Nice.", message_id="m2")]
    assert len(done_items(await chat.send("Show them"), "generated_image")) == MAX_IMAGES
