"""Kinds of agents: with middleware, context providers, and custom classes. See docs/agents.md."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from agent_framework import (
    Agent,
    AgentContext,
    AgentMiddleware,
    AgentResponse,
    AgentResponseUpdate,
    BaseAgent,
    Content,
    ContextProvider,
    FunctionInvocationContext,
    FunctionMiddleware,
    ResponseStream,
    tool,
)

from base_server import BaseChatKitServer
from context import Services, Turn, turn_of
from errors import ForbiddenError
from tests.unit.harness import Chat, errors, texts
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.test_docs import ROOT, blocks_of

GUIDE = ROOT / "docs" / "agents.md"


class AnyServer(BaseChatKitServer):
    make: Callable[[Any], Any]

    def get_agent(self, turn: Turn) -> Any:
        return self.make(self.chat_client)


@tool
async def look(ctx: FunctionInvocationContext) -> str:
    """Look."""
    turn_of(ctx).effect("looked")
    return "Rain."


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def server(services: Services) -> AnyServer:
    return AnyServer(services)


def streamed(text: str) -> ResponseStream[AgentResponseUpdate, AgentResponse]:
    async def say() -> AsyncIterator[AgentResponseUpdate]:
        yield AgentResponseUpdate(contents=[Content.from_text(text)], role="assistant")

    return ResponseStream(say(), finalizer=AgentResponse.from_updates)


class Echo(BaseAgent):
    """Knows nothing of tools and options."""

    def run(self, messages: Any = None, *, stream: bool = False, session: Any = None) -> Any:
        return streamed("echo")


async def test_get_agent_may_take_no_turn_and_is_called_so_each_time(services: Services) -> None:
    class WithoutTurn(BaseChatKitServer):
        def get_agent(self) -> Any:  # type: ignore[override]
            return Echo(name="echo")

    chat = Chat(WithoutTurn(services))
    assert [texts(await chat.send("Hi")), texts(await chat.send("Again"))] == [["echo"], ["echo"]]


async def test_an_agent_whose_run_takes_next_to_nothing_answers(server: AnyServer) -> None:
    server.make = lambda client: Echo(name="echo")
    assert texts(await Chat(server).send("Hi")) == ["echo"]


def documented(name: str) -> Any:
    """Return the object that the guide to kinds of agents defines as `name`."""
    [block] = [block for block in blocks_of(GUIDE.read_text("utf-8"), "python") if f"class {name}(" in block]
    names: dict[str, Any] = {}
    exec(compile(block, str(GUIDE), "exec"), names)  # noqa: S102 - our own document
    return names[name]


async def test_the_workflow_of_the_guide_answers(services: Services, model: ScriptedModel) -> None:
    model.turns = [says("A draft."), says("Shorter.", message_id="m2")]
    assert texts(await Chat(documented("DeskServer")(services)).send("Write")) == ["A draft.", "Shorter."]


async def test_a_guardrail_answers_in_the_place_of_the_agent(server: AnyServer, model: ScriptedModel) -> None:
    server.make = lambda client: Agent(client, middleware=[documented("Guardrail")()])
    chat = Chat(server)
    model.turns = [says("Hello.")]
    assert texts(await chat.send("Hi")) == ["Hello."]
    assert texts(await chat.send("The secret?")) == ["I must not speak of that."]
    assert len(model.requests) == 1


class Broken(AgentMiddleware):
    async def process(self, context: AgentContext, call_next: Any) -> None:
        raise KeyError("a fault of the use case")


async def test_a_fault_of_a_use_case_is_not_blamed_on_the_model(
    server: AnyServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.make = lambda client: Agent(client, middleware=[Broken()])
    [error] = errors(await Chat(server).send("Hi"))
    assert error["message"].startswith("Something went wrong on our side.")
    assert "a fault of the use case" in caplog.text


class Permission(FunctionMiddleware):
    async def process(self, context: FunctionInvocationContext, call_next: Any) -> None:
        raise ForbiddenError("You may not look.")


async def test_a_refusal_of_a_middleware_is_sent_to_the_model(server: AnyServer, model: ScriptedModel) -> None:
    server.make = lambda client: Agent(client, tools=[look], middleware=[Permission()])
    model.turns = [calls("look"), says("I may not.")]
    assert texts(await Chat(server).send("Look")) == ["I may not."]
    assert [c.result for m in model.requests[1] for c in m.contents if c.type == "function_result"] == [
        "You may not look."
    ]


class Brings(ContextProvider):
    def __init__(self) -> None:
        super().__init__("brings")

    async def before_run(self, *, agent: Any, session: Any, context: Any, state: Any) -> None:
        context.extend_instructions("brings", "Be brief.")
        context.extend_tools("brings", [look])


async def test_a_context_provider_brings_instructions_and_tools(server: AnyServer, model: ScriptedModel) -> None:
    server.make = lambda client: Agent(client, context_providers=[Brings()])
    model.turns = [calls("look"), says("Rain.")]
    events = await Chat(server).send("Look")
    assert texts(events) == ["Rain."]
    assert [e["name"] for e in events if e["type"] == "client_effect"] == ["looked"]
    assert "Be brief." in str(model.options[0].get("instructions")) + "".join(m.text for m in model.requests[0])
