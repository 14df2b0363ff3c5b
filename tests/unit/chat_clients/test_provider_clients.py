"""The three provider protocols, against a local server that speaks them."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from agent_framework import Agent, Content, Message, tool
from openai import APIError, AsyncOpenAI

from chat_clients.failures import explain_model_failure
from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import CompletionsChatClient
from chat_clients.offline.model import OfflineChatClient
from chat_clients.provider import ChatClients, build_chat_client
from config import Settings
from errors import ConfigError, ModelError
from framework.sentences import LIMIT_REACHED
from tests.sharing import find_stable_port
from tests.unit.provider_stub import Answer, Call, Chat, ProviderStub, Responses, busy, error

Protocol = type[Chat] | type[Responses]


@dataclass(frozen=True)
class Provider:
    """How one provider is configured, and what its protocol looks like on the wire."""

    protocol: Protocol
    target: str
    header: tuple[str, str]
    variables: dict[str, Any]


PROVIDERS = {
    "openai": Provider(
        Responses,
        "/v1/responses",
        ("authorization", "Bearer sk-test"),
        {"openai_api_key": "sk-test", "openai_base_url": "{url}/v1", "openai_model": "model-a"},
    ),
    "compatible": Provider(
        Chat,
        "/v1/chat/completions",
        ("authorization", "Bearer local-key"),
        {"compatible_base_url": "{url}/v1", "compatible_model": "model-a", "compatible_api_key": "local-key"},
    ),
    "azure": Provider(
        Chat,
        "/openai/deployments/model-a/chat/completions?api-version=2024-12-01-preview",
        ("api-key", "azure-key"),
        {"azure_openai_endpoint": "{url}", "azure_openai_model": "model-a", "azure_openai_api_key": "azure-key"},
    ),
    "azure responses": Provider(
        Responses,
        "/openai/v1/responses?api-version=preview",
        ("api-key", "azure-key"),
        {
            "azure_openai_endpoint": "{url}",
            "azure_openai_model": "model-a",
            "azure_openai_api_key": "azure-key",
            "azure_openai_api": "responses",
        },
    ),
}
BOTH = ["openai", "compatible"]


@pytest.fixture(autouse=True)
def only_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "COMPATIBLE_API_KEY", "MODEL_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def stub() -> AsyncIterator[ProviderStub]:
    async with ProviderStub() as running:
        yield running


@dataclass
class Desk:
    """A desk at which a test asks its provider."""

    stub: ProviderStub
    clients: dict[str, ChatClients]

    def agent(self, name: str, *, tools: list[Any] | None = None, **variables: Any) -> Agent:
        filled = {key: value.format(url=self.stub.url) for key, value in PROVIDERS[name].variables.items()}
        settings = Settings(_env_file=None, **{"model_timeout_s": 5, **filled, **variables})
        self.clients[name] = ChatClients(settings)
        return Agent(self.clients[name].make(), "Be short.", tools=tools)


@pytest.fixture
async def desk(stub: ProviderStub) -> AsyncIterator[Desk]:
    desk = Desk(stub, {})
    yield desk
    for clients in desk.clients.values():
        await clients.close()


async def ask(agent: Agent, messages: Any = "Hello") -> str:
    async with agent.run(messages, stream=True) as updates:
        async for _ in updates:
            pass
        return (await updates.get_final_response()).text


async def text_until_failure(agent: Agent) -> tuple[str, ModelError]:
    """Return the text that arrived, and the failure."""
    seen = ""
    async with agent.run("Hello", stream=True) as updates:
        try:
            async for update in updates:
                seen += update.text
        except ModelError as failure:
            return seen, failure
    raise AssertionError(f"it did not fail, but said: {seen}")


def make_tool(calls: list[str]) -> Any:
    @tool
    async def get_forecast(city: Annotated[str, "The place."]) -> str:
        """Look up the weather."""
        calls.append(city)
        return f"Rain in {city}."

    return get_forecast


@pytest.mark.parametrize("name", PROVIDERS)
async def test_streamed_text_is_the_answer_exactly_once(desk: Desk, name: str) -> None:
    desk.stub.will(PROVIDERS[name].protocol.text("It ", "is ", "22 °C."))
    assert await ask(desk.agent(name)) == "It is 22 °C."


@pytest.mark.parametrize("name", PROVIDERS)
async def test_an_answer_in_one_piece_is_read_too(desk: Desk, name: str) -> None:
    desk.stub.will(PROVIDERS[name].protocol.whole("It is 22 °C."))
    assert (await desk.agent(name).run("Hello")).text == "It is 22 °C."


@pytest.mark.parametrize("name", PROVIDERS)
async def test_each_provider_is_asked_at_its_address_with_its_key_and_model(desk: Desk, name: str) -> None:
    provider = PROVIDERS[name]
    desk.stub.will(provider.protocol.text("Yes."))
    await ask(desk.agent(name))
    [request] = desk.stub.requests
    header, value = provider.header
    assert (request.method, request.target) == ("POST", provider.target)
    assert request.headers[header] == value
    assert request.body["model"] == "model-a"
    assert request.body["stream"] is True


@pytest.mark.parametrize("name", ["openai", "azure responses"])
async def test_the_responses_api_is_always_asked_to_store_nothing(desk: Desk, name: str) -> None:
    desk.stub.will(Responses.calls(Call("call_1", "get_forecast", {"city": "Bern"})), Responses.text("Rain."))
    agent = desk.agent(name, tools=[make_tool([])])
    async with agent.run("Rain?", stream=True, options={"store": True}) as updates:
        await updates.get_final_response()
    assert [request.body["store"] for request in desk.stub.requests] == [False, False]
    assert not any("previous_response_id" in request.body for request in desk.stub.requests)


async def test_organization_headers_of_openai_reach_no_other_server(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    for name in ("compatible", "azure"):
        desk.stub.will(Chat.text("Yes."))
        await ask(desk.agent(name))
    for request in desk.stub.requests:
        assert not {"openai-organization", "openai-project"} & request.headers.keys()


async def test_a_compatible_server_without_a_key_gets_no_authorization(desk: Desk) -> None:
    desk.stub.will(Chat.text("Yes."))
    assert await ask(desk.agent("compatible", compatible_api_key=None)) == "Yes."
    assert "authorization" not in desk.stub.requests[0].headers


@pytest.mark.parametrize("ending", ["", "/", "/openai", "/openai/v1/"])
async def test_an_azure_endpoint_may_be_copied_with_any_ending(desk: Desk, ending: str) -> None:
    desk.stub.will(Chat.text("Yes."))
    await ask(desk.agent("azure", azure_openai_endpoint=desk.stub.url + ending, azure_openai_api_version="2030-01-01"))
    expected = "/openai/deployments/model-a/chat/completions?api-version=2030-01-01"
    assert desk.stub.requests[0].target == expected


@pytest.mark.parametrize("name", PROVIDERS)
async def test_tools_run_side_by_side_and_the_model_gets_all_results(desk: Desk, name: str) -> None:
    protocol = PROVIDERS[name].protocol
    calls = [Call("call_1", "get_forecast", {"city": "Bern"}), Call("call_2", "get_forecast", {"city": "Zürich"})]
    desk.stub.will(protocol.calls(*calls), protocol.text("Rain in both."))
    asked: list[str] = []
    assert await ask(desk.agent(name, tools=[make_tool(asked)])) == "Rain in both."
    assert sorted(asked) == ["Bern", "Zürich"]
    first, second = (json.dumps(request.body, ensure_ascii=False) for request in desk.stub.requests)
    assert "get_forecast" in first
    assert "Rain in Bern." in second
    assert "Rain in Zürich." in second


async def test_the_tool_loop_asks_the_model_no_more_often_than_allowed(desk: Desk) -> None:
    desk.stub.will_always(Chat.calls(Call("call_1", "get_forecast", {"city": "Bern"})))
    asked: list[str] = []
    await ask(desk.agent("compatible", tools=[make_tool(asked)], model_max_round_trips=3))
    assert len(desk.stub.requests) == 3
    assert len(asked) == 2
    assert desk.stub.requests[-1].body["tool_choice"] == "none"


@pytest.mark.parametrize("name", BOTH)
async def test_a_picture_reaches_the_wire_as_a_picture(desk: Desk, name: str) -> None:
    desk.stub.will(PROVIDERS[name].protocol.text("A dot."))
    picture = Content.from_data(b"\x89PNG-bytes", "image/png")
    await ask(desk.agent(name), Message("user", ["What is this?", picture]))
    body = json.dumps(desk.stub.requests[0].body)
    assert ('"type": "input_image"' if name == "openai" else '"type": "image_url"') in body
    assert str(picture.uri) in body


async def test_thoughts_of_a_compatible_server_do_not_get_into_the_answer(desk: Desk) -> None:
    desk.stub.will(Chat.reasoned("The person greets me.", "Good ", "day."))
    assert await ask(desk.agent("compatible")) == "Good day."


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_reported_once_and_not_retried(desk: Desk, name: str, status: int) -> None:
    desk.stub.will_always(error(status, "Incorrect API key provided: sk-test"))
    _, failure = await text_until_failure(desk.agent(name))
    assert (failure.code, failure.allow_retry) == ("model.refused_key", False)
    assert "sk-test" not in failure.message
    assert len(desk.stub.requests) == 1


@pytest.mark.parametrize("name", BOTH)
async def test_a_busy_model_is_asked_again(desk: Desk, name: str) -> None:
    desk.stub.will(busy(), busy(), PROVIDERS[name].protocol.text("At last."))
    assert await ask(desk.agent(name, model_max_retries=2)) == "At last."
    assert len(desk.stub.requests) == 3


@pytest.mark.parametrize("name", BOTH)
async def test_a_model_that_stays_busy_is_given_up(desk: Desk, name: str) -> None:
    desk.stub.will_always(busy())
    _, failure = await text_until_failure(desk.agent(name, model_max_retries=2))
    assert (failure.code, failure.allow_retry) == ("model.rate_limited", True)
    assert len(desk.stub.requests) == 3


@pytest.mark.parametrize("wait", ["60", "Fri, 01 Jan 2100 00:00:00 GMT"])
async def test_a_long_retry_after_is_not_waited_for(desk: Desk, wait: str) -> None:
    desk.stub.will_always(error(429, "slow down", headers={"retry-after": wait}))
    _, failure = await text_until_failure(desk.agent("compatible"))
    assert failure.code == "model.rate_limited"
    assert len(desk.stub.requests) == 1


@pytest.mark.parametrize("name", BOTH)
async def test_an_error_of_the_server_is_retried_and_then_reported(desk: Desk, name: str) -> None:
    desk.stub.will_always(error(500, "secret stack trace", headers={"retry-after": "0.001"}))
    _, failure = await text_until_failure(desk.agent(name, model_max_retries=1))
    assert (failure.code, failure.allow_retry) == ("model.failed", True)
    assert "secret" not in failure.message
    assert len(desk.stub.requests) == 2


@pytest.mark.parametrize(
    ("answer", "code", "requests"),
    [
        (error(400, "no"), "model.bad_request", 2),  # once more with the instructions said by the person
        (error(400, "too long", code="context_length_exceeded"), "model.too_long", 1),
        (error(400, "filtered", code="content_filter"), "model.content_filter", 1),
        (error(404, "no such model", code="model_not_found"), "model.not_found", 1),
        (error(429, "pay", code="insufficient_quota", headers={"x-should-retry": "false"}), "model.no_quota", 1),
    ],
)
async def test_a_refusal_that_a_retry_cannot_help_offers_none(
    desk: Desk, answer: Answer, code: str, requests: int
) -> None:
    desk.stub.will_always(answer)
    _, failure = await text_until_failure(desk.agent("compatible"))
    assert (failure.code, failure.allow_retry) == (code, False)
    assert len(desk.stub.requests) == requests


@pytest.mark.parametrize("name", BOTH)
async def test_a_missing_server_is_unreachable(desk: Desk, name: str) -> None:
    url = f"http://127.0.0.1:{find_stable_port()}/v1"
    agent = desk.agent(name, openai_base_url=url, compatible_base_url=url, model_provider=name, model_max_retries=0)
    _, failure = await text_until_failure(agent)
    assert (failure.code, failure.allow_retry) == ("model.unreachable", True)


@pytest.mark.parametrize("name", BOTH)
async def test_a_silent_model_is_given_up_after_the_timeout(desk: Desk, name: str) -> None:
    desk.stub.will_always(Answer(then="silence"))
    # Not asked again: each try would make a server begin anew that is loading its model.
    _, failure = await text_until_failure(desk.agent(name, model_first_timeout_s=0.1, model_max_retries=2))
    assert (failure.code, failure.allow_retry) == ("model.timeout", True)
    assert len(desk.stub.requests) == 1


@pytest.mark.parametrize("has_early_head", [False, True])
@pytest.mark.parametrize("transport", [None, httpx.AsyncHTTPTransport()])
async def test_the_first_piece_may_take_longer_than_silence_within_an_answer(
    stub: ProviderStub, has_early_head: bool, transport: httpx.AsyncBaseTransport | None
) -> None:
    late = replace(Chat.part("It ", "is", then="silence"), wait_s=0.6, has_early_head=has_early_head)
    stub.will(late)
    connection = ProviderConnection(stub.url, first_timeout_s=20, timeout_s=0.3, transport=transport)
    client = CompletionsChatClient(connection=connection, model="m", path="/chat")
    seen, failure = await text_until_failure(Agent(client))
    assert (seen, failure.code) == ("It is", "model.timeout")
    assert len(stub.requests) == 1
    await connection.close()


def loading(body: Any, status: int = 503, **headers: str) -> Answer:
    return Answer(status, {"content-type": "application/json", **headers}, (json.dumps(body).encode(),))


SOON = {"retry-after": "0.01"}
LOADING = [
    loading({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, **SOON),
    loading({"error": "Model x/y is currently loading", "estimated_time": 20.0}, **SOON),
    loading({"error": {"message": "The model is still being loaded"}}, **SOON),
    loading({"message": "Model is warming up"}, 500, **SOON),
    loading({"message": "model not ready"}, 429, **SOON),
]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("answer", LOADING)
async def test_a_server_that_loads_its_model_is_asked_until_it_has(desk: Desk, name: str, answer: Answer) -> None:
    desk.stub.will(*[answer] * 9, PROVIDERS[name].protocol.text("It is raining."))
    assert await ask(desk.agent(name, model_max_retries=0)) == "It is raining."
    assert len(desk.stub.requests) == 10


@pytest.mark.parametrize(("wait", "requests"), [("0.05", range(2, 60)), ("600", [1]), ("nan", [1]), ("-1", [1])])
async def test_a_server_that_keeps_loading_is_abandoned_after_the_first_wait(
    desk: Desk, wait: str, requests: Any
) -> None:
    desk.stub.will_always(loading({"error": {"message": "Loading model"}}, **{"retry-after": wait}))
    _, failure = await text_until_failure(desk.agent("compatible", model_first_timeout_s=0.3))
    assert (failure.code, failure.allow_retry) == ("model.loading", True)
    assert len(desk.stub.requests) in requests


async def test_a_model_that_cannot_be_loaded_is_not_waited_for(desk: Desk) -> None:
    desk.stub.will_always(loading({"error": {"message": "failed to load model: error loading model"}}, 500, **SOON))
    _, failure = await text_until_failure(desk.agent("compatible", model_max_retries=1))
    assert (failure.code, len(desk.stub.requests)) == ("model.failed", 2)


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (500, "model 'x' not found, try pulling it first", "model.not_found"),
        (429, "You exceeded your current quota.", "model.no_quota"),
        (500, "the request exceeds the available context size", "model.too_long"),
        (500, "'temperature' is not supported with this model.", "model.bad_request"),
    ],
)
async def test_permanent_errors_are_not_retried(desk: Desk, status: int, message: str, code: str) -> None:
    desk.stub.will_always(loading({"error": {"message": message}}, status, **SOON))
    _, failure = await text_until_failure(desk.agent("compatible", model_max_retries=2))
    assert (failure.code, len({json.dumps(each.body) for each in desk.stub.requests})) == (
        code,
        len(desk.stub.requests),
    ), "no two requests are the same"


def test_the_first_wait_is_long_enough_for_a_model_that_has_to_be_loaded_from_a_disk() -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.model_first_timeout_s * 150 > 70_000, "70 GB at 150 MB/s"
    assert settings.model_first_timeout_s < settings.run_timeout_s


@pytest.mark.parametrize("name", BOTH)
async def test_silence_within_an_answer_ends_it_and_asks_nothing_twice(desk: Desk, name: str) -> None:
    desk.stub.will(PROVIDERS[name].protocol.part("It ", "is", then="silence"))
    seen, failure = await text_until_failure(desk.agent(name, model_timeout_s=1))
    assert (seen, failure.code) == ("It is", "model.timeout")
    assert len(desk.stub.requests) == 1


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("then", ["end", "close"])
async def test_a_stream_cut_in_the_middle_is_no_answer(desk: Desk, name: str, then: Any) -> None:
    desk.stub.will(PROVIDERS[name].protocol.part("It ", "is", then=then))
    seen, failure = await text_until_failure(desk.agent(name))
    assert (seen, failure.code, failure.allow_retry) == ("It is", "model.interrupted", True)
    assert len(desk.stub.requests) == 1


async def test_a_line_cut_in_the_middle_is_no_answer(desk: Desk) -> None:
    line = Chat.chunk({"content": "It is"})
    desk.stub.will(Answer(200, {"content-type": "text/event-stream"}, (line, line[:40] + b"\n\n")))
    seen, failure = await text_until_failure(desk.agent("compatible"))
    assert (seen, failure.code) == ("It is", "model.interrupted")


async def test_a_tool_call_whose_stream_was_cut_is_not_run(desk: Desk) -> None:
    asked: list[str] = []
    desk.stub.will(Chat.half_call(Call("call_1", "get_forecast", {"city": "Bern"})))
    _, failure = await text_until_failure(desk.agent("compatible", tools=[make_tool(asked)]))
    assert failure.code == "model.interrupted"
    assert asked == []


@pytest.mark.parametrize("name", BOTH)
async def test_an_error_in_the_stream_is_an_error(desk: Desk, name: str) -> None:
    desk.stub.will(PROVIDERS[name].protocol.failure("secret internals"))
    _, failure = await text_until_failure(desk.agent(name))
    assert (failure.code, failure.allow_retry) == ("model.failed", True)
    assert "secret" not in failure.message


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Responses.failure("slow down", code="rate_limit_exceeded"), "model.rate_limited"),
        (Responses.ended("failed", "Half", error={"code": "server_error", "message": "secret"}), "model.failed"),
        (Responses.ended("failed", error={"code": "rate_limit_exceeded", "message": "x"}), "model.rate_limited"),
        (Responses.ended("incomplete", "Half", incomplete_details={"reason": "max_output_tokens"}), "model.cut_short"),
        (Responses.ended("incomplete", incomplete_details={"reason": "content_filter"}), "model.content_filter"),
    ],
)
async def test_a_response_that_failed_or_is_incomplete_is_an_error(desk: Desk, answer: Answer, code: str) -> None:
    desk.stub.will(answer)
    _, failure = await text_until_failure(desk.agent("openai"))
    assert failure.code == code
    assert "secret" not in failure.message


async def test_an_answer_at_the_length_limit_is_reported_as_cut(desk: Desk) -> None:
    desk.stub.will(Chat.text("A long", finish="length"))
    seen, failure = await text_until_failure(desk.agent("compatible"))
    assert (seen, failure.code, failure.allow_retry) == ("A long", "model.cut_short", False)


@pytest.mark.parametrize("name", BOTH)
async def test_an_answer_in_one_piece_fails_as_clearly_as_a_stream(desk: Desk, name: str) -> None:
    desk.stub.will(error(401, "Incorrect API key"))
    with pytest.raises(ModelError) as failure:
        await desk.agent(name).run("Hello")
    assert failure.value.code == "model.refused_key"


async def test_a_response_in_one_piece_that_failed_is_an_error(desk: Desk) -> None:
    desk.stub.will(Responses.whole("", status="failed", error={"code": "server_error", "message": "secret"}))
    with pytest.raises(ModelError) as failure:
        await desk.agent("openai").run("Hello")
    assert (failure.value.code, failure.value.message) == ("model.failed", "The model could not answer.")


async def test_closing_the_stream_early_lets_the_provider_go(desk: Desk) -> None:
    desk.stub.will(Chat.part("It ", then="silence"), Chat.text("Next."))
    agent = desk.agent("compatible")
    async with agent.run("Hello", stream=True) as updates:
        async for _ in updates:
            break
    assert await ask(agent) == "Next."


async def test_all_agents_of_a_process_share_one_connection(desk: Desk) -> None:
    desk.agent("compatible")
    clients = desk.clients["compatible"]
    first, second = clients.make(), clients.make()
    assert first.connection is second.connection  # type: ignore[attr-defined]
    await clients.close()
    assert first.connection.is_closed  # type: ignore[attr-defined]


async def test_a_client_can_be_built_alone() -> None:
    settings = Settings(_env_file=None, compatible_base_url="http://127.0.0.1:1/v1", compatible_model="m")
    client: Any = build_chat_client(settings)
    await client.connection.close()
    assert isinstance(build_chat_client(Settings(_env_file=None)), OfflineChatClient)


def test_azure_without_key_and_without_the_extra_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    settings = Settings(_env_file=None, azure_openai_endpoint="https://x.example", azure_openai_model="m")
    with pytest.raises(ConfigError, match=r"AZURE_OPENAI_API_KEY: .*parlor\[azure\]"):
        ChatClients(settings)


def fake_identity(monkeypatch: pytest.MonkeyPatch, get_token: Any) -> None:
    """Put a stand-in for the optional package, which needs a network, where Python finds it."""
    identity = ModuleType("azure.identity")
    vars(identity).update(
        DefaultAzureCredential=SimpleNamespace, get_bearer_token_provider=lambda credential, scope: get_token
    )
    monkeypatch.setitem(sys.modules, "azure", ModuleType("azure"))
    monkeypatch.setitem(sys.modules, "azure.identity", identity)


async def test_azure_without_key_sends_a_token_of_the_machine(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_identity(monkeypatch, lambda: "token-1")
    desk.stub.will(Chat.text("Yes."))
    assert await ask(desk.agent("azure", azure_openai_api_key=None)) == "Yes."
    headers = desk.stub.requests[0].headers
    assert headers["authorization"] == "Bearer token-1"
    assert "api-key" not in headers


async def test_azure_without_identity_refuses_without_asking(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_token() -> str:
        raise RuntimeError("no managed identity at 169.254.169.254")

    fake_identity(monkeypatch, no_token)
    _, failure = await text_until_failure(desk.agent("azure", azure_openai_api_key=None))
    assert failure.code == "model.refused_key"
    assert "169" not in failure.message
    assert desk.stub.requests == []


def test_any_other_exception_becomes_one_plain_sentence() -> None:
    group = ExceptionGroup("several", [KeyError("dsn=secret"), TimeoutError()])
    assert explain_model_failure(KeyError("dsn=secret")).code == "model.failed"
    assert explain_model_failure(group).code == "model.timeout"
    assert "secret" not in explain_model_failure(group).message


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error(401, "Incorrect API key provided: sk-test"), "model.refused_key"),
        (error(400, "too long", code="context_length_exceeded"), "model.too_long"),
        (Answer(then="silence"), "model.timeout"),
        (Answer(then="close"), "model.unreachable"),
    ],
)
async def test_failures_of_a_client_on_the_sdk_are_explained(stub: ProviderStub, answer: Answer, code: str) -> None:
    stub.will(answer)
    async with AsyncOpenAI(api_key="k", base_url=stub.url, max_retries=0, timeout=0.2) as sdk:
        with pytest.raises(APIError) as failure:
            await sdk.chat.completions.create(model="m", messages=[])
    assert explain_model_failure(failure.value).code == code


def test_a_model_error_in_the_chain_is_kept_and_circles_end() -> None:
    inner, outer = ModelError("Known.", code="model.known"), RuntimeError("outer")
    outer.__cause__, inner.__context__ = inner, outer
    assert explain_model_failure(outer) is inner
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert explain_model_failure(first).code == "model.failed"


@pytest.mark.parametrize(("name", "field"), [("compatible", "max_tokens"), ("azure", "max_completion_tokens")])
async def test_the_longest_length_is_asked_for_under_the_name_that_the_server_knows(
    desk: Desk, name: str, field: str
) -> None:
    desk.stub.will(Chat.text("Hi"))
    agent = desk.agent(name)
    async with agent.run("Hello", stream=True, options={"max_tokens": 5}) as updates:
        async for _ in updates:
            pass
    body = desk.stub.requests[0].body
    assert {key: value for key, value in body.items() if key.startswith("max_")} == {field: 5}


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("promise", ["", "Once more:"])
async def test_a_model_that_calls_tools_after_the_last_round_ends_with_the_limit(
    desk: Desk, name: str, promise: str
) -> None:
    @tool
    async def look(city: str) -> str:
        """Look."""
        return f"Rain in {city}"

    protocol = PROVIDERS[name].protocol
    again = protocol.calls(Call("call_2", "look", {"city": "Basel"}))
    if promise and protocol is Chat:
        said = Chat.chunk({"role": "assistant", "content": promise})
        again = Answer(again.status, again.headers, (said, *again.pieces))
    desk.stub.will(protocol.calls(Call("call_1", "look", {"city": "Bern"})), again)
    agent = desk.agent(name, tools=[look], model_max_round_trips=2)
    expected = promise if protocol is Chat else ""
    assert await ask(agent) == expected + LIMIT_REACHED
