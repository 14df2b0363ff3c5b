"""The migration guide from hosted ChatKit, followed step by step: a key, a workflow, a session route, a page."""

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
from tests.browser.servers.hosting import serve_in_thread
from tests.browser.servers.parlor import run_parlor
from tests.browser.test_sessions import STRICT
from tests.preloaded.commands import preloaded_python

HOSTED = (ROOT / "docs" / "migrate.md").read_text("utf-8").partition("## From hosted ChatKit")[2].partition("\n## ")[0]
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", HOSTED, re.MULTILINE | re.DOTALL)

EXPORTED = """
from agents import Agent, ModelSettings, RunConfig, Runner, TResponseInputItem, trace
from pydantic import BaseModel


support = Agent(
  name="Support",
  instructions="Help people with their parcels.",
  model="gpt-4.1",
  model_settings=ModelSettings(temperature=1, top_p=1, max_tokens=2048, store=True)
)


class WorkflowInput(BaseModel):
  input_as_text: str


async def run_workflow(workflow_input: WorkflowInput):
  with trace("Parcel support"):
    workflow = workflow_input.model_dump()
    conversation_history: list[TResponseInputItem] = [
      {"role": "user", "content": [{"type": "input_text", "text": workflow["input_as_text"]}]}
    ]
    support_result_temp = await Runner.run(
      support,
      input=[*conversation_history],
      run_config=RunConfig(trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_0000"})
    )
    conversation_history.extend([item.to_input_item() for item in support_result_temp.new_items])
    return {"output_text": support_result_temp.final_output_as(str)}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which somebody follows the guide."""
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
    import_workflow(folder, take_workflow)
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


def import_workflow(folder: Path, command: str) -> None:
    """Save what Agent Builder shows, and do step 2."""
    program, *words = command.split()
    assert program == "./parlor"
    (folder / "support.py").write_text(EXPORTED, "utf-8")
    shell = {**os.environ, "USE_CASES_PATH": str(folder / "use_cases"), "MODEL_PROVIDER": "offline"}
    main = preloaded_python(str(ROOT / "main.py"), *words)
    subprocess.run(main, cwd=folder, env=shell, capture_output=True, text=True, check=True)


def test_a_hosted_page_is_home_after_the_steps_of_the_guide(strict_page: Page, shop: str) -> None:
    strict_page.goto(shop)
    chat = Chat(strict_page)
    chat.ask("Where is my parcel?")
    expect(chat.answers).to_have_count(1)
    expect(chat.answers.last).to_contain_text("because no model is configured")
    chat.ask("And where is my coat?")
    expect(chat.answers).to_have_count(2)
    expect(chat.answers.last).to_contain_text("because no model is configured")
    strict_page.reload()
    history = chat.open_history()
    expect(history.get_by_role("button", name=re.compile("^Where is my parcel"))).to_have_count(1)
