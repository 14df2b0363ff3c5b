"""The to-dos of users: tables, value types, and the operations on them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from context import utc_now
from database import Database, PlainText, UTCDateTime, build_metadata, new_id
from errors import BadRequestError, ConflictError

Priority = Literal["low", "normal", "high"]

MAX_TITLE_CHARS = 200
MAX_ITEMS_PER_USER = 1_000
MAX_TITLES_PER_CALL = 50

_PRIORITY_ORDER: dict[str, int] = {"high": 0, "normal": 1, "low": 2}


class TodoBase(DeclarativeBase):
    """The tables of this use case."""

    metadata = build_metadata()


class TodoListRow(TodoBase):
    """A list, one per user. Adding to-dos locks the row, so that numbers stay unique and the limit holds."""

    __tablename__ = "todo_lists"

    user_id: Mapped[str] = mapped_column(PlainText(255), primary_key=True)
    last_number: Mapped[int]


class TodoItemRow(TodoBase):
    """A to-do. `number` also gives the order: later to-dos have higher numbers, and none is used twice."""

    __tablename__ = "todo_items"
    __table_args__ = (
        UniqueConstraint("user_id", "number"),
        CheckConstraint("priority IN ('low', 'normal', 'high')", name="priority"),
    )

    id: Mapped[str] = mapped_column(PlainText(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(PlainText(255), ForeignKey("todo_lists.user_id", ondelete="CASCADE"))
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(MAX_TITLE_CHARS))
    priority: Mapped[str] = mapped_column(String(6))
    is_done: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


@dataclass(frozen=True, slots=True)
class Todo:
    """One to-do.

    Attributes:
        id: Unique among all users.
        number: The number by which people name it, as in "#3": unique for its user, never used again, higher is later.
        title: 1 to `MAX_TITLE_CHARS` characters on one line.
        priority: How important it is.
        is_done: Whether the to-do is ticked off.
        created_at: The time at which the to-do was added.
        completed_at: The time at which the to-do was ticked off; None while it is open.
    """

    id: str
    number: int
    title: str
    priority: Priority
    is_done: bool
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TodoList:
    """A user's to-dos: open ones first, the important and then the older ones before the rest.

    Attributes:
        items: The to-dos of the user, at most `MAX_ITEMS_PER_USER`.
        last_number: The number of the latest to-do ever added; 0 before the first.
    """

    items: tuple[Todo, ...]
    last_number: int

    @property
    def open_count(self) -> int:
        """How many to-dos are open."""
        return sum(not item.is_done for item in self.items)

    @property
    def done_count(self) -> int:
        """How many to-dos are done."""
        return len(self.items) - self.open_count


def clean_title(text: str) -> str:
    """Return `text` as a title: one line, without control characters.

    Raises:
        BadRequestError: When nothing is left, or more than `MAX_TITLE_CHARS` characters.
    """
    one_line = " ".join(unicodedata.normalize("NFC", text).split())
    title = "".join(char for char in one_line if not _is_unprintable(char)).strip()
    if not title:
        raise BadRequestError("A to-do needs a few words that say what is to be done.", code="todo.empty")
    if len(title) > MAX_TITLE_CHARS:
        raise BadRequestError(
            f"A to-do can have at most {MAX_TITLE_CHARS} characters; this one has {len(title)}.", code="todo.too_long"
        )
    return title


class TodoItems:
    """The to-dos of all users; every method names the owner and is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, user_id: str) -> TodoList:
        """Return the user's list, which is empty for a new user."""
        async with self._database.read() as session:
            last_number = await session.scalar(select(TodoListRow.last_number).where(TodoListRow.user_id == user_id))
            rows = await session.scalars(
                select(TodoItemRow).where(TodoItemRow.user_id == user_id).order_by(TodoItemRow.number)
            )
            items = [_todo_from_row(row) for row in rows]
        items.sort(key=lambda item: (item.is_done, 0 if item.is_done else _PRIORITY_ORDER[item.priority]))
        return TodoList(tuple(items), last_number or 0)

    async def add(self, user_id: str, titles: Sequence[str], priority: Priority = "normal") -> tuple[Todo, ...]:
        """Add to-dos, all or none.

        Args:
            user_id: The owner.
            titles: 1 to `MAX_TITLES_PER_CALL`, as people write them.
            priority: The priority of each of them.

        Raises:
            BadRequestError: When a title is empty or too long, or there are too many at once.
            ConflictError: When the list would get longer than `MAX_ITEMS_PER_USER`.
        """
        if not 1 <= len(titles) <= MAX_TITLES_PER_CALL:
            raise BadRequestError(f"Add 1 to {MAX_TITLES_PER_CALL} to-dos at once.", code="todo.too_many_at_once")
        cleaned = [clean_title(title) for title in titles]
        async with self._database.write() as session:
            # This statement also locks the list's row: who adds at the same time waits, then counts what is there.
            last_number = await session.scalar(
                self._database.insert(TodoListRow)
                .values(user_id=user_id, last_number=len(cleaned))
                .on_conflict_do_update(
                    index_elements=[TodoListRow.user_id],
                    set_={"last_number": TodoListRow.last_number + len(cleaned)},
                )
                .returning(TodoListRow.last_number)
            )
            count = await session.scalar(
                select(func.count()).select_from(TodoItemRow).where(TodoItemRow.user_id == user_id)
            )
            room = max(MAX_ITEMS_PER_USER - (count or 0), 0)
            if len(cleaned) > room:
                raise ConflictError(
                    f"A list can hold {MAX_ITEMS_PER_USER:,} to-dos, and yours has room for {room:,} more. "
                    "Clear the done ones or delete some first.",
                    code="todo.full",
                )
            now = utc_now()
            rows = [
                TodoItemRow(
                    id=new_id("todo"),
                    user_id=user_id,
                    number=number,
                    title=title,
                    priority=priority,
                    is_done=False,
                    created_at=now,
                    completed_at=None,
                )
                for number, title in enumerate(cleaned, (last_number or 0) - len(cleaned) + 1)
            ]
            session.add_all(rows)
        return tuple(_todo_from_row(row) for row in rows)

    async def set_done(self, user_id: str, item_id: str, is_done: bool) -> bool:
        """Mark a to-do as done or open; `completed_at` changes only with the state.

        Returns:
            Whether the user has this to-do.
        """
        owned_item = (TodoItemRow.user_id == user_id, TodoItemRow.id == item_id)
        async with self._database.write() as session:
            await session.execute(
                update(TodoItemRow)
                .where(*owned_item, TodoItemRow.is_done != is_done)
                .values(is_done=is_done, completed_at=utc_now() if is_done else None)
            )
            return await session.scalar(select(TodoItemRow.id).where(*owned_item)) is not None

    async def delete(self, user_id: str, item_id: str) -> bool:
        """Delete a to-do for good; return whether the user had it."""
        async with self._database.write() as session:
            deleted = await session.scalars(
                delete(TodoItemRow)
                .where(TodoItemRow.user_id == user_id, TodoItemRow.id == item_id)
                .returning(TodoItemRow.id)
            )
            return deleted.first() is not None

    async def clear_done(self, user_id: str) -> int:
        """Delete the to-dos that are done; return how many there were."""
        async with self._database.write() as session:
            deleted = await session.scalars(
                delete(TodoItemRow).where(TodoItemRow.user_id == user_id, TodoItemRow.is_done).returning(TodoItemRow.id)
            )
            return len(deleted.all())


def _todo_from_row(row: TodoItemRow) -> Todo:
    priority: Priority = row.priority  # type: ignore[assignment]  # the table's check constraint holds it
    return Todo(row.id, row.number, row.title, priority, row.is_done, row.created_at, row.completed_at)


def _is_unprintable(char: str) -> bool:
    """Return whether `char` is a control character, a lone surrogate, or a bidirectional formatting character."""
    return (
        unicodedata.category(char) in {"Cc", "Cs"} or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
