"""Hosted tools of OpenAI, thoughts, citations and pictures, over a socket, with our model and an author's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from agents import (
    Agent,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    WebSearchTool,
    function_tool,
)
from openai import AsyncOpenAI

from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from context import Services
from tests.unit.agents_sdk.conftest import SDKServer
from tests.unit.harness import Chat, done_items, errors, texts, updates
from tests.unit.provider_stub import Answer, Call, ProviderStub, Responses
from tests.unit.provider_stub import Chat as Wire
from tests.unit.services_for_tests import open_services
from tests.unit.streaming.test_approvals import click
from tests.unit.streaming.test_strict_providers import SIGNATURE, answer_with_calls, call, calls_in

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "I should look it up."}],
    "encrypted_content": "sealed",
}
SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "weather bern", "sources": [{"type": "url", "url": "https://e.x/1"}]},
}
IMAGE = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": PIXEL}


def streamed(*items: dict[str, Any], between: tuple[bytes, ...] = ()) -> Answer:
    """Return an answer with finished items, as the real one streams them."""
    event = Responses.event
    pieces = [event("response.created", response=Responses.response("in_progress"))]
    for index, item in enumerate(items):
        begun = {key: value for key, value in item.items() if key in ("id", "type", "role", "call_id", "name")}
        begun |= {"status": "in_progress"} | ({"content": []} if item["type"] == "message" else {})
        begun |= {"summary": []} if item["type"] == "reasoning" else {}
        begun |= {"action": {"type": "search", "query": ""}} if item["type"] == "web_search_call" else {}
        pieces.append(event("response.output_item.added", output_index=index, item=begun))
        if item["type"] == "reasoning":
            where = {"item_id": item["id"], "output_index": index, "summary_index": 0}
            text = item["summary"][0]["text"]
            pieces.append(event("response.reasoning_summary_text.delta", **where, delta=text))
        if item["type"] == "message":
            where = {"item_id": item["id"], "output_index": index, "content_index": 0}
            pieces.append(event("response.output_text.delta", **where, delta=item["content"][0]["text"], logprobs=[]))
        pieces += between if item["type"] == "image_generation_call" else ()
        pieces.append(event("response.output_item.done", output_index=index, item=item))
    pieces.append(event("response.completed", response=Responses.response("completed", items)))
    return Answer(200, {"content-type": "text/event-stream"}, tuple(pieces))


def message(text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProviderStub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as stub:
        yield stub


@pytest.fixture
async def services(tmp_path: Path, stub: ProviderStub) -> AsyncIterator[Services]:
    connection = ProviderConnection(stub.url)
    client = ResponsesChatClient(connection=connection, model="m", path="/responses")
    async with open_services(tmp_path, client) as opened:
        yield opened
    await connection.close()


@pytest.fixture(params=["the platform's model", "an author's model"])
async def answer(chat: Chat, stub: ProviderStub, request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., None]]:
    own = AsyncOpenAI(api_key="none", base_url=stub.url, max_retries=0)
    model = None if request.param.startswith("the platform's") else OpenAIResponsesModel("m", own)

    def answer(**properties: Any) -> None:
        chat.server.returned = Agent(name="desk", model=model, **properties)  # type: ignore[attr-defined]

    yield answer
    await own.close()


@function_tool
def look_up(city: str) -> str:
    """Look it up."""
    return f"Sun in {city}."


async def test_a_search_and_its_thought_are_steps_and_go_back_together(
    chat: Chat, stub: ProviderStub, answer: Callable[..., None]
) -> None:
    answer(tools=[WebSearchTool(), look_up])
    wanted = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "look_up", "status": "completed"}
    stub.will(
        streamed(REASONING, SEARCH, {**wanted, "arguments": json.dumps({"city": "Bern"})}),
        streamed(
            message(
                "Sunny.",
                {"type": "url_citation", "url": "https://e.x/1", "title": "One", "start_index": 0, "end_index": 6},
                {"type": "file_citation", "file_id": "file_1", "filename": "sky.pdf", "index": 6},
            )
        ),
    )
    events = await chat.send("Weather?")
    assert not errors(events)
    [workflow] = done_items(events, "workflow")
    kinds = [task["type"] for task in workflow["workflow"]["tasks"]]
    assert kinds == ["thought", "web_search", "custom"]
    assert workflow["workflow"]["tasks"][0]["content"] == "I should look it up."
    [said] = done_items(events, "assistant_message")
    sources = [annotation["source"] for annotation in said["content"][0]["annotations"]]
    assert [source.get("url") or source.get("filename") for source in sources] == ["https://e.x/1", "sky.pdf"]
    sent = [item["type"] for item in stub.requests[1].body["input"]]
    assert sent[-4:] == ["reasoning", "web_search_call", "function_call", "function_call_output"]


async def test_a_picture_grows_while_it_is_drawn(chat: Chat, stub: ProviderStub, answer: Callable[..., None]) -> None:
    answer(tools=[ImageGenerationTool(tool_config={"type": "image_generation", "partial_images": 2})])
    partial = [
        Responses.event(
            "response.image_generation_call.partial_image",
            item_id="ig_1",
            output_index=0,
            partial_image_b64=PIXEL,
            partial_image_index=index,
        )
        for index in range(2)
    ]
    stub.will(streamed(IMAGE, message("Here."), between=tuple(partial)))
    events = await chat.send("Draw")
    assert len(updates(events, "generated_image.updated")) == 2
    [picture] = done_items(events, "generated_image")
    assert picture["image"]["url"].endswith(PIXEL)
    assert texts(events) == ["Here."]


async def test_files_that_were_searched_are_named(chat: Chat, stub: ProviderStub, answer: Callable[..., None]) -> None:
    answer(tools=[FileSearchTool(vector_store_ids=["vs_1"])])
    found = [{"file_id": "file_1", "filename": "sky.pdf", "score": 0.9, "text": "Sun."}]
    search = {"id": "fs_1", "type": "file_search_call", "status": "completed", "queries": ["sun"], "results": found}
    stub.will(streamed(search, message("Sunny.")))
    events = await chat.send("Weather?")
    [workflow] = done_items(events, "workflow")
    [task] = workflow["workflow"]["tasks"]
    assert (task["type"], task["sources"][0]["filename"]) == ("file", "sky.pdf")
    assert texts(events) == ["Sunny."]


async def test_a_remote_server_asks_for_permission_and_continues_with_it(chat: Chat, stub: ProviderStub) -> None:
    config: Any = {
        "type": "mcp", "server_label": "shelf", "server_url": "https://e.x/mcp", "require_approval": "always",
    }  # fmt: skip
    chat.server.returned = Agent(name="desk", tools=[HostedMCPTool(tool_config=config)])  # type: ignore[attr-defined]
    asked = {"id": "mcpr_1", "type": "mcp_approval_request", "name": "put", "arguments": "{}", "server_label": "shelf"}
    stub.will(streamed(asked), streamed(message("It is there.")))
    await chat.send("Put it there")
    cards = [item for item in await chat.items() if item["type"] == "widget"]
    assert len(cards) == 1
    assert texts(await click(chat, cards[0], "Allow")) == ["It is there."]
    sent = {item["type"]: item for item in stub.requests[1].body["input"]}
    assert sent["mcp_approval_response"]["approve"] is True


async def test_signatures_of_calls_are_sent_back_to_their_provider(tmp_path: Path, stub: ProviderStub) -> None:
    @function_tool
    def look(city: str) -> str:
        """Look."""
        return "Rain."

    signed = call("function-call-1", extra_content=SIGNATURE)
    stub.will(answer_with_calls(signed, call("function-call-2", index=1)), Wire.text("Rain."), Wire.text("Dry."))
    connection = ProviderConnection(stub.url)
    client = CompletionsChatClient(connection=connection, model="m", path="/chat/completions")
    async with open_services(tmp_path / "second", client) as services:
        server = SDKServer(services)
        server.returned = Agent(name="desk", tools=[look])
        chat = Chat(server)
        assert texts(await chat.send("Rain?")) == ["Rain."]
        assert texts(await chat.send("And tomorrow?")) == ["Dry."]
    await connection.close()
    for request in stub.requests[1:]:
        first = next(each for found, each in calls_in(request.body["messages"]) if each is found["tool_calls"][0])
        assert first["extra_content"] == SIGNATURE


async def test_signatures_of_an_agent_that_is_a_tool_go_back_after_a_permission(
    tmp_path: Path, stub: ProviderStub
) -> None:
    @function_tool(needs_approval=True)
    def pay(amount: int) -> str:
        """Pay."""
        return f"Paid {amount}."

    def desk() -> Agent[Any]:
        cashier = Agent[Any](name="cashier", tools=[pay])
        return Agent(name="desk", tools=[cashier.as_tool("ask_cashier", "Ask the cashier.")])

    def named(call_id: str, name: str, **arguments: Any) -> dict[str, Any]:
        function = {"name": name, "arguments": json.dumps(arguments)}
        return {**call(call_id, extra_content=SIGNATURE), "function": function}

    stub.will(
        answer_with_calls(named("call-1", "ask_cashier", input="Pay five")),
        answer_with_calls(named("call-2", "pay", amount=5)),
    )
    stub.will(Wire.text("The till is closed."), Wire.text("Done."))
    connection = ProviderConnection(stub.url)
    client = CompletionsChatClient(connection=connection, model="m", path="/chat/completions")
    async with open_services(tmp_path / "second", client) as services:
        chat = Chat(SDKServer(services))
        chat.server.returned = desk()  # type: ignore[attr-defined]
        await chat.send("Pay five")
        card = next(item for item in await chat.items() if item["type"] == "widget")
        chat.server = SDKServer(services)
        chat.server.returned = desk()
        assert texts(await click(chat, card, "Allow")) == ["Done."]
    await connection.close()
    for request in stub.requests[2:]:
        [signed] = [each for _, each in calls_in(request.body["messages"])]
        assert signed["extra_content"] == SIGNATURE


async def test_a_model_of_the_authors_over_chat_completions_answers(chat: Chat, stub: ProviderStub) -> None:
    own = AsyncOpenAI(api_key="none", base_url=stub.url, max_retries=0)
    model = OpenAIChatCompletionsModel("m", own)
    chat.server.returned = Agent(name="desk", model=model, tools=[look_up])  # type: ignore[attr-defined]
    stub.will(Wire.calls(Call("c1", "look_up", {"city": "Bern"})), Wire.text("It is ", "sunny."))
    assert texts(await chat.send("Weather?")) == ["It is sunny."]
    assert [item["type"] for item in await chat.items()] == ["user_message", "workflow", "assistant_message"]
    await own.close()


async def test_a_tool_that_needs_openais_own_class_of_model_is_refused_by_name(
    chat: Chat, stub: ProviderStub, caplog: pytest.LogCaptureFixture
) -> None:
    tool = LocalShellTool(executor=lambda request: "")
    chat.server.returned = Agent(name="desk", tools=[tool])  # type: ignore[attr-defined]
    [error] = errors(await chat.send("Click"))
    assert error["message"].startswith("This assistant cannot answer at the moment.")
    assert "(LocalShellTool) works only with a model of OpenAI's own class" in caplog.text
