"""ChatKit's AttachmentStore: the life of a file from its announcement to its end, its bytes in an object store.

A file is pending until its bytes are here and checked, then uploaded, then bound to the thread of the message that
brings it, and deleted with that thread. docs/files.md and decision 0021 say why it is so.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chatkit.store import AttachmentStore
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
)
from pydantic import AnyUrl

from config import Settings
from database import Database, new_id
from errors import BadRequestError, ConflictError, NotFoundError, TooLargeError, UnavailableError, UserFacingError
from files.examination import Examined, examine
from files.file_urls import FileURLs, is_file_id, mark_of
from files.media_types import GIF, PICTURES, normalized
from files.names import clean_name
from files.object_store import ObjectStore, StoredObject, open_object_store
from files.renditions import MODEL_BYTES, MODEL_SIDE, make_model_picture, make_preview, type_of_model_picture
from files.spool import Received, Spool
from files.texts import (
    DOCUMENTS,
    MAX_EXTRACTED_CHARS,
    FileText,
    TextExtractor,
    decode_text,
    dump_text,
    load_text,
)
from files.upload_rules import UploadRules, build_upload_rules, too_large
from storage.file_records import DayLimits, FileRecords
from storage.file_rows import StoredFile
from storage.scope import NO_ATTACHMENT, Scope
from turns.clock import utc_now
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

SWEPT_AT_ONCE = 100
MAX_SWEEPS = 20
MAX_MAKERS = 2
"""Renditions that are made at once: each decodes a picture, which takes up to 200 MB."""

MAX_RENDITION_BYTES = 16 * 1024 * 1024
PENDING_LIFE = timedelta(minutes=45)
"""How long a file may be announced without being here: its URL, its upload, and the move to its place."""

NOT_UPLOADED = "This file has not been uploaded."

_FALLBACK_BASE = "http://localhost"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits of all files.

    Attributes:
        max_bytes: The largest one.
        per_day: What one person may send in a day.
        unsent_life: How long one is kept that is not sent with a message.
        keeps_metadata: Whether pictures keep what cameras note in them.
    """

    max_bytes: int
    per_day: DayLimits
    unsent_life: timedelta = timedelta(days=1)
    keeps_metadata: bool = False


