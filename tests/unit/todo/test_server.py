from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from base_server import BaseChatKitServer
from errors import ActionError, ConflictError, UserFacingError
from tests.unit.harness import Chat, done_items
from tests.unit.widget_catalogue import ACTION_PROPS, nodes_of
from use_cases.todo.items import MAX_ITEMS_PER_USER, TodoItems
from use_cases.todo.widgets import LIST_ROOT_ID, PAST_ROOT_ID


def offered(item: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the payloads with which a widget offers an action."""
    found = [node[prop] for node in nodes_of(item["widget"]) for prop in ACTION_PROPS & node.keys()]
    return [action["payload"] for action in found if action["type"] == name]


def ticks(item: Mapping[str, Any]) -> list[bool]:
    return [node["defaultChecked"] for node in nodes_of(item["widget"]) if node["type"] == "Checkbox"]


async def widgets(chat: Chat) -> list[dict[str, Any]]:
    return [item for item in await chat.items() if item["type"] == "widget"]


async def chat_with_list(server: BaseChatKitServer, user: str = "user_a") -> tuple[Chat, dict[str, Any]]:
    chat = Chat(server, user)
    (widget,) = done_items(await chat.send("show my to-dos"), "widget")
    return chat, widget


async def click(chat: Chat, item: Mapping[str, Any], name: str, payload: Any) -> dict[str, Any]:
    answer = await chat.act(item, name, payload, sync=True)
    updated: dict[str, Any] = answer["updated_item"]
    return updated


async def test_only_the_newest_list_of_a_thread_is_live(server: BaseChatKitServer) -> None:
    chat = Chat(server)
    for text in ("add a", "add b", "show my to-dos"):
        await chat.send(text)

    shown = await widgets(chat)

    assert [item["widget"]["id"] for item in shown] == [PAST_ROOT_ID, PAST_ROOT_ID, LIST_ROOT_ID]
    assert not any(ACTION_PROPS & node.keys() for item in shown[:-1] for node in nodes_of(item["widget"]))
    assert "- #2 b" in shown[-1]["copy_text"]
    assert "- #" not in shown[0]["copy_text"]


async def test_to_dos_are_the_same_in_all_threads_of_a_person_and_in_no_other_persons(
    server: BaseChatKitServer,
) -> None:
    await Chat(server).send("add buy milk")

    _, mine = await chat_with_list(server)
    _, other = await chat_with_list(server, "user_b")

    assert "buy milk" in mine["copy_text"]
    assert ticks(other) == []


@pytest.mark.parametrize("is_sync", [True, False])
async def test_each_click_replaces_the_widget_in_place_and_survives_a_reload(
    server: BaseChatKitServer, todo_items: TodoItems, is_sync: bool
) -> None:
    chat, item = await chat_with_list(server)

    async def act(name: str, payload: Any) -> None:
        nonlocal item
        answer = await chat.act(item, name, payload, sync=is_sync)
        if is_sync:
            updated = answer["updated_item"]
        else:
            (updated,) = [event["item"] for event in answer if event["type"] == "thread.item.replaced"]
        assert updated["id"] == item["id"]
        item = updated
        assert await widgets(chat) == [item]

    await act("todo.add", {"title": "  Buy milk ", "priority": "high"})
    await act("todo.add", {"title": "Call mom"})
    assert item["copy_text"].splitlines()[1:] == ["- #1 Buy milk (high priority)", "- #2 Call mom"]
    await act("todo.toggle", {**offered(item, "todo.toggle")[0], "completed": True})
    assert ticks(item) == [False, True]
    await act("todo.toggle", {**offered(item, "todo.toggle")[1], "completed": False})
    assert ticks(item) == [False, False]
    await act("todo.toggle", offered(item, "todo.toggle")[1])
    await act("todo.clear_done", {})
    assert len(ticks(item)) == 1
    await act("todo.delete", offered(item, "todo.delete")[0])
    assert ticks(item) == []
    assert (await todo_items.load("user_a")).items == ()


async def test_two_tabs_that_click_at_once_lose_nothing(server: BaseChatKitServer, todo_items: TodoItems) -> None:
    await todo_items.add("user_a", [f"task {n}" for n in range(10)])
    chat, item = await chat_with_list(server)

    await asyncio.gather(
        *(click(chat, item, "todo.toggle", payload) for payload in offered(item, "todo.toggle")[:6]),
        *(click(chat, item, "todo.delete", payload) for payload in offered(item, "todo.delete")[8:]),
        *(click(chat, item, "todo.add", {"title": f"new {n}", "priority": "low"}) for n in range(4)),
    )

    todos = await todo_items.load("user_a")
    (stored,) = await widgets(chat)
    assert (todos.open_count, todos.done_count) == (6, 6)
    assert sum(item.title.startswith("new") for item in todos.items) == 4
    assert sorted(ticks(stored)) == [False] * 6 + [True] * 6


async def test_a_click_on_what_another_tab_has_just_ticked_off_never_reopens_it(
    server: BaseChatKitServer, todo_items: TodoItems
) -> None:
    await todo_items.add("user_a", ["a"])
    chat, item = await chat_with_list(server)
    (payload,) = offered(item, "todo.toggle")

    results = await asyncio.gather(
        *(click(chat, item, "todo.toggle", payload) for _ in range(4)), return_exceptions=True
    )

    assert any(not isinstance(result, BaseException) for result in results)
    assert all(isinstance(result, dict | ActionError) for result in results)
    assert (await todo_items.load("user_a")).done_count == 1


async def test_a_list_that_is_stale_because_of_another_thread_catches_up_with_the_next_click(
    server: BaseChatKitServer, todo_items: TodoItems
) -> None:
    kept, gone = await todo_items.add("user_a", ["kept", "gone"])
    chat, item = await chat_with_list(server)
    await todo_items.delete("user_a", gone.id)
    await todo_items.set_done("user_a", kept.id, True)

    item = await click(chat, item, "todo.toggle", {"item_id": gone.id, "done": True})

    assert ticks(item) == [True]


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("todo.add", {"title": "  ", "priority": "normal"}),
        ("todo.add", {"title": "\x07", "priority": "normal"}),
        ("todo.add", {"title": "x" * 201, "priority": "normal"}),
        ("todo.add", {"title": "x", "priority": "urgent"}),
        ("todo.add", {"title": "x", "is_done": True}),
        ("todo.add", {}),
        ("todo.toggle", {"item_id": "todo_of_somebody_else", "done": True}),
        ("todo.delete", {"item_id": "todo_of_somebody_else"}),
        ("todo.show_more", {"limit": 100_000}),
        ("todo.clear_done", {"all": True}),
        ("todo.clear_done", {}),
        ("todo.explode", {}),
    ],
)
async def test_an_action_that_is_invalid_or_not_offered_changes_nothing_and_says_why(
    server: BaseChatKitServer, todo_items: TodoItems, name: str, payload: Any
) -> None:
    await todo_items.add("user_a", ["a"])
    before = await todo_items.load("user_a")
    chat, item = await chat_with_list(server)

    with pytest.raises(UserFacingError) as caught:
        await click(chat, item, name, payload)

    assert caught.value.status == 400
    assert await todo_items.load("user_a") == before
    assert await widgets(chat) == [item]


async def test_a_collapsed_list_cannot_be_clicked_any_more(server: BaseChatKitServer) -> None:
    chat, item = await chat_with_list(server)
    await chat.send("show my to-dos")

    with pytest.raises(ActionError):
        await click(chat, item, "todo.add", {"title": "x"})


async def test_two_hundred_to_dos_are_reached_page_by_page_and_stay_shown_after_a_click(
    server: BaseChatKitServer, todo_items: TodoItems
) -> None:
    for page in range(4):
        await todo_items.add("user_a", [f"task {page}-{n}" for n in range(50)])
    chat, item = await chat_with_list(server)
    assert len(ticks(item)) == 50

    item = await click(chat, item, "todo.show_more", offered(item, "todo.show_more")[0])
    item = await click(chat, item, "todo.toggle", offered(item, "todo.toggle")[70])
    assert len(ticks(item)) == 100
    while more := offered(item, "todo.show_more"):
        item = await click(chat, item, "todo.show_more", more[0])

    assert len(ticks(item)) == 200


async def test_an_addition_that_is_too_far_down_to_be_seen_is_confirmed_in_words(
    server: BaseChatKitServer, todo_items: TodoItems
) -> None:
    await todo_items.add("user_a", ["x"] * 50)
    chat, item = await chat_with_list(server)

    item = await click(chat, item, "todo.add", {"title": "The last one", "priority": "normal"})
    captions = [node["value"] for node in nodes_of(item["widget"]) if node["type"] == "Caption"]
    assert "Added “The last one” (#51), further down in the list." in captions

    item = await click(chat, item, "todo.add", {"title": "The first one", "priority": "high"})
    captions = [node["value"] for node in nodes_of(item["widget"]) if node["type"] == "Caption"]
    assert not any(caption.startswith("Added") for caption in captions)


async def test_a_full_list_says_so_and_stays_as_it_is(server: BaseChatKitServer, todo_items: TodoItems) -> None:
    for _ in range(MAX_ITEMS_PER_USER // 50):
        await todo_items.add("user_a", ["x"] * 50)
    chat, item = await chat_with_list(server)

    with pytest.raises(ConflictError, match="1,000 to-dos"):
        await click(chat, item, "todo.add", {"title": "one more"})
