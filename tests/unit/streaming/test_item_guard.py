"""The items that an answer may write, and those that a crash leaves behind."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, tool
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    LockedStatus,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    WidgetItem,
)

from base_server import BaseChatKitServer, action
from context import ActionTurn, Turn, turn_of
from errors import UnavailableError
from runs.viewer import Viewer
from store import ParlorStore
from streaming.requests.delivery import UNHURRIED_RUNS, checkpoint_pause_s
from streaming.requests.item_guard import ItemGuard
from tests.unit.harness import Chat, done_items, events_of, texts, user_input, with_settings, with_store
from tests.unit.scripted_model import ScriptedModel, Step, calls, says
from tests.unit.services_for_tests import open_services
from turns.clock import utc_now
from turns.request_context import RequestContext
from widgets.documents import widget_root

pytestmark = pytest.mark.usefixtures("text_path")

REUSED = "msg_chosen_by_the_model"


def message(text: str, item_id: str = REUSED) -> AssistantMessageItem:
    content = [AssistantMessageContent(text=text)] if text else []
    return AssistantMessageItem(id=item_id, thread_id="t", created_at=utc_now(), content=content)


def widget(value: str, item_id: str = REUSED) -> WidgetItem:
    root = widget_root({"type": "Card", "id": "card", "children": [{"type": "Text", "value": value}, BUTTON]})
    return WidgetItem(id=item_id, thread_id="t", created_at=utc_now(), widget=root)


BUTTON = {"type": "Button", "onClickAction": {"type": "test.again"}}


@tool
async def say_it_whole(text: str, ctx: FunctionInvocationContext) -> str:
    """Emit a finished message under an id of its own."""
    turn_of(ctx).emit(ThreadItemDoneEvent(item=message(text)))
    return "Said."


@tool
async def say_it_in_pieces(text: str, ctx: FunctionInvocationContext) -> str:
    """Emit a message in pieces under an id of its own."""
    turn = turn_of(ctx)
    turn.emit(ThreadItemAddedEvent(item=message("")))
    for piece in text:
        update = AssistantMessageContentPartTextDelta(content_index=0, delta=piece)
        turn.emit(ThreadItemUpdatedEvent(item_id=REUSED, update=update))
    turn.emit(ThreadItemDoneEvent(item=message(text)))
    return "Said."


@tool
async def change_mind(text: str, ctx: FunctionInvocationContext) -> str:
    """Emit, replace and remove under the same id."""
    turn = turn_of(ctx)
    turn.emit(ThreadItemDoneEvent(item=message("draft")))
    turn.emit(ThreadItemReplacedEvent(item=message(text)))
    if not text:
        turn.emit(ThreadItemRemovedEvent(item_id=REUSED))
    return "Said."


@tool
async def answer_the_question_itself(ctx: FunctionInvocationContext) -> str:
    """Emit a message under the id of the person's."""
    turn = turn_of(ctx)
    assert turn.user_message is not None
    turn.emit(ThreadItemDoneEvent(item=message("I was never asked", turn.user_message.id)))
    return "Said."


@tool
async def replace_older(text: str, ctx: FunctionInvocationContext) -> str:
    """Replace an older item, and say so."""
    turn_of(ctx).emit(ThreadItemReplacedEvent(item=message(text)))
    return "Replaced."


TOOLS = [say_it_whole, say_it_in_pieces, change_mind, answer_the_question_itself, replace_older]


class ReusingServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=TOOLS)

    @action("test.again")
    async def again(self, turn: ActionTurn) -> None:
        turn.emit(ThreadItemDoneEvent(item=widget("second")))


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, ScriptedModel()) as services:
        yield Chat(ReusingServer(services))


async def call_tool(chat: Chat, name: str, **arguments: Any) -> list[dict[str, Any]]:
    chat.server.chat_client.turns = [calls(name, **arguments)]  # type: ignore[attr-defined]
    return await chat.send("Go")


async def stored_texts(chat: Chat) -> list[str]:
    texts_of = ["".join(part["text"] for part in i["content"]) for i in await chat.items() if "content" in i]
    return [text for text in texts_of if text not in ("Go", "(the script is over)")]


