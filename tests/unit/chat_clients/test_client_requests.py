"""Requests of our clients: conversations, tools and options in the providers' JSON."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from agent_framework import Content, Message, tool
from pydantic import BaseModel

from chat_clients.protocols.completions_request import build_completions_request, build_messages
from chat_clients.protocols.responses_request import build_input, build_responses_request

PICTURE = Content.from_data(b"\x89PNG-bytes", "image/png")
REPORT = Content.from_data(b"%PDF-1.7", "application/pdf")
REPORT.name = "report.pdf"
SOUND = Content.from_data(b"RIFFdata", "audio/wav")


@tool
def get_forecast(city: Annotated[str, "The place."], days: int = 1) -> str:
    """Look up the weather."""
    return f"{city}: {days}"


class Wind(BaseModel):
    speed: float = 0
    unit: Literal["km/h", "kn"]


class Forecast(BaseModel):
    city: str
    winds: list[Wind]
    note: str | None = None


def responses(messages: list[Message], **options: Any) -> dict[str, Any]:
    return dict(through_json(build_responses_request("model-a", messages, options, stream=True)))


def completions(messages: list[Message], **options: Any) -> dict[str, Any]:
    return dict(through_json(build_completions_request("model-a", messages, options, stream=True)))


def items_of(*messages: Message) -> list[dict[str, Any]]:
    """A part of a conversation as the Responses API's items, without what stands around it in a whole one."""
    return list(through_json(build_input(messages)))


def messages_of(*messages: Message) -> list[dict[str, Any]]:
    """Return a conversation as messages of a completion."""
    return list(through_json(build_messages(messages)))


def through_json(body: Any) -> Any:
    """Return a body as it arrives; one that cannot be sent fails here."""
    return json.loads(json.dumps(body))


def user(*contents: Any) -> Message:
    return Message("user", list(contents))


def called(**more: Any) -> Content:
    return Content.from_function_call("call_1", "get_forecast", arguments='{"city": "Bern"}', **more)


RESULT = Message("tool", [Content.from_function_result("call_1", result="Rain.")])


def test_a_response_is_asked_for_with_text_pictures_files_and_sound() -> None:
    [item] = responses([user("What is this?", PICTURE, REPORT, SOUND)])["input"]
    text, picture, file, sound = item["content"]
    assert (item["type"], item["role"]) == ("message", "user")
    assert text == {"type": "input_text", "text": "What is this?"}
    assert picture == {"type": "input_image", "image_url": PICTURE.uri, "detail": "auto"}
    assert file == {"type": "input_file", "file_data": REPORT.uri, "filename": "report.pdf"}
    assert sound["input_audio"] == {"data": "UklGRmRhdGE=", "format": "wav"}


def test_a_completion_is_asked_for_in_one_message_per_turn() -> None:
    [message] = completions([user("What is this?", PICTURE, REPORT, SOUND)])["messages"]
    assert [part["type"] for part in message["content"]] == ["text", "image_url", "file", "input_audio"]
    assert message["content"][1]["image_url"] == {"url": PICTURE.uri}
    assert message["content"][2]["file"] == {"file_data": REPORT.uri, "filename": "report.pdf"}


