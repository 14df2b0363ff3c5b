"""Answers of the built-in model that continue after questions and after output of the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext, FunctionTool, tool
from chatkit.types import StructuredInputFreeform

from base_server import BaseChatKitServer
from chat_clients.offline.model import OfflineChatClient
from context import Turn, turn_of
from plugins import OfflinePhrase
from tests.unit.harness import Chat, done_items, texts
from tests.unit.services_for_tests import open_services


@tool
async def ask_size(ctx: FunctionInvocationContext) -> str:
    """Ask for the size."""
    return turn_of(ctx).ask(StructuredInputFreeform(id="size", question="How large?"))


read_page = FunctionTool(name="read_page", description="Read.", input_model={"type": "object", "properties": {}})

PHRASES = [OfflinePhrase("size|large", tool="ask_size"), OfflinePhrase("page", tool="read_page")]


class ShopServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[ask_size, read_page])


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, OfflineChatClient(phrases=PHRASES)) as services:
        yield Chat(ShopServer(services))


@pytest.mark.parametrize(
    "submitted",
    [
        {"status": "answered", "answers": {"size": {"values": ["XL"], "skipped": False}}},
        {"status": "skipped"},
    ],
)
async def test_an_answered_question_is_thanked_for_and_not_asked_again(chat: Chat, submitted: dict[str, Any]) -> None:
    [question] = done_items(await chat.send("Choose a size"), "structured_input")
    events = await chat.request(
        "threads.add_structured_input", thread_id=chat.thread_id, item_id=question["id"], input=submitted
    )
    [said] = texts(events)
    assert said.startswith("Thank you. What follows from your answer needs a model")
    assert done_items(events, "structured_input") == []


async def test_the_output_of_a_client_tool_is_described_in_words(chat: Chat) -> None:
    await chat.send("Read the page")
    events = await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"title": "Grüezi"})
    assert texts(events) == ["- title: Grüezi"]
