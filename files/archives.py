"""Type of a ZIP archive, and checks for zip bombs and odd office documents, before anything is unpacked."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from errors import BadRequestError
from files import media_types as types

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 300_000_000
MAX_PACKING = 200
"""How many times larger an archive may be than its file; text packs 10 to 20 times."""

MAX_TYPES_BYTES = 2_000_000
"""How long the list of the types of a document's parts may be."""

_TYPES_PART = "[Content_Types].xml"
_OFFICE_PARTS = {"word/document.xml": types.DOCX, "xl/workbook.xml": types.XLSX, "ppt/presentation.xml": types.PPTX}
# Some programs give the part another number, and all of them say in the list what it is. Source: ECMA-376, 11.3.10.
_OFFICE_TYPES = {f"{kind}.main+xml".encode(): kind for kind in _OFFICE_PARTS.values()}
# A part with macros may have any name; programs go by its type.
_MACROS = re.compile(rb"macroenabled|vbaproject|macrosheet", re.IGNORECASE)
_DAMAGED = (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, zlib.error)


def type_of_archive(path: Path) -> str:
    """Return the media type of a ZIP archive, by its list of contents and the types that are declared in it.

    Raises:
        BadRequestError: When it is damaged, unpacks to far more than it is, or is a document with something odd.
    """
    damaged = BadRequestError("The file is damaged: it cannot be opened.", code="attachments.damaged")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(entries, path.stat().st_size)
            return _office_type(archive) or types.ZIP
    except _DAMAGED as exc:
        raise damaged from exc


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_PACKING * max(size, 1024):
        raise BadRequestError("The file unpacks to far more than it is, and is not taken.", code="attachments.bomb")
    # Of two parts of one name each program reads the one or the other.
    if len({entry.filename for entry in entries}) != len(entries) or any(map(_is_hostile, entries)):
        raise _odd()


def _is_hostile(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry of an archive is a program, encrypted, or meant for another folder."""
    name = entry.filename
    is_elsewhere = name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name
    return is_elsewhere or name.lower().endswith("vbaproject.bin") or bool(entry.flag_bits & 0x1)


def _office_type(archive: zipfile.ZipFile) -> str | None:
    names = archive.namelist()
    if _TYPES_PART not in names:
        return None
    if archive.getinfo(_TYPES_PART).file_size > MAX_TYPES_BYTES:
        raise _odd()
    try:
        # It may be UTF-16, of which this is all that matters here.
        declared = archive.read(_TYPES_PART).replace(b"\0", b"")
        by_name = next((kind for part, kind in _OFFICE_PARTS.items() if part in names), None)
        kind = by_name or next((kind for said, kind in _OFFICE_TYPES.items() if said in declared), None)
        if kind is not None:
            for entry in archive.infolist():
                # Refuses what has another name in front of its bytes than in the list, or is packed as nobody does.
                archive.open(entry).close()
    except (*_DAMAGED, RuntimeError) as exc:
        raise _odd() from exc
    if kind is not None and _MACROS.search(declared):
        raise _odd()
    return kind


def _odd() -> BadRequestError:
    return BadRequestError(
        "The file holds macros or is packed in an odd way, and is not taken.", code="attachments.odd_archive"
    )
