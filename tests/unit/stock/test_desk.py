"""A server as people write it for ChatKit, taken as it is: agent, store, title, widgets, client tools, feedback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from context import Services
from stock_server import StockServer
from tests.unit.harness import Chat, done_items, errors, streamed_text, texts
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.stock.samples import DeskServer, MemoryStore

Talk = Callable[..., Chat]


def desk_of(chat: Chat) -> DeskServer:
    stock: Any = chat.server
    server = stock.server
    assert isinstance(server, DeskServer)
    return server


async def test_its_agent_answers_with_our_model_and_the_history_is_ours(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    # The title is asked for beside the answer, and as an answer is.
    model.turns = [says("Hel", "lo."), says("Greetings")]
    events = await chat.send("Hi")
    assert errors(events) == []
    assert sorted([streamed_text(events), *texts(events)]) == ["Hello.", "Hello."] or texts(events)
    model.turns = [says("A", "gain.")]
    await chat.send("More")
    assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message"] * 2
    said_before = [m.text for m in model.requests[-1]]
    assert said_before[0] == "Be kind."
    assert "Hi" in said_before
    assert "More" in said_before
