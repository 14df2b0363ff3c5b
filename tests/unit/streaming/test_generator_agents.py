"""Async generator functions as agents: texts, widgets, events, failures and stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import pytest
from agent_framework import Message
from chatkit.types import ProgressUpdateEvent
from chatkit.widgets import Card, Text

from base_server import BaseChatKitServer
from context import Services, Turn
from errors import ForbiddenError
from tests.unit.harness import Chat, errors, texts
from tests.unit.runs.running import adopt_thread, read_rest, read_until, start, stop
from tests.unit.scripted_model import ScriptedModel
from tests.unit.streaming.test_kinds_of_agents import documented

CARD = {"type": "Card", "id": "c", "children": [{"type": "Text", "value": "Sunny"}]}


class AnyServer(BaseChatKitServer):
    returned: Any = None

    def get_agent(self, turn: Turn) -> Any:
        return self.returned


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(AnyServer(services))


def answer_with(chat: Chat, returned: Any) -> None:
    assert isinstance(chat.server, AnyServer)
    chat.server.returned = returned


def error_text(events: list[dict[str, Any]]) -> str:
    """Return the error message that the person reads, without its id."""
    message: str = errors(events)[0]["message"]
    return message.rpartition(" (err_")[0]


async def hello(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
    yield "Hello, "
    yield messages[-1].text


async def greet(word: str, messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
    yield f"{word}, {messages[-1].text}"


class Greeter:
    async def __call__(self, messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield f"Hello, {messages[-1].text}"

    async def say(self, messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield f"Hello, {messages[-1].text}"


@pytest.mark.parametrize("returned", [hello, Greeter(), Greeter().say, partial(greet, "Hello"), partial(Greeter())])
async def test_each_form_of_a_generator_function_answers(chat: Chat, returned: Any) -> None:
    answer_with(chat, returned)
    assert texts(await chat.send("Ada")) == ["Hello, Ada"]
    items = await chat.items()
    assert [item["type"] for item in items] == ["user_message", "assistant_message"]


async def test_one_that_would_end_the_process_ends_its_answer(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    async def leave(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield "I go."
        raise SystemExit(1)

    chat.server.returned = leave  # type: ignore[attr-defined]
    events = await chat.send("Hi")
    assert (texts(events), len(errors(events))) == (["I go."], 1)
    assert "the generator called sys.exit(1)" in caplog.text


async def test_it_sees_the_conversation_so_far(chat: Chat) -> None:
    async def recite(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield " / ".join(f"{m.role}: {m.text}" for m in messages)

    answer_with(chat, recite)
    await chat.send("One")
    assert texts(await chat.send("Two")) == ["user: One / assistant: user: One / user: Two"]


@pytest.mark.parametrize("widget", [CARD, Card(id="c", children=[Text(value="Sunny")])])
async def test_a_widget_between_texts_makes_two_messages(chat: Chat, widget: Any) -> None:
    async def show(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield "Look: "
        yield widget
        yield "Nice."

    answer_with(chat, show)
    await chat.send("Weather?")
    items = await chat.items()
    assert [item["type"] for item in items] == ["user_message", "assistant_message", "widget", "assistant_message"]
    assert items[2]["widget"]["children"][0]["value"] == "Sunny"


async def test_an_event_is_sent_where_it_was_yielded(chat: Chat) -> None:
    async def work(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield ProgressUpdateEvent(text="Looking")
        yield "Found."

    answer_with(chat, work)
    kinds = [event["type"] for event in await chat.send("Go")]
    assert kinds.index("progress_update") < kinds.index("thread.item.added")


async def test_thousands_of_events_are_sent_as_they_can_be(chat: Chat) -> None:
    async def work(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        for number in range(3_000):
            yield ProgressUpdateEvent(text=str(number))
        yield "Done."

    answer_with(chat, work)
    events = await chat.send("Go")
    assert [e["text"] for e in events if e["type"] == "progress_update"] == [str(n) for n in range(3_000)]
    assert texts(events) == ["Done."]


async def test_a_failure_is_reported_and_keeps_the_text_so_far(chat: Chat) -> None:
    async def fail(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield "Half an"
        raise ForbiddenError("You may not know the rest.")

    answer_with(chat, fail)
    events = await chat.send("Go")
    assert (texts(events), error_text(events)) == (["Half an"], "You may not know the rest.")


async def test_a_failure_of_its_code_shows_the_person_no_internals(chat: Chat) -> None:
    async def fail(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield "Half an"
        raise RuntimeError("secret")

    answer_with(chat, fail)
    events = await chat.send("Go")
    assert errors(events)
    assert "secret" not in str(events)


async def test_to_yield_nothing_is_a_failure(chat: Chat) -> None:
    async def say_nothing(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield ""

    answer_with(chat, say_nothing)
    assert error_text(await chat.send("Go")) == "The model gave no answer."


async def test_an_unsupported_yield_is_named_in_the_log(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    async def show(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        yield 42

    answer_with(chat, show)
    assert error_text(await chat.send("Go")) == "This assistant cannot answer at the moment."
    assert "the generator yielded a int; yield text, a ChatKit event, or a widget" in caplog.text


async def test_a_stop_keeps_the_text_so_far_and_closes_the_generator(chat: Chat) -> None:
    closed = asyncio.Event()

    async def wait(messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
        try:
            yield "Half a sent"
            await asyncio.Event().wait()
        finally:
            closed.set()

    answer_with(chat, wait)
    viewer = await start(chat)
    adopt_thread(chat, await read_until(viewer, b"Half a sent"))
    async with asyncio.timeout(10):
        assert (await stop(chat))["run"]["status"] == "stopped"
        await read_rest(viewer)
        await closed.wait()
    items = await chat.items()
    assert items[1]["content"][0]["text"] == "Half a sent"


async def coroutine(messages: list[Message], turn: Turn) -> None:
    pass


@pytest.mark.parametrize(
    ("returned", "name"),
    [
        (None, "None"),
        ("gpt", "a builtins.str"),
        (coroutine, "the function coroutine"),
        (Greeter, "the class Greeter"),
        (object(), "a builtins.object"),
    ],
)
async def test_anything_else_is_named_with_what_may_be_returned(
    chat: Chat, caplog: pytest.LogCaptureFixture, returned: Any, name: str
) -> None:
    answer_with(chat, returned)
    assert error_text(await chat.send("Go")) == "This assistant cannot answer at the moment."
    assert f"use case 'test': get_agent returned {name}; return an agent or workflow" in caplog.text


async def test_a_generator_that_was_called_already_is_refused(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    answer_with(chat, hello([], None))  # type: ignore[arg-type]
    assert errors(await chat.send("Go"))
    assert "return the function itself" in caplog.text


async def test_the_generator_of_the_guide_answers(services: Services) -> None:
    chat = Chat(documented("CountingServer")(services))
    assert texts(await chat.send("One more time")) == ["That is 3 words:"]
    widget = (await chat.items())[-1]["widget"]
    assert [child["value"] for child in widget["children"]] == ["One", "more", "time"]
