"""The built-in page on wide, narrow and zoomed screens, and with an unknown address."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chat import SETTLE, Chat, eventually, wait_until_settled

pytestmark = pytest.mark.motion


def _box(shown: Locator) -> dict[str, float]:
    box = shown.bounding_box()
    assert box
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def _open(page: Page, width: int, height: int, address: str = "/?use_case=weather") -> Chat:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)
    chat = Chat(page)
    expect(chat.composer).to_be_visible()
    return chat


def test_on_a_wide_screen_the_history_is_a_column_by_day_with_its_search(page: Page) -> None:
    chat = _open(page, 1280, 800)
    expect(chat.composer).to_be_focused()
    chat.ask("weather in Bern")
    column = chat.element.get_by_role("navigation", name="Chat history")
    expect(column.get_by_role("searchbox", name="Search chats")).to_be_visible()
    expect(column.get_by_role("heading", name="Today")).to_be_visible()
    expect(column.get_by_role("button", name="weather in Bern", exact=True)).to_have_attribute("aria-current", "true")
    eventually(page, lambda: _box(column)["x"] + _box(column)["width"] <= _box(chat.transcript)["x"] + 1)
    chat.element.get_by_role("button", name="New chat").click()
    expect(chat.questions).to_have_count(0)
    chat.ask("weather in Oslo")
    expect(column.get_by_role("listitem")).to_have_count(2)
    column.get_by_role("button", name="weather in Bern", exact=True).click()
    expect(chat.questions).to_have_text(["weather in Bern"])


def test_at_360_pixels_the_header_takes_one_line_and_the_rest_is_in_a_menu(page: Page) -> None:
    chat = _open(page, 360, 740)
    eventually(page, lambda: _box(page.get_by_role("banner"))["height"] < 60)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_role("button", name="assistants and colours").click()
    page.get_by_role("radio", name="Dark").check(force=True)
    expect(page.locator("html")).to_have_attribute("data-scheme", "dark")
    page.get_by_role("navigation", name="Assistants").get_by_role("link", name="To-do list").click()
    expect(page.get_by_role("navigation", name="Assistants")).to_be_hidden()
    expect(page).to_have_url("/?use_case=todo")
    expect(chat.composer).to_be_visible()


def test_a_missing_assistant_is_reported(page: Page) -> None:
    _open(page, 1280, 800, "/?use_case=wether")
    hint = page.get_by_role("status").filter(has_text="There is no assistant called “wether”")
    expect(hint).to_be_visible()
    hint.get_by_role("button", name="Dismiss").click()
    expect(hint).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (800, 600), (360, 640)])
def test_the_scroll_button_appears_for_hidden_text_and_covers_nothing(page: Page, width: int, height: int) -> None:
    chat = _open(page, width, height)
    chat.ask("weather in Bern")
    button = chat.element.get_by_role("button", name="Scroll to the latest message")
    wait_until_settled(chat)
    view = _box(chat.transcript)
    end = _box(chat.answers.last)
    if end["y"] + end["height"] > view["y"] + view["height"]:
        expect(button).to_be_visible()
        eventually(page, lambda: _box(button)["y"] >= view["y"] + view["height"] - 1)
        assert _box(button)["y"] + _box(button)["height"] <= _box(chat.composer)["y"]
        button.click()
    expect(button).to_be_hidden()
    expect(chat.answers.last).to_be_in_viewport()


def test_enlarged_to_400_percent_there_is_room_for_words(page: Page) -> None:
    chat = _open(page, 320, 256)
    chat.ask("weather in Bern")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    eventually(page, lambda: _box(chat.transcript)["height"] >= 90)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    expect(chat.composer).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [360, 1280])
def test_text_of_twice_the_size_is_larger_and_not_cut(page: Page, width: int) -> None:
    chat = _open(page, width, 900)
    chat.ask("weather in Bern")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    expect(chat.answers.last).to_have_css("font-size", "32px")
    expect(chat.composer).to_have_css("font-size", "32px")
    page.evaluate(SETTLE)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for name in page.get_by_role("banner").locator("a, button, label").all():
        if name.is_visible():
            assert name.evaluate("e => e.scrollHeight - e.clientHeight") <= 1
