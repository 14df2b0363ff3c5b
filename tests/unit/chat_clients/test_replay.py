"""Reasoning and other data that a model needs back is returned unchanged, and only to that model and server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agent_framework import ChatResponse, Content, Message

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.http.server_events import DONE, Event
from chat_clients.model_client import (
    CompletionsChatClient,
    RawCompletionsClient,
    RawResponsesClient,
    ResponsesChatClient,
)
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.completions_request import build_completions_request
from chat_clients.protocols.replay import Members, build_origin, build_replay, is_from_other_model
from tests.unit.provider_stub import Answer, Chat, ProviderStub, Responses
from tests.unit.strict_history import check_responses

STREAM = {"content-type": "text/event-stream"}
RESULT = Message("tool", [Content.from_function_result("c1", result="Rain.")])


@pytest.fixture
async def stubs(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[ProviderStub, ProviderStub]]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as one, ProviderStub() as other:
        yield one, other


def merge_pieces(*pieces: Any, name: str = "x") -> Any:
    members = Members()
    for piece in pieces:
        members.add({name: piece})
    return members.values[name]


@pytest.mark.parametrize(
    ("name", "pieces", "whole"),
    [
        ("thinking", ["ha", "ha"], "haha"),
        ("reasoning_text", ["ha", "ha", "ha"], "hahaha"),
        ("x", ["ha", "ha", "!"], "haha!"),
        ("x", ["a", "a", "b", "b"], "aabb"),
        ("signature", ["sig", "sig"], "sig"),
        ("thought_signature", ["sig", "sig", "sig"], "sig"),
        ("thought_signature", ["si", "g"], "sig"),
        ("x", [[1], [1]], [1, 1]),
        ("google", [{"thought_signature": "s"}, {"thought_signature": "s"}], {"thought_signature": "s"}),
        ("google", [{"thinking": "ha"}, {"thinking": "ha", "b": 1}], {"thinking": "haha", "b": 1}),
        ("x", [1, 2], 2),
        ("x", ["a", 2], 2),
        ("x", [None, "a", None], "a"),
    ],
)
def test_pieces_of_a_member_are_joined_by_what_they_are(name: str, pieces: list[Any], whole: Any) -> None:
    assert merge_pieces(*pieces, name=name) == whole


def chunk(finish: str | None = None, **delta: Any) -> Event:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def sent_back(*events: Event, to: str = "m") -> dict[str, Any]:
    """Return the assistant's message as it is sent to the model, or to another, with the result of its call."""
    reader = CompletionsReader(model="m")
    said = ChatResponse.from_updates([*reader.read([*events, chunk("tool_calls"), DONE]), *reader.close()]).messages
    body = build_completions_request(to, [Message("user", ["Go"]), *said, RESULT], {}, stream=True)
    found: dict[str, Any] = json.loads(json.dumps(body["messages"][1]))
    return found


@pytest.mark.parametrize(
    ("deltas", "beside"),
    [
        ([{"reasoning_content": "ha"}, {"reasoning_content": "ha"}], {"reasoning_content": "haha"}),
        ([{"reasoning_content": "a", "reasoning": "b"}], {"reasoning_content": "a", "reasoning": "b"}),
        ([{"reasoning_content": "a", "reasoning": "a"}], {"reasoning_content": "a", "reasoning": "a"}),
        ([{"reasoning_content": ""}], {"reasoning_content": ""}),
        ([{"reasoning_content": "", "content": "Hi"}], {"reasoning_content": ""}),
        ([{"reasoning_content": None}], {}),
        ([{"reasoning_content": 7}], {}),
        ([{"reasoning": "ha"}, {"reasoning": "ha"}], {"reasoning": "haha"}),
        ([{"thinking_blocks": [{"a": 1}]}, {"thinking_blocks": [{"a": 1}]}], {"thinking_blocks": [{"a": 1}] * 2}),
        ([{"reasoning_details": [{"text": "ha"}]}], {"reasoning_details": [{"text": "ha"}]}),
    ],
)
def test_thoughts_beside_a_call_go_back_as_they_came_and_to_no_other_model(
    deltas: list[dict[str, Any]], beside: dict[str, Any]
) -> None:
    events = [*(chunk(**delta) for delta in deltas), chunk(tool_calls=[CALL])]
    sent = sent_back(*events)
    assert {name: value for name, value in sent.items() if name not in ("role", "content", "tool_calls")} == beside
    assert sent_back(*events, to="other").keys() == {"role", "content", "tool_calls"}


async def ask(stub: ProviderStub, client: Any, answer: Answer, *messages: Message) -> list[Message]:
    stub.will(answer)
    response = client.get_response(list(messages), stream=True)
    async for _ in response:
        pass
    return list((await response.get_final_response()).messages)


async def test_thoughts_of_a_server_are_not_sent_to_another_that_has_a_model_of_the_same_name(
    stubs: tuple[ProviderStub, ProviderStub],
) -> None:
    one, other = stubs
    connections = [ProviderConnection(stub.url, max_retries=0) for stub in stubs]
    first, second = (RawCompletionsClient(connection=each, model="m", path="/c") for each in connections)
    pieces = (Chat.chunk({"reasoning_content": "Hm.", "content": None}), Chat.chunk({"tool_calls": [CALL]}))
    called = Answer(200, STREAM, (*pieces, Chat.chunk({}, "tool_calls"), b"data: [DONE]\n\n"))
    go = Message("user", ["Go"])
    said = await ask(one, first, called, go)
    await ask(one, first, Chat.text("Yes."), go, *said, RESULT)
    await ask(other, second, Chat.text("Yes."), go, *said, RESULT)
    assert one.requests[-1].body["messages"][1]["reasoning_content"] == "Hm."
    assert other.requests[-1].body["messages"][1].keys() == {"role", "content", "tool_calls"}
    for connection in connections:
        await connection.close()


