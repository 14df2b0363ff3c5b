"""A server written for ChatKit, unchanged, on the built-in page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from infra.client_build import ROOT
from tests.browser.chat import Chat
from tests.browser.servers.parlor import run_parlor

PLUGIN = """
from plugins import OfflinePhrase, Prompt, UseCase, hookimpl
from stock_server import StockServer

from .server import DeskServer

PHRASES = [OfflinePhrase(r"^add (?P<item>\\\\w+)", tool="add_item", example="Add milk")]


@hookimpl
def register_use_case():
    return UseCase(name="desk", title="Desk", server=StockServer(DeskServer, offline=PHRASES))
""".replace("\\\\", "\\")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, city_file: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("whole_server")
    place = folder / "use_cases" / "desk"
    place.mkdir(parents=True)
    (place / "plugin.py").write_text(PLUGIN)
    # The file of the unit tests, as it stands: nothing of the platform is named in it.
    (place / "server.py").write_bytes((ROOT / "tests" / "unit" / "stock" / "samples.py").read_bytes())
    with run_parlor(folder, city_file, USE_CASES_PATH=str(folder / "use_cases")) as url:
        yield url


def test_messages_a_click_and_a_reload(page: Page, desk: str) -> None:
    page.goto(f"{desk}/?use_case=desk")
    chat = Chat(page)
    chat.ask("add milk")
    expect(chat.answers.last).to_contain_text("Added milk.")
    chat.ask("add tea")
    expect(chat.widgets).to_have_count(2)
    expect(chat.widgets.last).to_contain_text("tea")

    chat.widgets.last.get_by_role("button", name="Clear").click()
    expect(chat.widgets.last).not_to_contain_text("tea")
    expect(chat.widgets.last.get_by_role("button", name="Clear")).to_be_disabled()
    chat.wait_until_idle()

    page.reload()
    expect(chat.questions).to_have_text([re.compile("add milk"), re.compile("add tea")])
    expect(chat.widgets).to_have_count(2)
    expect(chat.widgets.first).to_contain_text("milk")
    expect(chat.widgets.last).not_to_contain_text("tea")
    chat.ask("add bread")
    expect(chat.widgets).to_have_count(3)
