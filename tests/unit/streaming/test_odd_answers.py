"""Odd answers, as shown and stored: thoughts between tags, cut off, blank; in both protocols."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from context import AnswerTexts, Services
from streaming.answers.thread_titles import INSTRUCTIONS
from tests.unit.harness import ONE_PIXEL, Chat, PlainServer, done_items, errors, texts, upload
from tests.unit.provider_stub import Answer, ProviderStub, Received, Responses, error
from tests.unit.provider_stub import Chat as Completions
from tests.unit.services_for_tests import open_services_with_provider

pytestmark = pytest.mark.usefixtures("text_path")


@pytest.fixture
def titles() -> str:
    return "first_message"


@pytest.fixture
async def services(tmp_path: Path, stub: ProviderStub, protocol: Any, titles: str) -> AsyncIterator[Services]:
    async with open_services_with_provider(stub, protocol, tmp_path, thread_titles=titles) as opened:
        yield opened


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(PlainServer(services))


def thoughts(items: list[dict[str, Any]]) -> list[str]:
    return [task["content"] for item in items if item["type"] == "workflow" for task in item["workflow"]["tasks"]]


async def stored_texts(chat: Chat) -> list[str]:
    return ["".join(p["text"] for p in each["content"]) for each in await chat.items() if "assistant" in each["type"]]


@pytest.mark.parametrize(
    "words",
    [
        ["\ufeff<reasoning", " effort='low'>Hm</reas", "oning>\n", "Rain."],
        ["\u200b\n[TH", "INK]Hm[/TH", "INK]", "Rain."],
        ["<|START_THIN", "KING|>Hm<|END_", "THINKING|>Rain."],
        ["<|channel|>ana", "lysis<|message|>Hm<|end|><|start|>assis", "tant<|channel|>final<|message|>Rain."],
        ["<mm:think>Hm", "</thinking>", "Rain."],
        ["<think>H<think>m</th", "ink></think>", "Rain."],
    ],
)
async def test_thoughts_are_neither_text_nor_history(
    chat: Chat, stub: ProviderStub, protocol: Any, words: list[str]
) -> None:
    stub.will_always(protocol.text(*words))
    for question in ("Rain?", "And now?"):
        events = await chat.send(question)
        assert not errors(events)
        assert texts(events) == ["Rain."]
        assert [each.replace("<think>", "") for each in thoughts(done_items(events))] == ["Hm"]
    assert await stored_texts(chat) == ["Rain.", "Rain."]
    assert "Hm" not in json.dumps(stub.requests[-1].body)


async def learn_habit(chat: Chat, stub: ProviderStub, protocol: Any) -> None:
    stub.will(protocol.text("Hm.", "</think>", "Hello"))
    assert texts(await chat.send("Hi")) == ["Hello"]


async def test_a_cut_off_text_of_a_model_with_that_habit_stays_a_thought(
    chat: Chat, stub: ProviderStub, protocol: Any
) -> None:
    await learn_habit(chat, stub, protocol)
    stub.will(protocol.part("It rains", " in <", then="close"), protocol.text("Hm.", "</think>", "Yes."))
    events = await chat.send("Rain?")
    assert texts(events) == []
    assert errors(events)
    assert thoughts(done_items(events)) == ["It rains in <"]
    assert texts(await chat.send("Rain?")) == ["Yes."]


async def test_a_text_of_such_a_model_cut_at_its_length_limit_stays_a_thought(
    chat: Chat, stub: ProviderStub, protocol: Any
) -> None:
    await learn_habit(chat, stub, protocol)
    if protocol is Completions:
        stub.will(Completions.text("It ", "rains", finish="length"))
    else:
        stub.will(Responses.ended("incomplete", "It ", "rains", incomplete_details={"reason": "max_output_tokens"}))
    events = await chat.send("Rain?")
    assert texts(events) == []
    assert errors(events)
    assert thoughts(done_items(events)) == ["It rains"]


async def test_such_a_model_may_speak_about_the_tag(chat: Chat, stub: ProviderStub, protocol: Any) -> None:
    await learn_habit(chat, stub, protocol)
    stub.will(protocol.text("The tag `", "</think>", "` ends it."))
    assert texts(await chat.send("And?")) == ["The tag `</think>` ends it."]


@pytest.mark.parametrize("end", ["close", "end"])
async def test_held_back_text_is_shown_when_an_answer_is_cut_off(
    chat: Chat, stub: ProviderStub, protocol: Any, end: Any
) -> None:
    stub.will(protocol.part("It rains", " <", then=end))
    events = await chat.send("Rain?")
    assert errors(events)
    assert texts(events) == ["It rains <"]
    assert await stored_texts(chat) == ["It rains <"]


BLANKS = [
    ["\n\n"],
    ["\u200b"],
    ["\ufeff", " \u2060\n"],
    ["\u00a0\u3000"],
    ["\u3164"],
    ["<think>Hm</think>", "\n\u200b"],
    ["Hm, they ask", "</think>", "\n"],
    ["<think>Hm, they ask"],
    ["<|channel|>analysis<|message|>Hm<|end|>"],
]


@pytest.mark.parametrize("words", BLANKS)
async def test_an_invisible_text_is_no_answer(chat: Chat, stub: ProviderStub, protocol: Any, words: list[str]) -> None:
    stub.will(protocol.text(*words), protocol.text("Yes."))
    events = await chat.send("Rain?")
    [failure] = errors(events)
    assert failure["message"].startswith("The model gave no answer.")
    assert texts(events) == []
    assert await stored_texts(chat) == []
    assert texts(await chat.send("Rain?")) == ["Yes."]
    sent = json.dumps(stub.requests[-1].body, ensure_ascii=False)
    assert not any(word in sent for word in words if word.strip())


async def test_blanks_after_a_shown_thought_leave_no_empty_message(
    chat: Chat, stub: ProviderStub, protocol: Any
) -> None:
    stub.will(protocol.text("It", " rains.", "\u200b", "\n\n"))
    assert [text.strip("\u200b\n") for text in texts(await chat.send("Rain?"))] == ["It rains."]


@pytest.mark.parametrize("titles", ["model"])
@pytest.mark.parametrize("words", [*BLANKS, ["<think>Rain in Bern, I guess</think>"]])
async def test_an_invisible_title_is_no_title(chat: Chat, stub: ProviderStub, protocol: Any, words: list[str]) -> None:
    stub.will_answer(INSTRUCTIONS, protocol.text(*words))
    stub.will_always(protocol.text("Yes."))
    assert texts(await chat.send("Does it rain?")) == ["Yes."]
    assert (await chat.request("threads.get_by_id", thread_id=chat.thread_id))["title"] == "Does it rain?"


async def attach(chat: Chat) -> str:
    return await upload(chat.server.services, "sky.png", ONE_PIXEL, "image/png", chat.context())


def refuse_pictures(request: Received) -> Answer | None:
    if b"image_url" in json.dumps(request.body).encode() or "input_image" in json.dumps(request.body):
        return error(400, "This model does not support image input.")
    return None


async def test_a_picture_for_a_model_without_vision_is_reported_once_and_never_sent_again(
    chat: Chat, stub: ProviderStub, protocol: Any
) -> None:
    stub.refuses = refuse_pictures
    stub.will_always(protocol.text("Yes."))
    note = AnswerTexts().no_picture
    assert texts(await chat.send("Look", attachments=[await attach(chat)])) == [note, "Yes."]
    assert len(stub.requests) == 2
    assert texts(await chat.send("And?")) == ["Yes."]
    assert texts(await chat.send("And now?")) == ["Yes."]
    assert len(stub.requests) == 4, "no later request was refused"
    assert await stored_texts(chat) == [note, "Yes.", "Yes.", "Yes."]
    assert texts(await chat.send("And this?", attachments=[await attach(chat)])) == [note, "Yes."], "of a new picture"
    assert len(stub.requests) == 5


async def test_a_picture_alone_for_a_model_that_takes_none_leaves_a_conversation(
    chat: Chat, stub: ProviderStub, protocol: Any
) -> None:
    stub.refuses = refuse_pictures
    stub.will_always(protocol.text("Yes."))
    assert texts(await chat.send("", attachments=[await attach(chat)]))[-1:] == ["Yes."]
    assert texts(await chat.send("And?")) == ["Yes."]


async def test_a_failed_answer_to_a_picture_locks_nothing(chat: Chat, stub: ProviderStub, protocol: Any) -> None:
    stub.refuses = refuse_pictures
    stub.will(protocol.part("It ", then="close"), protocol.text("Yes."), protocol.text("No."))
    events = await chat.send("Look", attachments=[await attach(chat)])
    assert errors(events)
    assert texts(await chat.send("And?"))[-1:] == ["Yes."]
    assert texts(await chat.send("And?")) == ["No."]
