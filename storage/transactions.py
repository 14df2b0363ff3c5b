"""Transactions of the store: functions that take a connection, for `Database.run_read` and `Database.run_write`.

Each implements the method of `ParlorStore` with the same name, which documents it. On SQLite they run outside of the
event loop, so that the conversion of rows to objects belongs here too: a thousand of them would delay every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from chatkit.types import FeedbackKind, Page, ThreadItem, ThreadMetadata, UserMessageItem, WidgetItem
from sqlalchemy import Connection, Row, Select, insert

from storage import page_json, process_leases, statements
from storage.attachment_records import bind_files
from storage.baseline import DEFAULT_BASELINE, Baseline, changed_fields, merge_metadata
from storage.rows import item_values, to_item, to_items, to_run, to_thread
from storage.scope import NO_ITEM, NO_THREAD, MissingError, PageRequest, Scope, require
from turns.clock import utc_now
from turns.run_record import RunRecord

# Threads


def load_thread(connection: Connection, scope: Scope) -> ThreadMetadata:
    return to_thread(require(connection.execute(statements.THREAD, scope.parameters).one_or_none()))


def save_thread(
    connection: Connection, scope: Scope, created_at: datetime, fields: dict[str, Any], baseline: Baseline | None
) -> ThreadMetadata | None:
    """Create a thread, or save the differences between `baseline` and `fields`.

    Args:
        connection: A connection within a transaction.
        scope: The thread and its owner.
        created_at: The creation time for a new thread.
        fields: The new fields and metadata.
        baseline: The fields and metadata as they were loaded; None for a thread that may be new.

    Returns:
        The thread as it is stored now; None when it was created.

    Raises:
        MissingError: When the thread was loaded before, and has been deleted since.
    """
    row = connection.execute(statements.THREAD_TO_WRITE, scope.parameters).one_or_none()
    now = utc_now()
    if row is None:
        if baseline is not None:
            raise MissingError(NO_THREAD)
        values = {"id": scope.id, "created_at": created_at, "updated_at": now, "last_position": 0}
        connection.execute(insert(statements.THREADS), {**scope.columns, **values, **fields})
        return None
    changed = changed_fields(baseline or DEFAULT_BASELINE, fields)
    metadata = merge_metadata(row.metadata, baseline or DEFAULT_BASELINE, fields)
    values = {**changed, "metadata": metadata, "updated_at": now}
    connection.execute(statements.CHANGE_THREAD, {"scope_thread_key": row.key, **values})
    return to_thread(row, changed)


def create_thread(
    connection: Connection, scope: Scope, created_at: datetime, fields: dict[str, Any], message: UserMessageItem
) -> None:
    values = {"id": scope.id, "created_at": created_at, "updated_at": utc_now(), "last_position": 1}
    key = connection.scalar(statements.NEW_THREAD, {**scope.columns, **values, **fields})
    connection.execute(statements.NEW_ITEM, {"thread_key": key, "position": 1, **item_values(message)})
    bind_files(connection, scope, key, message.attachments)


def add_message(connection: Connection, scope: Scope, message: UserMessageItem) -> None:
    key, position = reserve_position(connection, scope)
    connection.execute(statements.NEW_ITEM, {"thread_key": key, "position": position, **item_values(message)})
    bind_files(connection, scope, key, message.attachments)


def rename_thread(connection: Connection, scope: Scope, title: str) -> ThreadMetadata:
    values = {**scope.parameters, "new_title": title, "now": utc_now()}
    return to_thread(require(connection.execute(statements.RENAME_THREAD, values).one_or_none()))


def retitle_thread(connection: Connection, scope: Scope, expected: str | None, title: str) -> bool:
    values = {**scope.parameters, "old_title": expected, "new_title": title, "now": utc_now()}
    return connection.execute(statements.RETITLE_THREAD, values).rowcount > 0


def load_threads(connection: Connection, scope: Scope, page: PageRequest) -> Page[ThreadMetadata]:
    rows, after = _thread_rows(connection, scope, page, as_json=False)
    return Page(data=[to_thread(row) for row in rows], has_more=after is not None, after=after)


def threads_json(connection: Connection, scope: Scope, page: PageRequest) -> bytes:
    rows, after = _thread_rows(connection, scope, page, as_json=True)
    return page_json.page_json(map(page_json.thread_json, rows), after).encode()


def _thread_rows(
    connection: Connection, scope: Scope, page: PageRequest, *, as_json: bool
) -> tuple[Sequence[Row[Any]], str | None]:
    """Return the rows of a page, and the id after which the next page begins, as `PageRequest.split` does."""
    cursor = None if page.after is None else _thread_key(connection, scope._replace(id=page.after))
    stmt = statements.page_of_threads(page.order, has_cursor=cursor is not None, as_json=as_json)
    return page.split(connection.execute(stmt, scope.parameters | page.parameters(cursor)).all())


def delete_thread(connection: Connection, scope: Scope) -> None:
    require(connection.scalar(statements.DELETE_THREAD, scope.parameters))


def _thread_key(connection: Connection, scope: Scope) -> int:
    key: int | None = connection.scalar(statements.THREAD_KEY, scope.parameters)
    return require(key)


# Items


def load_thread_items(connection: Connection, scope: Scope, page: PageRequest) -> Page[ThreadItem]:
    rows, after = _item_rows(connection, _thread_key(connection, scope), page, statements.page_of_items)
    return Page(data=to_items(rows, scope.id), has_more=after is not None, after=after)


def items_json(connection: Connection, scope: Scope, page: PageRequest, living_since: datetime) -> bytes:
    rows, after = _visible_rows(connection, _thread_key(connection, scope), page, living_since)
    return page_json.page_json(page_json.items_json(rows, scope.id), after, _feedback_by_item(rows)).encode()


def thread_json(connection: Connection, scope: Scope, page: PageRequest, living_since: datetime) -> bytes:
    row = require(connection.execute(statements.THREAD_JSON, scope.parameters).one_or_none())
    rows, after = _visible_rows(connection, row.key, page, living_since)
    return page_json.thread_json(
        row[:-1], page_json.page_json(page_json.items_json(rows, scope.id), after), _feedback_by_item(rows)
    ).encode()


def _feedback_by_item(rows: Iterable[Row[Any]]) -> dict[str, FeedbackKind]:
    # By position: the id is the first column of `statements.page_of_items_json`, and the feedback the last.
    return {row[0]: row[-1] for row in rows if row[-1] is not None}


def _item_rows(
    connection: Connection, key: int, page: PageRequest, statement: Callable[..., Select[Any]]
) -> tuple[Sequence[Row[Any]], str | None]:
    """Return the rows of a page, and the id after which the next page begins, as `PageRequest.split` does."""
    cursor = None if page.after is None else _item_position(connection, key, page.after)
    stmt = statement(page.order, has_cursor=cursor is not None)
    return page.split(connection.execute(stmt, {"scope_thread_key": key, **page.parameters(cursor)}).all())


def _visible_rows(
    connection: Connection, key: int, page: PageRequest, living_since: datetime
) -> tuple[Sequence[Row[Any]], str | None]:
    """Return the rows of a page, without the marks of answers that a living process is still writing."""
    rows, after = _item_rows(connection, key, page, statements.page_of_items_json)
    # Marks are items of the type task: a page without any needs no second query.
    if any(row.type == "task" for row in rows):
        unfinished = process_leases.marks_of_living_processes(connection, key, living_since)
        rows = [row for row in rows if row.id not in unfinished]
    return rows, after


def load_history(connection: Connection, scope: Scope, size: int) -> list[ThreadItem]:
    values = {"scope_thread_key": _thread_key(connection, scope), "size": size}
    return to_items(connection.execute(statements.HISTORY, values), scope.id)


def load_widgets(connection: Connection, scope: Scope, root_id: str, size: int) -> list[WidgetItem]:
    values = {"scope_thread_key": _thread_key(connection, scope), "root_id": root_id, "size": size}
    items = to_items(connection.execute(statements.WIDGETS, values), scope.id)
    return [item for item in items if isinstance(item, WidgetItem)]


def load_item(connection: Connection, scope: Scope, item_id: str) -> ThreadItem:
    values = {**scope.parameters, "scope_item_id": item_id}
    row = require(connection.execute(statements.ITEM, values).one_or_none(), NO_ITEM)
    item = to_item(row, scope.id)
    if item is None:
        raise MissingError(NO_ITEM)
    return item


def has_item(connection: Connection, scope: Scope, item_id: str) -> bool:
    return connection.scalar(statements.HAS_ITEM, {**scope.parameters, "scope_item_id": item_id}) is not None


def reserve_position(connection: Connection, scope: Scope) -> tuple[int, int]:
    """Return the thread's key and next position; other transactions that add to the thread wait for the commit."""
    values = {**scope.parameters, "now": utc_now()}
    key, position = require(connection.execute(statements.TAKE_POSITION, values).one_or_none())
    return key, position


