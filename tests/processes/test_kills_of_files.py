"""Kills at each step of an upload: confirmed files exist, others can be repeated, and nothing is left over."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from files.spool import LEFTOVER_LIFE_S
from tests.processes.server_process import ServerProcess, running
from tests.unit.files.file_samples import picture

DYING = ("-m", "tests.processes.dying_server")
PICTURE = picture()
TIMEOUT_S = 300


class Files:
    """Files of one person, on a server that is killed where it is told to be."""

    def __init__(self, folder: Path, server: ServerProcess) -> None:
        self.folder = folder
        self.server = server

    async def ask(self, type_: str, **params: Any) -> httpx.Response:
        return await self.server.client.post("/chatkit/weather", json={"type": type_, "params": params})

    async def announce(self) -> tuple[str, str]:
        """Return the id of a picture that is to come, and where it is to be sent."""
        params = {"name": "a.png", "size": len(PICTURE), "mime_type": "image/png"}
        announced = (await self.ask("attachments.create", **params)).json()
        return announced["id"], "/api/" + announced["upload_descriptor"]["url"].partition("/api/")[2]

    async def put(self, to: str) -> httpx.Response:
        return await self.server.client.put(to, content=PICTURE)

    async def send(self, file_id: str) -> httpx.Response:
        message = {"content": [], "attachments": [file_id], "inference_options": {}}
        return await self.ask("threads.create", input=message)

    async def dies(self, moment: str, deed: Callable[[], Any]) -> None:
        """Have the server killed at a moment of a deed."""
        (self.folder / "die").write_text(moment)
        async with asyncio.timeout(TIMEOUT_S):
            with suppress(httpx.TransportError):
                while True:  # what happens after the answer, happens soon
                    await deed()
        await self.server.exit_code()
        (self.folder / "die").unlink()

    def kept(self) -> int:
        """Return how many objects and rows of files there are, and local copies."""
        with closing(sqlite3.connect(self.folder / "data" / "parlor.db")) as database:
            rows: int = database.execute("SELECT count(*) FROM files").fetchone()[0]
        places = (self.folder / "data" / "attachments", self.folder / "data" / "uploads")
        return rows + sum(path.is_file() for place in places for path in place.rglob("*"))

    def change(self, what: str) -> None:
        """Change rows of files."""
        with closing(sqlite3.connect(self.folder / "data" / "parlor.db")) as database, database:
            database.execute(f"UPDATE files SET {what}")  # noqa: S608 - our own

    def grow_old(self) -> None:
        """Make local copies so old that they are nobody's."""
        for place in (self.folder / "data" / "uploads").iterdir():
            past = place.stat().st_mtime - LEFTOVER_LIFE_S - 60
            os.utime(place, (past, past))

    async def are_gone(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while self.kept():  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.02)


UPLOAD = ["inside _claim", "before put_file", "after put_file", "inside _complete", "after _complete"]


@pytest.mark.parametrize("moment", UPLOAD)
async def test_an_upload_that_a_kill_breaks_off_is_sent_again(tmp_path: Path, moment: str) -> None:
    async with running(tmp_path, program=DYING) as server:
        files = Files(tmp_path, server)
        file_id, to = await files.announce()
        await files.dies(moment, lambda: files.put(to))
        cookies = server.client.cookies
    files.grow_old()
    if moment != "after put_file":  # which waits for the real time
        files.change("claimed_at = '2026-01-01 00:00:00.000000' WHERE claimed_at IS NOT NULL")
    async with running(tmp_path, cookies) as server:
        files.server = server
        sent = await files.put(to)
        assert sent.status_code == 200, sent.text
        assert '"thread.created"' in (await files.send(file_id)).text
        assert (await server.get(f"/api/attachments/{file_id}/file")).content
        [thread] = (await files.ask("threads.list")).json()["data"]
        await files.ask("threads.delete", thread_id=thread["id"])
        await files.are_gone()


@pytest.mark.parametrize("moment", ["inside create_thread", "after create_thread"])
async def test_a_message_that_a_kill_breaks_off_has_its_file_or_leaves_it_to_the_next(
    tmp_path: Path, moment: str
) -> None:
    async with running(tmp_path, program=DYING) as server:
        files = Files(tmp_path, server)
        file_id, to = await files.announce()
        assert (await files.put(to)).status_code == 200
        await files.dies(moment, lambda: files.send(file_id))
        cookies = server.client.cookies
    async with running(tmp_path, cookies) as server:
        files.server = server
        threads = (await files.ask("threads.list")).json()["data"]
        if moment.startswith("inside"):
            assert threads == []
            assert '"thread.created"' in (await files.send(file_id)).text
            threads = (await files.ask("threads.list")).json()["data"]
        [thread] = threads
        items = (await files.ask("items.list", thread_id=thread["id"])).json()["data"]
        assert file_id in [each["id"] for item in items for each in item.get("attachments", ())]
        assert (await server.get(f"/api/attachments/{file_id}/file")).content
        assert (await files.send(file_id)).json()["error"]["code"] == "attachments.sent_already"


@pytest.mark.parametrize(
    "moment",
    [
        "inside _mark_deleted", "after _mark_deleted", "after delete", "inside _remove", "inside delete_thread",
        "after delete_thread",
    ],
)  # fmt: skip
async def test_a_deletion_that_a_kill_breaks_off_is_gone_on_with_or_has_not_been(tmp_path: Path, moment: str) -> None:
    async with running(tmp_path, program=DYING) as server:
        files = Files(tmp_path, server)
        file_id, to = await files.announce()
        assert (await files.put(to)).status_code == 200
        assert (await server.get(f"/api/attachments/{file_id}/preview")).status_code == 200
        params, deed = {"attachment_id": file_id}, "attachments.delete"
        if moment.endswith("delete_thread"):
            await files.send(file_id)
            [thread] = (await files.ask("threads.list")).json()["data"]
            params, deed = {"thread_id": thread["id"]}, "threads.delete"
        await files.dies(moment, lambda: files.ask(deed, **params))
        cookies = server.client.cookies
    async with running(tmp_path, cookies) as server:
        files.server = server
        if moment in ("inside _mark_deleted", "inside delete_thread"):
            assert (await server.get(f"/api/attachments/{file_id}/file")).content
            assert (await files.ask(deed, **params)).status_code == 200
        assert (await server.get(f"/api/attachments/{file_id}/file")).status_code == 404
        await files.are_gone()


@pytest.mark.parametrize("moment", ["before put", "after put"])
async def test_a_preview_that_a_kill_breaks_off_is_made_again(tmp_path: Path, moment: str) -> None:
    async with running(tmp_path, program=DYING) as server:
        files = Files(tmp_path, server)
        file_id, to = await files.announce()
        assert (await files.put(to)).status_code == 200
        await files.dies(moment, lambda: server.get(f"/api/attachments/{file_id}/preview"))
        cookies = server.client.cookies
    files.grow_old()
    async with running(tmp_path, cookies) as server:
        files.server = server
        assert (await server.get(f"/api/attachments/{file_id}/preview")).status_code == 200
        await files.ask("attachments.delete", attachment_id=file_id)
        await files.are_gone()
