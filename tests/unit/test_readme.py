"""The use case of the README, run as it is there."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

import main
import use_cases
from chat_clients.provider import ChatClients
from config import Settings
from process.use_case_loading import ENTRY_POINT_GROUP, load_use_cases
from tests.unit.harness import Chat, events_of, texts, user_input
from tests.unit.services_for_tests import open_services

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")

QUESTION = "Roll a die with 20 sides"
ANSWER = re.compile(r"You rolled a (\d+) with a die of 20 sides\.")


@pytest.fixture(autouse=True)
def unload_use_cases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Ours, where Parlor is installed, would only take time to start.
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: ())
    path, modules = list(use_cases.__path__), set(sys.modules)
    yield
    use_cases.__path__[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("use_cases."):
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of somebody who did what the README says."""
    [block] = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "@hookimpl" in block]
    path = re.search(r"Put this into `([\w/]+/plugin\.py)`", README)
    assert path is not None
    plugin = tmp_path / path[1]
    plugin.parent.mkdir(parents=True)
    plugin.write_text(block)
    assert f"mkdir -p {Path(path[1]).parent}\n" in README
    assert f"USE_CASES_PATH=use_cases:{Path(path[1]).parts[0]} ./parlor run\n" in README
    return plugin.parents[1]


async def test_the_use_case_of_the_readme_answers_without_a_model(folder: Path, tmp_path: Path) -> None:
    async with open_services(tmp_path, settings={"offline_token_delay_ms": 0}) as opened:
        services = dataclasses.replace(opened, chat_client=ChatClients(opened.settings).make)
        loaded = load_use_cases(services, [folder])
        assert loaded.disabled == ()
        server = loaded.enabled["dice"].server

        [rolled] = texts(await Chat(server, use_case="dice").send(QUESTION))
        [six] = texts(await Chat(server, use_case="dice").send("please roll"))
        [other] = texts(await Chat(server, use_case="dice").send("Sing a song"))

    match = ANSWER.fullmatch(rolled)
    assert match is not None
    assert 1 <= int(match[1]) <= 20
    assert "a die of 6 sides" in six
    assert "no model is configured" in other
    assert QUESTION in other  # the example says how to ask


async def test_the_use_case_of_the_readme_is_offered_and_answers_over_http(folder: Path, tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        use_cases_path=(folder,),
        model_provider="offline",
        offline_token_delay_ms=0,
    )
    app = main.create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://parlor.test") as client,
    ):
        offered = (await client.get("/api/use-cases")).json()
        request = {"type": "threads.create", "params": {"input": user_input(QUESTION)}}
        answer = await client.post("/chatkit/dice", json=request)

    assert [(each["name"], each["title"], each["default"]) for each in offered["use_cases"]] == [("dice", "Dice", True)]
    assert offered["disabled"] == []
    [text] = texts(events_of(answer.content))
    assert ANSWER.fullmatch(text)


def test_the_entry_point_of_the_readme_is_in_the_group_that_is_read() -> None:
    [block] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert tomllib.loads(block)["project"]["entry-points"] == {ENTRY_POINT_GROUP: {"dice": "parlor_dice.plugin"}}


def test_the_readme_lists_every_command_and_no_other() -> None:
    listed = re.findall(r"^\| `\./parlor ([\w-]+)` \|", README, re.MULTILINE)
    assert sorted(listed) == sorted([*main.COMMANDS, *main.CLONE_COMMANDS])


# One function answers GET and HEAD, which the description of the API, read here, finds ambiguous.
@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
def test_the_readme_lists_every_endpoint_and_no_other(tmp_path: Path) -> None:
    app = main.create_app(Settings(_env_file=None, data_dir=tmp_path, metrics=True))
    served = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if method != "head"
    } | {(method, route.path) for route in app.routes if type(route) is Route for method in route.methods or ()}
    served = {(method, path) for method, path in served if method != "HEAD"}
    assert set(re.findall(r"^\| `(GET|POST|PUT) ([^`]+)` \|", README, re.MULTILINE)) == served
