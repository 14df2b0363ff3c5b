"""Events that cannot be sent raise where they were made, or end the answer with a message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, tool
from chatkit.types import ClientEffectEvent, ThreadMetadata, ThreadStreamEvent

from base_server import BaseChatKitServer
from context import Turn, turn_of
from errors import UnavailableError
from store import ParlorStore
from tests.unit.harness import Chat, errors, streamed_text, texts, with_store
from tests.unit.runs.running import texts_in_store
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from turns.request_context import RequestContext

Hook = Callable[[Any, Turn], AsyncIterator[ThreadStreamEvent]]


@tool
async def save(ctx: FunctionInvocationContext) -> str:
    """Tell the page of something that is not JSON."""
    turn_of(ctx).effect("saved", {"what": object()})
    return "Saved."


@tool
async def show_half_a_pair(ctx: FunctionInvocationContext) -> str:
    """Show a text that was cut in the middle of a character."""
    turn = turn_of(ctx)
    turn.widget({"type": "Card", "children": [{"type": "Text", "value": "half \ud83d"}]}, copy_text="half \ud83d")
    turn.progress("half \ud83d")
    return "Shown."


class PlainServer(BaseChatKitServer):
    hook: Hook | None = None

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[save, show_half_a_pair])

    async def post_respond_hook(self, thread: Any, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:  # type: ignore[override]
        if self.hook is not None:
            async for event in self.hook(thread, turn):
                yield event


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, ScriptedModel()) as services:
        yield Chat(PlainServer(services))


def script(chat: Chat, *turns: Any) -> None:
    chat.server.chat_client.turns = list(turns)  # type: ignore[attr-defined]


async def test_an_effect_that_is_not_json_fails_in_the_tool_that_made_it(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    script(chat, calls("save"), says("It could not be saved.", message_id="m2"))
    events = await chat.send("Go")
    assert texts(events) == ["It could not be saved."]
    [failed] = [each.exc_info[1] for each in caplog.records if each.exc_info and each.message == "tool failed"]
    assert "an event of type 'client_effect' cannot be sent" in str(failed)
    assert "object" in str(failed)


async def test_half_a_surrogate_pair_is_shown_and_stored_as_a_replacement_character(chat: Chat) -> None:
    script(chat, calls("show_half_a_pair"), says("Sunny \ud83d", " today", message_id="m2"))
    events = await chat.send("Half a \u2014 pair")
    assert not errors(events)
    assert streamed_text(events) == "Sunny \ufffd today"
    assert await texts_in_store(chat) == ["Sunny \ufffd today"]
    [widget] = [item for item in await chat.items() if item["type"] == "widget"]
    assert widget["widget"]["children"][0]["value"] == "half \ufffd"
    assert [e["text"] for e in events if e["type"] == "progress_update"] == ["half \ufffd"]


async def test_an_answer_that_cannot_be_sent_ends_with_a_sentence_and_is_cleaned_up_and_noted(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    async def hook(thread: Any, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:
        yield ClientEffectEvent(name="saved", data={"what": object()})

    caplog.set_level("INFO")
    chat.server.hook = hook  # type: ignore[attr-defined]
    script(chat, says("Partial"))
    events = await chat.send("Go")
    [error] = errors(events)
    assert events[-1] == error
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.error_id in error["message"]  # type: ignore[attr-defined]
    assert "object" not in error["message"]
    assert await texts_in_store(chat) == ["Partial"]
    [run] = await chat.server.store.load_runs(chat.thread_id or "", 9, chat.context())
    assert [told.run_id for told in caplog.records if hasattr(told, "run_id") and hasattr(told, "op")] == [run.id]
    assert (run.status, run.error_id) == ("failed", record.error_id)  # type: ignore[attr-defined]
    assert chat.server.services.runs.active == chat.server.chat_client.open_streams == 0  # type: ignore[attr-defined]
    assert texts(await chat.send("Again")) == ["(the script is over)"]


class BrokenStore(ParlorStore):
    async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        raise UnavailableError("Conversations cannot be saved.")


async def test_a_failed_save_of_a_thread_is_reported_with_an_id_in_the_log(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    async def hook(thread: Any, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:
        thread.metadata["closed"] = True
        return
        yield

    with_store(chat, BrokenStore(chat.server.services.database))
    chat.server.hook = hook  # type: ignore[attr-defined]
    script(chat, says("Hello"))
    events = await chat.send("Go")
    assert texts(events) == ["Hello"]
    [error] = errors(events)
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert error["message"] == f"Conversations cannot be saved. ({record.error_id})"  # type: ignore[attr-defined]
    [run] = await chat.server.store.load_runs(chat.thread_id or "", 9, chat.context())
    assert (run.status, run.error_id) == ("failed", record.error_id)  # type: ignore[attr-defined]


async def test_a_run_has_failed_when_the_person_saw_an_error(chat: Chat) -> None:
    script(chat, [*says("Well"), UnavailableError("Gone.")])
    assert errors(await chat.send("Go"))
    run = await chat.server.services.runs.find(chat.context(), chat.thread_id or "")
    assert run is not None
    assert run.status == "failed"