async def test_sealed_thoughts_and_items_go_back_to_the_server_that_sealed_them_alone(
    stubs: tuple[ProviderStub, ProviderStub],
) -> None:
    one, other = stubs
    connections = [ProviderConnection(stub.url, max_retries=0) for stub in stubs]
    first, second = (RawResponsesClient(connection=each, model="m", path="/r") for each in connections)
    output = [
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "sealed"},
        {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"query": "x"}},
        {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}", "sig": 1},
    ]
    end = Responses.event("response.completed", response=Responses.response("completed", output))
    go = Message("user", ["Go"])
    said = await ask(one, first, Answer(200, STREAM, (end,)), go)
    await ask(one, first, Responses.text("Yes."), go, *said, RESULT)
    await ask(other, second, Responses.text("Yes."), go, *said, RESULT)
    kinds = ["message", "reasoning", "web_search_call", "function_call", "function_call_output"]
    assert [item["type"] for item in one.requests[-1].body["input"]] == kinds
    *_, called, _ = other.requests[-1].body["input"]
    assert [item["type"] for item in other.requests[-1].body["input"]] == [kinds[0], *kinds[3:]]
    assert called.keys() == {"type", "call_id", "name", "arguments"}
    for connection in connections:
        await connection.close()


def test_an_origin_tells_servers_apart_and_gives_none_of_them_away() -> None:
    origins = {build_origin("m", f"https://{key}@e.example/v1") for key in ("secret", "other")}
    assert len(origins) == 2
    assert not any("secret" in origin or "example" in origin for origin in origins)
    remembered = build_replay("m", "r", call=Members())
    call = Content.from_function_call("c", "f", additional_properties={"openai": {"replay": remembered}})
    assert not is_from_other_model(call, build_origin("m", "x")), "threads remember calls of before addresses counted"
    assert is_from_other_model(call, build_origin("other", "x"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
async def test_numbers_that_json_does_not_have_lock_no_conversation(
    stubs: tuple[ProviderStub, ProviderStub], number: str
) -> None:
    arguments = f'{{"a": {number}, "b": [{number}], "c": 1}}'
    call = Content.from_function_call("c1", "look", arguments=arguments)
    other = Content.from_function_call("c2", "look", arguments={"a": float(number)})
    result = Message("tool", [Content.from_function_result("c2", result="Dry.")])
    messages = [Message("user", ["Go"]), Message("assistant", [call, other]), RESULT, result]

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    sent = build_completions_request("m", messages, {}, stream=True)["messages"][1]["tool_calls"]
    assert [json.loads(each["function"]["arguments"], parse_constant=refuse) for each in sent] == [
        {"a": None, "b": [None], "c": 1},
        {"a": None},
    ]
    connection = ProviderConnection(stubs[0].url, max_retries=0)
    client = CompletionsChatClient(connection=connection, model="m", path="/c")
    stubs[0].will(Chat.text("Yes."))
    options: dict[str, Any] = {"metadata": {"odd": float(number), "good": 1}}
    async for _ in client.get_response(messages, stream=True, options=options):
        pass
    assert stubs[0].requests[-1].body["metadata"] == {"odd": None, "good": 1}
    await connection.close()


async def test_ids_that_a_server_repeats_in_every_response_are_sent_once(
    stubs: tuple[ProviderStub, ProviderStub],
) -> None:
    """A server that counts from one in each response: thoughts stay apart, and no id comes twice."""
    stub, _ = stubs
    connection = ProviderConnection(stub.url, max_retries=0)
    client = RawResponsesClient(connection=connection, model="m", path="/r")
    messages = [Message("user", ["Go"])]
    for number in (1, 2):
        output = [
            {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": f"sealed {number}"},
            {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"query": str(number)}},
            {"id": "fc_1", "type": "function_call", "call_id": f"c{number}", "name": "look", "arguments": "{}"},
        ]
        end = Responses.event("response.completed", response=Responses.response("completed", output))
        messages += await ask(stub, client, Answer(200, STREAM, (end,)), *messages)
        messages += [Message("tool", [Content.from_function_result(f"c{number}", result="Rain.")])]
    await ask(stub, client, Responses.text("Yes."), *messages)
    items = stub.requests[-1].body["input"]
    check_responses(items)
    assert [item["encrypted_content"] for item in items if item["type"] == "reasoning"] == ["sealed 1", "sealed 2"]
    assert [item["action"]["query"] for item in items if item["type"] == "web_search_call"] == ["1", "2"]
    assert [item.get("id", "")[:3] for item in items[1:4]] == ["rs_", "ws_", "fc_"]
    assert [item.get("id", "")[:3] for item in items[5:8]] == ["rs_", "ws_", ""]
    await connection.close()


async def test_the_second_round_of_a_tool_reads_what_the_first_has_thought(
    stubs: tuple[ProviderStub, ProviderStub],
) -> None:
    stub, _ = stubs
    connection = ProviderConnection(stub.url, max_retries=0)
    client = ResponsesChatClient(connection=connection, model="m", path="/r")
    thought = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "sealed"}
    call = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
    end = Responses.event("response.completed", response=Responses.response("completed", [thought, call]))
    stub.will(Answer(200, STREAM, (end,)), Responses.text("Yes."))

    def look() -> str:
        """Look."""
        return "Rain."

    async for _ in client.get_response([Message("user", ["Go"])], stream=True, options={"tools": [look]}):
        pass
    assert [item["type"] for item in stub.requests[-1].body["input"]] == [
        "message", "reasoning", "function_call", "function_call_output",
    ]  # fmt: skip
    await connection.close()
