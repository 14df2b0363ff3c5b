"""Deployments and crashes with real processes: no answer is lost without a message."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from tests.preloaded.commands import own_python
from tests.processes.server_process import PATIENCE_S, ServerProcess, Story, query_database, running, user_input

DRAIN_S = 8
NO_MARKERS = "SELECT count(*) FROM items WHERE type = 'sdk_hidden_context'"


async def _until_not_ready(server: ServerProcess) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (response := await server.get("/readyz")).status_code == 200:
            pass
    assert response.status_code == 503
    assert response.json()["checks"]["use_cases"] == "the server is stopping"


def _has_text(story: Story) -> bool:
    return story.text != ""


def _text(items: list[dict[str, object]]) -> str:
    return "".join(
        part["text"] for item in items if item["type"] == "assistant_message" for part in item["content"]  # type: ignore[attr-defined]
    )  # fmt: skip


async def test_a_stopping_server_lets_answers_finish_and_keeps_the_rest(tmp_path: Path) -> None:
    short, long = [Story() for _ in range(10)], [Story() for _ in range(10)]
    # A busy machine has to finish the short ones within the time, and must not do so before the signal.
    pace = {"DRAIN_TIMEOUT_S": str(DRAIN_S), "OFFLINE_TOKEN_DELAY_MS": "100"}
    async with running(tmp_path, **pace) as server, asyncio.TaskGroup() as readers:
        assert (await server.get("/readyz")).status_code == 200
        cookies = server.client.cookies
        *_, leaving = [
            readers.create_task(server.read(story, "count to 9999", resumable=n % 2 == 0))
            for n, story in enumerate(long)
        ]
        await asyncio.gather(*(story.until(_has_text) for story in long))
        for n, story in enumerate(short):
            readers.create_task(server.read(story, "count to 40", resumable=n % 2 == 0))
        await asyncio.gather(*(story.until(_has_text) for story in short))
        assert [story.text.endswith("40") for story in short] == [False] * 10

        server.send_signal(signal.SIGTERM)
        told_at = time.monotonic()
        await _until_not_ready(server)
        async with asyncio.timeout(PATIENCE_S):
            while (refused := await server.ask("threads.create", input=user_input("count to 2"))).status_code == 200:
                pass
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "runs.draining"
        assert int(refused.headers["retry-after"]) > 0
        assert (await server.get("/healthz")).status_code == 200
        assert len(await server.items(long[0].thread_id)) >= 1, "reading goes on"
        left_at = len(long[-1].text)
        leaving.cancel()  # a proxy moves on; this client cannot say that it did not press stop
        assert await server.exit_code() == 0
        # What hangs is given up at the end of the time; the rest is what a busy machine takes to store it all.
        assert DRAIN_S - 0.5 < time.monotonic() - told_at < DRAIN_S + 15

    whole = " ".join(str(n) for n in range(1, 41))
    assert [(story.text, story.error) for story in short] == [(whole, None)] * 10
    for story in long[:-1]:
        assert story.error is not None
        assert story.error["allow_retry"] is True
        assert "try again" in story.error["message"]

    assert query_database(tmp_path, NO_MARKERS) == [(0,)], "nobody pressed stop"
    ends = dict(query_database(tmp_path, "SELECT coalesce(stop_reason, status), count(*) FROM runs GROUP BY 1"))
    assert (ends["drain"], ends["done"] >= 10) == (10, True)
    async with running(tmp_path, cookies) as after:
        for story in (*short, *long[:-1]):
            assert _text(await after.items(story.thread_id)) == story.text
        assert len(_text(await after.items(long[-1].thread_id))) > left_at, "it went on without its reader"
        again = await after.ask("threads.add_user_message", thread_id=long[0].thread_id, input=user_input("count to 3"))
        assert '"1 2 3"' in again.text


async def test_an_upgrade_beside_the_old_server_cuts_no_answer_and_marks_none(tmp_path: Path) -> None:
    stories = [Story() for _ in range(6)]
    pace = {"DRAIN_TIMEOUT_S": "60", "OFFLINE_TOKEN_DELAY_MS": "100", "RUN_CHECKPOINT_INTERVAL_S": "0.5"}
    async with (
        running(tmp_path, **pace) as old,
        running(tmp_path, old.client.cookies) as new,
        asyncio.TaskGroup() as readers,
    ):
        for n, story in enumerate(stories):
            readers.create_task(old.read(story, "count to 40", resumable=n % 2 == 0))
        await asyncio.gather(*(story.until(_has_text) for story in stories))
        old.send_signal(signal.SIGTERM)
        followed = []
        for story in stories:
            while not (half := await new.items(story.thread_id)) or half[-1]["type"] != "assistant_message":
                await story.another_event()
            assert _text(half).strip() in story.text
            # Whoever reloads finds what is stored so far, not a mark that says that nobody goes on with it.
            assert [item["type"] for item in half if item["type"] == "task"] == []
            followed.append(readers.create_task(new.ask("runs.attach", thread_id=story.thread_id)))
        assert [story.text.endswith("40") for story in stories] == [False] * 6
        assert '"1 2 3"' in (await new.ask("threads.create", input=user_input("count to 3"))).text
        for story, following in zip(stories, followed, strict=True):
            # It ended with the answer, so that the page reads the rest.
            assert (await following).headers["content-type"].startswith("text/event-stream")
            assert _text(await new.items(story.thread_id)).endswith(" 40")
        assert await old.exit_code(60) == 0
        for story in stories:
            # Whoever has lost the old server reads on at the new one, which has the whole of it.
            attached = await new.ask("runs.attach", thread_id=story.thread_id, after=3)
            assert attached.headers["content-type"] == "application/json"
            items = await new.items(story.thread_id)
            assert [_text(items), story.error] == [" ".join(str(n) for n in range(1, 41)), None]
            assert [item["type"] for item in items if item["type"] == "task"] == []
    assert query_database(tmp_path, NO_MARKERS) == [(0,)]


async def test_a_second_signal_ends_the_server_at_once_and_still_keeps_the_text_so_far(tmp_path: Path) -> None:
    story = Story()
    async with running(tmp_path, DRAIN_TIMEOUT_S="60") as server, asyncio.TaskGroup() as readers:
        readers.create_task(server.read(story, "count to 9999"))
        await story.until(_has_text)
        server.send_signal(signal.SIGTERM)
        await _until_not_ready(server)
        server.send_signal(signal.SIGTERM)
        assert await server.exit_code() == -signal.SIGTERM
    assert story.error is not None
    [(document,)] = query_database(tmp_path, "SELECT document FROM items WHERE type = 'assistant_message'")
    assert story.text.strip() in document
    assert query_database(tmp_path, NO_MARKERS) == [(0,)]


async def test_tools_that_hang_in_threads_stop_neither_the_page_nor_the_end(tmp_path: Path) -> None:
    async with running(tmp_path, DRAIN_TIMEOUT_S="1") as server:
        # More than asyncio's own threads on a small machine.
        answers = await asyncio.gather(*(server.ask("threads.create", input=user_input("block")) for _ in range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8
        async with asyncio.timeout(PATIENCE_S):
            assert (await server.get("/")).status_code in (200, 503)  # 503: the client is not built
            assert (await server.get("/readyz")).status_code == 200
        server.send_signal(signal.SIGTERM)
        assert await server.exit_code() == 0


async def test_tools_that_hang_in_threads_do_not_outlast_a_second_ctrl_c(tmp_path: Path) -> None:
    async with running(tmp_path, DRAIN_TIMEOUT_S="60") as server, asyncio.TaskGroup() as readers:
        await server.ask("threads.create", input=user_input("block"))
        story = Story()
        readers.create_task(server.read(story, "count to 9999"))
        await story.until(_has_text)
        server.send_signal(signal.SIGINT)
        await _until_not_ready(server)
        server.send_signal(signal.SIGINT)
        assert await server.exit_code() == 130


async def test_a_tool_that_does_not_let_go_does_not_keep_the_server_from_ending(tmp_path: Path) -> None:
    story = Story()
    async with running(tmp_path, DRAIN_TIMEOUT_S="1") as server, asyncio.TaskGroup() as readers:
        readers.create_task(server.read(story, "cling", resumable=True))
        await story.until(lambda each: each.has_steps)
        server.send_signal(signal.SIGTERM)
        assert await server.exit_code() == 0
    assert story.error is not None
    assert "restarting" in story.error["message"]
    assert query_database(tmp_path, "SELECT stop_reason FROM runs") == [("drain",)]


async def test_a_server_that_is_killed_loses_nothing_acknowledged_and_seconds_of_the_rest(tmp_path: Path) -> None:
    done, cut = [Story() for _ in range(5)], Story()
    async with running(tmp_path, python=own_python) as server:
        cookies = server.client.cookies
        reading = asyncio.create_task(server.read(cut, "count to 9999", resumable=True))
        await cut.until(_has_text)
        await asyncio.gather(*(server.read(story, "count to 5") for story in done))
        early = cut.text
        # What is said is stored while it goes on, every three seconds.
        async with asyncio.timeout(PATIENCE_S):
            while len(_text(await server.items(cut.thread_id))) <= len(early):
                await cut.another_event()
        server.process.kill()
        await asyncio.gather(reading, return_exceptions=True)
        await server.exit_code()

    async with running(tmp_path, cookies) as after:
        for story in (*done, cut):
            items = {item["id"]: item for item in await after.items(story.thread_id)}
            for item in story.acknowledged:
                assert items[item["id"]] == item
        # Nobody else has the database: what was cut says so at once, and not when the lease has ended.
        assert [item["type"] for item in await after.items(cut.thread_id)][-1] == "task"
        kept = _text(await after.items(cut.thread_id))
        assert cut.text.startswith(kept)
        assert len(kept) > len(early) > 10
        again = await after.ask("threads.add_user_message", thread_id=cut.thread_id, input=user_input("count to 3"))
        assert '"1 2 3"' in again.text