def add_thread_item(connection: Connection, scope: Scope, item: ThreadItem, reserved: int | None) -> None:
    if reserved is None:
        # Replacing an item wastes a position. The gap does no harm, and saves a query for whether the item exists.
        key, position = reserve_position(connection, scope)
    else:
        key, position = _thread_key(connection, scope), reserved
    upsert = statements.upsert(connection.dialect.name, statements.ITEMS)
    connection.execute(upsert, {"thread_key": key, "position": position, **item_values(item)})


def add_half_answer(
    connection: Connection,
    scope: Scope,
    half: ThreadItem,
    position: int | None,
    mark: ThreadItem,
    process_id: str,
    now: datetime,
) -> None:
    """Store an unfinished answer, and a mark after it that is hidden while this process lives."""
    add_thread_item(connection, scope, half, position)
    add_thread_item(connection, scope, mark, None)
    process_leases.record_open_answer(connection, _thread_key(connection, scope), mark.id, process_id, now)


def show_mark(connection: Connection, scope: Scope, mark_id: str) -> None:
    process_leases.show_marks(connection, [(scope, mark_id)])


def update_item_if(connection: Connection, scope: Scope, expected_status: str, item: ThreadItem) -> bool:
    key = {"scope_thread_key": _thread_key(connection, scope), "scope_item_id": item.id}
    document = require(connection.scalar(statements.ITEM_TO_WRITE, key), NO_ITEM)
    if document.get("status") != expected_status:
        return False
    connection.execute(statements.CHANGE_ITEM, {**key, **item_values(item)})
    return True


