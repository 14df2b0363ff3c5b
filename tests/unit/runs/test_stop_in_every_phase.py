"""A stop, a timeout and a restart in every phase of a run: stored and sent events agree."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent
from chatkit.types import ClientToolCallItem, StructuredInputFreeform, StructuredInputItem, ThreadItem, UserMessageItem

from base_server import BaseChatKitServer, action
from context import ActionTurn, Services, Turn
from database import Database
from errors import UnavailableError
from runs.viewer import Viewer
from store import ParlorStore
from tests import waiting
from tests.unit.harness import Chat, texts, user_input, with_store
from tests.unit.runs.running import (
    adopt_thread,
    body,
    hidden_items,
    numbered_events,
    read_rest,
    read_until,
    start,
    stop,
)
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services
from turns.clock import utc_now
from turns.request_context import RequestContext
from turns.run_record import RunRecord


class HoldingServer(BaseChatKitServer):
    """Hook and action wait for `gate` in their middle."""

    actions = 0

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.is_holding, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        await self._show(turn)

    @action("test.go", needs_widget=False)
    async def go(self, turn: ActionTurn) -> None:
        self.actions += 1
        await self._show(turn)

    async def _show(self, turn: Turn) -> None:
        turn.widget({"type": "Card", "id": "first", "children": []})
        if not self.gate.is_set():
            await asyncio.sleep(0)
            self.is_holding.set()
            await self.gate.wait()
        turn.widget({"type": "Card", "id": "second", "children": []})


class HoldingStore(ParlorStore):
    """Waits for `gate` in one of its methods: before or behind the transaction."""

    def __init__(self, database: Database, before: str = "", behind: str = "") -> None:
        super().__init__(database)
        self._before, self._behind = before, behind
        self.is_holding, self.gate = asyncio.Event(), asyncio.Event()

    async def _hold(self, where: str, name: str) -> None:
        if where == name and not self.is_holding.is_set():
            self.is_holding.set()
            await self.gate.wait()

    async def load_thread(self, thread_id: str, context: RequestContext) -> Any:
        await self._hold(self._before, "load_thread")
        return await super().load_thread(thread_id, context)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        await super().add_thread_item(thread_id, item, context)
        await self._hold(self._behind, item.type)

    async def add_message(self, thread_id: str, message: UserMessageItem, context: RequestContext) -> None:
        await super().add_message(thread_id, message, context)
        await self._hold(self._behind, message.type)

    async def update_item_if(
        self, thread_id: str, expected_status: str, item: ThreadItem, context: RequestContext
    ) -> bool:
        is_done = await super().update_item_if(thread_id, expected_status, item, context)
        await self._hold(self._behind, "update_item_if")
        return is_done

    async def delete_items_after(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        await super().delete_items_after(thread_id, item_id, context)
        await self._hold(self._behind, "delete_items_after")

    async def save_run(self, thread_id: str, run: RunRecord, context: RequestContext) -> None:
        await self._hold(self._before, "save_run")
        await super().save_run(thread_id, run, context)


async def until(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()


async def records(chat: Chat) -> list[RunRecord]:
    return await chat.server.services.store.load_runs(chat.thread_id or "", 9, chat.context())


async def statuses(chat: Chat) -> list[str]:
    """Return the thread's items, with their statuses where they have one."""
    page = await chat.server.services.store.load_thread_items(chat.thread_id or "", None, 100, "asc", chat.context())
    return [" ".join(filter(None, (item.type, getattr(item, "status", None)))) for item in page.data]


ASKED = ["user_message", "assistant_message", "widget", "widget"]
OPERATIONS = {
    "message": ("user_message", "threads.add_user_message", {"input": user_input("two")}, [*ASKED, "user_message"]),
    "retry": ("delete_items_after", "threads.retry_after_item", {}, ["user_message"]),
    "answer": (
        "update_item_if",
        "threads.add_structured_input",
        {"item_id": "waiting", "input": {"status": "answered", "answers": {"name": {"values": ["x"]}}}},
        [*ASKED, "structured_input answered"],
    ),
    "output": (
        "update_item_if",
        "threads.add_client_tool_output",
        {"result": 1},
        [*ASKED, "client_tool_call completed"],
    ),
}


@pytest.mark.parametrize("how", ["user", "drain"])
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_stop_behind_the_write_of_a_request_is_an_ordinary_stop_of_its_answer(
    tmp_path: Path, operation: str, how: str
) -> None:
    where, type_, params, stored = OPERATIONS[operation]
    async with open_services(tmp_path) as services:
        chat = Chat(HoldingServer(services))
        await chat.send("one")
        context, thread_id = chat.context(), chat.thread_id or ""
        ids: dict[str, Any] = {"id": "waiting", "thread_id": thread_id, "created_at": utc_now()}
        if operation == "answer":
            question = StructuredInputItem(**ids, inputs=[StructuredInputFreeform(id="name", question="?")])
            await services.store.add_thread_item(thread_id, question, context)
        elif operation == "output":
            call = ClientToolCallItem(**ids, call_id="call_1", name="locate", arguments={})
            await services.store.add_thread_item(thread_id, call, context)
        elif operation == "retry":
            params = {"item_id": (await chat.items())[0]["id"]}
        store = with_store(chat, HoldingStore(services.database, behind=where))
        request = body(type_, True, thread_id=thread_id, **params)
        asking = asyncio.create_task(chat.server.handle(request, chat.context()))
        await until(store.is_holding)
        # Not the request `runs.stop`, which reads the thread first: nobody knows how long that takes.
        runs = services.runs
        stopping = asyncio.create_task(runs.stop(context, thread_id, "user") if how == "user" else runs.drain(0))
        for _ in range(9):  # steps of the loop, for as many tasks
            await asyncio.sleep(0)
        store.gate.set()
        viewer = await asking
        assert isinstance(viewer, Viewer)
        events = [event for _, event in numbered_events(await read_rest(viewer))]
        await stopping
        assert [event["type"] for event in events][-1] == ("stream_options" if how == "user" else "error")
        marks = ["sdk_hidden_context"] if how == "user" else []
        assert await statuses(chat) == [*stored, *marks]
        assert [(run.status, run.stop_reason) for run in await records(chat)] == [("stopped", how), ("done", None)]


