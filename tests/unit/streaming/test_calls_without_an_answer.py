"""Answers that only call tools, and calls of unoffered tools, in both protocols."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Agent,
    FunctionInvocationContext,
    FunctionTool,
    MiddlewareTermination,
    function_middleware,
    tool,
)

from base_server import BaseChatKitServer
from chat_clients.unoffered_calls import MAX_ROUNDS
from context import Services, Turn, turn_of
from tests.unit.harness import Chat, PlainServer, done_items, errors, texts
from tests.unit.provider_stub import Call, ProviderStub
from tests.unit.provider_stub import Chat as Completions
from tests.unit.services_for_tests import open_services_with_provider
from tests.unit.strict_history import check_completions, check_responses

LOOK = Call("abcDEF123", "look", {"city": "Bern"})


@pytest.fixture
async def services(tmp_path: Path, stub: ProviderStub, protocol: Any) -> AsyncIterator[Services]:
    async with open_services_with_provider(stub, protocol, tmp_path) as opened:
        yield opened


@tool
async def look(city: str) -> str:
    """Look at the sky."""
    return f"Rain in {city}."


@tool
async def notify(city: str, ctx: FunctionInvocationContext) -> str:
    """Tell the person."""
    turn_of(ctx).notice(f"Rain in {city}.")
    return "Shown."


@tool
async def hurry(city: str, ctx: FunctionInvocationContext) -> str:
    """Say how far it is."""
    turn_of(ctx).progress(f"Looking at {city}")
    return "Done."


@tool(approval_mode="always_require")
async def erase() -> str:
    """Erase it."""
    return "Erased."


ask_page = FunctionTool(name="ask_page", func=None, description="Ask the page.", input_model={"type": "object"})


@function_middleware
async def ends_there(context: FunctionInvocationContext, call_next: Any) -> None:
    await call_next()
    raise MiddlewareTermination(result=context.result)


class ToolServer(BaseChatKitServer):
    middleware: Any = None

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[look, notify, hurry], middleware=self.middleware)


@pytest.mark.parametrize("blank", [[], ["\n\n"], ["\u200b"], ["<think>Hm</think>", "\n"]])
@pytest.mark.parametrize("name", ["look", "hurry"])
async def test_no_text_after_a_tool_is_no_answer(
    services: Services, stub: ProviderStub, protocol: Any, blank: list[str], name: str
) -> None:
    chat = Chat(ToolServer(services))
    stub.will(protocol.calls(Call("abcDEF123", name, {"city": "Bern"})), protocol.text(*blank), protocol.text("Rain."))
    events = await chat.send("Rain?")
    [failure] = errors(events)
    assert failure["message"].startswith("The model gave no answer.")
    assert failure["allow_retry"]
    assert len(done_items(events, "workflow")) == 1
    assert texts(await chat.send("And now?")) == ["Rain."]


async def test_no_text_after_a_tool_that_has_shown_something_is_an_answer(
    services: Services, stub: ProviderStub, protocol: Any
) -> None:
    chat = Chat(ToolServer(services))
    stub.will(protocol.calls(Call("abcDEF123", "notify", {"city": "Bern"})), protocol.text("\n"))
    assert errors(await chat.send("Rain?")) == []


async def test_an_answer_that_its_author_ends_with_a_tool_wants_no_words(
    services: Services, stub: ProviderStub, protocol: Any
) -> None:
    server = ToolServer(services)
    server.middleware = [ends_there]
    stub.will(protocol.calls(LOOK))
    assert errors(await Chat(server).send("Rain?")) == []
    assert len(stub.requests) == 1


async def test_a_call_of_an_unoffered_tool_is_reported_to_the_model_which_is_asked_again(
    services: Services, stub: ProviderStub, protocol: Any
) -> None:
    chat = Chat(PlainServer(services))
    stub.will(protocol.calls(LOOK, Call("abcDEF124", "größe<|x|>", {})), protocol.text("I cannot look."))
    events = await chat.send("Rain?")
    assert not errors(events)
    assert texts(events) == ["I cannot look."]
    assert done_items(events, "workflow") == []
    body = stub.requests[-1].body
    told = json.dumps(body, ensure_ascii=False)
    assert told.count("not found") == 2
    if protocol is Completions:
        check_completions(body["messages"])
    else:
        check_responses(body["input"])


async def test_the_person_is_informed_when_a_model_calls_only_unoffered_tools(
    services: Services, stub: ProviderStub, protocol: Any
) -> None:
    stub.will_always(protocol.calls(LOOK))
    events = await Chat(PlainServer(services)).send("Rain?")
    assert errors(events) == []
    [told] = texts(events)
    assert told.startswith("I stopped here")
    assert len(stub.requests) == MAX_ROUNDS


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("sibling", ["ask_page", "erase"])
async def test_an_unknown_tool_beside_one_that_needs_approval_asks_nobody(
    services: Services, stub: ProviderStub, protocol: Any, sibling: str, order: int
) -> None:
    class AskingServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Agent[Any]:
            return Agent(self.chat_client, tools=[ask_page, erase])

    chat = Chat(AskingServer(services))
    calls = [Call("abcDEF123", "no_such", {}), Call("abcDEF124", sibling, {})][::order]
    stub.will(protocol.calls(*calls), protocol.text("Yes."))
    events = await chat.send("Go")
    assert not errors(events)
    asked = done_items(events, "client_tool_call")
    cards = [json.dumps(item) for item in done_items(events, "widget")]
    assert [item["name"] for item in asked] == (["ask_page"] if sibling == "ask_page" else [])
    assert len(cards) == (sibling == "erase")
    assert not any("no such" in card.lower() or "no_such" in card for card in cards)
    assert texts(await chat.send("And now?")) == ["Yes."]
    assert "not found" in json.dumps(stub.requests[-1].body)


@pytest.mark.parametrize("protocol", [Completions])
async def test_the_text_before_a_call_of_an_unoffered_tool_stays(services: Services, stub: ProviderStub) -> None:
    first = Completions.calls(LOOK)
    said = Completions.text("Let me look.").pieces[:2]
    stub.will(replace(first, pieces=(*said, *first.pieces[1:])), Completions.text("I cannot."))
    assert "".join(texts(await Chat(PlainServer(services)).send("Rain?"))) == "Let me look.I cannot."
