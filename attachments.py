"""ChatKit's AttachmentStore: the life cycle of files, whose bytes are in an object store.

A file is pending until its bytes have been received and checked, then uploaded, then bound to the thread of the message
that it is sent with, and deleted with that thread. The reasons are in docs/files.md and decision 0023.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chatkit.store import AttachmentStore
from chatkit.types import Attachment, AttachmentCreateParams, AttachmentUploadDescriptor
from pydantic import AnyUrl

from config import Settings
from database import Database, new_id
from errors import ConfigError, NotFoundError
from file_library.attached_file import AttachedFile
from file_library.attachment_records import build_attachment, build_document
from file_library.file_arrival import FileArrival
from file_library.file_contents import FileContents
from file_library.file_removal import FileRemoval
from files.file_urls import UPLOAD_LIFE_S, FileURLs, is_file_id
from files.media_types import parse_declared_type
from files.names import clean_name
from files.object_store import ObjectStore, open_object_store
from files.spool import Spool
from files.upload_rules import UploadRules, build_upload_rules, format_size
from storage.file_records import DayLimits, FileRecords
from storage.file_rows import SESSION_RULE, StoredFile, owner_key
from storage.scope import NO_ATTACHMENT, Scope
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

_FALLBACK_BASE = "http://localhost"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Platform-wide limits and options for files.

    Attributes:
        max_bytes: The largest size of a file, in bytes.
        per_day: The number and size of files that a person may upload in a day.
        unsent_life: How long a file is kept that is not sent with a message.
        keeps_metadata: Whether pictures keep their metadata, such as the position.
        is_direct: Whether browsers upload directly to the object store, if that is supported.
    """

    max_bytes: int
    per_day: DayLimits
    unsent_life: timedelta = timedelta(days=1)
    keeps_metadata: bool = False
    is_direct: bool = False


