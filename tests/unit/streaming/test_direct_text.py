"""Direct text: taken only if the agent cannot change it, and always in order (ADR 0013)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Agent,
    ChatContext,
    ChatMiddleware,
    ChatResponseUpdate,
    ContextProvider,
    FunctionInvocationContext,
    tool,
)
from chatkit.types import LockedStatus

from base_server import BaseChatKitServer
from chat_clients.http.provider_connection import ProviderConnection
from chat_clients.model_client import CompletionsChatClient, ResponsesChatClient
from chat_clients.protocols.complete_answers import stream_answer
from context import Services, Turn
from errors import ModelError
from framework.plain_agents import leaves_text_alone
from framework.text_updates import TEXT_SINK_KWARG, ShownPiece, TextPiece
from tests.unit.harness import Chat, errors, streamed_text, texts, with_settings
from tests.unit.provider_stub import ProviderStub, Responses
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from tests.waiting import until


@tool
async def look_up(ctx: FunctionInvocationContext) -> str:
    """Look something up."""
    return "It rains."


class PlainServer(BaseChatKitServer):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.agent_options: dict[str, Any] = {}
        self.turns: list[Turn] = []

    def get_agent(self, turn: Turn) -> Agent[Any]:
        self.turns.append(turn)
        return Agent(self.chat_client, tools=[look_up], **self.agent_options)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    monkeypatch.setattr(ScriptedModel, "tries_direct_text", True)
    monkeypatch.setattr(ScriptedModel, "direct_text_tries", 100)
    return ScriptedModel()


@pytest.fixture
def server(services: Services) -> PlainServer:
    return PlainServer(services)


async def test_text_that_continues_a_message_is_shown_directly_and_read_once(
    server: PlainServer, model: ScriptedModel
) -> None:
    model.turns = [says("It ", "rains", " in ", "Bern.")]
    events = await (chat := Chat(server)).send("Weather?")
    assert model.direct_texts == 3
    assert streamed_text(events) == "It rains in Bern."
    assert texts(events) == ["It rains in Bern."]
    assert (await chat.items())[-1]["content"][0]["text"] == "It rains in Bern."


async def test_the_model_gets_its_direct_text_before_the_call_of_a_tool(
    server: PlainServer, model: ScriptedModel
) -> None:
    model.turns = [[*says("Let ", "me ", "look."), *calls("look_up")], says("Take ", "a coat.", message_id="m2")]
    events = await Chat(server).send("Weather?")
    assert texts(events) == ["Let me look.", "Take a coat."]
    said = [
        content.text for message in model.requests[1] if message.role == "assistant" for content in message.contents
    ]
    assert "Let me look." in said
    assert model.direct_texts == 3


async def test_a_widget_within_direct_text_keeps_its_place(server: PlainServer, model: ScriptedModel) -> None:
    gate = asyncio.Event()
    model.turns = [[*says("Before ", "it."), gate, *says(" After", " it.")]]
    sending = asyncio.create_task(Chat(server).send("Go"))
    await until(lambda: model.direct_texts > 0)
    turn = server.turns[-1]
    assert turn.context.answer.direct_text is not None
    turn.widget({"type": "Card", "id": "card", "children": []})
    assert not turn.context.answer.direct_text.take(" too early", "m1")
    gate.set()
    events = await sending
    kinds = [e["item"]["type"] for e in events if e["type"] == "thread.item.done"]
    assert kinds == ["user_message", "assistant_message", "widget", "assistant_message"]
    assert texts(events) == ["Before it.", " After it."]


@pytest.mark.parametrize(
    "change",
    [
        lambda thread: setattr(thread, "title", "Numbers"),
        lambda thread: setattr(thread, "status", LockedStatus()),
        lambda thread: setattr(thread, "allowed_image_domains", ["a.example"]),
        lambda thread: thread.metadata.update(kind="numbers"),
    ],
    ids=["title", "status", "image domains", "metadata"],
)
async def test_changes_of_the_thread_are_sent_with_the_next_piece_of_text(
    change: Callable[[Any], None], server: PlainServer, model: ScriptedModel
) -> None:
    gate = asyncio.Event()
    model.turns = [[*says("One", " two"), gate, *says(" three", " four")]]
    sending = asyncio.create_task(Chat(server).send("Go"))
    await until(lambda: model.direct_texts > 0)
    turn = server.turns[-1]
    assert turn.context.answer.direct_text is not None
    change(turn.thread)
    assert not turn.context.answer.direct_text.take(" too early", "m1")
    gate.set()
    events = await sending
    told = max(n for n, event in enumerate(events) if event["type"] == "thread.updated")
    assert streamed_text(events[told:]) == " four"
    assert texts(events) == ["One two three four"]


async def test_text_is_stored_every_so_often_whichever_way_it_takes(server: PlainServer, model: ScriptedModel) -> None:
    server = with_settings(server, run_checkpoint_interval_s=0)
    gate = asyncio.Event()
    model.turns = [[*says("One", " two", " three"), gate]]
    sending = asyncio.create_task((chat := Chat(server)).send("Go"))
    await until(lambda: len(server.turns) == 1)
    chat.thread_id = server.turns[0].thread.id
    stored: list[Any] = []
    async with asyncio.timeout(15):
        while len(stored) < 2:
            await asyncio.sleep(0.005)
            stored = await chat.items()
    assert stored[1]["content"][0]["text"].startswith("One")
    gate.set()
    assert texts(await sending) == ["One two three"]
    assert model.direct_texts == 0


async def test_text_of_another_message_goes_through_the_agent(server: PlainServer, model: ScriptedModel) -> None:
    model.turns = [[*says("One", " two"), *says("Other", " three", message_id="m2")]]
    events = await Chat(server).send("Go")
    assert texts(events) == ["One two", "Other three"]
    assert model.direct_texts == 2


async def test_a_stopped_answer_keeps_what_came_directly(server: PlainServer, model: ScriptedModel) -> None:
    model.turns = [[*says("One", " two", " three"), asyncio.Event()]]
    chat = Chat(server)
    sending = asyncio.create_task(chat.send("Go"))
    await until(lambda: model.direct_texts >= 2)
    thread_id = server.turns[-1].thread.id
    await chat.request("runs.stop", thread_id=thread_id)
    await sending
    chat.thread_id = thread_id
    *_, message, mark = await chat.items()
    assert message["content"][0]["text"] == "One two three"
    assert mark["id"].startswith("stopped_")


async def test_a_failure_after_direct_text_keeps_its_text(server: PlainServer, model: ScriptedModel) -> None:
    model.turns = [[*says("One", " two"), ModelError("The line broke.", code="model.interrupted")]]
    events = await Chat(server).send("Go")
    assert texts(events) == ["One two"]
    assert "The line broke." in errors(events)[0]["message"]


class Shout(ChatMiddleware):
    """Speaks louder than the model."""

    async def process(self, context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:
        def louder(update: ChatResponseUpdate) -> ChatResponseUpdate:
            for content in update.contents:
                content.text = (content.text or "").upper()
            return update

        context.stream_transform_hooks.append(louder)
        await call_next()


@pytest.mark.parametrize("at", ["agent", "client"])
async def test_middleware_that_changes_text_is_not_bypassed(at: str, server: PlainServer, model: ScriptedModel) -> None:
    if at == "agent":
        server.agent_options = {"middleware": [Shout()]}
    else:
        model.chat_middleware = [Shout()]
    model.turns = [says("It ", "rains", " in ", "Bern.")]
    events = await Chat(server).send("Weather?")
    assert model.direct_texts == 0
    assert streamed_text(events) == "IT RAINS IN BERN."
    assert texts(events) == ["IT RAINS IN BERN."]


class OtherAgent(Agent[Any]):
    """Could do anything."""


class OtherClient(ScriptedModel):
    """Sees all that the model says."""

    def get_response(self, messages: Any, **kwargs: Any) -> Any:
        """Ask the model."""
        return super().get_response(messages, **kwargs)


class NamedClient(ScriptedModel):
    """Is the same under another name."""

    OTEL_PROVIDER_NAME = "mine"

    def __init__(self) -> None:
        super().__init__(turns=[])


@pytest.mark.parametrize(
    "agent",
    [
        OtherAgent(ScriptedModel()),
        Agent(OtherClient()),
        Agent(ScriptedModel(), context_providers=[ContextProvider("x")]),
        Agent(ScriptedModel(), middleware=[Shout()]),
        Agent(ScriptedModel(middleware=[Shout()])),
        object(),
    ],
)
def test_an_agent_that_may_have_something_to_say_is_asked(agent: Any) -> None:
    assert not leaves_text_alone(agent)


def test_a_client_that_overrides_no_method_is_as_good_as_ours() -> None:
    assert leaves_text_alone(Agent(NamedClient()))


@pytest.mark.parametrize("client", [ResponsesChatClient, CompletionsChatClient])
async def test_our_own_clients_in_a_plain_agent_show_text_directly(client: Any) -> None:
    connection = ProviderConnection("http://127.0.0.1:1")
    assert leaves_text_alone(Agent(client(connection=connection, model="m", path="/x")))
    await connection.close()


class NotingClient(ResponsesChatClient):
    """A client of ours that notes which pieces were shown directly."""

    takes_text_sink = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shown: list[str] = []

    def _inner_get_response(self, **kwargs: Any) -> Any:
        sink = kwargs.pop(TEXT_SINK_KWARG)

        def note(text: str, message_id: str | None) -> bool:
            was_shown: bool = sink(text, message_id)
            if was_shown:
                self.shown.append(text)
            return was_shown

        return super()._inner_get_response(**kwargs, **{TEXT_SINK_KWARG: note})


async def test_an_answer_of_a_provider_is_shown_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as stub:
        stub.will(replace(Responses.text("It ", "rains ", "in ", "Bern."), pause_s=0.05))
        connection = ProviderConnection(stub.url)
        model = NotingClient(connection=connection, model="m", path="/responses")
        async with open_services(tmp_path, model) as services:
            events = await (chat := Chat(PlainServer(services))).send("Weather?")
        assert texts(events) == ["It rains in Bern."]
        assert model.shown == ["rains ", "in ", "Bern."]
        assert chat.thread_id
        await connection.close()


async def test_nothing_is_shown_of_what_follows_the_end_of_an_answer() -> None:
    shown: list[str] = []
    reader = Reader()

    async def ask(read: Callable[[list[Any]], list[Any] | None]) -> Any:
        async def batches() -> AsyncIterator[list[Any]]:
            read(says("a"))
            reader.is_done = True
            if (left := read(says("b"))) is not None:  # type: ignore[arg-type]
                yield left

        return batches()

    said = [u.text async for u in stream_answer(ask, reader, lambda text, _: not shown.append(text))]  # type: ignore[func-returns-value]
    assert (shown, said) == (["a"], ["a"])


class Reader:
    """Reads updates that are given as events."""

    finish_reason = "stop"

    def __init__(self) -> None:
        self.is_done = False

    def read(self, events: list[Any]) -> list[Any]:
        return events

    def close(self) -> list[Any]:
        return []


@pytest.mark.parametrize("accepts", [lambda text: True, lambda text: text in "bd", lambda text: False])
async def test_every_piece_goes_through_the_agent_once_and_shown_at_most_once(accepts: Callable[[str], bool]) -> None:
    shown: list[str] = []

    def show(text: str, message_id: str | None) -> bool:
        if accepts(text):
            shown.append(text)
        return accepts(text)

    async def ask(read: Callable[[list[Any]], list[Any] | None]) -> Any:
        async def batches() -> AsyncIterator[list[Any]]:
            for batch in (says("a"), says("b", "c"), [*says("d"), *calls("look_up")], says("e")):
                if (left := read(batch)) is not None:  # type: ignore[arg-type]
                    yield left

        return batches()

    said = [update async for update in stream_answer(ask, Reader(), show)]
    assert "".join(update.text for update in said) == "abcde"
    is_shown = [(type(update.contents[0]) is ShownPiece, update.text) for update in said]
    assert "".join(text for was, text in is_shown if was) == "".join(shown)
    assert all(isinstance(c, TextPiece) for update in said for c in update.contents if c.type == "text")
    call = next(n for n, update in enumerate(said) if update.contents[0].type == "function_call")
    assert "".join(update.text for update in said[:call]) == "abcd"
