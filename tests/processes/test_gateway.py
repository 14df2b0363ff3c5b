"""The gateway's configuration files, each run by nginx in front of real servers, of which one is killed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.preloaded.commands import KILL
from tests.processes.gateway import host_and_port, run_gateway
from tests.processes.server_process import ROOT, ServerProcess, Story, running, user_input
from tests.processes.test_shared_use_cases import SHARED, listed, make_silent, until_listed

GATEWAY = (ROOT / "infra" / "gateway" / "nginx.conf").read_text(encoding="utf-8")
PATH = (ROOT / "infra" / "gateway" / "path.conf").read_text(encoding="utf-8")
REPLICAS = (ROOT / "infra" / "gateway" / "replicas.conf").read_text(encoding="utf-8")
BEHIND = {"METRICS": "true", "TRUSTED_PROXIES": "127.0.0.1", "OFFLINE_TOKEN_DELAY_MS": "25"}


async def answer_of(gateway: ServerProcess, use_case: str, message: str) -> httpx.Response:
    body = {"type": "threads.create", "params": {"input": user_input(message)}}
    return await gateway.client.post(f"/chatkit/{use_case}", json=body)


@asynccontextmanager
async def reading(gateway: ServerProcess, story: Story) -> AsyncIterator[None]:
    """Read an answer that takes minutes, from its first text on; nobody waits for its end."""
    task = asyncio.create_task(gateway.read(story, "count to 9999", resumable=True))
    try:
        await story.until(lambda story: story.text != "")
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_two_of_three_services_behind_the_gateway_keep_running_when_one_is_killed(tmp_path: Path) -> None:
    shared = {**SHARED, **BEHIND, "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/shared.db"}
    # As the file says it: one line for each use case.
    assert GATEWAY.count("todo todo:8000;") == 1
    configuration = GATEWAY.replace("todo todo:8000;", "todo todo:8000; counting counting:8000;")
    async with AsyncExitStack() as opened:
        services = {
            name: await opened.enter_async_context(running(tmp_path, **shared, ENABLED_USE_CASES=name))
            for name in ("weather", "todo", "counting")
        }
        places = {name: host_and_port(server) for name, server in services.items()}
        gateway = await opened.enter_async_context(run_gateway(tmp_path, configuration, places))
        for server in services.values():
            await until_listed(server, set(services))
        assert set((await listed(gateway))[0]) == set(services)
        page = await gateway.get("/")
        assert (page.status_code, "dist/page.js" in page.text) == (200, True)
        assert "Bern" in (await answer_of(gateway, "weather", "What is the weather like in Bern?")).text
        assert "buy milk" in (await answer_of(gateway, "todo", "Add buy milk to my list")).text.lower()
        # Each piece is passed on as it comes, and a person is the same at all services.
        story, other = Story(), Story()
        async with reading(gateway, story):
            assert not story.text.endswith(" 9999")
        assert len(gateway.client.cookies) == 1
        assert (await gateway.get("/chatkit/nothing")).status_code == 404
        assert (await services["todo"].get("/metrics")).status_code == 200
        assert (await gateway.get("/metrics")).status_code == 404, "for the inside"

        services["weather"].send_signal(KILL)
        await services["weather"].exit_code()
        make_silent(tmp_path / "shared.db", "weather")
        # The page came from that one; it comes from the next now, and says who is down.
        page = await gateway.get("/")
        assert (page.status_code, "dist/page.js" in page.text) == (200, True)
        usable, disabled = await listed(gateway)
        assert set(usable) == {"todo", "counting"}
        assert disabled["weather"]["title"] == "Weather"
        await gateway.read(other, "count to 3")
        assert other.text == "1 2 3"
        assert "buy bread" in (await answer_of(gateway, "todo", "Add buy bread to my list")).text.lower()
        assert (await answer_of(gateway, "weather", "What is the weather like in Bern?")).status_code == 502
        # A body that the first could not take is sent to the next one.
        params = {"name": "note.txt", "size": 5, "mime_type": "text/plain"}
        made = await gateway.client.post("/chatkit/todo", json={"type": "attachments.create", "params": params})
        upload = made.json()["upload_descriptor"]
        assert httpx.URL(upload["url"]).netloc == gateway.client.base_url.netloc, "people reach no service itself"
        sent = await gateway.client.request(upload["method"], upload["url"], content=b"milk!")
        assert sent.is_success, sent.text


async def test_forwarding_headers_of_a_client_are_ignored_behind_the_gateway(tmp_path: Path) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/elsewhere", "X-Forwarded-For": "192.0.2.9"}
    async with running(tmp_path, **BEHIND) as server:
        places = dict.fromkeys(("weather", "todo"), host_and_port(server))
        async with run_gateway(tmp_path, GATEWAY, places, forged) as gateway:
            gateway.client.cookies.clear()
            cookie = (await gateway.get("/api/use-cases")).headers["set-cookie"]
            assert "path=/;" in cookie.lower()
            assert "secure" not in cookie.lower()


async def test_each_person_stays_at_one_of_two_replicas_and_moves_when_it_is_killed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    shared = {**BEHIND, "SECRET_KEY": "k" * 32, "DATABASE_URL": url}
    async with AsyncExitStack() as opened:
        replicas = {
            name: await opened.enter_async_context(running(tmp_path, **shared)) for name in ("parlor-a", "parlor-b")
        }
        places = {name: host_and_port(server) for name, server in replicas.items()}
        gateway = await opened.enter_async_context(run_gateway(tmp_path, REPLICAS, places))
        # An answer is found again by the process that writes it, so each of these came to that one.
        for _ in range(4):
            gateway.client.cookies.clear()
            await gateway.get("/api/use-cases")
            story = Story()
            async with reading(gateway, story):
                body = {"type": "runs.attach", "params": {"thread_id": story.thread_id, "after": 0}}
                async with gateway.client.stream("POST", "/chatkit/counting", json=body) as attached:
                    # The other replica would say nothing until the answer has ended.
                    lines = (line async for line in attached.aiter_lines() if '"delta"' in line)
                    assert await anext(lines)
                assert not story.text.endswith(" 9999")
        assert (await gateway.get("/metrics")).status_code == 404
        # Whose replica is gone is the other one's from the next request on.
        replicas["parlor-a"].send_signal(KILL)
        await replicas["parlor-a"].exit_code()
        for _ in range(4):
            gateway.client.cookies.clear()
            await gateway.get("/api/use-cases")
            story = Story()
            await gateway.read(story, "count to 3")
            assert story.text == "1 2 3"
            assert (await gateway.items(story.thread_id))[0]["type"] == "user_message"


@pytest.mark.parametrize("is_taken_off", [False, True], ids=["left on", "taken off"])
async def test_below_a_path_of_another_host_all_that_the_page_asks_for_stays_there(
    tmp_path: Path, is_taken_off: bool
) -> None:
    configuration, settings = PATH, {**BEHIND, "BASE_PATH": "/tools/chat"}
    if is_taken_off:  # as the file says it
        configuration = configuration.replace("http://parlor:8000", "http://parlor:8000/", 2)
        configuration = configuration.replace('X-Forwarded-Prefix ""', "X-Forwarded-Prefix /tools/chat")
        del settings["BASE_PATH"]
    async with (
        running(tmp_path, **settings) as server,
        run_gateway(tmp_path, configuration, {"parlor": host_and_port(server)}) as gateway,
    ):
        sent = await gateway.get("/tools/chat?use_case=todo")
        assert (sent.status_code, sent.headers["location"]) == (308, "/tools/chat/?use_case=todo")
        gateway.client.cookies.clear()
        page = await gateway.get("/tools/chat/?use_case=todo")
        parts = set(re.findall(r'(?:src|href)="([^"#]+)"', page.text))
        parts |= set(re.findall(r"<([^>]+)>", page.headers.get("link", "")))
        assert any("dist/page.js" in part for part in parts)
        for part in parts:
            found = await gateway.client.get(page.url.join(part), follow_redirects=True)
            assert (found.status_code, found.url.path.startswith("/tools/chat/")) == (200, True), part
        told = await gateway.get("/tools/chat/api/use-cases")
        assert {each["name"] for each in told.json()["use_cases"]} >= {"todo", "weather"}
        assert {cookie.path for cookie in gateway.client.cookies.jar} == {"/tools/chat/"}
        assert (await gateway.get("/tools/chat/metrics")).status_code == 404
        gateway.client.base_url = gateway.client.base_url.join("/tools/chat/")
        story = Story()
        await gateway.read(story, "count to 3", resumable=True)
        assert story.text == "1 2 3"
        params = {"name": "note.txt", "size": 5, "mime_type": "text/plain"}
        made = await gateway.client.post("/chatkit/todo", json={"type": "attachments.create", "params": params})
        upload = made.json()["upload_descriptor"]
        assert httpx.URL(upload["url"]).path.startswith("/tools/chat/")
        assert (await gateway.client.request(upload["method"], upload["url"], content=b"milk!")).is_success
