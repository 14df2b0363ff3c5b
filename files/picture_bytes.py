"""Removes the metadata of pictures: position, camera, comments, and anything after the end of the picture.

The pixels stay as they are: parts of the file are copied or left out, nothing is decoded. A file that is not built as
its format demands is refused, so that nothing else can hide in it. Sources: ITU-T T.81, annex B; PNG, third edition, 5;
GIF89a, 15 to 27; RFC 9649.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import IO

from PIL import Image

from files.media_types import GIF, JPEG, PNG, WEBP

PIECE_BYTES = 256 * 1024
MAX_PARTS = 200_000
"""Parts of one file; a long animation has some thousands."""

MAX_SCANS = 100
"""Scans of a JPEG. Encoders write a dozen; each costs a decoder a pass over all pixels, whatever few bytes it has."""

SMALL_BLOCK_BYTES = 128
"""Blocks of a GIF that are smaller count as parts; those of most programs have 255 bytes, but for the last."""

_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs hIST sPLT acTL fcTL fdAT".split()
)
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_EXIF = 0x08
_WEBP_NOTES = _WEBP_EXIF | 0x04
"""Flags of VP8X that announce EXIF and XMP."""

MAX_EXIF_BYTES = 256 * 1024
"""Notes of a camera are read up to that; most have 64 KB at most, which is all that a JPEG can hold."""

_JPEG_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
# In the data of a scan, FF 00 is a byte FF, FF D0 to FF D7 are restarts, and FF FF is filling.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EXIF_ORIENTATION = 0x0112


class DamagedPictureError(ValueError):
    """A picture is not built as its format demands."""


def copy_picture(source: IO[bytes], target: IO[bytes], media_type: str, orientation: int = 1) -> None:
    """Copy a picture without its metadata.

    Args:
        source: The picture, from its beginning.
        target: The path of the copy.
        media_type: A media type of `PICTURES`.
        orientation: How a camera says that it is to be turned, 1 to 8; 1 is not at all. It alone is kept.

    Raises:
        DamagedPictureError: When the picture is not built as its format demands.
    """
    for part in _PARTS[media_type](_Reader(source), orientation):
        target.write(part)


def check_picture(source: IO[bytes], media_type: str) -> int:
    """Look at all parts of a picture, before a decoder does that has no bound for them.

    Returns:
        How a camera says that it is to be turned, 1 to 8; 1 is not at all.

    Raises:
        DamagedPictureError: When the picture is not built as its format demands.
    """
    reader = _Reader(source)
    for _ in _PARTS[media_type](reader, 1):
        pass
    return reader.orientation


class _Reader:
    """Reads exactly what is asked for."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._parts = 0
        self.orientation = 1
        """How a camera says that the picture is to be turned, by what was read until now."""

    def note(self, exif: bytes) -> None:
        """Take the orientation out of what a camera noted; what cannot be read says nothing."""
        notes = Image.Exif()
        try:
            notes.load(exif)
            value = notes.get(_EXIF_ORIENTATION)
        except Exception:  # noqa: BLE001 - the parser raises all kinds of errors for what a stranger's bytes hold
            return
        if isinstance(value, int) and 1 <= value <= 8:
            self.orientation = value

    def count(self) -> None:
        """Count a part.

        Raises:
            DamagedPictureError: When there are too many.
        """
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise DamagedPictureError("there are too many parts")

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, which are few."""
        data = self._source.read(size)
        if len(data) != size:
            raise DamagedPictureError("it ends too early")
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes, which may be many."""
        while size > 0:
            yield self.take(min(size, PIECE_BYTES))
            size -= PIECE_BYTES

    def skip(self, size: int) -> None:
        """Pass over the next `size` bytes."""
        for _ in self.pieces(size):
            pass

    def until_marker(self) -> Iterator[bytes]:
        """Yield the data of a JPEG's scan up to the next marker, which is read next."""
        while piece := self._source.read(PIECE_BYTES):
            if piece.endswith(b"\xff"):
                piece += self._source.read(1)
            if found := _JPEG_MARKER.search(piece):
                self._source.seek(found.start() - len(piece), 1)
                yield piece[: found.start()]
                return
            yield piece
        raise DamagedPictureError("it ends too early")


