"""A page of another site with client secrets, and with third-party cookies blocked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, Response, expect

from tests.browser.chat import Chat, expect_value
from tests.browser.conftest import ACTION_TIMEOUT_MS, CHROMIUM_ARGUMENTS
from tests.browser.servers.hosting import serve_in_thread
from tests.browser.servers.parlor import run_parlor
from tests.browser.servers.session_page import SessionPage

KEY = "server-key-of-the-shop-0123456789"
STRICT = [
    *(argument for argument in CHROMIUM_ARGUMENTS if not argument.startswith("--host-resolver-rules")),
    # The page is at localhost and the platform at 127.0.0.1: two sites, and not only two origins.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--test-third-party-cookie-phaseout",
]


@pytest.fixture(scope="module")
def parlor(tmp_path_factory: pytest.TempPathFactory, city_file: Path) -> Iterator[str]:
    with run_parlor(tmp_path_factory.mktemp("sessions"), city_file, SERVER_API_KEYS=f"shop:{KEY}") as url:
        yield url


@pytest.fixture
def shop(parlor: str) -> Iterator[tuple[SessionPage, str]]:
    page = SessionPage(parlor, KEY)
    with serve_in_thread(page.app) as url:
        yield page, url.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def strict_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    browser = browser_type.launch(**{**browser_type_launch_args, "args": STRICT})
    yield browser
    browser.close()


@pytest.fixture
def strict_page(strict_browser: Browser) -> Iterator[Page]:
    with strict_browser.new_context() as context:
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        yield context.new_page()


def test_a_page_of_another_site_keeps_its_person_without_a_cookie(
    strict_page: Page, shop: tuple[SessionPage, str], parlor: str
) -> None:
    server, url = shop
    answers: list[Response] = []
    strict_page.on("response", lambda answer: answers.append(answer) if answer.url.startswith(parlor) else None)
    strict_page.goto(url)
    chat = Chat(strict_page)
    chat.ask("hello")
    chat.ask("What is the weather in Bern?")
    expect(chat.questions).to_have_count(2)
    expect(chat.widgets).not_to_have_count(0)

    # The history after a reload: the thread of the page, and the list.
    strict_page.reload()
    expect(chat.questions).to_have_text([re.compile("hello"), re.compile("Bern")])
    expect(chat.open_history().get_by_role("button", name=re.compile("^hello"))).to_have_count(1)
    strict_page.keyboard.press("Escape")
    chat.ask("and in Geneva?")
    expect(chat.questions).to_have_count(3)
    assert {answer.status for answer in answers if answer.url == f"{parlor}/chatkit"} <= {200, 204}
    assert strict_page.context.cookies() == []
    expect_value(strict_page, lambda: len(server.sessions), 2)


def test_a_secret_is_renewed_and_the_message_sent_once(strict_page: Page, shop: tuple[SessionPage, str]) -> None:
    server, url = shop
    strict_page.goto(url)
    chat = Chat(strict_page)
    chat.ask("hello")
    server.end_session()
    statuses: list[int] = []
    strict_page.on(
        "response", lambda answer: statuses.append(answer.status) if answer.url.endswith("/chatkit") else None
    )
    chat.ask("still there?")
    expect_value(strict_page, lambda: [status for status in statuses if status != 204], [401, 200])
    expect_value(strict_page, lambda: strict_page.evaluate("renewals"), [server.sessions[0]["client_secret"]])
    expect(chat.questions).to_have_count(2)
    strict_page.reload()
    expect(chat.questions).to_have_text([re.compile("hello"), re.compile("still there")])


def test_a_signed_out_person_reads_so_and_can_continue_after_signing_in(
    strict_page: Page, shop: tuple[SessionPage, str]
) -> None:
    server, url = shop
    strict_page.goto(url)
    chat = Chat(strict_page)
    chat.ask("hello")
    server.is_signed_in = False
    server.end_session()
    chat.send("a long question")
    alert = chat.element.get_by_role("alert").filter(has_text="You are signed out.")
    expect(alert).to_be_visible()
    expect(chat.element).not_to_contain_text('{"error"')
    expect(chat.questions).to_have_text([re.compile("hello"), re.compile("a long question")])
    server.is_signed_in = True
    chat.element.get_by_role("button", name="Try again").click()
    chat.wait_until_idle()
    expect(alert).to_have_count(0)
    expect(chat.answers).to_have_count(2)
    thread = strict_page.evaluate("localStorage.thread")
    assert thread

    # The page is loaded while the person is signed out: back to the same conversation all the same.
    server.is_signed_in = False
    strict_page.reload()
    expect(chat.element.get_by_role("alert").filter(has_text="The page could not sign you in.")).to_be_visible()
    expect(chat.element).not_to_contain_text("getClientSecret")
    again = chat.element.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    server.is_signed_in = True
    again.click()
    expect(chat.questions).to_have_count(2)
    expect_value(strict_page, lambda: strict_page.evaluate("localStorage.thread"), thread)
