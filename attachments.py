"""ChatKit's AttachmentStore: the life of a file from its announcement to its end, its bytes in an object store.

A file is pending until its bytes are here and checked, then uploaded, then bound to the thread of the message that
brings it, and deleted with that thread. docs/files.md and decision 0023 say why it is so.
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
from files.media_types import declared_type
from files.names import clean_name
from files.object_store import ObjectStore, open_object_store
from files.spool import Spool
from files.upload_rules import UploadRules, build_upload_rules, in_words
from storage.file_records import DayLimits, FileRecords
from storage.file_rows import SESSION_RULE, StoredFile, owner_of
from storage.scope import NO_ATTACHMENT, Scope
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

_FALLBACK_BASE = "http://localhost"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits of all files.

    Attributes:
        max_bytes: The size of the largest file.
        per_day: The number and size of files that a person may send in a day.
        unsent_life: How long a file is kept that is not sent with a message.
        keeps_metadata: Whether pictures keep what cameras note in them.
        is_direct: Whether browsers are to send files to the object store itself, where it can be.
    """

    max_bytes: int
    per_day: DayLimits
    unsent_life: timedelta = timedelta(days=1)
    keeps_metadata: bool = False
    is_direct: bool = False


class ParlorAttachmentStore(AttachmentStore[RequestContext]):
    """Files. Every method that has a context answers for that owner alone: what is another's reads as missing.

    Args:
        records: The rows.
        objects: The bytes.
        spool: The place where bytes are examined first.
        urls: Signs what a browser is given.
        limits: The sizes and numbers that are allowed.
    """

    def __init__(
        self, records: FileRecords, objects: ObjectStore, spool: Spool, urls: FileURLs, limits: FileLimits
    ) -> None:
        self._records = records
        self.objects = objects
        self.is_direct = limits.is_direct and objects.can_sign
        """Whether browsers send files to the object store itself."""
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
        """Return which files a use case takes, by its `composer.attachments`."""
        return build_upload_rules(option, self.limits.max_bytes)

    async def create_attachment(
        self, input: AttachmentCreateParams, context: RequestContext, rules: UploadRules | None = None
    ) -> Attachment:
        """Announce a file that the person is about to send, and say where to.

        Args:
            input: Name, size and type of the file, as the browser has them.
            context: The person who sends the file.
            rules: Which files are taken; None for any that the platform knows.

        Raises:
            UserFacingError: When it is not taken, by what is said of it.
        """
        rules = rules or self.rules_of({"enabled": True})
        name, media_type = clean_name(input.name), declared_type(input.mime_type)
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
        given = asdict(rules) | ({SESSION_RULE: context.session_id} if context.session_id else {})
        columns = {"size": size, "rules": given, "document": document, **values}
        return await self._records.announce(scope, columns, self.limits.per_day)

    # Receiving

    async def find(self, file_id: str) -> StoredFile:
        """Return a file whoever owns it, for callers that have checked the owner's signature.

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
            length: How many bytes there will be, where that is known: a lie is refused before the first of them.

        Returns:
            ChatKit's record of it, which names what it really is.

        Raises:
            UserFacingError: When it is not what was announced, or is refused; the announcement is then void.
        """
        arrived = await self._arrival.receive(file, chunks, length)
        self.contents.read_ahead(arrived)
        return build_attachment(arrived)

    async def receive_new(
        self, name: str, declared: str, chunks: AsyncIterator[bytes], rules: UploadRules, context: RequestContext
    ) -> Attachment:
        """Take a file whose bytes come with its announcement, as ChatKit's direct uploads have it.

        Raises:
            UserFacingError: When it is not taken.
        """

        async def announce(name: str, media_type: str, size: int) -> StoredFile:
            return await self._announce(name, media_type, size, rules, context)

        owner = owner_of(context.user_id, context.use_case)
        arrived = await self._arrival.receive_new(clean_name(name), declared, chunks, rules, owner, announce)
        self.contents.read_ahead(arrived)
        return build_attachment(arrived)

    async def has_arrived(self, file: StoredFile) -> bool:
        """Say whether all bytes of a file are here, looked at or, where browsers send them to the bucket, not yet."""
        if file.state != "pending":
            return True
        return file.is_direct and await self.objects.size_of(file.incoming_key) == file.size

    async def settle(self, attachment_ids: Iterable[str], context: RequestContext) -> None:
        """Look at files that a browser has sent to the object store itself, and put them where they belong.

        Until then nobody has seen them: a signed URL of a bucket binds neither size nor type, and can be used again.

        Raises:
            UserFacingError: When one of them has not arrived, is not what was announced, or is not taken.
        """
        if not self.is_direct:
            return
        for each in attachment_ids:
            file = await self.load(each, context)
            if file.is_direct and file.state == "pending":
                await self._arrival.take_over(file)

    # Reading

    async def read(self, attachment_id: str, context: RequestContext) -> bytes:
        """Return the bytes of a file of an owner.

        Raises:
            NotFoundError: When there is none, or it has not been uploaded.
        """
        return await self.contents.read(await self.load(attachment_id, context))

    def attached(self, attachments: Iterable[Attachment], context: RequestContext) -> list[AttachedFile]:
        """Return files of an owner as tools get them."""
        return [AttachedFile(each, lambda id_: self.load(id_, context), self.contents) for each in attachments]

    async def in_thread(self, thread_id: str, context: RequestContext) -> list[AttachedFile]:
        """Return the files of a thread as tools get them, the newest first."""
        files = await self._records.in_thread(_scope(context, thread_id))
        return self.attached(map(build_attachment, files), context)

    # Making

    async def make(
        self,
        name: str,
        data: str | bytes | Path | AsyncIterable[bytes],
        thread_id: str,
        context: RequestContext,
        media_type: str | None = None,
    ) -> AttachedFile:
        """Store a file that an assistant has made, as a part of a thread.

        Args:
            name: The name for people.
            data: A text, bytes, a local file, or a stream of bytes.
            thread_id: The thread that it lives and dies with.
            context: The owner.
            media_type: The type; None for what the bytes and the name tell.

        Raises:
            UserFacingError: When it is too large or empty, or the thread is gone.
        """
        scope = _scope(context, new_id("atc"))
        file = await self._arrival.make(scope, clean_name(name), data, thread_id, media_type)
        [made] = self.attached([build_attachment(file)], context)
        return made

    # Deleting

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        """Delete a file of an owner: its row, its bytes, and what was made of them.

        Raises:
            NotFoundError: When there is none.
        """
        await self._removal.delete(_scope(context, attachment_id))

    async def delete_threadless(self, context: RequestContext) -> None:
        """Delete an owner's files of threads that are gone; what cannot be reached now, the sweeper deletes."""
        await self._removal.delete_threadless(_scope(context))

    async def delete_all(self, *, user_id: str | None = None, use_case: str | None = None) -> None:
        """Delete all files of a person, or of a use case, or of a person in a use case.

        Raises:
            ValueError: When neither is named.
        """
        await self._removal.delete_all(user_id, use_case)

    async def sweep(self) -> None:
        """Delete what nobody will ask for; done again and again while the process lives."""
        await self._removal.sweep(has_incoming=self.is_direct)

    async def probe(self) -> str:
        """Write, read and delete an object; return where, in words.

        Raises:
            UserFacingError: When it cannot be done.
        """
        key = f"probe/{new_id('probe')}"
        await self.objects.put(key, b"probe")
        await self.objects.read(key, 100)
        await self.objects.delete([key])
        return f"{self.objects.scheme}, {in_words(self.limits.max_bytes)} per file"

    async def probe_url(self) -> str | None:
        """Return a URL as a browser is given one to send a file to the object store; None where it is not."""
        return await self.objects.sign_put("probe/browser", 60) if self.is_direct else None

    async def close(self) -> None:
        """Stop taking work."""
        await self.contents.close()
        self._spool.close()


def _scope(context: RequestContext, file_id: str = "") -> Scope:
    return Scope(context.user_id, context.use_case, file_id)


def create_attachment_store(settings: Settings, database: Database, urls: FileURLs) -> ParlorAttachmentStore:
    """Open the store of files that the settings name.

    Raises:
        ConfigError: When it cannot be opened.
    """
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
    return ParlorAttachmentStore(FileRecords(database), objects, Spool(settings.data_dir / "uploads"), urls, limits)
