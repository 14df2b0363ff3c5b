"""The transactions of the store: functions of a connection, for `Database.run_read` and `Database.run_write`.

They run beside the event loop where the database allows it, so rows become objects here too: a thousand of them would
hold up every answer.

`Of` says whose thread is meant. A thread's numeric key is only ever got by a query that names its owner, so what is
selected by key is the owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from chatkit.types import Attachment, FeedbackKind, Page, ThreadItem, ThreadMetadata, WidgetItem
from sqlalchemy import Connection, Row, Select, insert
from sqlalchemy.dialects import postgresql, sqlite

from errors import NotFoundError
from storage import statements as st
from storage.page_json import shown_items, shown_page, shown_thread
from storage.rows import (
    ATTACHMENT,
    THREAD_FIELDS,
    item_values,
    to_item,
    to_items,
    to_run,
    to_thread,
)
from turns.clock import utc_now
from turns.request_context import RequestContext
from turns.run_record import RunRecord

NO_THREAD = "This conversation does not exist."
NO_ITEM = "This message does not exist."
NO_ATTACHMENT = "This file does not exist."

T = TypeVar("T")
AnyInsert = sqlite.Insert | postgresql.Insert


class Of(NamedTuple):
    """Whose thread, file or list is meant."""

    owner_id: str
    use_case: str
    id: str = ""

    @classmethod
    def context(cls, context: RequestContext, id_: str = "") -> Of:
        """Return what the person who asks calls `id_`."""
        return cls(context.user_id, context.use_case, id_)

    @property
    def columns(self) -> dict[str, Any]:
        """The owner's columns of a new row."""
        return {"owner_id": self.owner_id, "use_case": self.use_case}

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of statements that name the owner."""
        return {"of_owner": self.owner_id, "of_use_case": self.use_case, "of_id": self.id}


def found(value: T | None, message: str = NO_THREAD) -> T:
    """Return `value`.

    Raises:
        NotFoundError: When it is None.
    """
    if value is None:
        raise NotFoundError(message)
    return value


@dataclass(frozen=True, slots=True)
class PageOf:
    """Which page is wanted.

    Attributes:
        size: How many entries it has at most.
        after: The id that the page before ended with; None for the first.
        order: ``"asc"`` or ``"desc"``.
    """

    size: int
    after: str | None
    order: str


# Threads


def load_thread(connection: Connection, of: Of) -> ThreadMetadata:
    """Return a fresh copy of a thread's metadata."""
    return to_thread(found(connection.execute(st.THREAD, of.values).one_or_none()))


def save_thread(
    connection: Connection, of: Of, created_at: datetime, mine: dict[str, Any], baseline: dict[str, Any] | None
) -> ThreadMetadata | None:
    """Create a thread, or write what differs between `baseline` and `mine`; see `ParlorStore.save_thread`.

    Args:
        connection: Within a transaction.
        of: Whose thread.
        created_at: Of a thread that is created.
        mine: The fields and the metadata as they are to be.
        baseline: The same as they were; None for a thread that may be new.

    Returns:
        The thread as it is stored now; None when it was created.
    """
    row = connection.execute(st.THREAD_TO_WRITE, of.values).one_or_none()
    now = utc_now()
    if row is None:
        if baseline is not None:
            raise NotFoundError(NO_THREAD)
        connection.execute(
            insert(st.THREADS),
            {**of.columns, "id": of.id, "created_at": created_at, "updated_at": now, "last_position": 0, **mine},
        )
        return None
    baseline = baseline or FRESH_THREAD
    changed = {field: mine[field] for field in THREAD_FIELDS if mine[field] != baseline[field]}
    metadata = _merged(row.metadata, baseline["metadata"], mine["metadata"])
    values = {**changed, "metadata": metadata, "updated_at": now}
    connection.execute(st.CHANGE_THREAD, {"of_thread_key": row.key, **values})
    return to_thread(row, changed)


FRESH_THREAD: dict[str, Any] = {
    "title": None,
    "status": {"type": "active"},
    "allowed_image_domains": None,
    "metadata": {},
}
"""What a thread holds that nobody has changed."""


