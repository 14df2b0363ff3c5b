"""Examination of a file that has arrived: what it is, whether it is what it was said to be, and how it is kept.

It happens on a local copy, in a thread, before anything of it reaches the object store.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from errors import BadRequestError, UnsupportedError
from files import media_types as types
from files.archives import type_of_archive
from files.names import named_as
from files.picture_bytes import DamagedPictureError, check_picture, copy_picture
from files.picture_conversion import MAX_AVIF_PIXELS, MAX_HEIC_PIXELS, TooManyPixelsError, convert_avif, convert_heic
from files.spool import Received
from files.upload_rules import UploadRules

MAX_PIXELS = 50_000_000
"""More pixels than this are refused: decoded, four bytes each, they would be 200 MB."""

MAX_JPEG_PIXELS = 89_000_000
"""More are taken of a JPEG, which can be decoded at an eighth of its size. Pillow itself warns beyond that."""

MAX_SIDE = 30_000

PDF_END_BYTES = 1024
"""How far from the end of a PDF document the mark of its end may stand."""

_FORMATS = {types.PNG: "PNG", types.JPEG: "JPEG", types.GIF: "GIF", types.WEBP: "WEBP"}
_CONVERTED = {
    types.AVIF: (convert_avif, types.WEBP, MAX_AVIF_PIXELS),
    types.HEIC: (convert_heic, types.JPEG, MAX_HEIC_PIXELS),
}


@dataclass(frozen=True, slots=True)
class Examined:
    """Findings about a file.

    Attributes:
        name: The file's name, with an extension that fits.
        media_type: The type, told from the bytes.
        size: The size in bytes, as it is kept.
        sha256: The hash of the bytes as they are kept, hexadecimal.
        path: The local copy that is to be kept.
        width: The width of a picture as it is shown, in pixels.
        height: The height of a picture as it is shown, in pixels.
    """

    name: str
    media_type: str
    size: int
    sha256: str
    path: Path
    width: int | None = None
    height: int | None = None


def examine(
    received: Received, name: str, declared: str, rules: UploadRules, *, keeps_metadata: bool = False
) -> Examined:
    """Find out the type, size and measures of an upload, and check them. Blocks: to be called in a thread.

    Args:
        received: The file. A picture is copied beside it, without its metadata.
        name: The clean name of the file.
        declared: The type that it was declared as, normalized.
        rules: The upload rules of the use case.
        keeps_metadata: Whether pictures keep theirs.

    Raises:
        UserFacingError: When it is not what was declared, is refused by the rules, or could do harm.
    """
    path = received.path
    with path.open("rb") as file:
        head = file.read(types.SNIFFED_BYTES)
    if not head:
        raise BadRequestError("The file is empty.", code="attachments.empty")
    found = types.sniff(head)
    if found == types.ZIP:
        found = type_of_archive(path)
    media_type = _agreed_type(received, found, declared, name)
    name = named_as(name, media_type)
    rules.check(name, media_type, received.size, is_declared=False)
    if media_type in _CONVERTED:
        path, media_type = _converted(path, media_type)
        name = named_as(name[: len(name) - len(types.extension_of(name))], media_type)
    width, height = None, None
    if media_type == types.PDF:
        _check_end_of_pdf(path)
    if media_type in types.PICTURES:
        orientation = _check_parts(path, media_type)
        width, height = _measure(path, media_type, orientation)
        if not keeps_metadata:
            path = _without_metadata(path, media_type, orientation)
    if path == received.path:
        return Examined(name, media_type, received.size, received.sha256, path, width, height)
    return Examined(name, media_type, path.stat().st_size, hash_of(path), path, width, height)


def examine_own(received: Received, name: str, declared: str) -> Examined:
    """Find out the type, size and measures of an assistant's file. Blocks: to be called in a thread.

    Raises:
        BadRequestError: When it is empty, or a picture that cannot be.
    """
    path = received.path
    if not received.size:
        raise BadRequestError("The file is empty.", code="attachments.empty")
    with path.open("rb") as file:
        found = types.sniff(file.read(types.SNIFFED_BYTES))
    if found == types.ZIP:
        found = type_of_archive(path)
    if found is None:
        text_type = types.text_type(declared, name) if received.encoding is not None else None
        found = text_type or (declared if declared not in types.EXTENSIONS else types.UNKNOWN)
    width, height = None, None
    if found in types.PICTURES:
        width, height = _measure(path, found)
    return Examined(named_as(name, found), found, received.size, received.sha256, path, width, height)


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _agreed_type(received: Received, found: str | None, declared: str, name: str) -> str:
    """Return the type of a file's bytes.

    Raises:
        UnsupportedError: When it was declared as something else.
    """
    if found is not None:
        if declared in (found, types.UNKNOWN):
            return found
        raise _lie(declared, name, found)
    if received.encoding is None:
        if declared in types.EXTENSIONS or types.is_text(declared):
            raise _lie(declared, name, None)
        return types.UNKNOWN
    text_type = types.text_type(declared, name)
    if text_type is None:
        raise _lie(declared, name, types.PLAIN)
    return text_type


def _lie(declared: str, name: str, found: str | None) -> UnsupportedError:
    said = declared
    if declared == types.UNKNOWN or (types.is_text(declared) and found == types.PLAIN):
        # What is declared as nothing in particular, or rightly as a text, has an extension that says something else.
        extension = types.extension_of(name)
        said = next((kind for kind, each in types.EXTENSIONS.items() if extension in each), declared)
    truth = f": it is {types.describe(found)}" if found is not None else ""
    return UnsupportedError(
        f"The file “{name}” is not {types.describe(said)}, as it says{truth}.", code="attachments.type_mismatch"
    )


def _check_end_of_pdf(path: Path) -> None:
    """Refuse a PDF document that is cut off, or behind whose end another file hangs. Source: ISO 32000-2, 7.5.5.

    Raises:
        BadRequestError: When it is one of them.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - PDF_END_BYTES))
        end = file.read()
    # A few odd bytes stand behind the mark in many a document; an archive there is told by the end of its own.
    if b"%%EOF" not in end or b"PK\x05\x06" in end:
        raise BadRequestError("The document is damaged: it has no proper end.", code="attachments.damaged")


