"""Models of Agents SDK agents: the built-in one, providers through our clients, and an author's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agents import (
    Agent,
    FileSearchTool,
    Model,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunContextWrapper,
    function_tool,
    handoff,
)
from agents.testing import ScriptedModel as AuthorsModel
from agents.testing import assistant_message, function_call
from chatkit.types import StructuredInputFreeform
from openai import AsyncOpenAI
from openai.types.shared import Reasoning

from agents_sdk.chat_options import ChatOptions
from agents_sdk.input_items import read_input
from base_server import BaseChatKitServer
from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import (
    CompletionsChatClient,
    RawCompletionsClient,
    RawResponsesClient,
    ResponsesChatClient,
)
from chat_clients.offline.model import OfflineChatClient
from chat_clients.protocols.history_shape import HistoryForm
from chat_clients.protocols.request_options import read_names
from context import Turn
from errors import AgentError
from plugins import Composer, OfflinePhrase, UseCase
from tests.unit.harness import ONE_PIXEL, Chat, errors, texts, upload
from tests.unit.provider_stub import Call, ProviderStub, Responses
from tests.unit.provider_stub import Chat as ProviderChat
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services

PATHS = {ResponsesChatClient: "responses", CompletionsChatClient: "chat/completions"}


@function_tool
def look_up(city: str) -> str:
    """Look up the weather."""
    return f"Sun in {city}."


@function_tool
def ask_size(ctx: RunContextWrapper[Any]) -> str:
    """Ask for the size."""
    said: str = ctx.context.turn.ask(StructuredInputFreeform(id="size", question="How large?"))
    return said


class WeatherServer(BaseChatKitServer):
    model: Model | None = None

    def get_agent(self, turn: Turn) -> Any:
        return Agent(name="weather", model=self.model, tools=[look_up, ask_size])


@asynccontextmanager
async def chat_with(folder: Path, client: Any, own: Model | None = None) -> AsyncIterator[Chat]:
    async with open_services(folder, client) as services:
        server = WeatherServer(services)
        server.model = own
        yield Chat(server)


async def test_the_built_in_model_calls_its_tools(tmp_path: Path) -> None:
    phrases = [OfflinePhrase("weather in (?P<city>.+)", tool="look_up")]
    async with chat_with(tmp_path, OfflineChatClient(phrases=phrases)) as chat:
        assert texts(await chat.send("The weather in Bern")) == ["Sun in Bern."]
        assert [item["type"] for item in await chat.items()] == ["user_message", "workflow", "assistant_message"]


@pytest.mark.parametrize(("kind", "answers"), [(ResponsesChatClient, Responses), (CompletionsChatClient, ProviderChat)])
async def test_a_provider_is_asked_by_either_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, answers: Any
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as stub:
        stub.will(answers.calls(Call("c1", "look_up", {"city": "Bern"})), answers.text("It is ", "sunny."))
        connection = ProviderConnection(stub.url)
        client = kind(connection=connection, model="m", path="/" + PATHS[kind])
        async with chat_with(tmp_path, client) as chat:
            assert texts(await chat.send("Weather?")) == ["It is sunny."]
            assert [item["type"] for item in await chat.items()] == ["user_message", "workflow", "assistant_message"]
        await connection.close()


async def test_an_author_may_bring_a_model(tmp_path: Path) -> None:
    own = AuthorsModel([[function_call("look_up", {"city": "Bern"}, call_id="c1")], [assistant_message("Sunny.")]])
    platform = ScriptedModel()
    async with chat_with(tmp_path, platform, own) as chat:
        assert texts(await chat.send("Weather?")) == ["Sunny."]
        assert [item["type"] for item in await chat.items()] == ["user_message", "workflow", "assistant_message"]
        assert platform.requests == []


@pytest.mark.parametrize(
    ("kind", "answers"), [(OpenAIResponsesModel, Responses), (OpenAIChatCompletionsModel, ProviderChat)]
)
async def test_a_model_of_the_sdk_takes_the_whole_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, answers: Any
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as stub, AsyncOpenAI(base_url=stub.url, api_key="k", max_retries=0) as client:
        own = kind(model="m", openai_client=client)
        stub.will(answers.calls(Call("c1", "look_up", {"city": "Bern"})), answers.text("Sunny."), answers.text("Yes."))
        async with chat_with(tmp_path, ScriptedModel(), own) as chat:
            picture = await upload(chat.server.services, "sky.png", ONE_PIXEL, "image/png", chat.context())
            assert texts(await chat.send("Weather?", attachments=[picture])) == ["Sunny."]
            events = await chat.send("Really?")
            assert (texts(events), errors(events)) == (["Yes."], [])
        told = json.dumps(stub.requests[-1].body)
        assert all(words in told for words in ("Weather?", "data:image/", "Sun in Bern.", "Sunny.", "Really?"))


async def test_a_question_of_a_tool_pauses_the_answer_until_it_is_answered(tmp_path: Path) -> None:
    model = ScriptedModel(turns=[calls("ask_size"), says("Thank you.")])
    async with chat_with(tmp_path, model) as chat:
        await chat.send("A shirt")
        assert (await chat.items())[-1]["type"] == "structured_input"
        assert len(model.requests) == 1
        assert texts(await chat.send("Large")) == ["Thank you."]


async def test_an_agent_that_all_share_answers_each_from_their_own_conversation(tmp_path: Path) -> None:
    shared = Agent(name="shared", tools=[look_up])

    class SharedServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Any:
            return shared

    model = ScriptedModel(turns=[says("Hello Ada."), says("Hello Bob.")])
    async with open_services(tmp_path, model) as services:
        server = SharedServer(services)
        await Chat(server, user="ada").send("I am Ada")
        await Chat(server, user="bob").send("I am Bob")
    assert "Ada" not in str([message.text for message in model.requests[1]])
    assert shared.tools == [look_up]


async def test_the_choices_in_the_composer_are_used(tmp_path: Path) -> None:
    model = ScriptedModel(turns=[calls("look_up", city="Bern"), says("Sunny.")])
    async with chat_with(tmp_path, model) as chat:
        offered = Composer(
            models=[{"id": "large", "label": "Large"}],
            tools=[{"id": "look_up", "label": "Weather", "icon": "globe"}],
        )
        chat.server.use_case = UseCase(name="test", title="Test", server=chat.server, composer=offered)
        chosen = {"model": "large", "tool_choice": {"id": "look_up"}}
        assert texts(await chat.send("Hi", inference_options=chosen)) == ["Sunny."]
    assert [options["model"] for options in model.options] == ["large", "large"]
    assert model.options[0]["tool_choice"] == {"mode": "required", "required_function_name": "look_up"}
    assert "tool_choice" not in model.options[1]


def body_of(client: Any, name: str | None, **agent: Any) -> dict[str, Any]:
    """Return the body of the request to a provider."""
    settings, tools = agent.pop("settings", ModelSettings()), agent.pop("tools", [look_up])
    options = ChatOptions(client, name, None).build(settings, tools, None, agent.pop("handoffs", []))
    names = read_names(options.get("tools"))
    body: dict[str, Any] = client._build_request(read_input("Hi"), options, names, HistoryForm(), stream=True)
    return body


def responses_client() -> RawResponsesClient:
    return RawResponsesClient(connection=None, model="m", path="responses")  # type: ignore[arg-type]


def completions_client() -> RawCompletionsClient:
    return RawCompletionsClient(connection=None, model="m", path="chat/completions")


def test_both_protocols_send_the_tools_and_the_model_of_the_agent() -> None:
    body = body_of(responses_client(), "gpt-x", settings=ModelSettings(reasoning=Reasoning(effort="low")))
    assert (body["model"], body["reasoning"], body["tools"][0]["name"]) == ("gpt-x", {"effort": "low"}, "look_up")
    assert body_of(responses_client(), None, settings=ModelSettings(truncation="auto"))["truncation"] == "auto"
    assert "truncation" not in body_of(completions_client(), None, settings=ModelSettings(truncation="auto"))
    body = body_of(completions_client(), None, settings=ModelSettings(tool_choice="look_up"))
    assert (body["model"], body["tools"][0]["function"]["name"]) == ("m", "look_up")
    assert body["tool_choice"] == {"type": "function", "function": {"name": "look_up"}}


def test_the_model_is_held_to_schemas_that_are_strict() -> None:
    @function_tool(strict_mode=False)
    def note(fields: dict[str, str]) -> str:
        """Note."""
        return ""

    body = body_of(responses_client(), None, tools=[look_up, note], handoffs=[handoff(Agent[Any](name="clerk"))])
    assert [tool["strict"] for tool in body["tools"]] == [True, False, True]
    # Servers of Chat Completions are many, and not all know the word.
    assert "strict" not in body_of(completions_client(), None)["tools"][0]["function"]


def test_the_platforms_model_does_not_get_the_sdks_default_settings() -> None:
    assert "reasoning" not in body_of(responses_client(), None, settings=Agent(name="a").model_settings)


def test_a_tool_of_openai_needs_the_responses_api() -> None:
    search = FileSearchTool(vector_store_ids=["vs_1"])
    assert body_of(responses_client(), None, tools=[search])["tools"][0]["type"] == "file_search"
    with pytest.raises(AgentError, match="'file_search' runs at OpenAI"):
        body_of(completions_client(), None, tools=[search])


def test_input_items_become_messages() -> None:
    picture = "data:image/png;base64,AAAA"
    messages = read_input(
        [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": picture}],
            },
            {"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": json.dumps({"city": "Bern"})},
            {"type": "function_call_output", "call_id": "c1", "output": "Sun."},
            {"type": "reasoning", "id": "r1", "summary": [], "encrypted_content": "sealed"},
            {"type": "something_new"},
            {"type": "input_text", "text": "<APP/>"},
        ]
    )
    assert [m.role for m in messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert messages[4].text == "<APP/>"
    assert messages[0].contents[1].media_type == "image/png"
    assert messages[2].contents[0].result == "Sun."
    assert messages[3].contents[0].protected_data == "sealed"
