"""Thoughts between tags are never text, wherever the stream is cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from agent_framework import ChatResponse, Message
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.thoughts_in_text import ThoughtSplitter
from chat_clients.provider import ChatClients
from config import Settings
from tests.unit.provider_stub import Chat, ProviderStub, Responses

TEXTS = [
    ("<think>Hm. 1 < 2</think>\n\nHello", "Hm. 1 < 2", "Hello"),
    ("<think>\n\n</think>\n\nHello", "\n\n", "Hello"),
    ("\n<think>Hm</think>Hello", "Hm", "Hello"),
    ("<THINK>Hm</Think>Hello", "Hm", "Hello"),
    ("Okay, they greet.\n</think>\n\nHello", "Okay, they greet.\n", "Hello"),
    ("I think so.</think>Hello", "I think so.", "Hello"),
    ("</think>\n\nHello", "", "Hello"),
    ("<think>a</think>\n<think>b</think>\nHello", "ab", "Hello"),
    ("<thinking>Hm</thinking>Hello", "Hm", "Hello"),
    ("[THINK]Hm[/THINK]Hello", "Hm", "Hello"),
    ("◁think▷Hm◁/think▷Hello", "Hm", "Hello"),
    ("<seed:think>Hm</seed:think>Hello", "Hm", "Hello"),
    ("<think>never ends", "never ends", ""),
    ("<think>Hm</thin", "Hm</thin", ""),
    ("<think>Hm</think>", "Hm", ""),
    ("<think>Hm</think>\n\n", "Hm", ""),
    ("Hello <think>aloud</think>, she said", "", "Hello <think>aloud</think>, she said"),
    ("`</think>` closes it", "", "`</think>` closes it"),
    ("It is '</think>' that closes", "", "It is '</think>' that closes"),
    ("```\n</think>\n```", "", "```\n</think>\n```"),
    ("<thin ice>", "", "<thin ice>"),
    ("<th", "", "<th"),
    ("a < b [1] </b>", "", "a < b [1] </b>"),
    ("    indented", "", "    indented"),
    ("  \n\n", "", ""),
    ("", "", ""),
]


def split(text: str, cuts: list[int], **options: Any) -> tuple[str, str]:
    splitter = ThoughtSplitter(**options)
    said, thought = "", ""
    places = [0, *sorted(cuts), len(text)]
    for kind, piece in [p for at, end in pairwise(places) for p in splitter.feed(text[at:end])] + splitter.close():
        match kind:
            case "text":
                said += piece
            case "thought":
                thought += piece
            case "taken_back":
                assert piece.startswith(said)
                said, thought = "", thought + piece
    assert splitter.dropped + len(said) == len(text)
    return thought, said


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.lists(st.integers(0, 40), max_size=40))
def test_thoughts_are_told_apart_however_the_text_is_cut(case: tuple[str, str, str], cuts: list[int]) -> None:
    text, thought, said = case
    assert split(text, [min(cut, len(text)) for cut in cuts]) == (thought, said)


@pytest.mark.parametrize(("text", "thought", "said"), TEXTS)
def test_thoughts_are_told_apart_in_single_characters(text: str, thought: str, said: str) -> None:
    assert split(text, list(range(len(text)))) == (thought, said)


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), max_size=20))
def test_a_model_that_is_known_to_leave_out_the_opening_tag_never_says_a_thought(cuts: list[int]) -> None:
    text = "Hm, hm.</think>\nHello"
    splitter = ThoughtSplitter(begins_with_thought=True)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [p for at, end in pairwise(places) for p in splitter.feed(text[at:end])] + splitter.close()
    assert "".join(piece for kind, piece in pieces if kind == "text") == "Hello"
    assert {kind for kind, _ in pieces} == {"text", "thought"}


def test_such_a_model_is_heard_also_where_it_does_not_think() -> None:
    splitter = ThoughtSplitter(begins_with_thought=True)
    pieces = [*splitter.feed("Hel"), *splitter.feed("lo"), *splitter.close()]
    assert [piece for kind, piece in pieces if kind == "text"] == ["Hello"]
    assert splitter.has_unopened is False


async def test_a_habit_that_a_model_has_not_is_forgotten(stub: ProviderStub, clients: tuple[Any, ChatClients]) -> None:
    protocol, made = clients
    stub.will(protocol.text(*UNOPENED), protocol.text("Hel", "lo"), protocol.text("Hel", "lo"))
    assert (await ask(made))[0].text == "Good day."
    assert (await ask(made))[1] == ["Hello"], "it is heard at the end only"
    assert "".join((await ask(made))[1]) == "Hello"
    stub.will(protocol.text("Hi"))
    assert thoughts((await ask(made))[0]) == ""


# In the protocols

THINKING = ["<thi", "nk>The per", "son greets</th", "ink>", "\n\nGood ", "day."]
UNOPENED = ["The per", "son greets\n", "</thi", "nk>\n", "\nGood ", "day."]


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProviderStub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as running:
        yield running


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


async def test_an_answer_of_nothing_but_thoughts_says_nothing(
    stub: ProviderStub, clients: tuple[Any, ChatClients]
) -> None:
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
