"""Hostile uploads of the kinds that OWASP lists: refused with a message, without leftovers."""

from __future__ import annotations

import asyncio
import json
import struct
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from errors import BadRequestError
from files.examination import examine
from files.spool import ReceivedFile
from files.upload_rules import UploadRules
from tests.unit.files.file_desk import BASE, Desk, Person, code_of, open_desk
from tests.unit.files.file_samples import (
    DOCX,
    PPTX,
    XLSX,
    animation,
    archive,
    document,
    pdf,
    photograph,
    picture,
    png_chunk,
    png_of,
    telephone_photograph,
)
from tests.unit.files.odd_files import MADE, PLAIN
from tests.waiting import until

CONTENTS: dict[str, bytes] = {
    "png": picture(),
    "jpeg": picture("JPEG"),
    "gif": animation(),
    "webp": picture("WEBP"),
    "pdf": pdf("Hello"),
    "docx": document("Hello"),
    "zip": archive({"a.txt": "a"}),
    "wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
    "html": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "php": b"<?php system($_GET['c']); ?>",
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "windows program": b"MZ\x90\0\x03\0\0\0" + bytes(200),
    "linux program": b"\x7fELF\x02\x01\x01" + bytes(200),
    "java class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(50),
    "noise": bytes(range(256)) * 4,
    "nothing but zeros": bytes(500),
}
DECLARED: dict[str, tuple[str, str]] = {
    "png": ("a.png", "image/png"),
    "jpeg": ("a.jpg", "image/jpeg"),
    "gif": ("a.gif", "image/gif"),
    "webp": ("a.webp", "image/webp"),
    "pdf": ("a.pdf", "application/pdf"),
    "docx": ("a.docx", DOCX),
    "xlsx": ("a.xlsx", XLSX),
    "pptx": ("a.pptx", PPTX),
    "wav": ("a.wav", "audio/wav"),
    "heic": ("a.heic", "image/heic"),
}


def _lies() -> Iterator[Any]:
    for said, (name, media_type) in DECLARED.items():
        for truth, data in CONTENTS.items():
            if said != truth:
                yield pytest.param(name, media_type, data, id=f"{truth} as {said}")


def _bomb(name: str, count: int = 1) -> Callable[[], bytes]:
    """Return how it is made: it takes a second, and not whoever only collects these tests."""
    return lambda: archive(
        {"[Content_Types].xml": "<Types/>", name: "", **{f"x{n}": bytes(60_000_000) for n in range(count)}}
    )


def _lying_bomb() -> bytes:
    """A document whose list of contents says that a part is small, and whose part is not."""
    data = bytearray(archive({"[Content_Types].xml": "<Types/>", "word/document.xml": b" " * 50_000_000}))
    place = data.rfind(b"word/document.xml") - 46 + 24
    data[place : place + 4] = struct.pack("<I", 1000)
    return bytes(data)


def _webp(chunk: bytes, size: int) -> bytes:
    return b"RIFF" + struct.pack("<I", size) + b"WEBP" + chunk


