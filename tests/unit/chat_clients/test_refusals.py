"""Requests that a server refuses: they are changed and repeated, and successful changes are remembered."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content, Message, tool
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_clients.failures import explain_model_failure
from chat_clients.http.refusal_meanings import classify_refusal
from chat_clients.http.status_errors import build_status_error
from chat_clients.protocols.history_shape import GO_ON, HistoryForm
from chat_clients.provider import ChatClients
from chat_clients.refusal_memory import MAX_KEYS, RefusalMemory
from chat_clients.refusals import MAX_TRIES
from chat_clients.refused_fields import find_refused_field
from config import Settings
from errors import ModelError
from framework.message_marks import NO_PICTURE_TEXT
from tests.unit.provider_stub import Answer, Chat, ProviderStub, Received, Responses, error
from tests.unit.strict_history import check_completions

PICTURE = Content.from_data(b"\x89PNG-bytes", "image/png")
PICTURE.name = "cat.png"

Ask = Callable[..., Any]


@pytest.fixture
async def clients(stub: ProviderStub) -> AsyncIterator[dict[str, ChatClients]]:
    variables: dict[str, dict[str, Any]] = {
        "compatible": {"compatible_base_url": stub.url, "compatible_model": "m"},
        "openai": {"openai_base_url": stub.url, "openai_model": "m", "openai_api_key": "k"},
    }
    made = {
        name: ChatClients(Settings(_env_file=None, model_max_retries=0, **each)) for name, each in variables.items()
    }
    yield made
    for each in made.values():
        await each.close()


async def ask(clients: ChatClients, *messages: Message, **options: Any) -> str:
    """Ask as an agent does, each time with a client of its own."""
    updates = clients.make().get_response(list(messages) or [user("?")], stream=True, options=options)
    return "".join([update.text async for update in updates])


def user(*contents: Any) -> Message:
    return Message("user", list(contents))


@tool
def look(city: str) -> str:
    """Look at the sky."""
    return f"Rain in {city}."


def turn(number: int, result: str = "Rain.") -> list[Message]:
    call = Content.from_function_call(f"call_{number}", "look", arguments="{}")
    return [
        user(f"question {number}"),
        Message("assistant", [call]),
        Message("tool", [Content.from_function_result(f"call_{number}", result=result)]),
        Message("assistant", [f"answer {number}"]),
    ]


def refusing(is_refused: Callable[[dict[str, Any]], bool], answer: Answer) -> Callable[[Received], Answer | None]:
    return lambda request: answer if is_refused(request.body) else None


def json_error(status: int, body: Any) -> Answer:
    return Answer(status, {"content-type": "application/json"}, (json.dumps(body).encode(),))


@pytest.mark.parametrize("status", [500, 501])
async def test_a_mere_failure_is_tried_once_more_without_the_picture(
    clients: dict[str, ChatClients], stub: ProviderStub, status: int
) -> None:
    failure = error(status, "failed", headers={"x-should-retry": "false"})
    stub.refuses = refusing(lambda body: "image_url" in json.dumps(body), failure)
    stub.will_always(Chat.text("A cat?"))
    assert await ask(clients["compatible"], user("What is it?", PICTURE)) == f"{NO_PICTURE_TEXT}A cat?"
    assert len(stub.requests) == 2
    stub.refuses = refusing(lambda _: True, failure)
    with pytest.raises(ModelError):
        await ask(clients["compatible"], user("No picture"))
    assert len(stub.requests) == 3


# Members of the request


NOT_PERMITTED = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}


@pytest.mark.parametrize(
    ("field", "refusal"),
    [
        ("stream_options", error(400, "Unrecognized request argument supplied: stream_options")),
        ("stream_options", json_error(422, {"detail": [{**NOT_PERMITTED, "loc": ["body", "stream_options"]}]})),
        (
            "parallel_tool_calls",
            json_error(
                422,
                {"object": "error", "message": {"detail": [{**NOT_PERMITTED, "loc": ["body", "parallel_tool_calls"]}]}},
            ),
        ),
        ("parallel_tool_calls", error(400, "Unsupported parameter: 'parallel_tool_calls' is not supported with o3.")),
        ("temperature", error(400, "Unsupported value: 'temperature' does not support 0.2 with this model.")),
        ("temperature", error(400, "temperature is not supported")),
        ("seed", error(400, "Unknown parameter: seed")),
        (
            "reasoning_effort",
            [{"error": {"code": 400, "message": 'Unknown name "reasoning_effort": Cannot find field.'}}],
        ),
        ("user", {"error": {"message": "bad", "param": "user"}}),
        ("metadata", "property metadata is unsupported"),
        ("reasoning_effort", error(400, "Reasoning effort is not supported for this model")),
        ("reasoning_effort", {"error": {"message": "reasoningEffort: not supported"}}),
        ("presence_penalty", error(400, "presencePenalty is not supported for this model")),
        ("presence_penalty", {"error": {"message": "Penalty is not enabled", "param": "presencePenalty"}}),
        ("temperature", error(400, "Only temperature 1 is allowed for this model")),
        ("temperature", error(400, "invalid temperature: only 1 is allowed for this model")),
        ("temperature", error(400, "temperature is no longer supported with model m")),
        ("temperature", error(400, "`temperature` is deprecated for this model.")),
        ("temperature", error(500, "'temperature' is not supported", headers={"x-should-retry": "false"})),
        ("top_p", error(400, "For model m the parameter 'top_p' is not available")),
        ("top_p", error(404, "For model m the parameter 'top_p' is not available", code="unsupported_parameter")),
        ("seed", error(400, "Unrecognized request argument supplied: seed")),
        ("seed", {"error": {"message": "Additional properties are not allowed ('seed' was unexpected)"}}),
        ("user", {"error": {"message": "Additional properties are not allowed ('a', 'user' were unexpected)"}}),
        ("seed", json_error(422, {"detail": [{**NOT_PERMITTED, "loc": ["body", "seed"], "input": {"user": 1}}]})),
        ("seed", {"error": [{**NOT_PERMITTED, "loc": ["seed"]}]}),
        (
            "presence_penalty",
            [
                {
                    "error": {
                        "code": 400,
                        "message": "Invalid JSON payload received.",
                        "status": "INVALID_ARGUMENT",
                        "details": [
                            {"fieldViolations": [{"field": "generation_config.presence_penalty", "description": "no"}]}
                        ],
                    }
                }
            ],
        ),
        (
            "parallel_tool_calls",
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {"raw": json.dumps({"error": {"message": "bad", "param": "parallel_tool_calls"}})},
                }
            },
        ),
        ("seed", {"error": {"message": 'litellm.BadRequestError: {"error": {"message": "x", "param": "seed"}}'}}),
        ("metadata", {"error": {"message": "Invalid", "param": "metadata.a", "code": "string_above_max_length"}}),
        ("user", {"error": {"message": "Invalid 'user': string too long.", "code": "string_above_max_length"}}),
        ("stream_options", {"error": {"message": "no", "innererror": {"param": "stream_options.include_usage"}}}),
    ],
)
async def test_a_member_that_a_server_does_not_know_is_left_out_from_then_on(
    stub: ProviderStub, clients: dict[str, ChatClients], field: str, refusal: Any
) -> None:
    answer = refusal if isinstance(refusal, Answer) else json_error(400, refusal)
    stub.refuses = refusing(lambda body: field in body, answer)
    stub.will_always(Chat.text("Yes."))
    options = {"temperature": 0.2, "seed": 1, "reasoning_effort": "low", "user": "u", "metadata": {"a": "b"}}
    options |= {"allow_multiple_tool_calls": False, "tools": [look], "top_p": 0.9, "presence_penalty": 0.1}
    assert await ask(clients["compatible"], **options) == "Yes."
    assert await ask(clients["compatible"], **options) == "Yes."
    has_field = [field in request.body for request in stub.requests]
    assert has_field == [True, False, False], "refused once, left out once, and known then"
    kept = {"temperature", "seed", "stream_options", "parallel_tool_calls", "metadata", "top_p", "user"} - {field}
    assert kept <= stub.requests[-1].body.keys(), "nothing else is left out"


@pytest.mark.parametrize(
    "refusal",
    [
        error(404, "No endpoints found that can handle the requested parameters."),
        error(400, "Penalty is not enabled for models/m"),
        error(400, "Provider returned error"),
        error(422, "Bad request"),
    ],
)
async def test_where_a_server_does_not_say_what_it_refuses_no_wish_of_the_author_is_sent(
    stub: ProviderStub, clients: dict[str, ChatClients], refusal: Answer
) -> None:
    stub.refuses = refusing(lambda body: "presence_penalty" in body, refusal)
    stub.will_always(Chat.text("Fine."))
    wishes = {"presence_penalty": 0.5, "top_p": 0.5}
    assert await ask(clients["compatible"], **wishes) == "Fine."
    assert await ask(clients["compatible"], user("Another"), **wishes) == "Fine."
    assert ["top_p" in each.body for each in stub.requests] == [True, False, False]
    assert "stream_options" in stub.requests[-1].body


async def test_wishes_that_were_not_what_was_refused_are_sent_again(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    stub.refuses = lambda _: error(400, "Bad request")
    with pytest.raises(ModelError):
        await ask(clients["compatible"], top_p=0.5)
    stub.refuses = None
    stub.will(Chat.text("Fine."))
    assert await ask(clients["compatible"], top_p=0.5) == "Fine."
    assert ["top_p" in each.body for each in stub.requests] == [True, False, True]


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": {"message": "Encrypted content is not supported with this model.", "param": "include", "code": None}},
        {"error": {"message": "Unsupported include value: reasoning.encrypted_content"}},
        {"error": {"message": "x", "param": "include[0]"}},
    ],
)
async def test_encrypted_reasoning_is_not_requested_from_models_without_reasoning(
    stub: ProviderStub, clients: dict[str, ChatClients], refusal: Any
) -> None:
    sealed = "reasoning.encrypted_content"
    stub.refuses = refusing(lambda body: sealed in body.get("include", ()), json_error(400, refusal))
    stub.will_always(Responses.text("Yes."))
    options = {"tools": [{"type": "web_search"}]}
    assert await ask(clients["openai"], **options) == "Yes."
    assert await ask(clients["openai"], **options) == "Yes."
    includes = [request.body["include"] for request in stub.requests]
    assert includes == [[sealed, "web_search_call.action.sources"], *[["web_search_call.action.sources"]] * 2]


@pytest.mark.parametrize("field", ["include", "store", "reasoning", "verbosity"])
async def test_members_of_the_responses_api_are_left_out_too(
    stub: ProviderStub, clients: dict[str, ChatClients], field: str
) -> None:
    def has(body: dict[str, Any]) -> bool:
        return field in body or field in body.get("text", {})

    stub.refuses = refusing(has, json_error(400, {"error": {"message": f"Unknown parameter: '{field}'."}}))
    stub.will_always(Responses.text("Yes."))
    options: dict[str, Any] = {"reasoning": {"effort": "low"}, "verbosity": "low"}
    assert await ask(clients["openai"], **options) == "Yes."
    assert await ask(clients["openai"], **options) == "Yes."
    assert [has(request.body) for request in stub.requests] == [True, False, False]


async def test_the_length_limit_is_sent_under_the_name_that_the_refusal_asks_for(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    stub.refuses = refusing(lambda body: "max_tokens" in body, error(400, message))
    stub.will_always(Chat.text("Yes."))
    assert await ask(clients["compatible"], max_tokens=5) == "Yes."
    assert stub.requests[-1].body["max_completion_tokens"] == 5


async def test_required_members_of_a_request_are_never_left_out(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    stub.will_always(error(400, "'messages' and 'model' and \"tools\" are wrong"))
    with pytest.raises(ModelError) as failure:
        await ask(clients["compatible"], tools=[look])
    assert failure.value.code == "model.bad_request"
    assert len(stub.requests) == 1


async def test_a_server_that_refuses_everything_is_not_asked_for_ever(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    stub.will_always(error(400, "stream_options, parallel_tool_calls, image, system role unsupported, jinja"))
    with pytest.raises(ModelError):
        await ask(clients["compatible"], *turn(1), user("And?", PICTURE), allow_multiple_tool_calls=True, tools=[look])
    assert len(stub.requests) <= MAX_TRIES


@pytest.mark.parametrize(("status", "code"), [(401, "model.refused_key"), (402, "model.no_quota"), (429, None)])
async def test_errors_unrelated_to_the_request_are_not_retried_in_other_forms(
    stub: ProviderStub, clients: dict[str, ChatClients], status: int, code: str | None
) -> None:
    stub.will_always(error(status, "stream_options", headers={"x-should-retry": "false"}))
    with pytest.raises(ModelError) as failure:
        await ask(clients["compatible"], *turn(1), user("And?"))
    assert failure.value.code == (code or "model.rate_limited")
    assert len(stub.requests) == 1


# The history


async def test_a_refused_history_is_sent_as_text_from_then_on(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    def has_calls(body: dict[str, Any]) -> bool:
        return any("tool_calls" in message for message in body["messages"])

    stub.refuses = refusing(has_calls, error(400, "I do not like it."))
    stub.will_always(Chat.text("Yes."))
    history = [*turn(1), user("question 2")]
    assert await ask(clients["compatible"], *history) == "Yes."
    assert [has_calls(request.body) for request in stub.requests] == [True, False]
    sent = stub.requests[-1].body["messages"]
    check_completions(sent)
    assert "look({}) returned: Rain." in json.dumps(sent)
    assert await ask(clients["compatible"], *history, Message("assistant", ["Yes."]), user("question 3")) == "Yes."
    assert [has_calls(request.body) for request in stub.requests] == [True, False, False]
    stub.refuses = None
    assert await ask(clients["compatible"], *turn(7), user("another conversation")) == "Yes."
    assert has_calls(stub.requests[-1].body), "other conversations are left alone"


@pytest.mark.parametrize(
    "refusal",
    [
        error(422, "no"),
        error(500, "Conversation roles must alternate user/assistant/user", headers={"x-should-retry": "false"}),
        error(400, "Error rendering prompt with jinja template"),
        Answer(200, {"content-type": "text/event-stream"}, (b'data: {"error": {"code": 400, "message": "no"}}\n\n',)),
    ],
)
async def test_a_history_is_refused_in_many_ways(
    stub: ProviderStub, clients: dict[str, ChatClients], refusal: Answer
) -> None:
    stub.refuses = refusing(lambda body: "tool_calls" in json.dumps(body["messages"]), refusal)
    stub.will_always(Chat.text("Yes."))
    assert await ask(clients["compatible"], *turn(1), user("And?")) == "Yes."


async def test_the_calls_of_this_turn_are_sent_as_text_if_they_are_refused(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    stub.refuses = refusing(lambda body: "tool_calls" in json.dumps(body["messages"]), error(400, "no signature"))
    stub.will_always(Chat.text("Yes."))
    assert await ask(clients["compatible"], *turn(1)[:3]) == "Yes."
    assert "returned: Rain." in stub.requests[-1].body["messages"][-1]["content"]


async def test_when_nothing_else_helps_the_newest_question_is_asked_alone(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    stub.refuses = refusing(lambda body: "question 1" in json.dumps(body), error(400, "no"))
    stub.will_always(Chat.text("Yes."))
    assert await ask(clients["compatible"], *turn(1), user("And now?")) == "Yes."
    assert [message["content"] for message in stub.requests[-1].body["messages"]] == ["And now?"]


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "System role not supported"),
        error(500, "Only user and assistant roles are supported!", headers={"x-should-retry": "false"}),
        error(422, "system messages are not allowed for this model"),
    ],
)
async def test_a_system_message_joins_the_persons_message_if_there_is_no_such_role(
    stub: ProviderStub, clients: dict[str, ChatClients], refusal: Answer
) -> None:
    stub.refuses = refusing(lambda body: body["messages"][0]["role"] == "system", refusal)
    stub.will_always(Chat.text("Yes."))
    assert await ask(clients["compatible"], Message("system", ["Be short."]), user("Hello")) == "Yes."
    assert stub.requests[-1].body["messages"] == [{"role": "user", "content": "Be short.\n\nHello"}]
    assert await ask(clients["compatible"], Message("system", ["Be short."]), user("Hello")) == "Yes."
    assert len(stub.requests) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "Invalid content type. image_url is only supported by certain models."),
        error(400, "At most 0 image(s) may be provided in one prompt."),
        error(400, "Failed to deserialize: messages[1]: unknown variant `image_url`, expected `text`"),
        error(400, "messages.1.content must be a string"),
        error(404, "No endpoints found that support image input"),
        error(400, "this model is not a multimodal model"),
        error(
            500,
            "image input is not supported - hint: you may need to provide the mmproj",
            headers={"x-should-retry": "false"},
        ),
        error(422, "The model does not support vision."),
    ],
)
async def test_a_picture_for_a_model_without_vision_is_reported_once_and_not_sent_again(
    stub: ProviderStub, clients: dict[str, ChatClients], refusal: Answer
) -> None:
    stub.refuses = refusing(lambda body: "image_url" in json.dumps(body), refusal)
    stub.will_always(Chat.text("Yes."))
    first = [user("What is this?", PICTURE)]
    assert await ask(clients["compatible"], *first) == f"{NO_PICTURE_TEXT}Yes."
    assert "cat.png" in json.dumps(stub.requests[-1].body)
    later = [*first, Message("assistant", ["Yes."]), user("And?")]
    assert await ask(clients["compatible"], *later) == "Yes."
    assert await ask(clients["compatible"], user("This?", PICTURE)) == f"{NO_PICTURE_TEXT}Yes."
    assert len(stub.requests) == 4, "refused once in all"


async def test_one_picture_that_is_refused_makes_no_model_blind(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    bad = Content.from_data(b"GIF89a-broken", "image/gif")
    stub.refuses = refusing(
        lambda body: "image/gif" in json.dumps(body), error(400, "Invalid image: unsupported format")
    )
    stub.will_always(Chat.text("Yes."))
    assert await ask(clients["compatible"], user("This?", bad)) == f"{NO_PICTURE_TEXT}Yes."
    assert await ask(clients["compatible"], user("This?", bad), Message("assistant", ["Yes."]), user("Hm")) == "Yes."
    assert len(stub.requests) == 3, "that conversation is not refused again"
    assert await ask(clients["compatible"], user("That?", PICTURE)) == "Yes."
    assert "image_url" in json.dumps(stub.requests[-1].body)


async def test_a_model_configured_without_vision_gets_no_pictures(stub: ProviderStub) -> None:
    settings = Settings(_env_file=None, compatible_base_url=stub.url, compatible_model="m", compatible_vision="no")
    clients = ChatClients(settings)
    stub.will_always(Chat.text("Yes."))
    assert await ask(clients, user("This?", PICTURE)) == f"{NO_PICTURE_TEXT}Yes."
    assert "image_url" not in json.dumps(stub.requests[0].body)
    await clients.close()


# Too long

TOO_LONG = [
    {"error": {"message": "prompt is too long: 209353 tokens > 199999 maximum"}},
    {"error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."},
    [
        {
            "error": {
                "code": 400,
                "message": "The input token count (1200000) exceeds the maximum number of tokens allowed.",
            }
        }
    ],
    {"error": {"message": "Invalid request: Your request exceeded model token limit: 131072"}},
    {"error": {"message": "Input is too long for requested model."}},
    {"message": "Range of input length should be [1, 30720]"},
    {"error": {"message": "too many tokens: size limit exceeded by 5000 tokens"}},
    {"error": {"message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096."}},
    {"error": {"message": "Please reduce the length of the messages or completion."}},
    {"error": {"message": "Your input exceeds the context window of this model."}},
    {"error": {"message": "`inputs` tokens + `max_new_tokens` must be <= 4096"}},
    {"error": {"message": "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"}},
    {"error": {"message": "the request exceeds the available context size", "type": "exceed_context_size_error"}},
]


@pytest.mark.parametrize("body", TOO_LONG)
async def test_of_a_conversation_that_is_too_long_the_oldest_is_left_out(
    stub: ProviderStub, clients: dict[str, ChatClients], body: Any
) -> None:
    def size(request: dict[str, Any]) -> int:
        return sum(len(message["content"] or "") for message in request["messages"])

    stub.refuses = refusing(lambda request: size(request) > 600, json_error(400, body))
    stub.will_always(Chat.text("Yes."))
    history = [message for number in range(40) for message in turn(number)]
    assert await ask(clients["compatible"], *history, user("And now?")) == "Yes."
    sent = stub.requests[-1].body["messages"]
    assert sent[-1]["content"] == "And now?"
    check_completions(sent)
    tries = len(stub.requests)
    assert await ask(clients["compatible"], *history, user("And now?"), *turn(99)[3:], user("More?")) == "Yes."
    assert len(stub.requests) == tries + 1, "it is known that this conversation is too long"


@pytest.mark.parametrize("body", TOO_LONG)
async def test_a_message_that_is_too_long_is_refused_with_advice(
    stub: ProviderStub, clients: dict[str, ChatClients], body: Any
) -> None:
    stub.will_always(json_error(400, body))
    with pytest.raises(ModelError) as failure:
        await ask(clients["compatible"], *turn(1), user("x" * 1_000))
    assert failure.value.code == "model.too_long"
    assert "shorten your message, or start a new chat" in failure.value.message
    assert 2 <= len(stub.requests) <= MAX_TRIES


@pytest.mark.parametrize(
    "message",
    [
        "'max_tokens' or 'max_completion_tokens' is too large: 200000. This model's maximum context length is 131072 "
        "tokens and your request has 50 input tokens (200000 > 131072 - 50).",
        "input length and `max_tokens` exceed context limit: 50 + 200000 > 131072",
        "This model's maximum context length is 131072 tokens. However, you requested 200050 tokens (50 in the "
        "messages, 200000 in the completion). Please reduce the length of the messages or completion.",
    ],
)
async def test_a_length_that_does_not_fit_beside_the_conversation_is_not_asked_for(
    stub: ProviderStub, clients: dict[str, ChatClients], message: str
) -> None:
    stub.refuses = refusing(
        lambda body: not {"max_tokens", "max_completion_tokens"}.isdisjoint(body), error(400, message)
    )
    stub.will_always(Chat.text("Yes."))
    history = [*turn(1), user("And now?")]
    assert await ask(clients["compatible"], *history, max_tokens=200_000) == "Yes."
    refused, taken = (request.body for request in stub.requests)
    assert taken == {name: value for name, value in refused.items() if name != "max_tokens"}, "all of the history"
    stub.refuses = None
    assert await ask(clients["compatible"], max_tokens=5) == "Yes."
    assert stub.requests[-1].body["max_tokens"] == 5, "another conversation has room for it"


@pytest.mark.parametrize(
    "message",
    [
        "Reasoning items cannot be included in the input of this model.",
        "The encrypted content for item rs_1 could not be verified.",
        "Encrypted content could not be decrypted: `encrypted_content` of input[1] is of another key",
    ],
)
async def test_sealed_thoughts_that_a_server_cannot_open_are_kept_back_and_new_ones_asked_for(
    stub: ProviderStub, clients: dict[str, ChatClients], message: str
) -> None:
    stub.refuses = refusing(lambda body: "sealed" in json.dumps(body["input"]), error(400, message))
    stub.will_always(Responses.text("Yes."))
    thought = Content.from_text_reasoning(id="rs_1", text="Hm.", protected_data="sealed")
    call = Content.from_function_call("c1", "look", arguments="{}")
    asked = [user("Go"), Message("assistant", [thought, call])]
    asked += [Message("tool", [Content.from_function_result("c1", result="Rain.")])]
    assert await ask(clients["openai"], *asked) == "Yes."
    sent = stub.requests[-1].body
    assert [item["type"] for item in sent["input"]] == ["message", "function_call", "function_call_output"]
    assert "reasoning.encrypted_content" in sent["include"]
    assert len(stub.requests) == 2


@pytest.mark.parametrize("message", ["`encrypted_content` is not supported", "encrypted content cannot be included"])
async def test_a_server_that_seals_nothing_is_not_asked_to(
    stub: ProviderStub, clients: dict[str, ChatClients], message: str
) -> None:
    stub.refuses = refusing(lambda body: "include" in body, error(400, message))
    stub.will_always(Responses.text("Yes."))
    assert await ask(clients["openai"]) == "Yes."
    assert len(stub.requests) == 2


# What a refusal means

CORPUS = json.loads((Path(__file__).parent / "refusals.json").read_text())


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: f"{case['status']} {str(case['body'])[-60:]}")
def test_the_refusals_of_real_servers_are_understood(case: dict[str, Any]) -> None:
    assert explain_model_failure(build_status_error(case["status"], case["body"])).code == case["meaning"]
    if case["status"] < 500 and isinstance(case["body"], dict):
        # A proxy passes on what it was answered.
        for raw in (case["body"], json.dumps(case["body"]), f"BadRequestError: {json.dumps(case['body'])}"):
            passed = {"error": {"message": "Provider returned error", "code": case["status"], "metadata": {"raw": raw}}}
            assert explain_model_failure(build_status_error(case["status"], passed)).code == case["meaning"]


def test_a_refusal_of_any_length_is_read_in_no_time() -> None:
    units = ("model ", "tokens ", "prompt ", '"', "[", "{", "\n", "'a', ", "`temperature` ", "exceed ", "model x ")
    body = {"temperature": 1, "stop": ["x"], "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low"}}
    begun = time.process_time()
    for unit in units:
        refusal = build_status_error(400, {"error": {"message": unit * 20_000}})
        assert classify_refusal(refusal).startswith("model.")
        assert find_refused_field(body, refusal) in (None, "temperature")
    assert time.process_time() - begun < 5


@settings(deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text(), st.sampled_from(["{", '{"error": 1}', '["x"]'])),
        lambda inner: st.one_of(
            st.lists(inner),
            st.dictionaries(
                st.sampled_from(["error", "message", "detail", "loc", "code", "metadata", "raw", "x"]), inner
            ),
        ),
    ),
    st.integers(0, 599),
)
def test_any_refusal_has_a_meaning(body: Any, status: int) -> None:
    assert explain_model_failure(build_status_error(status, body)).code.startswith("model.")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (402, {"error": {"message": "Insufficient Balance", "code": "invalid_request_error"}}, "model.no_quota"),
        (402, {}, "model.no_quota"),
        (400, {"error": {"message": "Your credit balance is too low to access the API."}}, "model.no_quota"),
        (403, {"error": {"message": "insufficient balance"}}, "model.no_quota"),
        (404, {"error": {"message": "models/x is not found for API version v1"}}, "model.not_found"),
        (410, "gone", "model.not_found"),
        (
            400,
            {"error": {"message": "The model `x` has been decommissioned.", "code": "model_decommissioned"}},
            "model.not_found",
        ),
        (400, {"error": {"message": "Model Not Exist"}}, "model.not_found"),
        (400, {"message": "Invalid model: x"}, "model.not_found"),
        (400, {"error": {"message": "x is not a valid model ID"}}, "model.not_found"),
        (
            429,
            {"error": {"message": "Request too large for m on tokens per min", "code": "rate_limit_exceeded"}},
            "model.too_long",
        ),
        (413, "Payload Too Large", "model.too_long"),
        (
            400,
            [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}],
            "model.refused_key",
        ),
        (400, [], "model.bad_request"),
        (400, {"error": {"message": "'temperature' is not supported with this model."}}, "model.bad_request"),
        (400, {"error": {"message": "max_tokens is too large: 9999."}}, "model.bad_request"),
        (500, {"error": {"message": "model is overloaded"}}, "model.failed"),
    ],
)
def test_a_refusal_is_understood_in_other_words_too(status: int, body: Any, code: str) -> None:
    assert explain_model_failure(build_status_error(status, body)).code == code


@pytest.mark.parametrize("name", ["compatible", "openai"])
async def test_a_model_that_is_gone_is_named(stub: ProviderStub, clients: dict[str, ChatClients], name: str) -> None:
    stub.will_always(error(404, "no"))
    with pytest.raises(ModelError, match="“old-model”") as failure:
        await ask(clients[name], model="old-model")
    assert failure.value.code == "model.not_found"


def test_the_memory_about_conversations_is_bounded() -> None:
    memory = RefusalMemory()
    for number in range(MAX_KEYS + 5):
        memory.remember_form("m", [user(f"question {number}")], HistoryForm(calls_as_text=1))
    assert len(memory._forms) == MAX_KEYS


@pytest.mark.parametrize("length", [1, 2, 3, 7])
@pytest.mark.parametrize("name", ["compatible", "openai"])
async def test_learnt_forms_of_a_conversation_last_when_its_oldest_messages_are_dropped(
    stub: ProviderStub, clients: dict[str, ChatClients], name: str, length: int
) -> None:
    stub.refuses = refusing(lambda body: "call_" in json.dumps(body), error(400, "no calls of earlier turns"))
    stub.will_always(Chat.text("Yes.") if name == "compatible" else Responses.text("Yes."))
    turns = [turn(number) for number in range(12)]
    costs = []
    for newest in range(1, len(turns)):
        before = len(stub.requests)
        sent = [message for each in turns[max(0, newest - length) : newest] for message in each]
        assert await ask(clients[name], *sent, user(f"question {newest}")) == "Yes."
        costs.append(len(stub.requests) - before)
    assert costs == [costs[0], *[1] * (len(costs) - 1)]


async def test_conversations_with_the_same_end_are_shortened_independently(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    stub.refuses = refusing(lambda body: len(json.dumps(body)) > 900, error(400, "prompt is too long"))
    stub.will_always(Chat.text("Yes."))
    await ask(clients["compatible"], user("x" * 800), Message("assistant", ["Hm."]), user("Go on"))
    other = [user("Rain in Bern?"), Message("assistant", ["Yes."]), user("Go on")]
    await ask(clients["compatible"], *other)
    assert [message["content"] for message in stub.requests[-1].body["messages"]] == ["Rain in Bern?", "Yes.", "Go on"]


NO_TOOLS = [
    (400, "registry.ollama.ai/library/gemma3:latest does not support tools"),
    (400, "registry.ollama.ai/library/deepseek-r1:8b does not support tools (model capabilities: completion)"),
    (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    (500, "tools param requires --jinja flag"),
    (404, "No endpoints found that support tool use. To learn more about provider routing, visit: https://x.example"),
    (400, "Unsupported parameter: 'tools' is not supported with this model."),
    (400, "Function calling is not enabled for models/gemma-3-27b-it"),
    (400, "deepseek-reasoner does not support Function Calling"),
    (400, "`tool calling` is not supported with this model"),
    (400, "This model doesn't support tool use in streaming mode."),
    (422, "Tools are not supported for this model"),
    (400, "tool use is not yet supported for this model"),
    (500, "This model cannot use tools."),
    (400, "该模型不支持工具调用"),
    (400, "当前模型暂不支持 function calling"),
    (400, "このモデルはツールに対応していません"),
    (400, "Das Modell unterstützt keine Werkzeuge"),
    (400, "El modelo no admite herramientas"),
]


@pytest.mark.parametrize(("status", "words"), NO_TOOLS)
async def test_a_model_without_tools_is_asked_once_and_named_in_the_log(
    stub: ProviderStub, clients: dict[str, ChatClients], caplog: pytest.LogCaptureFixture, status: int, words: str
) -> None:
    stub.will_always(error(status, words))
    with pytest.raises(ModelError, match="cannot use the tools of this assistant") as failure:
        await ask(clients["compatible"], *turn(1), user("Rain?"), tools=[look])
    assert failure.value.code == "model.no_tools"
    assert not failure.value.allow_retry
    assert len(stub.requests) == 1
    [told] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (vars(told)["model"], vars(told)["tools"]) == ("m", ["look"])


@pytest.mark.parametrize(
    "words",
    [
        "tool_choice 'required' is not supported",
        "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.",
        "Parallel tool calls are not supported",
        "tool 'look' is not supported: invalid schema",
        "Function calling with a response mime type: 'application/json' is unsupported",
        "Bedrock doesn't support tool calling without `tools=` param specified.",
        "messages.2: tool_use ids were found without tool_result blocks immediately after",
    ],
)
async def test_a_refusal_of_some_tools_does_not_mean_a_model_without_tools(
    stub: ProviderStub, clients: dict[str, ChatClients], words: str
) -> None:
    stub.will_always(error(400, words))
    with pytest.raises(ModelError) as failure:
        await ask(clients["compatible"], user("Rain?"), tools=[look], tool_choice="auto")
    assert failure.value.code == "model.bad_request"


async def test_a_final_assistant_message_is_followed_by_a_prompt_only_if_the_server_needs_it(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    conversation = [user("Write"), Message("assistant", ["A draft."])]
    stub.will(Responses.text("More."), error(400, "the last message must be a user's"), Responses.text("More."))
    for _ in range(2):
        assert await ask(clients["openai"], *conversation) == "More."
    endings = [json.dumps(request.body["input"][-1]) for request in stub.requests]
    assert [GO_ON in ending for ending in endings] == [False, False, True]
    stub.will(Chat.text("More."))
    await ask(clients["compatible"], *conversation)
    assert stub.requests[-1].body["messages"][-1]["content"] == GO_ON


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        (500, "System role not supported"),
        (400, "bad request"),
    ],
)
async def test_instructions_join_the_persons_message_if_the_server_refuses_system_messages(
    stub: ProviderStub, clients: dict[str, ChatClients], status: int, words: str
) -> None:
    stub.refuses = refusing(lambda body: body["messages"][0]["role"] == "system", error(status, words))
    stub.will_always(Chat.text("Yes."))
    for question in ("One?", "Two?"):
        assert await ask(clients["compatible"], user(question), instructions="Be short.") == "Yes."
        assert stub.requests[-1].body["messages"][0]["content"].split("\n\n") == ["Be short.", question]
    assert len(stub.requests) == 3


async def test_a_server_that_fails_at_calls_without_a_reason_locks_no_conversation(
    stub: ProviderStub, clients: dict[str, ChatClients]
) -> None:
    stub.refuses = refusing(lambda body: "tool_calls" in json.dumps(body), error(500, "Internal Server Error"))
    stub.will_always(Chat.text("Yes."))
    for number in (2, 3):
        sent = [message for each in range(1, number) for message in turn(each)]
        assert await ask(clients["compatible"], *sent, user(f"question {number}")) == "Yes."
    assert len(stub.requests) == 3


@pytest.mark.parametrize("name", ["compatible", "openai"])
@pytest.mark.parametrize("refusal", [error(400, "Bad Request"), Answer(422, {}, (b"",))])
@pytest.mark.parametrize(
    ("messages", "wishes", "requests"),
    [
        ([], {}, 1),
        ([Message("system", ["Be brief."])], {}, 2),
        (turn(1), {}, 3),
        ([Message("system", ["Be brief."]), *turn(1)], {}, 4),
        ([Message("system", ["Be brief."]), *turn(1)], {"temperature": 0.1, "max_tokens": 9}, 7),
    ],
)
async def test_a_refusal_that_says_nothing_costs_no_more_requests_than_there_are_other_forms(
    stub: ProviderStub,
    clients: dict[str, ChatClients],
    name: str,
    refusal: Answer,
    messages: list[Message],
    wishes: dict[str, Any],
    requests: int,
) -> None:
    stub.will_always(refusal)
    with pytest.raises(ModelError):
        await ask(clients[name], *messages, user("And?"), tools=[look], **wishes)
    assert len(stub.requests) == requests
    assert len({json.dumps(each.body, sort_keys=True) for each in stub.requests}) == requests, "each differs"
