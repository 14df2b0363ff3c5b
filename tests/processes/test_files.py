"""Crashes at each step of an upload: files of a thread stay, and everything else is removed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
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


def _unfinished_uploads(folder: Path) -> list[Path]:
    return list(folder.rglob("uploads/*/*"))


def _stored_files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("attachments/**/*") if path.is_file()]


async def _until(holds: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)


async def _announce(server: ServerProcess, name: str, size: int) -> tuple[str, str]:
    """Announce a text, and return its id and where its bytes go."""
    asked = await _ask(server, "attachments.create", name=name, size=size, mime_type="text/plain")
    announced = asked.json()
    return announced["id"], announced["upload_descriptor"]["url"].partition("/api/")[2]


async def _send(server: ServerProcess, *ids: str) -> str:
    message = {"content": [], "attachments": ids, "inference_options": {}}
    return (await _ask(server, "threads.create", input=message)).text


LONG_AGO = "'2026-01-01 00:00:00.000000'"
STORED_AND_NOT_RECORDED = f"state = 'pending', claimed_at = {LONG_AGO}"
"""A crash between the bytes and their row leaves this: somebody has claimed the file, and its bytes are there."""


def _update_rows(folder: Path, values: str, *ids: str) -> None:
    """Change rows of files to what a crash leaves, or to what they are later."""
    with closing(sqlite3.connect(next(folder.rglob("*.db")))) as database, database:
        for each in ids:
            changed = database.execute(f"UPDATE files SET {values} WHERE id = ?", (each,))  # noqa: S608 - our own
            assert changed.rowcount == 1


async def test_uploads_broken_off_by_a_crash_can_be_repeated_or_leave_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, python=own_python) as server:
        await server.get("/")
        pending, _ = await _announce(server, "pending.txt", 5)
        names = ("unsent.txt", "bound.txt", "claimed.txt", "again.txt", "deleting.txt")
        announced = [await _announce(server, name, 5) for name in names]
        (unsent, _), (bound, second), (claimed, _), (again, again_path), (deleting, _) = announced
        for _, place in announced:
            (await server.client.put(f"/api/{place}", content=place[-5:].encode())).raise_for_status()
        assert "bound.txt" in await _send(server, bound)
        file_id, path = await _announce(server, "a.txt", len(WORDS))

        async def half() -> AsyncIterator[bytes]:
            yield WORDS[: len(WORDS) // 2]
            await _until(lambda: [each for each in _unfinished_uploads(tmp_path) if each.stat().st_size])
            server.send_signal(signal.SIGKILL)
            await server.exit_code()
            yield WORDS[len(WORDS) // 2 :]

        with pytest.raises(httpx.TransportError):
            await server.client.put(f"/api/{path}", content=half(), headers={"Content-Length": str(len(WORDS))})
        cookies = server.client.cookies
    assert _unfinished_uploads(tmp_path), "a killed process cleans nothing up"
    for each in _unfinished_uploads(tmp_path):
        past = each.stat().st_mtime - LEFTOVER_LIFE_S - 60
        os.utime(each.parent, (past, past))

    _update_rows(tmp_path, STORED_AND_NOT_RECORDED, claimed, again)
    _update_rows(tmp_path, "state = 'deleting'", deleting)
    _update_rows(tmp_path, f"changed_at = {LONG_AGO}", pending, unsent, bound, claimed)

    async with running(tmp_path, cookies) as server:
        await _until(lambda: not _unfinished_uploads(tmp_path) and len(_stored_files(tmp_path)) == 2)
        assert sorted(_stored_files(tmp_path)) == sorted(each[-5:].encode() for each in (second, again_path))
        for each in (pending, unsent, claimed, deleting):
            assert (await server.get(f"/api/attachments/{each}")).status_code == 404
        assert (await server.get(f"/api/attachments/{bound}/file")).content == second[-5:].encode()
        for place, content in ((path, WORDS), (again_path, again_path[-5:].encode())):
            sent = await server.client.put(f"/api/{place}", content=content)
            assert sent.status_code == 200, sent.text
        assert "a.txt" in await _send(server, file_id, again)
        assert sorted(_stored_files(tmp_path)) == sorted([WORDS, second[-5:].encode(), again_path[-5:].encode()])
