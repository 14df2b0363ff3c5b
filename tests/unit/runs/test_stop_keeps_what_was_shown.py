"""A stop keeps everything that was shown, even if it was not stored yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, tool
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    URLSource,
)

from base_server import BaseChatKitServer, action
from context import ActionTurn, Turn, turn_of
from database import Database
from errors import UserFacingError
from runs.viewer import Viewer
from store import ParlorStore
from tests.unit.harness import Chat, done_items, errors, user_input, with_store
from tests.unit.runs.running import adopt_thread, body, hidden_items, read_rest, read_until, start, stop
from tests.unit.scripted_model import ScriptedModel, Step, calls, says
from tests.unit.services_for_tests import open_services
from turns.clock import utc_now
from turns.request_context import RequestContext


def card(name: str) -> dict[str, Any]:
    return {"type": "Card", "id": name, "children": []}


@tool
async def cite(ctx: FunctionInvocationContext) -> str:
    """Say something in pieces, and where it is from when it is whole."""
    turn = turn_of(ctx)
    item = AssistantMessageItem(id="msg_cited", thread_id="t", created_at=utc_now(), content=[])
    turn.emit(ThreadItemAddedEvent(item=item))
    delta = AssistantMessageContentPartTextDelta(content_index=0, delta="Fact.")
    turn.emit(ThreadItemUpdatedEvent(item_id=item.id, update=delta))
    source = Annotation(source=URLSource(url="https://a.example", title="A"))
    content = AssistantMessageContent(text="Fact.", annotations=[source])
    turn.emit(ThreadItemDoneEvent(item=item.model_copy(update={"content": [content]})))
    return "Said."


@tool
async def show_five(ctx: FunctionInvocationContext) -> str:
    """Show five widgets at once."""
    for n in range(5):
        turn_of(ctx).widget(card(f"w{n}"))
    return "Shown."


@tool
async def say_twice(text: str, ctx: FunctionInvocationContext) -> str:
    """Say something under the same id each time."""
    content = [AssistantMessageContent(text=text)]
    turn_of(ctx).emit(
        ThreadItemDoneEvent(
            item=AssistantMessageItem(id="msg_fixed", thread_id="t", created_at=utc_now(), content=content)
        )
    )
    return "Said."


class ShowingServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[cite, show_five, say_twice])

    @action("test.grow", needs_widget=False)
    async def grow(self, turn: ActionTurn) -> None:
        async def frames() -> AsyncIterator[dict[str, Any]]:
            yield card("growing")
            await asyncio.sleep(0)
            raise UserFacingError("No more.")

        await turn.stream_widget(frames())

    @action("test.five", needs_widget=False)
    async def five(self, turn: ActionTurn) -> None:
        for n in range(5):
            turn.widget(card(f"w{n}"))


class LingeringStore(ParlorStore):
    """Does not come back from storing the first item of a kind, although it is stored."""

    def __init__(self, database: Database, kind: str) -> None:
        super().__init__(database)
        self._kind = kind
        self.is_holding = asyncio.Event()

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        await super().add_thread_item(thread_id, item, context)
        if item.type == self._kind and not self.is_holding.is_set():
            self.is_holding.set()
            await asyncio.Event().wait()


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, ScriptedModel()) as services:
        yield Chat(ShowingServer(services))


def script(chat: Chat, *turns: list[Step]) -> None:
    chat.server.chat_client.turns = list(turns)  # type: ignore[attr-defined]


async def stop_while_storing(chat: Chat, kind: str) -> list[dict[str, Any]]:
    """Stop the answer while an item is being stored; return what was stored by then."""
    store = with_store(chat, LingeringStore(chat.server.services.database, kind))
    viewer = await start(chat)
    adopt_thread(chat, await read_until(viewer, b"thread.created"))
    async with asyncio.timeout(10):
        await store.is_holding.wait()
    before = await chat.items()
    assert (await stop(chat))["run"]["status"] == "stopped"
    await read_rest(viewer)
    return before


async def test_a_finished_message_keeps_its_annotations(chat: Chat) -> None:
    script(chat, calls("cite"), says("End", message_id="m2"))
    before = await stop_while_storing(chat, "assistant_message")
    after = [item for item in await chat.items() if item["type"] == "assistant_message"]
    assert after == [item for item in before if item["type"] == "assistant_message"]
    assert len(after[0]["content"][0]["annotations"]) == 1


async def test_a_finished_workflow_keeps_its_summary(chat: Chat) -> None:
    script(chat, calls("show_five"), says("End", message_id="m2"))
    before = await stop_while_storing(chat, "workflow")
    assert await chat.items() == before
    assert [item["workflow"]["summary"]["title"] for item in before if item["type"] == "workflow"] == ["Show five"]
    assert await hidden_items(chat) == ["hidden_context_item", "sdk_hidden_context"], "what the tool did is remembered"


async def test_widgets_of_a_tool_that_wait_for_the_store_are_kept(chat: Chat) -> None:
    script(chat, calls("show_five"), [asyncio.Event()])
    await stop_while_storing(chat, "widget")
    widgets = [item["widget"]["id"] for item in await chat.items() if item["type"] == "widget"]
    assert widgets == [f"w{n}" for n in range(5)]
    assert await hidden_items(chat) == ["hidden_context_item", "sdk_hidden_context"]


async def test_waiting_items_are_stored_under_their_own_ids(chat: Chat) -> None:
    script(chat, [*calls("say_twice", text="older")], says("End", message_id="m2"))
    await chat.send("Go")
    both = [*calls("show_five"), *calls("say_twice", call_id="call_2", text="newer")]
    script(chat, both, [asyncio.Event()])
    store = with_store(chat, LingeringStore(chat.server.services.database, "widget"))
    asking = body("threads.add_user_message", True, thread_id=chat.thread_id, input=user_input("Again"))
    viewer = await chat.server.handle(asking, chat.context())
    assert isinstance(viewer, Viewer)
    async with asyncio.timeout(10):
        await store.is_holding.wait()
    await stop(chat)
    await read_rest(viewer)
    said = [item["content"][0]["text"] for item in await chat.items() if item["type"] == "assistant_message"]
    assert said == ["older", "End", "newer"]


async def test_widgets_of_an_action_that_wait_for_the_store_are_kept(chat: Chat) -> None:
    await chat.send("Go")
    store = with_store(chat, LingeringStore(chat.server.services.database, "widget"))
    click = body("threads.custom_action", True, thread_id=chat.thread_id, action={"type": "test.five"})
    viewer = await chat.server.handle(click, chat.context())
    assert isinstance(viewer, Viewer)
    async with asyncio.timeout(10):
        await store.is_holding.wait()
    await stop(chat)
    await read_rest(viewer)
    widgets = [item["widget"]["id"] for item in await chat.items() if item["type"] == "widget"]
    assert widgets == [f"w{n}" for n in range(5)]


async def test_a_widget_that_grew_until_its_action_failed_is_kept(chat: Chat) -> None:
    await chat.send("Go")
    events = await chat.act(None, "test.grow")
    assert errors(events)
    assert [e["type"] for e in events].count("thread.item.added") == 1
    widgets = [item["widget"]["id"] for item in await chat.items() if item["type"] == "widget"]
    assert widgets == ["growing"]


async def test_an_id_that_comes_twice_in_one_answer_is_two_items(chat: Chat) -> None:
    again = calls("say_twice", call_id="call_2", text="two")
    script(chat, calls("say_twice", text="one"), again, says("End", message_id="m9"))
    events = await chat.send("Go")
    said = [item for item in await chat.items() if item["type"] == "assistant_message"]
    assert [item["content"][0]["text"] for item in said] == ["one", "two", "End"]
    assert [item["id"] for item in done_items(events, "assistant_message")] == [item["id"] for item in said]
