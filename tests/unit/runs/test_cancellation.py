"""Stopping an answer ends it in time, whatever the code of a use case does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, tool
from chatkit.types import ProgressUpdateEvent, ThreadMetadata, ThreadStreamEvent

from base_server import BaseChatKitServer
from context import Services, Turn
from runs.cancellation import end_tasks
from tests.unit.harness import Chat, texts
from tests.unit.runs.running import (
    adopt_thread,
    hidden_items,
    numbered_events,
    read_rest,
    read_until,
    start,
    stop,
    with_runs,
)
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from tests.waiting import until
from turns.clock import utc_now


class StubbornServer(BaseChatKitServer):
    """A server whose tools end when `gone` is set, or after so many cancellations."""

    swallows = 10**6
    acted = False

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.gone = asyncio.Event()

    def get_agent(self, turn: Turn) -> Agent[Any]:
        @tool
        async def hold_on() -> str:
            """Wait, whatever happens."""
            await self.hold_on()
            return "Gone."

        @tool
        async def act() -> str:
            """Do something."""
            self.acted = True
            return "Done."

        return Agent(self.chat_client, tools=[hold_on, act])

    async def hold_on(self) -> None:
        left = self.swallows
        while not self.gone.is_set():
            try:
                await self.gone.wait()
            except asyncio.CancelledError:
                left -= 1
                if left < 0:
                    raise


class StubbornHook(StubbornServer):
    async def post_respond_hook(self, thread: Any, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:  # type: ignore[override]
        yield ProgressUpdateEvent(text="Closing")
        await self.hold_on()


class StubbornStart(StubbornServer):
    has_begun = False

    async def get_agent(self, turn: Turn) -> Agent[Any]:  # type: ignore[override]
        if not self.gone.is_set():
            self.has_begun = True
            await self.hold_on()
        return super().get_agent(turn)


async def test_a_tool_whose_clean_up_never_ends_does_not_hold_up_its_thread(tmp_path: Path) -> None:
    model = ScriptedModel(turns=[[*says("Half a sent"), *calls("hold_on")], says("Again")])
    async with open_services(tmp_path, model) as services:
        server = StubbornServer(services)
        chat = Chat(server)
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"workflow"))
        async with asyncio.timeout(10):
            assert (await stop(chat))["run"]["status"] == "stopped"
        await read_rest(viewer)
        assert [item["type"] for item in await chat.items()] == [
            "user_message",
            "assistant_message",
            "workflow",
            "task",
        ]
        assert await hidden_items(chat) == ["sdk_hidden_context"]
        assert texts(await chat.send("Again")) == ["Again"]
        server.gone.set()


async def test_a_tool_that_swallows_a_stop_does_not_let_the_agent_continue(tmp_path: Path) -> None:
    model = ScriptedModel(turns=[calls("hold_on"), calls("act", call_id="call_2"), says(*["x "] * 200)])
    async with open_services(tmp_path, model) as services:
        server = StubbornServer(services)
        server.swallows = 1
        chat = Chat(server)
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"workflow"))
        async with asyncio.timeout(10):
            await stop(chat)
        await read_rest(viewer)
        assert not server.acted
        assert services.runs.active == model.open_streams == 0


@pytest.mark.parametrize("how", ["stop", "deadline", "drain", "delete"])
async def test_a_run_that_does_not_end_is_left_behind(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_services(tmp_path, ScriptedModel(turns=[says("All said")])) as services:
        runs_time = 1.5 if how == "deadline" else 60
        server = StubbornStart(with_runs(services, cleanup_timeout_s=0.1, timeout_s=runs_time))
        chat, runs = Chat(server), server.services.runs
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"thread.created"))
        await until(lambda: server.has_begun)
        try:
            async with asyncio.timeout(15):
                if how == "stop":
                    assert (await stop(chat))["run"]["status"] == "stopped"
                elif how == "drain":
                    await runs.drain(0)
                elif how == "delete":
                    await chat.request("threads.delete", thread_id=chat.thread_id)
                rest = await read_rest(viewer)
            assert runs.active == 0
            assert "a stopped run does not end and is left behind" in [each.message for each in caplog.records]
            assert [e["type"] for _, e in numbered_events(rest)] == (["error"] if how in ("deadline", "drain") else [])
        finally:
            server.gone.set()
        if how in ("stop", "deadline"):
            assert texts(await chat.send("And now?")), "the thread is free again"


async def test_a_hook_that_does_not_end_delays_nothing_and_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_services(tmp_path, ScriptedModel(turns=[says("All said")])) as services:
        server = StubbornHook(with_runs(services, cleanup_timeout_s=0.1, timeout_s=60))
        chat, runs = Chat(server), server.services.runs
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"Closing"))
        try:
            await stop(chat)
            await read_rest(viewer)
            assert runs.active == 0
            assert [item["type"] for item in await chat.items()][:2] == ["user_message", "assistant_message"]
            await until(lambda: "a cancelled task does not end and is left behind" in caplog.messages)
        finally:
            server.gone.set()


async def test_a_clean_up_of_the_hook_that_waits_once_is_cancelled_again_and_the_mark_is_written(
    tmp_path: Path,
) -> None:
    async with open_services(tmp_path, ScriptedModel(turns=[says("All said")])) as services:
        server = StubbornHook(with_runs(services, cleanup_timeout_s=1, timeout_s=60))
        server.swallows = 1
        chat = Chat(server)
        viewer = await start(chat)
        adopt_thread(chat, await read_until(viewer, b"Closing"))
        async with asyncio.timeout(15):
            await stop(chat)
        assert await hidden_items(chat) == ["sdk_hidden_context"]
        await viewer.aclose()


async def test_tasks_are_cancelled_until_they_end_or_the_time_is_up() -> None:
    async def swallow(times: int) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                times -= 1
                if times < 0:
                    raise

    obedient, deaf, very_deaf = (asyncio.create_task(swallow(times)) for times in (0, 2, 3))
    await asyncio.sleep(0)
    assert await end_tasks(obedient, deaf, timeout_s=0.1)
    assert not await end_tasks(very_deaf, timeout_s=0.1)
    assert await end_tasks(very_deaf, obedient, timeout_s=10)
    assert await end_tasks()


async def test_a_hook_that_yields_is_closed_with_its_answer_and_not_some_time_later(tmp_path: Path) -> None:
    class Closing(BaseChatKitServer):
        is_closed = False

        def get_agent(self, turn: Turn) -> Agent[Any]:
            return Agent(self.chat_client)

        async def post_respond_hook(self, thread: Any, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:  # type: ignore[override]
            try:
                yield ProgressUpdateEvent(text="Closing")
            finally:
                self.is_closed = True

    async with open_services(tmp_path, ScriptedModel(turns=[says("All said")])) as services:
        server = Closing(services)
        thread = ThreadMetadata(id="thr_1", created_at=utc_now())
        context = Chat(server).context()
        await services.store.save_thread(thread, context)
        answer = server.respond(thread, None, context)
        async for event in answer:
            if isinstance(event, ProgressUpdateEvent):
                break
        await answer.aclose()
        assert server.is_closed
