"""ChatSessions: the table of sessions that servers open for their users, with the counters of their limits."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, Connection, Index, case, delete, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, Database, JSONDocument, PlainText, UTCDateTime
from turns.chat_session import ChatSession, SessionConfiguration
from turns.clock import utc_now

KEPT_AFTER_EXPIRY = timedelta(days=1)
"""How long an expired session is kept."""

MAX_SWEPT = 500
"""Most expired sessions that are removed when a new one is saved."""

MINUTE_S = 60


class ChatSessionRow(Base):
    """A session; `requests` counts the requests within `minute`, the minute of the last request."""

    __tablename__ = "chat_sessions"
    __table_args__ = (Index(None, "expires_at"),)

    id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    key_name: Mapped[str] = mapped_column(PlainText)
    # "user" is a reserved word in SQL.
    person: Mapped[str] = mapped_column(PlainText)
    use_case: Mapped[str] = mapped_column(PlainText)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    configuration: Mapped[Any] = mapped_column(JSONDocument, nullable=False)
    minute: Mapped[int] = mapped_column(BigInteger, default=0)
    requests: Mapped[int] = mapped_column(BigInteger, default=0)
    uploads: Mapped[int] = mapped_column(BigInteger, default=0)


class ChatSessions:
    """Sessions in the database, so that they survive a restart and are shared by all replicas.

    Args:
        database: Holds the table.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, session: ChatSession) -> None:
        """Store a new session, and remove some that expired long ago."""
        await self._database.run_write(_save, session, utc_now())

    async def load(self, session_id: str) -> ChatSession | None:
        """Return a session, even an expired or cancelled one; None when there is none with this id."""
        return await self._database.run_read(_load, session_id)

    async def cancel(self, session_id: str, key_name: str) -> ChatSession | None:
        """Cancel a session of the server key called `key_name`; None when that has none with this id."""
        return await self._database.run_write(_cancel, session_id, key_name, utc_now())

    async def count_request(self, session: ChatSession) -> int:
        """Count one request of `session`.

        Returns:
            0 when the request is within the limit; else the seconds until the next one is allowed.
        """
        now_s = int(utc_now().timestamp())
        limit = session.configuration.max_requests_per_minute
        is_within = await self._database.run_write(_count_request, session.id, now_s // MINUTE_S, limit)
        return 0 if is_within else MINUTE_S - now_s % MINUTE_S

    async def count_upload(self, session: ChatSession) -> bool:
        """Count one upload of `session`; return False when the limit is reached."""
        return await self._database.run_write(_count_upload, session.id, session.configuration.max_files)

    async def uncount_upload(self, session: ChatSession) -> None:
        """Undo `count_upload` for a file that was rejected."""
        await self._database.run_write(uncount_upload, session.id)


def _save(connection: Connection, session: ChatSession, now: datetime) -> None:
    old = select(ChatSessionRow.id).where(ChatSessionRow.expires_at < now - KEPT_AFTER_EXPIRY).limit(MAX_SWEPT)
    connection.execute(delete(ChatSessionRow).where(ChatSessionRow.id.in_(old.scalar_subquery())))
    values = {
        "id": session.id,
        "key_name": session.key_name,
        "person": session.user,
        "use_case": session.use_case,
        "created_at": now,
        "expires_at": session.expires_at,
        # A mapping proxy cannot be serialised as JSON.
        "configuration": asdict(replace(session.configuration, variables=dict(session.configuration.variables))),
    }
    connection.execute(insert(ChatSessionRow).values(values))


def _load(connection: Connection, session_id: str) -> ChatSession | None:
    row = connection.execute(select(ChatSessionRow).where(ChatSessionRow.id == session_id)).one_or_none()
    if row is None:
        return None
    stored = dict(row.configuration)
    configuration = SessionConfiguration(**{**stored, "variables": MappingProxyType(stored["variables"])})
    return ChatSession(
        id=row.id,
        key_name=row.key_name,
        user=row.person,
        use_case=row.use_case,
        expires_at=row.expires_at,
        is_cancelled=row.cancelled_at is not None,
        configuration=configuration,
    )


def _cancel(connection: Connection, session_id: str, key_name: str, now: datetime) -> ChatSession | None:
    own = (ChatSessionRow.id == session_id, ChatSessionRow.key_name == key_name)
    first = update(ChatSessionRow).where(*own, ChatSessionRow.cancelled_at.is_(None)).values(cancelled_at=now)
    connection.execute(first)
    session = _load(connection, session_id)
    return session if session is not None and session.key_name == key_name else None


def _count_request(connection: Connection, session_id: str, minute: int, limit: int) -> bool:
    row = ChatSessionRow
    is_new = row.minute != minute
    # One statement, so that concurrent requests cannot exceed the limit.
    result = connection.execute(
        update(row)
        .where(row.id == session_id, or_(is_new, row.requests < limit))
        .values(minute=minute, requests=case((is_new, 1), else_=row.requests + 1))
    )
    return result.rowcount == 1


def _count_upload(connection: Connection, session_id: str, limit: int) -> bool:
    row = ChatSessionRow
    result = connection.execute(
        update(row).where(row.id == session_id, row.uploads < limit).values(uploads=row.uploads + 1)
    )
    return result.rowcount == 1


def uncount_upload(connection: Connection, session_id: str) -> None:
    """Subtract one upload from the count of a session."""
    row = ChatSessionRow
    connection.execute(update(row).where(row.id == session_id, row.uploads > 0).values(uploads=row.uploads - 1))
