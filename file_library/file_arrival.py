"""FileArrival: receives the bytes of files: spools them, examines them, and moves them to the object store.

They come in four ways: in a separate request, together with the announcement, from the bucket that a browser has
uploaded to, or from a tool. All are spooled to a local file first, and only accepted files become objects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from errors import BadRequestError, ConflictError, NotFoundError, TooLargeError, UnavailableError, UserFacingError
from file_library.attachment_records import build_details, build_document
from files.examination import ExaminedFile, examine, examine_assistant_file
from files.media_types import UNKNOWN, parse_declared_type
from files.object_store import ObjectStore
from files.spool import ReceivedFile, Spool, read_pieces
from files.upload_rules import UploadRules, too_large
from storage.file_records import Claim, FileRecords
from storage.file_rows import SESSION_RULE, StoredFile, owner_key
from storage.scope import NO_ATTACHMENT, Scope

NOT_UPLOADED_YET = "This file has not been uploaded yet."

RENEWALS_PER_LIFE = 4
"""Number of renewals of a claim within the time after which it would expire."""

CLAIM_WAIT_LIVES = 2
"""Longest wait for the claim of another request, as a multiple of the time after which it expires."""

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class FileArrival:
    """Receives and stores files.

    Args:
        records: The rows of files.
        objects: The object store for the bytes.
        spool: The local folder where files are examined first.
        max_bytes: The largest accepted size of a file, in bytes.
        keeps_metadata: Whether pictures keep their metadata, such as the position.
    """

    def __init__(
        self, records: FileRecords, objects: ObjectStore, spool: Spool, max_bytes: int, *, keeps_metadata: bool
    ) -> None:
        self._records = records
        self._objects = objects
        self._spool = spool
        self._max_bytes = max_bytes
        self._keeps_metadata = keeps_metadata

    async def receive(self, file: StoredFile, chunks: AsyncIterator[bytes], length: int | None = None) -> StoredFile:
        """Receive and check the bytes of an announced file. Sending the same bytes again succeeds.

        Args:
            file: The file.
            chunks: The bytes.
            length: The content length of the request, if known: too large an upload is then rejected before it is read.

        Returns:
            The file, with its actual size and type.

        Raises:
            UserFacingError: When the file differs from the announcement, or is rejected; the announcement is then void.
        """
        too_long = TooLargeError("The file is larger than it was said to be.", code="attachments.size_mismatch")
        async with self._spool.workspace(file.owner) as place:
            try:
                if length is not None and length > self._size_limit(file):
                    raise too_long
                received = await self._spool.receive(place, chunks, self._size_limit(file), too_long)
                if file.state != "pending":
                    return _accept_repeated_upload(file, received)
                if received.size < file.size:
                    raise BadRequestError(
                        "The file is smaller than it was said to be.", code="attachments.size_mismatch"
                    )
                examined = await self._examine(received, file.name, file.media_type, _stored_rules(file))
            except UserFacingError as exc:
                if exc.status < 500:
                    await self._records.discard(file)
                raise
            return await self._move_to_store(file, received, examined)

    async def accept_direct_upload(self, file: StoredFile) -> None:
        """Examine and store a file that a browser has uploaded directly to the object store.

        Raises:
            UserFacingError: When the file has not arrived, differs from the announcement, or is rejected.
        """
        size = await self._objects.size_of(file.incoming_key)
        if size is None:
            raise ConflictError(NOT_UPLOADED_YET, code="attachments.not_uploaded")
        try:
            if size != file.size:
                raise BadRequestError(
                    "The file is not as large as it was said to be.", code="attachments.size_mismatch"
                )
            async with self._spool.workspace(file.owner) as place:
                chunks = (await self._objects.open(file.incoming_key)).chunks
                received = await self._spool.receive(place, chunks, size, too_large(size))
                examined = await self._examine(received, file.name, file.media_type, _stored_rules(file))
                await self._move_to_store(file, received, examined)
        except NotFoundError as exc:
            # A concurrent message with the same file has already stored or rejected it.
            raise ConflictError(NOT_UPLOADED_YET, code="attachments.not_uploaded") from exc
        except UserFacingError as exc:
            if exc.status < 500 and not isinstance(exc, ConflictError):
                await self._objects.delete([file.incoming_key])
                await self._records.discard(file)
            raise
        await self._objects.delete([file.incoming_key])

    async def receive_new(
        self,
        name: str,
        declared: str,
        chunks: AsyncIterator[bytes],
        rules: UploadRules,
        owner: str,
        announce: Callable[[str, str, int], Awaitable[StoredFile]],
    ) -> StoredFile:
        """Receive a file together with its announcement, as in ChatKit's direct uploads.

        Args:
            name: The name, cleaned.
            declared: The media type that the browser declares.
            chunks: The bytes.
            rules: The upload rules of the use case.
            owner: The `owner_key` of the owner, whose concurrent uploads are limited.
            announce: Creates the row from name, media type and size, once the file has been accepted.

        Raises:
            UserFacingError: When the file is rejected.
        """
        media_type = parse_declared_type(declared)
        rules.check(name, media_type, None, is_declared=True)
        async with self._spool.workspace(owner) as place:
            limit = rules.limit_for(media_type)
            received = await self._spool.receive(place, chunks, limit, too_large(limit))
            examined = await self._examine(received, name, media_type, rules)
            file = await announce(examined.name, examined.media_type, received.size)
            return await self._move_to_store(file, received, examined)

    async def create_file(
        self,
        scope: Scope,
        name: str,
        data: str | bytes | Path | AsyncIterable[bytes],
        thread_id: str,
        media_type: str | None,
    ) -> StoredFile:
        """Store a file that an assistant has created, as part of a thread.

        Args:
            scope: The owner and the id of the file.
            name: The name, cleaned.
            data: A text, bytes, a local file, or a stream of bytes.
            thread_id: The thread that the file belongs to, and is deleted with.
            media_type: The media type; None to detect it from the bytes and the name.

        Raises:
            UserFacingError: When the file is too large or empty, or the thread has been deleted.
        """
        limit = self._max_bytes
        async with self._spool.workspace(owner_key(scope.owner_id, scope.use_case)) as place:
            received = await self._spool.receive(place, read_pieces(data), limit, too_large(limit))
            declared = parse_declared_type(media_type) if media_type is not None else UNKNOWN
            examined = await self._spool.run_in_thread(examine_assistant_file, received, name, declared)
            document = build_document(scope.id, examined.name, examined.media_type) | {"thread_id": thread_id}
            file = await self._records.announce(scope, {"size": received.size, "document": document})
            return await self._move_to_store(file, received, examined, thread_id)

    def _size_limit(self, file: StoredFile) -> int:
        # A repeated upload may be larger than the stored file, as pictures lose their metadata.
        return file.size if file.state == "pending" else self._max_bytes

    async def _examine(self, received: ReceivedFile, name: str, declared: str, rules: UploadRules) -> ExaminedFile:
        return await self._spool.run_in_thread(
            examine, received, name, declared, rules, keeps_metadata=self._keeps_metadata
        )

    async def _move_to_store(
        self, file: StoredFile, received: ReceivedFile, examined: ExaminedFile, thread_id: str | None = None
    ) -> StoredFile:
        """Move the bytes of a file to the object store, and update its row; of concurrent requests, one does it."""
        claim = await self._claim(file)
        if claim is None:
            return _accept_repeated_upload(await self._load(file), received)
        key = file.content_key_of(examined.sha256)
        try:
            async with self._keep_claim_renewed(claim):
                await self._objects.put_file(key, examined.path)
        except BaseException:
            await self._records.release(claim)
            raise
        if not await self._records.complete(
            claim, file, _examined_columns(file, received, examined, thread_id), thread_id
        ):
            return await self._resolve_lost_claim(file, received, key, thread_id)
        if claim.is_second:
            await self._delete_other_objects(file, key)
        return await self._load(file)

    async def _resolve_lost_claim(
        self, file: StoredFile, received: ReceivedFile, key: str, thread_id: str | None
    ) -> StoredFile:
        """Return the file as another request has completed it meanwhile, and delete a redundant object.

        Raises:
            NotFoundError: When the file or its thread was deleted while the bytes were moved.
            ConflictError: When another request is still moving bytes, or has stored different ones.
        """
        current = await self._records.find(file.id)
        if current is None or thread_id is not None:
            await self._objects.delete([key])
            raise NotFoundError(NO_ATTACHMENT)
        # This process was suspended for so long that its claim expired, and another request has claimed the file.
        if current.state == "pending":
            raise _already_uploading_error()
        if current.content_key != key:
            await self._objects.delete([key])
        return _accept_repeated_upload(current, received)

    async def _delete_other_objects(self, file: StoredFile, key: str) -> None:
        """Delete the objects of interrupted uploads; if the store is down, they are deleted together with the file."""
        with suppress(UnavailableError):
            await self._objects.delete([each for each in await self._objects.keys(file.folder) if each != key])

    async def _claim(self, file: StoredFile) -> Claim | None:
        """Wait for a claim to move the bytes of a file; return None when another request has moved them meanwhile.

        A dead process does not renew its claim, so the wait for it is short.

        Raises:
            ConflictError: When another request is still moving the bytes after the longest wait.
        """
        pause_s, left_s = FIRST_PAUSE_S, CLAIM_WAIT_LIVES * self._records.claim_life.total_seconds()
        while True:
            claim = await self._records.claim(file)
            if claim is not None or (await self._load(file)).state != "pending":
                return claim
            if left_s < 0:
                raise _already_uploading_error()
            await asyncio.sleep(pause_s)
            left_s -= pause_s
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    @asynccontextmanager
    async def _keep_claim_renewed(self, claim: Claim) -> AsyncIterator[None]:
        """Keep renewing a claim while the block runs."""
        is_over = asyncio.Event()
        pause_s = self._records.claim_life.total_seconds() / RENEWALS_PER_LIFE

        async def renew() -> None:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await is_over.wait()
                if is_over.is_set():
                    return
                # A failed renewal is retried at the next interval; `complete` notices whether the claim was lost.
                with suppress(UnavailableError):
                    await self._records.renew(claim)

        # Ended by the event and never cancelled: a renewal that was stored but not noted would look like a lost claim.
        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            is_over.set()
            await renewing

    async def _load(self, file: StoredFile) -> StoredFile:
        current = await self._records.find(file.id)
        if current is None:
            raise NotFoundError(NO_ATTACHMENT)
        return current


def _accept_repeated_upload(file: StoredFile, received: ReceivedFile) -> StoredFile:
    """Return a file that has been uploaded already, if the same bytes were sent again.

    Raises:
        ConflictError: When different bytes were sent.
    """
    if received.sha256 != file.sent_sha256:
        raise ConflictError("This file has been uploaded already.", code="attachments.uploaded_already")
    return file


def _examined_columns(
    file: StoredFile, received: ReceivedFile, examined: ExaminedFile, thread_id: str | None
) -> dict[str, Any]:
    """Return the columns of a file that are known after its examination."""
    document: dict[str, Any] = build_document(file.id, examined.name, examined.media_type) | {
        "metadata": build_details(examined.size, examined.width, examined.height)
    }
    if thread_id is not None:
        document["thread_id"] = thread_id
    return {
        "state": "uploaded", "size": examined.size, "sent_sha256": received.sha256, "sha256": examined.sha256,
        "width": examined.width, "height": examined.height, "document": document,
    }  # fmt: skip


def _already_uploading_error() -> ConflictError:
    return ConflictError("This file is being uploaded already.", code="attachments.uploading")


def _stored_rules(file: StoredFile) -> UploadRules:
    """Return the upload rules that were stored when the file was announced."""
    stored = {name: value for name, value in (file.rules or {}).items() if name != SESSION_RULE}
    return UploadRules(**stored | {"types": tuple(stored["types"]), "extensions": tuple(stored["extensions"])})