@pytest.mark.parametrize("name", ["say_it_whole", "say_it_in_pieces"])
async def test_an_id_that_is_used_again_leaves_the_older_item_alone(chat: Chat, name: str) -> None:
    await call_tool(chat, name, text="one")
    events = await call_tool(chat, name, text="two")
    assert await stored_texts(chat) == ["one", "two"]
    [fresh] = [i["id"] for i in done_items(events, "assistant_message") if i["content"][0]["text"] == "two"]
    assert fresh != REUSED
    mentioned = {e.get("item_id") or e["item"]["id"] for e in events if e["type"].startswith("thread.item.")}
    assert REUSED not in mentioned, "added, updated and done speak of the same fresh item"
    streamed = "".join(e["update"].get("delta", "") for e in events if e.get("item_id") == fresh)
    assert streamed == ("two" if name == "say_it_in_pieces" else "")


async def test_an_own_id_keeps_its_meaning_within_an_answer(chat: Chat) -> None:
    await call_tool(chat, "change_mind", text="one")
    assert await stored_texts(chat) == ["one"], "an id that nobody had is taken as it is"
    assert (await chat.server.store.load_item(chat.thread_id or "", REUSED, chat.context())).id == REUSED
    await call_tool(chat, "change_mind", text="two")
    assert await stored_texts(chat) == ["one", "two"]
    await call_tool(chat, "change_mind", text="")
    assert await stored_texts(chat) == ["one", "two"], "what is removed is what was just added"


async def test_the_message_that_is_answered_is_an_older_item_too(chat: Chat) -> None:
    for _ in range(2):
        await call_tool(chat, "answer_the_question_itself")
        assert [i["type"] for i in await chat.items()].count("user_message") == 1
        chat.thread_id = None
    await chat.send("Go")
    await call_tool(chat, "answer_the_question_itself")
    assert [i["type"] for i in await chat.items()].count("user_message") == 2


async def test_an_older_item_may_be_replaced_on_purpose(chat: Chat) -> None:
    await call_tool(chat, "say_it_whole", text="one")
    await call_tool(chat, "replace_older", text="better")
    assert await stored_texts(chat) == ["better"]


@pytest.mark.parametrize("is_sync", [True, False])
async def test_an_action_overwrites_no_older_item_either(chat: Chat, is_sync: bool) -> None:
    await chat.send("Go")
    await chat.server.store.add_thread_item(chat.thread_id or "", widget("first"), context=chat.context())
    [card] = [i for i in await chat.items() if i["type"] == "widget"]
    await chat.act(card, "test.again", sync=is_sync)
    shown = [i["widget"]["children"][0]["value"] for i in await chat.items() if i["type"] == "widget"]
    assert shown == ["first", "second"]


# Checkpoints


async def start_answer(chat: Chat, *steps: Step, until: bytes) -> Viewer:
    chat.server.chat_client.turns = [list(steps)]  # type: ignore[attr-defined]
    body = {"type": "threads.create", "params": {"input": user_input("Go")}, "metadata": {"resumable": True}}
    viewer = await chat.server.handle(json.dumps(body).encode(), chat.context())
    assert isinstance(viewer, Viewer)
    seen = b""
    while until not in seen:
        seen += await anext(viewer)
    chat.thread_id = json.loads(seen.split(b"data: ", 1)[1].split(b"\n", 1)[0])["thread"]["id"]
    return viewer


async def test_unfinished_text_is_in_the_store_before_the_answer_is_whole(chat: Chat) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    chat.server = with_settings(chat.server, run_checkpoint_interval_s=0)
    one, two, three = (says(piece) for piece in ("One ", "two ", "three"))
    viewer = await start_answer(chat, *one, gates[0], *two, gates[1], *three, gates[2], until=b"One ")
    gates[0].set()
    while b"two" not in await anext(viewer):
        pass
    assert await stored_texts(chat) == ["One "], "what the client was shown before"
    partial = (await chat.items())[-1]["id"]
    context = chat.context()
    *_, mark = (await chat.server.services.store.load_thread_items(chat.thread_id or "", None, 9, "asc", context)).data
    assert mark.id.startswith("interrupted_"), "what a killed server leaves says that it is half an answer"
    for gate in gates:
        gate.set()
    rest = [chunk async for chunk in viewer]
    assert b"One two three" in b"".join(rest)
    assert await stored_texts(chat) == ["One two three"]
    assert (await chat.items())[-1]["id"] == partial
    assert [i["type"] for i in await chat.items()] == ["user_message", "assistant_message"]


