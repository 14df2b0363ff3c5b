"""FileArrival: takes in the bytes of a file: spools them, examines them, and moves them to the object store.

They come in four ways: in a request of their own, together with their announcement, from the bucket that a browser
uploaded to, or from a tool. All are spooled to a local file first, and only what passes becomes an object.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from errors import BadRequestError, ConflictError, NotFoundError, TooLargeError, UnavailableError, UserFacingError
from file_library.attachment_records import build_details, build_document
from files.examination import Examined, examine, examine_own
from files.media_types import UNKNOWN, declared_type
from files.object_store import ObjectStore
from files.spool import Received, Spool, pieces_of
from files.upload_rules import UploadRules, too_large
from storage.file_records import Claim, FileRecords
from storage.file_rows import SESSION_RULE, StoredFile, owner_of
from storage.scope import NO_ATTACHMENT, Scope

NOT_UPLOADED_YET = "This file has not been uploaded yet."

RENEWALS_PER_LIFE = 4
"""How many times a claim is renewed in the time after which it would expire."""

CLAIM_WAIT_LIVES = 2
"""How long to wait for somebody else's claim, as a multiple of the time after which it expires unless renewed."""

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class FileArrival:
    """Takes files in.

    Args:
        records: The rows.
        objects: The bytes.
        spool: The local folder where bytes are examined first.
        max_bytes: The size of the largest file that is accepted.
        keeps_metadata: Whether pictures keep the metadata that cameras write into them.
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
            length: The number of bytes if the request says so: too many are refused before the first is read.

        Returns:
            The file, with its real size and type.

        Raises:
            UserFacingError: When it is not what was announced, or is refused; the announcement is then void.
        """
        too_long = TooLargeError("The file is larger than it was said to be.", code="attachments.size_mismatch")
        async with self._spool.workplace(file.owner) as place:
            try:
                if length is not None and length > self._size_limit(file):
                    raise too_long
                received = await self._spool.receive(place, chunks, self._size_limit(file), too_long)
                if file.state != "pending":
                    return _accept_repetition(file, received)
                if received.size < file.size:
                    raise BadRequestError(
                        "The file is smaller than it was said to be.", code="attachments.size_mismatch"
                    )
                examined = await self._examine(received, file.name, file.media_type, _rules_of(file))
            except UserFacingError as exc:
                if exc.status < 500:
                    await self._records.discard(file)
                raise
            return await self._move(file, received, examined)

    async def take_over(self, file: StoredFile) -> None:
        """Check and take over a file that a browser has uploaded straight to the object store.

        Raises:
            UserFacingError: When it has not arrived, is not what was announced, or is refused.
        """
        size = await self._objects.size_of(file.incoming_key)
        if size is None:
            raise ConflictError(NOT_UPLOADED_YET, code="attachments.not_uploaded")
        try:
            if size != file.size:
                raise BadRequestError(
                    "The file is not as large as it was said to be.", code="attachments.size_mismatch"
                )
            async with self._spool.workplace(file.owner) as place:
                chunks = (await self._objects.open(file.incoming_key)).chunks
                received = await self._spool.receive(place, chunks, size, too_large(size))
                examined = await self._examine(received, file.name, file.media_type, _rules_of(file))
                await self._move(file, received, examined)
        except NotFoundError as exc:
            # Another message with the same file was quicker, and has taken it over or refused it.
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
        """Receive a file whose bytes come together with its announcement, as in ChatKit's direct uploads.

        Args:
            name: The name, cleaned.
            declared: The media type that the browser declares.
            chunks: The bytes.
            rules: The upload rules of the use case.
            owner: The owner as `owner_of` writes it, whose uploads at once are limited.
            announce: Makes the row from name, media type and size, once the file has passed.

        Raises:
            UserFacingError: When the file is refused.
        """
        media_type = declared_type(declared)
        rules.check(name, media_type, None, is_declared=True)
        async with self._spool.workplace(owner) as place:
            limit = rules.limit_for(media_type)
            received = await self._spool.receive(place, chunks, limit, too_large(limit))
            examined = await self._examine(received, name, media_type, rules)
            file = await announce(examined.name, examined.media_type, received.size)
            return await self._move(file, received, examined)

    async def make(
        self,
        scope: Scope,
        name: str,
        data: str | bytes | Path | AsyncIterable[bytes],
        thread_id: str,
        media_type: str | None,
    ) -> StoredFile:
        """Store a file that an assistant has made, as a part of a thread.

        Args:
            scope: The file's owner and id.
            name: The name, cleaned.
            data: A text, bytes, a local file, or a stream of bytes.
            thread_id: The thread that the file belongs to, and is deleted with.
            media_type: The type; None to tell it from the bytes and the name.

        Raises:
            UserFacingError: When it is too large or empty, or the thread has been deleted.
        """
        limit = self._max_bytes
        async with self._spool.workplace(owner_of(scope.owner_id, scope.use_case)) as place:
            received = await self._spool.receive(place, pieces_of(data), limit, too_large(limit))
            declared = declared_type(media_type) if media_type is not None else UNKNOWN
            examined = await self._spool.in_thread(examine_own, received, name, declared)
            document = build_document(scope.id, examined.name, examined.media_type) | {"thread_id": thread_id}
            file = await self._records.announce(scope, {"size": received.size, "document": document})
            return await self._move(file, received, examined, thread_id)

    def _size_limit(self, file: StoredFile) -> int:
        # A repeated upload may be larger than the file that is kept: pictures lose their metadata.
        return file.size if file.state == "pending" else self._max_bytes

    async def _examine(self, received: Received, name: str, declared: str, rules: UploadRules) -> Examined:
        return await self._spool.in_thread(
            examine, received, name, declared, rules, keeps_metadata=self._keeps_metadata
        )

    async def _move(
        self, file: StoredFile, received: Received, examined: Examined, thread_id: str | None = None
    ) -> StoredFile:
        """Move the bytes of a file to the object store, and record that; when several requests try, one does it."""
        claim = await self._claim(file)
        if claim is None:
            return _accept_repetition(await self._load(file), received)
        key = file.content_key_of(examined.sha256)
        try:
            async with self._renewing(claim):
                await self._objects.put_file(key, examined.path)
        except BaseException:
            await self._records.release(claim)
            raise
        if not await self._records.complete(claim, file, _columns(file, received, examined, thread_id), thread_id):
            return await self._resolve_lost_claim(file, received, key, thread_id)
        if claim.is_second:
            await self._delete_others(file, key)
        return await self._load(file)

    async def _resolve_lost_claim(
        self, file: StoredFile, received: Received, key: str, thread_id: str | None
    ) -> StoredFile:
        """Return the file as somebody else has completed it meanwhile, and delete the object that is not needed.

        Raises:
            NotFoundError: When the file or its thread was deleted while the bytes were moved.
            ConflictError: When somebody else is still moving bytes, or has moved other ones.
        """
        current = await self._records.find(file.id)
        if current is None or thread_id is not None:
            await self._objects.delete([key])
            raise NotFoundError(NO_ATTACHMENT)
        # This process was suspended for so long that its claim expired and somebody else claimed the file.
        if current.state == "pending":
            raise _already_uploading()
        if current.content_key != key:
            await self._objects.delete([key])
        return _accept_repetition(current, received)

    async def _delete_others(self, file: StoredFile, key: str) -> None:
        """Delete the objects of interrupted uploads; while the store is down they are left to the file's deletion."""
        with suppress(UnavailableError):
            await self._objects.delete([each for each in await self._objects.keys(file.folder) if each != key])

    async def _claim(self, file: StoredFile) -> Claim | None:
        """Wait for the right to move the bytes of a file; return None when somebody else has moved them meanwhile.

        A process that has died renews its claim no longer, so the wait for it is short.

        Raises:
            ConflictError: When somebody else is still moving the bytes after the longest wait.
        """
        pause_s, left_s = FIRST_PAUSE_S, CLAIM_WAIT_LIVES * self._records.claim_life.total_seconds()
        while True:
            claim = await self._records.claim(file)
            if claim is not None or (await self._load(file)).state != "pending":
                return claim
            if left_s < 0:
                raise _already_uploading()
            await asyncio.sleep(pause_s)
            left_s -= pause_s
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    @asynccontextmanager
    async def _renewing(self, claim: Claim) -> AsyncIterator[None]:
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
                # A failed renewal is repeated at the next turn; `complete` finds out whether the claim was lost.
                with suppress(UnavailableError):
                    await self._records.renew(claim)

        # Ended by the event and never cancelled: a renewal that was made but not noted would look like a lost claim.
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


