from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent
from chatkit.server import StreamingResult
from chatkit.store import NotFoundError as ChatKitNotFoundError
from chatkit.types import ThreadMetadata
from pydantic import BaseModel, Field

from base_server import BaseChatKitServer, action
from context import ActionTurn, Turn
from errors import ActionError, FinalMethodError, NotFoundError, PluginError, UserFacingError
from streaming.actions.offered_actions import is_offered
from tests.unit.harness import Chat, done_items, errors
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services


class Step(BaseModel, extra="forbid"):
    counter: str
    by: int = Field(ge=1, le=10)
    note: str = ""


def build_counter(value: int) -> dict[str, Any]:
    def button(label: str, type_: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"type": "Button", "label": label, "onClickAction": {"type": type_, "payload": payload}}

    return {
        "type": "Card",
        "id": "counter",
        "futureProp": {"kept": True},
        "children": [
            {"type": "Text", "value": str(value)},
            {
                "type": "Form",
                "onSubmitAction": {"type": "counter.add", "payload": {"counter": "c1", "by": 1}},
                "children": [{"type": "Input", "name": "note"}],
            },
            button("five", "counter.add", {"counter": "c1", "by": 5}),
            button("eleven", "counter.add", {"counter": "c1", "by": 11}),
            button("fail", "counter.fail"),
            button("crash", "counter.crash"),
            button("reset", "counter.reset"),
            button("ghost", "counter.ghost"),
        ],
        "confirm": {"label": "Done", "action": {"type": "counter.done", "payload": {}}},
    }


class CounterServer(BaseChatKitServer):
    value = 0

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> None:
        turn.widget(build_counter(self.value), copy_text="A counter")

    @action("counter.add")
    async def add(self, payload: Step, turn: ActionTurn) -> None:
        self.value += payload.by
        turn.replace(build_counter(self.value))

    @action("counter.reset")
    async def reset(self, turn: ActionTurn) -> dict[str, Any]:
        self.value = 0
        return build_counter(0)

    @action("counter.fail")
    async def fail(self, turn: ActionTurn) -> None:
        raise UserFacingError("The counter is stuck.")

    @action("counter.crash")
    async def crash(self, turn: ActionTurn) -> None:
        raise RuntimeError("secret cause")

    @action("counter.done")
    async def done(self, turn: ActionTurn) -> None:
        turn.widget({"type": "Card", "id": "done", "children": []})
        turn.thread.title = "Counted"

    @action("counter.page", needs_widget=False)
    async def page(self, turn: ActionTurn) -> None:
        turn.effect("paged")


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, ScriptedModel(turns=[says("Here.")])) as services:
        yield Chat(CounterServer(services))


@pytest.fixture
async def item(chat: Chat) -> dict[str, Any]:
    [widget] = done_items(await chat.send("Count"), "widget")
    return widget


def shown(item: dict[str, Any]) -> str:
    value: str = item["widget"]["children"][0]["value"]
    return value


@pytest.mark.parametrize("is_sync", [False, True])
async def test_an_action_replaces_its_widget_in_place_and_in_the_store(
    chat: Chat, item: dict[str, Any], is_sync: bool
) -> None:
    answer = await chat.act(item, "counter.add", {"counter": "c1", "by": 5}, sync=is_sync)
    if is_sync:
        replaced = answer["updated_item"]
    else:
        [replaced] = [e["item"] for e in answer if e["type"] == "thread.item.replaced"]
    assert (replaced["id"], shown(replaced)) == (item["id"], "5")
    stored = await chat.items()
    assert stored[-1]["id"] == item["id"], "its place in the thread is kept"
    assert shown(stored[-1]) == "5"
    assert stored[-1]["copy_text"] == "A counter"
    assert stored[-1]["widget"]["futureProp"] == {"kept": True}, "no property is lost on the way"


async def test_no_model_is_called_for_an_action(chat: Chat, item: dict[str, Any]) -> None:
    model = chat.server.chat_client
    before = len(model.requests)  # type: ignore[attr-defined]
    await chat.act(item, "counter.add", {"counter": "c1", "by": 5})
    assert len(model.requests) == before  # type: ignore[attr-defined]


async def test_form_values_may_join_the_payload(chat: Chat, item: dict[str, Any]) -> None:
    await chat.act(item, "counter.add", {"counter": "c1", "by": 1, "note": "hello"})
    assert shown((await chat.items())[-1]) == "1"


async def test_a_handler_may_return_the_new_widget(chat: Chat, item: dict[str, Any]) -> None:
    await chat.act(item, "counter.add", {"counter": "c1", "by": 5})
    events = await chat.act(item, "counter.reset")
    assert [shown(e["item"]) for e in events if e["type"] == "thread.item.replaced"] == ["0"]


async def test_an_action_may_add_items_and_rename_the_thread(chat: Chat, item: dict[str, Any]) -> None:
    events = await chat.act(item, "counter.done", {})
    assert [e["thread"]["title"] for e in events if e["type"] == "thread.updated"] == ["Counted"]
    answer = await chat.act(item, "counter.done", {}, sync=True)
    assert answer == {}
    assert [i["widget"]["id"] for i in await chat.items() if i["type"] == "widget"] == ["counter", "done", "done"]


REFUSED = [
    ("counter.unknown", {}, "does not exist"),
    ("counter.add", {"counter": "c2", "by": 5}, "does not offer"),
    ("counter.add", {"counter": "c1", "by": 6}, "does not offer"),
    ("counter.add", {"counter": "c1", "by": 5, "is_admin": True}, "does not offer"),
    ("counter.add", {"counter": "c1", "by": 11}, "“by” is not valid"),
    ("counter.add", {"counter": "c1", "by": True}, "does not offer"),
    ("counter.add", "c1", "does not offer"),
    ("counter.page", {}, "does not offer"),
    ("counter.fail", None, "The counter is stuck."),
]


