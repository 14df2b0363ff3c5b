"""Statements of the store, built once, as building one costs as much as executing it.

Parameters with the prefix `scope_` select rows; the others are values, mostly of columns.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Select, Table, Text, bindparam, delete, insert, select, update
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from storage.rows import FeedbackRow, ItemRow, OnceActionRow, RequestKeyRow, RunRow, ThreadRow

THREADS = cast("Table", ThreadRow.__table__)
ITEMS = cast("Table", ItemRow.__table__)
FEEDBACK = cast("Table", FeedbackRow.__table__)
RUNS = cast("Table", RunRow.__table__)
ONCE_ACTIONS = cast("Table", OnceActionRow.__table__)
REQUEST_KEYS = cast("Table", RequestKeyRow.__table__)


def _belongs_to_owner(table: Table) -> tuple[ColumnElement[bool], ...]:
    return table.c.owner_id == bindparam("scope_owner_id"), table.c.use_case == bindparam("scope_use_case")


def _in_scope(table: Table) -> tuple[ColumnElement[bool], ...]:
    return *_belongs_to_owner(table), table.c.id == bindparam("scope_id")


IN_THREAD = ITEMS.c.thread_key == bindparam("scope_thread_key")
IS_ITEM = (IN_THREAD, ITEMS.c.id == bindparam("scope_item_id"))
IS_OWNERS_ITEM = (*_in_scope(THREADS), ITEMS.c.id == bindparam("scope_item_id"))
ITEMS_IN_THREADS = ITEMS.join(THREADS, THREADS.c.key == ITEMS.c.thread_key)


def _as_text(column: Column[Any]) -> ColumnElement[str]:
    """Return a JSON column as its stored text."""
    return cast_to(column, Text).label(column.name)


THREAD_JSON_COLUMNS = (
    THREADS.c.id, THREADS.c.created_at, THREADS.c.title, _as_text(THREADS.c.status),
    _as_text(THREADS.c.allowed_image_domains),
)  # fmt: skip

THREAD = select(THREADS).where(*_in_scope(THREADS))
THREAD_JSON = select(*THREAD_JSON_COLUMNS, THREADS.c.key).where(*_in_scope(THREADS))
THREAD_TO_WRITE = THREAD.with_for_update()
THREAD_KEY = select(THREADS.c.key).where(*_in_scope(THREADS))
CHANGE_THREAD = update(THREADS).where(THREADS.c.key == bindparam("scope_thread_key"))
RENAME_THREAD = (
    update(THREADS)
    .where(*_in_scope(THREADS))
    .values(title=bindparam("new_title"), updated_at=bindparam("now"))
    .returning(THREADS)
)
RETITLE_THREAD = (
    update(THREADS)
    .where(*_in_scope(THREADS), THREADS.c.title.is_not_distinct_from(bindparam("old_title")))
    .values(title=bindparam("new_title"), updated_at=bindparam("now"))
)
DELETE_THREAD = delete(THREADS).where(*_in_scope(THREADS)).returning(THREADS.c.key)
TAKE_POSITION = (
    update(THREADS)
    .where(*_in_scope(THREADS))
    .values(last_position=THREADS.c.last_position + 1, updated_at=bindparam("now"))
    .returning(THREADS.c.key, THREADS.c.last_position)
)
NEW_THREAD = insert(THREADS).returning(THREADS.c.key)

ITEM = select(ITEMS).select_from(ITEMS_IN_THREADS).where(*IS_OWNERS_ITEM)
HAS_ITEM = select(ITEMS.c.position).select_from(ITEMS_IN_THREADS).where(*IS_OWNERS_ITEM)
ITEM_TO_WRITE = select(ITEMS.c.document).where(*IS_ITEM).with_for_update()
POSITION = select(ITEMS.c.position).where(*IS_ITEM)
HISTORY = select(ITEMS).where(IN_THREAD).order_by(ITEMS.c.position.desc()).limit(bindparam("size"))
WIDGETS = (
    select(ITEMS)
    .where(IN_THREAD, ITEMS.c.widget_root_id == bindparam("root_id"))
    .order_by(ITEMS.c.position.desc())
    .limit(bindparam("size"))
)
NEW_ITEM = insert(ITEMS)
CHANGE_ITEM = update(ITEMS).where(*IS_ITEM)
DELETE_ITEM = delete(ITEMS).where(*IS_ITEM)
DELETE_ITEMS_AFTER = delete(ITEMS).where(IN_THREAD, ITEMS.c.position > bindparam("position"))
# Locked, since the foreign key of the feedback would fail if an item were deleted meanwhile.
LOCK_ITEMS = (
    select(ITEMS.c.id)
    .where(IN_THREAD, ITEMS.c.id.in_(bindparam("item_ids", expanding=True)))
    .with_for_update(read=True, key_share=True)
)

RUN_COLUMNS = ("id", "started_at", "ended_at", "status", "stop_reason", "error_id", "usage")
# One statement, as every answer ends with it.
NEW_RUN = insert(RUNS).from_select(
    ["thread_key", *RUN_COLUMNS],
    select(
        THREADS.c.key, *(bindparam(f"run_{name}", type_=RUNS.c[name].type).label(name) for name in RUN_COLUMNS)
    ).where(*_in_scope(THREADS)),
)
RUNS_OF_THREAD = (
    select(RUNS)
    .where(RUNS.c.thread_key == bindparam("scope_thread_key"))
    .order_by(RUNS.c.key.desc())
    .limit(bindparam("size"))
)

KEY_IN_THREAD = REQUEST_KEYS.c.thread_key == bindparam("scope_thread_key")
FORGET_OLD_KEYS = delete(REQUEST_KEYS).where(REQUEST_KEYS.c.created_at <= bindparam("until"))
FORGET_OLD_KEYS_OF_THREAD = FORGET_OLD_KEYS.where(KEY_IN_THREAD)
OLDEST_KEY_TO_KEEP = (
    select(REQUEST_KEYS.c.created_at)
    .where(KEY_IN_THREAD)
    .order_by(REQUEST_KEYS.c.created_at.desc())
    .offset(bindparam("kept"))
    .limit(1)
)
FORGET_ACTION = delete(ONCE_ACTIONS).where(
    ONCE_ACTIONS.c.thread_key == THREAD_KEY.scalar_subquery(), ONCE_ACTIONS.c.key == bindparam("scope_key")
)
FORGET_KEY = delete(REQUEST_KEYS).where(
    REQUEST_KEYS.c.thread_key == THREAD_KEY.scalar_subquery(), REQUEST_KEYS.c.key == bindparam("scope_key")
)

Upsert = sqlite.Insert | postgresql.Insert
_KEPT_COLUMNS = {ITEMS: {"position"}}


@cache
def upsert(dialect: str, table: Table) -> Upsert:
    """Return the INSERT that updates an existing row of the same key, except for columns that keep their value."""
    stmt = insert_for(dialect, table)
    key = [column.name for column in table.primary_key]
    unchanged = {*key, *_KEPT_COLUMNS.get(table, ())}
    values = {column.name: column for column in stmt.excluded if column.name not in unchanged}
    return stmt.on_conflict_do_update(index_elements=key, set_=values)


@cache
def insert_new_key(dialect: str) -> ReturningInsert[tuple[str]]:
    """Return the INSERT that records an idempotency key, and returns it if it is new."""
    return insert_for(dialect, REQUEST_KEYS).on_conflict_do_nothing().returning(REQUEST_KEYS.c.key)


@cache
def insert_new_action(dialect: str) -> ReturningInsert[tuple[str]]:
    """Return the INSERT that records an action to be carried out once, and returns its key if it is new."""
    return insert_for(dialect, ONCE_ACTIONS).on_conflict_do_nothing().returning(ONCE_ACTIONS.c.key)


def insert_for(dialect: str, table: Table) -> Upsert:
    """Return an INSERT of a dialect, which supports ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def page_of_threads(order: str, *, has_cursor: bool, as_json: bool) -> Select[Any]:
    """Return the query for a page of an owner's threads; with `has_cursor`, after the parameter `cursor`."""
    stmt = select(*(THREAD_JSON_COLUMNS if as_json else (THREADS,))).where(*_belongs_to_owner(THREADS))
    return _paginate(stmt, THREADS.c.key, order, has_cursor=has_cursor)


