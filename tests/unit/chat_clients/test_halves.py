"""Incomplete answers: no tool runs with incomplete arguments, and no partial answer counts as complete."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from agent_framework import Message, tool
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.http.server_events import DONE, Event
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from chat_clients.protocols.call_arguments import read_arguments
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.responses import ResponsesReader
from errors import ModelError
from tests.unit.provider_stub import Answer, Chat, ProviderStub, Responses

STREAM = {"content-type": "text/event-stream"}
DONE_LINE = b"data: [DONE]\n\n"

Outcome = tuple[str, str | None, list[str], int]
"""The text, the failure, what tools were called with, and how often the model was asked."""


async def run(stub: ProviderStub, protocol: str, *pieces: bytes, headers: dict[str, str] = STREAM) -> Outcome:
    """Ask a model that answers so; its tool has a default, by which a call without arguments would be a call."""
    called: list[str] = []

    @tool
    def weather(place: str = "everywhere") -> str:
        """Look up the weather."""
        called.append(place)
        return "Rain."

    answer = Chat.text("Told.") if protocol == "chat" else Responses.text("Told.")
    stub.will(Answer(200, headers, pieces), answer)
    connection = ProviderConnection(stub.url, max_retries=0)
    text, code = await ask(connection, protocol, tools=[weather])
    await connection.close()
    return text, code, called, len(stub.requests)


async def ask(connection: ProviderConnection, protocol: str, **options: Any) -> tuple[str, str | None]:
    kind = CompletionsChatClient if protocol == "chat" else ResponsesChatClient
    client: Any = kind(connection=connection, model="m", path="/x")
    text = ""
    try:
        async for update in client.get_response([Message("user", ["?"])], stream=True, options=options):
            text += update.text
    except ModelError as failure:
        return text, failure.code
    return text, None


def chat_call(*arguments: Any, finish: str | None = "tool_calls", **more: Any) -> list[bytes]:
    pieces = [Chat.chunk({"role": "assistant", "content": "Let me look."})]
    head = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}, **more}
    pieces += [Chat.chunk({"tool_calls": [head]})]
    pieces += [Chat.chunk({"tool_calls": [{"index": 0, "function": {"arguments": each}}]}) for each in arguments]
    return [*pieces, Chat.chunk({}, finish), DONE_LINE]


def response_call(arguments: Any, *, is_short: bool = False, **more: Any) -> list[bytes]:
    item = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "weather", "status": "completed"}
    item |= {"arguments": arguments, **more}
    where = {"item_id": "fc_1", "output_index": 0}
    events = [
        Responses.event("response.created", response=Responses.response("in_progress")),
        Responses.event("response.output_item.added", output_index=0, item={**item, "arguments": ""}),
        Responses.event("response.function_call_arguments.delta", **where, delta=arguments),
    ]
    if not is_short:
        events += [
            Responses.event("response.function_call_arguments.done", **where, arguments=arguments),
            Responses.event("response.output_item.done", output_index=0, item=item),
        ]
    output = [] if is_short else [item]
    return [*events, Responses.event("response.completed", response=Responses.response("completed", output))]


HALVES = [
    '{"place": "Ber',
    "{",
    '{"place"',
    '{"place": ',
    '{"place": "Bern"',
    '{"place": "\\ud83c',
    '{"place": tr',
    '{"a": [1, ',
]
NO_OBJECTS = [
    "[1]", "7", '"Bern"', "Bern", "{'place': 'Ber", "{'place': print('Bern')}", "}", '{"place": "Bern"}}',
    '{"a": 1}{"a": 2}', "true",
]  # fmt: skip


@pytest.mark.parametrize("arguments", [*HALVES, *NO_OBJECTS])
@pytest.mark.parametrize("finish", ["tool_calls", "stop"])
async def test_a_call_whose_arguments_are_no_object_is_not_made(
    stub: ProviderStub, arguments: str, finish: str
) -> None:
    outcome = await run(stub, "chat", *chat_call(arguments[:3], arguments[3:], finish=finish))
    assert outcome == ("Let me look.", "model.interrupted", [], 1)


@pytest.mark.parametrize("arguments", [*HALVES, *NO_OBJECTS])
@pytest.mark.parametrize("is_short", [True, False])
async def test_a_call_of_the_responses_api_is_not_made_with_half_either(
    stub: ProviderStub, arguments: str, is_short: bool
) -> None:
    outcome = await run(stub, "responses", *response_call(arguments, is_short=is_short))
    assert outcome == ("", "model.interrupted", [], 1)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ("", "everywhere"),
        ("{}", "everywhere"),
        ("null", "everywhere"),
        ("[]", "everywhere"),
        ('{"place": "Bern"}', "Bern"),
        (' {"place": "Bern"}\n', "Bern"),
        ('{}{"place": "Bern"}', "Bern"),
        ('{"place": "Bern"}{"place": "Bern"}', "Bern"),
        ('{"place": "Be\nrn"}', "Be\nrn"),
        ('"{\\"place\\": \\"Bern\\"}"', "Bern"),
        ('{"place": "\\ud83c\\udf27"}', "🌧"),
        ("{'place': 'Bern'}", "Bern"),
        ("{'place': \"Val d'Or\", 'x': True, 'y': None}", "Val d'Or"),
        ('```json\n{"place": "Bern"}\n```', "Bern"),
    ],
)
async def test_arguments_that_are_an_object_in_other_forms_are_one(
    stub: ProviderStub, arguments: str, place: str
) -> None:
    pieces = [arguments[at : at + 1] for at in range(len(arguments))]
    assert await run(stub, "chat", *chat_call(*pieces)) == ("Let me look.Told.", None, [place], 2)
    stub.requests.clear()
    assert await run(stub, "responses", *response_call(arguments)) == ("Told.", None, [place], 2)


async def test_an_escape_may_be_cut_anywhere_though_each_piece_repeats_the_name(stub: ProviderStub) -> None:
    text = '{"place": "\\ud83c\\udf27"}'
    for pieces in [(text[:at], text[at:]) for at in range(11, 24)] + [('{"place": "\ud83c', '\udf27"}')]:
        named = [{"index": 0, "function": {"name": "weather", "arguments": piece}} for piece in pieces]
        chunks = [Chat.chunk({"tool_calls": [each]}) for each in named]
        stub.requests.clear()
        outcome = await run(stub, "chat", *chunks, Chat.chunk({}, "tool_calls"), DONE_LINE)
        assert outcome == ("Told.", None, ["🌧"], 2)


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans(), st.none())), st.data())
@settings(deadline=None)
def test_no_beginning_of_an_object_is_one(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value)
    assert json.loads(read_arguments(text) or "") == value
    end = data.draw(st.integers(1, len(text) - 1))
    assert read_arguments(text[:end]) is None


async def test_one_half_call_of_several_lets_none_run(stub: ProviderStub) -> None:
    other = {"index": 1, "id": "c2", "function": {"name": "weather", "arguments": '{"place": "Ba'}}
    pieces = chat_call('{"place": "Bern"}')
    outcome = await run(stub, "chat", *pieces[:-2], Chat.chunk({"tool_calls": [other]}), *pieces[-2:])
    assert outcome == ("Let me look.", "model.interrupted", [], 1)


async def test_a_piece_of_a_call_that_never_began_is_a_call_that_is_missing(stub: ProviderStub) -> None:
    lost = {"index": 1, "function": {"arguments": '{"place": "Basel"}'}}
    pieces = chat_call('{"place": "Bern"}')
    outcome = await run(stub, "chat", *pieces[:-2], Chat.chunk({"tool_calls": [lost]}), *pieces[-2:])
    assert outcome == ("Let me look.", "model.interrupted", [], 1)


# Chat Completions

TEXT = Chat.chunk({"role": "assistant", "content": "It is"})
ROLE = Chat.chunk({"role": "assistant", "content": ""})


def line(**event: Any) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def choices(**choice: Any) -> bytes:
    return line(id="c", choices=[choice])


@pytest.mark.parametrize(
    ("pieces", "text", "code"),
    [
        ([TEXT, DONE_LINE], "It is", "model.interrupted"),
        ([TEXT], "It is", "model.interrupted"),
        ([TEXT, Chat.chunk({}, None), DONE_LINE], "It is", "model.interrupted"),
        ([TEXT, Chat.chunk({}, ""), DONE_LINE], "It is", "model.interrupted"),
        ([ROLE], "", "model.interrupted"),
        ([ROLE, DONE_LINE], "", "model.interrupted"),
        ([DONE_LINE], "", "model.interrupted"),
        ([], "", "model.interrupted"),
        ([TEXT, choices(index=1, delta={}, finish_reason="stop"), DONE_LINE], "It is", "model.interrupted"),
        ([TEXT, choices(index="1", delta={}, finish_reason="stop"), DONE_LINE], "It is", "model.interrupted"),
        ([TEXT, line(choices=[], usage={"total_tokens": 1}), DONE_LINE], "It is", "model.interrupted"),
        ([TEXT, line(error={"message": "x", "code": "server_error"}), DONE_LINE], "It is", "model.failed"),
        ([TEXT, line(error="overloaded"), DONE_LINE], "It is", "model.failed"),
        ([TEXT, line(message="x", code=500), DONE_LINE], "It is", "model.failed"),
        ([TEXT, line(detail="x"), DONE_LINE], "It is", "model.failed"),
        ([TEXT, line(type="error", message="x"), DONE_LINE], "It is", "model.failed"),
        ([TEXT, line(object="error", message="x"), DONE_LINE], "It is", "model.failed"),
        ([TEXT, choices(index=0, delta={}, finish_reason="error"), DONE_LINE], "It is", "model.failed"),
        (
            [TEXT, choices(index=0, delta={}, finish_reason="error", error={"code": 429, "message": "x"}), DONE_LINE],
            "It is",
            "model.rate_limited",
        ),
        ([TEXT, Chat.chunk({"content": " é"})[:-14], DONE_LINE], "It is", "model.interrupted"),
        ([TEXT, 'data: {"choices": [{"delta": {"content": "é'.encode()[:-1]], "It is", "model.interrupted"),
        ([TEXT, Chat.chunk({}, "length"), DONE_LINE], "It is", "model.cut_short"),
    ],
)  # fmt: skip
async def test_a_completion_without_its_end_is_half(
    stub: ProviderStub, pieces: list[bytes], text: str, code: str
) -> None:
    assert await run(stub, "chat", *pieces) == (text, code, [], 1)


# Responses

BEGUN = [*Responses.part("It is", then="end").pieces]
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "It is"}]}


def end_event(kind: str = "completed", output: Any = (), **more: Any) -> bytes:
    return Responses.event(f"response.{kind}", response={**Responses.response(kind, output), **more})


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([end_event(output=[{**MESSAGE, "status": "incomplete"}])], "model.interrupted"),
        ([end_event(output=[{**MESSAGE, "status": "failed"}])], "model.interrupted"),
        ([end_event(incomplete_details={"reason": "length"})], "model.cut_short"),
        ([end_event(incomplete_details={"reason": "max_tokens"})], "model.cut_short"),
        ([end_event(incomplete_details={"reason": "max_output_tokens"})], "model.cut_short"),
        ([end_event(incomplete_details={"reason": "content_filter"})], "model.content_filter"),
        ([end_event(incomplete_details={"reason": "abort"})], "model.interrupted"),
        ([end_event(incomplete_details={"reason": "stop"})], "model.interrupted"),
        ([end_event("incomplete")], "model.interrupted"),
        ([end_event("incomplete", status="completed")], "model.interrupted"),
        ([end_event("incomplete", incomplete_details={"reason": "max_output_tokens"})], "model.cut_short"),
        ([end_event("cancelled")], "model.interrupted"),
        ([end_event("cancelled", status="completed")], "model.interrupted"),
        ([end_event("failed", error={"code": "server_error", "message": "x"})], "model.failed"),
        ([end_event("failed", status="completed", error=None)], "model.failed"),
        ([end_event("failed", error={"code": "rate_limit_exceeded", "message": "x"})], "model.rate_limited"),
        ([end_event(error={"code": "server_error", "message": "x"})], "model.failed"),
        ([end_event(status="failed")], "model.failed"),
        ([end_event(status="incomplete")], "model.interrupted"),
        ([end_event(status="queued")], "model.interrupted"),
        ([], "model.interrupted"),
        ([DONE_LINE], "model.interrupted"),
        ([Responses.event("error", error={"message": "x"})], "model.failed"),
        ([Responses.event("response.error", error={"message": "x"})], "model.failed"),
        ([line(error={"message": "x", "code": "rate_limit_exceeded"})], "model.rate_limited"),
        ([line(error="x")], "model.failed"),
        ([line(detail="x")], "model.failed"),
        ([line(message="x", code=500)], "model.failed"),
        ([Responses.event("response.output_text.delta", delta=" é")[:-12], b"\n\n"], "model.interrupted"),
        ([Responses.event("response.output_item.done", item={**MESSAGE, "status": "incomplete"}), end_event()],
         "model.interrupted"),
    ],
)  # fmt: skip
async def test_a_response_without_its_end_is_half(stub: ProviderStub, pieces: list[bytes], code: str) -> None:
    assert await run(stub, "responses", *BEGUN, *pieces) == ("It is", code, [], 1)


async def test_a_call_that_is_said_to_be_incomplete_is_not_made(stub: ProviderStub) -> None:
    outcome = await run(stub, "responses", *response_call('{"place": "Bern"}', status="incomplete"))
    assert outcome == ("", "model.interrupted", [], 1)


@pytest.mark.parametrize("status", ["completed", "in_progress", None, 7])
async def test_other_words_about_an_item_say_nothing(stub: ProviderStub, status: Any) -> None:
    outcome = await run(stub, "responses", *response_call('{"place": "Bern"}', status=status))
    assert outcome == ("Told.", None, ["Bern"], 2)


# Bytes


@pytest.mark.parametrize("protocol", ["chat", "responses"])
async def test_a_body_that_is_shorter_than_announced_is_half(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    answer = Chat.part("It is", then="end") if protocol == "chat" else Responses.part("It is", then="end")
    body = b"".join(answer.pieces)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(body) + 500}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = ProviderConnection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", max_retries=0)
    assert await ask(connection, protocol) == ("It is", "model.interrupted")
    await connection.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("protocol", ["chat", "responses"])
async def test_an_answer_in_one_piece_that_is_cut_is_half(stub: ProviderStub, protocol: str) -> None:
    answer = Chat.whole("It is é") if protocol == "chat" else Responses.whole("It is é")
    outcome = await run(stub, protocol, answer.pieces[0][:-20], headers={"content-type": "application/json"})
    assert outcome == ("", "model.interrupted", [], 1)


# A text is said once


def response_text(reader: ResponsesReader, *events: Event) -> str:
    updates = [update for event in events for update in reader.read([event])]
    return "".join(update.text for update in updates)


def test_the_whole_of_a_text_that_comes_after_its_item_repeats_nothing() -> None:
    added: Event = {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": []}}
    delta: Event = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "delta": "It is"}
    item: Event = {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE}
    for late_id, place in (("msg_1", 0), ("other", 0), (None, 0), (None, None), ("other", None), ("other", 5)):
        late: Event = {"type": "response.output_text.done", "item_id": late_id, "output_index": place, "text": "It is"}
        again: Event = {**item, "output_index": place, "item": {**MESSAGE, "id": late_id}}
        end: Event = {"type": "response.completed", "response": {"output": [{**MESSAGE, "id": late_id}]}}
        assert response_text(ResponsesReader(), added, delta, item, late, again, end) == "It is"


def test_two_messages_that_say_the_same_are_two() -> None:
    first: list[Event] = [json.loads(each.split(b"data: ")[1]) for each in BEGUN]
    second = [{**event, "output_index": 1, "item_id": "msg_2"} for event in first[2:]]
    reader = ResponsesReader()
    item: Event = {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE}
    other: Event = {"type": "response.output_item.added", "output_index": 1, "item": {**MESSAGE, "id": "msg_2"}}
    assert response_text(reader, *first, item, other, *second) == "It isIt is"


def test_the_end_of_another_answer_is_no_end() -> None:
    reader = CompletionsReader()
    list(reader.read([{"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]}, DONE]))
    assert (list(reader.close()), reader.finish_reason) == ([], None)
