"""Examination of an uploaded file: detects its type, compares it with the declared one, and removes metadata.

It works on a local copy, in a thread, before any of the bytes reach the object store.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from errors import BadRequestError, UnsupportedError
from files import media_types as types
from files.archives import detect_archive_type
from files.names import with_extension_for
from files.picture_bytes import DamagedPictureError, check_picture, copy_picture
from files.picture_conversion import MAX_AVIF_PIXELS, MAX_HEIC_PIXELS, TooManyPixelsError, convert_avif, convert_heic
from files.spool import ReceivedFile
from files.upload_rules import UploadRules

MAX_PIXELS = 50_000_000
"""Largest number of pixels; decoded, at four bytes each, they would take 200 MB."""

MAX_JPEG_PIXELS = 89_000_000
"""Largest number of pixels of a JPEG, which can be decoded at an eighth of its size. Pillow warns of more."""

MAX_SIDE = 30_000

PDF_END_BYTES = 1024
"""Size of the part at the end of a PDF document in which its end marker has to be."""

_FORMATS = {types.PNG: "PNG", types.JPEG: "JPEG", types.GIF: "GIF", types.WEBP: "WEBP"}
_CONVERSIONS = {
    types.AVIF: (convert_avif, types.WEBP, MAX_AVIF_PIXELS),
    types.HEIC: (convert_heic, types.JPEG, MAX_HEIC_PIXELS),
}


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """A file that has passed the examination.

    Attributes:
        name: The name of the file, with an extension that matches the type.
        media_type: The type, detected from the bytes.
        size: The size of the file to store, in bytes.
        sha256: The hash of the bytes to store, hexadecimal.
        path: The local copy to store.
        width: The width of a picture as displayed, in pixels.
        height: The height of a picture as displayed, in pixels.
    """

    name: str
    media_type: str
    size: int
    sha256: str
    path: Path
    width: int | None = None
    height: int | None = None


def examine(
    received: ReceivedFile, name: str, declared: str, rules: UploadRules, *, keeps_metadata: bool = False
) -> ExaminedFile:
    """Detect the type, size and dimensions of an upload, and check them. Blocks: to be called in a thread.

    Args:
        received: The file. A picture is copied beside it, without its metadata.
        name: The clean name of the file.
        declared: The declared media type, normalized.
        rules: The upload rules of the use case.
        keeps_metadata: Whether pictures keep their metadata.

    Raises:
        UserFacingError: When the file is of another type than declared, rejected by the rules, or dangerous.
    """
    path = received.path
    with path.open("rb") as file:
        head = file.read(types.SNIFFED_BYTES)
    if not head:
        raise BadRequestError("The file is empty.", code="attachments.empty")
    detected = types.sniff_type(head)
    if detected == types.ZIP:
        detected = detect_archive_type(path)
    media_type = _resolve_type(received, detected, declared, name)
    name = with_extension_for(name, media_type)
    rules.check(name, media_type, received.size, is_declared=False)
    if media_type in _CONVERSIONS:
        path, media_type = _convert_picture(path, media_type)
        name = with_extension_for(name[: len(name) - len(types.extension_of(name))], media_type)
    width, height = None, None
    if media_type == types.PDF:
        _check_end_of_pdf(path)
    if media_type in types.PICTURES:
        orientation = _check_picture_parts(path, media_type)
        width, height = _measure_picture(path, media_type, orientation)
        if not keeps_metadata:
            path = _copy_without_metadata(path, media_type, orientation)
    if path == received.path:
        return ExaminedFile(name, media_type, received.size, received.sha256, path, width, height)
    return ExaminedFile(name, media_type, path.stat().st_size, hash_file(path), path, width, height)


def examine_assistant_file(received: ReceivedFile, name: str, declared: str) -> ExaminedFile:
    """Detect the type, size and dimensions of a file from an assistant. Blocks: to be called in a thread.

    Raises:
        BadRequestError: When the file is empty, or a picture that is damaged or too large.
    """
    path = received.path
    if not received.size:
        raise BadRequestError("The file is empty.", code="attachments.empty")
    with path.open("rb") as file:
        detected = types.sniff_type(file.read(types.SNIFFED_BYTES))
    if detected == types.ZIP:
        detected = detect_archive_type(path)
    if detected is None:
        text_type = types.text_type(declared, name) if received.encoding is not None else None
        detected = text_type or (declared if declared not in types.EXTENSIONS else types.UNKNOWN)
    width, height = None, None
    if detected in types.PICTURES:
        width, height = _measure_picture(path, detected)
    return ExaminedFile(
        with_extension_for(name, detected), detected, received.size, received.sha256, path, width, height
    )


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _resolve_type(received: ReceivedFile, detected: str | None, declared: str, name: str) -> str:
    """Return the media type of a file from its detected and declared types.

    Raises:
        UnsupportedError: When the two contradict each other.
    """
    if detected is not None:
        if declared in (detected, types.UNKNOWN):
            return detected
        raise _type_mismatch(declared, name, detected)
    if received.encoding is None:
        if declared in types.EXTENSIONS or types.is_text(declared):
            raise _type_mismatch(declared, name, None)
        return types.UNKNOWN
    text_type = types.text_type(declared, name)
    if text_type is None:
        raise _type_mismatch(declared, name, types.PLAIN)
    return text_type


def _type_mismatch(declared: str, name: str, detected: str | None) -> UnsupportedError:
    claimed = declared
    if declared == types.UNKNOWN or (types.is_text(declared) and detected == types.PLAIN):
        # The declared type is unspecific or correct, so it is the extension that contradicts the bytes.
        extension = types.extension_of(name)
        claimed = next((kind for kind, each in types.EXTENSIONS.items() if extension in each), declared)
    actual = f": it is {types.describe(detected)}" if detected is not None else ""
    return UnsupportedError(
        f"The file “{name}” is not {types.describe(claimed)}, as it says{actual}.", code="attachments.type_mismatch"
    )


def _check_end_of_pdf(path: Path) -> None:
    """Reject a PDF document that is truncated, or has another file appended. Source: ISO 32000-2, 7.5.5.

    Raises:
        BadRequestError: When there is no end marker, or an archive after it.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - PDF_END_BYTES))
        end = file.read()
    # Many documents have a few stray bytes after the marker; an archive there is detected by its own end record.
    if b"%%EOF" not in end or b"PK\x05\x06" in end:
        raise BadRequestError("The document is damaged: it has no proper end.", code="attachments.damaged")


