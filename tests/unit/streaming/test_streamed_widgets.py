"""Streamed widgets are sent in small events, without loss at any speed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext
from chatkit.types import NoticeEvent, ThreadStreamEvent

from base_server import BaseChatKitServer
from context import Services, Turn, turn_of
from tests.unit.harness import Chat, done_items, errors, updates
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services

ROWS = [{"type": "Row", "key": f"r{at}", "children": [{"type": "Text", "value": f"Row {at}"}]} for at in range(30)]
FRAMES = 200


async def grow(ctx: FunctionInvocationContext) -> str:
    """Let a text grow among thirty rows."""

    async def frames() -> AsyncIterator[dict[str, Any]]:
        for at in range(FRAMES):
            text = {"type": "Text", "id": "t", "value": "word " * at, "streaming": True}
            yield {"type": "Card", "children": [*ROWS, text]}

    await turn_of(ctx).stream_widget(frames())
    return "Grown."


async def rush(ctx: FunctionInvocationContext) -> str:
    """Show far more frames than anybody reads in that time."""

    async def frames() -> AsyncIterator[dict[str, Any]]:
        for at in range(3_000):
            yield {"type": "Card", "children": [{"type": "Title", "value": str(at)}]}

    await turn_of(ctx).stream_widget(frames())
    return "Rushed."


class GrowServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[grow, rush])


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(tmp_path, ScriptedModel()) as opened:
        yield opened


async def events_of_tool(services: Services, tool: str) -> list[dict[str, Any]]:
    chat = Chat(GrowServer(services))
    chat.server.chat_client.turns = [calls(tool), says("Done.")]  # type: ignore[attr-defined]
    events = await chat.send("Go")
    assert errors(events) == []
    return events


async def test_a_growing_text_among_rows_costs_its_growth(services: Services) -> None:
    events = await events_of_tool(services, "grow")
    sent = [event for event in events if event["type"].startswith("thread.item.") and "task" not in str(event)]
    deltas = [update["delta"] for update in updates(events, "widget.streaming_text.value_delta")]
    [item] = done_items(events, "widget")
    assert "".join(deltas) == item["widget"]["children"][-1]["value"] == "word " * (FRAMES - 1)
    assert len(json.dumps(sent)) <= 35_000


async def test_frames_that_come_too_fast_wait_and_are_no_error(services: Services) -> None:
    events = await events_of_tool(services, "rush")
    assert len(updates(events, "widget.root.updated")) == 2_999
    [item] = done_items(events, "widget")
    assert item["widget"]["children"][0]["value"] == "2999"


class ClosingServer(GrowServer):
    async def post_respond_hook(self, thread: Any, turn: Turn) -> AsyncIterator[ThreadStreamEvent]:  # type: ignore[override]
        async def frames() -> AsyncIterator[dict[str, Any]]:
            for at in range(3_000):
                yield {"type": "Card", "children": [{"type": "Title", "value": str(at)}]}

        yield NoticeEvent(level="info", message="before")
        await turn.stream_widget(frames())
        yield NoticeEvent(level="info", message="after")
        turn.widget({"type": "Card", "children": [{"type": "Title", "value": "last"}]})


async def test_a_hook_that_yields_streams_widgets_too_and_all_come_in_order(services: Services) -> None:
    chat = Chat(ClosingServer(services))
    chat.server.chat_client.turns = [says("Done.")]  # type: ignore[attr-defined]
    async with asyncio.timeout(300):
        events = await chat.send("Go")
    assert errors(events) == []
    streamed, last = done_items(events, "widget")
    assert (streamed["widget"]["children"][0]["value"], last["widget"]["children"][0]["value"]) == ("2999", "last")
    places = [at for at, event in enumerate(events) if event["type"] == "notice"]
    of_frames = [
        at for at, event in enumerate(events) if event["type"] == "thread.item.updated" and "Title" in str(event)
    ]
    assert places[0] < of_frames[0] < of_frames[-1] < places[1]
