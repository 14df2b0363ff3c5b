"""Signed URLs of files: each allows one operation on one file of one owner, until it expires.

Signed URLs are never stored. Stored items contain a mark (`build_url_mark`), which is replaced by a fresh URL when a
response is sent. The owner is part of the signature, so that a mark which a person types in opens only their files.
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
"""The operation that a URL allows: to upload the bytes, to read the preview, or to read the file."""

PATH = "/api/attachments/"
UPLOAD_LIFE_S = 900
"""Validity of an upload URL, in seconds."""

VIEW_LIFE_S = 900
"""Least validity of a preview or download URL, in seconds; at most it is twice that."""

MARK = "parlor-file:"
_MARK = re.compile(rb"parlor-file:(atc_[0-9a-f]{32})/(preview|file)")
_FILE_ID = re.compile(r"atc_[0-9a-f]{32}")


def is_file_id(value: str) -> bool:
    """Return whether `value` has the form of a file id."""
    return _FILE_ID.fullmatch(value) is not None


def build_url_mark(file_id: str, purpose: Purpose) -> str:
    """Return the mark that is stored in place of the URL of a file."""
    return f"{MARK}{file_id}/{purpose}"


class FileURLs:
    """Signs and verifies URLs of files.

    Args:
        load_key: Returns the signing key, 32 bytes or more; called once, when the key is first needed.
        now: The clock, in seconds since 1970.
    """

    def __init__(self, load_key: Callable[[], bytes], now: Callable[[], float] = time.time) -> None:
        self._load_key = load_key
        self._now = now

    @cached_property
    def _key(self) -> bytes:
        return self._load_key()

    def upload_path(self, file_id: str, owner: str) -> str:
        """Return the signed path for uploading the bytes of a file."""
        return self._signed_path(file_id, "content", owner, int(self._now()) + UPLOAD_LIFE_S)

    def view_path(self, file_id: str, purpose: Purpose, owner: str) -> str:
        """Return the signed path of a preview or a download; it stays the same for a while, for browser caches."""
        return self._signed_path(file_id, purpose, owner, (int(self._now()) // VIEW_LIFE_S + 2) * VIEW_LIFE_S)

    def is_valid(self, file_id: str, purpose: Purpose, owner: str, expires: str, signature: str) -> bool:
        """Return whether a signature is valid for this use of the file, and has not expired."""
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
            return False
        expected = self._sign(file_id, purpose, owner, int(expires))
        return hmac.compare_digest(signature.encode(), expected.encode()) and int(expires) > self._now()

    def replace_marks(self, data: bytes, owner: str, base_url: str) -> bytes:
        """Return the JSON in `data` with all marks replaced by signed URLs for this owner."""
        if MARK.encode() not in data:
            return data

        def url(match: re.Match[bytes]) -> bytes:
            purpose: Purpose = "preview" if match[2] == b"preview" else "file"
            return f"{base_url}{self.view_path(match[1].decode(), purpose, owner)}".encode()

        return _MARK.sub(url, data)

    def _signed_path(self, file_id: str, purpose: Purpose, owner: str, expires: int) -> str:
        signed = urlencode({"expires": expires, "signature": self._sign(file_id, purpose, owner, expires)})
        return f"{PATH}{file_id}/{purpose}?{signed}"

    def _sign(self, file_id: str, purpose: Purpose, owner: str, expires: int) -> str:
        # The purpose is signed too: a URL for reading a file cannot be used to replace it.
        message = f"file:v1:{purpose}:{file_id}:{expires}:{owner}"
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()