@pytest.mark.parametrize(("name", "payload", "words"), REFUSED)
async def test_a_refused_action_says_why_and_changes_nothing(
    chat: Chat, item: dict[str, Any], name: str, payload: Any, words: str
) -> None:
    before = await chat.items()
    if name == "counter.fail":  # its handler refuses, which is known when the stream has begun
        [error] = errors(await chat.act(item, name, payload))
        assert words in error["message"]
        assert error["allow_retry"] is False
    else:
        with pytest.raises(ActionError, match=words) as refused:
            await chat.act(item, name, payload)
        assert 400 <= refused.value.status < 500
    with pytest.raises(UserFacingError, match=words):
        await chat.act(item, name, payload, sync=True)
    assert await chat.items() == before


async def test_a_crashing_handler_keeps_its_cause_to_itself(chat: Chat, item: dict[str, Any]) -> None:
    [error] = errors(await chat.act(item, "counter.crash"))
    assert "secret" not in error["message"]


async def test_an_action_without_its_widget_is_refused_unless_declared(chat: Chat, item: dict[str, Any]) -> None:
    with pytest.raises(ActionError, match="from its widget"):
        await chat.act(None, "counter.reset")
    assert [e["name"] for e in await chat.act(None, "counter.page") if e["type"] == "client_effect"] == ["paged"]


async def test_chatkits_own_process_yields_one_event_per_chunk(chat: Chat, item: dict[str, Any]) -> None:
    action = {"type": "counter.add", "payload": {"counter": "c1", "by": 5}}
    params = {"thread_id": chat.thread_id, "item_id": item["id"], "action": action}
    body = json.dumps({"type": "threads.custom_action", "params": params})
    result = await chat.server.process(body, chat.context())
    assert isinstance(result, StreamingResult)
    chunks = [chunk async for chunk in result]
    kinds = [json.loads(chunk.removeprefix(b"data: "))["type"] for chunk in chunks]
    assert "thread.item.replaced" in kinds
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"}\n\n") for chunk in chunks)


async def test_missing_objects_raise_chatkits_not_found_error(chat: Chat) -> None:
    for missing in (
        chat.server.store.load_thread("thr_none", chat.context()),
        chat.server.store.load_item("thr_none", "msg_none", chat.context()),
        chat.server.store.load_attachment("atc_none", chat.context()),
    ):
        with pytest.raises(ChatKitNotFoundError):
            await missing


async def test_another_users_widget_reads_as_missing(chat: Chat, item: dict[str, Any]) -> None:
    stranger = Chat(chat.server, user="user_b")
    stranger.thread_id = chat.thread_id
    for is_sync in (False, True):
        with pytest.raises(NotFoundError):
            await stranger.act(item, "counter.add", {"counter": "c1", "by": 5}, sync=is_sync)


async def test_an_action_of_a_message_or_without_a_type_is_refused(chat: Chat, item: dict[str, Any]) -> None:
    message = (await chat.items())[0]
    with pytest.raises(UserFacingError, match="not a widget"):
        await chat.act(message, "counter.reset")
    body = {"type": "threads.custom_action", "params": {"thread_id": chat.thread_id, "action": {"payload": 1}}}
    with pytest.raises(UserFacingError, match="no type"):
        await chat.server.handle(json.dumps(body).encode(), chat.context())


async def test_two_actions_at_once_both_count(chat: Chat, item: dict[str, Any]) -> None:
    await asyncio.gather(*(chat.act(item, "counter.add", {"counter": "c1", "by": n}, sync=True) for n in (1, 5)))
    assert chat.server.value == 6  # type: ignore[attr-defined]


def test_reserved_methods_cannot_be_overridden() -> None:
    with pytest.raises(FinalMethodError, match=r"Bad defines 'respond', which the platform owns"):

        class Bad(BaseChatKitServer):
            async def respond(self, *args: Any) -> Any:  # type: ignore[override,misc]
                """Take over."""


def test_an_action_handler_with_a_wrong_signature_fails_at_import() -> None:
    with pytest.raises(PluginError, match="pydantic model"):

        class Untyped(BaseChatKitServer):
            @action("x.y")
            async def y(self, payload: dict[str, Any], turn: ActionTurn) -> None: ...

    with pytest.raises(PluginError, match="once=True is for actions of widgets"):
        action("x.y", needs_widget=False, once=True)
    with pytest.raises(PluginError, match="must be 'async def'"):

        class Blocking(BaseChatKitServer):
            @action("x.y")
            def y(self, turn: ActionTurn) -> None: ...

    with pytest.raises(PluginError, match="both handle it"):

        class Twice(BaseChatKitServer):
            @action("x.y")
            async def one(self, turn: ActionTurn) -> None: ...

            @action("x.y")
            async def two(self, turn: ActionTurn) -> None: ...


def test_actions_are_found_wherever_a_component_may_hold_them() -> None:
    widget = build_counter(0)
    assert is_offered(widget, "counter.done", {})
    assert is_offered(widget, "counter.done", None)
    assert not is_offered(widget, "counter.done", {"x": 1})


def test_dotted_fields_and_nulls_are_compared_as_they_travel() -> None:
    widget = {
        "type": "Form",
        "onSubmitAction": {"type": "save", "payload": {"todo": {"id": 1}, "nothing": None}},
        "children": [{"type": "Input", "name": "todo.title"}],
    }
    assert is_offered(widget, "save", {"todo": {"id": 1, "title": "Milk"}})
    assert not is_offered(widget, "save", {"todo": {"id": 2, "title": "Milk"}})