class ParlorAttachmentStore(AttachmentStore[RequestContext]):
    """Files. Every method that has a context answers for that owner alone: what is another's reads as missing.

    Args:
        records: The rows.
        objects: The bytes.
        spool: Where they are looked at first.
        urls: Signs what a browser is given.
        limits: How much there may be.
    """

    def __init__(
        self, records: FileRecords, objects: ObjectStore, spool: Spool, urls: FileURLs, limits: FileLimits
    ) -> None:
        self._records = records
        self.objects = objects
        self._spool = spool
        self.urls = urls
        self.limits = limits
        self._in_making: dict[str, asyncio.Lock] = {}
        self._extractor = TextExtractor()
        self._makers = asyncio.Semaphore(MAX_MAKERS)

    # Announcing

    def generate_attachment_id(self, mime_type: str, context: RequestContext) -> str:
        """Return a new attachment id."""
        return new_id("atc")

    def rules_of(self, option: Mapping[str, Any] | None) -> UploadRules:
        """Return which files a use case takes, by its `composer.attachments`."""
        return build_upload_rules(option, self.limits.max_bytes)

    async def create_attachment(
        self, input: AttachmentCreateParams, context: RequestContext, rules: UploadRules | None = None
    ) -> Attachment:
        """Announce a file that the person is about to send, and say where to.

        Args:
            input: Name, size and type of the file, as the browser has them.
            context: Who sends it.
            rules: Which files are taken; None for any that the platform knows.

        Raises:
            UserFacingError: When it is not taken, by what is said of it.
        """
        rules = rules or self.rules_of({"enabled": True})
        name, media_type = clean_name(input.name), normalized(input.mime_type)
        rules.check(name, media_type, input.size, is_declared=True)
        file = await self._announce(name, media_type, input.size, rules, context)
        url = f"{context.base_url or _FALLBACK_BASE}{self.urls.upload_path(file.id, file.owner)}"
        descriptor = AttachmentUploadDescriptor(url=AnyUrl(url), method="PUT", headers={"Content-Type": media_type})
        return build_attachment(file).model_copy(update={"upload_descriptor": descriptor})

    async def _announce(
        self, name: str, media_type: str, size: int, rules: UploadRules, context: RequestContext, **values: Any
    ) -> StoredFile:
        scope = _scope(context, self.generate_attachment_id(media_type, context))
        document = _document(scope.id, name, media_type)
        columns = {"size": size, "rules": asdict(rules), "document": document, **values}
        return await self._records.announce(scope, columns, self.limits.per_day)

    # Receiving

    async def find(self, file_id: str) -> StoredFile:
        """Return a file, whosever it is: for who shows a signature of its owner.

        Raises:
            NotFoundError: When there is none.
        """
        file = await self._records.find(file_id) if is_file_id(file_id) else None
        if file is None:
            raise NotFoundError(NO_ATTACHMENT)
        return file

    async def load(self, file_id: str, context: RequestContext) -> StoredFile:
        """Return a file of an owner.

        Raises:
            NotFoundError: When there is none.
        """
        return await self._records.load(_scope(context, file_id))

    async def receive(self, file: StoredFile, chunks: AsyncIterator[bytes], length: int | None = None) -> Attachment:
        """Take the bytes of a file that was announced, and check them. The same bytes may be sent again.

        Args:
            file: The file.
            chunks: The bytes.
            length: How many there will be, where that is known: a lie is refused before the first of them.

        Returns:
            ChatKit's record of it, which names what it really is.

        Raises:
            UserFacingError: When it is not what was announced, or is not taken; then it is announced no more.
        """
        too_long = TooLargeError("The file is larger than it was said to be.", code="attachments.size_mismatch")
        async with self._spool.workplace() as place:
            try:
                if length is not None and length > self._most(file):
                    raise too_long
                received = await self._spool.receive(place, chunks, self._most(file), too_long)
                if file.state != "pending":
                    return self._repeated(file, received)
                if received.size < file.size:
                    raise BadRequestError(
                        "The file is smaller than it was said to be.", code="attachments.size_mismatch"
                    )
                examined = await self._examine(received, file.name, file.media_type, _rules_of(file))
            except UserFacingError as exc:
                if exc.status < 500:
                    await self._records.discard(file)
                raise
            return await self._keep(file, received, examined)

    def _most(self, file: StoredFile) -> int:
        # What is kept may be smaller than what was sent: pictures lose their metadata.
        return file.size if file.state == "pending" else self.limits.max_bytes

    async def receive_new(
        self, name: str, declared: str, chunks: AsyncIterator[bytes], rules: UploadRules, context: RequestContext
    ) -> Attachment:
        """Take a file whose bytes come with its announcement, as ChatKit's direct uploads have it.

        Raises:
            UserFacingError: When it is not taken.
        """
        name, media_type = clean_name(name), normalized(declared)
        rules.check(name, media_type, None, is_declared=True)
        async with self._spool.workplace() as place:
            limit = rules.limit_for(media_type)
            received = await self._spool.receive(place, chunks, limit, too_large(limit))
            examined = await self._examine(received, name, media_type, rules)
            file = await self._announce(examined.name, examined.media_type, received.size, rules, context)
            return await self._keep(file, received, examined)

    async def _examine(self, received: Received, name: str, declared: str, rules: UploadRules) -> Examined:
        return await self._spool.in_thread(
            examine, received.path, name, declared, rules, keeps_metadata=self.limits.keeps_metadata
        )

    def _repeated(self, file: StoredFile, received: Received) -> Attachment:
        if received.sha256 != file.sent_sha256:
            raise ConflictError("This file has been uploaded already.", code="attachments.uploaded_already")
        return build_attachment(file)

    async def _keep(self, file: StoredFile, received: Received, examined: Examined) -> Attachment:
        if not await self._records.claim(file):
            now = await self.find(file.id)
            if now.state != "pending":
                return self._repeated(now, received)
            raise ConflictError("This file is being uploaded already.", code="attachments.uploading")
        try:
            await self.objects.put_file(file.content_key, examined.path)
        except BaseException:
            await self._records.release(file)
            raise
        document = _document(file.id, examined.name, examined.media_type)
        values = {
            "state": "uploaded", "size": examined.size, "sent_sha256": received.sha256, "sha256": examined.sha256,
            "width": examined.width, "height": examined.height, "document": document,
        }  # fmt: skip
        if not await self._records.complete(file, values):
            # It was deleted while its bytes were moved.
            await self.objects.delete([file.content_key])
            raise NotFoundError(NO_ATTACHMENT)
        return build_attachment(await self.find(file.id))

    # Reading

    async def open(self, file: StoredFile, start: int = 0, end: int | None = None) -> StoredObject:
        """Return the bytes of a file, or a range of them, as a stream.

        Raises:
            NotFoundError: When it has not been uploaded.
        """
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        return await self.objects.open(file.content_key, start, end)

    async def read(self, attachment_id: str, context: RequestContext) -> bytes:
        """Return the bytes of a file of an owner.

        Raises:
            NotFoundError: When there is none, or it has not been uploaded.
        """
        file = await self.load(attachment_id, context)
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        return await self.objects.read(file.content_key, max(self.limits.max_bytes, file.size))

    async def preview(self, file: StoredFile) -> bytes:
        """Return a small picture of a picture; it is made once.

        Raises:
            NotFoundError: When the file is no picture, or has not been uploaded.
        """
        if file.media_type not in PICTURES:
            raise NotFoundError("There is no preview of this file.")
        return await self._rendition(file, "preview", make_preview)

    async def model_picture(self, file: StoredFile) -> tuple[bytes, str]:
        """Return a picture as models take it, and its type; what is too large is made smaller, once."""
        is_small = file.size <= MODEL_BYTES and max(file.width or 0, file.height or 0) <= MODEL_SIDE
        if is_small and file.media_type != GIF:
            return await self.objects.read(file.content_key, MODEL_BYTES), file.media_type
        made = await self._rendition(file, "model", make_model_picture)
        return made, type_of_model_picture(made)

    async def text(self, file: StoredFile) -> FileText:
        """Return the text of a text file, or of a document; a document's is extracted once.

        Raises:
            UnavailableError: When it cannot be read.
        """
        if file.media_type not in DOCUMENTS:
            async with self._local_copy(file) as path:
                return await self._spool.in_thread(decode_text, path, MAX_EXTRACTED_CHARS)

        async def extract(path: Path) -> bytes:
            return dump_text(await self._extractor.extract(path, file.media_type))

        return load_text(await self._rendition(file, "text", extract))

    async def transcript(self, file: StoredFile, transcribe: Callable[[bytes, str], Awaitable[str]]) -> FileText:
        """Return what is said in a recording, which is asked for once.

        Args:
            file: The recording.
            transcribe: Turns its bytes and its type into text.
        """

        async def ask(path: Path) -> bytes:
            data = await self._spool.in_thread(path.read_bytes)
            return dump_text(FileText(await transcribe(data, file.media_type)))

        return load_text(await self._rendition(file, "text", ask))

    @asynccontextmanager
    async def _local_copy(self, file: StoredFile) -> AsyncIterator[Path]:
        """Open a copy of a file on this machine's disk, for as long as it is needed."""
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        async with self._spool.workplace() as place:
            path = place / "copy"
            await self.objects.download(file.content_key, path)
            yield path

    async def _rendition(
        self, file: StoredFile, kind: str, make: Callable[[Path], bytes] | Callable[[Path], Awaitable[bytes]]
    ) -> bytes:
        """Return what is made of a file once, and kept beside it. Of several who ask at once one makes it."""
        if file.state == "pending":
            raise NotFoundError(NOT_UPLOADED)
        key = file.rendition_key(kind)
        with suppress(NotFoundError):
            return await self.objects.read(key, MAX_RENDITION_BYTES)
        async with self._in_making.setdefault(key, asyncio.Lock()) as _, self._makers:
            try:
                with suppress(NotFoundError):
                    return await self.objects.read(key, MAX_RENDITION_BYTES)
                async with self._local_copy(file) as path:
                    if inspect.iscoroutinefunction(make):
                        made: bytes = await make(path)
                    else:
                        made = await self._spool.in_thread(make, path)  # type: ignore[arg-type]
                await self.objects.put(key, made)
            finally:
                self._in_making.pop(key, None)
        if await self._records.find(file.id) is None:
            # It was deleted meanwhile, and this with it.
            await self.objects.delete([key])
        return made

    # Deleting

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        """Delete a file of an owner: its row, its bytes, and what was made of them.

        Raises:
            NotFoundError: When there is none.
        """
        scope = _scope(context, attachment_id)
        await self._records.mark_deleted(scope)
        await self._delete_marked(scope)

    async def delete_threadless(self, context: RequestContext) -> None:
        """Delete an owner's files of threads that are gone; what cannot be reached now, the sweeper deletes."""
        scope = _scope(context)
        if await self._records.mark_threadless(scope):
            await self._delete_marked(scope)

    async def delete_all(self, *, user_id: str | None = None, use_case: str | None = None) -> None:
        """Delete all files of a person, or of a use case, or of a person in a use case.

        Raises:
            ValueError: When neither is named.
        """
        if user_id is None and use_case is None:
            raise ValueError("name a person or a use case")
        await self._records.mark_all_deleted(user_id, use_case)
        await self._sweep_marked()

    async def sweep(self) -> None:
        """Delete what nobody will ask for.

        That is what was announced and never came, or came and was never sent with a message, what belonged to threads
        that are gone, and what processes have left that are no more.
        """
        now = utc_now()
        await self._records.mark_orphans(now - PENDING_LIFE, now - self.limits.unsent_life, SWEPT_AT_ONCE)
        await self._sweep_marked()
        await self._spool.in_thread(self._spool.sweep)
        await self._spool.in_thread(self.objects.sweep_leftovers)

    async def _sweep_marked(self) -> None:
        for _ in range(MAX_SWEEPS):
            if await self._delete_marked() < SWEPT_AT_ONCE:
                return

    async def _delete_marked(self, scope: Scope | None = None) -> int:
        """Delete objects and rows of files that are marked; return how many were. The row is the last to go."""
        marked = await self._records.marked(SWEPT_AT_ONCE, scope)
        deleted = 0
        for file in marked:
            try:
                await self.objects.delete(await self.objects.keys(file.folder))
                if file.is_direct:
                    await self.objects.delete([file.incoming_key])
            except UnavailableError as exc:
                logger.warning("file not deleted yet", extra={"file_id": file.id, "reason": str(exc.__cause__)[:200]})
                continue
            await self._records.remove(file)
            deleted += 1
        return deleted

    async def close(self) -> None:
        """Take no more work."""
        self._spool.close()


