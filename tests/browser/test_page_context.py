"""The example of docs/page-context.md, on a page of another origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.chat import Chat
from tests.browser.servers.hosting import serve_in_thread
from tests.browser.servers.parlor import run_parlor

DOCUMENT = (Path(__file__).parents[2] / "docs/page-context.md").read_text(encoding="utf-8")
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>A shop</title><script src="{parlor}/static/dist/chatkit.js"></script></head>
<body data-page="p-12">
<openai-chatkit style="display: block; height: 500px"></openai-chatkit>
<script>const chat = document.querySelector('openai-chatkit');
{script}</script>
</body>
</html>
"""


def block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[0]


@pytest.fixture
def shop(tmp_path: Path, city_file: Path) -> Iterator[str]:
    plugin = tmp_path / "my_use_cases" / "guide" / "plugin.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(block("python"), encoding="utf-8")
    pages: list[str] = []

    async def show(_request: Request) -> HTMLResponse:
        return HTMLResponse(pages[0])

    with (
        serve_in_thread(Starlette(routes=[Route("/", show)])) as url,
        run_parlor(tmp_path, city_file, USE_CASES_PATH=str(plugin.parent.parent), ALLOWED_ORIGINS=url) as parlor,
    ):
        pages.append(PAGE.format(parlor=parlor, script=block("js").replace("https://chat.example", parlor)))
        yield url


def test_the_assistant_knows_the_page_that_a_person_looks_at(browser: Browser, shop: str) -> None:
    with browser.new_context(timezone_id="Asia/Tokyo") as context:
        page = context.new_page()
        page.goto(shop)
        chat = Chat(page)
        chat.ask("What does this cost?")
        expect(chat.answers.last).to_contain_text("the tent for two")
        expect(chat.answers.last).to_contain_text("(Asia/Tokyo)")
        page.evaluate("document.body.dataset.page = 'p-30'")
        chat.ask("And this?")
        expect(chat.answers.last).to_contain_text("the rope, 60 m")