class ParlorAttachmentStore(AttachmentStore[RequestContext]):
    """Store of uploaded files. Methods with a context only access that user's files; any other file reads as missing.

    Args:
        records: The rows of files.
        objects: The object store for the bytes.
        spool: The local folder where files are examined first.
        urls: Signs the URLs for browsers.
        limits: The limits and options.
    """

    def __init__(
        self, records: FileRecords, objects: ObjectStore, spool: Spool, urls: FileURLs, limits: FileLimits
    ) -> None:
        self._records = records
        self.objects = objects
        self.is_direct = limits.is_direct and objects.can_sign
        """Whether browsers upload directly to the object store."""
        self._spool = spool
        self.urls = urls
        self.limits = limits
        self.contents = FileContents(records, objects, spool)
        self._arrival = FileArrival(records, objects, spool, limits.max_bytes, keeps_metadata=limits.keeps_metadata)
        self._removal = FileRemoval(records, objects, spool, limits.unsent_life)

    # Announcing

    def generate_attachment_id(self, mime_type: str, context: RequestContext) -> str:
        """Return a new attachment id."""
        return new_id("atc")

    def rules_of(self, option: Mapping[str, Any] | None) -> UploadRules:
        """Return the upload rules of a use case, from its `composer.attachments`."""
        return build_upload_rules(option, self.limits.max_bytes)

    async def create_attachment(
        self, input: AttachmentCreateParams, context: RequestContext, rules: UploadRules | None = None
    ) -> Attachment:
        """Announce a file, and return its record with the URL for the upload.

        Args:
            input: Name, size and media type of the file, as the browser declares them.
            context: The person who uploads the file.
            rules: The upload rules; None to accept all types that the platform supports.

        Raises:
            UserFacingError: When the declared name, size or type is rejected.
        """
        rules = rules or self.rules_of({"enabled": True})
        name, media_type = clean_name(input.name), parse_declared_type(input.mime_type)
        rules.check(name, media_type, input.size, is_declared=True)
        file = await self._announce(name, media_type, input.size, rules, context, is_direct=self.is_direct)
        headers = {"Content-Type": media_type}
        if self.is_direct:
            url = await self.objects.sign_put(file.incoming_key, UPLOAD_LIFE_S)
            headers |= self.objects.put_headers
        else:
            url = f"{context.base_url or _FALLBACK_BASE}{self.urls.upload_path(file.id, file.owner)}"
        descriptor = AttachmentUploadDescriptor(url=AnyUrl(url), method="PUT", headers=headers)
        return build_attachment(file).model_copy(update={"upload_descriptor": descriptor})

    async def _announce(
        self, name: str, media_type: str, size: int, rules: UploadRules, context: RequestContext, **values: Any
    ) -> StoredFile:
        scope = _scope(context, self.generate_attachment_id(media_type, context))
        document = build_document(scope.id, name, media_type)
        stored_rules = asdict(rules) | ({SESSION_RULE: context.session_id} if context.session_id else {})
        columns = {"size": size, "rules": stored_rules, "document": document, **values}
        return await self._records.announce(scope, columns, self.limits.per_day)

    # Receiving

    async def find(self, file_id: str) -> StoredFile:
        """Return a file of any owner, for callers that check a signature or the owner.

        Raises:
            NotFoundError: When the file does not exist.
        """
        file = await self._records.find(file_id) if is_file_id(file_id) else None
        if file is None:
            raise NotFoundError(NO_ATTACHMENT)
        return file

    async def load(self, file_id: str, context: RequestContext) -> StoredFile:
        """Return a file of an owner.

        Raises:
            NotFoundError: When the file does not exist.
        """
        return await self._records.load(_scope(context, file_id))

    async def receive(self, file: StoredFile, chunks: AsyncIterator[bytes], length: int | None = None) -> Attachment:
        """Receive and check the bytes of an announced file. The same bytes may be sent again.

        Args:
            file: The file.
            chunks: The bytes.
            length: The content length, if known: too large an upload is then rejected before it is read.

        Returns:
            ChatKit's record of the file, with its actual name and media type.

        Raises:
            UserFacingError: When the file differs from its announcement, or is rejected; that is then void.
        """
        arrived = await self._arrival.receive(file, chunks, length)
        self.contents.read_ahead(arrived)
        return build_attachment(arrived)

    async def receive_new(
        self, name: str, declared: str, chunks: AsyncIterator[bytes], rules: UploadRules, context: RequestContext
    ) -> Attachment:
        """Receive a file together with its announcement, as in ChatKit's direct uploads.

        Raises:
            UserFacingError: When the file is rejected.
        """

        async def announce(name: str, media_type: str, size: int) -> StoredFile:
            return await self._announce(name, media_type, size, rules, context)

        owner = owner_key(context.user_id, context.use_case)
        arrived = await self._arrival.receive_new(clean_name(name), declared, chunks, rules, owner, announce)
        self.contents.read_ahead(arrived)
        return build_attachment(arrived)

    async def has_arrived(self, file: StoredFile) -> bool:
        """Return whether all bytes of a file have been uploaded; those in a bucket may not have been examined yet."""
        if file.state != "pending":
            return True
        return file.is_direct and await self.objects.size_of(file.incoming_key) == file.size

    async def accept_direct_uploads(self, attachment_ids: Iterable[str], context: RequestContext) -> None:
        """Examine and accept files that a browser has uploaded directly to the object store.

        Until then they are unchecked: a signed URL of a bucket limits neither size nor type, and can be reused.

        Raises:
            UserFacingError: When one of them has not arrived, differs from the announcement, or is rejected.
        """
        if not self.is_direct:
            return
        for each in attachment_ids:
            file = await self.load(each, context)
            if file.is_direct and file.state == "pending":
                await self._arrival.accept_direct_upload(file)

    # Reading

    async def read(self, attachment_id: str, context: RequestContext) -> bytes:
        """Return the bytes of a file of an owner.

        Raises:
            NotFoundError: When the file does not exist, or has not been uploaded.
        """
        return await self.contents.read(await self.load(attachment_id, context))

    def attached_files(self, attachments: Iterable[Attachment], context: RequestContext) -> list[AttachedFile]:
        """Return files of an owner as objects for tools."""
        return [AttachedFile(each, lambda id_: self.load(id_, context), self.contents) for each in attachments]

    async def load_thread_files(self, thread_id: str, context: RequestContext) -> list[AttachedFile]:
        """Return the files of a thread as objects for tools, the newest first."""
        files = await self._records.load_thread_files(_scope(context, thread_id))
        return self.attached_files(map(build_attachment, files), context)

    # Making

    async def create_file(
        self,
        name: str,
        data: str | bytes | Path | AsyncIterable[bytes],
        thread_id: str,
        context: RequestContext,
        media_type: str | None = None,
    ) -> AttachedFile:
        """Store a file that an assistant has created, as part of a thread.

        Args:
            name: The name for people.
            data: A text, bytes, a local file, or a stream of bytes.
            thread_id: The thread that the file belongs to, and is deleted with.
            context: The owner.
            media_type: The media type; None to detect it from the bytes and the name.

        Raises:
            UserFacingError: When the file is too large or empty, or the thread has been deleted.
        """
        scope = _scope(context, new_id("atc"))
        file = await self._arrival.create_file(scope, clean_name(name), data, thread_id, media_type)
        [made] = self.attached_files([build_attachment(file)], context)
        return made

    # Deleting

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        """Delete a file of an owner: its row, its bytes, and their renditions.

        Raises:
            NotFoundError: When the file does not exist.
        """
        await self._removal.delete(_scope(context, attachment_id))

    async def delete_threadless(self, context: RequestContext) -> None:
        """Delete an owner's files of deleted threads; if the object store is down, the sweeper deletes them later."""
        await self._removal.delete_threadless(_scope(context))

    async def delete_all(self, *, user_id: str | None = None, use_case: str | None = None) -> None:
        """Delete all files of a person, or of a use case, or of a person in a use case.

        Raises:
            ValueError: When neither is given.
        """
        await self._removal.delete_all(user_id, use_case)

    async def sweep(self) -> None:
        """Delete abandoned files; to be repeated while the process runs."""
        await self._removal.sweep(has_incoming=self.is_direct)

    async def probe(self) -> str:
        """Write, read and delete an object; return a description of the store.

        Raises:
            UserFacingError: When one of these operations fails.
        """
        key = f"probe/{new_id('probe')}"
        await self.objects.put(key, b"probe")
        await self.objects.read(key, 100)
        await self.objects.delete([key])
        return f"{self.objects.scheme}, {format_size(self.limits.max_bytes)} per file"

    async def probe_url(self) -> str | None:
        """Return a signed upload URL such as browsers get; None when they do not upload to the object store."""
        return await self.objects.sign_put("probe/browser", 60) if self.is_direct else None

    async def close(self) -> None:
        """Stop background work and threads."""
        await self.contents.close()
        self._spool.close()


