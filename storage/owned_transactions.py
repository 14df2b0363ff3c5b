"""OwnedTransactions: transactions about one owner's rows, measured; people are told where the database is down."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar, TypeVarTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from database import Database, is_down, outlook_of
from errors import UnavailableError
from storage.scope import Scope
from storage.transaction_times import TransactionTimes
from turns.request_context import RequestContext

_UNAVAILABLE = "Conversations cannot be read or saved at the moment. "

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class OwnedTransactions:
    """Transactions about the rows of one owner. All raise `UnavailableError` when the database does not answer.

    Args:
        database: Holds the tables.

    Attributes:
        times: The times of transactions, by use case.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.times = TransactionTimes()

    async def read(
        self, work: Callable[[Connection, Scope, *Ts], R], context: RequestContext, id_: str, *arguments: *Ts
    ) -> R:
        """Return what `work` returns, which reads."""
        with self._measured("read", context):
            return await self._database.run_read(work, scope_of(context, id_), *arguments)

    async def write(
        self, work: Callable[[Connection, Scope, *Ts], R], context: RequestContext, id_: str, *arguments: *Ts
    ) -> R:
        """Return what `work` returns, which writes."""
        with self._measured("write", context):
            return await self._database.run_write(work, scope_of(context, id_), *arguments)

    async def delete(
        self, work: Callable[[Connection, Scope, *Ts], R], context: RequestContext, id_: str, *arguments: *Ts
    ) -> R:
        """Return what `work` returns, which deletes: possible on a full disk too."""
        with self._measured("delete", context):
            return await self._database.run_delete(work, scope_of(context, id_), *arguments)

    def _measured(self, kind: str, context: RequestContext) -> _Transaction:
        return _Transaction(self.times, context.use_case, kind)


class _Transaction:
    """Block that measures a transaction, and says in a sentence that the database is down.

    A class, where a generator would do: it is entered some four times for each answer, in a quarter of the time.
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
            raise UnavailableError(_UNAVAILABLE + outlook_of(exc)) from exc


def scope_of(context: RequestContext, id_: str) -> Scope:
    """Return the scope of a thread or file of whoever asks."""
    return Scope(context.user_id, context.use_case, id_)
