"""OwnedTransactions: timed transactions on the rows of one owner, with a clear error when the database is down."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar, TypeVarTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from database import Database, is_down, outage_advice
from errors import UnavailableError
from storage.scope import Scope
from storage.transaction_times import TransactionTimes
from turns.request_context import RequestContext

_UNAVAILABLE = "Conversations cannot be read or saved at the moment. "

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class OwnedTransactions:
    """Transactions on the rows of one owner. All raise `UnavailableError` when the database is down.

    Args:
        database: Holds the tables.

    Attributes:
        times: The durations of the transactions, by use case.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = TransactionTimes()

    async def read(
        self, work: Callable[[Connection, Scope, *Ts], R], context: RequestContext, id_: str, *arguments: *Ts
    ) -> R:
        """Run `work` in a transaction that only reads, and return its result."""
        with self._time_transaction("read", context):
            return await self._database.run_read(work, scope_of(context, id_), *arguments)

    async def write(
        self, work: Callable[[Connection, Scope, *Ts], R], context: RequestContext, id_: str, *arguments: *Ts
    ) -> R:
        """Run `work` in a transaction that may write, and return its result."""
        with self._time_transaction("write", context):
            return await self._database.run_write(work, scope_of(context, id_), *arguments)

    async def delete(
        self, work: Callable[[Connection, Scope, *Ts], R], context: RequestContext, id_: str, *arguments: *Ts
    ) -> R:
        """Run `work` in a transaction that deletes, which works on a full disk too, and return its result."""
        with self._time_transaction("delete", context):
            return await self._database.run_delete(work, scope_of(context, id_), *arguments)

    def _time_transaction(self, kind: str, context: RequestContext) -> _TransactionTimer:
        return _TransactionTimer(self.times, context.use_case, kind)


class _TransactionTimer:
    """Context manager that times a transaction, and raises `UnavailableError` when the database is down.

    A class and not a generator, as it is entered some four times for each answer, and takes a quarter of the time.
    """

    __slots__ = ("_began", "_kind", "_times", "_use_case")

    def __init__(self, times: TransactionTimes, use_case: str, kind: str) -> None:
        self._times = times
        self._use_case = use_case
        self._kind = kind

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, _kind: type[BaseException] | None, exc: BaseException | None, _: TracebackType | None) -> None:
        self._times.add(self._use_case, self._kind, time.perf_counter() - self._began)
        if isinstance(exc, SQLAlchemyError) and is_down(exc):
            raise UnavailableError(_UNAVAILABLE + outage_advice(exc)) from exc


def scope_of(context: RequestContext, id_: str) -> Scope:
    """Return the scope of a thread or file that belongs to the user of a request."""
    return Scope(context.user_id, context.use_case, id_)
