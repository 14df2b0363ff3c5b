"""The built-in page below a path prefix, behind a proxy: no request leaves the prefix."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.chat import Chat
from tests.browser.servers.hosting import serve_in_thread
from tests.browser.servers.prefix_proxy import build_prefix_proxy

PREFIX = "/tools/chat"


@pytest.fixture(scope="module")
def proxied(server: str) -> Iterator[str]:
    with serve_in_thread(build_prefix_proxy(server, PREFIX)) as url:
        yield url


def test_the_whole_page_works_below_a_path_and_stays_there(page: Page, proxied: str) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https"):
            asked.append(urlsplit(request.url).path)

    page.on("request", note)
    page.goto(f"{proxied}{PREFIX}/?use_case=todo")
    chat = Chat(page)
    chat.ask("Add buy milk to my list")
    expect(chat.widgets.last).to_contain_text("Buy milk", ignore_case=True)
    icon = page.locator("header img").first
    expect(icon).to_have_js_property("complete", True)
    assert icon.evaluate("image => image.naturalWidth") > 0
    page.reload()
    expect(chat.widgets.last).to_contain_text("Buy milk", ignore_case=True)
    assert [path for path in asked if not path.startswith(f"{PREFIX}/")] == []
    [cookie] = page.context.cookies(f"{proxied}{PREFIX}/")
    assert cookie.get("path") == f"{PREFIX}/"
