"""Answers of a model provider through a real server, with its own event loop and connections."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.processes.server_process import Story, query_database, running
from tests.unit.provider_stub import Chat, ProviderStub, Responses

WORDS = [f"word{number} " for number in range(60)]
PROTOCOLS: dict[str, Any] = {"openai": Responses, "compatible": Chat}


@pytest.fixture
async def stub() -> AsyncIterator[ProviderStub]:
    async with ProviderStub() as provider:
        yield provider


def settings(provider: str, stub: ProviderStub) -> dict[str, str]:
    return {
        "MODEL_PROVIDER": provider,
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": stub.url,
        "OPENAI_MODEL": "stub",
        "COMPATIBLE_BASE_URL": stub.url,
        "COMPATIBLE_MODEL": "stub",
        "THREAD_TITLES": "first_message",
        "NO_PROXY": "127.0.0.1",
    }


def text_of(items: list[dict[str, Any]]) -> str:
    messages = [item for item in items if item["type"] == "assistant_message"]
    return "".join(part["text"] for message in messages for part in message["content"])


@pytest.mark.parametrize("provider", PROTOCOLS)
async def test_every_word_arrives_once_is_stored_and_survives_a_provider_that_breaks_off(
    provider: str, tmp_path: Path, stub: ProviderStub
) -> None:
    protocol = PROTOCOLS[provider]
    stories = [Story() for _ in range(12)]
    for n in range(len(stories)):
        stub.will_answer(f"Go {n}", replace(protocol.text(*WORDS), pause_s=0.001 * (n % 6)))
    slow = stories[5]
    answer = protocol.text(*WORDS)
    first = next(at for at, piece in enumerate(answer.pieces) if b"word0" in piece)

    async def once_the_one_before_is_read(number: int) -> None:
        before = "".join(WORDS[: max(0, number - first)])
        await slow.until(lambda story: story.text == before)

    stub.will_answer("Go 5", replace(answer, hold=once_the_one_before_is_read))
    async with running(tmp_path, **settings(provider, stub)) as server:
        await asyncio.gather(*(server.read(story, f"Go {n}", resumable=n % 2 == 0) for n, story in enumerate(stories)))
        for story in stories:
            assert (story.text, story.error) == ("".join(WORDS), None)
            assert text_of(await server.items(story.thread_id)) == "".join(WORDS)
        # Each piece came by itself, and was passed on so.
        assert sum("delta" in e.get("update", {}) for e in slow.events) == len(WORDS)

        broken = Story()
        stub.will(replace(protocol.part(*WORDS, then="close"), pause_s=0.002))
        await server.read(broken, "Go")
        assert broken.error is not None
        assert broken.error["allow_retry"] is True
        assert broken.text == "".join(WORDS)
        assert text_of(await server.items(broken.thread_id)) == broken.text


async def test_the_text_of_a_provider_is_kept_when_the_server_stops(tmp_path: Path, stub: ProviderStub) -> None:
    stories = [Story() for _ in range(10)]
    stub.will_always(replace(Responses.part(*WORDS, then="silence"), pause_s=0.002))
    async with running(tmp_path, **settings("openai", stub), DRAIN_TIMEOUT_S="1") as server:
        cookies = server.client.cookies
        async with asyncio.TaskGroup() as readers:
            for n, story in enumerate(stories):
                readers.create_task(server.read(story, "Go", resumable=n % 2 == 0))
            for story in stories:
                await story.until(lambda each: each.text == "".join(WORDS))
            server.send_signal(signal.SIGTERM)
        assert await server.exit_code() == 0
    assert [story.text for story in stories] == ["".join(WORDS)] * 10
    assert all(story.error is not None and "try again" in story.error["message"] for story in stories)
    assert query_database(tmp_path, "SELECT DISTINCT stop_reason FROM runs") == [("drain",)]
    async with running(tmp_path, cookies) as after:
        for story in stories:
            assert text_of(await after.items(story.thread_id)) == "".join(WORDS)
