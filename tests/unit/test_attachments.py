"""The bytes of attachments: whose they are is asked before any byte is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from chatkit.types import AttachmentCreateParams, FileAttachment

from attachments import ParlorAttachmentStore
from errors import ConfigError, NotFoundError, TooLargeError, UserFacingError
from store import ParlorStore
from turns.request_context import RequestContext

STRANGERS = {
    "another user": RequestContext("bob", "weather", "req_2"),
    "another use case": RequestContext("ada", "todo", "req_3"),
}


@pytest.fixture
async def files(store: ParlorStore, tmp_path: Path, context: RequestContext) -> ParlorAttachmentStore:
    await _register(store, "atc_1", context)
    return ParlorAttachmentStore(store, tmp_path / "new" / "attachments", max_bytes=10)


async def _register(store: ParlorStore, attachment_id: str, context: RequestContext) -> None:
    attachment = FileAttachment(id=attachment_id, name="../../etc/passwd", mime_type="text/plain")
    await store.save_attachment(attachment, context=context)


async def test_what_is_written_can_be_read(files: ParlorAttachmentStore, context: RequestContext) -> None:
    await files.write("atc_1", b"hello", context)
    assert await files.read("atc_1", context) == b"hello"


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stranger_can_neither_read_nor_write_nor_delete(
    files: ParlorAttachmentStore, context: RequestContext, stranger: str
) -> None:
    await files.write("atc_1", b"mine", context)
    with pytest.raises(NotFoundError):
        await files.read("atc_1", STRANGERS[stranger])
    with pytest.raises(NotFoundError):
        await files.write("atc_1", b"theirs", STRANGERS[stranger])
    with pytest.raises(NotFoundError):
        await files.delete_attachment("atc_1", context=STRANGERS[stranger])
    assert await files.read("atc_1", context) == b"mine"


async def test_two_owners_of_the_same_id_have_two_files(
    files: ParlorAttachmentStore, store: ParlorStore, context: RequestContext
) -> None:
    stranger = STRANGERS["another user"]
    await _register(store, "atc_1", stranger)
    await files.write("atc_1", b"mine", context)
    await files.write("atc_1", b"theirs", stranger)
    assert (await files.read("atc_1", context), await files.read("atc_1", stranger)) == (b"mine", b"theirs")


async def test_a_file_that_never_arrived_is_missing_and_can_be_deleted(
    files: ParlorAttachmentStore, context: RequestContext
) -> None:
    with pytest.raises(NotFoundError, match="not been uploaded"):
        await files.read("atc_1", context)
    await files.delete_attachment("atc_1", context=context)


async def test_a_deleted_file_is_gone_from_the_disk(
    files: ParlorAttachmentStore, context: RequestContext, tmp_path: Path
) -> None:
    await files.write("atc_1", b"hello", context)
    await files.delete_attachment("atc_1", context=context)
    assert [path for path in (tmp_path / "new").rglob("*") if path.is_file()] == []


async def test_a_file_over_the_bound_is_neither_written_nor_read(
    files: ParlorAttachmentStore, store: ParlorStore, context: RequestContext, tmp_path: Path
) -> None:
    with pytest.raises(TooLargeError):
        await files.write("atc_1", b"x" * 11, context)
    await files.write("atc_1", b"x" * 10, context)
    smaller = ParlorAttachmentStore(store, tmp_path / "new" / "attachments", max_bytes=9)
    with pytest.raises(TooLargeError):
        await smaller.read("atc_1", context)


@pytest.mark.parametrize("odd_id", ["../atc_1", "a/b", "", "nul\x00", "x" * 200])
async def test_no_id_reaches_outside_of_the_folder(
    files: ParlorAttachmentStore, store: ParlorStore, context: RequestContext, odd_id: str
) -> None:
    await _register(store, odd_id, context)
    with pytest.raises(NotFoundError):
        await files.write(odd_id, b"x", context)


async def test_uploads_say_that_they_are_not_there_yet(files: ParlorAttachmentStore, context: RequestContext) -> None:
    params = AttachmentCreateParams(name="a.txt", size=1, mime_type="text/plain")
    with pytest.raises(UserFacingError, match="not available here"):
        await files.create_attachment(params, context)


def test_attachment_ids_are_long(files: ParlorAttachmentStore, context: RequestContext) -> None:
    assert len(files.generate_attachment_id("text/plain", context)) == len("atc_") + 32


def test_a_folder_that_cannot_be_made_is_refused_by_name(store: ParlorStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="DATA_DIR"):
        ParlorAttachmentStore(store, tmp_path / "file" / "attachments")