def test_instructions_lead_in_the_form_of_each_protocol() -> None:
    assert responses([user("Hello")], instructions="Be short.")["instructions"] == "Be short."
    messages = completions([user("Hello")], instructions="Be short.")["messages"]
    assert messages == [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello"}]


def test_a_call_and_its_result_go_back_to_the_responses_api_in_order() -> None:
    call = called(additional_properties={"openai": {"item_id": "fc_9"}})
    _, text, sent, result = responses([user("Rain?"), Message("assistant", ["Let me look.", call]), RESULT])["input"]
    assert text["content"] == [{"type": "output_text", "text": "Let me look.", "annotations": []}]
    assert sent == {
        "type": "function_call",
        "call_id": "call_1",
        "name": "get_forecast",
        "arguments": '{"city": "Bern"}',
        "id": "fc_9",
    }
    assert result == {"type": "function_call_output", "call_id": "call_1", "output": "Rain."}


def test_a_remembered_call_is_sent_without_an_id_that_the_provider_would_refuse() -> None:
    sent = items_of(Message("assistant", [called(additional_properties={"openai": {"item_id": "it_9"}})]))
    assert "id" not in sent[0]


@pytest.mark.parametrize("arguments", ['{"city": "Be', "[1]", '"Bern"', "", None, '{"city": "\\ud83d"}'])
def test_arguments_that_the_model_wrote_badly_are_not_sent_back_to_servers_that_parse_them(arguments: Any) -> None:
    call = Content.from_function_call("call_1", "get_forecast", arguments=arguments)
    [sent] = items_of(Message("assistant", [call]))
    [message] = messages_of(Message("assistant", [call]))
    assert (sent["arguments"], message["tool_calls"][0]["function"]["arguments"]) == ("{}", "{}")


def test_a_completion_keeps_text_and_calls_of_one_turn_together() -> None:
    _, assistant, result = completions([user("Rain?"), Message("assistant", ["Let me look.", called()]), RESULT])[
        "messages"
    ]
    assert assistant["content"] == "Let me look."
    assert assistant["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "get_forecast", "arguments": '{"city": "Bern"}'},
        }
    ]
    assert result == {"role": "tool", "tool_call_id": "call_1", "content": "Rain."}


def test_a_result_with_a_picture_reaches_the_responses_api_as_one() -> None:
    result = Content.from_function_result("call_1", result=[Content.from_text("The radar:"), PICTURE])
    [sent] = items_of(Message("tool", [result]))
    assert [part["type"] for part in sent["output"]] == ["input_text", "input_image"]


def test_the_address_of_a_file_that_a_tool_returns_is_sent() -> None:
    links = [Content.from_uri("https://a.example/b", media_type="text/plain")]
    result = Content.from_function_result("call_1", result=links)
    [sent] = items_of(Message("tool", [result]))
    [message] = messages_of(Message("tool", [result]))
    assert "[a file was returned: https://a.example/b]" in json.dumps(sent["output"])
    assert message["content"] == "[a file was returned: https://a.example/b]"


def test_unsupported_content_in_a_result_is_mentioned() -> None:
    result = Content.from_function_result("call_1", result=[PICTURE, Content.from_text(""), SOUND, REPORT])
    [sent] = items_of(Message("tool", [result]))
    assert [part["type"] for part in sent["output"]] == ["input_image", "input_text", "input_file"]
    assert sent["output"][1]["text"] == "[a file was returned]"
    [message] = messages_of(Message("tool", [result]))
    assert message["content"] == "[an image was returned]\n[a file was returned]\n[a file was returned]"


def test_a_picture_beside_words_is_mentioned_after_them() -> None:
    result = Content.from_function_result("call_1", result=[PICTURE, Content.from_text("The radar:")])
    [message] = messages_of(Message("tool", [result]))
    assert message["content"] == "The radar:\n[an image was returned]"


def test_sealed_thoughts_go_back_once_before_what_they_led_to() -> None:
    thought = Content.from_text_reasoning(id="rs_1", text="They ask for rain.")
    seal = Content.from_text_reasoning(id="rs_1", text="", protected_data="sealed")
    reasoning, call = items_of(Message("assistant", [thought, seal, called()]))
    assert reasoning == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "They ask for rain."}],
        "encrypted_content": "sealed",
    }
    assert call["type"] == "function_call"


def test_thoughts_without_a_seal_stay_here() -> None:
    thought = Content.from_text_reasoning(id="rs_1", text="They ask for rain.")
    assert [item["type"] for item in items_of(Message("assistant", [thought, "Rain."]))] == ["message"]


def test_a_search_is_sent_back_unchanged_since_thoughts_need_the_next_item() -> None:
    item = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search"}}
    found = Content.from_search_tool_result(
        "ws_1", tool_name="web_search", additional_properties={"openai": {"item": item}}
    )
    asked = Content.from_search_tool_call("ws_1", tool_name="web_search")
    assert items_of(Message("assistant", [asked, found])) == [item]


