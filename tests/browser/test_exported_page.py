"""The page that was exported to another origin, with its server elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from main import STATIC_DIR
from process.page_export import export_page
from tests.browser.chat import Chat
from tests.browser.conftest import run_parlor
from tests.browser.servers.hosting import serve_in_thread


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, city_file: Path) -> Iterator[tuple[str, str]]:
    """The origins of the page and of its server."""
    folder = tmp_path_factory.mktemp("exported")
    pages = StaticFiles(directory=folder / "page", html=True, check_dir=False)
    with (
        serve_in_thread(Starlette(routes=[Mount("/", pages)])) as page_origin,
        run_parlor(folder, city_file, ALLOWED_ORIGINS=page_origin) as server,
    ):
        export_page(STATIC_DIR, folder / "page", server)
        yield page_origin, server


def test_a_person_of_the_exported_page_is_one_person_and_its_scripts_are_its_own(
    page: Page, exported: tuple[str, str], tolerated_errors: list[str]
) -> None:
    page_origin, server = exported
    tolerated_errors.append(f"request to another origin: {server}/")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # Playwright takes no method of a list
    page.goto(f"{page_origin}/?use_case=todo")
    chat = Chat(page)
    chat.ask("Add buy milk to my list")
    expect(chat.widgets.last).to_contain_text("Buy milk", ignore_case=True)
    page.reload()
    expect(chat.widgets.last).to_contain_text("Buy milk", ignore_case=True)
    scripts = {urlsplit(each.url).netloc for each in asked if each.resource_type in ("script", "stylesheet")}
    assert scripts == {urlsplit(page_origin).netloc}
    assert {urlsplit(each.url).netloc for each in asked if each.resource_type == "fetch"} == {urlsplit(server).netloc}
