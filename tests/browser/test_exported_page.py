"""The page that was exported to another site, with its server elsewhere.

To the browser, `localhost` and `127.0.0.1` are two sites. It blocks third-party cookies.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserType, Page, Request, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from main import STATIC_DIR
from process.page_export import export_page
from tests.browser.chat import Chat
from tests.browser.conftest import ACTION_TIMEOUT_MS, run_parlor
from tests.browser.servers.hosting import serve_in_thread
from tests.browser.test_sessions import STRICT


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, city_file: Path) -> Iterator[tuple[str, str]]:
    """The origins of the page and of its server."""
    folder = tmp_path_factory.mktemp("exported")
    pages = StaticFiles(directory=folder / "page", html=True, check_dir=False)
    with serve_in_thread(Starlette(routes=[Mount("/", pages)])) as address:
        page_origin = address.replace("127.0.0.1", "localhost")
        with run_parlor(folder, city_file, ALLOWED_ORIGINS=page_origin) as server:
            export_page(STATIC_DIR, folder / "page", server)
            yield page_origin, server


@pytest.fixture
def strict_page(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Page]:
    """A browser that blocks third-party cookies."""
    browser = browser_type.launch(**{**browser_type_launch_args, "args": STRICT})
    try:
        context = browser.new_context()
        context.set_default_timeout(ACTION_TIMEOUT_MS)
        yield context.new_page()
    finally:
        browser.close()


def test_a_person_of_the_exported_page_is_one_person_and_its_scripts_are_its_own(
    strict_page: Page, exported: tuple[str, str]
) -> None:
    page, (page_origin, server) = strict_page, exported
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # Playwright takes no method of a list
    page.goto(f"{page_origin}/?use_case=todo")
    chat = Chat(page)
    chat.ask("Add buy milk to my list")
    expect(chat.widgets.last).to_contain_text("Buy milk", ignore_case=True)
    page.reload()
    expect(chat.widgets.last).to_contain_text("Buy milk", ignore_case=True)
    assert page.context.cookies() == []
    scripts = {urlsplit(each.url).netloc for each in asked if each.resource_type in ("script", "stylesheet")}
    assert scripts == {urlsplit(page_origin).netloc}
    assert {urlsplit(each.url).netloc for each in asked if each.resource_type == "fetch"} == {urlsplit(server).netloc}
