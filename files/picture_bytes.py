"""Removal of metadata from pictures: position, camera, comments, and anything after the end of the picture.

Parts of the file are copied or omitted, and nothing is decoded, so the pixels are unchanged. A file that does not
conform to its format is rejected, so that nothing else can be hidden in it. Sources: ITU-T T.81, annex B; PNG, third
edition, 5; GIF89a, 15 to 27; RFC 9649.
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
"""Largest number of parts of a file; a long animation has some thousands."""

MAX_SCANS = 100
"""Largest number of scans of a JPEG. Encoders write a dozen; each costs a decoder a pass over all pixels."""

SMALL_BLOCK_BYTES = 128
"""Smaller blocks of a GIF count as parts; those of most programs have 255 bytes, except for the last."""

_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs hIST sPLT acTL fcTL fdAT".split()
)
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_EXIF = 0x08
_WEBP_METADATA = _WEBP_EXIF | 0x04
"""Flags of VP8X that announce EXIF and XMP."""

MAX_EXIF_BYTES = 256 * 1024
"""Largest EXIF data that are read; a JPEG can only contain 64 KB."""

_JPEG_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
# In the data of a scan, FF 00 is a byte FF, FF D0 to FF D7 are restart markers, and FF FF is padding.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_EXIF_ORIENTATION = 0x0112


class DamagedPictureError(ValueError):
    """A picture does not conform to its format."""


def copy_picture(source: IO[bytes], target: IO[bytes], media_type: str, orientation: int = 1) -> None:
    """Copy a picture without its metadata.

    Args:
        source: The picture, from its beginning.
        target: The file to write the copy to.
        media_type: A media type of `PICTURES`.
        orientation: The EXIF orientation to write into the copy, 1 to 8; 1 is upright, and is not written.

    Raises:
        DamagedPictureError: When the picture does not conform to its format.
    """
    for part in _CLEANERS[media_type](_PictureReader(source), orientation):
        target.write(part)


def check_picture(source: IO[bytes], media_type: str) -> int:
    """Check all parts of a picture before it is decoded, as decoders have no limit for their number.

    Returns:
        The EXIF orientation, 1 to 8; 1 is upright.

    Raises:
        DamagedPictureError: When the picture does not conform to its format.
    """
    reader = _PictureReader(source)
    for _ in _CLEANERS[media_type](reader, 1):
        pass
    return reader.orientation


class _PictureReader:
    """Reads exact numbers of bytes, counts the parts of the picture, and collects its EXIF orientation."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._parts = 0
        self.orientation = 1
        """The EXIF orientation, as far as it has been read."""

    def read_orientation(self, exif: bytes) -> None:
        """Set the orientation from EXIF data; data that cannot be parsed are ignored."""
        tags = Image.Exif()
        try:
            tags.load(exif)
            value = tags.get(_EXIF_ORIENTATION)
        except Exception:  # noqa: BLE001 - the parser raises all kinds of errors for untrusted bytes
            return
        if isinstance(value, int) and 1 <= value <= 8:
            self.orientation = value

    def count_part(self) -> None:
        """Count a part.

        Raises:
            DamagedPictureError: When there are too many.
        """
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise DamagedPictureError("there are too many parts")

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, for small sizes."""
        data = self._source.read(size)
        if len(data) != size:
            raise DamagedPictureError("it ends too early")
        return data

    def read_pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces, for any size."""
        while size > 0:
            yield self.read(min(size, PIECE_BYTES))
            size -= PIECE_BYTES

    def skip(self, size: int) -> None:
        """Skip the next `size` bytes."""
        for _ in self.read_pieces(size):
            pass

    def read_until_marker(self) -> Iterator[bytes]:
        """Yield the data of a JPEG scan up to the next marker, at which reading continues."""
        while piece := self._source.read(PIECE_BYTES):
            if piece.endswith(b"\xff"):
                piece += self._source.read(1)
            if marker := _JPEG_MARKER.search(piece):
                self._source.seek(marker.start() - len(piece), 1)
                yield piece[: marker.start()]
                return
            yield piece
        raise DamagedPictureError("it ends too early")