def _scope(context: RequestContext, file_id: str = "") -> Scope:
    return Scope(context.user_id, context.use_case, file_id)


def create_attachment_store(
    settings: Settings,
    database: Database,
    urls: FileURLs,
    *,
    objects: ObjectStore | None = None,
    records: FileRecords | None = None,
) -> ParlorAttachmentStore:
    """Open the object store and the spool of the settings, and return the attachment store.

    Args:
        settings: All settings.
        database: The database with the rows of files.
        urls: Signs the URLs for browsers.
        objects: The object store; None to open the one of the settings.
        records: The rows of files; None for those in `database`.

    Raises:
        ConfigError: When one of them cannot be opened.
    """
    if objects is None:
        objects = open_object_store(settings.storage_url, settings.data_dir / "attachments", settings.storage_keys)
    limits = FileLimits(
        settings.max_upload_bytes,
        DayLimits(settings.max_uploads_per_day, settings.max_upload_bytes_per_day),
        timedelta(seconds=settings.unsent_file_life_s),
        settings.keep_picture_metadata,
        settings.storage_direct_uploads,
    )
    if limits.is_direct and not objects.can_sign:
        raise ConfigError("STORAGE_DIRECT_UPLOADS", "needs a bucket: set STORAGE_URL to s3://…, az://… or gs://…")
    spool = Spool(settings.data_dir / "uploads")
    return ParlorAttachmentStore(records or FileRecords(database), objects, spool, urls, limits)
