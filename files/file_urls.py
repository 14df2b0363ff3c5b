"""Signed URLs of files: each lets its holder do one thing with one file of one owner, until it expires.

Nothing that is stored holds such a URL. Items hold a mark (`mark_of`), and the edge writes a fresh URL in its place
while the bytes go out. The owner is part of what is signed, and so a mark that a person types in opens nothing that is
not theirs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from functools import cached_property
from typing import Literal
from urllib.parse import urlencode

Purpose = Literal["content", "preview", "file"]
"""The use of a URL: to send a file's bytes, to see it small, to have it."""

PATH = "/api/attachments/"
UPLOAD_LIFE_S = 900
"""How long an upload may begin, in seconds."""

VIEW_LIFE_S = 900
"""How long a preview or a download may begin at least, in seconds; at most twice that."""

MARK = "parlor-file:"
_MARK = re.compile(rb"parlor-file:(atc_[0-9a-f]{32})/(preview|file)")
_FILE_ID = re.compile(r"atc_[0-9a-f]{32}")


def is_file_id(value: str) -> bool:
    """Return whether `value` is of the form that our own ids of files have."""
    return _FILE_ID.fullmatch(value) is not None


def mark_of(file_id: str, purpose: Purpose) -> str:
    """Return the mark that is stored wherever the URL of a file belongs."""
    return f"{MARK}{file_id}/{purpose}"


class FileURLs:
    """Signs URLs of files, and checks them.

    Args:
        load_key: Returns the key that signs, 32 bytes or more; asked once, when it is needed first.
        now: The clock, in seconds since 1970.
    """

    def __init__(self, load_key: Callable[[], bytes], now: Callable[[], float] = time.time) -> None:
        self._load_key = load_key
        self._now = now

    @cached_property
    def _key(self) -> bytes:
        return self._load_key()

    def upload_path(self, file_id: str, owner: str) -> str:
        """Return the path to send a file's bytes to, with its signature."""
        return self._path(file_id, "content", owner, int(self._now()) + UPLOAD_LIFE_S)

    def view_path(self, file_id: str, purpose: Purpose, owner: str) -> str:
        """Return the path of a preview or a download, with its signature. For a while it stays the same, for caches."""
        return self._path(file_id, purpose, owner, (int(self._now()) // VIEW_LIFE_S + 2) * VIEW_LIFE_S)

    def allows(self, file_id: str, purpose: Purpose, owner: str, expires: str, signature: str) -> bool:
        """Return whether we have signed this for a file of this owner, and it has not expired."""
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
            return False
        expected = self._sign(file_id, purpose, owner, int(expires))
        return hmac.compare_digest(signature.encode(), expected.encode()) and int(expires) > self._now()

    def in_place_of_marks(self, data: bytes, owner: str, base_url: str) -> bytes:
        """Return bytes of JSON in which marks are replaced by URLs for this owner."""
        if MARK.encode() not in data:
            return data

        def url(match: re.Match[bytes]) -> bytes:
            purpose: Purpose = "preview" if match[2] == b"preview" else "file"
            return f"{base_url}{self.view_path(match[1].decode(), purpose, owner)}".encode()

        return _MARK.sub(url, data)

    def _path(self, file_id: str, purpose: Purpose, owner: str, expires: int) -> str:
        signed = urlencode({"expires": expires, "signature": self._sign(file_id, purpose, owner, expires)})
        return f"{PATH}{file_id}/{purpose}?{signed}"

    def _sign(self, file_id: str, purpose: Purpose, owner: str, expires: int) -> str:
        # The purpose is signed too: a URL for reading a file cannot be used to replace it.
        said = f"file:v1:{purpose}:{file_id}:{expires}:{owner}"
        return hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()
