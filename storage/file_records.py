"""FileRecords: the rows of files; each step of a file's life cycle is one transaction that can safely be repeated.

When several callers try the same step, one succeeds. Every statement on behalf of a person is restricted to the owner;
only those of the sweeper are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from database import Database, outage_advice
from errors import NotFoundError, TooManyRequestsError, UnavailableError
from storage.chat_sessions import uncount_upload
from storage.file_rows import (
    FILES,
    IS_AVAILABLE,
    SESSION_RULE,
    UPLOAD_DAYS,
    StoredFile,
    belongs_to_owner,
    is_available_file,
    to_stored_file,
)
from storage.scope import NO_ATTACHMENT, Scope
from storage.statements import THREAD_KEY, insert_for
from turns.clock import utc_now

CLAIM_LIFE = timedelta(seconds=12)
"""How long a claim is valid after its last renewal: an upload that a crash interrupted can be repeated after that."""

SETTLED_AFTER = timedelta(minutes=10)
"""How long after the last renewal of a claim its holder can no longer be writing to the object store."""

MAX_FILES_OF_THREAD = 1_000
"""Most files of a thread that are listed, the newest first."""

KEPT_UPLOAD_DAYS = timedelta(days=2)

_UNAVAILABLE = "Files cannot be read or saved at the moment. "
_OUTAGE_ERRORS = (OperationalError, InterfaceError, PoolTimeoutError)

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class DayLimits:
    """Limits for the uploads of one person in a day.

    Attributes:
        files: The number of files.
        bytes: The number of bytes, of all files together.
    """

    files: int
    bytes: int


@dataclass(slots=True)
class Claim:
    """Exclusive right to move the bytes of a pending file to the object store; it expires unless it is renewed.

    Attributes:
        file_id: The id of the file.
        renewed_at: The time of the last renewal, which distinguishes this claim from a later one of another holder.
        is_second: Whether an earlier claim expired before its holder had finished.
    """

    file_id: str
    renewed_at: datetime
    is_second: bool


class FileRecords:
    """The rows of all files.

    Args:
        database: Holds the tables.
        claim_life: How long a claim is valid after its last renewal.
    """

    def __init__(self, database: Database, claim_life: timedelta = CLAIM_LIFE) -> None:
        self._database = database
        self.claim_life = claim_life

    async def announce(self, scope: Scope, values: dict[str, Any], limits: DayLimits | None = None) -> StoredFile:
        """Create the row of a file that is about to be uploaded, and count it if there are limits.

        Args:
            scope: The owner and the id of the file.
            values: The columns of the row.
            limits: The daily limits of the owner; None for no limits.

        Raises:
            TooManyRequestsError: When the file would exceed the limits.
        """
        return await self._write(_announce, scope, values, limits)

    async def load(self, scope: Scope) -> StoredFile:
        """Return a file of an owner.

        Raises:
            NotFoundError: When it does not exist, belongs to somebody else, or is being deleted.
        """
        return await self._read(_load, scope)

    async def find(self, file_id: str) -> StoredFile | None:
        """Return a file of any owner, for callers that check a signature or the owner; None when it does not exist."""
        return await self._read(_find, file_id)

    async def claim(self, file: StoredFile) -> Claim | None:
        """Claim a pending file in order to move its bytes to the object store; one of several callers succeeds.

        Returns:
            None when another claim is still valid, or the file is not pending.
        """
        return await self._write(_claim, file.id, utc_now(), self.claim_life)

    async def renew(self, claim: Claim) -> bool:
        """Renew a claim; return False when it has expired and another caller has claimed the file."""
        now = utc_now()
        is_renewed = await self._write(_set_claim, claim, now)
        if is_renewed:
            claim.renewed_at = now
        return is_renewed

    async def release(self, claim: Claim) -> None:
        """Give up a claim after a failure, so that the file can be claimed again at once."""
        await self._write(_set_claim, claim, None)

    async def complete(
        self, claim: Claim, file: StoredFile, values: dict[str, Any], thread_id: str | None = None
    ) -> bool:
        """Record that the bytes of a claimed file are in the object store.

        Args:
            claim: The claim under which the bytes were moved.
            file: The file.
            values: The columns that are known now.
            thread_id: The thread that the file is bound to at once; None for a file that is to be sent with a message.

        Returns:
            False when the file or the thread has been deleted, or another caller has claimed the file.
        """
        scope = None if thread_id is None else Scope(file.owner_id, file.use_case, thread_id)
        return await self._write(_complete, claim, values, scope)

    async def discard(self, file: StoredFile) -> None:
        """Remove the row of a rejected file, of which no bytes were stored.

        The file no longer counts towards its session's limit.
        """
        await self._write(_discard, file)

    async def load_thread_files(self, scope: Scope) -> list[StoredFile]:
        """Return the files of a thread, the newest first."""
        return await self._read(_load_thread_files, scope)

    async def mark_deleted(self, scope: Scope) -> None:
        """Mark a file for deletion, which hides it from everybody; its objects are deleted next, and its row last.

        Raises:
            NotFoundError: When it does not exist, or belongs to somebody else.
        """
        await self._write(_mark_deleted, scope)

    async def mark_all_deleted(self, owner_id: str | None, use_case: str | None) -> int:
        """Mark all files of a person, of a use case, or of a person in a use case for deletion; return how many."""
        return await self._write(_mark_all_deleted, owner_id, use_case)

    async def mark_orphans(self, pending_before: datetime, unsent_before: datetime, limit: int) -> int:
        """Mark abandoned uploads and files of deleted threads for deletion; return how many."""
        return await self._write(_mark_orphans, pending_before, unsent_before, limit)

    async def mark_threadless(self, scope: Scope) -> int:
        """Mark an owner's files of deleted threads for deletion; return how many."""
        return await self._write(_mark_threadless, scope)

    async def list_marked(self, limit: int, scope: Scope | None = None) -> list[StoredFile]:
        """Return files that are marked for deletion, of all owners or of one, except those still being uploaded."""
        return await self._read(_list_marked, limit, scope, utc_now() - SETTLED_AFTER)

    async def remove(self, file: StoredFile) -> None:
        """Remove the row of a file whose objects have been deleted."""
        await self._write(_remove, file.id)

    async def _read(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        try:
            return await self._database.run_read(work, *arguments)
        except _OUTAGE_ERRORS as exc:
            raise UnavailableError(_UNAVAILABLE + outage_advice(exc)) from exc

    async def _write(self, work: Callable[[Connection, *Ts], R], *arguments: *Ts) -> R:
        try:
            return await self._database.run_write(work, *arguments)
        except _OUTAGE_ERRORS as exc:
            raise UnavailableError(_UNAVAILABLE + outage_advice(exc)) from exc


def _announce(connection: Connection, scope: Scope, values: dict[str, Any], limits: DayLimits | None) -> StoredFile:
    now = utc_now()
    if limits is not None:
        _count_upload(connection, scope, values["size"], limits, now)
    row = {**scope.columns, "id": scope.id, "state": "pending", "created_at": now, "changed_at": now, **values}
    connection.execute(insert(FILES), row)
    return _load(connection, scope)


def _count_upload(connection: Connection, scope: Scope, size: int, limits: DayLimits, now: datetime) -> None:
    days = UPLOAD_DAYS.c
    connection.execute(
        delete(UPLOAD_DAYS).where(days.owner_id == scope.owner_id, days.day < (now - KEPT_UPLOAD_DAYS).date())
    )
    today = {"owner_id": scope.owner_id, "day": now.date(), "files": 1, "bytes": size}
    count = insert_for(connection.dialect.name, UPLOAD_DAYS).on_conflict_do_update(
        index_elements=["owner_id", "day"],
        set_={"files": days.files + 1, "bytes": days.bytes + size},
        where=and_(days.files < limits.files, days.bytes + size <= limits.bytes),
    )
    is_within = size <= limits.bytes and connection.scalar(count.returning(days.files), today) is not None
    if not is_within:
        raise TooManyRequestsError(
            "You have sent as many files as can be sent in a day. Try again tomorrow.",
            code="attachments.too_many_today",
            allow_retry=False,
        )


def _load(connection: Connection, scope: Scope) -> StoredFile:
    row = connection.execute(select(FILES).where(is_available_file(scope))).one_or_none()
    if row is None:
        raise NotFoundError(NO_ATTACHMENT)
    return to_stored_file(row)


def _find(connection: Connection, file_id: str) -> StoredFile | None:
    row = connection.execute(select(FILES).where(FILES.c.id == file_id, IS_AVAILABLE)).one_or_none()
    return None if row is None else to_stored_file(row)


def _claim(connection: Connection, file_id: str, now: datetime, life: timedelta) -> Claim | None:
    files = FILES.c
    claim = Claim(file_id, now, is_second=False)
    is_pending = and_(files.id == file_id, files.state == "pending")
    for is_free in (files.claimed_at.is_(None), files.claimed_at < now - life):
        stmt = update(FILES).where(is_pending, is_free).values(claimed_at=now)
        if connection.execute(stmt).rowcount > 0:
            return claim
        claim.is_second = True
    return None


def _is_claimed(claim: Claim) -> ColumnElement[bool]:
    files = FILES.c
    return and_(files.id == claim.file_id, files.state == "pending", files.claimed_at == claim.renewed_at)


def _set_claim(connection: Connection, claim: Claim, at: datetime | None) -> bool:
    return connection.execute(update(FILES).where(_is_claimed(claim)).values(claimed_at=at)).rowcount > 0


def _complete(connection: Connection, claim: Claim, values: dict[str, Any], thread: Scope | None) -> bool:
    if thread is not None:
        key = connection.scalar(THREAD_KEY, thread.parameters)
        if key is None:
            return False
        values = {**values, "state": "bound", "thread_key": key}
    stmt = update(FILES).where(_is_claimed(claim)).values(changed_at=utc_now(), claimed_at=None, **values)
    return connection.execute(stmt).rowcount > 0


def _discard(connection: Connection, file: StoredFile) -> None:
    is_empty = (FILES.c.state == "pending", FILES.c.claimed_at.is_(None))
    removed = connection.execute(delete(FILES).where(FILES.c.id == file.id, *is_empty))
    # Of several requests that reject the file at once, only the one that removed the row subtracts it.
    if removed.rowcount == 1 and (session_id := (file.rules or {}).get(SESSION_RULE)) is not None:
        uncount_upload(connection, session_id)


def _load_thread_files(connection: Connection, scope: Scope) -> list[StoredFile]:
    stmt = select(FILES).where(FILES.c.thread_key == THREAD_KEY.scalar_subquery(), FILES.c.state == "bound")
    rows = connection.execute(stmt.order_by(FILES.c.id.desc()).limit(MAX_FILES_OF_THREAD), scope.parameters)
    return [to_stored_file(row) for row in rows]


def _deletion_mark() -> dict[str, Any]:
    return {"state": "deleting", "thread_key": None, "changed_at": utc_now()}


def _mark_deleted(connection: Connection, scope: Scope) -> None:
    stmt = update(FILES).where(is_available_file(scope))
    if connection.execute(stmt.values(**_deletion_mark())).rowcount == 0:
        raise NotFoundError(NO_ATTACHMENT)


def _mark_all_deleted(connection: Connection, owner_id: str | None, use_case: str | None) -> int:
    stmt = update(FILES).where(FILES.c.state != "deleting").values(**_deletion_mark())
    if owner_id is not None:
        stmt = stmt.where(FILES.c.owner_id == owner_id)
    if use_case is not None:
        stmt = stmt.where(FILES.c.use_case == use_case)
    return connection.execute(stmt).rowcount


def _mark_orphans(connection: Connection, pending_before: datetime, unsent_before: datetime, limit: int) -> int:
    files = FILES.c
    is_orphan = and_(
        files.thread_key.is_(None),
        or_(
            and_(files.state == "pending", files.is_direct.is_(False), files.changed_at < pending_before),
            and_(files.state == "pending", files.is_direct, files.changed_at < unsent_before),
            and_(files.state == "uploaded", files.changed_at < unsent_before),
            files.state == "bound",
        ),
    )
    some = select(files.id).where(is_orphan).limit(limit).scalar_subquery()
    # The condition is repeated, so that a concurrent sweeper that selected the same rows does not update them again.
    stmt = update(FILES).where(files.id.in_(some), is_orphan).values(**_deletion_mark())
    return connection.execute(stmt).rowcount


def _mark_threadless(connection: Connection, scope: Scope) -> int:
    is_threadless = and_(belongs_to_owner(scope), FILES.c.thread_key.is_(None), FILES.c.state == "bound")
    stmt = update(FILES).where(is_threadless).values(**_deletion_mark())
    return connection.execute(stmt).rowcount


def _list_marked(connection: Connection, limit: int, scope: Scope | None, settled_before: datetime) -> list[StoredFile]:
    is_settled = or_(FILES.c.claimed_at.is_(None), FILES.c.claimed_at < settled_before)
    stmt = select(FILES).where(FILES.c.thread_key.is_(None), FILES.c.state == "deleting", is_settled)
    if scope is not None:
        stmt = stmt.where(belongs_to_owner(scope))
    return [to_stored_file(row) for row in connection.execute(stmt.order_by(FILES.c.changed_at).limit(limit))]


def _remove(connection: Connection, file_id: str) -> None:
    connection.execute(delete(FILES).where(FILES.c.id == file_id, FILES.c.state == "deleting"))
