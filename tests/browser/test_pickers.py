"""Select and DatePicker by keyboard and pointer: lists, search, calendars, typed dates, and payloads."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import expect_value
from tests.browser.samples import widget
from tests.browser.servers.scripted import Answer, user_item
from tests.browser.stage import Stage

FRUITS = ["Apple", "Apricot", "Banana", "Cherry", "Éclair"]
ACTION = {"type": "picked", "handler": "server", "loadingBehavior": "none", "streaming": False}


def options(*labels: str, **more: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"label": label, "value": label.lower(), **more.get(label, {})} for label in labels]


FRUIT = {
    "type": "Select",
    "name": "fruit",
    "ariaLabel": "Fruit",
    "placeholder": "Choose a fruit",
    "clearable": True,
    "onChangeAction": ACTION,
    "options": options(*FRUITS, Banana={"disabled": True}, Cherry={"description": "From the garden"}),
}
COUNTRY = {
    "type": "Select",
    "name": "country",
    "placeholder": "Country",
    "onChangeAction": ACTION,
    "options": options(*(f"Country {n}" for n in range(20)), "Österreich"),
}
DAY = {
    "type": "DatePicker",
    "name": "day",
    "placeholder": "Day",
    "clearable": True,
    "defaultValue": "2026-12-24",
    "min": "2026-12-03",
    "max": "2027-12-31",
    "onChangeAction": ACTION,
}


def box(stage: Stage, name: str) -> Locator:
    return stage.chat.widgets.get_by_role("combobox", name=name, exact=True)


def sent_payloads(stage: Stage) -> list[object]:
    """Return the payloads of all actions so far."""
    return [asked.params["action"]["payload"] for asked in stage.server.asked_for("threads.sync_custom_action", 0)]


@pytest.fixture
def pickers(stage: Stage) -> Stage:
    stage.server.on("threads.sync_custom_action", Answer({"updated_item": None}))
    stage.show(user_item("hi"), widget(FRUIT, COUNTRY, DAY))
    expect(box(stage, "Fruit")).to_be_visible()  # its face: the native control below is hidden
    return stage


def test_a_list_is_used_by_keyboard_alone_and_sends_one_action(pickers: Stage) -> None:
    fruit, keyboard = box(pickers, "Fruit"), pickers.page.keyboard
    expect(fruit).to_have_text("Choose a fruit")
    fruit.focus()
    keyboard.press("ArrowDown")
    active = pickers.chat.widgets.locator(".option.is-active")
    expect(fruit).to_have_attribute("aria-expanded", "true")
    expect(active).to_have_text("Apple")
    keyboard.press("End")
    expect(active).to_have_text("Éclair")
    keyboard.press("Home")
    keyboard.type("a")
    expect(active).to_have_text("Apricot")
    keyboard.press("ArrowDown")
    expect(active).to_contain_text("From the garden")
    keyboard.press("Escape")
    expect(active).to_have_count(0)
    expect(fruit).to_be_focused()
    keyboard.type("ec")
    expect(active).to_have_text("Éclair")
    keyboard.press("Enter")
    expect(fruit).to_have_text("Éclair")
    expect(fruit).to_be_focused()
    keyboard.press("Delete")
    expect(fruit).to_have_text("Choose a fruit")
    expect_value(pickers.page, lambda: sent_payloads(pickers), [{"fruit": "éclair"}, {"fruit": None}])


def test_a_long_list_is_searched_and_no_scrolling_ancestor_cuts_it(pickers: Stage) -> None:
    country = box(pickers, "Country")
    country.click()
    search = pickers.chat.widgets.get_by_role("combobox", name="Search")
    expect(search).to_be_focused()
    entries = pickers.chat.widgets.get_by_role("option")
    expect(entries).to_have_count(21)
    search.fill("oster")
    expect(entries).to_have_count(1)
    expect(entries).to_be_in_viewport(ratio=1)
    search.fill("nowhere")
    expect(pickers.chat.widgets.get_by_text("Nothing found")).to_be_visible()
    search.fill("17")
    search.press("Enter")
    expect(country).to_have_text("Country 17")
    country.click()
    entries.nth(3).click()
    expect(country).to_have_text("Country 3")
    country.click()
    pickers.chat.composer.focus()
    expect(entries).to_have_count(0)
    expect_value(pickers.page, lambda: sent_payloads(pickers), [{"country": "country 17"}, {"country": "country 3"}])


def test_a_date_is_typed_or_found_in_the_calendar_and_sends_one_action(pickers: Stage) -> None:
    day, keyboard = pickers.chat.widgets.get_by_role("textbox", name="Day", exact=True), pickers.page.keyboard
    expect(day).to_have_value("12/24/2026")
    day.fill("1/2/27")
    assert sent_payloads(pickers) == []
    day.press("Enter")
    expect(day).to_have_value("01/02/2027")
    day.fill("never")
    day.press("Enter")
    expect(pickers.chat.widgets.get_by_role("alert")).to_contain_text("MM/DD/YYYY")
    day.fill("12/1/2026")
    day.press("Enter")
    expect(pickers.chat.widgets.get_by_role("alert")).to_contain_text("12/03/2026")
    day.press("Escape")
    expect(day).to_have_value("01/02/2027")
    opener = pickers.chat.widgets.get_by_role("button", name="Choose a date")
    opener.click()
    focused = pickers.chat.widgets.locator(".day:focus")
    expect(focused).to_have_attribute("data-day", "2027-01-02")
    for key, there in (
        ("ArrowRight", "2027-01-03"),
        ("ArrowUp", "2026-12-27"),
        ("End", "2027-01-02"),
        ("Home", "2026-12-27"),
        ("PageDown", "2027-01-27"),
        ("Shift+PageDown", "2027-12-31"),
        ("PageUp", "2027-11-30"),
    ):
        keyboard.press(key)
        expect(focused).to_have_attribute("data-day", there)
    keyboard.press("Enter")
    expect(day).to_have_value("11/30/2027")
    expect(opener).to_be_focused()
    day.press("ArrowDown")
    keyboard.press("Escape")
    expect(day).to_be_focused()
    pickers.chat.widgets.get_by_role("button", name="Clear").last.click()
    expect(day).to_have_value("")
    expect_value(
        pickers.page, lambda: sent_payloads(pickers), [{"day": "2027-01-02"}, {"day": "2027-11-30"}, {"day": None}]
    )
