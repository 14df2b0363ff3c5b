from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from agent_framework import MCPStreamableHTTPTool
from fastapi import FastAPI

from files.media_types import KNOWN_TYPES
from plugins import Composer, Prompt
from process.use_case_loading import DisabledUseCase
from tests.unit.web.edge import Edge, FakeDatabase, FakeServer, use_case
from web.pages import build_pages_router


async def test_alive_needs_nothing(edge: Edge) -> None:
    database = FakeDatabase()
    database.is_up = False
    async with edge.client(edge.app(database=database)) as client:
        response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_ready_turns_503_when_the_database_goes_away_and_200_when_it_is_back(edge: Edge) -> None:
    database = FakeDatabase()
    states = []
    async with edge.client(edge.app(use_case("todo"), database=database)) as client:
        for database.is_up in (True, False, True):
            states.append((await client.get("/readyz")).status_code)
        database.is_up = False
        body = (await client.get("/readyz")).json()
    assert states == [200, 503, 200]
    assert body == {"status": "not ready", "checks": {"database": "does not answer", "use_cases": "ok"}}


async def test_ready_needs_a_use_case(edge: Edge) -> None:
    async with edge.client(edge.app(disabled=[DisabledUseCase("todo", "broken", "err_1")])) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "use_cases": "none could be loaded"}


async def test_ready_says_which_tool_servers_are_connected_and_does_not_depend_on_them(edge: Edge) -> None:
    server = FakeServer()
    server.shelf = MCPStreamableHTTPTool("shelf", "http://127.0.0.1:1/mcp")  # type: ignore[attr-defined]
    async with edge.client(edge.app(use_case("todo", server))) as client:
        response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["mcp_servers"] == {"todo/shelf": "not connected"}


async def test_the_list_says_what_the_client_needs(edge: Edge) -> None:
    full = use_case(
        "todo",
        description="Keeps your to-dos.",
        icon="check-circle",
        greeting="What needs doing?",
        prompts=[Prompt("Show", "Show my to-dos", "notebook")],
        composer=Composer(placeholder="Add", attachments={"enabled": True}, tools=[{"id": "t"}], models=[{"id": "m"}]),
        accent_color="#112233",
    )
    async with edge.client(edge.app(full, use_case("alpha"))) as client:
        listed = (await client.get("/api/use-cases")).json()
    assert listed["disabled"] == []
    assert listed["use_cases"][0]["composer"] == {"maxChars": 32_000, "tools": [], "models": []}
    assert listed["use_cases"][0]["default"] is True
    assert "accentColor" not in listed["use_cases"][0]
    assert listed["use_cases"][1] == {
        "name": "todo",
        "title": "Todo",
        "description": "Keeps your to-dos.",
        "icon": "check-circle",
        "greeting": "What needs doing?",
        "prompts": [{"label": "Show", "prompt": "Show my to-dos", "icon": "notebook"}],
        "composer": {
            "placeholder": "Add",
            "attachments": {
                "enabled": True,
                "maxCount": 10,
                "maxSize": 20 * 1024 * 1024,
                "accept": {kind: list(extensions) for kind, extensions in KNOWN_TYPES.items()},
            },
            "maxChars": 32_000,
            "tools": [{"id": "t"}],
            "models": [{"id": "m"}],
        },
        "accentColor": "#112233",
        "default": False,
    }


async def test_a_disabled_use_case_is_named_without_its_reason(edge: Edge) -> None:
    disabled = [DisabledUseCase("broken", "ImportError: /srv/s3cret", "err_42")]
    async with edge.client(edge.app(use_case("todo"), disabled=disabled)) as client:
        response = await client.get("/api/use-cases")
    assert [(each["name"], each["id"]) for each in response.json()["disabled"]] == [("broken", "err_42")]
    assert "s3cret" not in response.text


async def test_the_brand_is_what_the_settings_say(edge: Edge) -> None:
    settings = {
        "brand_name": "Ada & Co",
        "brand_tagline": "Ask",
        "brand_logo_url": "https://cdn.example/l.png",
        "brand_primary_color": "#ABC",
        "brand_favicon_url": "/static/icon.svg",
    }
    async with edge.client(edge.app(settings=settings)) as client:
        plain = (await client.get("/api/branding")).json()
        icon = await client.get("/favicon.ico")
    async with edge.client(edge.app(settings={"chatkit_js_url": "https://cdn.example/c.js"})) as client:
        hosted = (await client.get("/api/branding")).json()
    assert plain == {
        "name": "Ada & Co",
        "tagline": "Ask",
        "logoUrl": "https://cdn.example/l.png",
        "primaryColor": "#abc",
        "faviconUrl": "/static/icon.svg",
    }
    assert hosted["chatkitJsUrl"] == "https://cdn.example/c.js"
    assert icon.headers["location"] == "static/icon.svg", "relative: a proxy may serve us below a path"


@pytest.fixture
def pages(edge: Edge, tmp_path: Path) -> httpx.AsyncClient:
    static = tmp_path / "static"
    (static / "dist").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>Page</title>")
    (tmp_path / "secret.txt").write_text("s3cret")
    app = FastAPI()
    app.include_router(build_pages_router(static, edge.settings()))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://parlor.test")


async def test_a_client_that_is_not_built_is_a_clear_503(pages: httpx.AsyncClient, tmp_path: Path) -> None:
    missing = await pages.get("/")
    (tmp_path / "static" / "dist" / "chatkit.js").write_text("export {}")
    built = await pages.get("/")
    assert missing.status_code == 503
    assert missing.headers["content-type"].startswith("text/plain")
    assert "./parlor build" in missing.text
    assert (built.status_code, built.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<title>Page</title>" in built.text


@pytest.mark.parametrize("path", ["/", "/static/dist/chatkit.js"])
async def test_a_file_is_asked_for_each_time_and_sent_when_it_has_changed(
    pages: httpx.AsyncClient, tmp_path: Path, path: str
) -> None:
    (tmp_path / "static" / "dist" / "chatkit.js").write_text("export {}")
    first = await pages.get(path)
    again = await pages.get(path, headers={"If-None-Match": first.headers["etag"]})
    other = await pages.get(path, headers={"If-None-Match": '"other"'})
    assert [response.status_code for response in (first, again, other)] == [200, 304, 200]
    assert {response.headers["cache-control"] for response in (first, again, other)} == {"no-cache"}
    assert "last-modified" in first.headers


@pytest.mark.parametrize("path", ["/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static/", "/static/none.js"])
async def test_nothing_beside_the_static_folder_is_served(pages: httpx.AsyncClient, path: str) -> None:
    response = await pages.get(path)
    assert response.status_code == 404
    assert "s3cret" not in response.text
