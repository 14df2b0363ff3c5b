"""Tables of running processes, each with a lease, and of the answers that they are writing, each with a mark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import BigInteger, Connection, ForeignKeyConstraint, Select, Table, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, PlainText, UTCDateTime
from storage.rows import ItemRow
from storage.scope import Scope
from storage.statements import THREAD_KEY, insert_for

RENEWAL_S = 3.0
"""Pause between two renewals of a lease, in seconds."""

LEASE = timedelta(seconds=4 * RENEWAL_S)
"""How long a process counts as alive after its last renewal, and thus the delay until marks of a killed one appear."""

FORGOTTEN_AFTER = timedelta(days=1)

LOCK_HOLDER = "held"
"""Prefix of the ids of processes that hold the lock on the database while they run; others have only their lease."""

Mark = tuple[Scope, str]
"""Address of a mark: its thread, and the id of the item."""


class ProcessLeaseRow(Base):
    """A process that writes answers, and the time when it last renewed its lease."""

    __tablename__ = "process_leases"

    id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    renewed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OpenAnswerRow(Base):
    """An answer that a process is writing, identified by its mark; deleting the mark deletes this row."""

    __tablename__ = "open_answers"
    __table_args__ = (
        ForeignKeyConstraint(["thread_key", "item_id"], [ItemRow.thread_key, ItemRow.id], ondelete="CASCADE"),
    )

    thread_key: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    item_id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    process_id: Mapped[str] = mapped_column(PlainText)


_LEASES = cast("Table", ProcessLeaseRow.__table__)
_ANSWERS = cast("Table", OpenAnswerRow.__table__)
_IS_IN_THREAD = OpenAnswerRow.thread_key == THREAD_KEY.scalar_subquery()


def record_open_answer(connection: Connection, key: int, mark_id: str, process_id: str, now: datetime) -> None:
    """Record that a process is writing the answer that a mark belongs to."""
    renew_lease(connection, process_id, now)
    row = {"thread_key": key, "item_id": mark_id, "process_id": process_id}
    connection.execute(insert_for(connection.dialect.name, _ANSWERS).values(row).on_conflict_do_nothing())


def renew_lease(connection: Connection, process_id: str, now: datetime) -> None:
    """Renew the lease of a process, and delete those of processes that ended long ago."""
    row, answers = ProcessLeaseRow, OpenAnswerRow
    ended = select(row.id).where(row.renewed_at < now - FORGOTTEN_AFTER)
    connection.execute(delete(answers).where(answers.process_id.in_(ended)))
    connection.execute(delete(row).where(row.renewed_at < now - FORGOTTEN_AFTER))
    insert = insert_for(connection.dialect.name, _LEASES).values({"id": process_id, "renewed_at": now})
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"renewed_at": now}))


def forget_lock_holders(connection: Connection) -> None:
    """Delete the leases of lock holders, so that their marks are shown; the caller knows that they have ended."""
    prefix = f"{LOCK_HOLDER}_"
    connection.execute(delete(OpenAnswerRow).where(OpenAnswerRow.process_id.startswith(prefix, autoescape=True)))
    connection.execute(delete(ProcessLeaseRow).where(ProcessLeaseRow.id.startswith(prefix, autoescape=True)))


def show_marks(connection: Connection, marks: Iterable[Mark]) -> None:
    """Show marks from now on, since their answers have ended unfinished."""
    row = OpenAnswerRow
    for scope, mark_id in marks:
        connection.execute(delete(row).where(_IS_IN_THREAD, row.item_id == mark_id), scope.parameters)


def renew_and_show_marks(connection: Connection, process_id: str, now: datetime, marks: Iterable[Mark]) -> None:
    """Renew the lease of a process, and show marks for which `show_marks` has failed before."""
    renew_lease(connection, process_id, now)
    show_marks(connection, marks)


def marks_of_living_processes(connection: Connection, key: int, living_since: datetime) -> frozenset[str]:
    """Return the ids of a thread's marks whose answers a living process is still writing."""
    return frozenset(connection.scalars(_select_open_answers(living_since).where(OpenAnswerRow.thread_key == key)))


def is_written_elsewhere(connection: Connection, scope: Scope, process_id: str, living_since: datetime) -> bool:
    """Return whether a living process other than this one is writing an answer in a thread."""
    stmt = _select_open_answers(living_since).where(_IS_IN_THREAD, OpenAnswerRow.process_id != process_id)
    return connection.scalar(stmt.limit(1), scope.parameters) is not None


def _select_open_answers(living_since: datetime) -> Select[Any]:
    answer, lease = OpenAnswerRow, ProcessLeaseRow
    stmt = select(answer.item_id).join(lease, lease.id == answer.process_id)
    return stmt.where(lease.renewed_at >= living_since)
