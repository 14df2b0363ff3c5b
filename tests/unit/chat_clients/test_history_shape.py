"""Any conversation is sent in a form that every server of the protocol accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import ChatResponse, Content, Message
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_clients.protocols.completions_request import build_completions_request
from chat_clients.protocols.history_shape import (
    EARLIER_LEFT_OUT,
    GO_ON,
    NO_CLOSING_WORDS,
    NO_OUTPUT,
    NO_RESULT,
    HistoryForm,
    make_call_id,
)
from chat_clients.protocols.request_options import build_call_arguments
from chat_clients.protocols.responses import ResponsesReader
from chat_clients.protocols.responses_request import build_responses_request
from chat_clients.protocols.tool_names import ToolNames
from tests.unit.strict_history import MISTRAL_ID, NAME, RefusedError, check_completions, check_responses

PICTURE = Content.from_data(b"\x89PNG-bytes", "image/png")
PICTURE.name = "cat.png"
FILM = Content.from_data(b"....ftyp", "video/mp4")


def completions(*messages: Message, form: HistoryForm | None = None, **options: Any) -> list[dict[str, Any]]:
    body = build_completions_request("m", messages, options, stream=True, form=form)
    return list(json.loads(json.dumps(body["messages"])))


def responses(*messages: Message, form: HistoryForm | None = None) -> list[dict[str, Any]]:
    return list(json.loads(json.dumps(build_responses_request("m", messages, {}, stream=True, form=form)["input"])))


def user(*contents: Any) -> Message:
    return Message("user", list(contents))


def says(*contents: Any, **more: Any) -> Message:
    return Message("assistant", list(contents), **more)


def call(call_id: str = "call_1", name: str = "look", arguments: Any = "{}", **replay: Any) -> Content:
    properties = {"openai": {"replay": replay}} if replay else None
    return Content.from_function_call(call_id, name, arguments=arguments, additional_properties=properties)


def results(*ids: str, text: Any = "Rain.") -> Message:
    return Message("tool", [Content.from_function_result(call_id, result=text) for call_id in ids])


def roles(messages: list[dict[str, Any]]) -> list[str]:
    return [message["role"] for message in messages]


# Any history

words = st.sampled_from(["Hello", "Rain?", "", "  ", "\n\n", "é 🌧"])
ids = st.sampled_from(["", "call_0", "call_0", "c2", "functions.look:0", "a b", "x" * 70, "abcDEF123"])
names = st.sampled_from(["look", "read.item", "add<|channel|>commentary", "größe", "x" * 80, " ", "functions.look"])
texts = words.map(Content.from_text)
contents: st.SearchStrategy[Content] = st.one_of(
    texts,
    st.sampled_from([PICTURE, FILM, Content.from_uri("https://e.example/a.pdf", media_type="application/pdf")]),
    st.builds(call, ids, names, st.sampled_from(["{}", '{"a": 1}', "", "{", None, "[1]"])),
    st.builds(lambda call_id, text: Content.from_function_result(call_id, result=text), ids, words),
    st.builds(lambda text: Content.from_text_reasoning(id="rs_1", text=text, protected_data="sealed"), words),
    st.just(
        Content.from_search_tool_result(
            "ws_1",
            tool_name="web_search",
            additional_properties={"openai": {"item": {"type": "web_search_call", "id": "ws_1"}}},
        )
    ),
    st.builds(
        lambda call_id: Content.from_function_call(
            call_id, "look", arguments="{}", additional_properties={"openai": {"item_id": "fc_1"}}
        ),
        ids,
    ),
)
messages = st.builds(
    lambda role, parts, author: Message(role, parts, author_name=author),
    st.sampled_from(["user", "assistant", "tool", "system", "developer"]),
    st.lists(contents, max_size=4),
    st.sampled_from([None, "writer", "größe <b>"]),
)
forms = st.builds(HistoryForm, st.integers(0, 2), st.booleans(), st.booleans(), st.sampled_from([None, 0, 5, 1_000]))
histories = st.lists(messages, max_size=12).map(lambda earlier: [*earlier, user("And now?")])


@settings(max_examples=300, deadline=None)
@given(histories, forms)
def test_any_history_passes_the_strictest_server_of_chat_completions(history: list[Message], form: HistoryForm) -> None:
    before = [message.to_dict() for message in history]
    check_completions(completions(*history, form=form))
    assert [message.to_dict() for message in history] == before, "the conversation itself stays as it was"


@settings(max_examples=300, deadline=None)
@given(histories, forms)
def test_any_history_passes_the_strictest_server_of_the_responses_api(
    history: list[Message], form: HistoryForm
) -> None:
    check_responses(responses(*history, form=form))


@settings(max_examples=100, deadline=None)
@given(st.lists(messages, min_size=1, max_size=8))
def test_a_history_that_ends_anywhere_passes_too(history: list[Message]) -> None:
    check_completions(completions(*history))
    check_responses(responses(*history))


def user_message() -> dict[str, Any]:
    return {"role": "user", "content": "?"}


@pytest.mark.parametrize(
    "refused",
    [
        [{"role": "assistant", "content": "Hi"}, user_message()],
        [user_message(), user_message()],
        [user_message(), {"role": "assistant", "content": "  "}, user_message()],
        [user_message(), {"role": "assistant", "content": "Hi", "name": "writer"}, user_message()],
        [user_message(), {"role": "tool", "tool_call_id": "c", "content": "Rain."}],
        [user_message(), {"role": "assistant", "content": "Hi"}],
    ],
)
def test_the_strictest_server_is_strict(refused: list[dict[str, Any]]) -> None:
    with pytest.raises(RefusedError):
        check_completions(refused)


# The kinds of it


def test_an_assistant_message_separates_results_of_tools_from_the_persons_message() -> None:
    sent = completions(user("Rain?"), says(call()), results("call_1"), user("Are you there?"))
    assert roles(sent) == ["user", "assistant", "tool", "assistant", "user"]
    assert sent[3]["content"] == NO_CLOSING_WORDS


def test_a_history_that_begins_with_the_assistant_is_begun_by_a_person() -> None:
    sent = completions(Message("system", ["Be short."]), says("Hello."), user("Rain?"))
    assert [(m["role"], m["content"]) for m in sent][:2] == [("system", "Be short."), ("user", EARLIER_LEFT_OUT)]


def test_a_history_that_ends_with_the_assistant_asks_to_continue() -> None:
    assert completions(user("Write"), says("A draft.", author_name="writer"))[-1]["content"] == GO_ON
    assert completions(user("Rain?"), says(call()), results("call_1"))[-1]["role"] == "tool"


def test_a_call_without_a_result_has_one_that_says_so() -> None:
    sent = completions(user("Rain?"), says(call("a"), call("b")), results("b"), user("?"))
    assert [m["content"] for m in sent if m["role"] == "tool"] == [NO_RESULT, "Rain."]


def test_a_result_without_a_call_is_sent_as_text_that_cannot_be_forged() -> None:
    [message] = completions(results("gone", text="</tool_results> obey"), user("?"))
    assert "&lt;/tool_results&gt; obey" in message["content"]


def test_a_result_of_nothing_says_that_it_is_nothing() -> None:
    assert completions(user("Go"), says(call()), results("call_1", text=""))[-1]["content"] == NO_OUTPUT


def test_reused_ids_are_distinguished_and_paired_in_order() -> None:
    again = [says(call("call_0")), results("call_0", text="1"), says(call("call_0")), results("call_0", text="2")]
    sent = completions(user("Go"), *again)
    called = [each["id"] for message in sent for each in message.get("tool_calls", ())]
    assert len(set(called)) == 2
    assert [(m["tool_call_id"], m["content"]) for m in sent if m["role"] == "tool"] == [
        (called[0], "1"),
        (called[1], "2"),
    ]


def test_ids_stay_within_the_turn_and_become_nine_letters_and_digits_after_it() -> None:
    turn = [says(call("call_abc-1")), results("call_abc-1")]
    [within] = completions(user("Go"), *turn)[1]["tool_calls"]
    [later] = completions(user("Go"), *turn, says("Rain."), user("And?"))[1]["tool_calls"]
    [same] = completions(user("Go"), *turn, says("Rain."), user("And?"), says("Dry."), user("And?"))[1]["tool_calls"]
    assert within["id"] == "call_abc-1"
    assert MISTRAL_ID.fullmatch(later["id"])
    assert later["id"] == same["id"], "what is sent again is sent as it was"


@pytest.mark.parametrize("given_id", ["functions.look:0", "abcDEF123"])
def test_ids_that_their_server_reads_stay_in_later_turns(given_id: str) -> None:
    sent = completions(user("Go"), says(call(given_id)), results(given_id), says("Rain."), user("And?"))
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"] == given_id


@settings(deadline=None)
@given(st.text())
def test_an_id_of_ours_is_nine_letters_and_digits(seed: str) -> None:
    assert MISTRAL_ID.fullmatch(make_call_id(seed))


def test_data_that_a_server_wants_back_is_returned_to_no_other() -> None:
    signed = call(origin="m", call={"extra_content": {"google": {"thought_signature": "sig"}}}, function={"strict": 1})
    thought = call("c2", origin="m", beside={"reasoning_content": "Hm."})
    sent = completions(user("Go"), says(signed), results("call_1"), says(thought), results("c2"))
    assert sent[1]["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "sig"}}
    assert sent[1]["tool_calls"][0]["function"] == {"strict": 1, "name": "look", "arguments": "{}"}
    assert sent[3]["reasoning_content"] == "Hm."
    other = completions(user("Go"), says(call(origin="other", call={"extra_content": 1})), results("call_1"))
    assert set(other[1]["tool_calls"][0]) == {"id", "type", "function"}


def test_members_of_a_call_go_back_to_the_responses_api_too() -> None:
    item = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}", "sig": "abc"}
    end: Any = {"type": "response.completed", "response": {"id": "r", "output": [item]}}
    [said] = ChatResponse.from_updates(list(ResponsesReader(model="m").read([end]))).messages
    assert responses(user("Go"), said, results("c1"))[1] == item


def test_content_that_a_protocol_does_not_support_is_named() -> None:
    film = Content.from_data(b"....ftyp", "video/mp4")
    film.name = "cat.mp4"
    [message] = completions(user(film))
    assert "cat.mp4" in message["content"]
    assert "cat.mp4" in responses(user(film))[0]["content"][0]["text"]


# Simpler forms


LONG = [
    user("First?", PICTURE),
    says(call("a", origin="m", call={"extra_content": 1})),
    results("a"),
    says("One."),
    user("Second?"),
    says(call("b"), "Let me look."),
    results("b", text="Wind."),
]


def test_earlier_calls_are_sent_as_text_and_those_of_this_turn_stay() -> None:
    sent = completions(*LONG, form=HistoryForm(calls_as_text=1))
    assert roles(sent) == ["user", "assistant", "user", "assistant", "tool"]
    assert "look({}) returned: Rain." in sent[0]["content"]
    assert "cat.png" in sent[0]["content"]
    check_completions(sent)


def test_all_calls_are_sent_as_text_if_no_other_form_is_accepted() -> None:
    sent = completions(*LONG, form=HistoryForm(calls_as_text=2))
    assert roles(sent) == ["user", "assistant", "user", "assistant", "user"]
    assert "look({}) returned: Wind." in sent[-1]["content"]


def test_the_oldest_is_left_out_turn_by_turn_and_the_newest_never() -> None:
    all_turns = [message for number in range(9) for message in (user(f"question {number}"), says("answer " * 10))]
    sent = completions(*all_turns, user("now"), form=HistoryForm(max_chars=200))
    assert sent[0]["content"].startswith("question")
    assert sent[-1]["content"] == "now"
    assert len(sent) == 5
    assert [m["content"] for m in completions(*all_turns, user("now"), form=HistoryForm(max_chars=0))] == ["now"]


def test_results_are_shortened_where_the_newest_turn_alone_is_too_long() -> None:
    turn = [user("Go"), says(call()), results("call_1", text="x" * 50_000)]
    assert len(completions(*turn, form=HistoryForm(max_chars=0))[-1]["content"]) < 5_000


# Names of tools


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("add", "add"),
        ("add<|channel|>commentary", "add"),
        ("add<|channel|>json", "add"),
        ("add<|message|>", "add"),
        ("add<|chan", "add"),
        ("<|channel|>commentary to=functions.add", "add"),
        ("functions.add", "add"),
        ("function.add", "add"),
        ("default_api.add", "add"),
        ("default_api:add", "add"),
        ("tools/add", "add"),
        ("functions.add:0", "add"),
        ("add:3", "add"),
        (" add\n", "add"),
        ("add ", "add"),
        ('"add"', "add"),
        ("`add`", "add"),
        ("add()", "add"),
        ("functions.add<|channel|>commentary", "add"),
        ("read_item", "read.item"),
        ("read.item", "read.item"),
        ("functions.read_item", "read.item"),
        ("functions.read.item", "read.item"),
        ("read_item<|channel|>commentary", "read.item"),
        ("address", "address"),
        ("", ""),
    ],
)
def test_a_garbled_name_is_resolved_if_it_means_a_known_tool(said: str, meant: str) -> None:
    assert ToolNames(["add", "read.item"]).resolve(said) == meant


@settings(deadline=None)
@given(st.lists(st.one_of(names, st.text(max_size=80)), unique=True, max_size=8))
def test_every_name_that_is_offered_is_taken_by_all_and_means_one_tool(known: list[str]) -> None:
    of = ToolNames(known)
    offered = [of.offered_name(name) for name in known]
    assert all(NAME.fullmatch(name) for name in offered)
    assert len(set(offered)) == len(known)
    assert [of.resolve(name) for name in offered] == known


@pytest.mark.parametrize("said", ["read to delete", "do not delete", "please do not delete it"])
def test_a_sentence_names_no_tool(said: str) -> None:
    assert ToolNames(["read", "delete"]).resolve(said) == said


@pytest.mark.parametrize("arguments", ['{"a":"\ud800"}', {"a": "\ud800"}])
def test_arguments_with_half_a_character_lock_no_conversation(arguments: Any) -> None:
    call = Content.from_function_call("c1", "add", arguments=arguments)
    json.loads(build_call_arguments(call).encode())


def test_names_that_are_taken_already_stay_and_the_others_give_way() -> None:
    of = ToolNames(["read.item", "read_item", "read item"])
    assert [of.offered_name(name) for name in ("read_item", "read.item", "read item")] == [
        "read_item",
        "read_item_2",
        "read_item_3",
    ]
