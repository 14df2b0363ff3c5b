"""Weather in a browser: cards that are updated in place without the model, and survive a reload."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.chat import Chat, expect_value, shown_text

DEGREES = re.compile(r"(-?\d+)\s*°([CF])")


def open_weather(page: Page) -> Chat:
    page.goto("/?use_case=weather")
    return Chat(page)


def temperature(widget: Locator) -> tuple[int, str]:
    expect(widget).to_contain_text(DEGREES)
    text = shown_text(widget).replace("−", "-")
    found = DEGREES.search(text)
    assert found, text
    return int(found[1]), found[2]


def test_an_answer_comes_with_a_card_of_the_current_conditions(page: Page) -> None:
    chat = open_weather(page)
    chat.ask("What's the weather like in Bern?")
    expect(chat.answers.last).to_contain_text("Bern")
    card = chat.widgets
    expect(card).to_have_count(1)
    for text in ("Bern", "Humidity", "Wind", "Sample data", "local time"):
        expect(card).to_contain_text(text)
    expect(card.get_by_role("img").first).to_be_visible()


def test_the_unit_switch_replaces_the_card_in_its_place_and_survives_a_reload(page: Page) -> None:
    chat = open_weather(page)
    chat.ask("weather in Bern")
    card = chat.widgets
    celsius, unit = temperature(card)
    assert unit == "C"
    card.get_by_role("button", name="Show °F").click()
    expect(card.get_by_role("button", name="Show °C")).to_be_visible()
    fahrenheit, unit = temperature(card)
    assert unit == "F"
    # Both are rounded to whole degrees: half a degree Celsius is 0.9 °F, and half a degree Fahrenheit comes on top.
    assert abs(fahrenheit - (celsius * 9 / 5 + 32)) < 1.5
    expect(chat.widgets).to_have_count(1)
    expect(chat.questions).to_have_count(1)
    page.reload()
    expect(card.get_by_role("button", name="Show °C")).to_be_visible()
    expect_value(page, lambda: temperature(card), (fahrenheit, "F"))


def test_refresh_draws_the_card_again_without_a_new_message(page: Page) -> None:
    chat = open_weather(page)
    chat.ask("weather in Bern")
    before = shown_text(chat.widgets)
    with page.expect_response(lambda response: "/chatkit/weather" in response.url) as answered:
        chat.widgets.get_by_role("button", name="Refresh").click()
    sent = answered.value.request.post_data_json
    assert sent
    assert sent["type"] == "threads.sync_custom_action"
    assert sent["params"]["action"]["type"] == "weather.refresh"
    assert answered.value.ok
    expect(chat.widgets.get_by_role("button", name="Refresh")).not_to_have_attribute("aria-busy", "true")
    expect(chat.widgets).to_have_count(1)
    # Sample data follows the clock, which may have moved on: a minute later it can be a degree more.
    number = re.compile(r"-?\d+")
    expect_value(page, lambda: number.sub("0", shown_text(chat.widgets)), number.sub("0", before))
    expect(chat.answers).to_have_count(1)


def test_a_forecast_has_a_chart_that_can_be_read_without_eyes(page: Page) -> None:
    chat = open_weather(page)
    chat.ask("5-day forecast for Paris")
    card = chat.widgets
    expect(card).to_contain_text("5-day forecast")
    expect(card).to_contain_text("Paris")
    expect(card.locator("svg path[d]").first).to_be_attached()
    expect(card).to_contain_text(re.compile("High in °C"))
    table = card.locator("table")
    expect(table).to_have_count(1)
    expect(table.locator("tbody tr")).to_have_count(5)


def test_card_and_forecast_take_each_others_place(page: Page) -> None:
    chat = open_weather(page)
    chat.ask("weather in Bern")
    chat.widgets.get_by_role("button", name=re.compile("forecast")).click()
    expect(chat.widgets.get_by_role("button", name="Now", exact=True)).to_be_visible()
    expect(chat.widgets).to_have_count(1)
    page.reload()
    chat.widgets.get_by_role("button", name="Now", exact=True).click()
    expect(chat.widgets).to_contain_text("local time")


def test_picking_a_city_replaces_the_selector_and_there_is_a_way_back(page: Page) -> None:
    chat = open_weather(page)
    chat.ask("Show me cities around the world")
    rows = chat.widgets.get_by_role("listitem").filter(has=page.get_by_role("button"))
    expect(rows).to_have_count(8)
    chat.widgets.get_by_role("button", name=re.compile("more", re.I)).click()
    expect(rows).to_have_count(16)
    row = rows.nth(2)
    city = row.get_by_role("paragraph").first.inner_text()
    row.click()
    expect(chat.widgets).to_contain_text("Humidity")
    expect(chat.widgets).to_contain_text(city)
    expect(chat.widgets).to_have_count(1)
    page.reload()
    expect(chat.widgets).to_contain_text(city)
    chat.widgets.get_by_role("button", name="Other cities").click()
    expect(rows).to_have_count(8)


def test_a_click_works_while_an_answer_is_running(page: Page, acme_server: str) -> None:
    page.goto(f"{acme_server}/?use_case=weather")
    chat = Chat(page)
    chat.ask("weather in Bern")
    chat.send("Who are you?")
    expect(chat.stop_button).to_be_visible()
    chat.widgets.get_by_role("button", name="Show °F").click()
    expect(chat.widgets.get_by_role("button", name="Show °C")).to_be_visible()
    # The answer has not been disturbed.
    expect(chat.stop_button).to_be_visible()
    chat.stop_button.click()
    chat.wait_until_idle()
