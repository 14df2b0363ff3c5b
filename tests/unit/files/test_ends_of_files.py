"""Removal of files: unneeded files are removed after any failure, and no others."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from attachments import create_attachment_store
from errors import UnavailableError
from files.object_store import ObjectStore, _error_summary, open_object_store
from files.spool import LEFTOVER_LIFE_S
from process.doctor import _examine_files
from process.log_lines import TextLines
from storage.file_rows import FILES
from tests.unit.files.file_desk import Desk, Person, open_desk
from turns.clock import utc_now


async def age(desk: Desk, file_id: str, **past: float) -> None:
    """Make a file as old as if it had last changed so long ago."""
    stmt = update(FILES).where(FILES.c.id == file_id).values(changed_at=utc_now() - timedelta(**past))
    await desk.services.database.run_write(lambda connection: connection.execute(stmt) and None)


async def states(desk: Desk, ids: dict[str, str]) -> set[str]:
    """Return the names of those files that are still there."""
    there = set()
    for name, file_id in ids.items():
        if await desk.files._records.find(file_id) is not None:
            there.add(name)
    return there


async def test_unsent_files_are_removed_in_time_and_files_of_a_thread_never(
    tmp_path: Path, any_database_url: str
) -> None:
    async with open_desk(tmp_path, database_url=any_database_url) as desk, desk.person() as ada:
        await _check_ends(desk, ada)


async def _check_ends(desk: Desk, ada: Person) -> None:
    ids = {}
    for name in ("announced", "announced long ago"):
        ids[name] = (await ada.announce("a.txt", b"words", "text/plain")).json()["id"]
    for name in ("uploaded", "uploaded long ago", "bound long ago"):
        ids[name] = (await ada.upload("a.txt", b"words", "text/plain"))["id"]
    await ada.send("Read", [ids["bound long ago"]])
    await age(desk, ids["announced"], minutes=30)
    await age(desk, ids["announced long ago"], minutes=60)
    await age(desk, ids["uploaded"], hours=20)
    await age(desk, ids["uploaded long ago"], hours=25)
    await age(desk, ids["bound long ago"], days=1000)
    for _ in range(2):
        await desk.files.sweep()
        assert await states(desk, ids) == {"announced", "uploaded", "bound long ago"}
    assert (len(await desk.keys()), await desk.rows()) == (2, 3)
    await ada.ask("threads.delete", thread_id=ada.thread_id)
    assert await states(desk, ids) == {"announced", "uploaded"}
    owner = (await desk.files.find(ids["uploaded"])).owner_id
    await desk.files.delete_all(user_id=owner)
    assert (await desk.keys(), await desk.rows()) == ([], 0)


async def test_a_thread_deleted_in_the_store_leaves_no_file_for_long(desk: Desk, ada: Person) -> None:
    sent = await ada.upload("a.txt", b"words", "text/plain")
    await ada.send("Read", [sent["id"]])
    file = await desk.files.find(sent["id"])
    from turns.request_context import RequestContext

    context = RequestContext(file.owner_id, "files", "req_1")
    await desk.services.store.delete_thread(ada.thread_id or "", context)
    assert (await ada.page.get(f"/api/attachments/{file.id}/file")).status_code == 404, "it is gone at once"
    assert len(await desk.keys()) == 1
    await desk.files.sweep()
    assert (await desk.keys(), await desk.rows()) == ([], 0)


async def test_two_that_sweep_at_once_leave_nothing_and_take_nothing_that_is_wanted(desk: Desk, ada: Person) -> None:
    kept = await ada.upload("kept.txt", b"words", "text/plain")
    await ada.send("Read", [kept["id"]])
    for number in range(12):
        each = await ada.upload(f"{number}.txt", b"words", "text/plain")
        await age(desk, each["id"], days=3)
    other = create_attachment_store(desk.services.settings, desk.services.database, desk.files.urls)
    await asyncio.gather(*(store.sweep() for store in (desk.files, other, desk.files, other)))
    await other.close()
    assert (len(await desk.keys()), await desk.rows()) == (1, 1)
    assert (await ada.page.get(f"/api/attachments/{kept['id']}/file")).content == b"words"


class Failing:
    """An object store that breaks off before or after one of its calls."""

    def __init__(self, objects: ObjectStore, call: str, *, after: bool) -> None:
        self._objects = objects
        self._call = call
        self._after = after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._objects, name)
        if name != self._call:
            return real

        async def broken(*args: Any, **kwargs: Any) -> Any:
            if self._after:
                await real(*args, **kwargs)
            raise UnavailableError("The store is away.")

        return broken


@pytest.mark.parametrize("after", [False, True])
async def test_a_store_that_breaks_off_in_an_upload_leaves_nothing_for_long(
    desk: Desk, ada: Person, after: bool
) -> None:
    real = desk.objects.current
    desk.objects.current = Failing(real, "put_file", after=after)
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    assert (await ada.put(announced, b"words")).status_code == 503
    desk.objects.current = real
    assert (await ada.put(announced, b"words")).status_code == 200, "it may be tried again"
    assert len(await desk.keys()) == 1
    other = (await ada.announce("b.txt", b"words", "text/plain")).json()
    desk.objects.current = Failing(real, "put_file", after=after)
    assert (await ada.put(other, b"words")).status_code == 503
    desk.objects.current = real
    await age(desk, other["id"], hours=1)
    await desk.files.sweep()
    assert (len(await desk.keys()), await desk.rows()) == (1, 1)


@pytest.mark.parametrize("call", ["keys", "delete"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_store_that_breaks_off_in_a_deletion_is_gone_on_with(
    desk: Desk, ada: Person, call: str, after: bool
) -> None:
    sent = await ada.upload("a.txt", b"words", "text/plain")
    await ada.send("Read", [sent["id"]])
    real = desk.objects.current
    desk.objects.current = Failing(real, call, after=after)
    assert (await ada.ask("threads.delete", thread_id=ada.thread_id)).status_code == 200
    assert await desk.rows() == 1
    assert (await ada.page.get(f"/api/attachments/{sent['id']}/file")).status_code == 404
    desk.objects.current = real
    await desk.files.sweep()
    assert (await desk.keys(), await desk.rows()) == ([], 0)


async def test_a_process_that_is_no_more_leaves_nothing_on_the_disk(desk: Desk, ada: Person) -> None:
    await ada.upload("a.txt", b"words", "text/plain")
    data = desk.services.settings.data_dir
    left = [data / "uploads" / "0123" / "sent", data / "attachments" / "x" / "content#1"]
    busy = [data / "uploads" / "4567" / "sent", data / "attachments" / "y" / "content#1"]
    for path in (*left, *busy):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    past = time.time() - LEFTOVER_LIFE_S - 10
    for path in left:
        os.utime(path, (past, past))
        os.utime(path.parent, (past, past))
    await desk.files.sweep()
    assert [path.exists() for path in (*left, *busy)] == [False, False, True, True]
    assert len(await desk.keys()) == 1


async def test_all_that_a_person_or_a_use_case_has_can_be_deleted(desk: Desk, ada: Person) -> None:
    async with desk.person() as bob:
        mine = (await ada.upload("a.txt", b"words", "text/plain"))["id"]
        in_other = (await ada.upload("a.txt", b"words", "text/plain", use_case="other"))["id"]
        theirs = (await bob.upload("a.txt", b"words", "text/plain"))["id"]
        ids = {"mine": mine, "in other": in_other, "theirs": theirs}
        owner = (await desk.files.find(mine)).owner_id
        with pytest.raises(ValueError, match="name a person"):
            await desk.files.delete_all()
        await desk.files.delete_all(use_case="other")
        assert await states(desk, ids) == {"mine", "theirs"}
        await desk.files.delete_all(user_id=owner)
        assert await states(desk, ids) == {"theirs"}
        assert (len(await desk.keys()), await desk.rows()) == (1, 1)


@pytest.mark.parametrize("state", ["pending", "uploaded", "bound", "deleting"])
async def test_sweeping_costs_no_more_than_there_is_to_sweep(desk: Desk, state: str) -> None:
    query = f"EXPLAIN QUERY PLAN SELECT id FROM files WHERE thread_key IS NULL AND state = '{state}' AND changed_at < 1"  # noqa: S608
    plan = await desk.services.database.run_read(lambda connection: connection.exec_driver_sql(query).all())
    assert "INDEX ix_files_threadless (state=? AND changed_at<?)" in str(plan)


async def test_the_doctor_tries_the_store_and_leaves_nothing(desk: Desk) -> None:
    [finding] = await _examine_files(desk.services)
    assert (finding.is_well, finding.subject, finding.state) == (True, "files", "file, 20 MB per file")
    assert await desk.keys() == []
    desk.objects.current = Failing(desk.objects.current, "put", after=False)
    [finding] = await _examine_files(desk.services)
    assert (finding.is_well, finding.state) == (False, "file: The store is away.")


async def test_an_unavailable_store_is_reported_without_signatures(
    desk: Desk, ada: Person, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    sent = await ada.upload("a.txt", b"words", "text/plain")
    desk.objects.current = open_object_store("s3://bucket/x?endpoint=http://127.0.0.1:1&region=r", Path())
    answer = await ada.page.get(f"/api/attachments/{sent['id']}/file")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "files.unavailable")
    told = "\n".join(TextLines().format(record) for record in caplog.records)
    assert "Generic S3 error" in told
    assert (
        _error_summary(OSError("GET http://x/y?sig=s3cret&se=1 failed Debug source: ?sig=s3cret"))
        == "GET http://x/y?… failed"
    )
