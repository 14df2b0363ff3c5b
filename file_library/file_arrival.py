"""FileArrival: the bytes of a file on their way in: taken down, looked at, and put where they belong.

They come in a request of their own, with their announcement, from a bucket where a browser has put them, or from a
tool. All are first a local file, and only what has passed becomes an object.
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

RENEWALS = 4
"""How many times a claim is renewed while it would hold without."""

CLAIM_LIVES = 2
"""How many times as long as a claim holds without renewal is waited for one that another has."""

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class FileArrival:
    """Takes files in.

    Args:
        records: The rows.
        objects: The bytes.
        spool: The place where bytes are examined first.
        max_bytes: The largest file that is taken.
        keeps_metadata: Whether pictures keep what cameras note in them.
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
        """Take the bytes of a file that was announced, and check them. The same bytes may be sent again.

        Args:
            file: The file.
            chunks: The bytes.
            length: How many bytes there will be, where that is known: a lie is refused before the first of them.

        Returns:
            The file, with what it really is.

        Raises:
            UserFacingError: When it is not what was announced, or is not taken; then it is announced no more.
        """
        too_long = TooLargeError("The file is larger than it was said to be.", code="attachments.size_mismatch")
        async with self._spool.workplace(file.owner) as place:
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
            return await self._move(file, received, examined)

    async def take_over(self, file: StoredFile) -> None:
        """Take a file that a browser has sent to the object store itself.

        Raises:
            UserFacingError: When it has not arrived, is not what was announced, or is not taken.
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
            # Another message was quicker, and has taken it over or refused it.
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
        """Take a file whose bytes come with its announcement, as ChatKit's direct uploads have it.

        Args:
            name: The name, cleaned.
            declared: The media type as the browser has it.
            chunks: The bytes.
            rules: Which files are taken.
            owner: Key of the owner, for the folder that the bytes lie in.
            announce: Makes the row, of name, media type and size, once the file has passed.

        Raises:
            UserFacingError: When it is not taken.
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
        """Take a file that an assistant has made, as a part of a thread.

        Args:
            scope: Owner of the file, and its id.
            name: The name, cleaned.
            data: A text, bytes, a local file, or a stream of bytes.
            thread_id: The thread that it lives and dies with.
            media_type: The type; None for what the bytes and the name tell.

        Raises:
            UserFacingError: When it is too large or empty, or the thread is gone.
        """
        limit = self._max_bytes
        async with self._spool.workplace(owner_of(scope.owner_id, scope.use_case)) as place:
            received = await self._spool.receive(place, pieces_of(data), limit, too_large(limit))
            declared = declared_type(media_type) if media_type is not None else UNKNOWN
            examined = await self._spool.in_thread(examine_own, received, name, declared)
            document = build_document(scope.id, examined.name, examined.media_type) | {"thread_id": thread_id}
            file = await self._records.announce(scope, {"size": received.size, "document": document})
            return await self._move(file, received, examined, thread_id)

    def _most(self, file: StoredFile) -> int:
        # What is kept may be smaller than what was sent: pictures lose their metadata.
        return file.size if file.state == "pending" else self._max_bytes

    async def _examine(self, received: Received, name: str, declared: str, rules: UploadRules) -> Examined:
        return await self._spool.in_thread(
            examine, received, name, declared, rules, keeps_metadata=self._keeps_metadata
        )

    def _repeated(self, file: StoredFile, received: Received) -> StoredFile:
        if received.sha256 != file.sent_sha256:
            raise ConflictError("This file has been uploaded already.", code="attachments.uploaded_already")
        return file

    async def _move(
        self, file: StoredFile, received: Received, examined: Examined, thread_id: str | None = None
    ) -> StoredFile:
        """Put a file where it belongs, and note that it is there. Of several who want to, one does."""
        claim = await self._claim(file)
        if claim is None:
            return self._repeated(await self._found(file), received)
        key = file.content_key_of(examined.sha256)
        try:
            async with self._kept(claim):
                await self._objects.put_file(key, examined.path)
        except BaseException:
            await self._records.release(claim)
            raise
        document: dict[str, Any] = build_document(file.id, examined.name, examined.media_type) | {
            "metadata": build_details(examined.size, examined.width, examined.height)
        }
        if thread_id is not None:
            document["thread_id"] = thread_id
        values = {
            "state": "uploaded", "size": examined.size, "sent_sha256": received.sha256, "sha256": examined.sha256,
            "width": examined.width, "height": examined.height, "document": document,
        }  # fmt: skip
        if await self._records.complete(claim, file, values, thread_id):
            if claim.is_second:
                await self._delete_others(file, key)
            return await self._found(file)
        now = await self._records.find(file.id)
        if now is None or thread_id is not None:
            # It, or its thread, was deleted while its bytes were moved.
            await self._objects.delete([key])
            raise NotFoundError(NO_ATTACHMENT)
        # This process stood still for so long that another took the file over.
        if now.state == "pending":
            raise _being_uploaded()
        if now.content_key != key:
            await self._objects.delete([key])
        return self._repeated(now, received)

    async def _delete_others(self, file: StoredFile, key: str) -> None:
        """Delete what somebody has left who did not come to the end; what cannot be reached now goes with the file."""
        with suppress(UnavailableError):
            await self._objects.delete([each for each in await self._objects.keys(file.folder) if each != key])

    async def _claim(self, file: StoredFile) -> Claim | None:
        """Wait for the right to move the bytes of a file; return None when somebody else has moved them meanwhile.

        Who has it and is no more renews nothing, and so the next one has it soon.

        Raises:
            ConflictError: When somebody moves them for longer than can be waited for.
        """
        pause_s, left_s = FIRST_PAUSE_S, CLAIM_LIVES * self._records.claim_life.total_seconds()
        while True:
            claim = await self._records.claim(file)
            if claim is not None or (await self._found(file)).state != "pending":
                return claim
            if left_s < 0:
                raise _being_uploaded()
            await asyncio.sleep(pause_s)
            left_s -= pause_s
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    @asynccontextmanager
    async def _kept(self, claim: Claim) -> AsyncIterator[None]:
        """Renew a claim for as long as this lasts."""
        is_over = asyncio.Event()
        pause_s = self._records.claim_life.total_seconds() / RENEWALS

        async def renew() -> None:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await is_over.wait()
                if is_over.is_set():
                    return
                # Where it fails it is tried again; whether the claim was lost is asked at the end.
                with suppress(UnavailableError):
                    await self._records.renew(claim)

        # Never broken off: a renewal that is not noted here would look like another's claim.
        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            is_over.set()
            await renewing

    async def _found(self, file: StoredFile) -> StoredFile:
        found = await self._records.find(file.id)
        if found is None:
            raise NotFoundError(NO_ATTACHMENT)
        return found


def _being_uploaded() -> ConflictError:
    return ConflictError("This file is being uploaded already.", code="attachments.uploading")


def _rules_of(file: StoredFile) -> UploadRules:
    given = {name: value for name, value in (file.rules or {}).items() if name != SESSION_RULE}
    return UploadRules(**given | {"types": tuple(given["types"]), "extensions": tuple(given["extensions"])})
