"""Partial answers never count as complete, and unneeded fields never make an answer fail."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from agent_framework import ChatResponse, Message, tool
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.http.server_events import DONE, Event
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from chat_clients.protocols.complete_answers import raise_if_incomplete, read_finish_reason
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.responses import ResponsesReader
from errors import ModelError
from tests.unit.provider_stub import Answer, Chat, ProviderStub, Responses

STREAM = {"content-type": "text/event-stream"}
CALL = {"index": 0, "id": "abcDEF123", "type": "function", "function": {"name": "look", "arguments": "{}"}}


@pytest.fixture
async def connection(stub: ProviderStub) -> AsyncIterator[ProviderConnection]:
    made = ProviderConnection(stub.url, max_retries=0)
    yield made
    await made.close()


def chunks(*finishes: Any, text: str = "It is", **delta: Any) -> Answer:
    pieces = [Chat.chunk({"role": "assistant", "content": text, **delta})]
    pieces += [Chat.chunk({}, finish) for finish in finishes]
    return Answer(200, STREAM, (*pieces, b"data: [DONE]\n\n"))


async def text_until_failure(client: Any) -> tuple[str, ModelError | None]:
    seen = ""
    try:
        async for update in client.get_response([Message("user", ["?"])], stream=True):
            seen += update.text
    except ModelError as failure:
        return seen, failure
    return seen, None


# Reasons to end

NO_ENDS = [
    "abort", "aborted", "network_error", "SAFETY", "RECITATION", "insufficient_system_resource", "cancelled", "timeout",
    "MALFORMED_FUNCTION_CALL", "OTHER", "load", "repetition_truncation", "sensitive", "preempted", "unknown", 7, ["x"],
]  # fmt: skip


@pytest.mark.parametrize("word", NO_ENDS)
async def test_an_unknown_finish_reason_means_an_incomplete_answer(
    stub: ProviderStub, connection: ProviderConnection, word: Any
) -> None:
    stub.will(chunks(word))
    seen, failure = await text_until_failure(CompletionsChatClient(connection=connection, model="m", path="/c"))
    assert failure is not None
    assert (seen, failure.code, failure.allow_retry) == ("It is", "model.interrupted", True)
    assert "stopped in the middle" in failure.message


@given(st.text())
@settings(deadline=None)
def test_only_known_words_are_ends(word: str) -> None:
    reason = read_finish_reason(word)
    known = {"stop", "stop_sequence", "eos", "eos_token", "end", "end_turn", "complete", "completed", "tool_calls"}
    known |= {"tool_call", "tool_use", "function_call", "function_calls"}
    folded = re.sub(r"[\s-]+", "_", word.strip().lower()).removeprefix("finish_reason_").removeprefix("finishreason.")
    if folded not in known and reason is not None:
        with pytest.raises(ModelError):
            raise_if_incomplete(reason)


@pytest.mark.parametrize("word", ["stop", "STOP", "eos", "end_turn", "COMPLETE", "stop_sequence"])
async def test_ends_in_other_words_are_ends(stub: ProviderStub, connection: ProviderConnection, word: str) -> None:
    stub.will(chunks(word))
    client = CompletionsChatClient(connection=connection, model="m", path="/c")
    assert await text_until_failure(client) == ("It is", None)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["length", "stop"], "model.cut_short"),
        (["stop", "length"], "model.cut_short"),
        (["length", "tool_calls"], "model.cut_short"),
        (["length", None, "stop"], "model.cut_short"),
        (["abort", "stop"], "model.interrupted"),
        (["content_filter", "stop"], "model.content_filter"),
        (["MAX_TOKENS"], "model.cut_short"),
        (["max-tokens"], "model.cut_short"),
        (["FINISH_REASON_MAX_TOKENS"], "model.cut_short"),
        (["FINISH_REASON_STOP"], None),
        (["FinishReason.STOP"], None),
        (["FinishReason.MAX_TOKENS"], "model.cut_short"),
        (["Max Tokens"], "model.cut_short"),
        (["content-filter"], "model.content_filter"),
        (["tool_calls"], "model.interrupted"),
        (["function_call", "stop"], None),
        (["null", "stop"], None),
        (["null"], "model.interrupted"),
        ([None, ""], "model.interrupted"),
        ([], "model.interrupted"),
    ],
)
async def test_of_several_reasons_the_one_counts_by_which_something_is_missing(
    stub: ProviderStub, connection: ProviderConnection, words: list[Any], code: str | None
) -> None:
    stub.will(chunks(*words))
    seen, failure = await text_until_failure(CompletionsChatClient(connection=connection, model="m", path="/c"))
    assert (seen, failure.code if failure else None) == ("It is", code)


@pytest.mark.parametrize("word", ["abort", "length", "content_filter"])
async def test_a_call_whose_answer_was_cut_is_not_made(
    stub: ProviderStub, connection: ProviderConnection, word: str
) -> None:
    made = []

    @tool
    def look() -> str:
        """Look."""
        made.append(1)
        return "Rain."

    stub.will(chunks(word, tool_calls=[CALL]), Chat.text("no"))
    client = CompletionsChatClient(connection=connection, model="m", path="/c")
    with pytest.raises(ModelError):
        async for _ in client.get_response([Message("user", ["?"])], stream=True, options={"tools": [look]}):
            pass
    assert made == []


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (
            {"status": "incomplete", "incomplete_details": {"reason": "insufficient_system_resource"}},
            "model.interrupted",
        ),
        ({"status": "incomplete", "incomplete_details": None}, "model.interrupted"),
        ({"status": "incomplete", "incomplete_details": "odd"}, "model.interrupted"),
        ({"status": "cancelled"}, "model.interrupted"),
        ({"status": "in_progress"}, "model.interrupted"),
        ({"status": "completed"}, None),
        ({}, None),
    ],
)
async def test_a_response_is_whole_only_when_it_says_so(
    stub: ProviderStub, connection: ProviderConnection, end: dict[str, Any], code: str | None
) -> None:
    events = (delta("It is"), Responses.event("response.completed", response={"id": "r", **end}))
    stub.will(Answer(200, STREAM, events))
    seen, failure = await text_until_failure(ResponsesChatClient(connection=connection, model="m", path="/r"))
    assert (seen, failure.code if failure else None) == ("It is", code)


def delta(text: str, item_id: str | None = "msg_1", **more: Any) -> bytes:
    more = {"output_index": 0, "content_index": 0, **more}
    return Responses.event("response.output_text.delta", item_id=item_id, delta=text, **more)


# Proxies that give every event another id


def rotate(events: list[Event], ids: Iterator[str | None]) -> list[Event]:
    """Return events as a proxy passes them on that gives every event of an item another id."""
    rotated: list[Event] = json.loads(json.dumps(events))
    for event in rotated:
        if "item_id" in event:
            event["item_id"] = next(ids)
        for item in [event.get("item"), *(event.get("response") or {}).get("output", ())]:
            if item is not None:
                item["id"] = next(ids)
    return rotated


def fresh_ids() -> Iterator[str]:
    yield from (f"id_{number}" for number in range(1_000))


def no_ids() -> Iterator[None]:
    while True:
        yield None


def same_ids() -> Iterator[str]:
    while True:
        yield "id"


def events_of(answer: Answer) -> list[Event]:
    lines = b"".join(answer.pieces).decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


def thought_message_and_call() -> list[Event]:
    thought = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "sealed"}
    part = {"type": "output_text", "text": "Let me look.", "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [part]}
    call = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"city": "Bern"}'}
    other = {**call, "id": "fc_2", "call_id": "c2", "arguments": '{"city": "Basel"}'}
    where = [{"item_id": item["id"], "output_index": at} for at, item in enumerate((thought, message, call, other))]
    kinds = "response.output_item.added", "response.output_item.done"
    events: list[Event] = [{"type": "response.created", "response": {"id": "r"}}]

    def begin(at: int, item: dict[str, Any]) -> Event:
        return {"type": kinds[0], "output_index": at, "item": {**item, "content": [], "arguments": ""}}

    def end(at: int, item: dict[str, Any]) -> Event:
        return {"type": kinds[1], "output_index": at, "item": item}

    text = {"content_index": 0, "type": "response.output_text.delta"}
    arguments = "response.function_call_arguments"
    events += [begin(0, thought), end(0, thought), begin(1, message)]
    events += [{**where[1], **text, "delta": "Let me "}, {**where[1], **text, "delta": "look."}]
    events += [{**where[1], "content_index": 0, "type": "response.output_text.done", "text": "Let me look."}]
    events += [end(1, message), begin(2, call), begin(3, other)]
    for at, item in ((2, call), (3, other)):
        events += [{**where[at], "type": f"{arguments}.delta", "delta": item["arguments"][:7]}]
    for at, item in ((2, call), (3, other)):
        events += [{**where[at], "type": f"{arguments}.delta", "delta": item["arguments"][7:]}]
        events += [{**where[at], "type": f"{arguments}.done", "arguments": item["arguments"]}, end(at, item)]
    whole = {"id": "r", "status": "completed", "output": [thought, message, call, other]}
    return [*events, {"type": "response.completed", "response": whole}]


@pytest.mark.parametrize("ids", [None, fresh_ids, no_ids, same_ids])
@pytest.mark.parametrize("is_short", [False, True])
def test_a_response_is_read_once_and_whole_whatever_ids_its_events_have(ids: Any, is_short: bool) -> None:
    events = thought_message_and_call()
    if is_short:
        # Neither the deltas' wholes nor the items': the last event has all of it.
        events = [event for event in events if not str(event["type"]).endswith(".done")]
    events = rotate(events, ids()) if ids else events
    reader = ResponsesReader()
    updates = [update for event in events for update in reader.read([event])]
    assert len({update.message_id for update in updates if update.text}) == 1
    response = ChatResponse.from_updates(updates)
    contents = [content for message in response.messages for content in message.contents]
    assert response.text == "Let me look."
    calls = [(c.call_id, c.name, c.arguments) for c in contents if c.type == "function_call"]
    assert calls == [("c1", "look", '{"city": "Bern"}'), ("c2", "look", '{"city": "Basel"}')]
    assert sum(content.protected_data == "sealed" for content in contents) == 1


def test_two_messages_with_changing_ids_stay_two() -> None:
    events = [*events_of(Responses.text("One."))[:-1], *events_of(Responses.text("Two."))[1:]]
    for event in events[len(events_of(Responses.text("One."))) - 1 :]:
        event["output_index"] = 1
    reader = ResponsesReader()
    updates = [update for event in rotate(events, fresh_ids()) for update in reader.read([event])]
    assert [text for update in updates if (text := update.text)] == ["One.", "Two."]
    assert len({update.message_id for update in updates if update.text}) == 2


# What nobody needs enough to fail for

ODD = [None, "", "12", 12.0, 12.5, -1, True, [], {}, float("nan"), float("inf"), 10**30, "x"]


TIMES = [1_700_000_000_000, 1_700_000_000_000_000, 1.7e18, -(10**20)]


@pytest.mark.parametrize(("created", "count"), [*zip(ODD, ODD, strict=True), *((time, 3) for time in TIMES)])
def test_odd_times_and_counts_never_fail_an_answer(created: Any, count: Any) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": count, "total_tokens": 3, "prompt_tokens_details": count}
    usage["completion_tokens_details"] = {"reasoning_tokens": count}
    begun: Event = {"id": 7, "created": created, "model": count, "usage": usage}
    reader = CompletionsReader()
    events: list[Event] = [
        {**begun, "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]},
        {**begun, "choices": count},
        DONE,
    ]
    response = ChatResponse.from_updates([*reader.read(events), *reader.close()])
    assert (response.text, response.finish_reason) == ("Hi", "stop")
    used = {"input_tokens": count, "output_tokens": count, "total_tokens": 3, "input_tokens_details": count}
    whole: Event = {"id": 7, "created_at": created, "model": count, "usage": used, "status": "completed"}
    part = {"type": "output_text", "text": "Hi", "annotations": count}
    whole["output"] = [{"type": "message", "id": count, "content": [part, count]}, count]
    updates = list(ResponsesReader().read([{"type": "response.completed", "response": whole}]))
    response = ChatResponse.from_updates(updates)
    assert (response.text, response.finish_reason) == ("Hi", "stop")
    assert (response.usage_details or {}).get("total_token_count") == 3


def test_times_in_milliseconds_are_times() -> None:
    reader = CompletionsReader()
    chunk: Event = {
        "id": "c",
        "created": 1_700_000_000_123,
        "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}],
    }
    response = ChatResponse.from_updates([*reader.read([chunk, DONE]), *reader.close()])
    assert str(response.created_at).startswith("2023-11-14T22:13:20.123")
