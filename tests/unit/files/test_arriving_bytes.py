"""Processing of uploads while they arrive, so that concurrent ends of uploads delay nobody."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from errors import TooLargeError
from files.examination import examine
from files.object_store import open_object_store
from files.spool import PIECE_BYTES, THREADS, Spool
from files.text_encodings import EncodingFinder
from files.upload_rules import UploadRules

ENCODED = {
    "nothing": (b"", "utf-8-sig"),
    "one letter": (b"a", "utf-8-sig"),
    "utf-8": ("größe 日本 🌦️".encode(), "utf-8-sig"),
    "utf-8 with a mark": ("größe".encode("utf-8-sig"), "utf-8-sig"),
    "utf-16": ("größe 🌦️".encode("utf-16"), "utf-16"),
    "utf-16, the other way": (b"\xfe\xff" + "größe".encode("utf-16-be"), "utf-16"),
    "utf-16, cut off": ("größe".encode("utf-16")[:-1], None),
    "utf-16 with zeros": ("a\0b".encode("utf-16"), None),
    "windows": ("größe".encode("cp1252"), "cp1252"),
    "utf-8, cut off": ("größ".encode()[:-1], "cp1252"),
    "control characters": (b"words\x01words", None),
    "control characters behind what is no utf-8": (b"gr\xf6\xdfe\x00", None),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_an_encoding_is_detected_wherever_the_pieces_end(kind: str) -> None:
    data, expected = ENCODED[kind]
    for size in (2, 3, 5, len(data) + 1):
        finder = EncodingFinder()
        for start in range(0, len(data), size):
            finder.feed(data[start : start + size])
        assert finder.encoding() == expected, size


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 60_000):
        yield data[start : start + 60_000]


async def test_a_text_is_known_when_its_last_byte_is_here_and_is_not_read_again(tmp_path: Path) -> None:
    data = "größe ".encode() * (PIECE_BYTES // 2)
    spool = Spool(tmp_path / "spool")
    async with spool.workspace("ada") as place:
        received = await spool.receive(place, _pieces(data), len(data), TooLargeError("too large"))
        assert (received.encoding, received.sha256) == ("utf-8-sig", hashlib.sha256(data).hexdigest())
        # What lies there now is not looked at, but for its beginning.
        received.path.write_bytes(data[:1000])
        rules = UploadRules(is_enabled=True, max_bytes=len(data))
        examined = examine(received, "a.txt", "text/plain", rules)
        assert (examined.sha256, examined.size, examined.path) == (received.sha256, len(data), received.path)
    spool.close()


async def test_bytes_arrive_while_every_other_thread_has_work_with_files(tmp_path: Path) -> None:
    spool, may_end = Spool(tmp_path / "spool"), threading.Event()
    async with spool.workspace("ada") as place:
        busy = [asyncio.ensure_future(spool.run_in_thread(may_end.wait)) for _ in range(THREADS)]
        try:
            received = await spool.receive(place, _pieces(b"words" * 50_000), 300_000, TooLargeError("too large"))
        finally:
            may_end.set()
            await asyncio.gather(*busy)
        assert received.path.read_bytes() == b"words" * 50_000
    spool.close()


async def test_a_file_on_the_same_disk_is_put_in_its_place_without_a_copy(tmp_path: Path) -> None:
    objects = open_object_store(None, tmp_path / "attachments")
    sent = tmp_path / "sent"
    for data in (b"words", b"others"):
        sent.write_bytes(data)
        await objects.put_file("a/b/content", sent)
        assert sent.stat().st_nlink == 2
        sent.unlink()
        assert await objects.read("a/b/content", 100) == data
        assert await objects.keys() == ["a/b/content"]
    await objects.delete(["a/b/content"])
    assert await objects.keys() == []


async def test_a_file_on_another_disk_is_copied(tmp_path: Path) -> None:
    objects = open_object_store(None, tmp_path / "attachments")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        sent = Path(folder) / "sent"
        sent.write_bytes(b"words")
        await objects.put_file("a/b/content", sent)
    assert await objects.read("a/b/content", 100) == b"words"