def _build_exif(orientation: int) -> bytes:
    """Return EXIF data that contain only the orientation: a TIFF header and one entry. Source: Exif 3.0, 4.6."""
    entry = struct.pack(">HHIHH", _EXIF_ORIENTATION, 3, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def _clean_jpeg(reader: _PictureReader, orientation: int) -> Iterator[bytes]:
    if reader.read(2) != b"\xff\xd8":
        raise DamagedPictureError("it does not begin as a JPEG")
    yield b"\xff\xd8"
    if orientation > 1:
        exif = b"Exif\0\0" + _build_exif(orientation)
        yield b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    scans = 0
    while True:
        reader.count_part()
        if reader.read(1) != b"\xff":
            raise DamagedPictureError("a marker is missing")
        marker = 0xFF
        while marker == 0xFF:
            reader.count_part()
            marker = reader.read(1)[0]
        if marker == 0xD9:
            yield b"\xff\xd9"
            return
        if marker in _JPEG_STANDALONE:
            yield bytes((0xFF, marker))
            continue
        size = struct.unpack(">H", reader.read(2))[0] - 2
        if size < 0 or marker in (0x00, 0xD8):
            raise DamagedPictureError("a marker is wrong")
        body = reader.read(size)
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            reader.read_orientation(body)
        if _is_kept_segment(marker, body):
            yield bytes((0xFF, marker)) + struct.pack(">H", size + 2) + body
        if marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise DamagedPictureError("there are too many scans")
            yield from reader.read_until_marker()


def _is_kept_segment(marker: int, body: bytes) -> bool:
    """Return whether a segment of a JPEG is kept, as the data for decoding and the colour profile are."""
    if marker == 0xFE:  # a comment
        return False
    if 0xE0 <= marker <= 0xEF:
        return (
            (marker == 0xE0 and body.startswith(b"JFIF\0"))
            or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"))
            or (marker == 0xEE and body.startswith(b"Adobe"))
        )
    return True


def _clean_png(reader: _PictureReader, orientation: int) -> Iterator[bytes]:
    yield reader.read(8)
    has_data = False
    while True:
        reader.count_part()
        head = reader.read(8)
        size, kind = struct.unpack(">I4s", head)
        if size > 0x7FFFFFFF or not kind.isalpha():
            raise DamagedPictureError("a chunk is wrong")
        if kind == b"eXIf" and size <= MAX_EXIF_BYTES:
            reader.read_orientation(reader.read(size))
            size = 0
        if kind not in _PNG_KEPT:
            reader.skip(size + 4)
            continue
        has_data = has_data or kind == b"IDAT"
        yield head
        yield from reader.read_pieces(size + 4)
        if kind == b"IHDR" and orientation > 1:
            # Before the pixels, as programs that display a picture progressively need it by then.
            chunk = b"eXIf" + _build_exif(orientation)
            yield struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        if kind == b"IEND":
            if not has_data:
                raise DamagedPictureError("it has no pixels")
            return


def _clean_webp(reader: _PictureReader, orientation: int) -> Iterator[bytes]:
    head = reader.read(12)
    bytes_left = struct.unpack("<I", head[4:8])[0] - 4
    chunks: list[bytes] = []
    # The total size comes first, so the kept chunks are collected; WebP files are small.
    while bytes_left >= 8:
        reader.count_part()
        kind, size = struct.unpack("<4sI", reader.read(8))
        padded = size + size % 2
        bytes_left -= 8 + padded
        if bytes_left < 0:
            raise DamagedPictureError("a chunk is too long")
        if kind == b"EXIF" and padded <= MAX_EXIF_BYTES:
            reader.read_orientation(reader.read(padded))
            continue
        if kind not in _WEBP_KEPT:
            reader.skip(padded)
            continue
        body = b"".join(reader.read_pieces(padded))
        if kind == b"VP8X":
            flags = body[0] & ~_WEBP_METADATA | (_WEBP_EXIF if orientation > 1 else 0)
            body = bytes((flags,)) + body[1:]
        chunks += (struct.pack("<4sI", kind, size), body)
    if not any(part[:4] in (b"VP8 ", b"VP8L", b"ANMF") for part in chunks):
        raise DamagedPictureError("it has no pixels")
    if orientation > 1:
        exif = _build_exif(orientation)
        chunks += (struct.pack("<4sI", b"EXIF", len(exif)), exif)
    yield b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WEBP"
    yield from chunks


def _clean_gif(reader: _PictureReader, _orientation: int) -> Iterator[bytes]:
    head = reader.read(13)
    yield head
    yield from _read_color_table(reader, head[10])
    while True:
        reader.count_part()
        kind = reader.read(1)
        if kind == b"\x3b":
            yield kind
            return
        if kind == b"\x2c":
            image = reader.read(9)
            yield kind + image
            yield from _read_color_table(reader, image[8])
            yield reader.read(1)
            yield from _read_blocks(reader)
        elif kind == b"\x21":
            label = reader.read(1)
            blocks = _read_blocks(reader)
            if label == b"\xff":
                first = next(blocks)
                # The loop count of an animation; other application extensions contain metadata.
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


def _read_color_table(reader: _PictureReader, flags: int) -> Iterator[bytes]:
    if flags & 0x80:
        yield reader.read(3 * 2 ** ((flags & 0x07) + 1))


def _read_blocks(reader: _PictureReader) -> Iterator[bytes]:
    """Yield data blocks with their size bytes, up to the empty block at the end. Small ones are counted as parts."""
    size = 1
    while size:
        size = reader.read(1)[0]
        if size < SMALL_BLOCK_BYTES:
            reader.count_part()
        yield bytes((size,)) + reader.read(size)


_CLEANERS = {PNG: _clean_png, JPEG: _clean_jpeg, WEBP: _clean_webp, GIF: _clean_gif}
