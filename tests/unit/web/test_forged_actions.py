"""Forged actions over HTTP: actions that no click can send are refused before a handler, and change nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from agent_framework import Agent
from chatkit.types import ThreadMetadata
from pydantic import BaseModel

from base_server import BaseChatKitServer, action
from context import ActionTurn, Turn
from tests.unit.harness import done_items, events_of, user_input
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services
from tests.unit.web.edge import JSON, Edge, use_case

SIZES = [{"value": "s", "label": "S"}, {"value": "l", "label": "L", "disabled": True}]
TICKET: dict[str, Any] = {
    "type": "Card",
    "children": [
        {
            "type": "Form",
            "onSubmitAction": {"type": "desk.send", "payload": {"ticket": {"id": 7, "tags": ["a"]}, "urgent": False}},
            "children": [
                {"type": "Label", "fieldName": "title", "value": "Your title"},
                {"type": "Input", "name": "title", "required": True},
                {"type": "Input", "name": "amount", "inputType": "number"},
                {"type": "Input", "name": "code", "pattern": "[A-Z]{2}\\d"},
                {"type": "Input", "name": "owner", "disabled": True, "defaultValue": "ada"},
                {"type": "Textarea", "name": "ticket.note"},
                {"type": "Select", "name": "size", "options": SIZES},
                {"type": "RadioGroup", "name": "way", "options": SIZES},
                {"type": "DatePicker", "name": "day", "min": "2026-05-01", "max": "2026-05-31"},
                {"type": "Checkbox", "name": "agreed", "required": True},
                {"type": "Text", "value": "", "editable": {"name": "line"}},
                {"type": "Button", "label": "Send", "submit": True},
            ],
        },
        {
            "type": "Form",
            "onSubmitAction": {"type": "desk.other"},
            "children": [{"type": "Input", "name": "elsewhere"}],
        },
        {"type": "Button", "label": "Delete", "disabled": True, "onClickAction": {"type": "desk.delete"}},
        {"type": "Button", "label": "Page", "onClickAction": {"type": "desk.page", "handler": "client"}},
    ],
}
FOLDED = {
    "type": "Card",
    "collapsed": True,
    "status": {"text": "Done"},
    "children": [{"type": "Button", "label": "Again", "onClickAction": {"type": "desk.delete"}}],
}
SENT: dict[str, Any] = {"ticket": {"id": 7, "tags": ["a"]}, "urgent": False, "title": "Ink", "agreed": True}


class Anything(BaseModel, extra="allow"):
    """Takes every payload: nothing but the platform refuses one here."""


class Desk(BaseChatKitServer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.handled: list[dict[str, Any]] = []

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
        turn.widget(TICKET)
        turn.widget(FOLDED)

    @action("desk.send")
    async def send(self, payload: Anything, turn: ActionTurn) -> None:
        self.handled.append(payload.model_dump())

    @action("desk.other")
    async def other(self, payload: Anything, turn: ActionTurn) -> None:
        self.handled.append(payload.model_dump())

    @action("desk.delete")
    async def delete(self, payload: Anything, turn: ActionTurn) -> None:
        self.handled.append(payload.model_dump())

    @action("desk.page")
    async def page(self, payload: Anything, turn: ActionTurn) -> None:
        self.handled.append(payload.model_dump())


class Person:
    """Somebody at a browser, with a conversation of their own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.ids: dict[str, str] = {}

    async def post(self, body: str | dict[str, Any]) -> httpx.Response:
        content = body if isinstance(body, str) else json.dumps(body)
        return await self._client.post("/chatkit/desk", content=content, headers=JSON)

    async def begin(self) -> None:
        answer = await self.post({"type": "threads.create", "params": {"input": user_input("Help")}})
        events = events_of(answer.content)
        ticket, folded = done_items(events, "widget")
        [message] = done_items(events, "user_message")
        thread = next(event["thread"]["id"] for event in events if event["type"] == "thread.created")
        self.ids = {"thread": thread, "ticket": ticket["id"], "folded": folded["id"], "message": message["id"]}

    async def click(self, name: str, payload: str, *, item: str, thread: str, is_sync: bool = False) -> httpx.Response:
        kind = "threads.sync_custom_action" if is_sync else "threads.custom_action"
        params = f'"thread_id": {json.dumps(thread)}, "item_id": {json.dumps(item)}'
        act = f'{{"type": {json.dumps(name)}, "payload": {payload}, "handler": "server"}}'
        return await self.post(f'{{"type": "{kind}", "params": {{{params}, "action": {act}}}}}')

    async def state(self) -> str:
        params = {"thread_id": self.ids["thread"]}
        return (await self.post({"type": "threads.get_by_id", "params": params})).text


