"""ObjectStore: the bytes of files in a folder, in memory, or in a bucket of S3, Azure or Google, through one API."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, InvalidPathError
from obstore.exceptions import NotFoundError as MissingObjectError
from obstore.store import LocalStore, MemoryStore, from_url

from errors import ConfigError, NotFoundError, UnavailableError

SCHEMES = ("file", "memory", "s3", "az", "gs")

CALL_TIMEOUT_S = 30.0
"""Time limit of calls without a transfer, in seconds."""

TRANSFER_TIMEOUT_S = 300.0
"""Time limit for the transfer of a file to or from the store, in seconds."""

LEFTOVER_LIFE_S = 2 * TRANSFER_TIMEOUT_S
MAX_TRANSFERS = 4
"""Number of files that are written at once; each takes two pieces of memory."""

READ_PIECE_BYTES = 256 * 1024
_LOCAL_PIECE_BYTES = 1024 * 1024
# The smallest part that S3 accepts.
_REMOTE_PIECE_BYTES = 5 * 1024 * 1024
_PIECES_AT_ONCE = 2

_RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}

_OPTIONS: dict[str, dict[str, str]] = {
    "s3": {"endpoint": "endpoint", "region": "region"},
    "az": {"endpoint": "endpoint", "account": "account_name"},
    "gs": {"endpoint": "base_url"},
}
"""The query parameters of storage URLs, and obstore's names for them."""

_CREDENTIALS: dict[str, dict[str, str]] = {
    "s3": {
        "AWS_ACCESS_KEY_ID": "access_key_id",
        "AWS_SECRET_ACCESS_KEY": "secret_access_key",
        "AWS_SESSION_TOKEN": "session_token",
    },
    "az": {"AZURE_STORAGE_ACCOUNT_KEY": "account_key", "AZURE_CLIENT_SECRET": "client_secret"},
    "gs": {},
}
"""The variables of credentials, and obstore's names for them."""

_UNAVAILABLE = "Files cannot be read or saved at the moment. Try again soon."
_MISSING = "The content of this file is not here."
_QUERY = re.compile(r"\?[^\s,)]*")
_STAGED = re.compile(r"#\d+$")
# A store in a folder raises `FileNotFoundError`.
_MISSING_ERRORS = (FileNotFoundError, MissingObjectError)


class ObjectStoreError(Exception):
    """The object store has failed; the text is for the log, and contains no signatures."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An open object.

    Attributes:
        size: The size of the whole object in bytes.
        chunks: The bytes of the object, or of the requested range.
    """

    size: int
    chunks: AsyncIterator[bytes]


