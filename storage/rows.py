"""Tables of the store, and conversions between rows and ChatKit's objects. Only the store uses them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast, get_args

from chatkit.types import Attachment, FeedbackKind, ThreadItem, ThreadMetadata, ThreadStatus, WidgetItem
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, Integer, Row, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, JSONDocument, PlainText, UTCDateTime
from storage.baseline import set_baseline, thread_fields
from turns.run_record import RunOutcome, RunRecord
from widgets.documents import stored_widget, widget_root

logger = logging.getLogger(__name__)

ITEM_TYPES = frozenset(each.model_fields["type"].default for each in get_args(get_args(ThreadItem)[0]))
"""Types of items that this version knows."""

_HIDDEN_TYPES = frozenset({"hidden_context_item", "sdk_hidden_context"})
_ITEM_COLUMNS = {"id", "thread_id", "created_at"}

# Building an adapter takes milliseconds: once, not per row.
_ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
STATUS: TypeAdapter[ThreadStatus] = TypeAdapter(ThreadStatus)
"""Validator and serialiser of a thread's status."""
ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)
"""Validator and serialiser of a file's record."""


class ThreadRow(Base):
    """A conversation. `key` increases with every new thread, and defines the order of the list."""

    __tablename__ = "threads"
    __table_args__ = (
        UniqueConstraint("owner_id", "use_case", "id"),
        Index(None, "owner_id", "use_case", "key"),
        {"sqlite_autoincrement": True},  # the key of a deleted thread is not reused
    )

    # SQLite generates keys in INTEGER columns only.
    key: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    owner_id: Mapped[str] = mapped_column(PlainText)
    use_case: Mapped[str] = mapped_column(PlainText)
    id: Mapped[str] = mapped_column(PlainText)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    title: Mapped[str | None] = mapped_column(PlainText)
    status: Mapped[Any] = mapped_column(JSONDocument, nullable=False)
    allowed_image_domains: Mapped[Any | None] = mapped_column(JSONDocument)
    # SQLAlchemy reserves the attribute `metadata`.
    details: Mapped[Any] = mapped_column("metadata", JSONDocument, nullable=False)
    last_position: Mapped[int] = mapped_column(BigInteger, default=0)


