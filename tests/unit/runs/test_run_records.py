"""Records of runs: their ends, their costs, and people's feedback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, ChatResponseUpdate, Content, tool

from base_server import BaseChatKitServer
from context import Turn
from errors import BadRequestError, ConflictError, ModelError, NotFoundError
from runs.viewer import Viewer
from tests.unit.harness import Chat, done_items, errors
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from turns.run_record import RunRecord


@tool
async def look() -> str:
    """Look."""
    return "Seen."


class PlainServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[look])


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, ScriptedModel()) as services:
        yield Chat(PlainServer(services))


def script(chat: Chat, *turns: Any) -> None:
    chat.server.chat_client.turns = list(turns)  # type: ignore[attr-defined]


def usage(tokens: int, **how: Any) -> ChatResponseUpdate:
    return ChatResponseUpdate(contents=[Content.from_usage({"total_token_count": tokens}, **how)])


async def runs(chat: Chat) -> list[RunRecord]:
    return await chat.server.store.load_runs(chat.thread_id or "", 20, chat.context())


async def test_a_whole_answer_is_noted_with_what_it_cost_over_all_its_rounds(chat: Chat) -> None:
    script(
        chat,
        [*calls("look"), usage(5)],
        [*says("Done."), usage(7, merge_mode="replace")],
        [*says("No."), usage(2), usage(3)],
    )
    await chat.send("Go")
    await chat.send("And now?")
    later, first = await runs(chat)
    assert (first.status, first.usage) == ("done", {"total_token_count": 12})
    assert (later.status, later.usage) == ("done", {"total_token_count": 5})
    assert first.started_at <= first.ended_at <= later.started_at
    assert (first.id, first.stop_reason, first.error_id) == ("run_req_test", None, None)


async def test_a_failed_answer_is_recorded_under_the_id_that_the_person_saw(chat: Chat) -> None:
    script(chat, [*says("Well"), usage(4), ModelError("The model went away.")])
    [error] = errors(await chat.send("Go"))
    [run] = await runs(chat)
    assert run.status == "failed"
    assert run.error_id
    assert run.error_id in error["message"]
    assert run.usage == {"total_token_count": 4}


async def test_a_stopped_answer_is_noted_with_its_reason(chat: Chat) -> None:
    await chat.send("First")
    script(chat, [*says("Once"), asyncio.Event()])
    params = {"thread_id": chat.thread_id, "input": {"content": [{"type": "input_text", "text": "Go"}]}}
    params["input"] |= {"attachments": [], "inference_options": {}}  # type: ignore[operator]
    body = {"type": "threads.add_user_message", "params": params}
    viewer = await chat.server.handle(json.dumps(body).encode(), chat.context())
    assert isinstance(viewer, Viewer)
    while b"Once" not in await anext(viewer):
        pass
    await chat.server.handle(
        json.dumps({"type": "runs.stop", "params": {"thread_id": chat.thread_id}}).encode(), chat.context()
    )
    assert [(run.status, run.stop_reason) for run in await runs(chat)] == [("stopped", "user"), ("done", None)]
    await viewer.aclose()


async def test_a_refused_request_is_no_run(chat: Chat) -> None:
    await chat.send("Go")
    for type_, params in (
        ("threads.retry_after_item", {"item_id": "msg_missing"}),
        ("threads.add_client_tool_output", {"result": 1}),
    ):
        with pytest.raises(Exception, match=r"does not exist|waiting"):
            await chat.request(type_, thread_id=chat.thread_id, **params)
    assert len(await runs(chat)) == 1


async def test_an_answer_that_is_stopped_before_it_begins_leaves_the_thread_free(chat: Chat) -> None:
    await chat.send("First")
    sending = asyncio.create_task(chat.send("Second"))
    runs_of_process, thread_id = chat.server.services.runs, chat.thread_id or ""
    # In the very next turn of the loop: the run is known, and its task has not made a step.
    stopping = asyncio.create_task(runs_of_process.stop(chat.context(), thread_id, "user"))
    async with asyncio.timeout(10):
        with pytest.raises(ConflictError, match="before it began"):
            await sending
    stopped = await stopping
    assert stopped is not None
    assert stopped.status == "stopped"
    assert runs_of_process.active == 0
    assert [item["type"] for item in done_items(await chat.send("Third"))] == ["user_message", "assistant_message"]


# Feedback


async def rate(chat: Chat, kind: str, *item_ids: str) -> Any:
    return await chat.request("items.feedback", thread_id=chat.thread_id, item_ids=list(item_ids), kind=kind)


async def test_feedback_is_loaded_with_the_thread_and_with_its_items(chat: Chat) -> None:
    asked, answered = (item["id"] for item in done_items(await chat.send("Go")))
    thread = await chat.request("threads.get_by_id", thread_id=chat.thread_id)
    assert "feedback" not in thread
    assert await rate(chat, "negative", answered) == {}
    await rate(chat, "positive", answered)
    assert (await chat.request("threads.get_by_id", thread_id=chat.thread_id))["feedback"] == {answered: "positive"}
    newest = await chat.request("items.list", thread_id=chat.thread_id, limit=1)
    oldest = await chat.request("items.list", thread_id=chat.thread_id, limit=1, order="asc")
    assert (newest["data"][0]["id"], newest["feedback"]) == (answered, {answered: "positive"})
    assert (oldest["data"][0]["id"], oldest.get("feedback")) == (asked, None)


async def test_feedback_is_for_own_items_and_bounded(chat: Chat) -> None:
    items = [item["id"] for item in done_items(await chat.send("Go"))]
    stranger = Chat(chat.server, user="user_b")
    stranger.thread_id = chat.thread_id
    for who, item_ids in ((stranger, items), (chat, [*items, "msg_missing"])):
        with pytest.raises(NotFoundError):
            await rate(who, "positive", *item_ids)
    for item_ids in ([], [f"msg_{n}" for n in range(101)]):
        with pytest.raises(BadRequestError):
            await rate(chat, "positive", *item_ids)
    assert "feedback" not in await chat.request("threads.get_by_id", thread_id=chat.thread_id)
