"""Names of an author's own: whatever a class of theirs defines, the platform answers as if it were not there."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, tool
from chatkit.server import ChatKitServer

from base_server import HOOKS, RESERVED_NAMES, BaseChatKitServer, action
from context import ActionTurn, Services, Turn
from errors import ActionError, FinalMethodError
from tests.unit.harness import Chat, done_items, texts
from tests.unit.scripted_model import ScriptedModel, calls, says

ROOT = Path(__file__).resolve().parents[3]

# What an author would write for things of their own.
EVERYDAY = {
    "_after", "_begin", "_carry_out", "_check_input", "_retry", "_run_agent", "_sender", "_serialize", "_settle",
    "agent", "delivery", "find", "parts", "requests", "responder", "runs", "save", "send", "settings", "start", "stop",
    "update",
}  # fmt: skip


def names_of_the_platform() -> set[str]:
    """Return every name of a function, class or attribute in what answers, and ChatKit's own."""
    names = set(dir(ChatKitServer)) | EVERYDAY
    rooms = (path for room in ("streaming", "runs", "turns") for path in ROOT.glob(f"{room}/**/*.py"))
    for path in (ROOT / "base_server.py", *rooms):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
    return {name for name in names if not name.startswith("__")} - HOOKS - RESERVED_NAMES


@tool(approval_mode="always_require")
async def erase() -> str:
    """Erase it."""
    return "Erased."


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


class ShopServer(BaseChatKitServer):
    """Shows a widget, takes clicks, asks, and needs permission."""

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[erase])

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        button = {"type": "Button", "label": "Go", "onClickAction": {"type": "shop.go"}}
        turn.widget({"type": "Card", "id": "shop.card", "children": [button]}, copy_text="A card")

    @action("shop.go")
    async def click_on_go(self, turn: ActionTurn) -> None:
        turn.replace({"type": "Card", "id": "shop.card", "children": [{"type": "Text", "value": "Gone"}]})


def stray(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise AssertionError("the platform has called a method of the author's")


def build_strange_class() -> type[ShopServer]:
    names = names_of_the_platform() - set(vars(ShopServer))
    assert len(names) > 300
    assert names >= EVERYDAY
    return type("StrangeServer", (ShopServer,), dict.fromkeys(names, stray))


async def talk(chat: Chat, model: ScriptedModel) -> AsyncIterator[Any]:
    """Let a person do whatever there is to do, and yield what they get."""
    model.turns = [says("Hello.")]
    first = await chat.send("Hi")
    yield texts(first)
    [card] = done_items(first, "widget")
    yield (await chat.act(card, "shop.go", sync=True))["updated_item"]["widget"]
    model.turns = [says("Again.")]
    [message] = [item for item in await chat.items() if item["type"] == "user_message"]
    again = await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id=message["id"])
    yield texts(again)
    [card] = done_items(again, "widget")
    yield [event["type"] for event in await chat.act(card, "shop.go")]
    model.turns = [calls("erase"), says("Done.")]
    waits = await chat.send("Erase it")
    [card] = done_items(waits, "widget")
    buttons = card["widget"]["children"][-1]["children"][-1]["children"]
    allowed = buttons[-1]["onClickAction"]
    yield texts(await chat.act(card, allowed["type"], allowed["payload"]))
    yield await chat.request("items.feedback", thread_id=chat.thread_id, item_ids=[message["id"]], kind="positive")
    yield await chat.request("runs.stop", thread_id=chat.thread_id)
    yield (await chat.request("threads.update", thread_id=chat.thread_id, title="Shop"))["title"]
    yield len((await chat.request("threads.list"))["data"])
    yield [item["type"] for item in await chat.items()]
    with pytest.raises(ActionError) as refused:
        await chat.act(None, "shop.none")
    yield str(refused.value)
    yield await chat.request("threads.delete", thread_id=chat.thread_id)


async def test_any_free_name_may_be_defined_and_nothing_changes(services: Services, model: ScriptedModel) -> None:
    plain = [each async for each in talk(Chat(ShopServer(services)), model)]
    strange = [each async for each in talk(Chat(build_strange_class()(services)), model)]
    assert strange == plain
    assert plain[0] == ["Hello."]
    assert plain[4] == ["Done."]


async def test_attributes_of_the_author_s_own_change_nothing(services: Services, model: ScriptedModel) -> None:
    server = ShopServer(services)
    for name in names_of_the_platform() - set(dir(ShopServer)):
        setattr(server, name, None)
    assert await anext(talk(Chat(server), model)) == ["Hello."]


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_what_is_reserved_is_refused_by_name(name: str) -> None:
    with pytest.raises(FinalMethodError, match=f"Bad defines '{name}', which the platform owns"):
        type("Bad", (BaseChatKitServer,), {name: stray})
    mixin = type("Mixin", (), {name: stray})
    with pytest.raises(FinalMethodError, match=f"Mixin defines '{name}'"):
        type("Good", (mixin, BaseChatKitServer), {})