def _scope(context: RequestContext, file_id: str = "") -> Scope:
    return Scope(context.user_id, context.use_case, file_id)


def _document(file_id: str, name: str, media_type: str) -> dict[str, Any]:
    is_picture = media_type in PICTURES
    document = {"type": "image" if is_picture else "file", "id": file_id, "name": name, "mime_type": media_type}
    return document | ({"preview_url": mark_of(file_id, "preview")} if is_picture else {})


def _rules_of(file: StoredFile) -> UploadRules:
    given = file.rules or {}
    return UploadRules(**{**given, "types": tuple(given["types"]), "extensions": tuple(given["extensions"])})


def build_attachment(file: StoredFile) -> Attachment:
    """Return ChatKit's record of a file, with marks where a browser is given URLs."""
    common: dict[str, Any] = {
        "id": file.id, "name": file.name, "mime_type": file.media_type, "thread_id": file.thread_id,
    }  # fmt: skip
    if file.media_type in PICTURES:
        return ImageAttachment(preview_url=AnyUrl(mark_of(file.id, "preview")), **common)
    return FileAttachment(**common)


def create_attachment_store(settings: Settings, database: Database, urls: FileURLs) -> ParlorAttachmentStore:
    """Open the store of files that the settings name.

    Raises:
        ConfigError: When it cannot be opened.
    """
    objects = open_object_store(settings.storage_url, settings.data_dir / "attachments")
    limits = FileLimits(
        settings.max_upload_bytes,
        DayLimits(settings.max_uploads_per_day, settings.max_upload_bytes_per_day),
        timedelta(seconds=settings.unsent_file_life_s),
        settings.keep_picture_metadata,
    )
    return ParlorAttachmentStore(FileRecords(database), objects, Spool(settings.data_dir / "uploads"), urls, limits)
