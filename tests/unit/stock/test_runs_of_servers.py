"""Answers of stock servers as runs: resumed, stopped, limited, and ended before a deployment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from chatkit.server import ChatKitServer
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
)

from context import Services
from errors import ConflictError, UnavailableError
from runs.registry import Runs
from stock_server import StockServer
from tests.unit.harness import Chat, errors, events_of, texts
from tests.unit.stock.samples import build_message
from tests.waiting import until

Talk = Callable[..., Chat]


class SlowServer(ChatKitServer[dict[str, Any]]):
    """Says the first half at once, and the other when it may."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.may_end = asyncio.Event()

    async def respond(self, thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
        item_id = self.store.generate_item_id("message", thread, context)
        yield ThreadItemAddedEvent(item=build_message(thread, item_id, ""))
        delta = AssistantMessageContentPartTextDelta(content_index=0, delta="Half ")
        yield ThreadItemUpdatedEvent(item_id=item_id, update=delta)
        await self.may_end.wait()
        yield ThreadItemDoneEvent(item=build_message(thread, item_id, "Half and half."))


async def start_answer(chat: Chat, services: Services) -> asyncio.Task[Any]:
    """Send a message and return when the first half is there."""
    asking = asyncio.create_task(chat.send("Go"))
    await until(lambda: services.runs.active == 1)
    [run] = services.runs._active
    await until(lambda: "Half" in str(run.log.open_items()))
    chat.thread_id = run.key[2] if run.key else None
    return asking


def slow(chat: Chat) -> SlowServer:
    stock: Any = chat.server
    server: SlowServer = stock.server
    return server


async def test_an_answer_is_joined_again(talk_to: Talk, services: Services) -> None:
    chat = talk_to(SlowServer)
    asking = await start_answer(chat, services)
    body = {"type": "runs.attach", "params": {"thread_id": chat.thread_id, "after": 0}}
    viewer: Any = await chat.server.handle(json.dumps(body).encode(), chat.context())
    slow(chat).may_end.set()
    seen = b"".join([chunk async for chunk in viewer])
    joined = events_of(b"\n\n".join(frame.split(b"\n", 1)[-1] for frame in seen.split(b"\n\n")))
    assert texts(joined) == texts(await asking) == ["Half and half."]


async def test_another_message_waits_for_the_answer(talk_to: Talk, services: Services) -> None:
    chat = talk_to(SlowServer)
    asking = await start_answer(chat, services)
    with pytest.raises(ConflictError):
        await chat.send("And?")
    slow(chat).may_end.set()
    await asking


async def test_a_stop_and_a_deployment_keep_the_text_so_far(talk_to: Talk, services: Services) -> None:
    for stop in ("user", "drain"):
        chat = talk_to(SlowServer, user=stop)
        asking = await start_answer(chat, services)
        if stop == "user":
            answer = await chat.request("runs.stop", thread_id=chat.thread_id)
            assert answer["run"]["status"] == "stopped"
        else:
            assert await services.runs.drain(0) == 1
        events = await asking
        assert len(errors(events)) == (stop == "drain")
        _, kept, _mark = await chat.items()
        assert kept["content"][0]["text"] == "Half "
        [run] = await services.store.load_runs(str(chat.thread_id), 9, chat.context())
        assert (run.status, run.stop_reason) == ("stopped", stop)
    with pytest.raises(UnavailableError):
        await talk_to(SlowServer).send("Go")


async def test_an_answer_that_takes_too_long_is_stopped(services: Services) -> None:
    runs = Runs(max_total=9, max_per_user=9, max_log_bytes=9_999, timeout_s=0.2, linger_s=1, cleanup_timeout_s=5)
    server: Any = StockServer(SlowServer)
    server.bind(replace(services, runs=runs))
    [error] = errors(await Chat(server).send("Go"))
    assert "took too long" in error["message"]
