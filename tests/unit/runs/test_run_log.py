"""Replacing the log of a run: here by one that another task writes, as a database's would be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent
from chatkit.types import ThreadItem

from base_server import BaseChatKitServer
from context import Turn
from errors import ConflictError
from runs.open_items import OpenItems
from runs.run_log import CreateLog
from tests.unit.harness import Chat, streamed_text, texts
from tests.unit.runs.running import (
    adopt_thread,
    attach_viewer,
    hidden_items,
    numbered_events,
    read_rest,
    read_until,
    start,
    stop,
    texts_in_store,
    with_runs,
)
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services


class ListLog:
    """A log in a list, which a task writes with a pause for each event; a reader waits for what is not written yet."""

    def __init__(self, serialize: Callable[[Any], bytes]) -> None:
        self._serialize = serialize
        self._open = OpenItems()
        self._taken: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._written = asyncio.Condition()
        self._rows: list[bytes] = []
        self._wakes: set[Callable[[], None]] = set()
        self._task = asyncio.create_task(self._write())
        self.last = 0
        self.size = 0
        self.is_closed = False

    def append(self, event: Any) -> None:
        data = self._serialize(event)
        self._open.apply(event)
        self.last += 1
        self.size += len(data)
        self._taken.put_nowait(data)

    def open_items(self) -> list[ThreadItem]:
        return self._open.snapshot()

    def close(self) -> None:
        self._taken.put_nowait(None)

    async def read(self, after: int, *, with_ids: bool) -> tuple[bytes, int]:
        async with self._written:
            await self._written.wait_for(lambda: len(self._rows) == self.last)
        found = enumerate(self._rows[after:], after + 1)
        frames = [(b"id: %d\n" % n if with_ids else b"") + b"data: %b\n\n" % row for n, row in found]
        return b"".join(frames), self.last

    def subscribe(self, wake: Callable[[], None]) -> None:
        self._wakes.add(wake)

    def unsubscribe(self, wake: Callable[[], None]) -> None:
        self._wakes.discard(wake)

    async def _write(self) -> None:
        while not self.is_closed:
            data = await self._taken.get()
            await asyncio.sleep(0)
            async with self._written:
                if data is None:
                    self.is_closed = True
                else:
                    self._rows.append(data)
                self._written.notify_all()
            for wake in self._wakes:
                wake()


class PlainServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)


@pytest.fixture(params=[None, ListLog], ids=["in_memory", "written_later"])
async def chat(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Chat]:
    create_log: CreateLog | None = request.param
    async with open_services(tmp_path, ScriptedModel(turns=[])) as services:
        yield Chat(PlainServer(with_runs(services, create_log=create_log)))


def script(chat: Chat, *turns: Any) -> None:
    model: Any = chat.server.chat_client
    model.turns = list(turns)


async def test_an_answer_is_viewed_from_its_log_and_again_after_its_end(chat: Chat) -> None:
    script(chat, says("One ", "two ", "three"))
    stream = await read_rest(await start(chat))
    adopt_thread(chat, stream)
    assert streamed_text([event for _, event in numbered_events(stream)]) == "One two three"
    again = await read_rest(await attach_viewer(chat))
    assert streamed_text([event for _, event in numbered_events(again)]) == "One two three"


async def test_a_returning_viewer_continues_after_the_events_it_has_seen(chat: Chat) -> None:
    gate = asyncio.Event()
    script(chat, [*says("One "), gate, *says("two")])
    viewer = await start(chat)
    seen = await read_until(viewer, b"One ")
    adopt_thread(chat, seen)
    await viewer.aclose()
    gate.set()
    rest = await read_rest(await attach_viewer(chat, after=numbered_events(seen)[-1][0]))
    assert streamed_text([event for _, event in [*numbered_events(seen), *numbered_events(rest)]]) == "One two"


async def test_a_stop_keeps_the_text_so_far_and_frees_the_thread(chat: Chat) -> None:
    script(chat, [*says("Half"), asyncio.Event()], says("Whole"))
    viewer = await start(chat)
    adopt_thread(chat, await read_until(viewer, b"Half"))
    with pytest.raises(ConflictError):
        await chat.send("While it speaks")
    assert (await stop(chat))["run"]["status"] == "stopped"
    await read_rest(viewer)
    assert await texts_in_store(chat) == ["Half"]
    assert await hidden_items(chat) == ["sdk_hidden_context"]
    assert texts(await chat.send("Again")) == ["Whole"]