@cache
def page_of_items(order: str, *, has_cursor: bool) -> Select[Any]:
    """Return the query for a page of items, including hidden ones; with `has_cursor`, after the parameter `cursor`."""
    return _paginate(select(ITEMS).where(IN_THREAD), ITEMS.c.position, order, has_cursor=has_cursor)


@cache
def page_of_items_json(order: str, *, has_cursor: bool) -> Select[Any]:
    """Return the query for a page of visible items with the owner's feedback; documents are returned as text."""
    has_feedback = (FEEDBACK.c.thread_key == ITEMS.c.thread_key) & (FEEDBACK.c.item_id == ITEMS.c.id)
    item = ITEMS.c
    stmt = select(item.id, item.created_at, item.type, _as_text(item.document), FEEDBACK.c.kind.label("feedback"))
    stmt = stmt.select_from(ITEMS.outerjoin(FEEDBACK, has_feedback))
    stmt = stmt.where(IN_THREAD, ITEMS.c.is_hidden.is_(False))
    return _paginate(stmt, ITEMS.c.position, order, has_cursor=has_cursor)


def _paginate(stmt: Select[Any], position: ColumnElement[int], order: str, *, has_cursor: bool) -> Select[Any]:
    if has_cursor:
        stmt = stmt.where(position > bindparam("cursor") if order == "asc" else position < bindparam("cursor"))
    return stmt.order_by(position.asc() if order == "asc" else position.desc()).limit(bindparam("size"))
