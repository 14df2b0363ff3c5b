"""FileContents: reads files, and what is derived from them once: previews, pictures for models, and texts."""

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
"""Number of renditions that are made at once; each decodes a picture, which takes up to 200 MB."""

MAX_READERS = 2
"""Number of documents that are read at once; separate from the pictures, so that slow documents delay no previews."""

MAX_READ_AHEAD = 8
"""Largest number of documents that are queued to be read ahead."""

READING_TIMEOUT_S = 40.0
"""Longest wait for the text of a document, in seconds, including the queue; see also `EXTRACTION_TIMEOUT_S`."""

MAX_RENDITION_BYTES = 16 * 1024 * 1024
NOT_UPLOADED = "This file has not been uploaded."

T = TypeVar("T")
Make = Callable[[Path], Awaitable[bytes]]
Extract = Callable[[Path, str], Awaitable[FileText]]


class FileContents:
    """Reads files of any owner; callers have checked that the person may read them.

    Args:
        records: The rows of files, by which deleted files are noticed.
        objects: The object store with the bytes.
        spool: The local folder for copies.
        extract: Extracts the text of a document.
        reading_timeout_s: Longest wait for the text of a document, in seconds.
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
        self._recent_failures = RecentFailures()
        # A lock exists as long as a task holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._maker_slots = asyncio.Semaphore(MAX_MAKERS)
        self._reader_slots = asyncio.Semaphore(MAX_READERS)
        self._read_ahead_tasks: set[asyncio.Task[None]] = set()
        # One at a time, so that another reader stays free for requests.
        self._read_ahead_slot = asyncio.Semaphore(1)

    async def open(self, file: StoredFile, start: int = 0, end: int | None = None) -> StoredObject:
        """Return the bytes of a file, or a range of them, as a stream.

        Raises:
            NotFoundError: When the file has not been uploaded.
        """
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        return await self._fetch(file, lambda key: self._objects.open(key, start, end))

    async def read(self, file: StoredFile) -> bytes:
        """Return all bytes of a file.

        Raises:
            NotFoundError: When the file has not been uploaded.
        """
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        return await self._fetch(file, lambda key: self._objects.read(key, file.size))

    @asynccontextmanager
    async def local_copy(self, file: StoredFile, name: str = "copy") -> AsyncIterator[Path]:
        """Create a copy of a file on the local disk, called `name`, for the duration of a block."""
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        async with self._spool.workspace(file.owner) as place:
            path = place / name
            await self._fetch(file, lambda key: self._objects.download(key, path))
            yield path

    async def _fetch(self, file: StoredFile, get: Callable[[str], Awaitable[T]]) -> T:
        """Call `get` with the key of a file's bytes; earlier versions of Parlor used a key without the hash."""
        try:
            return await get(file.content_key)
        except NotFoundError:
            return await get(file.legacy_content_key)

    async def preview(self, file: StoredFile) -> bytes:
        """Return a small version of a picture, which is made once and stored.

        Raises:
            NotFoundError: When the file is not a picture, or has not been uploaded.
        """
        if file.media_type not in PICTURES:
            raise NotFoundError("There is no preview of this file.")
        return await self._load_or_make_rendition(
            file, "preview", lambda path: self._spool.run_in_thread(make_preview, path), self._maker_slots
        )

    async def model_picture(self, file: StoredFile) -> tuple[bytes, str]:
        """Return a picture for models, and its media type; a smaller, upright copy is made once if needed."""
        is_small = file.size <= MODEL_BYTES and max(file.width or 0, file.height or 0) <= MODEL_SIDE
        if is_small and file.media_type != GIF:
            data = await self.read(file)
            if await self._spool.run_in_thread(is_upright, data, file.media_type):
                return data, file.media_type
        made = await self._load_or_make_rendition(
            file, "model", lambda path: self._spool.run_in_thread(make_model_picture, path), self._maker_slots
        )
        return made, type_of_model_picture(made)

    async def text(self, file: StoredFile) -> FileText:
        """Return the text of a text file or a document; that of a document is extracted once and stored.

        Raises:
            UnreadableError: When the document cannot be read.
        """
        if file.media_type not in DOCUMENTS:
            async with self.local_copy(file) as path:
                return await self._spool.run_in_thread(decode_text, path, MAX_EXTRACTED_CHARS)

        async def extract(path: Path) -> bytes:
            if file.id in self._recent_failures:  # another request has tried meanwhile, and failed
                raise UnreadableError
            return dump_text(await self._extract(path, file.media_type))

        if file.id in self._recent_failures:
            raise UnreadableError
        try:
            async with asyncio.timeout(self._reading_timeout_s):
                return load_text(await self._load_or_make_rendition(file, "text", extract, self._reader_slots))
        except UnreadableError:
            self._recent_failures.add(file.id)
            raise
        except TimeoutError as exc:
            # The time was spent waiting for other documents, so the next request may try again.
            raise UnreadableError from exc

    def read_ahead(self, file: StoredFile) -> None:
        """Extract the text of an office document in the background, so that answers need not wait for it.

        A PDF is not read ahead, since most models read PDF themselves.
        """
        if file.media_type in OFFICE and len(self._read_ahead_tasks) < MAX_READ_AHEAD:
            task = asyncio.create_task(self._extract_ahead(file))
            self._read_ahead_tasks.add(task)
            task.add_done_callback(self._read_ahead_tasks.discard)

    async def close(self) -> None:
        """Stop reading ahead."""
        for task in self._read_ahead_tasks:
            task.cancel()
        await asyncio.gather(*self._read_ahead_tasks, return_exceptions=True)

    async def _extract_ahead(self, file: StoredFile) -> None:
        try:
            async with self._read_ahead_slot:
                await self.text(file)
        except UserFacingError as exc:
            logger.info("document not read ahead", extra={"file_id": file.id, "code": exc.code})
        except Exception:
            # The error occurs again when the text is needed; nothing depends on this attempt.
            logger.warning("document not read ahead", extra={"file_id": file.id}, exc_info=True)

    async def transcript(self, file: StoredFile, transcribe: Callable[[bytes, str], Awaitable[str]]) -> FileText:
        """Return the transcript of a recording, which is made once and stored.

        Args:
            file: The recording.
            transcribe: Returns the text of a recording, from its bytes and media type.
        """

        async def make_transcript(path: Path) -> bytes:
            data = await self._spool.run_in_thread(path.read_bytes)
            return dump_text(FileText(await transcribe(data, file.media_type)))

        return load_text(await self._load_or_make_rendition(file, "text", make_transcript, self._maker_slots))

    async def _load_or_make_rendition(self, file: StoredFile, kind: str, make: Make, slots: asyncio.Semaphore) -> bytes:
        """Return what `make` derives from a file, stored under `kind`; concurrent requests wait for the first."""
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        key = file.rendition_key(kind)
        with suppress(NotFoundError):
            return await self._objects.read(key, MAX_RENDITION_BYTES)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock, slots:
            with suppress(NotFoundError):
                return await self._objects.read(key, MAX_RENDITION_BYTES)
            async with self.local_copy(file) as path:
                rendition = await make(path)
            await self._objects.put(key, rendition)
        if await self._records.find(file.id) is None:
            # The file was deleted meanwhile, so that nothing would delete this object.
            await self._objects.delete([key])
        return rendition