def _check_parts(path: Path, media_type: str) -> int:
    try:
        with path.open("rb") as file:
            return check_picture(file, media_type)
    except DamagedPictureError as exc:
        raise _damaged_picture() from exc


def _measure(path: Path, media_type: str, orientation: int = 1) -> tuple[int, int]:
    """Return width and height of a picture as it is shown, from its beginning alone.

    Raises:
        BadRequestError: When it is damaged, or has too many pixels.
    """
    try:
        with path.open("rb") as file, Image.open(file, formats=(_FORMATS[media_type],)) as image:
            width, height = image.size
    except Exception as exc:  # decoders raise all kinds of errors for what a stranger's bytes hold
        if isinstance(exc, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise _too_many_pixels() from exc
        raise _damaged_picture() from exc
    most = MAX_JPEG_PIXELS if media_type == types.JPEG else MAX_PIXELS
    if width * height > most or max(width, height) > MAX_SIDE:
        raise _too_many_pixels()
    return (height, width) if orientation in (5, 6, 7, 8) else (width, height)


def _without_metadata(path: Path, media_type: str, orientation: int) -> Path:
    copy = path.with_name(f"{path.name}.clean")
    try:
        with path.open("rb") as source, copy.open("wb") as target:
            copy_picture(source, target, media_type, orientation)
    except DamagedPictureError as exc:
        raise _damaged_picture() from exc
    return copy


def _converted(path: Path, media_type: str) -> tuple[Path, str]:
    convert, converted_type, most = _CONVERTED[media_type]
    try:
        return convert(path), converted_type
    except TooManyPixelsError as exc:
        raise _too_many_pixels(most) from exc
    except Exception as exc:  # decoders raise all kinds of errors for what a stranger's bytes hold
        raise _damaged_picture() from exc


def _damaged_picture() -> BadRequestError:
    return BadRequestError("The picture is damaged: it cannot be opened.", code="attachments.damaged")


def _too_many_pixels(most: int = MAX_PIXELS) -> BadRequestError:
    return BadRequestError(
        f"The picture has too many pixels: at most {most // 1_000_000} million are taken.",
        code="attachments.too_many_pixels",
    )
