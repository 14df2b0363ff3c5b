"""Odd values in any field of an answer, except that of the text, do not affect the text."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from agent_framework import ChatResponse, ChatResponseUpdate

from chat_clients.http.server_events import DONE, Event, parse_object
from chat_clients.protocols.completions import CompletionsReader
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.token_usage import format_time
from errors import ModelError
from tests.unit.chat_clients.test_parts_of_answers import thought_message_and_call
from tests.unit.provider_stub import Answer, Chat, Responses

TEXT = "It is raining."
MISSING = object()

ODD: list[Any] = [
    None, MISSING, "", "0", "1", "odd", 0, 7, -1, 10**400, -(10**400), 1.5, float("nan"), float("inf"), True, False,
    [], [None], ["odd"], [[]], {}, {"odd": None}, [{}], "\ud83d", "x" * 5_000,
]  # fmt: skip

Path = tuple[str | int, ...]


def events_of(answer: Answer) -> list[Event]:
    lines = b"".join(answer.pieces).decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every place in a JSON value, objects and lists too."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths_of(each, (*path, key))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from paths_of(each, (*path, at))


def replace_value(event: Event, path: Path, value: Any) -> Event:
    event = copy.deepcopy(event)
    held: Any = event
    for step in path[:-1]:
        held = held[step]
    if value is MISSING:
        del held[path[-1]]
    else:
        held[path[-1]] = value
    return event


def at(event: Event, path: Path) -> Any:
    held: Any = event
    for step in path:
        held = held[step]
    return held


def read_text(reader: Any, events: list[Event]) -> tuple[str, str | None]:
    """Read event by event, as a stream arrives; return the text, and why the answer failed."""
    updates: list[ChatResponseUpdate] = []
    code = None
    try:
        for event in events:
            updates += reader.read([event])
            if reader.is_done:
                break
        updates += reader.close()
    except ModelError as failure:
        code = failure.code
    return ChatResponse.from_updates(updates).text, code


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}
CALL = {"index": 0, "id": "abcDEF123", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}


def chat_events() -> list[Event]:
    pieces = [
        Chat.chunk({"role": "assistant", "content": "", "refusal": None, "reasoning_content": "Hm."}),
        Chat.chunk({"content": "It is "}, system_fingerprint="fp", service_tier="x"),
        Chat.chunk({"content": "raining.", "annotations": [{"type": "url_citation", "url": "https://e.example/"}]}),
        Chat.chunk({"tool_calls": [CALL]}),
        Chat.chunk({}, "tool_calls"),
        Chat.chunk(None, usage=USAGE),
    ]
    return [*events_of(Answer(pieces=tuple(pieces))), DONE]


def holds_chat_text(event: Event, path: Path) -> bool:
    return isinstance(at(event, path), list | dict | str) and path[0] == "choices" and _contains_text(at(event, path))


def _contains_text(value: Any) -> bool:
    return any(piece in json.dumps(value) for piece in ("It is ", "raining."))


@pytest.mark.parametrize("odd", ODD, ids=lambda value: repr(value)[:20])
def test_no_field_of_a_completion_takes_the_text_with_it(odd: Any) -> None:
    events = chat_events()
    assert read_text(CompletionsReader(), events) == (TEXT, None)
    for number, event in enumerate(events[:-1]):
        for path in paths_of(event):
            if path[-1] in ("content", "refusal") or path == ("choices", 0, "index") or holds_chat_text(event, path):
                continue
            text, _ = read_text(
                CompletionsReader(), [*events[:number], replace_value(event, path, odd), *events[number + 1 :]]
            )
            assert text == TEXT, (path, odd)


@pytest.mark.parametrize("odd", [each for each in ODD if each not in (7, "1")], ids=lambda value: repr(value)[:20])
def test_a_number_of_an_answer_that_is_none_is_the_first(odd: Any) -> None:
    events = chat_events()
    for number, event in enumerate(events[:-2]):
        odd_event = replace_value(event, ("choices", 0, "index"), odd)
        text, code = read_text(CompletionsReader(), [*events[:number], odd_event, *events[number + 1 :]])
        assert (text, code) == (TEXT, None)


def responses_events() -> list[Event]:
    events = thought_message_and_call()
    end = events[-1]["response"]
    end |= {**Responses.response("completed", end["output"]), "id": "r"}
    return events


@pytest.mark.parametrize("odd", ODD, ids=lambda value: repr(value)[:20])
def test_no_field_of_a_response_takes_the_text_with_it(odd: Any) -> None:
    events = responses_events()
    whole = "Let me look."
    assert read_text(ResponsesReader(), events) == (whole, None)
    for number, event in enumerate(events):
        for path in paths_of(event):
            if isinstance(at(event, path), str) and any(word in at(event, path) for word in ("Let me ", "look.")):
                continue
            text, _ = read_text(
                ResponsesReader(), [*events[:number], replace_value(event, path, odd), *events[number + 1 :]]
            )
            assert text == whole, (event["type"], path, odd)


@pytest.mark.parametrize("odd", ODD, ids=lambda value: repr(value)[:20])
def test_an_answer_in_one_piece_keeps_its_text_too(odd: Any) -> None:
    [chat] = [json.loads(Chat.whole(TEXT).pieces[0])]
    [response] = [json.loads(Responses.whole(TEXT).pieces[0])]
    for reader, whole in ((CompletionsReader, chat), (ResponsesReader, response)):
        for path in paths_of(whole):
            value = at(whole, path)
            if TEXT in json.dumps(value) or path in (("choices", 0, "index"), ("object",)):
                continue
            if reader is ResponsesReader and path[0] == "output" and path[-1] == "type":
                continue  # it says whether there is a text
            text, _ = read_text(reader(), [replace_value(whole, path, odd)])
            assert text == TEXT, (path, odd)


@pytest.mark.parametrize("odd", ODD, ids=lambda value: repr(value)[:20])
def test_odd_times_are_none(odd: Any) -> None:
    assert format_time(odd) is None or odd in (0, 7, 1.5)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), ("0", "1"), ("1", "0"), (0.0, 1.0), (None, 1)])
def test_of_several_answers_the_first_is_taken_wherever_it_stands(order: tuple[Any, Any]) -> None:
    first, other = {"content": TEXT}, {"content": "Another."}
    choices = [
        {"index": index, "delta": first if index in (0, "0", None) else other, "finish_reason": "stop"}
        for index in order
    ]
    assert read_text(CompletionsReader(), [{"id": "c", "choices": choices}, DONE]) == (TEXT, None)


def test_the_end_of_another_answer_does_not_count() -> None:
    reader = CompletionsReader()
    ends = {"id": "c", "choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}
    read_text(reader, [{"id": "c", "choices": [{"index": 0, "delta": {"content": "Half"}}]}, ends, DONE])
    assert reader.finish_reason is None


@pytest.mark.parametrize("numbers", [("0", "1"), (0, "1"), (0.0, 1.0), ("0", 1)])
def test_calls_are_distinguished_by_indexes_of_any_type(numbers: tuple[Any, Any]) -> None:
    def piece(number: Any, arguments: str, **more: Any) -> Event:
        return {
            "choices": [{"delta": {"tool_calls": [{"index": number, "function": {"arguments": arguments, **more}}]}}]
        }

    events = [piece(number, "", name=name) for number, name in zip(numbers, "fg", strict=True)]
    events += [piece(number, half) for half in ('{"a": ', "1}") for number in numbers]
    events += [{"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}, DONE]
    reader = CompletionsReader()
    updates = [update for event in events for update in reader.read([event])]
    contents = [content for update in [*updates, *reader.close()] for content in update.contents]
    calls = [(content.name, content.arguments) for content in contents if content.arguments]
    assert calls == [("f", '{"a": 1}'), ("g", '{"a": 1}')]


def test_numbers_that_are_too_large_break_no_stream() -> None:
    event = parse_object(
        b'{"created": 1' + b"0" * 400 + b', "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}'
    )
    assert read_text(CompletionsReader(), [event, DONE]) == ("Hi", None)
