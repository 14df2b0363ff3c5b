"""Sessions opened by other programs: OpenAI's own library, and the route of the public starter app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.processes.server_process import ServerProcess, Story, running

KEY = "server-key-of-the-shop-0123456789"
KEYS = {"SERVER_API_KEYS": f"shop:{KEY}"}


@asynccontextmanager
async def sdk_of(server: ServerProcess, key: str = KEY) -> AsyncIterator[openai.AsyncOpenAI]:
    """Return OpenAI's client as an app makes it, with another base URL and key."""
    http = openai.DefaultAsyncHttpxClient(trust_env=False)
    async with openai.AsyncOpenAI(
        base_url=f"{server.client.base_url}/v1", api_key=key, http_client=http, max_retries=0
    ) as sdk:
        yield sdk


@asynccontextmanager
async def page_of(server: ServerProcess, secret: str) -> AsyncIterator[ServerProcess]:
    """Return a client of the server with this secret and without a cookie."""
    headers = {"Authorization": f"Bearer {secret}", "Origin": "https://page.example"}
    async with httpx.AsyncClient(
        base_url=server.client.base_url, headers=headers, timeout=300, trust_env=False
    ) as client:
        yield ServerProcess(server.process, client)


async def threads_of(page: ServerProcess) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = (await page.ask("threads.list", limit=20, order="desc")).json()["data"]
    return data


async def test_the_library_of_openai_opens_and_ends_sessions(tmp_path: Path) -> None:
    async with running(tmp_path, **KEYS) as server:
        async with sdk_of(server) as sdk:
            session = await sdk.beta.chatkit.sessions.create(
                user="ada",
                workflow={"id": "counting", "state_variables": {"plan": "pro", "seats": 3}},
                expires_after={"anchor": "created_at", "seconds": 60},
                rate_limits={"max_requests_per_1_minute": 30},
                chatkit_configuration={
                    "file_upload": {"enabled": True, "max_files": 2, "max_file_size": 5},
                    "history": {"recent_threads": 2},
                    "automatic_thread_titling": {"enabled": False},
                },
            )
            again = await sdk.beta.chatkit.sessions.create(user="ada", workflow={"id": "counting"})
            other = await sdk.beta.chatkit.sessions.create(user="bob", workflow={"id": "counting"})
            with pytest.raises(openai.NotFoundError, match="'counting'"):
                await sdk.beta.chatkit.sessions.create(user="ada", workflow={"id": "wf_68df"})
            with pytest.raises(openai.BadRequestError, match=r"expires_after\.seconds"):
                await sdk.beta.chatkit.sessions.create(
                    user="ada",
                    workflow={"id": "counting"},
                    expires_after={"anchor": "created_at", "seconds": 999_999},
                )
        async with sdk_of(server, "x" * 40) as stranger:
            with pytest.raises(openai.AuthenticationError, match="SERVER_API_KEYS"):
                await stranger.beta.chatkit.sessions.create(user="ada", workflow={"id": "counting"})
        assert session.status == "active"
        assert session.workflow.state_variables == {"plan": "pro", "seats": 3}
        assert session.chatkit_configuration.file_upload.max_file_size == 5
        assert session.rate_limits.max_requests_per_1_minute == 30

        async with page_of(server, session.client_secret) as page:
            stories = [Story() for _ in range(3)]
            for story in stories:
                await page.read(story, "count to 3")
                assert story.error is None
                # Without a title of its own, as this session says.
                assert "title" not in story.events[0]["thread"]
            # The two newest, as this session says, in pages too; the third is out of reach.
            reached = [await page.ask("threads.get_by_id", thread_id=each.thread_id) for each in stories]
            assert [each.status_code for each in reached] == [404, 200, 200]
            threads = await threads_of(page)
            assert len(threads) == 2
            assert not any("title" in thread for thread in threads)
            first = (await page.ask("threads.list", limit=1, order="desc")).json()
            second = (await page.ask("threads.list", limit=1, order="desc", after=first["after"])).json()
            assert [*first["data"], *second["data"]] == threads
            assert (first["has_more"], second["has_more"]) == (True, False)
            beyond = (await page.ask("threads.list", limit=9, order="desc", after=story.thread_id + "x")).json()
            assert beyond == {"data": [], "has_more": False}
            oldest_first = (await page.ask("threads.list", limit=9, order="asc")).json()["data"]
            assert oldest_first == threads[::-1]
        async with page_of(server, again.client_secret) as page:
            assert len(await threads_of(page)) == 3
            titled = Story()
            await page.read(titled, "count to 2")
            assert titled.events[0]["thread"]["title"] == "count to 2"
        async with page_of(server, other.client_secret) as page:
            assert await threads_of(page) == []
            assert (await page.ask("threads.get_by_id", thread_id=story.thread_id)).status_code == 404

        async with sdk_of(server) as sdk:
            cancelled = await sdk.beta.chatkit.sessions.cancel(again.id)
            assert cancelled.status == "cancelled"
            with pytest.raises(openai.NotFoundError):
                await sdk.beta.chatkit.sessions.cancel("cksess_0")
    async with running(tmp_path, **KEYS) as restarted:
        async with page_of(restarted, again.client_secret) as page:
            refused = await page.ask("threads.list", limit=20, order="desc")
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, "secret.cancelled")
        async with page_of(restarted, session.client_secret) as page:
            assert len(await threads_of(page)) == 2


async def test_the_session_route_of_the_starter_app_is_answered(tmp_path: Path) -> None:
    async with running(tmp_path, **KEYS) as server:
        response = await server.client.post(
            "/v1/chatkit/sessions",
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {KEY}",
                "OpenAI-Beta": "chatkit_beta=v1",
            },
            json={
                "workflow": {"id": "counting"},
                "user": "a-user-of-the-app",
                "chatkit_configuration": {"file_upload": {"enabled": False}},
            },
        )
        assert response.status_code == 200, response.text
        async with page_of(server, response.json()["client_secret"]) as page:
            story = Story()
            await page.read(story, "count to 3")
            assert (story.text != "", story.error) == (True, None)


@pytest.mark.parametrize("ends_by", ["time", "cancel"])
async def test_an_answer_outlives_its_secret(tmp_path: Path, ends_by: str) -> None:
    # Half of the answer's time for a busy machine to begin it, and half to be refused while it is written.
    async with running(tmp_path, **KEYS, OFFLINE_TOKEN_DELAY_MS="100") as server, sdk_of(server) as sdk:
        seconds = 5 if ends_by == "time" else 600
        session = await sdk.beta.chatkit.sessions.create(
            user="ada",
            workflow={"id": "counting"},
            expires_after={"anchor": "created_at", "seconds": seconds},
        )
        async with page_of(server, session.client_secret) as page:
            story = Story()
            reading = asyncio.create_task(page.read(story, "count to 100", resumable=True))
            await story.until(lambda seen: seen.text != "")
            if ends_by == "cancel":
                await sdk.beta.chatkit.sessions.cancel(session.id)
            while (await page.ask("runs.stop", thread_id="thr_none")).status_code != 401:
                await story.another_event()
            assert not reading.done()
            for kind in ("runs.stop", "runs.attach", "threads.get_by_id"):
                refused = await page.ask(kind, thread_id=story.thread_id)
                assert refused.status_code == 401
            await reading
        assert story.error is None
        assert "100" in story.text
        renewed = await sdk.beta.chatkit.sessions.create(user="ada", workflow={"id": "counting"})
        async with page_of(server, renewed.client_secret) as page:
            assert "100" in str(await page.items(story.thread_id))
