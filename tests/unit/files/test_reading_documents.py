"""Slow documents: waits for their text are bounded, and do not block other documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from file_library.file_contents import MAX_READERS, FileContents
from files.media_types import PDF
from files.spool import Spool
from files.texts import FileText, UnreadableError
from storage.file_records import FileRecords
from storage.file_rows import StoredFile
from tests.unit.files.file_desk import Desk, Person
from tests.unit.files.file_samples import DOCX, pdf
from tests.waiting import PATIENCE_S, until


class SlowReader:
    """Reads no document before it is `free`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = asyncio.Event()
        self.fails = False

    async def read(self, path: Path, media_type: str) -> FileText:
        self.asked.append(media_type)
        await self.free.wait()
        if self.fails:
            raise UnreadableError
        return FileText("words")


@pytest.fixture
def reader() -> SlowReader:
    return SlowReader()


@pytest.fixture
async def files(desk: Desk, ada: Person) -> list[StoredFile]:
    """Uploaded documents, one more than are read at once."""
    sent = [await ada.upload(f"{n}.pdf", pdf("words"), PDF) for n in range(MAX_READERS + 1)]
    return [await desk.files.find(each["id"]) for each in sent]


@pytest.fixture
async def contents(desk: Desk, reader: SlowReader, tmp_path: Path) -> AsyncIterator[FileContents]:
    opened = contents_of(desk, reader, tmp_path)
    yield opened
    await opened.close()


def contents_of(desk: Desk, reader: SlowReader, folder: Path, timeout_s: float = 30) -> FileContents:
    records, spool = FileRecords(desk.services.database), Spool(folder / "spool")
    return FileContents(records, desk.files.objects, spool, reader.read, timeout_s)


async def test_the_wait_behind_others_is_bounded_and_is_no_failure_of_the_document(
    desk: Desk, reader: SlowReader, files: list[StoredFile], tmp_path: Path
) -> None:
    contents = contents_of(desk, reader, tmp_path, timeout_s=0.5)
    async with asyncio.timeout(PATIENCE_S):
        waited = await asyncio.gather(*(contents.text(each) for each in files), return_exceptions=True)
    assert [type(each) for each in waited] == [UnreadableError] * len(files)
    assert len(reader.asked) <= MAX_READERS
    reader.free.set()
    async with asyncio.timeout(PATIENCE_S):
        for file in files:
            while True:
                try:
                    assert (await contents.text(file)).text == "words"
                    break
                except UnreadableError:  # the machine is busy
                    await asyncio.sleep(0)


async def test_a_waiter_for_a_failing_document_does_not_try_it_again(
    reader: SlowReader, files: list[StoredFile], contents: FileContents
) -> None:
    reader.fails = True
    waiting = asyncio.gather(*(contents.text(files[0]) for _ in range(3)), return_exceptions=True)
    await until(lambda: reader.asked != [])
    reader.free.set()
    assert [type(each) for each in await waiting] == [UnreadableError] * 3
    assert len(reader.asked) == 1


async def test_reading_ahead_leaves_a_reader_free_and_ends_with_the_server(
    reader: SlowReader, files: list[StoredFile], contents: FileContents
) -> None:
    for file in files:
        contents.read_ahead(replace(file, media_type=DOCX))
    await until(lambda: reader.asked == [DOCX])
    asked_for = asyncio.create_task(contents.text(files[-1]))
    await until(lambda: reader.asked == [DOCX, PDF])
    async with asyncio.timeout(PATIENCE_S):
        await contents.close()
    reader.free.set()
    assert (await asked_for).text == "words"
    assert reader.asked == [DOCX, PDF]
