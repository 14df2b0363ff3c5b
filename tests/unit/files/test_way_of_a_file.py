"""The way of a file from the browser to the model and to its removal, on every object store."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from sqlalchemy import text

from tests.unit.files.file_desk import BASE, Desk, Person, code_of, open_desk
from tests.unit.files.file_samples import photograph, picture, telephone_photograph, turned_picture

BLUE = picture()


@pytest.fixture
async def ada(any_desk: Desk) -> AsyncIterator[Person]:
    async with any_desk.person() as person:
        yield person


async def test_a_picture_is_sent_seen_by_the_model_and_there_again_after_a_reload(any_desk: Desk, ada: Person) -> None:
    sent = await ada.upload("sky.png", BLUE, "image/png")
    assert (sent["type"], sent["name"], sent["mime_type"]) == ("image", "sky.png", "image/png")
    assert "upload_descriptor" not in sent
    await ada.send("What is this?", [sent["id"]])

    [message] = any_desk.model.requests[-1]
    shown = message.contents[1]
    assert (shown.type, shown.media_type, shown.name) == ("data", "image/png", "sky.png")
    assert base64.b64decode(shown.uri.partition(",")[2]) == BLUE

    [again] = await ada.shown()
    assert (again["id"], again["name"]) == (sent["id"], "sky.png")
    preview = await ada.anybody.get(again["preview_url"])
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/webp")
    described = (await ada.page.get(f"/api/attachments/{sent['id']}")).json()
    assert (described["size"], described["width"], described["height"]) == (len(BLUE), 60, 40)
    had = await ada.anybody.get(described["download_url"])
    assert (had.content, had.headers["content-type"]) == (BLUE, "image/png")


async def test_no_url_is_stored_and_none_with_a_signature_is_in_a_message(any_desk: Desk, ada: Person) -> None:
    sent = await ada.upload("sky.png", BLUE, "image/png")
    events = await ada.send("What is this?", [sent["id"]])
    assert "/content?" not in str(events), "the upload URL is nobody's business after the upload"
    async with any_desk.services.database.read() as session:
        rows = [str(row) for row in await session.execute(text("SELECT * FROM items"))]
        rows += [str(row) for row in await session.execute(text("SELECT * FROM files"))]
    assert len(rows) == 3
    for row in rows:
        assert "signature" not in row
        assert "http" not in row


async def test_a_file_goes_with_its_thread_and_leaves_nothing(any_desk: Desk, ada: Person) -> None:
    first, second = await ada.upload("1.png", BLUE, "image/png"), await ada.upload("2.txt", b"words", "text/plain")
    await ada.send("Look", [first["id"], second["id"]])
    [shown, _] = await ada.shown()
    await ada.anybody.get(shown["preview_url"])
    assert (len(await any_desk.keys()), await any_desk.rows()) == (3, 2)
    answer = await ada.ask("threads.delete", thread_id=ada.thread_id)
    assert answer.status_code == 200
    assert (await any_desk.keys(), await any_desk.rows()) == ([], 0)
    assert (await ada.anybody.get(shown["preview_url"])).status_code == 404


async def test_a_file_that_is_taken_back_leaves_nothing(any_desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.png", BLUE, "image/png")).json()
    sent = await ada.upload("b.png", BLUE, "image/png")
    for each in (announced, sent):
        assert (await ada.ask("attachments.delete", attachment_id=each["id"])).status_code == 200
        assert (await ada.ask("attachments.delete", attachment_id=each["id"])).status_code == 404
    assert (await any_desk.keys(), await any_desk.rows()) == ([], 0)
    assert (await ada.put(announced, BLUE)).status_code == 404
    assert (await any_desk.keys(), await any_desk.rows()) == ([], 0)


async def test_of_many_concurrent_uploads_one_wins_and_its_bytes_are_kept(any_desk: Desk, ada: Person) -> None:
    texts = [f"version {number:02}".encode() for number in range(20)]
    announced = (await ada.announce("a.txt", texts[0], "text/plain")).json()
    answers = await asyncio.gather(*(ada.put(announced, each) for each in texts))
    won = [data for data, answer in zip(texts, answers, strict=True) if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    file = await any_desk.files.find(announced["id"])
    kept = await any_desk.files.objects.read(file.content_key, 100)
    assert (kept, file.sha256) == (won[0], hashlib.sha256(won[0]).hexdigest())
    assert await any_desk.keys() == [file.content_key]


async def test_a_file_of_an_earlier_version_is_found_and_deleted(any_desk: Desk, ada: Person) -> None:
    sent = await ada.upload("b.png", BLUE, "image/png")
    file, objects = await any_desk.files.find(sent["id"]), any_desk.files.objects
    await objects.delete([file.content_key])
    await objects.put(file.legacy_content_key, BLUE)
    described = (await ada.page.get(f"/api/attachments/{file.id}")).json()
    assert (await ada.anybody.get(described["download_url"])).content == BLUE
    assert (await ada.anybody.get(described["preview_url"])).status_code == 200
    assert await any_desk.files.contents.read(file) == BLUE
    assert (await ada.ask("attachments.delete", attachment_id=file.id)).status_code == 200
    assert (await any_desk.keys(), await any_desk.rows()) == ([], 0)


async def test_the_same_bytes_may_be_sent_again_and_others_change_nothing(any_desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    assert [(await ada.put(announced, b"words")).status_code for _ in range(3)] == [200] * 3
    assert code_of(await ada.put(announced, b"swords"[:5])) == (409, "attachments.uploaded_already")
    await ada.send("Read", [announced["id"]])
    assert (await ada.put(announced, b"words")).status_code == 200
    assert code_of(await ada.put(announced, b"sword")) == (409, "attachments.uploaded_already")
    described = (await ada.page.get(f"/api/attachments/{announced['id']}")).json()
    assert (described["state"], (await ada.anybody.get(described["download_url"])).content) == ("bound", b"words")


async def test_a_photograph_loses_what_was_noted_in_it_and_keeps_its_pixels(any_desk: Desk, ada: Person) -> None:
    sent = await ada.upload("me.jpg", photograph(), "image/jpeg")
    described = (await ada.page.get(f"/api/attachments/{sent['id']}")).json()
    assert (described["width"], described["height"]) == (32, 64), "as a browser turns it"
    kept = (await ada.anybody.get(described["download_url"])).content
    for secret in (b"SecretCameraMaker", b"SecretComment", b"SecretTrailer"):
        assert secret in photograph()
        assert secret not in kept


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_stays_as_it_is_turned_when_it_loses_its_notes(
    tmp_path: Path, kind: str, orientation: int, keeps: bool
) -> None:
    data = turned_picture(kind, orientation)
    was = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    async with open_desk(tmp_path, keep_picture_metadata=keeps) as desk, desk.person() as bob:
        sent = await bob.upload(f"me.{kind.lower()}", data, f"image/{kind.lower()}")
        described = (await bob.page.get(f"/api/attachments/{sent['id']}")).json()
        kept, preview = [(await bob.anybody.get(described[f"{each}_url"])).content for each in ("download", "preview")]
        await bob.send("Look", [sent["id"]])
        [said] = [message for message in desk.model.requests[-1] if message.role == "user"]
        seen = base64.b64decode((said.contents[1].uri or "").partition(",")[2])
    assert (b"Secret" in data, b"Secret" in kept, (kept == data)) == (True, keeps, keeps)
    assert (described["width"], described["height"]) == was.size
    for image in (ImageOps.exif_transpose(Image.open(io.BytesIO(kept))), *map(open_image, (preview, seen))):
        assert image.size == was.size
        for at in ((3, 3), (image.width - 4, image.height - 4)):
            assert [round(each / 255) for each in colours(image, at)] == [round(e / 255) for e in colours(was, at)], at


def open_image(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def colours(image: Image.Image, at: tuple[int, int]) -> Any:
    return image.convert("RGB").getpixel(at)


async def test_an_avif_picture_becomes_one_that_models_take_and_loses_its_notes(desk: Desk) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SecretCameraMaker"
    data = picture("AVIF", (64, 32), exif=exif.tobytes())
    assert b"SecretCameraMaker" in data
    async with desk.person() as bob:
        sent = await bob.upload("me.avif", data, "image/avif")
        assert (sent["type"], sent["name"], sent["mime_type"]) == ("image", "me.webp", "image/webp")
        described = (await bob.page.get(f"/api/attachments/{sent['id']}")).json()
        kept = (await bob.anybody.get(described["download_url"])).content
    assert (described["width"], described["height"], b"Secret" in kept) == (32, 64, False)


@pytest.mark.parametrize(("name", "declared"), [("IMG 1.HEIC", "image/heif"), ("IMG 1", "application/octet-stream")])
async def test_a_heic_photograph_becomes_a_jpeg_without_metadata(desk: Desk, name: str, declared: str) -> None:
    data = telephone_photograph()
    assert b"SecretCameraMaker" in data
    async with desk.person() as bob:
        sent = await bob.upload(name, data, declared)
        assert (sent["type"], sent["name"], sent["mime_type"]) == ("image", "IMG 1.jpg", "image/jpeg")
        described = (await bob.page.get(f"/api/attachments/{sent['id']}")).json()
        kept = (await bob.anybody.get(described["download_url"])).content
        assert (await bob.page.get(f"/api/attachments/{sent['id']}/preview")).status_code == 200
    assert (described["width"], described["height"], b"Secret" in kept) == (32, 64, False)
    with Image.open(io.BytesIO(kept)) as picture:
        top, bottom = picture.getpixel((16, 4)), picture.getpixel((16, 60))
    assert top[2] > 200 > 60 > top[0], "the blue edge was on the left"
    assert bottom[0] > 200 > 60 > bottom[2]


@pytest.mark.parametrize(("name", "declared"), [("a.tif", "image/tiff"), ("a.bmp", "image/bmp")])
async def test_a_picture_that_no_model_sees_is_refused_with_what_to_do(desk: Desk, name: str, declared: str) -> None:
    async with desk.person() as bob:
        refused = await bob.announce(name, b"bytes", declared)
    assert code_of(refused) == (415, "attachments.type_refused")
    assert "save the picture as JPEG or PNG" in refused.text


async def test_an_undecodable_picture_has_no_preview_and_is_no_server_error(desk: Desk) -> None:
    data = bytearray(BLUE)
    data[data.index(b"IDAT") + 8] ^= 0xFF
    async with desk.person() as bob:
        sent = await bob.upload("sky.png", bytes(data), "image/png")
        assert code_of(await bob.page.get(f"/api/attachments/{sent['id']}/preview")) == (404, "attachments.damaged")
        [event, *_] = await bob.send("Look", [sent["id"]])
        assert event["type"] == "thread.created"


async def test_a_part_of_a_file_can_be_asked_for(any_desk: Desk, ada: Person) -> None:
    sent = await ada.upload("a.txt", b"0123456789", "text/plain")
    url = f"{BASE}/api/attachments/{sent['id']}/file"
    cases = {
        "bytes=2-4": (206, b"234", "bytes 2-4/10"), "bytes=7-": (206, b"789", "bytes 7-9/10"),
        "bytes=-3": (206, b"789", "bytes 7-9/10"), "bytes=0-99": (206, b"0123456789", "bytes 0-9/10"),
        "bytes=10-": (416, b"", "bytes */10"), "bytes=5-4": (416, b"", "bytes */10"),
        "bytes=a-b": (200, b"0123456789", None), "bytes=0-1,3-4": (200, b"0123456789", None),
    }  # fmt: skip
    for asked, expected in cases.items():
        got = await ada.page.get(url, headers={"Range": asked})
        assert (got.status_code, got.content, got.headers.get("content-range")) == expected, asked


async def test_a_message_of_a_file_alone_gives_its_thread_the_files_name(any_desk: Desk, ada: Person) -> None:
    sent = await ada.upload("sky.png", BLUE, "image/png")
    await ada.send("", [sent["id"]])
    [thread] = (await ada.ask("threads.list")).json()["data"]
    assert thread["title"] == "sky.png"
