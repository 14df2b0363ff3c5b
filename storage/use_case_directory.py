"""UseCaseDirectory: the table of use cases that services share, in which each announces its own at intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Database, JSONDocument, PlainText, UTCDateTime
from turns.clock import utc_now

HEARTBEAT_S = 10.0
DOWN_AFTER = timedelta(seconds=3.5 * HEARTBEAT_S)
"""Time after the last announcement of a service after which it counts as down."""

FORGOTTEN_AFTER = timedelta(days=1)
"""Time after the last announcement of a service after which it counts as removed on purpose."""

MAX_LISTED = 200


class SharedUseCaseRow(Base):
    """A use case as its service last announced it."""

    __tablename__ = "shared_use_cases"

    name: Mapped[str] = mapped_column(PlainText, primary_key=True)
    description: Mapped[Any] = mapped_column(JSONDocument, nullable=False)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)


@dataclass(frozen=True, slots=True)
class SharedUseCase:
    """A use case of another service.

    Attributes:
        name: The name of the use case.
        description: The use case's entry in `GET /api/use-cases` of its service.
        is_down: Whether the other service has stopped announcing it.
    """

    name: str
    description: Mapping[str, Any]
    is_down: bool


class UseCaseDirectory:
    """The use cases of all services that share a database.

    Args:
        database: Holds the table.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def announce(self, descriptions: Mapping[str, Mapping[str, Any]]) -> None:
        """Store the descriptions of the use cases of this service, and delete old ones of any service."""
        await self._database.run_write(_announce, self._database, descriptions, utc_now())

    async def load_others(self, own: Iterable[str]) -> list[SharedUseCase]:
        """Return the use cases of other services, in the order of their names.

        Args:
            own: The names of the use cases of this service.
        """
        return await self._database.run_read(_load_others, frozenset(own), utc_now())


def _announce(
    connection: Connection, database: Database, descriptions: Mapping[str, Mapping[str, Any]], now: datetime
) -> None:
    row = SharedUseCaseRow
    connection.execute(delete(row).where(row.seen_at < now - FORGOTTEN_AFTER))
    if rows := [
        {"name": name, "description": dict(description), "seen_at": now} for name, description in descriptions.items()
    ]:
        insert = database.insert(row)
        changed = {"description": insert.excluded.description, "seen_at": insert.excluded.seen_at}
        connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=changed), rows)


def _load_others(connection: Connection, own: frozenset[str], now: datetime) -> list[SharedUseCase]:
    row = SharedUseCaseRow
    rows = connection.execute(
        select(row.name, row.description, row.seen_at)
        .where(row.name.not_in(own), row.seen_at >= now - FORGOTTEN_AFTER)
        .order_by(row.name)
        .limit(MAX_LISTED)
    )
    return [SharedUseCase(name, description, now - seen_at > DOWN_AFTER) for name, description, seen_at in rows]
