"""A crash in the middle of an upload: the file can be sent again, and nothing of the first try stays for long."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from files.spool import LEFTOVER_LIFE_S
from tests.preloaded.commands import own_python
from tests.processes.server_process import PATIENCE_S, ServerProcess, running

WORDS = b"words " * 100_000


async def _ask(server: ServerProcess, type_: str, **params: Any) -> httpx.Response:
    return await server.client.post("/chatkit/weather", json={"type": type_, "params": params})


def _left(folder: Path) -> list[Path]:
    return list(folder.rglob("uploads/*/*"))


def _kept(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("attachments/**/*") if path.is_file()]


async def _until(holds: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)


async def test_an_upload_that_a_crash_breaks_off_can_be_sent_again_and_leaves_nothing(tmp_path: Path) -> None:
    params = {"name": "a.txt", "size": len(WORDS), "mime_type": "text/plain"}
    async with running(tmp_path, python=own_python) as server:
        await server.get("/")
        announced = (await _ask(server, "attachments.create", **params)).json()
        path = announced["upload_descriptor"]["url"].partition("/api/")[2]

        async def half() -> AsyncIterator[bytes]:
            yield WORDS[: len(WORDS) // 2]
            await _until(lambda: [each for each in _left(tmp_path) if each.stat().st_size])
            server.send_signal(signal.SIGKILL)
            await server.exit_code()
            yield WORDS[len(WORDS) // 2 :]

        with pytest.raises(httpx.TransportError):
            await server.client.put(f"/api/{path}", content=half(), headers={"Content-Length": str(len(WORDS))})
        cookies = server.client.cookies
    assert _left(tmp_path), "a killed process cleans nothing up"
    for each in _left(tmp_path):
        past = each.stat().st_mtime - LEFTOVER_LIFE_S - 60
        os.utime(each.parent, (past, past))

    async with running(tmp_path, cookies) as server:
        await _until(lambda: not _left(tmp_path))
        sent = await server.client.put(f"/api/{path}", content=WORDS)
        assert sent.status_code == 200, sent.text
        message = {"content": [], "attachments": [announced["id"]], "inference_options": {}}
        answer = await _ask(server, "threads.create", input=message)
        assert "a.txt" in answer.text
        assert _kept(tmp_path) == [WORDS]
