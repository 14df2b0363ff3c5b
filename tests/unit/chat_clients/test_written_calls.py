"""Tool calls that a model writes as text: run if the text is nothing else, and shown as text otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import ChatResponse

from chat_clients.http.server_events import DONE, Event
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.tool_names import ToolNames
from chat_clients.protocols.written_calls import MAX_HELD_CHARS
from tests.unit.chat_clients.test_halves import run
from tests.unit.provider_stub import Chat, ProviderStub

HERMES = '<tool_call>\n{"name": "weather", "arguments": {"place": "Bern"}}\n</tool_call>'
QWEN = "<tool_call>\n<function=weather>\n<parameter=place>\nBern\n</parameter>\n</function>\n</tool_call>"
MISTRAL = '[TOOL_CALLS][{"name": "weather", "arguments": {"place": "Bern"}}]'


def read(text: str, *, size: int = 1, finish: str | None = "stop", more: tuple[Event, ...] = ()) -> ChatResponse[Any]:
    reader = CompletionsReader(ToolNames(["weather", "read.item"]))
    events = [chunk(content=text[at : at + size]) for at in range(0, len(text), size)]
    updates = [update for event in [*events, *more, chunk(finish), DONE] for update in reader.read([event])]
    return ChatResponse.from_updates([*updates, *reader.close()])


def chunk(finish: str | None = None, **delta: Any) -> Event:
    return {"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def calls_of(response: ChatResponse[Any]) -> list[tuple[str | None, Any]]:
    contents = [content for message in response.messages for content in message.contents]
    return [(each.name, json.loads(str(each.arguments))) for each in contents if each.type == "function_call"]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("text", "said", "places"),
    [
        (HERMES, "", ["Bern"]),
        (QWEN, "", ["Bern"]),
        (MISTRAL, "", ["Bern"]),
        ('[TOOL_CALLS]weather[ARGS]{"place": "Bern"}[TOOL_CALLS]weather{"place": "Rome"}', "", ["Bern", "Rome"]),
        (f"{HERMES}\n{HERMES.replace('Bern', 'Rome')}\n", "", ["Bern", "Rome"]),
        (f"Let me look.\n\n{HERMES}", "Let me look.", ["Bern"]),
        (f"<think>Hm.</think>\n\n{HERMES}", "", ["Bern"]),
        (f"Like `a`:\n```\ncode\n```\n  {QWEN}", "Like `a`:\n```\ncode\n```", ["Bern"]),
        (HERMES.removesuffix("</tool_call>"), "", ["Bern"]),
        (HERMES.replace("arguments", "parameters").replace('"weather"', '"functions.weather"'), "", ["Bern"]),
        (HERMES.replace('{"place": "Bern"}', json.dumps('{"place": "Bern"}')), "", ["Bern"]),
    ],
)
def test_a_text_of_calls_only_is_run(text: str, said: str, places: list[str], size: int) -> None:
    response = read(text, size=size)
    assert calls_of(response) == [("weather", {"place": place}) for place in places]
    assert (response.text.strip(), response.finish_reason) == (said, "tool_calls")


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    "text",
    [
        f"Write {HERMES}",
        f"```\n{HERMES}\n```",
        f"{HERMES}\nThis is how it is written.",
        HERMES.replace("weather", "shutdown"),
        HERMES.replace('{"place": "Bern"}', "[1]"),
        HERMES[:-30],
        f"{HERMES}\n{HERMES.replace('weather', 'shutdown')}",
        QWEN.replace("\n</function>", "\nand so on</function>"),
        "[TOOL_CALLS] is a mark of Mistral.",
        "<tool_call",
        "A list:\n  [TOOL",
        "<tool_call>" + "x" * MAX_HELD_CHARS + "\nEnd.",
    ],
)
def test_text_that_is_no_call_is_kept_completely(text: str, size: int) -> None:
    response = read(text, size=size if len(text) < 1000 else 4096)
    assert (response.text, calls_of(response), response.finish_reason) == (text, [], "stop")


@pytest.mark.parametrize("finish", ["length", "abort", None])
def test_of_an_answer_that_is_cut_no_call_is_made(finish: str | None) -> None:
    response = read(HERMES, finish=finish)
    assert (response.text, calls_of(response)) == (HERMES, [])


def test_beside_a_call_that_the_server_has_read_it_is_text() -> None:
    real = chunk(tool_calls=[{"index": 0, "id": "x", "function": {"name": "read_item", "arguments": "{}"}}])
    response = read(HERMES, more=(real,))
    assert (response.text, calls_of(response)) == (HERMES, [("read.item", {})])


async def test_a_call_in_the_text_is_run_like_any_other(stub: ProviderStub) -> None:
    pieces = [Chat.chunk({"content": each}) for each in (HERMES[:20], HERMES[20:])]
    outcome = await run(stub, "chat", *pieces, Chat.chunk({}, "stop"))
    assert outcome == ("Told.", None, ["Bern"], 2)
    call, result = stub.requests[1].body["messages"][-2:]
    assert call["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"place": "Bern"}'}
    assert (result["role"], result["content"]) == ("tool", "Rain.")
