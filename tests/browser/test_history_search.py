"""Search in the history, against a plain chatkit-python server, which can only list threads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.chat import Chat, eventually, expect_events, expect_value, mount
from tests.browser.servers.hosting import serve_in_thread

if TYPE_CHECKING:
    from tests.browser.servers.plain import MemoryStore

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PAGES = 4
# The oldest first; the client asks for 50 at a time.
TITLES = [
    "Einkaufen in ZÜRICH",
    *(f"Notes of day {day}" for day in range(PAGES * 50 - 4)),
    "A trip to Zürich",
    "<b>Zurich</b> in bold",
    None,
]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    from tests.browser.servers.plain import MemoryStore

    return MemoryStore()


@pytest.fixture(scope="module")
def many_chats(store: MemoryStore) -> Iterator[str]:
    from tests.browser.servers.plain import build_plain_app

    with serve_in_thread(build_plain_app(store)) as url:
        yield url


@pytest.fixture
def asked_server(many_chats: str) -> str:
    return many_chats


@pytest.fixture
def asked() -> list[Request]:
    return []


@pytest.fixture
def chat(empty_page: Page, store: MemoryStore, asked: list[Request]) -> Iterator[Chat]:
    from chatkit.types import AssistantMessageContent, AssistantMessageItem, ThreadMetadata

    store.threads.clear()
    for at, title in enumerate(TITLES):
        store.threads[f"thr_{at}"] = ThreadMetadata(id=f"thr_{at}", created_at=NOW, title=title)
        content = [AssistantMessageContent(text=f"This is chat {at}.")]
        store.items[f"thr_{at}"] = [
            AssistantMessageItem(id=f"msg_{at}", thread_id=f"thr_{at}", created_at=NOW, content=content)
        ]

    def note(request: Request) -> None:
        if request.url.endswith("/chatkit"):
            asked.append(request)

    empty_page.on("request", note)
    mount(empty_page)
    chat = Chat(empty_page)
    chat.open_history()
    expect(chat.history.get_by_role("listitem")).to_have_count(50)
    yield chat
    empty_page.remove_listener("request", note)


def operations(asked: list[Request]) -> list[str]:
    return [json.loads(request.post_data or "{}")["type"] for request in asked]


def test_a_chat_of_long_ago_is_found_by_part_of_its_title(chat: Chat, asked: list[Request]) -> None:
    field = chat.history.get_by_role("searchbox", name="Search chats")
    field.press_sequentially("zurich")
    rows = chat.history.get_by_role("listitem")
    expect(chat.history.get_by_role("status")).to_have_text("3 chats found")
    expect(rows).to_have_text(["<b>Zurich</b> in bold", "A trip to Zürich", "Einkaufen in ZÜRICH"])
    expect(chat.history.locator("mark")).to_have_text(["Zurich", "Zürich", "ZÜRICH"])
    expect_value(chat.page, lambda: operations(asked), ["threads.list"] * PAGES)
    rows.last.get_by_role("button", name="Einkaufen").first.click()
    expect(chat.answers).to_have_text(["This is chat 0."])
    expect(chat.element.get_by_role("heading", name="Einkaufen in ZÜRICH")).to_be_visible()


def test_an_empty_search_says_so_and_escape_clears_it_before_it_closes_the_list(chat: Chat, page: Page) -> None:
    field = chat.history.get_by_role("searchbox")
    field.fill("rome")
    expect(chat.history.get_by_role("status")).to_have_text("No chats found")
    expect(chat.history.get_by_role("listitem")).to_have_count(0)
    field.press("Escape")
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    expect(chat.history.get_by_role("status")).to_be_empty()
    expect(chat.history.get_by_role("listitem")).to_have_count(len(TITLES))
    page.keyboard.press("Escape")
    expect(chat.history).to_have_count(0)
    expect(chat.element.get_by_role("button", name="Chat history", exact=True)).to_be_focused()
    expect_events(page, 1, "history.close")


def test_keys_alone_find_and_open_a_chat(chat: Chat, page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(chat.history.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("zurich")
    expect(chat.history.get_by_role("listitem")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(chat.history.get_by_role("button", name="A trip to Zürich", exact=True)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(chat.history.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(" trip")
    expect(chat.history.get_by_role("listitem")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(chat.history).to_have_count(0)
    expect(chat.element.get_by_role("heading", name="A trip to Zürich")).to_be_visible()


def test_a_search_with_many_hits_continues_only_on_request(chat: Chat, asked: list[Request]) -> None:
    chat.history.get_by_role("searchbox").fill("notes day")
    expect(chat.history.get_by_role("status")).to_have_text("47 chats found so far")
    assert operations(asked) == ["threads.list"]
    chat.history.get_by_role("button", name="Search older chats").click()
    expect(chat.history.get_by_role("status")).to_have_text("97 chats found so far")
    expect_value(chat.page, lambda: len(asked), 2)


def test_at_320_pixels_a_chat_is_found_renamed_and_deleted(chat: Chat, page: Page, store: MemoryStore) -> None:
    page.set_viewport_size({"width": 320, "height": 480})
    field = chat.history.get_by_role("searchbox")
    field.fill("zurich")
    expect(chat.history.get_by_role("listitem")).to_have_count(3)
    clear = chat.history.get_by_role("button", name="Clear the search")
    for control in (field, clear, chat.history.get_by_role("button", name="Delete “A trip to Zürich”")):
        expect(control).to_be_in_viewport(ratio=1)
    chat.history.get_by_role("button", name="Rename “A trip to Zürich”").click()
    editor = chat.history.get_by_role("textbox", name="Chat title")
    editor.fill("A trip to Rome")
    editor.press("Enter")
    # It stays in sight: nothing that was just written vanishes.
    expect(chat.history.get_by_role("button", name="A trip to Rome", exact=True)).to_be_focused()
    chat.history.get_by_role("button", name="Delete “<b>Zurich</b> in bold”").click()
    chat.history.get_by_role("button", name="Delete", exact=True).click()
    expect(chat.history.get_by_role("status")).to_have_text("2 chats found")

    def written() -> list[str | None]:
        return [thread.title for thread in store.threads.values() if re.search("Rome|bold", thread.title or "")]

    eventually(page, lambda: written() == ["A trip to Rome"])
    clear.click()
    expect(field).to_be_focused()
    expect(chat.history.get_by_role("listitem")).to_have_count(len(TITLES) - 1)
