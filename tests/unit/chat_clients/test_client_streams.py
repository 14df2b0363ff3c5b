"""Streams in our clients: event by event, merged while they wait, over reused connections."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx
import pytest
from agent_framework import ChatResponse, ChatResponseUpdate, Message
from hypothesis import given
from hypothesis import strategies as st

from chat_clients.failures import explain_model_failure
from chat_clients.http.connection import Connection
from chat_clients.http.provider_connection import MAX_CACHED_URLS, ProviderConnection
from chat_clients.http.server_events import DONE, BrokenStreamError, Event, EventParser
from chat_clients.http.status_errors import ProviderStatusError
from chat_clients.http.transport import DirectTransport
from chat_clients.model_client import CompletionsChatClient
from chat_clients.protocols.complete_answers import stream_answer
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.responses_request import build_responses_request
from errors import ModelError
from tests.unit.chat_clients.test_backpressure import Steady
from tests.unit.provider_stub import Answer, Chat, ProviderStub, Responses, error
from tests.waiting import until

# Events


def parse(data: bytes, cuts: list[int] | None = None) -> list[Event]:
    parser = EventParser()
    places = [0, *sorted(cuts or []), len(data)]
    events = [event for at, end in pairwise(places) for event in parser.feed(data[at:end])]
    assert parser.failure is None
    return events


STREAM = (
    b': a comment\r\nevent: x\r\ndata: {"a": "\xc3\xa9"}\r\n\r\n'
    b'id: 7\ndata:{"b":\r\ndata: 2}\r\n\r\ndata: {"c": 3}\r\rdata: [DONE]\n\n'
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=len(STREAM)))
def test_events_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    assert parse(STREAM, cuts) == [{"a": "é"}, {"b": 2}, {"c": 3}, DONE]


def test_events_arrive_byte_by_byte_too() -> None:
    assert parse(STREAM, list(range(len(STREAM)))) == parse(STREAM)


def test_an_unterminated_event_does_not_count() -> None:
    assert parse(b'data: {"a": 1}\n\ndata: {"b": 2}\n') == [{"a": 1}]


@pytest.mark.parametrize("line", [b"data: {", b"data: [1]", b'data: "x"', b"data: \xff", b"data: " + b"[" * 100_000])
def test_events_before_a_broken_one_are_still_delivered(line: bytes) -> None:
    parser = EventParser()
    assert parser.feed(b'data: {"a": 1}\n\n' + line + b'\n\ndata: {"b": 2}\n\n') == [{"a": 1}]
    assert isinstance(parser.failure, BrokenStreamError)
    assert parser.feed(b'data: {"c": 3}\n\n') == []


@pytest.mark.parametrize("piece", [b"x" * 40, b"data:\n", b"data: x\n" * 10, b"x"])
def test_an_event_without_end_is_not_kept_for_ever(piece: bytes) -> None:
    parser = EventParser(max_event_bytes=1000)
    for _ in range(40):
        parser.feed(piece)
    assert "longer than 1000 bytes" in str(parser.failure)


def test_events_of_any_number_are_not_taken_for_a_long_one() -> None:
    parser = EventParser(max_event_bytes=1000)
    for _ in range(50):
        assert len(parser.feed(b'data: {"a": 1}\n\n' * 200)) == 200


def test_an_event_may_be_as_long_as_the_bound_in_however_many_reads() -> None:
    parser = EventParser(max_event_bytes=100_000)
    data = b'data: "' + b"x" * 99_000 + b'"\n\n'
    [] = [event for at in range(0, len(data), 40_000) for event in parser.feed(data[at : at + 40_000])]
    assert "JSON str" in str(parser.failure)  # read to its end, and only then found to be no object


# Text


def read(reader: Any, *batches: list[Event]) -> list[ChatResponseUpdate]:
    updates = [update for batch in batches for update in reader.read(batch)]
    return [*updates, *reader.close()]


def delta(text: str, item_id: str = "msg_1") -> Event:
    return {"type": "response.output_text.delta", "item_id": item_id, "content_index": 0, "delta": text}


def chunk(finish: str | None = None, **change: Any) -> Event:
    return {"id": "c1", "choices": [{"index": 0, "delta": change, "finish_reason": finish}]}


def texts(updates: list[ChatResponseUpdate]) -> list[str]:
    return [update.text for update in updates if update.text]


def completed(*output: dict[str, Any]) -> Event:
    return {"type": "response.completed", "response": Responses.response("completed", output)}


def test_deltas_that_arrive_together_are_one_update_and_those_that_do_not_are_not() -> None:
    updates = read(ResponsesReader(), [delta("It "), delta("is ")], [delta("22 °C.")])
    assert texts(updates) == ["It is ", "22 °C."]
    updates = read(CompletionsReader(), [chunk(content="It "), chunk(content="is ")], [chunk(content="22 °C.")])
    assert texts(updates) == ["It is ", "22 °C."]


def test_two_messages_of_one_response_keep_apart() -> None:
    pieces = [{**delta("One."), "output_index": 0}, {**delta("Two.", "msg_2"), "output_index": 1}]
    updates = read(ResponsesReader(), [*pieces, completed()])
    assert [(update.message_id, update.text) for update in updates if update.text] == [
        ("msg_1", "One."),
        ("msg_2", "Two."),
    ]
    assert [message.text for message in ChatResponse.from_updates(updates).messages] == ["One.", "Two."]


def test_thoughts_and_text_that_arrive_together_keep_their_order() -> None:
    batch = [chunk(reasoning="Hm"), chunk(reasoning="m."), chunk(content="Yes"), chunk(content=".")]
    contents = [content for update in read(CompletionsReader(), batch) for content in update.contents]
    assert [(content.type, content.text) for content in contents] == [("text_reasoning", "Hmm."), ("text", "Yes.")]


def test_a_text_that_the_end_repeats_is_not_shown_again() -> None:
    message = {"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": "Rain."}]}
    done = {"type": "response.output_text.done", "item_id": "msg_1", "content_index": 0, "text": "Rain."}
    item = {"type": "response.output_item.done", "output_index": 0, "item": message}
    updates = read(ResponsesReader(), [delta("Ra"), delta("in."), done, item, completed(message)])
    assert texts(updates) == ["Rain."]


def test_a_text_of_which_a_part_was_lost_is_completed() -> None:
    done = {"type": "response.output_text.done", "item_id": "msg_1", "content_index": 0, "text": "Rain."}
    assert texts(read(ResponsesReader(), [delta("Ra"), done, completed()])) == ["Ra", "in."]


def test_a_text_that_ends_otherwise_than_it_began_is_replaced() -> None:
    done = {"type": "response.output_text.done", "item_id": "msg_1", "content_index": 0, "text": "Snow."}
    response = ChatResponse.from_updates(read(ResponsesReader(), [delta("Ra"), done, completed()]))
    assert response.text == "Snow."


def test_a_response_with_only_a_final_event_is_read_from_it() -> None:
    message = {"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": "Rain."}]}
    call = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a": 1}'}
    response = ChatResponse.from_updates(read(ResponsesReader(), [completed(message, call)]))
    assert (response.text, response.finish_reason) == ("Rain.", "tool_calls")
    assert response.messages[-1].contents[-1].arguments == '{"a": 1}'


def test_the_name_of_the_last_event_is_enough_of_an_end() -> None:
    reader = ResponsesReader()
    delta = {"type": "response.output_text.delta", "delta": "Hi"}
    list(reader.read([delta, {"type": "response.completed", "response": {"id": "r"}}]))
    assert (reader.is_done, reader.finish_reason) == (True, "stop")


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_citation_in_a_later_part_counts_from_the_beginning_of_the_message(is_streamed: bool) -> None:
    cited = {"type": "url_citation", "url": "https://e.example/", "start_index": 0, "end_index": 3}
    parts = [
        {"type": "output_text", "text": "First part. "},
        {"type": "output_text", "text": "Two.", "annotations": [cited]},
    ]
    message = {"id": "msg_1", "type": "message", "content": parts}
    words = [{**delta(part["text"]), "content_index": at} for at, part in enumerate(parts)]
    told = {
        "type": "response.output_text.annotation.added",
        "item_id": "msg_1",
        "content_index": 1,
        "annotation": cited,
    }
    updates = read(ResponsesReader(), [*words, told] if is_streamed else [], [completed(message)])
    [found] = [each for update in updates for content in update.contents for each in content.annotations or ()]
    assert [(r["start_index"], r["end_index"]) for r in found["annotated_regions"]] == [(12, 15)]


def test_the_paragraphs_of_a_summary_keep_apart() -> None:
    summary = {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1"}
    batch = [{**summary, "summary_index": at, "delta": text} for at, text in enumerate(("One.", "Two."))]
    response = ChatResponse.from_updates(read(ResponsesReader(), [*batch, completed()]))
    assert response.messages[0].contents[0].text == "One.\n\nTwo."


def test_code_is_shown_as_it_is_written_and_its_output_at_the_end() -> None:
    written = {"type": "response.code_interpreter_call_code.delta", "item_id": "ci_1", "output_index": 0}
    item = {
        "id": "ci_1",
        "type": "code_interpreter_call",
        "code": "print(1)",
        "status": "completed",
        "outputs": [{"type": "logs", "logs": "1\n"}, {"type": "image", "url": "https://x.example/plot.png"}],
    }
    batch = [{**written, "delta": "print"}, {**written, "delta": "(1)"}]
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    updates = read(ResponsesReader(), batch, [done, completed()])
    call, result = ChatResponse.from_updates(updates).messages[0].contents
    assert (call.type, call.inputs[0].text) == ("code_interpreter_tool_call", "print(1)")
    assert [output.text or output.uri for output in result.outputs] == ["1\n", "https://x.example/plot.png"]


def test_commands_of_the_providers_shell_are_shown_with_their_output() -> None:
    call = {
        "id": "sh_1",
        "type": "shell_call",
        "call_id": "call_1",
        "status": "completed",
        "action": {"commands": ["ls", "sleep 9"], "timeout_ms": 5_000, "max_output_length": 100},
    }
    output = {
        "id": "sho_1",
        "type": "shell_call_output",
        "call_id": "call_1",
        "max_output_length": 100,
        "output": [
            {"stdout": "a.txt\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
            {"stdout": "", "stderr": "too slow", "outcome": {"type": "timeout"}},
        ],
    }
    done = [{"type": "response.output_item.done", "item": item} for item in (call, output)]
    updates = read(ResponsesReader(), done, [completed()])
    asked, said = ChatResponse.from_updates(updates).messages[0].contents
    assert (asked.type, asked.call_id, asked.commands, asked.timeout_ms) == (
        "shell_tool_call", "call_1", ["ls", "sleep 9"], 5_000,
    )  # fmt: skip
    assert (said.type, said.call_id) == ("shell_tool_result", "call_1")
    assert [(o.stdout, o.stderr, o.exit_code, o.timed_out) for o in said.outputs] == [
        ("a.txt\n", "", 0, False),
        ("", "too slow", None, True),
    ]
    # A thought is only accepted together with what it led to.
    messages = [Message("user", ["Go"]), Message("assistant", [asked, said]), Message("user", ["And?"])]
    assert build_responses_request("m", messages, {}, stream=True)["input"][1:-1] == [call, output]


def test_a_picture_is_shown_while_it_is_drawn() -> None:
    added = {"type": "response.output_item.added", "item": {"id": "ig_1", "type": "image_generation_call"}}
    partial = {
        "type": "response.image_generation_call.partial_image",
        "item_id": "ig_1",
        "partial_image_index": 0,
        "partial_image_b64": "iVBORw0KGgo=",
    }
    done = {
        "type": "response.output_item.done",
        "item": {"id": "ig_1", "type": "image_generation_call", "result": "iVBORw0KGgo="},
    }
    updates = read(ResponsesReader(), [added, partial, done, completed()])
    contents = [content for update in updates for content in update.contents if content.type != "usage"]
    assert [(content.type, content.image_id) for content in contents] == [
        ("image_generation_tool_call", "ig_1"),
        ("image_generation_tool_result", "ig_1"),
        ("image_generation_tool_result", "ig_1"),
    ]
    assert contents[1].outputs.additional_properties["is_partial_image"] is True
    assert contents[2].outputs.uri == "data:image/png;base64,iVBORw0KGgo="


def test_a_hosted_call_is_reported_once_and_its_failure_without_details() -> None:
    item = {"id": "mcp_1", "type": "mcp_call", "name": "find", "server_label": "docs", "arguments": ""}
    failed = {**item, "arguments": '{"q": 1}', "output": None, "error": {"message": "dsn=secret"}}
    updates = read(
        ResponsesReader(),
        [{"type": "response.output_item.added", "item": item}],
        [{"type": "response.mcp_call_arguments.done", "item_id": "mcp_1", "arguments": '{"q": 1}'}],
        [{"type": "response.output_item.done", "item": failed}, completed()],
    )
    call, result = (content for update in updates for content in update.contents if content.type != "usage")
    assert (call.tool_name, call.server_name, call.arguments) == ("find", "docs", '{"q": 1}')
    assert result.output[0].text == "The call failed."


def test_a_servers_question_for_approval_is_asked() -> None:
    item = {
        "id": "mcpr_1",
        "type": "mcp_approval_request",
        "name": "send",
        "server_label": "mail",
        "arguments": "{}",
    }
    updates = read(ResponsesReader(), [{"type": "response.output_item.done", "item": item}, completed()])
    [request] = updates[0].contents
    assert (request.type, request.id, request.function_call.server_name) == (
        "function_approval_request",
        "mcpr_1",
        "mail",
    )


# Characters in halves

HALVES = ["Rain \ud83c", "\udf27 and \ud83d", "\udca8", " \ud83d", " lone \udca8"]
JOINED = "Rain 🌧 and 💨 \ufffd lone \ufffd"


def in_halves(protocol: str, kind: str) -> tuple[Any, list[Event], list[Event]]:
    """Return a reader, the pieces of a text or a thought, and what comes after them."""
    if protocol == "completions":
        name = "content" if kind == "text" else "reasoning"
        return CompletionsReader(), [chunk(**{name: half}) for half in HALVES], [chunk("stop"), DONE]
    name = "response.output_text.delta" if kind == "text" else "response.reasoning_summary_text.delta"
    return ResponsesReader(), [{**delta(half), "type": name} for half in HALVES], [completed()]


@pytest.mark.parametrize("protocol", ["responses", "completions"])
@pytest.mark.parametrize("kind", ["text", "thought"])
@pytest.mark.parametrize("is_together", [True, False])
def test_halves_of_characters_are_joined_and_lone_ones_replaced(protocol: str, kind: str, is_together: bool) -> None:
    reader, pieces, end = in_halves(protocol, kind)
    updates = read(reader, *([pieces] if is_together else [[piece] for piece in pieces]), end)
    said = [content.text or "" for update in updates for content in update.contents]
    for piece in said:
        piece.encode()  # what cannot be, cannot be stored or sent
    assert "".join(said) == JOINED


@pytest.mark.parametrize("protocol", ["responses", "completions"])
def test_half_a_character_at_the_end_of_a_broken_answer_is_shown_as_lost(protocol: str) -> None:
    reader, pieces, _ = in_halves(protocol, "text")
    assert "".join(texts(read(reader, pieces[:1]))) == "Rain \ufffd"


def test_halves_in_the_arguments_of_a_call_are_joined() -> None:
    pieces = ['{"a": "\ud83d', '\udca8"}']
    head = tool_call("", index=0, id="x", name="f")
    [(_, _, arguments)] = calls_of(
        [head, *(tool_call(piece, index=0) for piece in pieces)], [chunk("tool_calls"), DONE]
    )
    assert arguments == '{"a": "💨"}'
    item = {"id": "fc_1", "type": "function_call", "call_id": "x", "name": "f", "arguments": ""}
    told = {"type": "response.function_call_arguments.delta", "item_id": "fc_1"}
    events = [{"type": "response.output_item.added", "item": item}, *({**told, "delta": piece} for piece in pieces)]
    updates = read(ResponsesReader(), events, [{"type": "response.output_item.done", "item": item}, completed()])
    assert [content.arguments for update in updates for content in update.contents if content.arguments] == [arguments]


def test_a_piece_without_an_id_belongs_to_the_item_that_is_open_at_its_place() -> None:
    def item(kind: str, name: str, **more: Any) -> Event:
        told = {"id": name, "type": "message", "role": "assistant", "content": [], **more}
        return {"type": f"response.output_item.{kind}", "output_index": 0, "item": told}

    piece = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0}
    events = [item("added", "msg_1"), {**piece, "delta": "One"}, item("done", "msg_1", status="completed")]
    events += [item("added", "msg_2"), {**piece, "delta": "Two"}]
    updates = read(ResponsesReader(), events, [completed()])
    assert [(each.message_id, each.text) for each in updates if each.text] == [("msg_1", "One"), ("msg_2", "Two")]


# Compatible servers


def calls_of(*batches: list[Event]) -> list[tuple[str | None, str | None, str | None]]:
    response = ChatResponse.from_updates(read(CompletionsReader(), *batches))
    contents = [content for message in response.messages for content in message.contents]
    return [(c.call_id, c.name, c.arguments) for c in contents if c.type == "function_call"]


def tool_call(arguments: Any, **more: Any) -> Event:
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return chunk(tool_calls=[{**more, "function": function}])


def test_calls_that_all_have_index_zero_are_distinguished_by_their_ids() -> None:
    calls = calls_of(
        [tool_call('{"a": 1}', index=0, id="x", name="f"), tool_call('{"a": 2}', index=0, id="y", name="f")],
        [chunk("tool_calls"), DONE],
    )
    assert calls == [("x", "f", '{"a": 1}'), ("y", "f", '{"a": 2}')]


def test_calls_without_ids_numbers_or_text_arguments_are_understood() -> None:
    first, second = calls_of(
        [tool_call({"a": 1}, name="f"), tool_call("", name="g"), tool_call('{"b": 2}')], [chunk("stop"), DONE]
    )
    assert first[1:] == ("f", '{"a": 1}')
    assert second[1:] == ("g", '{"b": 2}')
    assert first[0]
    assert first[0] != second[0]


def test_an_answer_that_calls_and_says_stop_is_a_call() -> None:
    reader = CompletionsReader()
    read(reader, [tool_call("{}", index=0, id="x", name="f")], [chunk("stop"), DONE])
    assert reader.finish_reason == "tool_calls"


@pytest.mark.parametrize("ids", [None, "", "each"])
def test_the_chunks_of_a_server_without_steady_ids_are_one_message(ids: str | None) -> None:
    chunks = [{**chunk(content=word), "id": word if ids == "each" else ids} for word in ("a", "b")]
    response = ChatResponse.from_updates(read(CompletionsReader(), *([c] for c in chunks), [DONE]))
    assert [message.text for message in response.messages] == ["ab"]


def test_thoughts_among_the_parts_of_a_content_are_thoughts() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Yes."}]
    response = ChatResponse.from_updates(read(CompletionsReader(), [chunk(content=parts), DONE]))
    assert [(content.type, content.text) for content in response.messages[0].contents] == [
        ("text_reasoning", "Hm."),
        ("text", "Yes."),
    ]


def citation(end: Any = 5, **more: Any) -> dict[str, Any]:
    place = {"url": "https://e.example/1", "title": "One", "start_index": 0, "end_index": end}
    return {"type": "url_citation", "url_citation": place, **more}


def test_citations_of_a_completion_keep_their_places() -> None:
    found = [citation(), {"type": "url_citation"}, "odd"]
    updates = read(CompletionsReader(), [chunk(content="Hello"), chunk(annotations=found)], [chunk("stop"), DONE])
    response = ChatResponse.from_updates(updates)
    [annotation] = [each for content in response.messages[0].contents for each in content.annotations or ()]
    assert (response.text, annotation["url"], annotation["title"]) == ("Hello", "https://e.example/1", "One")
    assert annotation["annotated_regions"][0]["end_index"] == 5


def test_a_completion_in_one_piece_has_its_citations_too() -> None:
    message = {"role": "assistant", "content": "Hello", "annotations": [citation()]}
    whole = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    contents = ChatResponse.from_updates(read(CompletionsReader(), [whole])).messages[0].contents
    assert [each["url"] for content in contents for each in content.annotations or ()] == ["https://e.example/1"]


@pytest.mark.parametrize("odd", [None, [], {}, "x", [citation(end=None)], [{"type": 7}]])
def test_odd_annotations_break_no_answer(odd: Any) -> None:
    updates = read(CompletionsReader(), [chunk(content="Hello", annotations=odd)], [chunk("stop"), DONE])
    assert ChatResponse.from_updates(updates).text == "Hello"


def test_of_a_usage_that_grows_with_every_chunk_the_last_counts() -> None:
    grown = [{**chunk(content="a"), "usage": {"completion_tokens": count}} for count in (1, 2, 3)]
    response = ChatResponse.from_updates(read(CompletionsReader(), grown, [chunk("stop"), DONE]))
    assert response.usage_details is not None
    assert response.usage_details["output_token_count"] == 3


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"error": {"message": "secret", "code": "context_length_exceeded"}}, "model.too_long"),
        ({"object": "error", "message": "secret", "code": 429}, "model.rate_limited"),
        ({"error": "secret"}, "model.failed"),
    ],
)
def test_an_error_among_the_chunks_comes_after_the_text_before_it(event: Event, code: str) -> None:
    seen = []
    with pytest.raises(ModelError) as failure:  # noqa: PT012
        for update in CompletionsReader().read([chunk(content="Half"), event]):
            seen.append(update.text)
    assert (seen, failure.value.code) == (["Half"], code)


async def test_text_that_arrives_with_an_error_is_shown_before_it() -> None:
    async def ask(read: Callable[[list[Event]], Any]) -> AsyncGenerator[Any, None]:
        async def batches() -> AsyncGenerator[Any, None]:
            if (left := read([chunk(content="Half"), {"error": {"message": "secret"}}])) is not None:
                yield left

        return batches()

    seen = []
    with pytest.raises(ModelError):  # noqa: PT012
        async for update in stream_answer(ask, CompletionsReader()):
            seen.append(update.text)
    assert seen == ["Half"]


# Connections


@pytest.fixture
async def connect(stub: ProviderStub) -> AsyncIterator[Callable[..., ProviderConnection]]:
    async with AsyncExitStack() as stack:

        def make(**more: Any) -> ProviderConnection:
            connection = ProviderConnection(stub.url, **{"timeout_s": 5, **more})
            stack.push_async_callback(connection.close)
            return connection

        yield make


Connect = Callable[..., ProviderConnection]


async def ask(connection: ProviderConnection) -> list[list[Event]]:
    return [events async for events in connection.events("/x", {"q": "Grüezi \ud83d"}, list)]


async def test_each_path_has_its_address_and_parameters_however_many_there_are(
    stub: ProviderStub, connect: Connect
) -> None:
    connection = connect(params={"api-version": "1"})
    stub.will_always(Chat.text("Yes."))
    paths = [f"/deployments/model {number}/chat" for number in range(MAX_CACHED_URLS + 2)]
    for path in [*paths, paths[0], paths[-1]]:
        async for _ in connection.events(path, {}, list):
            pass
    asked = [request.target for request in stub.requests]
    assert asked[:2] == ["/deployments/model%200/chat?api-version=1", "/deployments/model%201/chat?api-version=1"]
    assert asked[-2:] == [asked[0], asked[MAX_CACHED_URLS + 1]]
    assert len(set(asked)) == len(paths)


async def test_the_events_of_one_read_are_one_batch(stub: ProviderStub, connect: Connect) -> None:
    stub.will(Chat.text(*"abcdefg"))
    [batch] = await ask(connect())
    assert "".join(read_text(batch)) == "abcdefg"


def read_text(batch: list[Event]) -> list[str]:
    return [choice["delta"].get("content") or "" for event in batch for choice in event.get("choices", ())]


async def test_the_reader_of_events_is_called_at_once_and_wakes_others_only_for_a_result(
    stub: ProviderStub, connect: Connect
) -> None:
    seen: list[int] = []
    stub.will(replace(numbered(6), hold=lambda number: until(lambda: len(seen) >= number)))

    def read_even(events: list[Event]) -> list[int] | None:
        seen.extend(event["number"] for event in events)
        return [number for number in seen[-len(events) :] if number in (2, 5)] or None

    woken = [(batch, len(seen)) async for batch in connect().events("/x", {}, read_even)]
    assert seen == [0, 1, 2, 3, 4, 5]
    assert woken == [([2], 3), ([5], 6)]


async def test_silence_is_counted_from_the_last_piece_also_of_those_that_wake_nobody(
    stub: ProviderStub, connect: Connect
) -> None:
    # A busy machine pauses too: the pauses are far below what is silence, and all of them together are above it.
    stub.will(replace(numbered(8, pause_s=0.15), then="silence"))
    seen: list[Event] = []
    with pytest.raises(httpx.ReadTimeout):
        async for _ in connect(timeout_s=1).events("/x", {}, lambda events: seen.extend(events)):
            pass
    assert len(seen) == 8


async def test_nothing_is_read_while_what_came_before_is_on_its_way(stub: ProviderStub, connect: Connect) -> None:
    seen: list[Event] = []
    is_last_due = asyncio.Event()

    async def hold(number: int) -> None:
        await until(lambda: len(seen) >= min(number, 2))
        if number == 3:
            is_last_due.set()

    stub.will(replace(numbered(4), hold=hold))

    def read(events: list[Event]) -> list[Event]:
        seen.extend(events)
        return events

    batches = connect().events("/x", {}, read)
    # The first arrives with the head of the answer, the second while it is waited for.
    assert [await anext(batches), await anext(batches)] == [[{"number": 0}], [{"number": 1}]]
    await is_last_due.wait()
    for _ in range(20):  # steps of the loop: all the others have arrived
        await asyncio.sleep(0)
    assert seen == [{"number": 0}, {"number": 1}]
    assert [batch async for batch in batches] == [[{"number": 2}, {"number": 3}]]


@pytest.mark.parametrize("pause_s", [0, 0.002])
async def test_an_answer_of_which_nothing_is_left_ends_when_it_ends(
    pause_s: float, stub: ProviderStub, connect: Connect
) -> None:
    stub.will(numbered(3, pause_s=pause_s))
    async with asyncio.timeout(15):
        assert [batch async for batch in connect(timeout_s=60).events("/x", {}, lambda _: None)] == []


async def test_an_answer_whose_end_comes_with_its_last_event_ends_there() -> None:
    event = b'data: {"number": 0}\n\n'
    is_read, is_closed = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(event))
        await asyncio.sleep(0.05)  # the answer is waited for by then
        writer.write(event)
        await is_read.wait()
        writer.close()
        await writer.wait_closed()
        is_closed.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = ProviderConnection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_s=60)
    async with asyncio.timeout(15):
        assert [batch async for batch in connection.events("/x", {}, lambda _: None)] == []
    is_read.set()
    await is_closed.wait()
    await connection.close()
    server.close()
    await server.wait_closed()


class ImmediateServer(asyncio.Transport):
    """Answers at the moment of the request, as far as `begin` says."""

    def __init__(self, connection: Connection, begin: bytes) -> None:
        super().__init__()
        self._connection = connection
        self._begin = begin

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._connection.data_received(self._begin)

    def is_closing(self) -> bool:
        return False


async def test_two_reads_in_one_turn_of_the_loop_are_both_given() -> None:
    connection = Connection(("http", "model", 80))
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    connection.connection_made(ImmediateServer(connection, head))
    await connection.request(b"", b"", {})

    def bring_two() -> None:  # as uvloop does when the first has filled its buffer
        connection.data_received(b"1\r\na\r\n")
        connection.data_received(b"1\r\nb\r\n0\r\n\r\n")

    seen: list[bytes] = []
    results: list[list[bytes]] = []

    def take(data: bytes) -> bool:
        seen.append(data)
        return True

    asyncio.get_running_loop().call_soon(bring_two)
    while await connection.read(take, None):
        results.append(seen.copy())
    assert results == [[b"a"], [b"a", b"b"]], "the second waits until the first has been looked at"


@pytest.mark.parametrize("pause_s", [0, 0.02])
async def test_events_before_a_broken_one_are_delivered_once(
    pause_s: float, stub: ProviderStub, connect: Connect
) -> None:
    pieces = (b'data: {"number": 0}\n\n', b"data: {broken\n\n")
    stub.will(Answer(200, {"content-type": "text/event-stream"}, pieces, pause_s=pause_s))
    given_events: list[list[Event]] = []
    with pytest.raises(BrokenStreamError):  # noqa: PT012
        async for batch in connect().events("/x", {}, list):
            given_events.append(batch)
    assert given_events == [[{"number": 0}]]


async def test_a_busy_process_pauses_also_where_nothing_is_left_to_do(stub: ProviderStub, connect: Connect) -> None:
    stub.will(numbered(40, pause_s=0.002))
    batches: list[int] = []
    connection = connect(backpressure=Steady(0.15))
    async for _ in connection.events("/x", {}, lambda events: batches.append(len(events))):
        pass
    assert sum(batches) == 40
    assert len(batches) < 20, "what arrives during a pause is read together"


@pytest.mark.parametrize("then", ["end", "silence"])
async def test_an_answer_is_over_when_it_says_so_even_if_the_connection_stays(
    then: Any, stub: ProviderStub, connect: Connect
) -> None:
    model = CompletionsChatClient(connection=connect(timeout_s=60), model="m", path="/chat")
    stub.will(replace(Chat.text("It ", "rains."), then=then, pause_s=0.01))
    async with asyncio.timeout(15):
        updates = [update async for update in model.get_response([Message("user", ["?"])], stream=True)]
    assert "".join(update.text for update in updates) == "It rains."


@pytest.mark.parametrize("pause_s", [0, 0.002])
async def test_an_error_while_reading_events_ends_the_answer_but_not_the_connections(
    pause_s: float, stub: ProviderStub, connect: Connect
) -> None:
    stub.will(numbered(6, pause_s=pause_s), numbered(1))
    connection = connect()

    def fail(events: list[Event]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        [batch async for batch in connection.events("/x", {}, fail)]
    assert await ask(connection) == [[{"number": 0}]]


def numbered(count: int, *, pause_s: float = 0) -> Answer:
    pieces = tuple(b'data: {"number": %d}\n\n' % number for number in range(count))
    return Answer(200, {"content-type": "text/event-stream"}, pieces, pause_s=pause_s)


async def test_a_whole_answer_gives_its_connection_to_the_next(stub: ProviderStub, connect: Connect) -> None:
    stub.will(Chat.text("One."), Chat.text("Two."))
    connection = connect()
    await ask(connection)
    await ask(connection)
    assert stub.connections == 1
    assert stub.requests[0].body == {"q": "Grüezi ?"}


async def test_an_answer_left_early_closes_its_connection(stub: ProviderStub, connect: Connect) -> None:
    stub.will(Chat.part("It ", then="silence"), Chat.text("Next."))
    connection = connect()
    events = connection.events("/x", {}, list)
    async for _ in events:
        break
    await events.aclose()
    await ask(connection)
    assert stub.connections == 2


async def test_a_connection_that_the_server_has_closed_meanwhile_costs_no_retry(
    stub: ProviderStub, connect: Connect
) -> None:
    stub.will(Chat.text("One."), Answer(then="close"), Chat.text("Two."))
    connection = connect(max_retries=0)
    await ask(connection)
    # The second request travels over the first connection, which breaks without a byte.
    assert await ask(connection)
    assert len(stub.requests) == 3
    assert stub.connections == 2


async def test_a_server_that_closes_every_connection_is_asked_no_more_than_allowed(
    stub: ProviderStub, connect: Connect
) -> None:
    stub.will_always(Answer(then="close"))
    with pytest.raises(httpx.TransportError):
        await ask(connect(max_retries=0))
    assert len(stub.requests) == 1


async def test_an_answer_in_one_piece_is_one_event(stub: ProviderStub, connect: Connect) -> None:
    stub.will(Chat.whole("Yes."))
    [[event]] = await ask(connect())
    assert event["choices"][0]["message"]["content"] == "Yes."


async def test_a_refusal_names_status_code_and_request_and_never_the_key(stub: ProviderStub, connect: Connect) -> None:
    stub.will(error(400, "no such field", code="unknown_field", headers={"x-request-id": "req_7"}))
    stub.will(error(401, "Incorrect API key: sk-secret"))
    with pytest.raises(ProviderStatusError, match="HTTP 400, unknown_field, no such field, request req_7") as refused:
        await ask(connect())
    assert (refused.value.status, refused.value.provider_code) == (400, "unknown_field")
    with pytest.raises(ProviderStatusError) as refused:
        await ask(connect())
    assert "sk-secret" not in str(refused.value)


async def test_a_key_is_not_carried_to_where_a_redirection_leads(stub: ProviderStub, connect: Connect) -> None:
    stub.will(Answer(307, {"location": f"{stub.url}/elsewhere"}))
    with pytest.raises(ProviderStatusError) as refused:
        await ask(connect(headers={"api-key": "secret"}))
    assert explain_model_failure(refused.value).code == "model.not_found"
    assert len(stub.requests) == 1


async def test_a_used_up_account_is_not_asked_again(stub: ProviderStub, connect: Connect) -> None:
    stub.will_always(error(429, "pay", code="insufficient_quota"))
    with pytest.raises(ProviderStatusError):
        await ask(connect())
    assert len(stub.requests) == 1


async def test_requests_beyond_the_bound_wait_for_a_connection_and_not_for_ever(stub: ProviderStub) -> None:
    transport = DirectTransport(max_connections=1, max_idle=1, idle_s=5)
    connection = ProviderConnection(stub.url, transport=transport, connect_timeout_s=0.5, max_retries=0)
    stub.will(Chat.part("It ", then="silence"), Chat.text("Next."))
    first = connection.events("/x", {}, list)
    await anext(first)
    with pytest.raises(httpx.PoolTimeout):
        await ask(connection)
    await first.aclose()
    assert await ask(connection)
    await connection.close()


async def test_an_idle_connection_is_closed_and_forgotten(stub: ProviderStub) -> None:
    transport = DirectTransport(max_connections=3, max_idle=3, idle_s=0.5)
    connection = ProviderConnection(stub.url, transport=transport)
    stub.will(Chat.text("One."))
    assert await ask(connection)
    assert transport.open_connections == 1
    await until(lambda: transport.open_connections == 0)
    await connection.close()


async def test_a_header_of_one_request_takes_the_place_of_the_connections_in_any_case(
    stub: ProviderStub, connect: Connect
) -> None:
    stub.will(Chat.text("Yes."))
    given: dict[str, Any] = {"X-Team": "blue", "CONTENT-TYPE": "application/json; v=2", "x-raw": b"bytes"}
    connection = connect(headers={"x-team": "red", "api-key": "k"})
    assert [event async for events in connection.events("/x", {"a": 1}, list, headers=given) for event in events]
    sent = stub.requests[0].headers
    assert (sent["x-team"], sent["x-raw"], sent["api-key"]) == ("blue", "bytes", "k")
    assert sent["content-type"] == "application/json; v=2"
    assert sent["host"] == httpx.URL(stub.url).netloc.decode()
    assert sent["content-length"] == "7"


async def test_a_key_with_a_line_break_cannot_add_a_header(connect: Connect) -> None:
    with pytest.raises(httpx.LocalProtocolError, match="line break"):
        await ask(connect(headers={"authorization": "Bearer a\r\nx-evil: 1"}))


async def raw_server(reply: bytes) -> tuple[asyncio.Server, str]:
    """A server that says `reply` to every connection and closes it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b'HTTP/1.1 200 OK\r\n\r\ndata: {"a": 1}\n\n', [[{"a": 1}]]),
        (b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\ndata: {"a": 1}\n\n', [[{"a": 1}]]),
        (b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ndata: {"a": 1}\n\n', httpx.RemoteProtocolError),
        (b"SSH-2.0-OpenSSH_9.9\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, httpx.RemoteProtocolError),
        (b"", httpx.TransportError),
    ],
)
async def test_odd_servers_are_read_by_the_book(
    reply: bytes, outcome: Any, connect: Connect, stub: ProviderStub
) -> None:
    server, url = await raw_server(reply)
    connection = ProviderConnection(url, max_retries=0, timeout_s=5)
    try:
        if isinstance(outcome, list):
            assert await ask(connection) == outcome
        else:
            with pytest.raises(outcome):
                await ask(connection)
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()


async def test_a_long_answer_waits_at_the_provider_while_nobody_reads(stub: ProviderStub, connect: Connect) -> None:
    piece = Chat.chunk({"content": "x" * 60_000})
    stub.will(Answer(200, {"content-type": "text/event-stream"}, (piece,) * 200))
    events = connect().events("/x", {}, list)
    sizes = [len(await anext(events))]
    for _ in range(500):
        await asyncio.sleep(0)  # the provider and the network have all the time they want
    sizes += [len(batch) async for batch in events]
    assert sum(sizes) == 200
    # What is read ahead is bounded, to some 300 kB here, and not the 12 MB of the answer.
    assert max(sizes) < 20


@pytest.mark.parametrize(("variable", "is_direct"), [("http_proxy", False), (None, True)])
def test_a_proxy_that_the_machine_prescribes_is_used(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, is_direct: bool
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    if variable:
        monkeypatch.setenv(variable, "http://proxy.example:3128")
    code = (
        "from chat_clients.http import provider_connection as edge; "
        "print(edge._choose_transport('http://model.example') is None)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(not is_direct)


def test_the_sdk_is_not_even_imported() -> None:
    code = "import sys, chat_clients.provider; print('openai' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False"