def _check_picture_parts(path: Path, media_type: str) -> int:
    try:
        with path.open("rb") as file:
            return check_picture(file, media_type)
    except DamagedPictureError as exc:
        raise _damaged_picture() from exc


def _measure_picture(path: Path, media_type: str, orientation: int = 1) -> tuple[int, int]:
    """Return width and height of a picture as displayed; only its header is read.

    Raises:
        BadRequestError: When the picture is damaged, or has too many pixels.
    """
    try:
        with path.open("rb") as file, Image.open(file, formats=(_FORMATS[media_type],)) as image:
            width, height = image.size
    except Exception as exc:  # decoders raise all kinds of errors for untrusted bytes
        if isinstance(exc, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise _too_many_pixels() from exc
        raise _damaged_picture() from exc
    max_pixels = MAX_JPEG_PIXELS if media_type == types.JPEG else MAX_PIXELS
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        raise _too_many_pixels()
    return (height, width) if orientation in (5, 6, 7, 8) else (width, height)


def _copy_without_metadata(path: Path, media_type: str, orientation: int) -> Path:
    copy = path.with_name(f"{path.name}.clean")
    try:
        with path.open("rb") as source, copy.open("wb") as target:
            copy_picture(source, target, media_type, orientation)
    except DamagedPictureError as exc:
        raise _damaged_picture() from exc
    return copy


def _convert_picture(path: Path, media_type: str) -> tuple[Path, str]:
    convert, converted_type, max_pixels = _CONVERSIONS[media_type]
    try:
        return convert(path), converted_type
    except TooManyPixelsError as exc:
        raise _too_many_pixels(max_pixels) from exc
    except Exception as exc:  # decoders raise all kinds of errors for untrusted bytes
        raise _damaged_picture() from exc


def _damaged_picture() -> BadRequestError:
    return BadRequestError("The picture is damaged: it cannot be opened.", code="attachments.damaged")


def _too_many_pixels(max_pixels: int = MAX_PIXELS) -> BadRequestError:
    return BadRequestError(
        f"The picture has too many pixels: at most {max_pixels // 1_000_000} million are taken.",
        code="attachments.too_many_pixels",
    )
