"""Claims of uploads: one process at a time may move the bytes, and another only if it has died."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from storage.file_rows import FILES
from tests.unit.files.file_desk import Desk, Person, code_of, open_desk
from turns.clock import utc_now


async def claimed_at(desk: Desk, file_id: str) -> datetime | None:
    stmt = select(FILES.c.claimed_at).where(FILES.c.id == file_id)
    return await desk.services.database.run_read(lambda connection: connection.scalar(stmt))


async def set_claimed(desk: Desk, file_id: str, at: datetime) -> None:
    stmt = update(FILES).where(FILES.c.id == file_id).values(claimed_at=at)
    await desk.services.database.run_write(lambda connection: connection.execute(stmt) and None)


class Waiting:
    """An object store whose first transfer waits for a word."""

    def __init__(self, objects: Any) -> None:
        self._objects = objects
        self.has_begun = asyncio.Event()
        self.may_go_on = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    async def put_file(self, key: str, path: Path) -> None:
        if not self.has_begun.is_set():
            self.has_begun.set()
            await self.may_go_on.wait()
        await self._objects.put_file(key, path)


@pytest.mark.parametrize("again", [b"words", b"sword"])
async def test_an_upload_broken_off_by_a_crash_can_be_repeated_at_once(any_desk: Desk, again: bytes) -> None:
    files = any_desk.files
    async with any_desk.person() as ada:
        announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
        file = await files.find(announced["id"])
        # Whoever has claimed it has put the bytes there, and is no more.
        assert await files._records.claim(file) is not None
        await files.objects.put(file.content_key_of("0123"), b"words")
        await set_claimed(any_desk, file.id, utc_now() - timedelta(minutes=1))
        sent = await asyncio.gather(*(ada.put(announced, again) for _ in range(5)))
        assert [answer.status_code for answer in sent] == [200] * 5
        assert await any_desk.keys() == [(await files.find(file.id)).content_key]
        described = (await ada.page.get(f"/api/attachments/{file.id}")).json()
        assert (await ada.anybody.get(described["download_url"])).content == again


async def test_a_second_upload_waits_until_the_first_is_known_to_be_dead(tmp_path: Path) -> None:
    async with open_desk(tmp_path, claim_life=timedelta(seconds=0.5)) as desk, desk.person() as ada:
        announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
        assert await desk.files._records.claim(await desk.files.find(announced["id"])) is not None
        assert (await ada.put(announced, b"words")).status_code == 200


async def test_several_uploads_of_the_same_bytes_all_succeed(tmp_path: Path, any_database_url: str) -> None:
    async with open_desk(tmp_path, database_url=any_database_url) as desk, desk.person() as ada:
        announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
        sent = await asyncio.gather(*(ada.put(announced, b"words") for _ in range(20)))
        assert [answer.status_code for answer in sent] == [200] * 20
        other = (await ada.announce("a.txt", b"words", "text/plain")).json()
        file = await desk.files.find(other["id"])
        claim = await desk.files._records.claim(file)
        assert claim is not None
        assert await desk.files._records.renew(claim)
        await set_claimed(desk, file.id, utc_now() - timedelta(minutes=1))
        assert not await desk.files._records.renew(claim), "it is lost"
        assert (await ada.put(other, b"words")).status_code == 200


async def test_a_live_upload_keeps_its_file_while_the_bytes_are_moved(tmp_path: Path) -> None:
    async with open_desk(tmp_path, claim_life=timedelta(seconds=0.1)) as desk, desk.person() as ada:
        waiting = Waiting(desk.objects.current)
        desk.objects.current = waiting
        announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
        sending = asyncio.create_task(ada.put(announced, b"words"))
        await waiting.has_begun.wait()
        first = await claimed_at(desk, announced["id"])

        async def is_renewed() -> bool:
            now = await claimed_at(desk, announced["id"])
            return now is not None and first is not None and now > first

        async with asyncio.timeout(300):
            while not await is_renewed():  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)
        waiting.may_go_on.set()
        assert (await sending).status_code == 200


async def test_an_upload_that_waits_too_long_for_another_is_refused_and_may_be_repeated(tmp_path: Path) -> None:
    async with open_desk(tmp_path, claim_life=timedelta(seconds=0.1)) as desk, desk.person() as ada:
        announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
        await set_claimed(desk, announced["id"], utc_now() + timedelta(hours=1))
        assert code_of(await ada.put(announced, b"words")) == (409, "attachments.uploading")
        await set_claimed(desk, announced["id"], utc_now() - timedelta(hours=1))
        assert (await ada.put(announced, b"words")).status_code == 200


@pytest.mark.parametrize("late", [b"words", b"sword"])
async def test_a_stalled_upload_that_continues_later_overwrites_nothing(desk: Desk, ada: Person, late: bytes) -> None:
    waiting = Waiting(desk.objects.current)
    desk.objects.current = waiting
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    sending = asyncio.create_task(ada.put(announced, late))
    await waiting.has_begun.wait()
    await set_claimed(desk, announced["id"], utc_now() - timedelta(hours=1))
    assert (await ada.put(announced, b"words")).status_code == 200
    waiting.may_go_on.set()
    assert (await sending).status_code == (200 if late == b"words" else 409)
    file = await desk.files.find(announced["id"])
    assert await desk.keys() == [file.content_key]
    assert await desk.files.objects.read(file.content_key, 100) == b"words"


async def test_deletion_waits_while_another_process_may_move_the_file(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    file = await desk.files.find(announced["id"])
    await set_claimed(desk, file.id, utc_now() - timedelta(minutes=1))
    await ada.ask("attachments.delete", attachment_id=file.id)
    assert await desk.rows() == 1, "what arrives now would be found by nobody"
    await set_claimed(desk, file.id, utc_now() - timedelta(minutes=11))
    await desk.files.sweep()
    assert await desk.rows() == 0
