"""EncodingFinder: detects piece by piece whether a file is a text, and its encoding."""

from __future__ import annotations

import codecs
from pathlib import Path

PIECE_BYTES = 256 * 1024

# All but tab, line feed, form feed, carriage return and escape.
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\f\r\x1b") + b"\x7f"
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class EncodingFinder:
    """Detects the encoding of a file while its bytes arrive; it stops at the first bytes that cannot be text."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._utf16: str | None = None
        self._is_text = True
        self._is_valid = True

    def feed(self, piece: bytes | bytearray) -> None:
        """Examine the next bytes. The first piece must have at least two bytes, unless the file is shorter."""
        if not piece or not self._is_text:
            return
        if self._decoder is None:
            self._utf16 = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if piece.startswith(mark)), None)
            self._decoder = codecs.getincrementaldecoder(self._utf16 or "utf-8")()
        if self._utf16 is None and len(piece.translate(None, _CONTROLS)) != len(piece):
            self._is_text = False
        elif self._is_valid:
            self._decode(piece)

    def encoding(self) -> str | None:
        """Return the encoding at the end of the file: UTF-8, UTF-16 or Windows-1252; None when it is not a text."""
        if self._is_text and self._is_valid:
            self._decode(b"", final=True)
        if not self._is_text:
            return None
        if self._is_valid:
            return self._utf16 or "utf-8-sig"
        return None if self._utf16 is not None else "cp1252"

    def _decode(self, piece: bytes | bytearray, *, final: bool = False) -> None:
        if self._decoder is None:
            return
        try:
            text = self._decoder.decode(piece, final=final)
        except UnicodeDecodeError:
            self._is_valid = False
        else:
            self._is_text = self._utf16 is None or "\0" not in text


def detect_encoding(path: Path) -> str | None:
    """Return the encoding of a local file: UTF-8, UTF-16 or Windows-1252; None when it is not a text."""
    finder = EncodingFinder()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            finder.feed(piece)
    return finder.encoding()