@pytest.mark.parametrize("how", ["drain", "timeout"])
async def test_a_request_that_wrote_nothing_before_a_restart_or_its_deadline_may_be_sent_again(
    tmp_path: Path, how: str
) -> None:
    timeout_s = 1 if how == "timeout" else 60
    async with open_services(tmp_path) as services:
        chat = Chat(HoldingServer(services))
        await chat.send("one")
        click = {"thread_id": chat.thread_id, "action": {"type": "test.go"}}
        metadata = {"idempotency_key": "once"}
        request = json.dumps({"type": "threads.custom_action", "params": click, "metadata": metadata}).encode()
    async with open_services(tmp_path, settings={"run_timeout_s": timeout_s}) as services:
        chat.server = HoldingServer(services)
        store = with_store(chat, HoldingStore(services.database, before="load_thread"))
        asking = asyncio.create_task(chat.server.handle(request, chat.context()))
        await until(store.is_holding)
        if how == "drain":
            await services.runs.drain(0)
        with pytest.raises(UnavailableError) as refused:
            await asking
        assert refused.value.code == ("runs.draining" if how == "drain" else "run.timeout")
        assert len(await records(chat)) == 1
    async with open_services(tmp_path) as services:
        chat.server = server = HoldingServer(services)
        viewer = await server.handle(request, chat.context())
        assert isinstance(viewer, Viewer)
        assert b'"widget"' in b"".join([chunk async for chunk in viewer])
        assert server.actions == 1


async def test_a_request_that_is_given_up_before_its_first_event_gives_its_key_back(tmp_path: Path) -> None:
    async with open_services(tmp_path) as services:
        server = HoldingServer(services)
        chat = Chat(server)
        await chat.send("one")
        store = with_store(chat, HoldingStore(services.database, before="load_thread"))
        click = {"thread_id": chat.thread_id, "action": {"type": "test.go"}}
        metadata = {"idempotency_key": "once"}
        request = json.dumps({"type": "threads.custom_action", "params": click, "metadata": metadata}).encode()
        asking = asyncio.create_task(chat.server.handle(request, chat.context()))
        await until(store.is_holding)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        assert await services.store.claim_request_key(chat.thread_id or "", "once", chat.context())


async def test_a_stop_in_the_hook_keeps_what_it_has_shown(tmp_path: Path) -> None:
    async with open_services(tmp_path) as services:
        server = HoldingServer(services)
        chat = Chat(server)
        server.gate.clear()
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b'"first"'))
        await until(server.is_holding)
        assert (await stop(chat))["run"]["status"] == "stopped"
        await read_rest(viewer)
        kept = ["user_message", "assistant_message", "widget", "sdk_hidden_context", "task"]
        assert await statuses(chat) == kept


async def test_a_stop_in_an_action_keeps_what_it_has_shown(tmp_path: Path) -> None:
    async with open_services(tmp_path) as services:
        server = HoldingServer(services)
        chat = Chat(server)
        await chat.send("one")
        server.gate.clear()
        click = body("threads.custom_action", True, thread_id=chat.thread_id, action={"type": "test.go"})
        viewer = await chat.server.handle(click, chat.context())
        assert isinstance(viewer, Viewer)
        await read_until(viewer, b'"first"')
        await until(server.is_holding)
        assert (await stop(chat))["run"]["status"] == "stopped"
        await read_rest(viewer)
        assert await statuses(chat) == [*ASKED, "widget", "sdk_hidden_context"]


@pytest.mark.parametrize("how", ["user", "timeout", "drain"])
async def test_a_whole_answer_stays_whole_when_it_is_stopped_while_that_is_noted(tmp_path: Path, how: str) -> None:
    # Time enough to come to the note on a busy machine.
    settings = {"run_timeout_s": 2 if how == "timeout" else 60}
    async with open_services(tmp_path, ScriptedModel(turns=[says("Hello")]), settings=settings) as services:
        chat = Chat(HoldingServer(services))
        store = with_store(chat, HoldingStore(services.database, before="save_run"))
        viewer = await start(chat)
        await until(store.is_holding)
        adopt_thread(chat, seen := await read_until(viewer, b'"second"'))
        run = await services.runs.find(chat.context(), chat.thread_id or "")
        assert run is not None
        if how == "timeout":
            await waiting.until(lambda: run.context.answer.stop_reason is not None)
            stopping = None
        else:
            stopping = asyncio.create_task(stop(chat) if how == "user" else services.runs.drain(0))
            await asyncio.sleep(0.01)
        store.gate.set()
        events = [event for _, event in numbered_events(seen + await read_rest(viewer))]
        if stopping is not None:
            await stopping
        assert texts(events) == ["Hello"]
        assert not [event for event in events if event["type"] == "error"]
        assert run.status == "done"
        assert await hidden_items(chat) == []
        assert [(record.status, record.stop_reason) for record in await records(chat)] == [("done", None)]