class Room:
    """The application with two people in it, each with a ticket."""

    def __init__(self, server: Desk, ada: Person, eve: Person) -> None:
        self.server, self.ada, self.eve = server, ada, eve


@pytest.fixture
async def room(edge: Edge, tmp_path: Path) -> AsyncIterator[Room]:
    async with open_services(tmp_path, ScriptedModel(turns=[says("Here."), says("Here.")])) as services:
        server = Desk(services)
        app = edge.app(use_case("desk", server))  # type: ignore[arg-type]
        async with (
            edge.client(app) as first,
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://parlor.test") as second,
        ):
            people = Person(first), Person(second)
            for person in people:
                await person.begin()
            yield Room(server, *people)


def nested(depth: int, inner: str = '"x"') -> str:
    return '{"note": ' * depth + inner + "}" * depth


def values(**fields: Any) -> str:
    return json.dumps({**SENT, **fields})


def raw(field: str, value: str) -> str:
    """Return a payload with a value that `json.dumps` would not write."""
    return values(**{field: "RAW"}).replace('"RAW"', value)


WRONG_VALUES: dict[str, list[str]] = {
    "title": [
        json.dumps({key: value for key, value in SENT.items() if key != "title"}),
        values(title=""),
        values(title=None),
        values(title=0),
        values(title=["Ink"]),
        values(title={"value": "Ink"}),
        values(title="Ink\nBcc: all@example.org"),
        values(title="x" * 100_001),
        raw("title", "NaN"),
        raw("title", "1e400"),
        raw("title", nested(150)),
        raw("title", "[" * 150 + "]" * 150),
    ],
    "amount": [
        *(values(amount=text) for text in ("ten", "0x10", "1_000", " 1", "NaN", "Infinity", "1e400", "٣", "1\n")),
        values(amount=5),
        raw("amount", "1e400"),
    ],
    "code": [values(code="ab1"), values(code="AB1\n"), values(code="AB1x"), values(code="AB٣"), values(code=True)],
    "owner": [values(owner="eve"), values(owner=["ada"]), values(owner=True), values(owner="")],
    "ticket.note": [values(ticket={**SENT["ticket"], "note": note}) for note in (7, {}, ["x"], False)],
    "size": [values(size=each) for each in ("xl", "l", "S", "s ", ["s"], 0, {"value": "s"})],
    "way": [values(way="l"), values(way="constructor"), values(way={"s": 1})],
    "day": [
        *(values(day=text) for text in ("2026-04-30", "2026-06-01", "2026-05-32", "2026-5-2", "٢٠٢٦-٠٥-٠٢", "today")),
        values(day=20_260_502),
    ],
    "agreed": [values(agreed=False), values(agreed="true"), values(agreed=1), values(agreed=None), values(agreed=[])],
    "line": [values(line=["one"]), values(line=1.5)],
}  # fmt: skip

NOT_OFFERED = {
    "a field of another form": ("desk.send", values(elsewhere="x"), "ticket"),
    "a field that is none": ("desk.send", values(admin=True), "ticket"),
    "an extra key under a dotted name": ("desk.send", values(ticket={**SENT["ticket"], "paid": True}), "ticket"),
    "another payload": ("desk.send", values(ticket={"id": 8, "tags": ["a"]}), "ticket"),
    "a longer list": ("desk.send", values(ticket={"id": 7, "tags": ["a", "b"]}), "ticket"),
    "a number as text": ("desk.send", values(ticket={"id": "7", "tags": ["a"]}), "ticket"),
    "a number as truth": ("desk.send", values(urgent=0), "ticket"),
    "a list for a scalar": ("desk.send", values(ticket={"id": [7], "tags": ["a"]}), "ticket"),
    "a part of the payload": ("desk.send", values(ticket=None), "ticket"),
    "a number too large": ("desk.send", raw("urgent", "1e400"), "ticket"),
    "no number": ("desk.send", raw("urgent", "NaN"), "ticket"),
    "no payload": ("desk.send", "null", "ticket"),
    "a list as payload": ("desk.send", "[]", "ticket"),
    "a text as payload": ("desk.send", '"7"', "ticket"),
    "a key of prototypes": ("desk.send", values(__proto__={"title": "x"}), "ticket"),
    "a value without a form": ("desk.other", values(), "ticket"),
    "a disabled button": ("desk.delete", "{}", "ticket"),
    "what is the page's": ("desk.page", "{}", "ticket"),
    "what is folded away": ("desk.delete", "{}", "folded"),
    "an action of another widget": ("desk.send", values(), "folded"),
    "an unknown action": ("desk.everything", "{}", "ticket"),
}