class ObjectStore:
    """Objects by key. Keys consist of letters, digits, `-`, `_` and `/`, and never contain file names of people."""

    def __init__(self, objects: Any, scheme: str, folder: Path | None = None) -> None:
        self._objects = objects
        self.scheme = scheme
        """``"file"``, ``"memory"``, ``"s3"``, ``"az"`` or ``"gs"``."""
        self.folder = folder
        """The folder of a store in a folder; None for any other."""
        self._piece_bytes = _LOCAL_PIECE_BYTES if scheme in ("file", "memory") else _REMOTE_PIECE_BYTES
        self._transfers = asyncio.Semaphore(MAX_TRANSFERS)

    @property
    def can_sign(self) -> bool:
        """Whether the store can sign URLs, so that browsers can upload to it directly."""
        return self.scheme in ("s3", "az", "gs")

    async def put_file(self, key: str, path: Path) -> None:
        """Store a local file atomically."""
        async with self._transfers:
            if self.folder is None or not await asyncio.to_thread(_hard_link, path, self.folder / key):
                await self._put(key, path)

    async def put(self, key: str, data: bytes) -> None:
        """Store bytes."""
        async with self._transfers:
            await self._put(key, data)

    async def _put(self, key: str, source: Path | bytes) -> None:
        await _call_store(
            obstore.put_async(
                self._objects, key, source, chunk_size=self._piece_bytes, max_concurrency=_PIECES_AT_ONCE
            ),
            TRANSFER_TIMEOUT_S,
        )

    async def size_of(self, key: str) -> int | None:
        """Return the size of an object in bytes; None when it does not exist."""
        with suppress(*_MISSING_ERRORS):
            return int((await _call_store(obstore.head_async(self._objects, key)))["size"])
        return None

    async def open(self, key: str, start: int = 0, end: int | None = None) -> StoredObject:
        """Open an object, or the range of its bytes from `start` up to `end`.

        Raises:
            NotFoundError: When the object does not exist.
        """
        options: Any = {} if start == 0 and end is None else {"range": (start, end) if end else {"offset": start}}
        try:
            stored = await _call_store(obstore.get_async(self._objects, key, options=options))
        except _MISSING_ERRORS as exc:
            raise NotFoundError(_MISSING) from exc
        return StoredObject(int(stored.meta["size"]), _read_chunks(stored))

    async def read(self, key: str, max_bytes: int) -> bytes:
        """Return all bytes of an object.

        Raises:
            NotFoundError: When the object does not exist.
            UnavailableError: When it has more than `max_bytes`.
        """
        stored = await self.open(key)
        if stored.size > max_bytes:
            raise UnavailableError(f"This file has more than {max_bytes} bytes.", allow_retry=False)
        data = bytearray()
        async for chunk in stored.chunks:
            data += chunk
        return bytes(data)

    async def download(self, key: str, path: Path) -> None:
        """Write an object to a local file.

        Raises:
            NotFoundError: When the object does not exist.
        """
        stored = await self.open(key)
        with path.open("wb") as file:
            async for chunk in stored.chunks:
                await asyncio.to_thread(file.write, chunk)

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones are ignored."""
        for key in keys:
            with suppress(*_MISSING_ERRORS):
                await _call_store(obstore.delete_async(self._objects, key))

    def sweep_leftovers(self, now: Callable[[], float] = time.time) -> int:
        """Remove unfinished files of dead processes from the folder; return how many. Blocks.

        The name of a file that is being written ends with `#` and a number.
        """
        count = 0
        for path in self.folder.rglob("*#*") if self.folder is not None else ():
            try:
                if path.is_file() and _STAGED.search(path.name) and path.stat().st_mtime < now() - LEFTOVER_LIFE_S:
                    path.unlink()
                    count += 1
            except OSError:
                continue
        return count

    async def keys(self, prefix: str = "", limit: int = 1000) -> list[str]:
        """Return the keys of objects below a folder, at most `limit`."""
        keys: list[str] = []

        async def collect() -> None:
            async for batch in obstore.list(self._objects, prefix or None, chunk_size=min(limit, 1000)):
                keys.extend(entry["path"] for entry in batch)
                if len(keys) >= limit:
                    return

        await _call_store(collect())
        return keys[:limit]

    async def delete_old(self, prefix: str, before: datetime, limit: int) -> None:
        """Delete objects below a folder that were written before a time, at most `limit`."""
        old: list[str] = []

        async def collect() -> None:
            async for batch in obstore.list(self._objects, prefix, chunk_size=1000):
                old.extend(entry["path"] for entry in batch if entry["last_modified"] < before)
                if len(old) >= limit:
                    return

        await _call_store(collect(), TRANSFER_TIMEOUT_S)
        await self.delete(old[:limit])

    @property
    def put_headers(self) -> dict[str, str]:
        """The headers that the store requires for an upload to a signed URL."""
        return {"x-ms-blob-type": "BlockBlob"} if self.scheme == "az" else {}

    def upload_origin(self) -> str:
        """Return the origin of signed URLs, for the content security policy. Blocks, as it may fetch credentials.

        Raises:
            ConfigError: When URLs cannot be signed.
        """
        try:
            parts = urlsplit(obstore.sign(self._objects, "PUT", "probe/origin", timedelta(seconds=60)))
        except (BaseError, OSError, ValueError) as exc:
            raise ConfigError("STORAGE_DIRECT_UPLOADS", f"URLs cannot be signed: {_error_summary(exc)}") from exc
        return f"{parts.scheme}://{parts.netloc}"

    async def sign_put(self, key: str, life_s: float) -> str:
        """Return a URL to which anybody can upload the object, of any size and type, until it expires."""
        return str(await _call_store(obstore.sign_async(self._objects, "PUT", key, timedelta(seconds=life_s))))


def _hard_link(path: Path, target: Path) -> bool:
    """Make `target` a hard link to a local file, replacing any file there; return whether that succeeded.

    Copying hundreds of megabytes on the same disk instead would delay all other access to that disk.
    """
    staged = target.with_name(f"{target.name}#{secrets.randbelow(10**9)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, staged)
        os.replace(staged, target)
    except OSError:  # another disk, no support for links, or a folder that was just removed as empty
        return False
    return True


def _error_summary(exc: Exception) -> str:
    """Return the first line of an exception's text, without the queries of URLs, which may hold signatures."""
    first = next(iter(str(exc).splitlines()), "") or type(exc).__name__
    return _QUERY.sub("?…", first.partition(" Debug source")[0])[:300]


