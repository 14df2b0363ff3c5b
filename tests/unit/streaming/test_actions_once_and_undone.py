"""Actions that run only once, and the rollback of failed ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent
from chatkit.types import ThreadMetadata
from pydantic import BaseModel

from base_server import BaseChatKitServer, action
from context import ActionTurn, Turn
from errors import UserFacingError
from tests.unit.harness import Chat, done_items, errors
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services


class Order(BaseModel):
    id: int
    note: str = ""


def build_orders(paid: int = 0) -> dict[str, Any]:
    forms = [
        {
            "type": "Form",
            "key": f"order{number}",
            "onSubmitAction": {"type": "shop.pay", "payload": {"id": number}},
            "children": [{"type": "Input", "name": "note"}, {"type": "Button", "submit": True, "label": "Pay"}],
        }
        for number in (1, 2)
    ]
    button = {"type": "Button", "label": "Break", "onClickAction": {"type": "shop.break"}}
    return {"type": "Card", "children": [{"type": "Text", "value": f"{paid} paid"}, *forms, button]}


class ShopServer(BaseChatKitServer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.paid: list[int] = []
        self.fails = 0

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
        turn.widget(build_orders())

    @action("shop.pay", once=True)
    async def pay(self, payload: Order, turn: ActionTurn) -> dict[str, Any]:
        if self.fails:
            self.fails -= 1
            raise UserFacingError("The bank does not answer.")
        await asyncio.sleep(0)
        self.paid.append(payload.id)
        return build_orders(len(self.paid))

    @action("shop.break")
    async def break_off(self, turn: ActionTurn) -> None:
        turn.thread.title = "Broken"
        turn.replace(build_orders(99))
        shown = turn.widget({"type": "Card", "children": []})
        assert turn.sender is not None
        turn.remove_item(turn.sender.id)
        await asyncio.sleep(0)
        turn.replace_widget(shown, {"type": "Card", "children": [{"type": "Text", "value": "half"}]})
        raise RuntimeError("half-way")


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, ScriptedModel(turns=[says("Here.")])) as services:
        yield Chat(ShopServer(services))


@pytest.fixture
async def item(chat: Chat) -> dict[str, Any]:
    [widget] = done_items(await chat.send("Orders"), "widget")
    return widget


def server_of(chat: Chat) -> ShopServer:
    assert isinstance(chat.server, ShopServer)
    return chat.server


def text_of(item: dict[str, Any]) -> str:
    value: str = item["widget"]["children"][0]["value"]
    return value


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_repeated_action_runs_once_and_shows_the_current_widget(
    chat: Chat, item: dict[str, Any], is_sync: bool
) -> None:
    await chat.act(item, "shop.pay", {"id": 1}, sync=is_sync)
    again = await chat.act(item, "shop.pay", {"id": 1, "note": "another note"}, sync=is_sync)
    shown = again["updated_item"] if is_sync else next(e["item"] for e in again if e["type"] == "thread.item.replaced")
    assert (server_of(chat).paid, text_of(shown)) == ([1], "1 paid")
    await chat.act(item, "shop.pay", {"id": 2}, sync=is_sync)
    assert server_of(chat).paid == [1, 2], "another payload of the widget is another action"


async def test_of_many_at_once_here_and_on_another_replica_one_is_carried_out(chat: Chat, item: dict[str, Any]) -> None:
    # A second server on the same database shares nothing else with the first.
    other = Chat(ShopServer(chat.server.services))
    other.thread_id = chat.thread_id
    clicks = [
        each.act(item, "shop.pay", {"id": 1, "note": str(n)}, sync=True) for n in range(4) for each in (chat, other)
    ]
    await asyncio.gather(*clicks)
    assert server_of(chat).paid + server_of(other).paid == [1]


async def test_a_failed_action_may_be_repeated(chat: Chat, item: dict[str, Any]) -> None:
    server_of(chat).fails = 2
    [error] = errors(await chat.act(item, "shop.pay", {"id": 1}))
    assert error["message"].startswith("The bank does not answer.")
    with pytest.raises(UserFacingError, match="does not answer"):
        await chat.act(item, "shop.pay", {"id": 1}, sync=True)
    await chat.act(item, "shop.pay", {"id": 1})
    assert server_of(chat).paid == [1]


@pytest.mark.parametrize("is_sync", [False, True])
async def test_a_handler_that_raises_leaves_widget_thread_and_store_as_they_were(
    chat: Chat, item: dict[str, Any], is_sync: bool
) -> None:
    before = await chat.items()
    title = (await chat.request("threads.get_by_id", thread_id=chat.thread_id))["title"]
    if is_sync:
        with pytest.raises(RuntimeError, match="half-way"):
            await chat.act(item, "shop.break", sync=True)
    else:
        events = await chat.act(item, "shop.break")
        assert len(errors(events)) == 1
        assert text_of([e["item"] for e in events if e["type"] == "thread.item.replaced"][-1]) == "0 paid"
    assert await chat.items() == before
    assert (await chat.request("threads.get_by_id", thread_id=chat.thread_id))["title"] == title