def swap_item(connection: Connection, scope: Scope, before: ThreadItem, after: ThreadItem) -> bool:
    key = {"scope_thread_key": _thread_key(connection, scope), "scope_item_id": before.id}
    if connection.scalar(statements.ITEM_TO_WRITE, key) != item_values(before)["document"]:
        return False
    connection.execute(statements.CHANGE_ITEM, {**key, **item_values(after)})
    return True


def delete_thread_item(connection: Connection, scope: Scope, item_id: str) -> None:
    key = _thread_key(connection, scope)
    connection.execute(statements.DELETE_ITEM, {"scope_thread_key": key, "scope_item_id": item_id})


def delete_items_after(connection: Connection, scope: Scope, item_id: str) -> None:
    key = _thread_key(connection, scope)
    values = {"scope_thread_key": key, "position": _item_position(connection, key, item_id)}
    connection.execute(statements.DELETE_ITEMS_AFTER, values)


def _item_position(connection: Connection, key: int, item_id: str) -> int:
    values = {"scope_thread_key": key, "scope_item_id": item_id}
    position: int | None = connection.scalar(statements.POSITION, values)
    return require(position, NO_ITEM)


# Feedback, ended answers, idempotency keys


def save_feedback(connection: Connection, scope: Scope, item_ids: Sequence[str], kind: FeedbackKind) -> None:
    key = _thread_key(connection, scope)
    locked = connection.execute(statements.LOCK_ITEMS, {"scope_thread_key": key, "item_ids": item_ids}).all()
    if len(locked) != len(item_ids):
        raise MissingError(NO_ITEM)
    values = {"thread_key": key, "kind": kind, "updated_at": utc_now()}
    if rows := [{**values, "item_id": item_id} for item_id in item_ids]:
        connection.execute(statements.upsert(connection.dialect.name, statements.FEEDBACK), rows)


def save_run(connection: Connection, scope: Scope, run: RunRecord) -> None:
    values = {
        "run_id": run.id, "run_started_at": run.started_at, "run_ended_at": run.ended_at, "run_status": run.status,
        "run_stop_reason": run.stop_reason, "run_error_id": run.error_id, "run_usage": run.usage or None,
    }  # fmt: skip
    connection.execute(statements.NEW_RUN, {**scope.parameters, **values})


def load_runs(connection: Connection, scope: Scope, size: int) -> list[RunRecord]:
    values = {"scope_thread_key": _thread_key(connection, scope), "size": size}
    return [to_run(row) for row in connection.execute(statements.RUNS_OF_THREAD, values)]


def claim_action(connection: Connection, scope: Scope, key: str, now: datetime) -> bool:
    """Record an action that is to be carried out once, and return whether it is new."""
    values = {"thread_key": _thread_key(connection, scope), "key": key, "created_at": now}
    return connection.scalar(statements.insert_new_action(connection.dialect.name), values) is not None


def release_action(connection: Connection, scope: Scope, key: str) -> None:
    connection.execute(statements.FORGET_ACTION, {**scope.parameters, "scope_key": key})


def claim_request_key(
    connection: Connection, scope: Scope, key: str, now: datetime, forget_until: datetime, kept: int
) -> bool:
    """Record an idempotency key, and return whether it is new.

    Older keys are deleted: those from `forget_until` and before, and all but the newest `kept` of the thread.
    """
    in_thread = {"scope_thread_key": _thread_key(connection, scope)}
    connection.execute(statements.FORGET_OLD_KEYS, {"until": forget_until})
    values = {"thread_key": in_thread["scope_thread_key"], "key": key, "created_at": now}
    inserted = connection.scalar(statements.insert_new_key(connection.dialect.name), values)
    cutoff = connection.scalar(statements.OLDEST_KEY_TO_KEEP, {**in_thread, "kept": kept})
    if cutoff is not None:
        connection.execute(statements.FORGET_OLD_KEYS_OF_THREAD, {**in_thread, "until": cutoff})
    return inserted is not None


def release_request_key(connection: Connection, scope: Scope, key: str) -> None:
    connection.execute(statements.FORGET_KEY, {**scope.parameters, "scope_key": key})