async def _call_store(call: Any, timeout_s: float = CALL_TIMEOUT_S) -> Any:
    try:
        async with asyncio.timeout(timeout_s):
            return await call
    except _MISSING_ERRORS:
        raise
    except InvalidPathError as exc:
        raise NotFoundError(_MISSING) from exc
    except (BaseError, OSError) as exc:  # TimeoutError is an OSError
        # The text of the library contains URLs, whose queries may be signatures.
        raise UnavailableError(_UNAVAILABLE, code="files.unavailable") from ObjectStoreError(_error_summary(exc))


async def _read_chunks(result: Any) -> AsyncIterator[bytes]:
    pieces = result.stream(min_chunk_size=READ_PIECE_BYTES)
    while True:
        try:
            piece = await _call_store(anext(pieces))
        except StopAsyncIteration:
            return
        except _MISSING_ERRORS as exc:
            raise NotFoundError(_MISSING) from exc
        yield bytes(piece)


def open_object_store(url: str | None, folder: Path, keys: Mapping[str, str] = MappingProxyType({})) -> ObjectStore:
    """Open the object store at a URL.

    Args:
        url: `STORAGE_URL`; None for `folder`.
        folder: The folder for files when there is no URL; created if it is missing.
        keys: Credentials of buckets by variable, such as `AWS_ACCESS_KEY_ID`. Others are read as by the providers' own
            tools, such as `AZURE_TENANT_ID` and `GOOGLE_APPLICATION_CREDENTIALS`.

    Raises:
        ConfigError: When the store cannot be opened; the text never quotes the URL, which may contain a secret.
    """
    if url is None:
        return _open_folder(folder, "DATA_DIR")
    parts = urlsplit(url)
    match parts.scheme:
        case "memory":
            return ObjectStore(MemoryStore(), "memory")
        case "file":
            if parts.netloc or not parts.path.startswith("/"):
                raise ConfigError("STORAGE_URL", "names no absolute path, as file:///srv/files does")
            return _open_folder(Path(unquote(parts.path)), "STORAGE_URL")
        case "s3" | "az" | "gs" if parts.netloc:
            return _open_bucket(parts.scheme, parts._replace(query="", fragment="").geturl(), parts.query, keys)
        case _:
            raise ConfigError("STORAGE_URL", f"is none of {', '.join(f'{each}://…' for each in SCHEMES)}")


def _open_folder(folder: Path, variable: str) -> ObjectStore:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        objects = LocalStore(folder.resolve(), automatic_cleanup=True)
    except (OSError, BaseError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it cannot be opened"
        raise ConfigError(variable, f"the folder '{folder}' cannot be made: {reason}") from exc
    return ObjectStore(objects, "file", folder=folder.resolve())


def _open_bucket(scheme: str, url: str, query: str, keys: Mapping[str, str]) -> ObjectStore:
    options: dict[str, Any] = {option: keys[name] for name, option in _CREDENTIALS[scheme].items() if name in keys}
    client: Any = {"timeout": timedelta(seconds=TRANSFER_TIMEOUT_S), "connect_timeout": timedelta(seconds=10)}
    for name, value in parse_qsl(query):
        option = _OPTIONS[scheme].get(name)
        if option is None:
            known = ", ".join(_OPTIONS[scheme]) or "none"
            raise ConfigError("STORAGE_URL", f"a store {scheme}://… has no option '{name[:40]}' (there is: {known})")
        options[option] = value
    endpoint = options.get(_OPTIONS[scheme]["endpoint"])
    if endpoint is not None:
        client["allow_http"] = endpoint.startswith("http://")
        if scheme == "s3":
            # Services compatible with S3 seldom have a host name per bucket.
            options["virtual_hosted_style_request"] = False
    try:
        return ObjectStore(from_url(url, client_options=client, retry_config=_RETRY, **options), scheme)
    except (BaseError, ValueError) as exc:
        raise ConfigError("STORAGE_URL", f"this store cannot be opened: {_error_summary(exc)}") from exc