def _merged(stored: dict[str, Any], baseline: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """Return `stored` with the keys that differ between `baseline` and `mine` as `mine` has them."""
    kept = {key: value for key, value in stored.items() if key in mine or key not in baseline}
    return kept | {key: value for key, value in mine.items() if key not in baseline or baseline[key] != value}


def rename_thread(connection: Connection, of: Of, title: str) -> ThreadMetadata:
    """Set the title, and nothing else."""
    values = {**of.values, "new_title": title, "now": utc_now()}
    return to_thread(found(connection.execute(st.RENAME_THREAD, values).one_or_none()))


def retitle_thread(connection: Connection, of: Of, expected: str | None, title: str) -> bool:
    """Set the title if it is the expected one; say whether it was."""
    values = {**of.values, "old_title": expected, "new_title": title, "now": utc_now()}
    return connection.execute(st.RETITLE_THREAD, values).rowcount > 0


def load_threads(connection: Connection, of: Of, page: PageOf) -> Page[ThreadMetadata]:
    """Return a page of the owner's threads."""
    rows, after = _thread_rows(connection, of, page, is_whole=True)
    return Page(data=[to_thread(row) for row in rows], has_more=after is not None, after=after)


def show_threads(connection: Connection, of: Of, page: PageOf) -> bytes:
    """Return the JSON of a page of the owner's threads, as a browser gets it."""
    rows, after = _thread_rows(connection, of, page, is_whole=False)
    return shown_page(map(shown_thread, rows), after).encode()


def _thread_rows(
    connection: Connection, of: Of, page: PageOf, *, is_whole: bool
) -> tuple[Sequence[Row[Any]], str | None]:
    """Return the rows of a page, and the id that the next one begins behind; None when there is none."""
    values: dict[str, Any] = {**of.values, "size": page.size + 1}  # the extra row says whether there are more
    if page.after is not None:
        values["cursor"] = _thread_key(connection, of._replace(id=page.after))
    stmt = st.page_of_threads(page.order, goes_on=page.after is not None, is_whole=is_whole)
    return _cut(connection.execute(stmt, values).all(), page.size)


def _cut(rows: Sequence[Row[Any]], size: int) -> tuple[Sequence[Row[Any]], str | None]:
    return (rows, None) if len(rows) <= size else (rows[:size], rows[size - 1].id)


def delete_thread(connection: Connection, of: Of) -> None:
    """Delete a thread and all that is in it."""
    found(connection.scalar(st.DELETE_THREAD, of.values))


def _thread_key(connection: Connection, of: Of) -> int:
    key: int | None = connection.scalar(st.THREAD_KEY, of.values)
    return found(key)


# Items


def load_items(connection: Connection, of: Of, page: PageOf) -> Page[ThreadItem]:
    """Return a page of a thread's items, hidden ones too."""
    rows, after = _item_rows(connection, _thread_key(connection, of), page, st.page_of_items)
    return Page(data=to_items(rows, of.id), has_more=after is not None, after=after)


def show_items(connection: Connection, of: Of, page: PageOf) -> bytes:
    """Return the JSON of a page of a thread's visible items, and of what the owner thinks of them."""
    rows, after = _item_rows(connection, _thread_key(connection, of), page, st.page_of_shown_items)
    return shown_page(shown_items(rows, of.id), after, _opinions(rows)).encode()


def show_thread(connection: Connection, of: Of, page: PageOf) -> bytes:
    """Return the JSON of a thread with a page of its visible items, and of what the owner thinks of them."""
    row = found(connection.execute(st.SHOWN_THREAD, of.values).one_or_none())
    rows, after = _item_rows(connection, row.key, page, st.page_of_shown_items)
    return shown_thread(row[:-1], shown_page(shown_items(rows, of.id), after), _opinions(rows)).encode()


def _opinions(rows: Iterable[Row[Any]]) -> dict[str, FeedbackKind]:
    return {row[0]: row[-1] for row in rows if row[-1] is not None}


def _item_rows(
    connection: Connection, key: int, page: PageOf, statement: Callable[..., Select[Any]]
) -> tuple[Sequence[Row[Any]], str | None]:
    """Return the rows of a page, and the id that the next one begins behind, as `_thread_rows` does."""
    values: dict[str, Any] = {"of_thread_key": key, "size": page.size + 1}
    if page.after is not None:
        values["cursor"] = _position(connection, key, page.after)
    return _cut(connection.execute(statement(page.order, goes_on=page.after is not None), values).all(), page.size)


def load_history(connection: Connection, of: Of, size: int) -> list[ThreadItem]:
    """Return the newest items, newest first."""
    values = {"of_thread_key": _thread_key(connection, of), "size": size}
    return to_items(connection.execute(st.HISTORY, values), of.id)


def load_widgets(connection: Connection, of: Of, root_id: str, size: int) -> list[WidgetItem]:
    """Return the newest widgets with this root, newest first."""
    values = {"of_thread_key": _thread_key(connection, of), "root_id": root_id, "size": size}
    return [item for item in to_items(connection.execute(st.WIDGETS, values), of.id) if isinstance(item, WidgetItem)]


def load_item(connection: Connection, of: Of, item_id: str) -> ThreadItem:
    """Return one item of one thread."""
    row = found(connection.execute(st.ITEM, {**of.values, "of_item": item_id}).one_or_none(), NO_ITEM)
    loaded = to_item(row, of.id)
    if loaded is None:
        raise NotFoundError(NO_ITEM)
    return loaded


def has_item(connection: Connection, of: Of, item_id: str) -> bool:
    """Say whether a thread has an item of this id."""
    return connection.scalar(st.HAS_ITEM, {**of.values, "of_item": item_id}) is not None


def take_position(connection: Connection, of: Of) -> tuple[int, int]:
    """Return the thread's key and its next position; others who add to this thread wait until the commit."""
    key, position = found(connection.execute(st.TAKE_POSITION, {**of.values, "now": utc_now()}).one_or_none())
    return key, position


def replace_item_if(connection: Connection, of: Of, expected_status: str, item: ThreadItem) -> bool:
    """Replace an item if its stored status is this, and say whether it was."""
    key = {"of_thread_key": _thread_key(connection, of), "of_item": item.id}
    document = found(connection.scalar(st.ITEM_TO_WRITE, key), NO_ITEM)
    if document.get("status") != expected_status:
        return False
    connection.execute(st.CHANGE_ITEM, {**key, **item_values(item)})
    return True


def delete_item(connection: Connection, of: Of, item_id: str) -> None:
    """Delete an item; no error when it is not there."""
    connection.execute(st.DELETE_ITEM, {"of_thread_key": _thread_key(connection, of), "of_item": item_id})


def swap_item(connection: Connection, of: Of, before: ThreadItem, after: ThreadItem) -> bool:
    """Replace an item if it is stored as `before`, and say whether it was."""
    key = {"of_thread_key": _thread_key(connection, of), "of_item": before.id}
    if connection.scalar(st.ITEM_TO_WRITE, key) != item_values(before)["document"]:
        return False
    connection.execute(st.CHANGE_ITEM, {**key, **item_values(after)})
    return True


def delete_items_after(connection: Connection, of: Of, item_id: str) -> None:
    """Delete all items behind one."""
    key = _thread_key(connection, of)
    position = _position(connection, key, item_id)
    connection.execute(st.DELETE_ITEMS_AFTER, {"of_thread_key": key, "position": position})


def _position(connection: Connection, key: int, item_id: str) -> int:
    position: int | None = connection.scalar(st.POSITION, {"of_thread_key": key, "of_item": item_id})
    return found(position, NO_ITEM)


# What is known of answers


def save_run(connection: Connection, of: Of, run: RunRecord) -> None:
    """Note how an answer has ended; no error when its thread is missing."""
    values = {
        "run_id": run.id, "run_started_at": run.started_at, "run_ended_at": run.ended_at, "run_status": run.status,
        "run_stop_reason": run.stop_reason, "run_error_id": run.error_id, "run_usage": run.usage or None,
    }  # fmt: skip
    connection.execute(st.NEW_RUN, {**of.values, **values})


def load_runs(connection: Connection, of: Of, size: int) -> list[RunRecord]:
    """Return the newest answers that have ended, newest first."""
    values = {"of_thread_key": _thread_key(connection, of), "size": size}
    return [to_run(row) for row in connection.execute(st.RUNS_OF_THREAD, values)]


def release_request_key(connection: Connection, of: Of, key: str) -> None:
    """Forget a key."""
    connection.execute(st.FORGET_KEY, {**of.values, "of_key": key})


# Attachments


def load_attachment(connection: Connection, of: Of) -> Attachment:
    """Return what is known of a file."""
    return ATTACHMENT.validate_python(found(connection.scalar(st.ATTACHMENT, of.values), NO_ATTACHMENT))


def mark_uploaded(connection: Connection, of: Of) -> None:
    """Note that the bytes of a file have arrived."""
    found(connection.scalar(st.MARK_UPLOADED, of.values), NO_ATTACHMENT)


def delete_attachment(connection: Connection, of: Of) -> None:
    """Delete what is known of a file."""
    found(connection.scalar(st.DELETE_ATTACHMENT, of.values), NO_ATTACHMENT)


class Upserts:
    """The transactions whose statements depend on the dialect.

    Args:
        insert_into: Returns an INSERT that knows conflicts, as `Database.insert` does.
    """

    def __init__(self, insert_into: Callable[[Any], AnyInsert]) -> None:
        self._item = _replacing(insert_into(st.ITEMS), ["thread_key", "id"], keep=["position"])
        self._feedback = _replacing(insert_into(st.FEEDBACK), ["thread_key", "item_id"])
        self._attachment = _replacing(
            insert_into(st.ATTACHMENTS), ["owner_id", "use_case", "id"], keep=["created_at", "state"]
        )
        self._request_key = insert_into(st.REQUEST_KEYS).on_conflict_do_nothing().returning(st.REQUEST_KEYS.c.key)

    def create_thread(
        self,
        connection: Connection,
        of: Of,
        thread: Mapping[str, Any],
        message: ThreadItem,
        attachments: Iterable[Attachment],
    ) -> None:
        """Create a thread with its first message, to which files may be attached."""
        values = {**of.columns, "id": of.id, "updated_at": utc_now(), "last_position": 1, **thread}
        key = connection.scalar(st.NEW_THREAD, values)
        connection.execute(st.NEW_ITEM, {"thread_key": key, "position": 1, **item_values(message)})
        for each in attachments:
            self.save_attachment(connection, of, each)

    def put_item(self, connection: Connection, of: Of, item: ThreadItem, reserved: int | None) -> None:
        """Store an item at its reserved place, else at the end; one that is there already is replaced in its place."""
        if reserved is None:
            # An item that is there leaves a gap in the numbers, which costs nothing and saves a query.
            key, position = take_position(connection, of)
        else:
            key, position = _thread_key(connection, of), reserved
        connection.execute(self._item, {"thread_key": key, "position": position, **item_values(item)})

    def save_feedback(self, connection: Connection, of: Of, item_ids: Sequence[str], kind: FeedbackKind) -> None:
        """Note what the owner thinks of some items, of all or of none."""
        key = _thread_key(connection, of)
        known = connection.execute(st.LOCK_ITEMS, {"of_thread_key": key, "item_ids": item_ids}).all()
        if len(known) != len(item_ids):
            raise NotFoundError(NO_ITEM)
        values = {"kind": kind, "updated_at": utc_now()}
        if rows := [{"thread_key": key, "item_id": each, **values} for each in item_ids]:
            connection.execute(self._feedback, rows)

    def claim_request_key(
        self, connection: Connection, of: Of, key: str, now: datetime, forget_until: datetime, kept: int
    ) -> bool:
        """Note a key, and say whether it is new; forget those from before `forget_until`, and all but `kept`."""
        in_thread = {"of_thread_key": _thread_key(connection, of)}
        connection.execute(st.FORGET_OLD_KEYS, {"until": forget_until})
        values = {"thread_key": in_thread["of_thread_key"], "key": key, "created_at": now}
        inserted = connection.scalar(self._request_key, values)
        cutoff = connection.scalar(st.OLDEST_KEY_TO_KEEP, {**in_thread, "kept": kept})
        if cutoff is not None:
            connection.execute(st.FORGET_OLD_KEYS_OF_THREAD, {**in_thread, "until": cutoff})
        return inserted is not None

    def save_attachment(self, connection: Connection, of: Of, attachment: Attachment) -> None:
        """Create or replace what is known of a file."""
        document = ATTACHMENT.dump_python(attachment, mode="json", exclude={"upload_descriptor"})
        values = {
            **of.columns, "id": attachment.id, "created_at": utc_now(), "state": "pending",
            "thread_id": attachment.thread_id, "document": document,
        }  # fmt: skip
        connection.execute(self._attachment, values)


def _replacing(stmt: AnyInsert, key: list[str], keep: Sequence[str] = ()) -> AnyInsert:
    """Return an INSERT that replaces the row of this key, but for its columns `keep`."""
    kept = {*key, *keep}
    replaced = {column.name: column for column in stmt.excluded if column.name not in kept}
    return stmt.on_conflict_do_update(index_elements=key, set_=replaced)