def _damaged() -> Iterator[Any]:
    png, jpeg, gif, webp = CONTENTS["png"], CONTENTS["jpeg"], CONTENTS["gif"], CONTENTS["webp"]
    heic = telephone_photograph()
    twice = document("x", **{"word/docUment.xml": b"x"}).replace(b"word/docU", b"word/docu")
    side = heic[(at := heic.index(b"ispe")) : at + 16]
    cases: dict[str, tuple[str, bytes | Callable[[], bytes]]] = {
        "png of 60,000 x 60,000": ("png", png_of(60_000, 60_000)),
        "png of 100 x 2,000,000": ("png", png_of(100, 2_000_000)),
        "png of 2^31 x 2^31": ("png", png_of(2**31 - 1, 2**31 - 1)),
        "png of 8,000 x 8,000": ("png", png_of(8_000, 8_000)),
        "png without size": ("png", png_of(0, 0)),
        "jpeg of 65,000 x 65,000": ("jpeg", jpeg.replace(b"\0\x28\0\x3c", struct.pack(">HH", 65_000, 65_000))),
        "gif of 65,000 x 65,000": ("gif", gif[:6] + struct.pack("<HH", 65_000, 65_000) + gif[10:]),
        "png that is a head": ("png", png[:8]),
        "png without pixels": ("png", png[:33] + png_chunk(b"IEND", b"")),
        "png with a false chunk": ("png", png[:33] + b"\xff\xff\xff\xffIDAT"),
        "png with a script for a chunk": ("png", png[:33] + b"<script>alert(1)</script>"),
        "jpeg that is a head": ("jpeg", b"\xff\xd8\xff\xe0"),
        "jpeg with a script": ("jpeg", jpeg[:20] + b"<script>alert(1)</script>"),
        "jpeg without pixels": ("jpeg", b"\xff\xd8\xff\xd9" + bytes(50)),
        "gif that is a head": ("gif", b"GIF89a"),
        "gif that is JavaScript": ("gif", b"GIF89a/*" + bytes(6) + b"*/=1;alert(1)//" + b"x" * 50),
        "gif with a script for a block": ("gif", gif[:-1] + b"<script>alert(1)</script>"),
        "webp that is a head": ("webp", b"RIFF\x04\0\0\0WEBP"),
        "webp with too long a chunk": ("webp", _webp(b"VP8 \xff\xff\xff\x7f" + bytes(30), 42)),
        "webp that says it is large": ("webp", webp[:4] + b"\xff\xff\xff\xff" + webp[8:]),
        "heic of 60,000 x 60,000": ("heic", heic.replace(side, side[:8] + struct.pack(">II", 60_000, 60_000))),
        "heic cut in the middle": ("heic", heic[: len(heic) // 2]),
        "heic that is a head": ("heic", heic[:24]),
        "docx bomb": ("docx", _bomb("word/document.xml")),
        "docx bomb of many": ("docx", _bomb("word/document.xml", 6)),
        "xlsx bomb": ("xlsx", _bomb("xl/workbook.xml")),
        "pptx bomb": ("pptx", _bomb("ppt/presentation.xml")),
        "docx of 20,000 parts": ("docx", lambda: archive({f"p{n}": b"" for n in range(20_000)}, zipfile.ZIP_STORED)),
        "zip in place of docx": ("docx", archive({"word/document.xml": "<a/>"})),
        "docx without a list of contents": ("docx", document("x")[:100]),
        "docx cut in the middle": ("docx", document("x")[:-30]),
        "docx with macros": ("docx", document("x", **{"word/vbaProject.bin": b"x"})),
        "docx for another folder": ("docx", document("x", **{"../../evil.sh": b"x"})),
        "docx for the root": ("docx", document("x", **{"/etc/cron.d/evil": b"x"})),
        "docx for a drive": ("docx", document("x", **{"C:\\evil.bat": b"x"})),
        "docx with two parts of one name": ("docx", twice),
        "docx with a zip behind": ("docx", document("x") + archive({"evil.js": "1"})),
        "pdf that is a head": ("pdf", b"%PDF-1.7"),
        "pdf that is a page": ("pdf", b"%PDF-1.7<script>alert(1)</script>"),
        "pdf cut in the middle": ("pdf", pdf("x")[:-60]),
        "pdf with a zip behind": ("pdf", pdf("x") + archive({"evil.js": "1"})),
        "pdf with a page behind": ("pdf", pdf("x") + b"<script>alert(1)</script>" * 100),
    }  # fmt: skip
    for cut in (40, len(png) // 2, len(png) - 1):
        cases[f"png cut at {cut}"] = ("png", png[:cut])
    for cut in (30, len(jpeg) // 2, len(jpeg) - 2):
        cases[f"jpeg cut at {cut}"] = ("jpeg", jpeg[:cut])
    for cut in (20, len(gif) // 2, len(gif) - 1):
        cases[f"gif cut at {cut}"] = ("gif", gif[:cut])
    for cut in (20, len(webp) // 2, len(webp) - 2):
        cases[f"webp cut at {cut}"] = ("webp", webp[:cut])
    for case, (said, data) in cases.items():
        yield pytest.param(*DECLARED[said], data, id=case)


def _unknown() -> Iterator[Any]:
    for kind in ("zip", "windows program", "linux program", "java class", "noise", "nothing but zeros"):
        for name, media_type in (
            ("a.bin", "application/octet-stream"), ("a.exe", "application/x-msdownload"), ("a", ""),
            ("a.txt", "text/plain"), ("a.csv", "text/csv"), ("a.json", "application/json"),
        ):  # fmt: skip
            yield pytest.param(name, media_type, CONTENTS[kind], id=f"{kind} as {name} {media_type}")


def _odd() -> Iterator[Any]:
    for kind, values in (PLAIN | MADE).items():
        yield pytest.param(*values, id=kind)


CASES = [*_lies(), *_damaged(), *_unknown(), *_odd()]


def test_there_are_some_hundreds_of_them() -> None:
    assert len(CASES) > 300
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("part", range(8))
async def test_files_that_differ_from_their_type_are_refused_and_leave_nothing(
    desk: Desk, ada: Person, part: int
) -> None:
    for case in CASES[part::8]:
        name, media_type, content = case.values
        data = content() if callable(content) else content
        announced = await ada.announce(name, data, media_type)
        refused = announced if announced.status_code != 200 else await ada.put(announced.json(), data)
        assert refused.status_code in (400, 413, 415), (case.id, refused.text)
        error = refused.json()["error"]
        assert error["code"].startswith("attachments."), case.id
        assert error["message"].endswith("."), case.id
        assert "Error" not in error["message"], case.id
        assert (await desk.keys(), await desk.rows()) == ([], 0), case.id
    await _assert_nothing_is_left(desk)


def test_parts_of_a_picture_are_counted_before_a_decoder_looks_at_them(tmp_path: Path) -> None:
    name, media_type, make = MADE["jpeg of filling"]
    path = tmp_path / "picture"
    path.write_bytes(make())
    with pytest.raises(BadRequestError):
        # The copy without notes is not made, and the decoder takes this.
        examine(
            ReceivedFile(path, path.stat().st_size, "", None),
            name,
            media_type,
            UploadRules(is_enabled=True, max_bytes=2**30),
            keeps_metadata=True,
        )


async def _assert_nothing_is_left(desk: Desk) -> None:
    assert (await desk.keys(), await desk.rows()) == ([], 0)
    await _until_spool_is_empty(desk)


async def _until_spool_is_empty(desk: Desk) -> None:
    folder = desk.services.settings.data_dir / "uploads"
    await until(lambda: not any(folder.iterdir()))


@pytest.mark.parametrize("claimed", [-1, 0, 2**40, 21 * 1024 * 1024])
async def test_a_size_that_cannot_be_is_refused_before_any_byte(desk: Desk, ada: Person, claimed: int) -> None:
    answer = await ada.announce("a.txt", b"x", "text/plain", size=claimed)
    assert answer.status_code in (400, 413)
    assert await desk.rows() == 0


@pytest.mark.parametrize("claimed", [1, 9, 11, 1000])
async def test_a_size_that_is_a_lie_is_refused(desk: Desk, ada: Person, claimed: int) -> None:
    announced = (await ada.announce("a.txt", b"0123456789", "text/plain", size=claimed)).json()
    answer = await ada.put(announced, b"0123456789")
    assert answer.json()["error"]["code"] == "attachments.size_mismatch"
    await _assert_nothing_is_left(desk)


async def test_a_body_that_never_ends_is_cut_off(desk: Desk, ada: Person) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield bytes(65_536)

    announced = (await ada.announce("a.png", bytes(300_000), "image/png")).json()
    assert code_of(await ada.put(announced, body())) == (413, "attachments.size_mismatch")
    assert sent < 3_000_000
    await _assert_nothing_is_left(desk)


async def test_a_url_that_was_changed_opens_nothing(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"words", "text/plain")).json()
    other = (await ada.announce("b.txt", b"words", "text/plain")).json()
    url = announced["upload_descriptor"]["url"]
    path, _, query = url.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    altered = [
        path,
        f"{path}?expires={expires}",
        f"{path}?signature={signature}",
        f"{path}?expires={int(expires) + 1}&signature={signature}",
        f"{path}?expires={expires}&signature={'0' * 64}",
        f"{path}?expires={expires}&signature={signature[:-1]}",
        f"{path}?expires={expires}&signature={signature.upper()}",
        f"{path}?expires={expires}&signature=",
        f"{path}?expires=&signature={signature}",
        f"{path}?expires=-1&signature={signature}",
        f"{path}?expires=٣&signature={signature}",
        f"{path}?expires={'9' * 400}&signature={signature}",
        url.replace(announced["id"], other["id"]),
        url.replace("/content", "/file"),
        f"{BASE}/api/attachments/{announced['id']}/preview?{query}",
    ]
    for each in altered:
        answer = await ada.anybody.put(each, content=b"words")
        assert answer.status_code in (403, 404, 405), each
    for each in altered:
        assert (await ada.anybody.get(each)).status_code in (404, 405), each
    assert await desk.keys() == []
    assert (await ada.put(announced, b"words")).status_code == 200


async def test_an_expired_url_opens_nothing(desk: Desk, ada: Person) -> None:
    file = await desk.files.find((await ada.announce("a.txt", b"words", "text/plain")).json()["id"])
    urls = desk.files.urls
    signature = urls._sign(file.id, "content", file.owner, 1_700_000_000)
    url = f"{BASE}/api/attachments/{file.id}/content?expires=1700000000&signature={signature}"
    assert code_of(await ada.anybody.put(url, content=b"words")) == (403, "attachments.url_expired")
    assert await desk.keys() == []


ODD_IDS = [
    "atc_",
    "atc_" + "0" * 32,
    "..%2f..%2fsecret.key",
    "%2e%2e",
    "a%00b",
    "ATC_" + "0" * 32,
    "x" * 500,
    "%ff",
    "'--",
]


@pytest.mark.parametrize("odd_id", ODD_IDS)
async def test_an_odd_id_is_merely_missing(desk: Desk, ada: Person, odd_id: str) -> None:
    for way in ("", "/file", "/preview", "/content"):
        answer = await ada.page.get(f"/api/attachments/{odd_id}{way}?expires=9999999999&signature={'0' * 64}")
        assert answer.status_code in (404, 405), answer.text
    put = await ada.page.put(f"/api/attachments/{odd_id}/content?expires=9999999999&signature=00", content=b"x")
    assert put.status_code in (403, 404)
    deleted = await ada.ask("attachments.delete", attachment_id=odd_id)
    assert deleted.status_code == 404
    sent = await ada.ask("threads.create", input={"content": [], "attachments": [odd_id], "inference_options": {}})
    assert sent.status_code == 404
    assert (await ada.ask("threads.list")).json()["data"] == []


async def test_another_person_can_do_nothing_with_a_file(desk: Desk, ada: Person) -> None:
    sent = await ada.upload("mine.txt", b"mine", "text/plain")
    announced = (await ada.announce("soon.txt", b"mine", "text/plain")).json()
    async with desk.person() as bob:
        for each in (sent["id"], announced["id"]):
            for way in ("", "/file", "/preview"):
                assert (await bob.page.get(f"/api/attachments/{each}{way}")).status_code == 404
            assert (await bob.page.put(f"/api/attachments/{each}/content", content=b"his!")).status_code == 403
            assert (await bob.ask("attachments.delete", attachment_id=each)).status_code == 404
            message = {"content": [], "attachments": [each], "inference_options": {}}
            assert (await bob.ask("threads.create", input=message)).status_code == 404
        # A mark that somebody types is signed for them, and opens nothing of others.
        await bob.send(f"parlor-file:{sent['id']}/file")
        shown = (await bob.ask("items.list", thread_id=bob.thread_id, order="asc")).json()["data"][0]["content"][0][
            "text"
        ]
        assert "signature=" in shown
        assert (await bob.anybody.get(shown)).status_code == 404
        assert (await bob.page.get(shown)).status_code == 404
    for use_case in ("other",):
        message = {"content": [], "attachments": [sent["id"]], "inference_options": {}}
        assert (await ada.ask("threads.create", use_case, input=message)).status_code == 404
        assert (await ada.ask("attachments.delete", use_case, attachment_id=sent["id"])).status_code == 404
    assert (await ada.page.get(f"/api/attachments/{sent['id']}/file")).content == b"mine"


async def test_a_file_is_part_of_one_message_and_only_when_it_is_whole(desk: Desk, ada: Person) -> None:
    sent = await ada.upload("a.txt", b"words", "text/plain")
    announced = (await ada.announce("b.txt", b"words", "text/plain")).json()
    both = {"content": [], "attachments": [sent["id"], announced["id"]], "inference_options": {}}
    assert code_of(await ada.ask("threads.create", input=both)) == (409, "attachments.not_uploaded")
    assert (await ada.ask("threads.list")).json()["data"] == [], "all or nothing"
    await ada.send("First", [sent["id"]])
    again = {"content": [], "attachments": [sent["id"]], "inference_options": {}}
    assert code_of(await ada.ask("threads.create", input=again)) == (409, "attachments.sent_already")
    refused = await ada.ask("threads.add_user_message", thread_id=ada.thread_id, input=again)
    assert code_of(refused) == (409, "attachments.sent_already")
    assert len(await ada.shown()) == 1


async def test_two_messages_that_want_one_file_at_once_do_not_both_get_it(desk: Desk, ada: Person) -> None:
    sent = await ada.upload("a.txt", b"words", "text/plain")
    message = {"content": [], "attachments": [sent["id"]], "inference_options": {}}
    answers = await asyncio.gather(*(ada.ask("threads.create", input=message) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert len((await ada.ask("threads.list")).json()["data"]) == 1


async def test_a_pattern_declares_no_type(desk: Desk, ada: Person) -> None:
    sent = await ada.upload("notes", b"words", "*/*")
    assert sent["mime_type"] == "text/plain"


async def test_a_file_deleted_during_its_upload_leaves_nothing(desk: Desk, ada: Person) -> None:
    announced = (await ada.announce("a.txt", b"0123456789", "text/plain")).json()

    async def body() -> AsyncIterator[bytes]:
        yield b"01234"
        assert (await ada.ask("attachments.delete", attachment_id=announced["id"])).status_code == 200
        yield b"56789"

    assert (await ada.put(announced, body())).status_code in (404, 409)
    await _assert_nothing_is_left(desk)


async def test_an_aborted_upload_leaves_no_bytes(desk: Desk, ada: Person) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"01234"
        raise ClientDisconnect

    announced = (await ada.announce("a.txt", b"0123456789", "text/plain")).json()
    with pytest.raises(ClientDisconnect):
        await desk.files.receive(await desk.files.find(announced["id"]), body())
    assert await desk.keys() == []
    await _until_spool_is_empty(desk)
    assert (await ada.put(announced, b"0123456789")).status_code == 200, "it may be tried again"


NAMES = {
    "../../etc/passwd": "passwd.txt?",
    "..\\..\\windows\\win.ini": "win.ini",
    "/etc/shadow": "shadow",
    "a\0b.txt": "ab.txt",
    "a\r\nSet-Cookie: x=1.txt": "a Set-Cookie_ x=1.txt",
    "\u202egnp.txt": "gnp.txt",
    "con.txt": "_con.txt",
    "COM¹.txt": "_COM¹.txt",
    "...": "file",
    " . txt ": "txt",
    'q"uo<te>.txt': "q_uo_te_.txt",
    "x" * 500 + ".txt": "x" * 116 + ".txt",
    "größe.txt": "größe.txt",
    "日本.txt": "日本.txt",
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_reaches_no_path_and_no_header_as_it_came(desk: Desk, ada: Person, name: str) -> None:
    sent = await ada.upload(name, b"words", "text/plain")
    assert sent["name"] == NAMES[name].removesuffix(".txt?")
    had = await ada.page.get(f"/api/attachments/{sent['id']}/file")
    assert had.headers["content-disposition"].startswith("attachment; filename=")
    assert had.headers["content-disposition"].isascii()
    folder = desk.services.settings.data_dir
    [key] = await desk.keys()
    assert key.rpartition("/")[0].endswith(sent["id"])
    known = {key.rpartition("/")[2], "secret.key", "test.db", "test.db-wal", "test.db-shm", "test.db-reserve"}
    assert {path.name for path in folder.rglob("*") if path.is_file()} == known


HARMLESS = {
    "svg": ("a.svg", "image/svg+xml"),
    "html": ("a.html", "text/html"),
    "php": ("a.php", "application/x-httpd-php"),
    "shell": ("a.sh", "application/x-sh"),
}


@pytest.mark.parametrize("kind", HARMLESS)
async def test_executable_content_is_served_only_as_a_text_download(desk: Desk, ada: Person, kind: str) -> None:
    sent = await ada.upload(*HARMLESS[kind][:1], CONTENTS[kind], HARMLESS[kind][1])
    assert (sent["type"], "preview_url" in sent) == ("file", False)
    had = await ada.page.get(f"/api/attachments/{sent['id']}/file")
    assert had.headers["content-type"] == "text/plain; charset=utf-8"
    assert had.headers["x-content-type-options"] == "nosniff"
    assert had.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in had.headers["content-security-policy"]
    assert (await ada.page.get(f"/api/attachments/{sent['id']}/preview")).status_code == 404


@pytest.mark.parametrize("behind", [b"<script>alert(1)</script>", archive({"evil.js": "1"}), pdf("x")])
@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
async def test_data_after_the_end_of_a_picture_is_removed(desk: Desk, ada: Person, kind: str, behind: bytes) -> None:
    sent = await ada.upload(DECLARED[kind][0], CONTENTS[kind] + behind, DECLARED[kind][1])
    kept = (await ada.page.get(f"/api/attachments/{sent['id']}/file")).content
    assert behind not in kept
    assert len(kept) <= len(CONTENTS[kind])


async def test_a_picture_under_a_name_that_runs_gets_one_that_does_not(desk: Desk, ada: Person) -> None:
    sent = await ada.upload("evil.html", CONTENTS["png"], "image/png")
    assert sent["name"] == "evil.html.png"


async def test_a_day_has_a_bound_for_one_person_and_not_for_others(tmp_path: Path) -> None:
    limits = {"max_uploads_per_day": 3, "max_upload_bytes_per_day": 100}
    async with open_desk(tmp_path, **limits) as desk, desk.person() as ada, desk.person() as bob:
        for name in "ab":
            await ada.upload(f"{name}.txt", b"words", "text/plain")
        assert code_of(await ada.announce("c.txt", b"x" * 91, "text/plain")) == (429, "attachments.too_many_today")
        taken_back = await ada.upload("c.txt", b"x" * 90, "text/plain")
        await ada.ask("attachments.delete", attachment_id=taken_back["id"])
        refused = await ada.announce("d.txt", b"x", "text/plain")
        assert code_of(refused) == (429, "attachments.too_many_today"), "to take back is no way around"
        await bob.upload("a.txt", b"words", "text/plain")
        assert len(await desk.keys()) == 3


FORMS = {
    "no form": (b"x", "text/plain"),
    "no boundary": (b"x", "multipart/form-data"),
    "nothing": (b"", "multipart/form-data; boundary=b"),
    "no file": (
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "other field": (
        b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "no end": (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nx',
        "multipart/form-data; boundary=b",
    ),
    "much beside": (
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 200_000 + b"\r\n--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "two files": (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n' * 2 + b"--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "long header": (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + b"a" * 100_000,
        "multipart/form-data; boundary=b",
    ),
    "another boundary": (b"--c\r\n\r\n--c--", "multipart/form-data; boundary=b"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
async def test_an_invalid_form_is_refused(desk: Desk, ada: Person, form: str) -> None:
    body, content_type = FORMS[form]
    answer = await ada.page.post("/chatkit/files/attachments", content=body, headers={"Content-Type": content_type})
    assert answer.status_code in (400, 415), answer.text
    await _assert_nothing_is_left(desk)
    announced = (await ada.announce("a.txt", b"x", "text/plain")).json()
    url = announced["upload_descriptor"]["url"]
    answer = await ada.anybody.post(url, content=body, headers={"Content-Type": content_type})
    assert answer.status_code in (400, 415), answer.text
    assert await desk.keys() == []


async def test_the_log_contains_no_signatures(desk: Desk, ada: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    sent = await ada.upload("a.png", photograph(), "image/jpeg")
    await ada.send("Look", [sent["id"]])
    await ada.anybody.get((await ada.shown())[0]["preview_url"])
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert len(ours) > 5
    assert "signature" not in json.dumps([str(vars(record)) for record in ours])
