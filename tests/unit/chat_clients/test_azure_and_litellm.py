"""Azure and LiteLLM proxies, by stubs that are as strict and answer in the same form."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from agent_framework import Agent, Content, Message, tool

from chat_clients.provider import ChatClients
from config import Settings
from errors import ModelError
from tests.unit.provider_stub import Answer, ProviderStub, Received, error
from tests.unit.strict_history import RefusedError, check_completions

STREAM = {"content-type": "text/event-stream"}
DONE = b"data: [DONE]\n\n"
SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
MEMBERS = {"messages", "model", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls"}

ARGUMENTS = ('{"pla', 'ce": "Bern"}')


@tool
def look(place: str) -> str:
    """Look at a place."""
    return f"Rain in {place}."


def event(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


# Azure

AZURE = {"model_provider": "azure", "azure_openai_model": "dep", "azure_openai_api_key": "key-of-azure"}


def refused_by_azure(request: Received) -> Answer | None:
    """Return Azure's response to a request that it refuses."""
    address = urlsplit(request.target)
    if request.headers.get("api-key") != "key-of-azure" or "authorization" in request.headers:
        return error(401, "Access denied due to invalid subscription key or wrong API endpoint.", code="401")
    if not parse_qs(address.query).get("api-version"):
        return Answer(
            404, {"content-type": "application/json"}, (b'{"error":{"code":"404","message":"Resource not found"}}',)
        )
    if address.path != "/openai/deployments/dep/chat/completions":
        return error(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound")
    return _refused_conversation(request)


def _refused_conversation(request: Received) -> Answer | None:
    unknown = request.body.keys() - MEMBERS
    if unknown:
        return error(400, f"Unrecognized request argument supplied: {unknown.pop()}")
    try:
        check_completions(request.body["messages"])
    except RefusedError as exc:
        return error(400, str(exc))
    return None


def azure(*deltas: dict[str, Any], finish: str, model: str | None = "gpt-x") -> Answer:
    """Answer as Azure streams: what its filter says of the prompt first, of the words beside them, in the end usage."""
    filtered = [{"prompt_index": 0, "content_filter_results": SAFE}]
    nameless = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": filtered}
    head: dict[str, Any] = {
        "id": "chatcmpl-a",
        "object": "chat.completion.chunk",
        "created": 1,
        "system_fingerprint": None,
    }
    head |= {"model": model} if model is not None else {}
    pieces = [event(nameless)]
    for delta in ({"role": "assistant", "content": "", "refusal": None}, *deltas):
        choice = {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None, "content_filter_results": {}}
        pieces.append(event({**head, "choices": [choice], "usage": None}))
    # With the asynchronous filter, what it says comes in chunks without a delta.
    verdict = {
        "index": 0,
        "finish_reason": None,
        "content_filter_results": SAFE,
        "content_filter_offsets": {"end_offset": 9},
    }
    pieces.append(event({"id": "", "object": "", "created": 0, "model": "", "choices": [verdict]}))
    end = {"index": 0, "delta": {}, "finish_reason": finish, "content_filter_results": SAFE}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    ending = (event({**head, "choices": [end]}), event({**head, "choices": [], "usage": usage}), DONE)
    return Answer(200, STREAM, (*pieces, *ending))


def azure_call() -> list[dict[str, Any]]:
    begin = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    pieces = [{"tool_calls": [{"index": 0, "function": {"arguments": each}}]} for each in ARGUMENTS]
    return [{"tool_calls": [begin]}, *pieces]


# LiteLLM

LITELLM = {"model_provider": "compatible", "compatible_model": "claude", "compatible_api_key": "sk-virtual"}


def refused_by_litellm(request: Received) -> Answer | None:
    """Return the response of a LiteLLM proxy to a request that Anthropic's rules refuse."""
    if request.headers.get("authorization") != "Bearer sk-virtual":
        return litellm_error(401, "Authentication Error, LiteLLM Virtual Key expected.", "auth_error")
    if request.target != "/v1/chat/completions":
        return Answer(404, {"content-type": "application/json"}, (b'{"detail":"Not Found"}',))
    if (refused := _refused_conversation(request)) is not None:
        return litellm_error(400, f"litellm.BadRequestError: AnthropicException - {refused.pieces[0].decode()}")
    return None


def litellm_error(status: int, message: str, kind: str = "None") -> Answer:
    body = {"error": {"message": message, "type": kind, "param": "None", "code": str(status)}}
    return Answer(status, {"content-type": "application/json"}, (json.dumps(body).encode(),))


def litellm(*deltas: dict[str, Any], finish: str) -> Answer:
    """Answer as the proxy streams: members of its own, ids that are missing, and usage behind the end."""
    pieces = [
        event(
            {"created": 1, "model": "claude", "choices": [{"index": 0, "delta": {**_litellm_fields(delta), **delta}}]}
        )
        for delta in ({"role": "assistant", "content": ""}, *deltas)
    ]
    end = {"finish_reason": finish, "index": 0, "delta": {**_litellm_fields({}), "content": None}}
    usage = {"completion_tokens": 2, "prompt_tokens": 3, "total_tokens": 5, "cache_creation_input_tokens": 0}
    late = {"choices": [{"index": 0, "delta": {}}], "usage": usage}
    ending = (event({"choices": [end]}), event(late), event({"choices": [], "usage": usage}), DONE)
    return Answer(200, STREAM, (*pieces, *ending))


def _litellm_fields(delta: dict[str, Any]) -> dict[str, Any]:
    nothing = {"provider_specific_fields": None, "refusal": None, "function_call": None, "audio": None}
    return nothing if "tool_calls" in delta else {**nothing, "tool_calls": None}


def litellm_call() -> list[dict[str, Any]]:
    begin = {"id": None, "function": {"arguments": "", "name": "look"}, "type": "function", "index": 0}
    pieces = [
        {"id": None, "function": {"arguments": each, "name": None}, "type": "function", "index": 0}
        for each in ARGUMENTS
    ]
    return [{"tool_calls": [each]} for each in (begin, *pieces)]


Make = Callable[..., Agent]
SERVERS: dict[str, Any] = {
    "azure": (AZURE, refused_by_azure, azure, azure_call),
    "litellm": (LITELLM, refused_by_litellm, litellm, litellm_call),
}


@pytest.fixture
async def make(stub: ProviderStub) -> AsyncIterator[Make]:
    """Make an agent of the provider that is named."""
    made: list[ChatClients] = []

    def make(name: str) -> Agent:
        variables, refuses, *_ = SERVERS[name]
        address = {"azure_openai_endpoint": stub.url} if name == "azure" else {"compatible_base_url": f"{stub.url}/v1"}
        stub.refuses = refuses
        made.append(ChatClients(Settings(_env_file=None, model_timeout_s=5, **variables, **address)))
        return Agent(made[-1].make(), "Be short.", tools=[look])

    yield make
    for clients in made:
        await clients.close()


async def ask(agent: Agent, *messages: Message) -> str:
    async with agent.run([*messages, Message("user", ["And Bern?"])], stream=True) as updates:
        async for _ in updates:
            pass
        return (await updates.get_final_response()).text


def earlier(call_id: str) -> list[Message]:
    """Return a turn whose tool has returned, and of which nothing more was said."""
    call = Content.from_function_call(call_id, "look", arguments='{"place": "Rome"}')
    result = Content.from_function_result(call_id, result="Sun in Rome.")
    return [Message("user", ["Rome?"]), Message("assistant", [call]), Message("tool", [result])]


@pytest.mark.parametrize("name", SERVERS)
async def test_a_conversation_with_tools_is_taken_at_once_and_its_answer_read(
    stub: ProviderStub, make: Make, name: str
) -> None:
    _, _, answer, call = SERVERS[name]
    agent = make(name)
    stub.will(
        answer(*call(), finish="tool_calls"), answer({"content": "Rain "}, {"content": "in Bern."}, finish="stop")
    )
    assert await ask(agent, *earlier("call_Ab3"), *earlier("")) == "Rain in Bern."
    assert len(stub.requests) == 2, "nothing was refused"
    result = stub.requests[1].body["messages"][-1]
    assert (result["role"], result["content"]) == ("tool", "Rain in Bern.")


@pytest.mark.parametrize(
    ("name", "end", "code"),
    [
        ("azure", azure({"content": "Half"}, finish="content_filter"), "model.content_filter"),
        ("azure", azure({"content": "Half"}, finish="length"), "model.cut_short"),
        ("litellm", litellm({"content": "Half"}, finish="guardrail_intervened"), "model.interrupted"),
        (
            "litellm",
            Answer(200, STREAM, (*litellm({"content": "Half"}, finish="stop").pieces[:2], event(json.loads(
                litellm_error(429, "litellm.RateLimitError: VertexAIException").pieces[0])))),
            "model.rate_limited",
        ),
    ],
)  # fmt: skip
async def test_an_answer_that_ends_too_early_fails_with_its_reason(
    stub: ProviderStub, make: Make, name: str, end: Answer, code: str
) -> None:
    agent = make(name)
    stub.will(end)
    with pytest.raises(ModelError) as failure:
        await ask(agent)
    assert failure.value.code == code


async def test_an_answer_of_azure_that_names_no_model_is_one(stub: ProviderStub, make: Make) -> None:
    agent = make("azure")
    stub.will(azure({"content": "Rain."}, finish="stop", model=None))
    assert await ask(agent) == "Rain."


@pytest.mark.parametrize("name", SERVERS)
async def test_a_server_that_asks_for_a_moment_is_given_it(stub: ProviderStub, make: Make, name: str) -> None:
    _, _, answer, _ = SERVERS[name]
    agent = make(name)
    busy = "No deployments available for selected model, Try again in 5 seconds. Passed model=claude"
    refusal = litellm_error(429, busy) if name == "litellm" else error(429, "Please retry after 1 second.", code="429")
    stub.will(Answer(429, {**refusal.headers, "retry-after-ms": "1", "retry-after": "60"}, refusal.pieces))
    stub.will(answer({"content": "Rain."}, finish="stop"))
    assert await ask(agent) == "Rain."
    assert len(stub.requests) == 2


@pytest.mark.parametrize(
    ("name", "refusal", "code"),
    [
        ("litellm", litellm_error(400, "Budget has been exceeded! Current cost: 2, Max budget: 1", "budget_exceeded"),
         "model.no_quota"),
        ("litellm", litellm_error(400, "Invalid model name passed in model=claude. Call `/v1/models`"),
         "model.not_found"),
        ("litellm", litellm_error(401, "Authentication Error, Invalid proxy server token passed", "auth_error"),
         "model.refused_key"),
        ("azure", error(400, "The response was filtered due to the prompt triggering Azure OpenAI's content management "
                             "policy.", code="content_filter"), "model.content_filter"),
        ("azure", error(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound"),
         "model.not_found"),
    ],
)  # fmt: skip
async def test_a_refusal_without_an_alternative_form_is_reported_at_once(
    stub: ProviderStub, make: Make, name: str, refusal: Answer, code: str
) -> None:
    agent = make(name)
    stub.will_always(refusal)
    with pytest.raises(ModelError) as failure:
        await ask(agent)
    assert (failure.value.code, len(stub.requests)) == (code, 1)