async def test_no_forged_value_reaches_a_handler_and_each_is_refused_by_the_name_of_its_field(room: Room) -> None:
    before = await room.ada.state()
    ids = room.ada.ids
    wrong = []
    for field, payloads in WRONG_VALUES.items():
        for payload in payloads:
            answer = await room.ada.click("desk.send", payload, item=ids["ticket"], thread=ids["thread"])
            error = answer.json().get("error", {}) if answer.status_code == 400 else {}
            name = "“Your title”" if field == "title" else f"“{field}”"
            if error.get("field") != field or not str(error.get("message")).startswith(name):
                wrong.append((field, payload[:200], answer.status_code, answer.text[:200]))
    assert not wrong
    assert room.server.handled == []
    assert await room.ada.state() == before


@pytest.mark.parametrize("is_sync", [False, True])
async def test_nothing_that_the_widget_does_not_offer_reaches_a_handler(room: Room, is_sync: bool) -> None:
    before = await room.ada.state()
    ids = room.ada.ids
    wrong = []
    for kind, (name, payload, item) in NOT_OFFERED.items():
        answer = await room.ada.click(name, payload, item=ids[item], thread=ids["thread"], is_sync=is_sync)
        if answer.status_code != 400 or not answer.json()["error"]["code"].startswith("action."):
            wrong.append((kind, answer.status_code, answer.text[:200]))
    assert not wrong
    assert room.server.handled == []
    assert await room.ada.state() == before


@pytest.mark.parametrize("is_sync", [False, True])
async def test_actions_need_a_widget_of_the_same_person(room: Room, is_sync: bool) -> None:
    before = await room.ada.state(), await room.eve.state()
    ada, eve = room.ada.ids, room.eve.ids
    places = {
        (eve["ticket"], eve["thread"]): 404,
        (eve["ticket"], ada["thread"]): 404,
        (ada["ticket"], eve["thread"]): 404,
        (ada["message"], ada["thread"]): 400,
        ("", ada["thread"]): 404,
        ("item_unknown", ada["thread"]): 404,
        (ada["ticket"], "thr_unknown"): 404,
        (f"{ada['ticket']}\0", ada["thread"]): 404,
    }
    found = {}
    for item, thread in places:
        answer = await room.ada.click("desk.send", values(), item=item, thread=thread, is_sync=is_sync)
        found[item, thread] = answer.status_code
    assert found == places
    assert room.server.handled == []
    assert (await room.ada.state(), await room.eve.state()) == before


async def test_odd_json_is_refused_cleanly(room: Room) -> None:
    before = await room.ada.state()
    ids = room.ada.ids
    bodies = [
        raw("title", r'"\ud800"'),
        raw("title", nested(1_000)),
        raw("ticket", nested(1_000)),
        raw("title", "[" * 1_000 + "]" * 1_000),
        values(title="x" * 3_000_000),
        values(title="Ink", **{f"f{number}": number for number in range(20_000)}),
        f"{values()[:-1]}, ",
    ]
    answers = [
        await room.ada.click("desk.send", payload, item=ids["ticket"], thread=ids["thread"]) for payload in bodies
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 413, 400, 400]
    assert all(answer.json()["error"]["message"] for answer in answers)
    assert room.server.handled == []
    assert await room.ada.state() == before


async def test_genuine_clicks_are_handled(room: Room) -> None:
    ids = room.ada.ids
    whole = {
        **SENT, "ticket": {**SENT["ticket"], "note": "two\nlines"}, "amount": "1.5", "code": "AB1", "owner": "ada",
        "size": "s", "way": "s", "day": "2026-05-31", "line": "one\ntwo",
    }  # fmt: skip
    for is_sync in (False, True):
        answer = await room.ada.click(
            "desk.send", json.dumps(whole), item=ids["ticket"], thread=ids["thread"], is_sync=is_sync
        )
        assert answer.status_code == 200, answer.text
    assert room.server.handled == [whole, whole]