def test_thoughts_go_back_in_their_own_field_only_with_the_call_they_led_to() -> None:
    properties = {"openai": {"thought_field": "reasoning_content"}}
    thought = Content.from_text_reasoning(text="They ask for rain.", additional_properties=properties)
    [with_call] = messages_of(Message("assistant", [thought, called()]))
    [with_text] = messages_of(Message("assistant", [thought, "Rain."]))
    assert with_call["reasoning_content"] == "They ask for rain."
    assert with_text == {"role": "assistant", "content": "Rain."}


def test_a_servers_call_and_result_are_one_item() -> None:
    call = Content.from_mcp_server_tool_call("mcp_1", "find", server_name="docs", arguments={"q": "rain"})
    result = Content.from_mcp_server_tool_result("mcp_1", output=[Content.from_text("Rain.")])
    [item] = items_of(Message("assistant", [call, result]))
    assert (item["type"], item["arguments"], item["output"]) == ("mcp_call", '{"q": "rain"}', "Rain.")


def test_functions_and_hosted_tools_are_offered() -> None:
    hosted = {"type": "web_search", "search_context_size": "low"}
    in_responses = responses([user("Rain?")], tools=[get_forecast, hosted])["tools"]
    assert in_responses[1] == hosted
    assert (in_responses[0]["name"], in_responses[0]["strict"]) == ("get_forecast", False)
    assert in_responses[0]["parameters"]["additionalProperties"] is False
    body = completions([user("Rain?")], tools=[get_forecast, hosted])
    assert [offered["function"]["name"] for offered in body["tools"]] == ["get_forecast"]
    assert body["web_search_options"] == {"search_context_size": "low"}


@pytest.mark.parametrize(
    ("tools", "sources"),
    [
        ([get_forecast], []),
        ([{"type": "web_search"}, get_forecast], ["web_search_call.action.sources"]),
        ([{"type": "web_search_2025_08_26"}], ["web_search_call.action.sources"]),
        ([{"type": "web_search_preview"}], []),
        ([{"type": "file_search", "vector_store_ids": ["vs_1"]}], ["file_search_call.results"]),
    ],
)
def test_searches_are_asked_for_what_they_have_found(tools: list[Any], sources: list[str]) -> None:
    assert responses([user("Rain?")], tools=tools)["include"] == ["reasoning.encrypted_content", *sources]


def test_offering_a_tool_leaves_the_tool_as_it_was() -> None:
    @tool
    def fresh(city: str) -> str:
        """Look up the weather."""
        return city

    before = json.dumps(fresh.parameters())
    responses([user("Rain?")], tools=[fresh])
    assert json.dumps(fresh.parameters()) == before


@pytest.mark.parametrize(
    ("choice", "in_responses", "in_completions"),
    [
        ("auto", "auto", "auto"),
        ("none", "none", "none"),
        (
            {"mode": "required", "required_function_name": "get_forecast"},
            {"type": "function", "name": "get_forecast"},
            {"type": "function", "function": {"name": "get_forecast"}},
        ),
        (
            {"mode": "auto", "allowed_tools": ["get_forecast"]},
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "get_forecast"}],
            },
            "auto",
        ),
    ],
)
def test_the_choice_of_a_tool_has_the_form_of_each_protocol(
    choice: Any, in_responses: Any, in_completions: Any
) -> None:
    options = {"tools": [get_forecast], "tool_choice": choice}
    assert responses([user("Rain?")], **options)["tool_choice"] == in_responses
    assert completions([user("Rain?")], **options)["tool_choice"] == in_completions


def test_a_choice_without_tools_is_not_sent() -> None:
    for body in (responses([user("Hi")], tool_choice="auto"), completions([user("Hi")], tool_choice="auto")):
        assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()