def _accept_repetition(file: StoredFile, received: Received) -> StoredFile:
    """Return a file that is uploaded already, if the same bytes were sent again.

    Raises:
        ConflictError: When other bytes were sent.
    """
    if received.sha256 != file.sent_sha256:
        raise ConflictError("This file has been uploaded already.", code="attachments.uploaded_already")
    return file


def _columns(file: StoredFile, received: Received, examined: Examined, thread_id: str | None) -> dict[str, Any]:
    """Return the values of a file's row that are known once its bytes have been examined."""
    document: dict[str, Any] = build_document(file.id, examined.name, examined.media_type) | {
        "metadata": build_details(examined.size, examined.width, examined.height)
    }
    if thread_id is not None:
        document["thread_id"] = thread_id
    return {
        "state": "uploaded", "size": examined.size, "sent_sha256": received.sha256, "sha256": examined.sha256,
        "width": examined.width, "height": examined.height, "document": document,
    }  # fmt: skip


def _already_uploading() -> ConflictError:
    return ConflictError("This file is being uploaded already.", code="attachments.uploading")


def _rules_of(file: StoredFile) -> UploadRules:
    """Return the upload rules that were stored when a file was announced."""
    stored = {name: value for name, value in (file.rules or {}).items() if name != SESSION_RULE}
    return UploadRules(**stored | {"types": tuple(stored["types"]), "extensions": tuple(stored["extensions"])})
