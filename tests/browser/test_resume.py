"""Resumed answers: reloads, lost connections and a second tab continue an answer, and only Stop ends it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chat import Chat, eventually, expect_value, shown_text
from tests.browser.servers.parlor import run_parlor
from tests.sharing import find_stable_port

QUESTION = "Who are you?"
END = "start again"  # the last words of the built-in model's answer to it


@pytest.fixture
def chat(page: Page, acme_server: str) -> Chat:
    """A chat in the middle of a slow answer."""
    page.goto(f"{acme_server}/?use_case=weather")
    chat = Chat(page)
    chat.send(QUESTION)
    expect(chat.answers).to_contain_text("No model is configured")
    expect(chat.stop_button).to_be_visible()
    return chat


def expect_end(chat: Chat) -> None:
    """Wait until the answer is whole and nothing comes after its last words."""
    eventually(chat.page, lambda: shown_text(chat.answers).rstrip(". ").endswith(END))


def test_a_reload_in_the_middle_continues_the_answer(chat: Chat, page: Page) -> None:
    page.reload()
    expect(chat.questions).to_have_text([QUESTION])
    expect(chat.stop_button).to_be_visible()
    expect(chat.answers).to_contain_text("No model is configured")
    chat.wait_until_idle()
    expect(chat.answers).to_have_count(1)
    expect_end(chat)
    whole = shown_text(chat.answers)
    # What came in pieces is what is stored.
    page.reload()
    expect(chat.answers).to_contain_text(END)
    expect_value(page, lambda: shown_text(chat.answers), whole)


def test_a_lost_connection_continues_the_answer(
    chat: Chat, context: BrowserContext, tolerated_errors: list[str]
) -> None:
    tolerated_errors += ["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK"]  # Chromium reports what we have cut
    context.set_offline(True)
    expect(chat.element.get_by_role("alert").filter(has_text=re.compile(r"\S"))).to_have_count(0)
    context.set_offline(False)
    chat.wait_until_idle()
    expect(chat.answers).to_have_count(1)
    expect_end(chat)


def test_a_second_tab_watches_the_same_answer(chat: Chat, context: BrowserContext, page: Page) -> None:
    other_page = context.new_page()
    other_page.goto(page.url)
    other = Chat(other_page)
    expect(other.stop_button).to_be_visible()
    expect(other.answers).to_contain_text("No model is configured")
    for tab in (chat, other):
        tab.wait_until_idle()
        expect(tab.answers).to_have_count(1)
    expect_value(page, lambda: shown_text(other.answers), shown_text(chat.answers))


def test_stop_keeps_the_text_so_far_and_a_reload_shows_it(chat: Chat, page: Page) -> None:
    chat.stop_button.click()
    chat.wait_until_idle()
    expect(chat.send_button).to_be_visible()
    said = shown_text(chat.answers)
    assert "No model is configured" in said
    assert END not in said
    page.reload()
    expect(chat.answers).to_contain_text("No model is configured")
    expect(chat.stop_button).to_have_count(0)
    kept = shown_text(chat.answers)
    assert END not in kept
    assert kept.startswith(said) or said.startswith(kept)
    chat.ask("weather in Bern")
    expect(chat.widgets).to_have_count(1)


def test_another_thread_does_not_stop_the_answer(chat: Chat) -> None:
    chat.element.get_by_role("button", name="New chat").click()
    expect(chat.questions).to_have_count(0)
    chat.ask("weather in Oslo")
    history = chat.open_history()
    history.get_by_role("listitem").filter(has_text=QUESTION).get_by_role("button").first.click()
    expect(chat.questions).to_have_text([QUESTION])
    chat.wait_until_idle()
    expect(chat.answers).to_contain_text(END)


def test_an_answer_cut_off_by_a_restart_stays_until_the_server_writes_it_again(
    page: Page, tmp_path: Path, city_file: Path, tolerated_errors: list[str]
) -> None:
    tolerated_errors += ["ERR_CONNECTION_REFUSED", "503"]  # Chromium reports what the server does not take
    settings = {"PORT": str(find_stable_port()), "OFFLINE_TOKEN_DELAY_MS": "60", "DRAIN_TIMEOUT_S": "0"}
    with run_parlor(tmp_path, city_file, **settings) as url:
        page.goto(f"{url}/?use_case=weather")
        chat = Chat(page)
        chat.send(QUESTION)
        expect(chat.answers).to_contain_text("No model is configured")
    expect(chat.element.get_by_role("alert").filter(has_text="The server is restarting")).to_be_visible()
    expect(chat.answers).to_contain_text("No model is configured")
    # The client tries for half a minute, and to start a server may take a busy machine longer: it is kept out of sight.
    page.route("**/chatkit/**", lambda route: route.abort("connectionrefused"))
    with run_parlor(tmp_path, city_file, **settings):
        chat.element.get_by_role("button", name="Try again").click()
        expect(chat.element.get_by_text("Reconnecting")).to_be_visible()
        page.unroute("**/chatkit/**")
        expect(chat.answers).to_contain_text(END)
        chat.wait_until_idle()
        expect(chat.answers).to_have_count(1)
        expect(chat.element.get_by_role("alert").filter(has_text=re.compile(r"\S"))).to_have_count(0)
