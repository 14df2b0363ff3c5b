"""Files that must be refused, by their type or by a trick of their format, for the hostile uploads."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.unit.files.file_samples import DOCX, XLSX, animation, archive, document, picture, png_chunk

MANY = 1_000_000
"""Number of empty parts in a picture that a program reads one after the other."""

_ZEROS = bytes(100)
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
"""The beginning of a compound file: documents of before 2007, and encrypted ones of today."""

PLAIN: dict[str, tuple[str, str, bytes]] = {
    "tiff as png": ("a.png", "image/png", b"II*\0\x08\0\0\0" + _ZEROS),
    "bigtiff as jpeg": ("a.jpg", "image/jpeg", b"MM\0+\0\x08\0\0" + _ZEROS),
    "tiff as nothing": ("a", "", b"II*\0\x08\0\0\0" + _ZEROS),
    "icon": ("a.ico", "image/x-icon", b"\0\0\1\0\1\0\xff\xff\0\0\1\0\x20\0" + _ZEROS),
    "jpeg xl": ("a.jxl", "image/jxl", b"\xff\x0a" + _ZEROS),
    "jpeg xl as jpeg": ("a.jpg", "image/jpeg", b"\0\0\0\x0cJXL \r\n\x87\n" + _ZEROS),
    "jpeg 2000 as jpeg": ("a.jpg", "image/jpeg", b"\0\0\0\x0cjP  \r\n\x87\n" + _ZEROS),
    "photoshop as png": ("a.png", "image/png", b"8BPS\0\1" + _ZEROS),
    "metafile": ("a.emf", "image/emf", b"\1\0\0\0" + bytes(36) + b" EMF" + _ZEROS),
    "postscript": ("a.eps", "application/postscript", b"%!PS-Adobe-3.0 EPSF\n(%pipe%id) (r) file"),
    "postscript as png": ("a.png", "image/png", b"%!PS-Adobe-3.0 EPSF\n(%pipe%id) (r) file"),
    "commands of imagemagick as png": ("a.png", "image/png", b"push graphic-context\nfill 'url(https://x|ls)'"),
    "svg with an xml head as png": ("a.png", "image/png", b"<?xml version='1.0'?><svg/>"),
    "packed svg": ("a.svgz", "image/svg+xml", gzip.compress(b"<svg/>")),
    "help of windows": ("a.chm", "application/vnd.ms-htmlhelp", b"ITSF\3\0\0\0" + _ZEROS),
    "shortcut": ("a.lnk", "application/octet-stream", b"L\0\0\0\1\x14\2\0" + _ZEROS),
    "shortcut as text": ("a.txt", "text/plain", b"L\0\0\0\1\x14\2\0" + _ZEROS),
    "gzip as text": ("a.txt", "text/plain", gzip.compress(b"x" * 1000)),
    "tar": ("a.tar.gz", "application/gzip", gzip.compress(b"x" * 1000)),
    "7z as docx": ("a.docx", DOCX, b"7z\xbc\xaf\x27\x1c" + _ZEROS),
    "rar as docx": ("a.docx", DOCX, b"Rar!\x1a\7\0" + _ZEROS),
    "old workbook as xlsx": ("a.xlsx", XLSX, _COMPOUND),
    "old document": ("a.doc", "application/msword", _COMPOUND),
    "encrypted docx": ("a.docx", DOCX, _COMPOUND + "EncryptedPackage".encode("utf-16-le")),
    "open document as docx": (
        "a.docx", DOCX, archive({"mimetype": "application/vnd.oasis.opendocument.text"}, zipfile.ZIP_STORED),
    ),
    "docx behind a program": ("a.docx", DOCX, b"MZ" + _ZEROS + document("x")),
    "png as a page": ("a.png", "text/html", picture()),
    "csv with NUL": ("a.csv", "text/csv", b"a,b\0,c\n"),
    "utf-32": ("a.txt", "text/plain", "hello".encode("utf-32")),
    "utf-16 without its mark": ("a.txt", "text/plain", "hello".encode("utf-16-le")),
    "half a character of utf-16": ("a.txt", "text/plain", "hello".encode("utf-16")[:-1]),
    "half a pair of utf-16": ("a.txt", "text/plain", b"\xff\xfe\x00\xd8a\0"),
}  # fmt: skip


def _content_types(content_type: str) -> str:
    return f'<Types><Override PartName="/word/a.bin" ContentType="{content_type}"/></Types>'


def _archive_with_type(content_type: str, part: str, encoding: str = "utf-8") -> bytes:
    return archive({"[Content_Types].xml": _content_types(content_type).encode(encoding), part: "<x/>"})


def _webp(canvas: bytes, size: tuple[int, int]) -> bytes:
    inner = picture("WEBP", size)[12:]
    return b"RIFF" + struct.pack("<I", 22 + len(inner)) + b"WEBPVP8X\x0a\0\0\0\0\0\0\0" + canvas + inner


def _png_with_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    png = picture()
    return png[:33] + b"".join(png_chunk(*each) for each in chunks) + png[33:]


def _document_with_renamed_part() -> bytes:
    """A document in which the local header of a part has another name than the central directory."""
    data, name = document("x"), b"word/document.xml"
    return data.replace(name, b"../../../evil.xml", 1)


def _document_with_unknown_compression() -> bytes:
    """A document in which a part has an unknown compression method."""
    data = bytearray(document("x"))
    data[data.index(b"PK\1\2") + 10] = 99
    return bytes(data)


def _jpeg_with_scans(times: int) -> bytes:
    """A JPEG whose last scan is repeated."""
    jpeg = picture("JPEG", (600, 400), progressive=True)
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * times + jpeg[-2:]


def _insert_many(of: bytes, part: bytes, at: int) -> bytes:
    return of[:at] + part * MANY + of[at:]


MADE: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "webp with a canvas of 16 million": ("a.webp", "image/webp", lambda: _webp(b"\xff" * 6, (9, 9))),
    "webp that is larger than its canvas": ("a.webp", "image/webp", lambda: _webp(bytes(6), (900, 900))),
    "png with a note of 100 MB": (
        "a.png", "image/png", lambda: _png_with_chunks((b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(100_000_000)))),
    ),
    "png with 1,000 notes of 1 MB": (
        "a.png", "image/png", lambda: _png_with_chunks(*[(b"zTXt", b"k\0\0" + zlib.compress(bytes(1_000_000)))] * 1000),
    ),
    "png with colours of 100 MB": (
        "a.png", "image/png", lambda: _png_with_chunks((b"iCCP", b"k\0\0" + zlib.compress(bytes(100_000_000)))),
    ),
    "png of empty notes": ("a.png", "image/png", lambda: _insert_many(picture(), png_chunk(b"tEXt", b""), 33)),
    "jpeg of empty notes": ("a.jpg", "image/jpeg", lambda: _insert_many(picture("JPEG"), b"\xff\xfe\0\2", 2)),
    "jpeg of filling": ("a.jpg", "image/jpeg", lambda: _insert_many(picture("JPEG"), b"\xff" * 10, 2)),
    "jpeg of 1,000 scans": ("a.jpg", "image/jpeg", lambda: _jpeg_with_scans(1000)),
    "gif of blocks of a byte": (
        "a.gif", "image/gif", lambda: animation()[:-1] + b"\x21\xfe" + b"\1x" * MANY + b"\0;",
    ),
    "gif of frames": (
        "a.gif", "image/gif",
        lambda: _insert_many(animation(), b"\x2c\0\0\0\0\x14\0\x0a\0\0\x02\x02\x4c\x01\0", len(animation()) - 1),
    ),
    "docx with a part of another name": ("a.docx", DOCX, _document_with_renamed_part),
    "docx that is packed as nothing is": ("a.docx", DOCX, _document_with_unknown_compression),
    "docx with macros in a part of another name": (
        "a.docx", DOCX, lambda: _archive_with_type("application/vnd.ms-office.vbaProject", "word/document.xml"),
    ),
    "docx that says in UTF-16 that it has macros": (
        "a.docx", DOCX,
        lambda: _archive_with_type(
            "application/vnd.ms-word.document.macroEnabled.main+xml", "word/document.xml", "utf-16"
        ),
    ),
    "xlsx with macros of Excel 4": (
        "a.xlsx", XLSX, lambda: _archive_with_type("application/vnd.ms-excel.macrosheet+xml", "xl/workbook.xml"),
    ),
    "xlsx with an endless list of types": (
        "a.xlsx", XLSX,
        lambda: archive({"[Content_Types].xml": b"x" * 2_100_000, "xl/workbook.xml": ""}, zipfile.ZIP_STORED),
    ),
}  # fmt: skip
