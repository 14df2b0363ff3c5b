"""FileRemoval: deletes files on request, and sweeps abandoned ones, with all their objects in the object store.

A row is marked first, then its objects are deleted, then the row. So the next sweep continues an interrupted deletion,
and every object can be found from a row.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from errors import UnavailableError
from files.object_store import ObjectStore
from files.spool import Spool
from storage.file_records import FileRecords
from storage.scope import Scope
from turns.clock import utc_now

logger = logging.getLogger(__name__)

SWEPT_AT_ONCE = 100
MAX_SWEEPS = 20
PENDING_LIFE = timedelta(minutes=45)
"""How long an announced file may be pending: until its URL has expired, and an upload and the move have ended."""


class FileRemoval:
    """Deletes files.

    Args:
        records: The rows of files.
        objects: The object store with the bytes.
        spool: The local folder, in which dead processes may have left files.
        unsent_life: How long an uploaded file is kept that is not sent with a message.
    """

    def __init__(self, records: FileRecords, objects: ObjectStore, spool: Spool, unsent_life: timedelta) -> None:
        self._records = records
        self._objects = objects
        self._spool = spool
        self._unsent_life = unsent_life

    async def delete(self, scope: Scope) -> None:
        """Delete a file of an owner: its row, its bytes, and their renditions.

        Raises:
            NotFoundError: When the file does not exist.
        """
        await self._records.mark_deleted(scope)
        await self._delete_marked(scope)

    async def delete_threadless(self, scope: Scope) -> None:
        """Delete an owner's files of deleted threads; if the object store is down, the sweeper deletes them later."""
        if await self._records.mark_threadless(scope):
            await self._delete_marked(scope)

    async def delete_all(self, user_id: str | None, use_case: str | None) -> None:
        """Delete all files of a person, or of a use case, or of a person in a use case.

        Raises:
            ValueError: When neither is given.
        """
        if user_id is None and use_case is None:
            raise ValueError("name a person or a use case")
        await self._records.mark_all_deleted(user_id, use_case)
        await self._delete_all_marked()

    async def sweep(self, *, has_incoming: bool) -> None:
        """Delete abandoned files.

        These are files that were announced but never uploaded, uploaded but never sent with a message, or part of a
        deleted thread, and the local files of processes that have ended.

        Args:
            has_incoming: Whether browsers upload straight to the object store.
        """
        now = utc_now()
        await self._records.mark_orphans(now - PENDING_LIFE, now - self._unsent_life, SWEPT_AT_ONCE * MAX_SWEEPS)
        await self._delete_all_marked()
        await self._spool.run_in_thread(self._spool.sweep)
        await self._spool.run_in_thread(self._objects.sweep_leftovers)
        if has_incoming:
            # A browser may use its upload URL again while that is valid, after the file was taken over or deleted.
            await self._objects.delete_old("incoming", now - self._unsent_life, SWEPT_AT_ONCE)

    async def _delete_all_marked(self) -> None:
        for _ in range(MAX_SWEEPS):
            if await self._delete_marked() < SWEPT_AT_ONCE:
                return

    async def _delete_marked(self, scope: Scope | None = None) -> int:
        """Delete objects and rows of marked files, of all owners or of one; return how many files that were."""
        deleted = 0
        for file in await self._records.list_marked(SWEPT_AT_ONCE, scope):
            try:
                keys = await self._objects.keys(file.folder)
                await self._objects.delete([*keys, file.incoming_key] if file.is_direct else keys)
            except UnavailableError as exc:
                logger.warning("file not deleted yet", extra={"file_id": file.id, "reason": str(exc.__cause__)[:200]})
                continue
            await self._records.remove(file)
            deleted += 1
        return deleted
