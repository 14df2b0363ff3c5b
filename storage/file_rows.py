"""The tables of files: what each one is and whose, and how much a person has sent in a day.

The bytes lie in the object store, in a folder that is made of a row's owner and id alone. So every object can be found
from its row, and a row is written before, and removed after, anything that lies there.
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
"""``pending``: known, and no byte is here; ``uploaded``: whole and checked; ``bound``: part of a thread; ``deleting``:
gone for everybody, its objects may still be there."""


SESSION_RULE = "session"
"""Under this name the rules of a file hold the session in which it was announced, of whose files it is one."""


class FileRow(Base):
    """A file. `document` is ChatKit's record of it, without any URL."""

    __tablename__ = "files"
    __table_args__ = (
        Index(None, "thread_key"),
        # What a thread does not hold; the others are many, and nobody sweeps them.
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
    # Whatever deletes the thread leaves files of none behind, which is how they are found.
    thread_key: Mapped[int | None] = mapped_column(ForeignKey(ThreadRow.key, ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(PlainText, default="pending")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # When who moves the bytes of a pending file to their place last said so; only one may.
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # What was declared while it is pending, then what it is.
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    # Of what was sent, by which an upload that is repeated is known; and of what is kept.
    sent_sha256: Mapped[str | None] = mapped_column(PlainText)
    sha256: Mapped[str | None] = mapped_column(PlainText)
    width: Mapped[int | None]
    height: Mapped[int | None]
    # What may be uploaded, as it was promised when the file was announced.
    rules: Mapped[Any | None] = mapped_column(JSONDocument)
    is_direct: Mapped[bool] = mapped_column(default=False)
    document: Mapped[Any] = mapped_column(JSONDocument, nullable=False)


class UploadDayRow(Base):
    """Files and bytes that a person has announced on one day, in UTC."""

    __tablename__ = "upload_days"

    owner_id: Mapped[str] = mapped_column(PlainText, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    files: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)


FILES = cast("Table", FileRow.__table__)
UPLOAD_DAYS = cast("Table", UploadDayRow.__table__)

IS_THERE = and_(FILES.c.state != "deleting", or_(FILES.c.state != "bound", FILES.c.thread_key.is_not(None)))
"""Whether anybody may still have a file: a thread takes its own with it, at once."""


def is_owners(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a file belongs to the owner in `scope`, whatever its id."""
    return and_(FILES.c.owner_id == scope.owner_id, FILES.c.use_case == scope.use_case)


def is_file(scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a file is the one in `scope`, and there for its owner."""
    return and_(FILES.c.id == scope.id, is_owners(scope), IS_THERE)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as its row has it.

    Attributes:
        id: Such as ``"atc_0198…"``.
        owner_id: The person whose file it is.
        use_case: The use case that the file was sent to.
        thread_id: The thread that it is part of.
        state: The stage of the file's life: pending, uploaded, bound, deleting.
        size: The size in bytes; while it is pending, the one that was declared.
        name: The name, cleaned.
        media_type: The media type; while it is pending, the one that was declared.
        sent_sha256: The hash of what was sent.
        sha256: The hash of what is kept.
        width: The width of a picture in pixels.
        height: The height of a picture in pixels.
        rules: What may be uploaded.
        is_direct: Whether a browser sends it to the object store itself.
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
        """The owner in one text, for signatures."""
        return owner_of(self.owner_id, self.use_case)

    @property
    def folder(self) -> str:
        """The folder of the file's objects in the object store."""
        return f"{hashlib.sha256(self.owner.encode()).hexdigest()[:32]}/{self.id}"

    @property
    def content_key(self) -> str:
        """The key of the bytes of a file that is not pending."""
        return self.content_key_of(self.sha256 or "")

    def content_key_of(self, sha256: str) -> str:
        """Return the key of bytes by their hash: of two that send different ones, neither overwrites the other's."""
        return f"{self.folder}/content-{sha256[:32]}"

    @property
    def content_key_without_hash(self) -> str:
        """The key under which versions before this one have put a file's bytes."""
        return f"{self.folder}/content"

    @property
    def incoming_key(self) -> str:
        """The key under which a browser sends the bytes to the object store itself; nobody else reads there."""
        return f"incoming/{self.folder}"

    def rendition_key(self, kind: str) -> str:
        """Return the key of what was made of the file, such as a preview."""
        return f"{self.folder}/{kind}"


def owner_of(owner_id: str, use_case: str) -> str:
    """Return an owner in one text."""
    # The length in front keeps ("a", "b:c") and ("a:b", "c") apart.
    return f"{len(owner_id)}:{owner_id}:{use_case}"


def to_stored_file(row: Any) -> StoredFile:
    """Return the file of a row."""
    document = row.document
    return StoredFile(
        id=row.id, owner_id=row.owner_id, use_case=row.use_case, thread_id=document.get("thread_id"), state=row.state,
        size=row.size, name=document.get("name", ""), media_type=document.get("mime_type", ""),
        sent_sha256=row.sent_sha256, sha256=row.sha256, width=row.width, height=row.height, rules=row.rules,
        is_direct=row.is_direct, created_at=row.created_at,
    )  # fmt: skip
