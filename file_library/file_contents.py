"""FileContents: the bytes of files, and what is derived from them once: previews, pictures for models, texts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from errors import NotFoundError, UserFacingError
from file_library.recent_failures import RecentFailures
from files.media_types import GIF, OFFICE, PICTURES
from files.object_store import ObjectStore, StoredObject
from files.renditions import (
    MODEL_BYTES,
    MODEL_SIDE,
    is_upright,
    make_model_picture,
    make_preview,
    type_of_model_picture,
)
from files.spool import Spool
from files.texts import (
    DOCUMENTS,
    MAX_EXTRACTED_CHARS,
    FileText,
    UnreadableError,
    decode_text,
    dump_text,
    extract_text,
    load_text,
)
from storage.file_records import FileRecords
from storage.file_rows import StoredFile

logger = logging.getLogger(__name__)

MAX_MAKERS = 2
"""Renditions that are made at once: each decodes a picture, which takes up to 200 MB."""

MAX_READERS = 2
"""Documents that are read at once, apart from pictures: one that takes its whole time keeps no preview waiting."""

MAX_READ_AHEAD = 8
"""Documents that are read, or wait to be, before a message asks for them."""

READING_TIMEOUT_S = 40.0
"""The longest wait for the text of a document, those before it included; `EXTRACTION_TIMEOUT_S` of it are its own."""

MAX_RENDITION_BYTES = 16 * 1024 * 1024
NOT_UPLOADED = "This file has not been uploaded."

T = TypeVar("T")
Make = Callable[[Path], Awaitable[bytes]]
Extract = Callable[[Path, str], Awaitable[FileText]]


class FileContents:
    """Reads files, whoever owns them; callers have checked that the person may read them.

    Args:
        records: Says whether a file is still there when something has been made of it.
        objects: Holds the bytes.
        spool: Holds local copies.
        extract: Reads a document.
        reading_timeout_s: The longest wait for the text of a document.
    """

    def __init__(
        self,
        records: FileRecords,
        objects: ObjectStore,
        spool: Spool,
        extract: Extract = extract_text,
        reading_timeout_s: float = READING_TIMEOUT_S,
    ) -> None:
        self._records = records
        self._objects = objects
        self._spool = spool
        self._extract = extract
        self._reading_timeout_s = reading_timeout_s
        self._unreadable = RecentFailures()
        # A lock lives as long as somebody holds it or waits for it.
        self._in_making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._makers = asyncio.Semaphore(MAX_MAKERS)
        self._readers = asyncio.Semaphore(MAX_READERS)
        self._read_ahead: set[asyncio.Task[None]] = set()
        # One by one, so that a reader stays free for a request that waits for it.
        self._ahead = asyncio.Semaphore(1)

    async def open(self, file: StoredFile, start: int = 0, end: int | None = None) -> StoredObject:
        """Return the bytes of a file, or a range of them, as a stream.

        Raises:
            NotFoundError: When it has not been uploaded.
        """
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        return await self._from_store(file, lambda key: self._objects.open(key, start, end))

    async def read(self, file: StoredFile) -> bytes:
        """Return all bytes of a file.

        Raises:
            NotFoundError: When it has not been uploaded.
        """
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        return await self._from_store(file, lambda key: self._objects.read(key, file.size))

    @asynccontextmanager
    async def local_copy(self, file: StoredFile, name: str = "copy") -> AsyncIterator[Path]:
        """Open a copy of a file on this machine's disk, called `name`, for as long as it is needed."""
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        async with self._spool.workplace(file.owner) as place:
            path = place / name
            await self._from_store(file, lambda key: self._objects.download(key, path))
            yield path

    async def _from_store(self, file: StoredFile, get: Callable[[str], Awaitable[T]]) -> T:
        """Call `get` with the key of a file's bytes; earlier versions of Parlor used a key without the hash."""
        try:
            return await get(file.content_key)
        except NotFoundError:
            return await get(file.content_key_without_hash)

    async def preview(self, file: StoredFile) -> bytes:
        """Return a small version of a picture, which is made once.

        Raises:
            NotFoundError: When the file is no picture, or has not been uploaded.
        """
        if file.media_type not in PICTURES:
            raise NotFoundError("There is no preview of this file.")
        return await self._rendition(
            file, "preview", lambda path: self._spool.in_thread(make_preview, path), self._makers
        )

    async def model_picture(self, file: StoredFile) -> tuple[bytes, str]:
        """Return a picture as models take it, and its type; what is too large or not upright is made so, once."""
        is_small = file.size <= MODEL_BYTES and max(file.width or 0, file.height or 0) <= MODEL_SIDE
        if is_small and file.media_type != GIF:
            data = await self.read(file)
            if await self._spool.in_thread(is_upright, data, file.media_type):
                return data, file.media_type
        made = await self._rendition(
            file, "model", lambda path: self._spool.in_thread(make_model_picture, path), self._makers
        )
        return made, type_of_model_picture(made)

    async def text(self, file: StoredFile) -> FileText:
        """Return the text of a text file, or of a document; a document's is extracted once.

        Raises:
            UnreadableError: When it cannot be read.
        """
        if file.media_type not in DOCUMENTS:
            async with self.local_copy(file) as path:
                return await self._spool.in_thread(decode_text, path, MAX_EXTRACTED_CHARS)

        async def extract(path: Path) -> bytes:
            if file.id in self._unreadable:  # another request has tried meanwhile, and failed
                raise UnreadableError
            return dump_text(await self._extract(path, file.media_type))

        if file.id in self._unreadable:
            raise UnreadableError
        try:
            async with asyncio.timeout(self._reading_timeout_s):
                return load_text(await self._rendition(file, "text", extract, self._readers))
        except UnreadableError:
            self._unreadable.add(file.id)
            raise
        except TimeoutError as exc:
            # The time went by waiting for other files: the next request tries this one again.
            raise UnreadableError from exc

    def read_ahead(self, file: StoredFile) -> None:
        """Begin to extract the text of an office document, so that the answer need not wait for it.

        A PDF is left until its text is asked for, since most models read PDF themselves.
        """
        if file.media_type in OFFICE and len(self._read_ahead) < MAX_READ_AHEAD:
            task = asyncio.create_task(self._extract_ahead(file))
            self._read_ahead.add(task)
            task.add_done_callback(self._read_ahead.discard)

    async def close(self) -> None:
        """Stop reading ahead."""
        for task in self._read_ahead:
            task.cancel()
        await asyncio.gather(*self._read_ahead, return_exceptions=True)

    async def _extract_ahead(self, file: StoredFile) -> None:
        try:
            async with self._ahead:
                await self.text(file)
        except UserFacingError as exc:
            logger.info("document not read ahead", extra={"file_id": file.id, "code": exc.code})
        except Exception:
            # Whoever needs the text meets the error then; nothing depends on this attempt.
            logger.warning("document not read ahead", extra={"file_id": file.id}, exc_info=True)

    async def transcript(self, file: StoredFile, transcribe: Callable[[bytes, str], Awaitable[str]]) -> FileText:
        """Return the transcript of a recording, which is made once.

        Args:
            file: The recording.
            transcribe: Turns the bytes and the type of a recording into text.
        """

        async def ask(path: Path) -> bytes:
            data = await self._spool.in_thread(path.read_bytes)
            return dump_text(FileText(await transcribe(data, file.media_type)))

        return load_text(await self._rendition(file, "text", ask, self._makers))

    async def _rendition(self, file: StoredFile, kind: str, make: Make, places: asyncio.Semaphore) -> bytes:
        """Return something that is made of a file once and stored beside it; concurrent requests wait for the first."""
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        key = file.rendition_key(kind)
        with suppress(NotFoundError):
            return await self._objects.read(key, MAX_RENDITION_BYTES)
        making = self._in_making.setdefault(key, asyncio.Lock())
        async with making, places:
            with suppress(NotFoundError):
                return await self._objects.read(key, MAX_RENDITION_BYTES)
            async with self.local_copy(file) as path:
                made = await make(path)
            await self._objects.put(key, made)
        if await self._records.find(file.id) is None:
            # It was deleted meanwhile, and this with it.
            await self._objects.delete([key])
        return made
