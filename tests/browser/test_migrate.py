"""The way from hosted ChatKit, followed as the guide has it: a key, a workflow, a session route, a page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserType, Page, expect

from infra.client_build import ROOT
from tests.browser.chat import Chat
from tests.browser.conftest import run_parlor
from tests.browser.servers.hosting import serve_in_thread
from tests.browser.test_sessions import STRICT

HOSTED = (ROOT / "docs" / "migrate.md").read_text("utf-8").partition("## From hosted ChatKit")[2].partition("\n## ")[0]
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", HOSTED, re.MULTILINE | re.DOTALL)

IMPORTED = """
from agents import Agent

from base_server import BaseChatKitServer
from plugins import OfflinePhrase, UseCase, hookimpl


class SupportServer(BaseChatKitServer):
    def get_agent(self, turn):
        return Agent(name="Support", instructions="Help.")


@hookimpl
def register_use_case(services):
    phrases = [OfflinePhrase("where is my (?P<what>[a-z]+)", say="Your {what} is on its way.")]
    return UseCase(name="NAME", title="Support", server=SupportServer(services, offline=phrases))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where somebody follows the guide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


@pytest.fixture
def shop(folder: Path, city_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Steps 1 to 5; the address of the page."""
    languages = [language for language, _ in BLOCKS]
    assert languages == ["sh", "sh", "sh", "python", "html"]
    (_, make_key), (_, take_workflow), (_, start), (_, route), (_, page) = BLOCKS
    shell = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    keys = subprocess.run(["sh", "-ec", make_key], env=shell, capture_output=True, text=True, check=True).stdout.strip()
    put_workflow(folder / "use_cases", take_workflow)
    assert start == "./parlor run\n"
    for name, text in (("shop_server.py", route), ("page.html", page)):
        assert name in text.splitlines()[0]
        (folder / name).write_text(text, "utf-8")
    with run_parlor(folder, city_file, SERVER_API_KEYS=keys, USE_CASES_PATH=str(folder / "use_cases")) as url:
        monkeypatch.setenv("PARLOR_URL", url)
        monkeypatch.setenv("PARLOR_KEY", keys.partition(":")[2])
        scope: dict[str, Any] = {"__name__": "shop_server"}
        exec((folder / "shop_server.py").read_text("utf-8"), scope)  # noqa: S102 - our own text
        with serve_in_thread(scope["app"]) as address:
            # Another site than the platform, which is at 127.0.0.1.
            yield address.replace("127.0.0.1", "localhost")
        scope["client"].close()


@pytest.fixture
def strict_page(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Page]:
    """A browser that blocks third-party cookies."""
    browser = browser_type.launch(**{**browser_type_launch_args, "args": STRICT})
    try:
        yield browser.new_page()
    finally:
        browser.close()


def put_workflow(use_cases: Path, command: str) -> None:
    """Put into place what the command of step 2 leaves: a use case of that name."""
    words = command.split()
    assert words[:2] == ["./parlor", "import-workflow"]
    _, _, file, name = words
    assert file.endswith(".py")
    place = use_cases / name
    place.mkdir(parents=True)
    (place / "plugin.py").write_text(IMPORTED.replace("NAME", name), "utf-8")


def test_a_hosted_page_is_home_after_the_steps_of_the_guide(strict_page: Page, shop: str) -> None:
    strict_page.goto(shop)
    chat = Chat(strict_page)
    chat.ask("Where is my parcel?")
    expect(chat.answers.last).to_contain_text("Your parcel is on its way.")
    chat.ask("And where is my coat?")
    expect(chat.answers.last).to_contain_text("Your coat is on its way.")
    strict_page.reload()
    history = chat.open_history()
    expect(history.get_by_role("button", name=re.compile("^Where is my parcel"))).to_have_count(1)
