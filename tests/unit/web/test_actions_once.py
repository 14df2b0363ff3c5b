"""Actions with `once=True` over HTTP, on replicas that share only a database, and after restarts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent_framework import Agent
from chatkit.types import ThreadMetadata
from pydantic import BaseModel

from base_server import BaseChatKitServer, action
from context import ActionTurn, Turn
from errors import UserFacingError
from tests.unit.harness import done_items, events_of, user_input
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services
from tests.unit.web.edge import JSON, Edge, use_case


class Order(BaseModel):
    id: str
    note: str = ""


def build_orders(paid: str = "nothing") -> dict[str, Any]:
    forms = [
        {
            "type": "Form",
            "onSubmitAction": {"type": "shop.pay", "payload": {"id": name}},
            "children": [{"type": "Input", "name": "note"}],
        }
        for name in ("plain", "raises", "hangs")
    ]
    return {"type": "Card", "children": [{"type": "Text", "value": paid}, *forms]}


class Shop(BaseChatKitServer):
    """One of several processes."""

    def __init__(self, *args: Any, bank: Bank, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bank = bank

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
        turn.widget(build_orders())

    @action("shop.pay", once=True)
    async def pay(self, payload: Order, turn: ActionTurn) -> dict[str, Any]:
        self.bank.began[payload.id] += 1
        if payload.id == "raises" and self.bank.began["raises"] == 1:
            raise UserFacingError("The bank does not answer.")
        if payload.id == "hangs":
            self.bank.is_hanging.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return build_orders(payload.id)


class Bank:
    """Counts how often a handler has begun, in whichever process."""

    def __init__(self) -> None:
        self.began: Counter[str] = Counter()
        self.is_hanging = asyncio.Event()


class Replica:
    """A process with the browser of the one person who asks, whose cookies all of them get."""

    def __init__(self, client: httpx.AsyncClient, cookies: httpx.Cookies) -> None:
        self.client, self.cookies = client, cookies

    async def ask(self, kind: str, **params: Any) -> httpx.Response:
        body = json.dumps({"type": kind, "params": params})
        self.client.cookies.update(self.cookies)
        answer = await self.client.post("/chatkit/shop", content=body, headers=JSON)
        self.cookies.update(answer.cookies)
        return answer

    async def pay(self, ids: dict[str, str], order: str, note: str = "", *, sync: bool = True) -> httpx.Response:
        act = {"type": "shop.pay", "payload": {"id": order, **({"note": note} if note else {})}}
        return await self.ask("threads.sync_custom_action" if sync else "threads.custom_action", action=act, **ids)


Start = Callable[[], AbstractAsyncContextManager[Replica]]


@pytest.fixture
async def bank() -> Bank:
    return Bank()


@pytest.fixture(params=["sqlite", "postgresql"])
def start(request: pytest.FixtureRequest, edge: Edge, tmp_path: Path, bank: Bank) -> Start:
    """Return a function that starts another process on the same database, for the same browser."""
    url = None
    if request.param == "postgresql":
        request.getfixturevalue("postgres_database")
        url = request.getfixturevalue("postgres_tables_url")
    cookies = httpx.Cookies()

    @asynccontextmanager
    async def started() -> AsyncIterator[Replica]:
        async with (
            open_services(tmp_path, ScriptedModel(turns=[says("Here.")]), database_url=url) as services,
            edge.client(edge.app(use_case("shop", Shop(services, bank=bank)))) as client,  # type: ignore[arg-type]
        ):
            yield Replica(client, cookies)

    return started


async def begin(replica: Replica) -> dict[str, str]:
    """Return where the widget is that a conversation begins with."""
    events = events_of((await replica.ask("threads.create", input=user_input("Orders"))).content)
    [widget] = done_items(events, "widget")
    return {"thread_id": events[0]["thread"]["id"], "item_id": widget["id"]}


def shown_by(answer: httpx.Response) -> str:
    """Return the text of the widget that an answer shows."""
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"].startswith("application/json"):
        item = answer.json()["updated_item"]
    else:
        item = next(each["item"] for each in events_of(answer.content) if each["type"] == "thread.item.replaced")
    text: str = item["widget"]["children"][0]["value"]
    return text


async def test_fifty_at_once_on_two_replicas_and_one_after_a_restart_are_one(start: Start, bank: Bank) -> None:
    async with start() as first, start() as second:
        ids = await begin(first)
        clicks = [
            replica.pay(ids, "plain", str(number), sync=number % 2 == 0)
            for number in range(25)
            for replica in (first, second)
        ]
        answers = await asyncio.gather(*clicks)
    assert bank.began == {"plain": 1}
    # One stream at a time is what a conversation has.
    refused = [answer for answer in answers if answer.status_code == 409]
    assert {answer.json()["error"]["code"] for answer in refused} <= {"run.active"}
    # Who comes while it is being carried out elsewhere sees the widget as it is by then.
    assert {shown_by(answer) for answer in answers if answer not in refused} <= {"nothing", "plain"}
    assert len(refused) < 25
    async with start() as restarted:
        assert shown_by(await restarted.pay(ids, "plain")) == "plain"
    assert bank.began == {"plain": 1}


async def test_a_failed_action_may_be_repeated_on_another_replica_and_a_killed_one_may_not(
    start: Start, bank: Bank
) -> None:
    async with start() as first:
        ids = await begin(first)
        assert "The bank does not answer." in (await first.pay(ids, "raises")).text
        async with start() as second, asyncio.timeout(30):
            assert shown_by(await second.pay(ids, "raises")) == "raises"
            killed = asyncio.create_task(first.pay(ids, "hangs"))
            await bank.is_hanging.wait()
            assert shown_by(await second.pay(ids, "hangs")) == "raises"
            killed.cancel()
            await asyncio.wait([killed])
    async with start() as restarted:
        assert shown_by(await restarted.pay(ids, "hangs")) == "raises"
    assert bank.began == {"raises": 2, "hangs": 1}
