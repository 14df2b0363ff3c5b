"""Thoughts between tags are separated from text, in both protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from agent_framework import ChatResponse, ChatResponseUpdate, Message

from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.provider import ChatClients
from config import Settings
from errors import ModelError
from tests.unit.provider_stub import Chat, ProviderStub, Responses


async def test_a_wrongly_assumed_habit_of_a_model_is_forgotten(
    stub: ProviderStub, clients: tuple[Any, ChatClients]
) -> None:
    protocol, made = clients
    stub.will(protocol.text(*UNOPENED), protocol.text("Hel", "lo"), protocol.text("Hel", "lo"))
    assert (await ask(made))[0].text == "Good day."
    assert (await ask(made))[1] == ["Hello"], "it is heard at the end only"
    assert "".join((await ask(made))[1]) == "Hello"
    stub.will(protocol.text("Hi"))
    assert thoughts((await ask(made))[0]) == ""


THINKING = ["<thi", "nk>The per", "son greets</th", "ink>", "\n\nGood ", "day."]
UNOPENED = ["The per", "son greets\n", "</thi", "nk>\n", "\nGood ", "day."]


@pytest.fixture(params=["compatible", "openai"])
async def clients(stub: ProviderStub, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Any, ChatClients]]:
    variables: dict[str, Any] = {
        "compatible": {"compatible_base_url": stub.url, "compatible_model": "m"},
        "openai": {"openai_base_url": stub.url, "openai_model": "m", "openai_api_key": "k"},
    }[request.param]
    made = ChatClients(Settings(_env_file=None, **variables))
    yield (Chat if request.param == "compatible" else Responses), made
    await made.close()


async def ask(clients: ChatClients) -> tuple[ChatResponse[Any], list[str]]:
    stream = clients.make().get_response([Message("user", ["?"])], stream=True)
    seen = [update.text async for update in stream if update.text]
    return await stream.get_final_response(), seen


async def read(clients: ChatClients, seen: list[ChatResponseUpdate]) -> None:
    async for update in clients.make().get_response([Message("user", ["?"])], stream=True):
        seen.append(update)


def thoughts(response: ChatResponse[Any]) -> str:
    contents = [content for message in response.messages for content in message.contents]
    return "".join(content.text or "" for content in contents if content.type == "text_reasoning")


@pytest.mark.parametrize("words", [THINKING, UNOPENED, ["".join(THINKING)], ["".join(UNOPENED)]])
async def test_thoughts_in_the_text_are_thoughts_in_both_protocols(
    stub: ProviderStub, clients: tuple[Any, ChatClients], words: list[str]
) -> None:
    protocol, made = clients
    stub.will(protocol.text(*words), protocol.text(*words), protocol.whole("".join(words)))
    response, _ = await ask(made)
    assert (response.text, thoughts(response).strip()) == ("Good day.", "The person greets")
    response, seen = await ask(made)
    assert "".join(seen) == response.text == "Good day.", "nothing is said that has to be taken back"
    assert (await made.make().get_response([Message("user", ["?"])])).text == "Good day."


@pytest.mark.parametrize("then", ["end", "close"])
async def test_half_a_thought_is_no_text_of_a_model_that_leaves_out_the_opening_tag(
    stub: ProviderStub, clients: tuple[Any, ChatClients], then: Literal["end", "close"]
) -> None:
    protocol, made = clients
    stub.will(protocol.text(*UNOPENED), protocol.part("The per", "son gr", then=then), protocol.text(*UNOPENED))
    await ask(made)
    seen: list[ChatResponseUpdate] = []
    with pytest.raises(ModelError, match="in the middle"):
        await read(made, seen)
    assert "".join(update.text for update in seen) == ""
    assert thoughts(ChatResponse.from_updates(seen)) == "The person gr"
    assert (await ask(made))[1] == ["Good day."], "the habit is remembered"


@pytest.mark.parametrize("client", ["compatible", "openai"])
async def test_half_a_thought_at_the_longest_length_is_no_text_either(stub: ProviderStub, client: str) -> None:
    is_chat = client == "compatible"
    address: dict[str, Any] = {f"{client}_base_url": stub.url, f"{client}_model": "m", f"{client}_api_key": "k"}
    made = ChatClients(Settings(_env_file=None, **address))
    protocol: Any = Chat if is_chat else Responses
    cut = {"incomplete_details": {"reason": "max_output_tokens"}}
    half = Chat.text("The per", finish="length") if is_chat else Responses.ended("incomplete", "The per", **cut)
    stub.will(protocol.text(*UNOPENED), half)
    await ask(made)
    seen: list[ChatResponseUpdate] = []
    with pytest.raises(ModelError, match="longest length"):
        await read(made, seen)
    await made.close()
    assert ("".join(update.text for update in seen), thoughts(ChatResponse.from_updates(seen))) == ("", "The per")


def test_text_that_arrives_at_once_stands_before_later_text() -> None:
    def message(at: int, text: str) -> list[Any]:
        item = {"id": f"msg_{at}", "type": "message", "content": [{"type": "output_text", "text": text}]}
        where = {"item_id": item["id"], "output_index": at, "content_index": 0}
        return [
            {"type": "response.output_item.added", "output_index": at, "item": {**item, "content": []}},
            {"type": "response.output_text.delta", **where, "delta": text},
            {"type": "response.output_text.done", **where, "text": text},
            {"type": "response.output_item.done", "output_index": at, "item": item},
        ]

    reader = ResponsesReader(begins_with_thought=True)
    end = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}}
    updates = [*reader.read([*message(0, "One."), *message(1, "Two."), end])]
    assert [update.text for update in updates if update.text] == ["One.", "Two."]


async def test_an_answer_of_thoughts_only_has_no_text(stub: ProviderStub, clients: tuple[Any, ChatClients]) -> None:
    protocol, made = clients
    stub.will(protocol.text("<think>", "Hm.", "</think>", "\n\n"), protocol.text("\n", "\n"))
    assert (await ask(made))[1] == []
    assert (await ask(made))[1] == []


def test_blanks_between_a_thought_in_its_field_and_the_text_are_nobodys() -> None:
    reader = CompletionsReader()
    deltas: list[dict[str, Any]] = [{"reasoning_content": "Hm."}, {"content": "\n\n"}, {"content": "Hi"}]
    events: list[Any] = [{"id": "c", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    end = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    assert ChatResponse.from_updates([*reader.read([*events, end]), *reader.close()]).text == "Hi"


def test_citations_stand_where_they_belong_behind_a_thought() -> None:
    text = "<think>Hm.</think>Rain."
    cited = {"type": "url_citation", "url": "https://a.example/", "title": "A", "start_index": 18, "end_index": 22}
    part = {"type": "output_text", "text": text, "annotations": [cited]}
    item = {"id": "msg_1", "type": "message", "content": [part]}
    end = {"type": "response.completed", "response": {"id": "r", "output": [item]}}
    contents = ChatResponse.from_updates(list(ResponsesReader().read([end]))).messages[0].contents
    [found] = [annotation for content in contents for annotation in content.annotations or ()]
    assert [(region["start_index"], region["end_index"]) for region in found["annotated_regions"]] == [(0, 4)]
