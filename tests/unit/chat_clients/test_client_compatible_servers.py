"""Servers with deviating Chat Completions protocols: known deviations, and their handling."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import ChatResponse, Message

from chat_clients.http.answer_forms import MAX_SHOWN_BYTES, AnswerBodyParser, NoAnswerError
from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.http.server_events import DONE, Event, EventParser
from chat_clients.model_client import CompletionsChatClient
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.tool_names import ToolNames
from errors import ModelError
from tests.unit.provider_stub import Answer, Chat, ProviderStub

STREAM = {"content-type": "text/event-stream"}


@pytest.fixture(autouse=True)
def only_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def chunk(finish: str | None = None, **delta: Any) -> Event:
    return {"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(arguments: Any, name: str | None = None, **more: Any) -> Event:
    return chunk(tool_calls=[{**more, "function": {"arguments": arguments, "name": name}}])


def read(*events: Event) -> ChatResponse[Any]:
    reader = CompletionsReader()
    return ChatResponse.from_updates([*reader.read(list(events)), *reader.close()])


def calls_of(*events: Event) -> list[tuple[str | None, Any]]:
    contents = [content for message in read(*events).messages for content in message.contents]
    found = [content for content in contents if content.type == "function_call"]
    assert len({content.call_id for content in found}) == len(found)
    return [(content.name, json.loads(content.arguments)) for content in found]


# Tool calls


@pytest.mark.parametrize(
    "pieces",
    [
        [call('{"a": 1}', "f", index=0), call('{"b": 2}', "g", index=0)],
        [call('{"a": 1}', "f", index=0, id=""), call('{"b": 2}', "g", index=0, id="")],
        [call('{"a": ', "f", index=0), call("1}", "f", index=0), call('{"b": ', "g", index=0), call("2}", index=0)],
        [call('{"a": 1}', "f", index=0, id="same"), call('{"b": 2}', "g", index=1, id="same")],
        [call({"a": 1}, "f"), call({"b": 2}, "g")],
        [call({"a": 1}, "f", index=0), call({"b": 2}, "g", index=0)],
        [call('{"a": 1}', "f", index=None, id=None), call('{"b": 2}', "g", index=None, id=None)],
    ],
)
def test_parallel_calls_are_distinguished_whatever_fields_they_lack(pieces: list[Event]) -> None:
    assert calls_of(*pieces, chunk("tool_calls"), DONE) == [("f", {"a": 1}), ("g", {"b": 2})]


@pytest.mark.parametrize(
    "pieces",
    [
        [call("", "f", index=0, id="x"), call('{"a": ', "f", index=0, id="x"), call("1}", "f", index=0, id="x")],
        [call('{"a": ', "f", index=0, id="x"), call("1}", "f", index=0, id="y")],
        [call("", "f", id="x"), call('{"a": 1}', index=0)],
        [call('{"a": 1}', "f", index=0, id="x"), call('{"a": 1}', "f", index=1, id="x")],
        [call('{"a": 1}', "f", id="x"), call('{"a": 1}', "f", id="x")],
        [
            call('{"a"', "f", index=0, id="x"),
            call('{"a": ', "f", index=0, id="x"),
            call('{"a": 1}', "f", index=0, id="x"),
        ],
        [call('{"a"', "f", index=0), call('{"a": 1', "f", index=0), call('{"a": 1}', "f", index=0)],
        [chunk(function_call={"name": "f", "arguments": ""}), chunk(function_call={"arguments": '{"a": 1}'})],
        [chunk(function_call={"name": "f", "arguments": '{"a": 1}'}, tool_calls=None)],
        [chunk(tool_calls=[{"index": 0, "id": "x", "name": "f", "arguments": '{"a": 1}'}])],
        [call('{"a"', index=0, id="x"), call(": ", index=0), call("1}", "f", index=0)],
    ],
)
def test_repeated_or_changed_ids_in_pieces_begin_no_new_call(pieces: list[Event]) -> None:
    assert calls_of(*pieces, chunk("tool_calls"), DONE) == [("f", {"a": 1})]


def test_a_name_in_pieces_and_a_repeated_name_are_one_name() -> None:
    reader = CompletionsReader(ToolNames(["weather", "weather_today"]))
    pieces = [call("", "wea", index=0, id="x"), call("", "ther", index=0), call("{}", index=0)]
    pieces += [call("", "weather_today", index=1, id="y"), call("{}", "weather_today", index=1, id="y")]
    updates = [*reader.read([*pieces, chunk("tool_calls"), DONE]), *reader.close()]
    contents = [content for message in ChatResponse.from_updates(updates).messages for content in message.contents]
    assert [content.name for content in contents if content.type == "function_call"] == ["weather", "weather_today"]


def test_arguments_without_a_name_are_half_a_call() -> None:
    assert read(call('{"a": 1}', index=0, id="x"), chunk("tool_calls"), DONE).finish_reason == "interrupted"


@pytest.mark.parametrize("arguments", [None, "", {}, "{}"])
def test_a_call_without_arguments_has_none(arguments: Any) -> None:
    assert calls_of(call(arguments, "f", index=0, id="x"), chunk("tool_calls"), DONE) == [("f", {})]


@pytest.mark.parametrize("nothing", [None, [], [None], [{}], [{"function": None}]])
def test_calls_that_are_none_change_nothing(nothing: Any) -> None:
    response = read(chunk(content="Hi", tool_calls=nothing), chunk("stop"), DONE)
    assert (response.text, response.finish_reason, len(response.messages[0].contents)) == ("Hi", "stop", 1)


def test_calls_that_come_after_the_reason_to_stop_are_calls() -> None:
    events = [chunk("stop", content="One moment."), call('{"a": 1}', "f", index=0, id="x"), DONE]
    assert calls_of(*events) == [("f", {"a": 1})]
    assert read(*events).finish_reason == "tool_calls"


def test_arguments_that_are_an_object_are_understood_in_responses_too() -> None:
    item = {"id": "fc_1", "type": "function_call", "call_id": "x", "name": "f", "arguments": {"a": 1}}
    end = {"type": "response.completed", "response": {"id": "r", "output": [item]}}
    response = ChatResponse.from_updates(list(ResponsesReader().read([end])))
    assert json.loads(response.messages[0].contents[0].arguments) == {"a": 1}


# Text, thoughts and the end


@pytest.mark.parametrize(
    "events",
    [
        [chunk(content="Hi"), chunk("stop")],
        [chunk(content="Hi"), chunk("", content=None), chunk("stop", content=None), DONE],
        [chunk(role="assistant", content=None), chunk(content="Hi", refusal=None), chunk("eos"), DONE],
        [{"id": "", "model": "", "choices": [], "prompt_filter_results": []}, chunk(content="Hi"), chunk("stop"), DONE],
        [chunk(content="Hi"), {"choices": [{"index": 0, "finish_reason": None}]}, chunk("stop"), DONE],
        [chunk(content="Hi"), {**chunk("stop"), "error": None}, {"choices": [], "usage": {"total_tokens": 3}}, DONE],
        [chunk(content="Hi"), {"choices": [{"delta": {}, "message": {"content": "Hi"}, "finish_reason": "stop"}]}],
        [chunk(content=[{"type": "text", "text": "Hi"}, None, "odd", {"type": "text"}]), chunk("stop"), DONE],
        [chunk(content={"type": "text", "text": "Hi"}), chunk("stop"), DONE],
        [chunk(content=["H", "i"]), chunk("stop"), DONE],
        [chunk(content=[{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}]), chunk("stop"), DONE],
        [chunk(content=[{"type": "reasoning", "text": "Hm."}]), chunk(content="Hi"), chunk("stop"), DONE],
    ],
)
def test_an_answer_is_whole_in_every_form_it_has(events: list[Event]) -> None:
    response = read(*events)
    assert (response.text, response.finish_reason) == ("Hi", "stop")


def test_an_answer_that_begins_with_an_empty_id_has_one() -> None:
    opening = {"id": "", "choices": [], "prompt_filter_results": []}
    assert read(opening, chunk(content="Hi"), chunk("stop"), DONE).response_id == "c1"


def test_a_thought_in_two_fields_is_shown_once() -> None:
    response = read(chunk(reasoning_content="Hm.", reasoning="Hm."), chunk(content="Hi"), chunk("stop"), DONE)
    assert [(content.type, content.text) for content in response.messages[0].contents] == [
        ("text_reasoning", "Hm."),
        ("text", "Hi"),
    ]


def test_counts_that_are_missing_spoil_no_sum() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": None, "prompt_tokens_details": []}
    response = read(chunk(content="Hi"), chunk("stop"), {"choices": [], "usage": usage}, DONE)
    assert response.usage_details == {"input_token_count": 3}


# Failures


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"error": {"message": "x", "code": 500, "type": "server_error"}}, "model.failed"),
        ({"choices": [], "error": {"message": "x", "code": "rate_limit_exceeded"}}, "model.rate_limited"),
        ({**chunk("error", content=""), "error": {"message": "x", "code": 429}}, "model.rate_limited"),
        ({"error": {"code": 400, "type": "exceed_context_size_error", "message": "x"}}, "model.too_long"),
        ({"error": {"message": "the request exceeds the available context size"}}, "model.too_long"),
        ({"object": "error", "message": "maximum context length is 4096 tokens", "code": 400}, "model.too_long"),
        ({"error": "Trying to keep the first tokens when context length of only 4096"}, "model.too_long"),
        ({"errors": [{"message": "AiError: too many tokens", "code": 8007}]}, "model.too_long"),
        ({"success": False, "message": "Out of credits"}, "model.no_quota"),
        ({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "model.no_quota"),
        ({"error_msg": "Token quota exhausted", "error_code": 17}, "model.no_quota"),
        ({"message": "Too many requests"}, "model.rate_limited"),
        ({"fault": {"faultstring": "Rate limit quota violation"}}, "model.rate_limited"),
    ],
)
def test_an_error_within_the_answer_ends_it_and_says_why(event: Event, code: str) -> None:
    for reader in (CompletionsReader(), ResponsesReader()):
        begin = chunk(content="Half") if isinstance(reader, CompletionsReader) else {"type": "response.created"}
        with pytest.raises(ModelError) as failure:
            list(reader.read([begin, event, DONE]))
        assert failure.value.code == code


@pytest.mark.parametrize(
    "event",
    [
        {"base_resp": {"status_code": 0, "status_msg": ""}},
        {"type": "message_start", "message": {"role": "assistant"}},
        {"message": {"role": "assistant", "content": "Hi"}, "done": False},
        {"type": "ping"},
    ],
)
def test_events_without_content_are_no_error(event: Event) -> None:
    assert read(event, chunk(content="Hi"), chunk("stop"), DONE).text == "Hi"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": {"code": 400, "type": "exceed_context_size_error", "message": "x"}}, "model.too_long"),
        (400, {"object": "error", "message": "This model's maximum context length is 4096"}, "model.too_long"),
        (500, {"error": {"message": "context size has been exceeded"}}, "model.too_long"),
        (400, {"error": {"message": "registry.ollama.ai/library/x does not support tools"}}, "model.bad_request"),
        (400, {"error": "odd"}, "model.bad_request"),
        (404, {"error": {"message": "model 'x' not found", "type": "api_error"}}, "model.not_found"),
        (401, {"error": {"message": "context size", "code": "invalid_api_key"}}, "model.refused_key"),
    ],
)
async def test_a_refusal_says_why(status: int, body: Any, code: str) -> None:
    async with ProviderStub() as stub:
        stub.will_always(Answer(status, {"content-type": "application/json"}, (json.dumps(body).encode(),)))
        connection = ProviderConnection(stub.url, max_retries=0)
        with pytest.raises(ModelError) as failure:
            await ask(connection)
        await connection.close()
    assert failure.value.code == code
    assert "context size" not in failure.value.message


# Streams


@pytest.mark.parametrize(
    "empty", [b"data:\n\n", b"data: \n\n", b"data:\r\n\r\n", b": ping\n\n", b"event: ping\n\n", b"\n\n"]
)
def test_empty_events_keep_a_stream_alive_and_say_nothing(empty: bytes) -> None:
    parser = EventParser()
    assert parser.feed(empty + b'data: {"a": 1}\n\n' + empty) == [{"a": 1}]
    assert parser.failure is None


A, B = b'{"choices":[{"delta":{"content":"Hi "}}]}', b'{"choices":[{"delta":{"content":"you"},"finish_reason":"stop"}]}'


@pytest.mark.parametrize(
    "body",
    [
        b"data: %b\ndata: %b\ndata: [DONE]\n\n" % (A, B),
        b"data: %b\ndata: %b" % (A, B),
        b"data: data: %b\n\ndata: data: %b\n\n" % (A, B),
        b"data: null\n\ndata: %b\n\ndata: %b\n" % (A, B),
        b"event: message\r\ndata: %b\r\n\r\nevent: done\r\ndata: %b\r\n" % (A, B),
        b"data: %b\n\ndata: %b\ndata: %b\n\n" % (A, B[:11], b" " + B[11:]),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_events_are_separated_even_without_blank_lines(body: bytes, size: int) -> None:
    parser = EventParser()
    events = [event for at in range(0, len(body), size) for event in parser.feed(body[at : at + size])]
    assert read(*events, *parser.close()).text == "Hi you"
    assert parser.failure is None


def test_an_unterminated_event_does_not_count_until_its_json_is_complete() -> None:
    for end in range(1, len(B)):
        parser = EventParser()
        assert parser.feed(b"data: " + B[:end]) == []
        assert parser.close() == []


@pytest.mark.parametrize("name", ["response.output_text.delta", "error"])
def test_an_event_that_says_only_in_its_name_what_it_is_is_that(name: str) -> None:
    parser = EventParser()
    [event, other] = parser.feed(b'event: %b\ndata: {"delta": "Hi"}\n\ndata: {"delta": "Hi"}\n\n' % name.encode())
    assert (event["type"], "type" in other) == (name, False)


def test_an_error_in_a_field_of_its_own_is_an_error() -> None:
    parser = EventParser()
    events = parser.feed(
        b'error: {"code":400,"message":"the request exceeds the available context size"}\n\ndata: [DONE]\n\n'
    )
    with pytest.raises(ModelError) as failure:
        list(CompletionsReader().read(events))
    assert failure.value.code == "model.too_long"


@pytest.mark.parametrize("end", [b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\n\n", b"", b": bye\n"])
async def test_an_answer_ends_with_its_stream_however_that_ends(end: bytes) -> None:
    async with ProviderStub() as stub:
        stub.will(Answer(200, STREAM, (Chat.chunk({"content": "Hi"}), Chat.chunk({}, "stop"), end)))
        connection = ProviderConnection(stub.url, max_retries=0)
        assert await ask(connection) == "Hi"
        await connection.close()


async def ask(connection: ProviderConnection) -> str:
    model = CompletionsChatClient(connection=connection, model="m", path="/chat")
    updates = model.get_response([Message("user", ["?"])], stream=True)
    return "".join([update.text async for update in updates])


# Other protocols


MESSAGE = {"id": "m1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi you"}]}


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "response.content_part.done", "item_id": "m1", "part": {"type": "output_text", "text": "Hi you"}}],
        [{"type": "response.output_item.done", "item": {**MESSAGE, "content": "Hi you"}}],
        [
            {"type": "response.output_text.delta", "item_id": name, "delta": text}
            for name, text in zip("ab", ("Hi ", "you"), strict=True)
        ],
        [{"type": "response.output_text.delta", "delta": text} for text in ("Hi ", "you")],
    ],
)
@pytest.mark.parametrize("is_repeated", [True, False])
def test_a_response_is_shown_once_whatever_its_events_lack(events: list[Event], is_repeated: bool) -> None:
    end = {"id": "r", "status": "completed", "output": [MESSAGE] if is_repeated else []}
    updates = list(ResponsesReader().read([*events, {"type": "response.completed", "response": end}]))
    assert ChatResponse.from_updates(updates).text == "Hi you"


def test_text_beside_a_delta_that_is_not_there_is_the_answer() -> None:
    pieces: list[Event] = [{"choices": [{"index": 0, "text": text, "finish_reason": end}]} for text, end in TEXTS]
    assert read(*pieces, DONE).text == "Hello there"


TEXTS = [("Hello", None), (" there", None), ("", "stop")]


async def test_the_log_contains_the_form_of_an_answer_in_an_unknown_format(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with ProviderStub() as stub:
        event = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "secret"}}
        stub.will(Answer(200, STREAM, (f"data: {json.dumps(event)}\n\n".encode(),)))
        connection = ProviderConnection(stub.url, max_retries=0)
        with pytest.raises(ModelError):
            await ask(connection)
        await connection.close()
    [record] = [each for each in caplog.records if "nothing that is read" in each.message]
    assert record.__dict__["event"] == "{type: str, delta: {type: str, text: str}}"


PAGE = b"\n<!DOCTYPE html>\n<title>Sign in</title>"
ANSWER = {"id": "c1", "choices": [{"index": 0, "message": {"content": "Hi you"}, "finish_reason": "stop"}]}
LINES = [chunk(content="Hi "), chunk(content="you"), chunk("stop")]
BODIES = [
    json.dumps(ANSWER).encode(),
    b"\xef\xbb\xbf\n" + json.dumps(ANSWER, indent=1).encode() + b"\r\n",
    b"".join(json.dumps(line).encode() + b"\n" for line in LINES),
    b"\r\n".join(json.dumps(line).encode() for line in LINES),
    b"\n \n" + Chat.chunk({"content": "Hi you"}) + Chat.chunk({}, "stop"),
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kind", [None, "application/json", "text/event-stream", "text/html; charset=utf-8"])
@pytest.mark.parametrize("size", [1, 1000])
async def test_an_answer_is_read_in_the_form_that_it_has_whatever_it_is_called(
    stub: ProviderStub, body: bytes, kind: str | None, size: int
) -> None:
    pieces = tuple(body[at : at + size] for at in range(0, len(body), size))
    stub.will(Answer(200, {"content-type": kind} if kind else {}, pieces))
    connection = ProviderConnection(stub.url, max_retries=0)
    assert await ask(connection) == "Hi you"
    await connection.close()


@pytest.mark.parametrize("body", BODIES[:4])
def test_half_of_an_answer_in_json_is_no_answer(body: bytes) -> None:
    for end in range(len(body.rstrip()) - 1):
        parser = AnswerBodyParser()
        try:
            events = [*parser.feed(body[:end]), *parser.close()]
        except NoAnswerError:
            continue
        reader = CompletionsReader()
        list(reader.read(events))
        list(reader.close())
        assert parser.failure is not None or reader.finish_reason is None


@pytest.mark.parametrize("body", [PAGE, b"no healthy upstream", b"7\n\n"])
@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/event-stream"])
async def test_a_page_is_no_answer_and_the_operator_reads_once_how_it_begins(
    stub: ProviderStub, caplog: pytest.LogCaptureFixture, body: bytes, kind: str
) -> None:
    stub.will(Answer(200, {"content-type": kind}, (body, b"x" * 1000)))
    connection = ProviderConnection(stub.url, max_retries=0)
    with pytest.raises(ModelError) as failure:
        await ask(connection)
    await connection.close()
    assert failure.value.code == "model.no_answer"
    [begins] = [each.__dict__["begins"] for each in caplog.records if each.name.startswith("chat_clients")]
    assert begins.startswith(body.decode().split()[0])
    assert len(begins) <= MAX_SHOWN_BYTES


@pytest.mark.parametrize(
    "pieces", [[chunk(content="\n\n")], [chunk(role="assistant", content="")], [chunk(delta=None)]]
)
async def test_an_empty_answer_is_logged_once_and_not_as_an_unknown_format(
    stub: ProviderStub, caplog: pytest.LogCaptureFixture, pieces: list[Event]
) -> None:
    caplog.set_level("INFO", "chat_clients")
    stub.will(Answer(200, STREAM, tuple(f"data: {json.dumps(each)}\n\n".encode() for each in [*pieces, chunk("stop")])))
    connection = ProviderConnection(stub.url, max_retries=0)
    await ask(connection)
    await connection.close()
    assert [each.message for each in caplog.records if each.name.startswith("chat_clients")] == [
        "model has said nothing"
    ]