def _exif_of(orientation: int) -> bytes:
    """Return notes of a camera that hold the orientation alone: TIFF, one entry. Source: Exif 3.0, 4.6."""
    entry = struct.pack(">HHIHH", _EXIF_ORIENTATION, 3, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def _jpeg(reader: _Reader, orientation: int) -> Iterator[bytes]:
    if reader.take(2) != b"\xff\xd8":
        raise DamagedPictureError("it does not begin as a JPEG")
    yield b"\xff\xd8"
    if orientation > 1:
        exif = b"Exif\0\0" + _exif_of(orientation)
        yield b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    scans = 0
    while True:
        reader.count()
        if reader.take(1) != b"\xff":
            raise DamagedPictureError("a marker is missing")
        marker = 0xFF
        while marker == 0xFF:
            reader.count()
            marker = reader.take(1)[0]
        if marker == 0xD9:
            yield b"\xff\xd9"
            return
        if marker in _JPEG_STANDALONE:
            yield bytes((0xFF, marker))
            continue
        size = struct.unpack(">H", reader.take(2))[0] - 2
        if size < 0 or marker in (0x00, 0xD8):
            raise DamagedPictureError("a marker is wrong")
        body = reader.take(size)
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            reader.note(body)
        if _is_kept(marker, body):
            yield bytes((0xFF, marker)) + struct.pack(">H", size + 2) + body
        if marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise DamagedPictureError("there are too many scans")
            yield from reader.until_marker()


def _is_kept(marker: int, body: bytes) -> bool:
    """Return whether a segment of a JPEG is kept: all that decoders need, and colours."""
    if marker == 0xFE:  # a comment
        return False
    if 0xE0 <= marker <= 0xEF:
        return (
            (marker == 0xE0 and body.startswith(b"JFIF\0"))
            or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"))
            or (marker == 0xEE and body.startswith(b"Adobe"))
        )
    return True


def _png(reader: _Reader, orientation: int) -> Iterator[bytes]:
    yield reader.take(8)
    has_data = False
    while True:
        reader.count()
        head = reader.take(8)
        size, kind = struct.unpack(">I4s", head)
        if size > 0x7FFFFFFF or not kind.isalpha():
            raise DamagedPictureError("a chunk is wrong")
        if kind == b"eXIf" and size <= MAX_EXIF_BYTES:
            reader.note(reader.take(size))
            size = 0
        if kind not in _PNG_KEPT:
            reader.skip(size + 4)
            continue
        has_data = has_data or kind == b"IDAT"
        yield head
        yield from reader.pieces(size + 4)
        if kind == b"IHDR" and orientation > 1:
            # Before the pixels: a program that shows a picture while it arrives needs to know by then.
            chunk = b"eXIf" + _exif_of(orientation)
            yield struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        if kind == b"IEND":
            if not has_data:
                raise DamagedPictureError("it has no pixels")
            return


def _webp(reader: _Reader, orientation: int) -> Iterator[bytes]:
    head = reader.take(12)
    left = struct.unpack("<I", head[4:8])[0] - 4
    kept: list[bytes] = []
    # The whole size stands in front, and so what is kept is gathered: a WebP file is small for its pixels.
    while left >= 8:
        reader.count()
        kind, size = struct.unpack("<4sI", reader.take(8))
        padded = size + size % 2
        left -= 8 + padded
        if left < 0:
            raise DamagedPictureError("a chunk is too long")
        if kind == b"EXIF" and padded <= MAX_EXIF_BYTES:
            reader.note(reader.take(padded))
            continue
        if kind not in _WEBP_KEPT:
            reader.skip(padded)
            continue
        body = b"".join(reader.pieces(padded))
        if kind == b"VP8X":
            flags = body[0] & ~_WEBP_NOTES | (_WEBP_EXIF if orientation > 1 else 0)
            body = bytes((flags,)) + body[1:]
        kept += (struct.pack("<4sI", kind, size), body)
    if not any(part[:4] in (b"VP8 ", b"VP8L", b"ANMF") for part in kept):
        raise DamagedPictureError("it has no pixels")
    if orientation > 1:
        exif = _exif_of(orientation)
        kept += (struct.pack("<4sI", b"EXIF", len(exif)), exif)
    yield b"RIFF" + struct.pack("<I", 4 + sum(map(len, kept))) + b"WEBP"
    yield from kept


def _gif(reader: _Reader, _orientation: int) -> Iterator[bytes]:
    head = reader.take(13)
    yield head
    yield from _color_table(reader, head[10])
    while True:
        reader.count()
        kind = reader.take(1)
        if kind == b"\x3b":
            yield kind
            return
        if kind == b"\x2c":
            image = reader.take(9)
            yield kind + image
            yield from _color_table(reader, image[8])
            yield reader.take(1)
            yield from _blocks(reader)
        elif kind == b"\x21":
            label = reader.take(1)
            blocks = _blocks(reader)
            if label == b"\xff":
                first = next(blocks)
                # How often an animation is shown; others hold notes.
                is_kept = first[1:12] in (b"NETSCAPE2.0", b"ANIMEXTS1.0")
            else:
                first, is_kept = b"", label == b"\xf9"
            if is_kept:
                yield kind + label + first
            for block in blocks:
                if is_kept:
                    yield block
        else:
            raise DamagedPictureError("a block is wrong")


def _color_table(reader: _Reader, flags: int) -> Iterator[bytes]:
    if flags & 0x80:
        yield reader.take(3 * 2 ** ((flags & 0x07) + 1))


def _blocks(reader: _Reader) -> Iterator[bytes]:
    """Yield data blocks with their sizes, up to the empty one, which is the last. Small ones are counted as parts."""
    size = 1
    while size:
        size = reader.take(1)[0]
        if size < SMALL_BLOCK_BYTES:
            reader.count()
        yield bytes((size,)) + reader.take(size)


_PARTS = {PNG: _png, JPEG: _jpeg, WEBP: _webp, GIF: _gif}