def test_a_pydantic_model_becomes_a_strict_schema() -> None:
    wanted = responses([user("Rain?")], response_format=Forecast)["text"]["format"]
    schema = wanted["schema"]
    assert (wanted["type"], wanted["name"], wanted["strict"]) == ("json_schema", "Forecast", True)
    assert schema["required"] == ["city", "winds", "note"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Wind"]["required"] == ["speed", "unit"]
    assert "default" not in json.dumps(schema)
    nested = completions([user("Rain?")], response_format=Forecast)["response_format"]
    assert nested["json_schema"] == {"name": "Forecast", "schema": schema, "strict": True}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"type": "json_object"}, "json_object"),
        ({"type": "object", "title": "T", "properties": {}}, "json_schema"),
        ({"type": "json_schema", "json_schema": {"name": "T", "schema": {"type": "object"}}}, "json_schema"),
    ],
)
def test_a_response_format_may_be_given_in_any_usual_form(given: dict[str, Any], kind: str) -> None:
    assert responses([user("Rain?")], response_format=given)["text"]["format"]["type"] == kind
    assert completions([user("Rain?")], response_format=given)["response_format"]["type"] == kind


def test_options_get_each_protocols_name_and_the_providers_memory_is_never_used() -> None:
    options = {"max_tokens": 5, "allow_multiple_tool_calls": False, "tools": [get_forecast], "temperature": 0.5}
    stored = {"store": True, "conversation_id": "resp_1", "previous_response_id": "resp_1"}
    body = responses([user("Hi")], **options, **stored, seed=1, verbosity="low")
    assert (body["max_output_tokens"], body["parallel_tool_calls"], body["temperature"]) == (5, False, 0.5)
    assert (body["store"], body["text"], body["include"]) == (
        False,
        {"verbosity": "low"},
        ["reasoning.encrypted_content"],
    )
    assert not {"seed", "conversation_id", "previous_response_id", "max_tokens"} & body.keys()
    body = completions([user("Hi")], **options, **stored, seed=1)
    assert (body["max_completion_tokens"], body["parallel_tool_calls"], body["seed"]) == (5, False, 1)
    assert not {"store", "conversation_id"} & body.keys()


def test_a_run_may_name_another_model() -> None:
    assert responses([user("Hi")], model="model-b")["model"] == "model-b"
    assert completions([user("Hi")], model="model-b")["model"] == "model-b"
    assert completions([user("Hi")], model=None)["model"] == "model-a"


# Chat templates


def completions_of(*messages: Message, **options: Any) -> list[dict[str, Any]]:
    return list(completions(list(messages), **options)["messages"])


def test_neighbours_of_one_role_are_one_message_because_chat_templates_want_them_to_alternate() -> None:
    messages = completions_of(
        Message("system", ["More."]),
        Message("user", ["<widget_shown>\nCard\n</widget_shown>"]),
        Message("user", ["What is this?", PICTURE]),
        Message("user", ["And this?"]),
        Message("assistant", ["One moment."]),
        Message("assistant", ["Let me look.", called()]),
        RESULT,
        Message("assistant", ["Rain."]),
        Message("assistant", ["Take a coat."]),
        Message("user", ["Thanks"]),
        instructions="Be short.",
    )
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert messages[0]["content"] == "Be short.\n\nMore."
    assert [part["type"] for part in messages[1]["content"]] == ["text", "text", "image_url", "text"]
    assert messages[2]["content"] == "One moment.\n\nLet me look."
    assert [each["id"] for each in messages[2]["tool_calls"]] == [messages[3]["tool_call_id"]]
    assert messages[4] == {"role": "assistant", "content": "Rain.\n\nTake a coat."}


def test_messages_of_different_authors_are_merged_with_their_names() -> None:
    calls = Message("assistant", [called(), Content.from_function_call("c2", "f", arguments="{}")])
    results = [Content.from_function_result(call_id, result="Rain.") for call_id in ("call_1", "c2")]
    authors = [Message("assistant", [name], author_name=name) for name in ("Ada", "Bob")]
    messages = completions_of(Message("user", ["?"]), calls, Message("tool", results), *authors)
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert messages[4]["content"] == "Ada:\nAda\n\nBob:\nBob"


def test_building_a_request_leaves_its_messages_as_they_were() -> None:
    messages = [Message("user", ["a", PICTURE]), Message("user", ["b", PICTURE])]
    assert completions_of(*messages) == completions_of(*messages)
