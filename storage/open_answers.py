"""OpenAnswers: records for other processes on the same database which answers this process is writing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chatkit.types import ThreadItem

from database import Database, new_id
from storage import transactions
from storage.owned_transactions import OwnedTransactions, scope_of
from storage.process_leases import (
    LEASE,
    LOCK_HOLDER,
    Mark,
    forget_lock_holders,
    is_written_elsewhere,
    renew_and_show_marks,
)
from turns.clock import utc_now
from turns.request_context import RequestContext


class OpenAnswers:
    """Marks of the unfinished answers that this process is writing, and its lease, which shows that it is alive.

    A mark is an item after unfinished text, which says that the answer was cut off, in case it is never finished. While
    the lease of its process is valid, no process on the database shows it. So a server that is started for an upgrade
    does not report answers as cut off that the old one is still writing. A killed process does not renew its lease.

    Args:
        database: Holds the tables.
        transactions: The transactions of the store.
        clock: Returns the current time.

    Attributes:
        process_id: The id of this process for others on the database.
    """

    def __init__(
        self, database: Database, transactions: OwnedTransactions, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.process_id = new_id("proc")
        self._database = database
        self._transactions = transactions
        self._clock = clock
        self._open: set[Mark] = set()
        self._marks_to_show: set[Mark] = set()

    def living_since(self) -> datetime:
        """Return the time since which a lease must have been renewed to be valid."""
        return self._clock() - LEASE

    async def register_process(self) -> None:
        """Acquire the lock on the database, and show the marks of killed processes at once if no other process lives.

        To be called before the first answer, as the id of this process tells whether it holds the lock.
        """
        if await self._database.hold_presence_lock(forget_lock_holders):
            self.process_id = new_id(LOCK_HOLDER)

    async def add_half(
        self, thread_id: str, half: ThreadItem, position: int | None, mark: ThreadItem, context: RequestContext
    ) -> None:
        """Store the unfinished item of an answer, and its mark after it, in one transaction.

        Args:
            thread_id: The thread of the item and the mark.
            half: The unfinished item.
            position: The position that is reserved for the item; None for the next one in the thread.
            mark: The item that is shown if this process dies.
            context: The owner of the thread.
        """
        self._open.add((scope_of(context, thread_id), mark.id))
        await self._transactions.write(
            transactions.add_half_answer, context, thread_id, half, position, mark, self.process_id, self._clock()
        )

    async def remove_mark(self, thread_id: str, mark_id: str, context: RequestContext) -> None:
        """Delete a mark, now that its answer is complete."""
        await self._transactions.delete(transactions.delete_thread_item, context, thread_id, mark_id)
        self._open.discard((scope_of(context, thread_id), mark_id))

    async def show_mark(self, thread_id: str, mark_id: str, context: RequestContext) -> None:
        """Show a mark from now on, since its answer has ended unfinished.

        If that fails, it is repeated with the next renewal of the lease.
        """
        mark = (scope_of(context, thread_id), mark_id)
        self._open.discard(mark)
        self._marks_to_show.add(mark)
        await self._transactions.delete(transactions.show_mark, context, thread_id, mark_id)
        self._marks_to_show.discard(mark)

    async def renew_lease(self) -> None:
        """Renew the lease of this process, if it is writing answers."""
        if not self._open and not self._marks_to_show:
            return
        marks = tuple(self._marks_to_show)
        await self._database.run_write(renew_and_show_marks, self.process_id, self._clock(), marks)
        self._marks_to_show.difference_update(marks)

    async def is_written_elsewhere(self, thread_id: str, context: RequestContext) -> bool:
        """Return whether another living process is writing an answer in a thread."""
        return await self._transactions.read(
            is_written_elsewhere, context, thread_id, self.process_id, self.living_since()
        )
