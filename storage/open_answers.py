"""OpenAnswers: the answers that this process is writing, as other processes on the same database know of them."""

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
    renew_and_settle,
)
from turns.clock import utc_now
from turns.request_context import RequestContext


class OpenAnswers:
    """Marks of half answers whose other half is being written, and the lease by which this process is known to live.

    Beside unfinished text a mark is stored that says so, for the case that nobody comes to finish it. As long as the
    lease of its process holds it is not shown, neither here nor by another process on the same database: one that is
    started for an upgrade takes no answer for cut that the old one goes on with. Who is killed renews nothing.

    Args:
        database: Holds the tables.
        transactions: The transactions of the store.
        clock: Tells the time.

    Attributes:
        process_id: This process, as others know it.
    """

    def __init__(
        self, database: Database, transactions: OwnedTransactions, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.process_id = new_id("proc")
        self._database = database
        self._transactions = transactions
        self._clock = clock
        self._open: set[Mark] = set()
        self._unsettled: set[Mark] = set()

    def living_since(self) -> datetime:
        """Return the time at or after which a lease must have been renewed to hold."""
        return self._clock() - LEASE

    async def enter(self) -> None:
        """Have half answers of killed processes say so at once, where it is known that none of them lives.

        To be called before the first answer, as the id says from then on whether this process can be known to be dead.
        """
        if await self._database.enter(forget_lock_holders):
            self.process_id = new_id(LOCK_HOLDER)

    async def add_half(
        self, thread_id: str, half: ThreadItem, position: int | None, mark: ThreadItem, context: RequestContext
    ) -> None:
        """Store an answer that is being written, as far as it is, and its mark after it, in one transaction.

        Args:
            thread_id: The thread of both.
            half: The item that is not finished.
            position: Place that is reserved for the half; None for the thread's next one.
            mark: The item that is shown when this process is gone.
            context: The context of whose thread it is.
        """
        self._open.add((scope_of(context, thread_id), mark.id))
        await self._transactions.write(
            transactions.add_half_answer, context, thread_id, half, position, mark, self.process_id, self._clock()
        )

    async def remove_mark(self, thread_id: str, mark_id: str, context: RequestContext) -> None:
        """Delete a mark: the answer is whole."""
        await self._transactions.delete(transactions.delete_thread_item, context, thread_id, mark_id)
        self._open.discard((scope_of(context, thread_id), mark_id))

    async def settle_mark(self, thread_id: str, mark_id: str, context: RequestContext) -> None:
        """Have a mark shown from now on: the answer has ended, and is no whole one.

        Where that fails it is done with the next renewal of the lease.
        """
        mark = (scope_of(context, thread_id), mark_id)
        self._open.discard(mark)
        self._unsettled.add(mark)
        await self._transactions.delete(transactions.settle_mark, context, thread_id, mark_id)
        self._unsettled.discard(mark)

    async def renew_lease(self) -> None:
        """Say that this process lives, if it writes answers."""
        if not self._open and not self._unsettled:
            return
        unsettled = tuple(self._unsettled)
        await self._database.run_write(renew_and_settle, self.process_id, self._clock(), unsettled)
        self._unsettled.difference_update(unsettled)

    async def is_written_elsewhere(self, thread_id: str, context: RequestContext) -> bool:
        """Say whether another process that lives is writing an answer in a thread."""
        return await self._transactions.read(
            is_written_elsewhere, context, thread_id, self.process_id, self.living_since()
        )
