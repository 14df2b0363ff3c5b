"""Tables of uploaded files, and of the amount that each person has uploaded per day.

The bytes are in the object store, in a folder whose name is derived from the owner and the id in the row. So every
object can be found from its row, which is written before the first object and removed after the last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast

from sqlalchemy import BigInteger, ColumnElement, Date, ForeignKey, Index, Table, and_, or_, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base, JSONDocument, PlainText, UTCDateTime
from storage.rows import ThreadRow
from storage.scope import Scope

FileState = Literal["pending", "uploaded", "bound", "deleting"]
"""Stage of a file's life.

``pending``: announced, no bytes yet; ``uploaded``: complete and checked; ``bound``: part of a thread; ``deleting``:
invisible to everybody, while its objects may still exist.
"""

SESSION_RULE = "session"
"""Key in a file's `rules` for the id of the session that announced it and whose limit it counts towards."""


class FileRow(Base):
    """A file. `document` is ChatKit's record of it, without any URL."""

    __tablename__ = "files"
    __table_args__ = (
        Index(None, "thread_key"),
        # Partial, for the sweeper: most files belong to a thread, and are never swept.
        Index(
            "ix_files_threadless",
            "state",
            "changed_at",
            sqlite_where=text("thread_key IS NULL"),
            postgresql_where=text("thread_key IS NULL"),
        ),
        Index(None, "owner_id", "use_case"),
    )

    id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    owner_id: Mapped[str] = mapped_column(PlainText)
    use_case: Mapped[str] = mapped_column(PlainText)
    # However a thread is deleted, its files stay without a thread, which is how the sweeper finds them.
    thread_key: Mapped[int | None] = mapped_column(ForeignKey(ThreadRow.key, ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(PlainText, default="pending")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # Last renewal of the claim by the request that moves the bytes to the object store; there is one claim at a time.
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # The declared size while the file is pending, then the real one.
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    # The hash of the bytes as sent identifies a repeated upload; `sha256` is that of the bytes as stored.
    sent_sha256: Mapped[str | None] = mapped_column(PlainText)
    sha256: Mapped[str | None] = mapped_column(PlainText)
    width: Mapped[int | None]
    height: Mapped[int | None]
    # The upload rules at the time when the file was announced.
    rules: Mapped[Any | None] = mapped_column(JSONDocument)
    is_direct: Mapped[bool] = mapped_column(default=False)
    document: Mapped[Any] = mapped_column(JSONDocument, nullable=False)


class UploadDayRow(Base):
    """Count of the files and bytes that a person has announced on one day, in UTC."""

    __tablename__ = "upload_days"

    owner_id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    files: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)


FILES = cast("Table", FileRow.__table__)
UPLOAD_DAYS = cast("Table", UploadDayRow.__table__)

IS_AVAILABLE = and_(FILES.c.state != "deleting", or_(FILES.c.state != "bound", FILES.c.thread_key.is_not(None)))
"""Condition that a file may still be read: neither the file nor its thread has been deleted."""


def belongs_to_owner(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a file belongs to the owner in `scope`; its id is not compared."""
    return and_(FILES.c.owner_id == scope.owner_id, FILES.c.use_case == scope.use_case)


def is_available_file(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a file is the one in `scope`, belongs to that owner, and may still be read."""
    return and_(FILES.c.id == scope.id, belongs_to_owner(scope), IS_AVAILABLE)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded or announced file, read from its row.

    Attributes:
        id: The id of the file, such as ``"atc_0198…"``.
        owner_id: The id of the person who owns the file.
        use_case: The use case that the file was sent to.
        thread_id: The thread that the file is part of; None until it is sent with a message.
        state: The stage of the file's life cycle.
        size: The size in bytes; the declared size while the file is pending.
        name: The name, cleaned.
        media_type: The media type; the declared type while the file is pending.
        sent_sha256: The hash of the bytes as they were sent.
        sha256: The hash of the bytes as they are stored: pictures lose their metadata first.
        width: The width of a picture in pixels.
        height: The height of a picture in pixels.
        rules: The upload rules at the time when the file was announced.
        is_direct: Whether the browser sends the bytes straight to the object store.
        created_at: The time at which the file was announced.
    """

    id: str
    owner_id: str
    use_case: str
    thread_id: str | None
    state: FileState
    size: int
    name: str
    media_type: str
    sent_sha256: str | None
    sha256: str | None
    width: int | None
    height: int | None
    rules: dict[str, Any] | None
    is_direct: bool
    created_at: datetime

    @property
    def owner(self) -> str:
        """The owner as one string; see `owner_key`."""
        return owner_key(self.owner_id, self.use_case)

    @property
    def folder(self) -> str:
        """The folder of the file's objects in the object store."""
        return f"{hashlib.sha256(self.owner.encode()).hexdigest()[:32]}/{self.id}"

    @property
    def content_key(self) -> str:
        """The key of the file's bytes in the object store, once it is uploaded."""
        return self.content_key_of(self.sha256 or "")

    def content_key_of(self, sha256: str) -> str:
        """Return the key for bytes with this hash, so that uploads of different bytes never overwrite each other."""
        return f"{self.folder}/content-{sha256[:32]}"

    @property
    def legacy_content_key(self) -> str:
        """The key of the file's bytes in earlier versions of Parlor, which had no hash in it."""
        return f"{self.folder}/content"

    @property
    def incoming_key(self) -> str:
        """The key that a browser uploads to directly; the bytes are checked before they move to `content_key`."""
        return f"incoming/{self.folder}"

    def rendition_key(self, kind: str) -> str:
        """Return the key of something derived from the file, such as a preview."""
        return f"{self.folder}/{kind}"


def owner_key(owner_id: str, use_case: str) -> str:
    """Return the owner of files, a person in a use case, as one string for folder names, signatures and counters."""
    # The length prefix keeps ("a", "b:c") and ("a:b", "c") apart.
    return f"{len(owner_id)}:{owner_id}:{use_case}"


def to_stored_file(row: Any) -> StoredFile:
    """Return the file that a row of `FILES` describes."""
    document = row.document
    return StoredFile(
        id=row.id, owner_id=row.owner_id, use_case=row.use_case, thread_id=document.get("thread_id"), state=row.state,
        size=row.size, name=document.get("name", ""), media_type=document.get("mime_type", ""),
        sent_sha256=row.sent_sha256, sha256=row.sha256, width=row.width, height=row.height, rules=row.rules,
        is_direct=row.is_direct, created_at=row.created_at,
    )  # fmt: skip