async def test_after_a_checkpoint_the_pause_starts_again(chat: Chat) -> None:
    pauses = iter([0.0])  # none before the first
    await chat.send("Go")
    context, store = chat.context(), chat.server.services.store
    thread = await store.load_thread(chat.thread_id or "", context)
    message = AssistantMessageItem(
        id="msg_open", thread_id=thread.id, created_at=utc_now(), content=[AssistantMessageContent(text="One ")]
    )
    context.answer.connect_to_log(lambda: [message], lambda _: None)
    guard = ItemGuard(store, thread, context, lambda: next(pauses, 1_000.0))
    assert guard.is_checkpoint_due()
    await guard.checkpoint()
    assert await stored_texts(chat) == ["One "]
    assert not guard.is_checkpoint_due()


async def test_a_status_that_is_changed_in_place_changes_the_thread(chat: Chat) -> None:
    await chat.send("Go")
    context, store = chat.context(), chat.server.services.store
    thread = await store.load_thread(chat.thread_id or "", context)
    status = thread.status = LockedStatus(reason="Being reviewed")
    guard = ItemGuard(store, thread, context, lambda: 1_000.0)
    assert not guard.is_thread_changed()
    status.reason = "Reviewed"
    assert guard.is_thread_changed()


class FlakyStore(ParlorStore):
    """Refuses to store a message, once or more often."""

    failures = 1

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        if isinstance(item, AssistantMessageItem) and self.failures:
            self.failures -= 1
            raise UnavailableError("Not now.")
        await super().add_thread_item(thread_id, item, context)

    async def add_half_answer(
        self, thread_id: str, half: ThreadItem, mark: ThreadItem, context: RequestContext
    ) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("Not now.")
        await super().add_half_answer(thread_id, half, mark, context)


async def test_a_checkpoint_that_fails_does_not_end_the_answer(chat: Chat) -> None:
    flaky = with_store(chat, FlakyStore(chat.server.services.database))
    chat.server = with_settings(chat.server, run_checkpoint_interval_s=0)
    gate = asyncio.Event()
    viewer = await start_answer(chat, *says("One "), gate, *says("two"), until=b"One ")
    gate.set()
    rest = b"".join([chunk async for chunk in viewer])
    assert not flaky.failures
    assert b'"error"' not in rest
    assert await stored_texts(chat) == ["One two"]


async def test_text_that_cannot_be_stored_is_reported_with_an_id_and_stored_as_soon_as_possible(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    with_store(chat, FlakyStore(chat.server.services.database))
    viewer = await start_answer(chat, *says("One two"), until=b"thread.created")
    events = events_of(re.sub(rb"id: \d+\n", b"", b"".join([chunk async for chunk in viewer])))
    [event] = [event for event in events if event["type"] == "error"]
    assert event["message"].startswith("Not now. (")
    error_id = event["message"].partition("(")[2].rstrip(")")
    assert [r.error_id for r in caplog.records if r.message == "answer could not be stored"] == [error_id]  # type: ignore[attr-defined]
    assert await stored_texts(chat) == ["One two"]


async def test_a_store_that_stays_broken_loses_the_text_and_not_the_sentence(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    store = with_store(chat, FlakyStore(chat.server.services.database))
    store.failures = 3  # the finished message, the same again, and its unfinished copy
    viewer = await start_answer(chat, *says("One two"), until=b"thread.created")
    assert b"Not now. (" in b"".join([chunk async for chunk in viewer])
    assert "unfinished items are lost" in [record.message for record in caplog.records]
    assert await stored_texts(chat) == []


async def test_no_text_is_stored_between_checkpoints(chat: Chat) -> None:
    gate, never = asyncio.Event(), asyncio.Event()
    viewer = await start_answer(chat, *says("One "), gate, *says("two "), never, until=b"One ")
    gate.set()
    while b"two" not in await anext(viewer):
        pass
    assert await stored_texts(chat) == [], "three seconds are not over"
    await chat.request("runs.stop", thread_id=chat.thread_id)
    assert await stored_texts(chat) == ["One two "]
    assert texts([{"type": "thread.item.done", "item": i} for i in await chat.items()]) == ["One two "]


def test_with_many_answers_at_once_each_is_stored_less_often() -> None:
    assert checkpoint_pause_s(3.0, 1) == 3.0
    assert checkpoint_pause_s(3.0, 5 * UNHURRIED_RUNS) == 15.0