class ItemRow(Base):
    """An item of a thread; `document` is its JSON without the members that have a column."""

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint("thread_key", "position"),
        Index(
            None,
            "thread_key",
            "widget_root_id",
            "position",
            sqlite_where=text("widget_root_id IS NOT NULL"),
            postgresql_where=text("widget_root_id IS NOT NULL"),
        ),
    )

    thread_key: Mapped[int] = mapped_column(ForeignKey(ThreadRow.key, ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(PlainText)
    is_hidden: Mapped[bool]
    widget_root_id: Mapped[str | None] = mapped_column(PlainText)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    document: Mapped[Any] = mapped_column(JSONDocument, nullable=False)


class FeedbackRow(Base):
    """A person's feedback on an item; it is deleted with the item."""

    __tablename__ = "feedback"
    __table_args__ = (
        ForeignKeyConstraint(["thread_key", "item_id"], [ItemRow.thread_key, ItemRow.id], ondelete="CASCADE"),
    )

    thread_key: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    item_id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    kind: Mapped[FeedbackKind] = mapped_column(PlainText)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class RunRow(Base):
    """An answer that has ended. `key` is the order in which answers ended."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "thread_key", "key"),)

    key: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    thread_key: Mapped[int] = mapped_column(ForeignKey(ThreadRow.key, ondelete="CASCADE"))
    id: Mapped[str] = mapped_column(PlainText)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime] = mapped_column(UTCDateTime)
    status: Mapped[str] = mapped_column(PlainText)
    stop_reason: Mapped[str | None] = mapped_column(PlainText)
    error_id: Mapped[str | None] = mapped_column(PlainText)
    usage: Mapped[Any | None] = mapped_column(JSONDocument)


class RequestKeyRow(Base):
    """The idempotency key of a request that a client may send twice, but that must take effect once."""

    __tablename__ = "request_keys"
    __table_args__ = (Index(None, "created_at"), Index(None, "thread_key", "created_at"))

    thread_key: Mapped[int] = mapped_column(ForeignKey(ThreadRow.key, ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(PlainText, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OnceActionRow(Base):
    """An action that may be carried out only once; recorded when it begins, and deleted with its thread."""

    __tablename__ = "once_actions"

    thread_key: Mapped[int] = mapped_column(ForeignKey(ThreadRow.key, ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(PlainText, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


def as_utc(time: datetime) -> datetime:
    """Return a time as the same moment in UTC."""
    # ChatKit's times are naive and local, which is what astimezone takes a naive time for.
    return time.astimezone(UTC)


def to_thread(row: Row[Any], changed: Mapping[str, Any] | None = None) -> ThreadMetadata:
    """Return the thread of a row, which carries its baseline.

    Args:
        row: A whole row of `ThreadRow`.
        changed: Values of columns that were updated after the row was read.
    """
    fields = {**row._mapping, **(changed or {})}
    thread = ThreadMetadata(
        id=fields["id"],
        created_at=fields["created_at"],
        title=fields["title"],
        status=STATUS.validate_python(fields["status"]),
        allowed_image_domains=fields["allowed_image_domains"],
        metadata=fields["metadata"],
    )
    set_baseline(thread, thread_fields(thread))
    return thread


def item_values(item: ThreadItem) -> dict[str, Any]:
    """Return the columns of an item, except for its thread and its position."""
    return {
        "id": item.id,
        "type": item.type,
        "is_hidden": item.type in _HIDDEN_TYPES,
        "widget_root_id": item.widget.id if isinstance(item, WidgetItem) else None,
        "created_at": as_utc(item.created_at),
        "document": _item_document(item),
    }


def _item_document(item: ThreadItem) -> dict[str, Any]:
    if item.type in _HIDDEN_TYPES:
        return item.model_dump(mode="json", by_alias=True, exclude=_ITEM_COLUMNS)
    # In the form that ChatKit sends, so that it can be passed on unchanged; see `storage.page_json`.
    if not isinstance(item, WidgetItem):
        return item.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=_ITEM_COLUMNS)
    return item.model_dump(mode="json", exclude_none=True, exclude=_ITEM_COLUMNS | {"widget"}) | {
        "widget": widget_root(item.widget).model_dump()
    }


def to_item(row: Row[Any], thread_id: str, document: dict[str, Any] | None = None) -> ThreadItem | None:
    """Return the item of a row; None when it cannot be read.

    Args:
        row: A row of `ItemRow`.
        thread_id: The thread that the item is in.
        document: The parsed value of the column `document`, if the row contains it as text.
    """
    stored = row.document if document is None else document
    fields = {**stored, "id": row.id, "thread_id": thread_id, "created_at": row.created_at}
    try:
        if row.type == "widget":
            # ChatKit would choose a typed widget class, which drops unknown members.
            fields["widget"] = stored_widget(fields["widget"])
        return _ITEM.validate_python(fields)
    except (ValidationError, KeyError):
        # A newer version of Parlor may have written it, before a rollback.
        logger.warning("stored item cannot be read", extra={"item_id": row.id, "item_type": row.type})
        return None


def to_run(row: Row[Any]) -> RunRecord:
    """Return the record of an ended answer."""
    return RunRecord(
        id=row.id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        status=cast("RunOutcome", row.status),
        stop_reason=row.stop_reason,
        error_id=row.error_id,
        usage=row.usage or {},
    )


def to_items(rows: Iterable[Row[Any]], thread_id: str) -> list[ThreadItem]:
    """Return the items of rows, without those that cannot be read."""
    return [item for row in rows if (item := to_item(row, thread_id)) is not None]
