"""The built-in page: brand, assistants, conversations, history, themes, keyboard, security policy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.axe import RULES_OF_COLOUR, find_violations
from tests.browser.chat import SETTLE, Chat, eventually, expect_value, shown_text

# The history is a panel over the chat, as on most devices.
NARROW: ViewportSize = {"width": 900, "height": 720}


def open_page(page: Page, use_case: str = "weather") -> Chat:
    page.goto(f"/?use_case={use_case}")
    chat = Chat(page)
    expect(chat.composer).to_be_visible()
    return chat


def assistants(page: Page) -> dict[str, str | None]:
    links = page.get_by_role("navigation", name="Assistants").get_by_role("link").all()
    return {link.inner_text().strip(): link.get_attribute("aria-current") for link in links}


# The first screen


def test_the_start_screen_greets_and_a_prompt_is_sent_as_it_is_clicked(page: Page) -> None:
    chat = open_page(page)
    expect(page.get_by_role("heading", name="How is the weather?")).to_be_visible()
    chat.element.get_by_role("button", name="Weather right now").click()
    expect(chat.questions).to_have_text(["What's the weather like in Bern?"])
    expect(chat.widgets).to_have_count(1)
    chat.wait_until_idle()


def test_a_streamed_answer_becomes_one_finished_message(page: Page, acme_server: str) -> None:
    # A quick answer could be over before anybody looks.
    page.goto(f"{acme_server}/?use_case=weather")
    chat = Chat(page)
    chat.send("Who are you?")
    # While it grows, the only button is the one that stops it.
    expect(chat.stop_button).to_be_visible()
    chat.wait_until_idle()
    expect(chat.answers).to_have_count(1)
    expect(chat.answers).to_contain_text("No model is configured")
    expect(chat.answers.get_by_role("listitem").first).to_be_visible()
    whole = shown_text(chat.answers)
    page.reload()
    expect(chat.answers).to_contain_text("No model is configured")
    expect_value(page, lambda: shown_text(chat.answers), whole)


# Conversations


def test_the_thread_is_remembered_across_a_reload_and_new_chat_leaves_it(page: Page) -> None:
    chat = open_page(page)
    chat.ask("weather in Bern")
    page.reload()
    expect(chat.questions).to_have_text(["weather in Bern"])
    chat.element.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("heading", name="How is the weather?")).to_be_visible()
    expect(chat.composer).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", name="How is the weather?")).to_be_visible()


def test_history_opens_renames_and_deletes_chats(page: Page) -> None:
    page.set_viewport_size(NARROW)
    chat = open_page(page)
    for city in ("Bern", "Oslo"):
        chat.ask(f"weather in {city}")
        chat.element.get_by_role("button", name="New chat").click()
        expect(chat.questions).to_have_count(0)
    history = chat.open_history()
    rows = history.get_by_role("listitem")
    expect(rows).to_have_count(2)
    # The newest comes first.
    oldest = rows.nth(1)
    oldest.get_by_role("button", name=re.compile("^Rename")).click()
    field = history.get_by_role("textbox", name="Chat title")
    field.fill("Only a trip")
    field.press("Enter")
    expect(oldest).to_contain_text("Only a trip")

    oldest.get_by_role("button", name="Only a trip", exact=True).click()
    expect(history).to_be_hidden()
    expect(chat.questions).to_have_text(["weather in Bern"])
    expect(chat.element.get_by_role("heading", name="Only a trip")).to_be_visible()

    chat.open_history()
    current = history.get_by_role("listitem").filter(has_text="Only a trip")
    current.get_by_role("button", name=re.compile("^Delete")).click()
    history.get_by_role("button", name="Delete", exact=True).click()
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    expect(history).to_be_hidden()
    # The deleted chat was the open one.
    expect(page.get_by_role("heading", name="How is the weather?")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="How is the weather?")).to_be_visible()
    chat.open_history()
    expect(rows).to_have_count(1)


def test_a_missing_thread_is_reported_once_and_then_forgotten(page: Page, tolerated_errors: list[str]) -> None:
    tolerated_errors.append("404")  # Chromium reports the answer of the deleted thread by itself
    chat = open_page(page)
    page.evaluate("localStorage.setItem('parlor.thread.weather', 'thr_gone')")
    page.reload()
    expect(chat.element.get_by_role("alert")).to_contain_text(re.compile("not found|no longer|does not exist", re.I))
    expect(page.get_by_role("heading", name="How is the weather?")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="How is the weather?")).to_be_visible()
    expect(chat.element.get_by_role("alert").filter(has_text=re.compile(r"\S"))).to_have_count(0)


def test_the_switcher_keeps_the_thread_of_each_assistant(page: Page) -> None:
    chat = open_page(page)
    chat.ask("weather in Bern")
    switcher = page.get_by_role("navigation", name="Assistants")
    switcher.get_by_role("link", name="To-do list").click()
    expect(page).to_have_url(re.compile("use_case=todo"))
    expect_value(page, lambda: assistants(page), {"To-do list": "page", "Weather": None})
    expect(chat.questions).to_have_count(0)
    chat.ask("Add switch the lights off")
    switcher.get_by_role("link", name="Weather").click()
    expect(chat.questions).to_have_text(["weather in Bern"])
    page.go_back()
    expect(chat.questions).to_have_text(["Add switch the lights off"])
    expect(page).to_have_title(re.compile("^To-do list"))


# Brand and looks


@pytest.fixture
def branded_page(context: BrowserContext, acme_server: str) -> Page:
    page = context.new_page()
    page.goto(f"{acme_server}/")
    expect(Chat(page).composer).to_be_visible()
    return page


def test_the_brand_is_everywhere(branded_page: Page) -> None:
    page = branded_page
    expect(page).to_have_title("Weather · Acme")
    expect(page.get_by_role("banner").get_by_role("link", name="Acme")).to_contain_text("Everything for coyotes")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", "/static/logo.svg?acme")
    root = page.locator("html")
    primary = "e => getComputedStyle(e).getPropertyValue('--brand-primary').trim()"
    expect_value(page, lambda: root.evaluate(primary), "#0a7d32")
    chat = Chat(page)
    chat.composer.fill("something")
    expect(chat.send_button).to_have_css("background-color", "rgb(10, 125, 50)")


@pytest.mark.motion
def test_light_and_dark_follow_the_system_until_the_person_chooses(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    chat = open_page(page)
    region = chat.element.get_by_role("region")

    def is_dark() -> bool:
        color = region.evaluate("e => getComputedStyle(e).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", color)[:3]) < 3 * 128

    eventually(page, lambda: not is_dark())
    page.emulate_media(color_scheme="dark")
    expect(region).not_to_have_css("background-color", "rgb(255, 255, 255)")
    eventually(page, is_dark)
    page.get_by_role("radio", name="Light").check(force=True)
    expect(region).to_have_css("background-color", "rgb(255, 255, 255)")
    page.reload()
    expect(region).to_have_css("background-color", "rgb(255, 255, 255)")


@pytest.mark.parametrize("use_case", ["weather", "todo"])
def test_nothing_scrolls_sideways_at_320_pixels(page: Page, use_case: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    chat = open_page(page, use_case)
    for question in {"weather": ("5-day forecast for Paris", "weather in Bern"), "todo": ("Add buy milk",)}[use_case]:
        chat.ask(question)
    chat.open_history()
    page.keyboard.press("Escape")
    expect(chat.history).to_be_hidden()
    page.evaluate(SETTLE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    overflow = chat.transcript.evaluate("e => e.scrollWidth - e.clientWidth")
    assert overflow <= 0
    for widget in chat.widgets.all():
        box = widget.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    box = chat.composer.bounding_box()
    assert box
    assert box["x"] + box["width"] <= 320


# Keyboard


def focused(page: Page) -> str:
    """Return role and name of what has the focus, through all shadow roots."""
    text: str = page.evaluate(
        """() => {
            let element = document.activeElement;
            while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
            const label = element?.getAttribute('aria-label') ?? element?.innerText ?? '';
            return `${element?.localName} ${label.trim()}`;
        }"""
    )
    return text


def tab_until(page: Page, wanted: str, *, limit: int = 30) -> None:
    visited = []
    for _ in range(limit):
        page.keyboard.press("Tab")
        visited.append(focused(page))
        if wanted in visited[-1]:
            return
    raise AssertionError(f"Tab never reached {wanted!r}, only {visited}")


def test_everything_can_be_done_with_the_keyboard_alone(page: Page) -> None:
    chat = open_page(page)
    tab_until(page, "Weather right now")
    page.keyboard.press("Enter")
    expect(chat.widgets).to_have_count(1)
    chat.wait_until_idle()
    expect(chat.widgets).to_contain_text("°C")

    page.locator("body").press("Home")
    tab_until(page, "Show °F")
    page.keyboard.press("Enter")
    # The widget was replaced in place, and the keyboard is still there.
    expect(chat.widgets.get_by_role("button", name="Show °C")).to_be_focused()

    tab_until(page, "textarea Message")
    page.keyboard.type("weather in Oslo")
    page.keyboard.press("Enter")
    expect(chat.questions).to_have_count(2)
    expect(chat.composer).to_be_focused()
    chat.wait_until_idle()


def test_escape_closes_the_history_and_gives_the_focus_back(page: Page) -> None:
    page.set_viewport_size(NARROW)
    chat = open_page(page)
    tab_until(page, "Chat history")
    page.keyboard.press("Enter")
    expect(chat.history).to_be_visible()
    page.keyboard.press("Escape")
    expect(chat.history).to_be_hidden()
    expect(chat.element.get_by_role("button", name="Chat history", exact=True)).to_be_focused()


# Policy


def test_the_page_is_served_with_a_strict_policy_and_keeps_it(page: Page) -> None:
    page.add_init_script(
        "window.violations = []; "
        "document.addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective))"
    )
    response = page.goto("/?use_case=weather")
    assert response
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    chat = Chat(page)
    chat.ask("5-day forecast for Paris")
    chat.open_history()
    assert page.evaluate("violations") == []


def test_the_page_keeps_no_cookie_that_scripts_can_read(page: Page) -> None:
    chat = open_page(page)
    chat.ask("weather in Bern")
    assert page.evaluate("document.cookie") == ""


# Accessibility: the guard of every test fails on the console; axe looks at the states.


def problems_of(page: Page) -> list[str]:
    """Look at everything in light, and at the colours in dark: nothing else differs."""
    in_light = find_violations(page)
    surface = "getComputedStyle(document.querySelector('openai-chatkit')).getPropertyValue('--chatkit-surface')"
    light = page.evaluate(surface)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {surface} !== light", arg=light)
    in_dark = find_violations(page, rules=RULES_OF_COLOUR)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"light => {surface} === light", arg=light)
    return [*in_light, *in_dark]


def test_axe_finds_nothing_on_any_state_of_the_page(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    chat = open_page(page)
    found = {"start": problems_of(page)}
    chat.ask("weather in Bern")
    chat.ask("5-day forecast for Paris")
    chat.ask("Show me cities around the world")
    found["answers"] = problems_of(page)
    chat.open_history()
    expect(chat.history.get_by_role("listitem")).to_have_count(1)
    found["history"] = problems_of(page)
    chat = open_page(page, "todo")
    chat.ask("Add buy milk")
    chat.ask("Add pay the rent with high priority")
    chat.ask("Complete buy milk")
    found["todo"] = problems_of(page)
    assert found == {"start": [], "answers": [], "history": [], "todo": []}


def test_without_motion_all_colours_change_at_once(page: Page) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    chat = open_page(page)
    light = chat.composer.evaluate("field => getComputedStyle(field).color")
    # Asked at the moment of the change, not frames later: a colour that is inherited must not lag behind.
    page.evaluate(
        """() => {
            const walk = root => [...root.querySelectorAll('*')].flatMap(
                each => each.shadowRoot ? [each, ...walk(each.shadowRoot)] : [each]);
            const field = walk(document).find(each => each.localName === 'textarea');
            window.seenColour = new Promise(resolve => matchMedia('(prefers-color-scheme: dark)').addEventListener(
                'change', () => requestAnimationFrame(() => resolve(getComputedStyle(field).color))));
        }"""
    )
    page.emulate_media(color_scheme="dark")
    at_once = page.evaluate("window.seenColour")
    page.evaluate(SETTLE)
    settled = chat.composer.evaluate("field => getComputedStyle(field).color")
    assert light != settled
    assert at_once == settled
