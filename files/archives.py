"""Detection of the type of a ZIP archive, and of zip bombs and macros, before anything is unpacked."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from errors import BadRequestError
from files import media_types as types

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 300_000_000
MAX_COMPRESSION_RATIO = 200
"""Largest ratio of the unpacked size to that of the archive; text compresses 10 to 20 times."""

MAX_CONTENT_TYPES_BYTES = 2_000_000
"""Size limit of the list of content types in an office document."""

_CONTENT_TYPES_PART = "[Content_Types].xml"
_OFFICE_PARTS = {"word/document.xml": types.DOCX, "xl/workbook.xml": types.XLSX, "ppt/presentation.xml": types.PPTX}
# Some programs name the main part otherwise, but all declare its content type. Source: ECMA-376, 11.3.10.
_OFFICE_CONTENT_TYPES = {f"{kind}.main+xml".encode(): kind for kind in _OFFICE_PARTS.values()}
# A part with macros may have any name: programs go by its content type.
_MACROS = re.compile(rb"macroenabled|vbaproject|macrosheet", re.IGNORECASE)
_ARCHIVE_ERRORS = (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, zlib.error)


def detect_archive_type(path: Path) -> str:
    """Return the media type of a ZIP archive, according to its directory and its declared content types.

    Raises:
        BadRequestError: When the archive is damaged, a zip bomb, or an office document with macros or odd entries.
    """
    damaged = BadRequestError("The file is damaged: it cannot be opened.", code="attachments.damaged")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(entries, path.stat().st_size)
            return _detect_office_type(archive) or types.ZIP
    except _ARCHIVE_ERRORS as exc:
        raise damaged from exc


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    max_unpacked = min(MAX_UNPACKED_BYTES, MAX_COMPRESSION_RATIO * max(size, 1024))
    if len(entries) > MAX_ENTRIES or unpacked > max_unpacked:
        raise BadRequestError("The file unpacks to far more than it is, and is not taken.", code="attachments.bomb")
    # Of two entries with one name, some programs read the first and some the second.
    if len({entry.filename for entry in entries}) != len(entries) or any(map(_is_hostile, entries)):
        raise _odd_archive_error()


def _is_hostile(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry contains macros, is encrypted, or would be extracted to another folder."""
    name = entry.filename
    is_outside = name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name
    return is_outside or name.lower().endswith("vbaproject.bin") or bool(entry.flag_bits & 0x1)


def _detect_office_type(archive: zipfile.ZipFile) -> str | None:
    names = archive.namelist()
    if _CONTENT_TYPES_PART not in names:
        return None
    if archive.getinfo(_CONTENT_TYPES_PART).file_size > MAX_CONTENT_TYPES_BYTES:
        raise _odd_archive_error()
    try:
        # The part may be in UTF-16; without NUL bytes its ASCII text can be searched.
        declared = archive.read(_CONTENT_TYPES_PART).replace(b"\0", b"")
        by_name = next((kind for part, kind in _OFFICE_PARTS.items() if part in names), None)
        kind = by_name or next((kind for marker, kind in _OFFICE_CONTENT_TYPES.items() if marker in declared), None)
        if kind is not None:
            for entry in archive.infolist():
                # Fails for entries with another name in their local header, or an unknown compression.
                archive.open(entry).close()
    except (*_ARCHIVE_ERRORS, RuntimeError) as exc:
        raise _odd_archive_error() from exc
    if kind is not None and _MACROS.search(declared):
        raise _odd_archive_error()
    return kind


def _odd_archive_error() -> BadRequestError:
    return BadRequestError(
        "The file holds macros or is packed in an odd way, and is not taken.", code="attachments.odd_archive"
    )
