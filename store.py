"""ParlorStore: ChatKit's Store on SQLAlchemy. Rows (`store_rows.py`) never leave it.

Whose something is: every row belongs to one user in one use case, the pair `(context.user_id, context.use_case)`. A
thread's numeric `key` is only ever got by a query that names this pair, so what is selected by key is the owner's.
What is missing and what is somebody else's raise the same `NotFoundError`.

Order: a thread's items have positions from a counter in its row; the clock decides nothing. Threads are listed by when
they were created, not by last activity: a list whose order changes while it is read skips and repeats.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, TypeVar
from weakref import ref

from chatkit.store import Store
from chatkit.types import (
    Attachment,
    FeedbackKind,
    Page,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
    WidgetItem,
)
from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from context import RequestContext, RunRecord, utc_now
from database import Database, new_id
from errors import BadRequestError, NotFoundError, UnavailableError
from store_rows import (
    THREAD_FIELDS,
    AttachmentRow,
    FeedbackRow,
    ItemRow,
    RequestKeyRow,
    RunRow,
    ThreadRow,
    as_utc,
    item_values,
    thread_fields,
    to_item,
    to_items,
    to_run,
    to_thread,
)

DEFAULT_PAGE_ITEMS = 20
MAX_PAGE_ITEMS = 100
MAX_HISTORY_ITEMS = 1_000
MAX_TITLE_CHARS = 200
REQUEST_KEY_LIFE = timedelta(hours=24)
MAX_REQUEST_KEYS = 1_000
"""How many keys of one thread are remembered; beyond that the oldest are forgotten early."""

_NO_THREAD = "This conversation does not exist."
_NO_ITEM = "This message does not exist."
_NO_ATTACHMENT = "This file does not exist."

_ID_PREFIXES = {
    "thread": "thr",
    "message": "msg",
    "msg": "msg",  # what Agent Framework's adapter asks for
    "tool_call": "tc",
    "workflow": "wf",
    "task": "tsk",
    "attachment": "atc",
    "sdk_hidden_context": "shcx",
}
_FRESH_THREAD: dict[str, Any] = {
    "title": None,
    "status": {"type": "active"},
    "allowed_image_domains": None,
    "metadata": {},
}

_ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)


T = TypeVar("T")
R = TypeVar("R")


class _Baselines:
    """What a thread object held when the store last read or wrote it, for as long as the object lives."""

    def __init__(self) -> None:
        self._by_object: dict[int, tuple[ref[ThreadMetadata], dict[str, Any]]] = {}

    def remember(self, thread: ThreadMetadata) -> None:
        key = id(thread)
        forget = ref(thread, lambda _: self._by_object.pop(key, None))
        self._by_object[key] = (forget, thread_fields(thread))

    def of(self, thread: ThreadMetadata) -> dict[str, Any] | None:
        known = self._by_object.get(id(thread))
        return known[1] if known else None


class ParlorStore(Store[RequestContext]):
    """Threads, items and attachments of many users and use cases in one database.

    Each method is one transaction. All of them raise `NotFoundError` for what is missing or another owner's, and
    `UnavailableError` when the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._baselines = _Baselines()

    # Ids

    def generate_thread_id(self, context: RequestContext) -> str:
        """Return a new thread id that sorts after all earlier ones."""
        return new_id(_ID_PREFIXES["thread"])

    def generate_item_id(self, item_type: str, thread: ThreadMetadata, context: RequestContext) -> str:
        """Return a new item id; a type that ChatKit does not list gets the prefix ``itm``.

        It is noted in `context.item_ids` as one that this request may write.
        """
        item_id = new_id(_ID_PREFIXES.get(item_type, "itm"))
        context.item_ids.add(item_id)
        return item_id

    # Threads

    async def load_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        """Return a fresh copy of a thread's metadata."""
        async with self._read() as session:
            row = await session.scalar(select(ThreadRow).where(*_is_thread(thread_id, context)))
        return self._thread(_found(row))

    async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        """Create the thread, or write what the caller changed in it.

        Written are the fields, and the keys of `metadata`, that differ from what this very object held when the store
        last loaded or saved it, so that a rename or another request's note in `metadata` survives an answer that began
        before. An object that the store has not seen counts as a fresh thread: what is at its default is left alone.
        Fields that were not changed here but elsewhere are brought up to date in `thread`; `items` are ignored.

        Raises:
            NotFoundError: When it was loaded and has been deleted since.
        """
        baseline = self._baselines.of(thread)
        mine = thread_fields(thread)
        async with self._write() as session:
            row = await session.scalar(select(ThreadRow).where(*_is_thread(thread.id, context)).with_for_update())
            if row is None:
                if baseline is not None:
                    raise NotFoundError(_NO_THREAD)
                values = {**mine, "details": mine["metadata"], **_owner(context)}
                del values["metadata"]
                session.add(
                    ThreadRow(id=thread.id, created_at=as_utc(thread.created_at), updated_at=utc_now(), **values)
                )
            else:
                baseline = baseline or _FRESH_THREAD
                changed = [field for field in THREAD_FIELDS if mine[field] != baseline[field]]
                for field in changed:
                    setattr(row, field, mine[field])
                row.details = _merged(row.details, baseline["metadata"], mine["metadata"])
                row.updated_at = utc_now()
                stored = to_thread(row)
                for field in THREAD_FIELDS:
                    if field not in changed and getattr(thread, field) != getattr(stored, field):
                        setattr(thread, field, getattr(stored, field))
        self._baselines.remember(thread)

    async def create_thread(self, thread: ThreadMetadata, message: UserMessageItem, context: RequestContext) -> None:
        """Create a thread with its first message: both, or neither.

        Args:
            thread: Not stored yet.
            message: Its attachments are bound to the thread.
            context: Who becomes the owner.
        """
        mine = thread_fields(thread)
        async with self._write() as session:
            row = ThreadRow(
                id=thread.id,
                created_at=as_utc(thread.created_at),
                updated_at=utc_now(),
                details=mine.pop("metadata"),
                last_position=1,
                **mine,
                **_owner(context),
            )
            session.add(row)
            await session.flush()
            session.add(ItemRow(thread_key=row.key, position=1, **item_values(message)))
            for attachment in message.attachments:
                await session.execute(self._upsert_attachment(attachment, context))
        self._baselines.remember(thread)

    async def rename_thread(self, thread_id: str, title: str, context: RequestContext) -> ThreadMetadata:
        """Set the title, and nothing else, and return the thread.

        Raises:
            BadRequestError: When the title is blank or longer than `MAX_TITLE_CHARS`.
        """
        title = title.strip()
        if not 0 < len(title) <= MAX_TITLE_CHARS:
            raise BadRequestError(f"A title has 1 to {MAX_TITLE_CHARS} characters.")
        async with self._write() as session:
            row = await session.scalar(
                update(ThreadRow)
                .where(*_is_thread(thread_id, context))
                .values(title=title, updated_at=utc_now())
                .returning(ThreadRow)
            )
        return self._thread(_found(row))

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: RequestContext
    ) -> Page[ThreadMetadata]:
        """Return a page of the owner's threads by creation, newest first unless `order` is ``"asc"``.

        Args:
            limit: 1 to `MAX_PAGE_ITEMS`; 0, less, or None is `DEFAULT_PAGE_ITEMS`.
            after: The id that the page before ended with. An unknown one raises; the list never starts over.
            order: ``"asc"`` or ``"desc"``.
            context: Who asks.
        """
        async with self._read() as session:
            cursor = None
            if after is not None:
                cursor = _found(await session.scalar(select(ThreadRow.key).where(*_is_thread(after, context))))
            stmt = select(ThreadRow).where(*_is_owned(ThreadRow, context))
            rows, has_more = await _load_page(session, stmt, ThreadRow.key, cursor, limit, order)
        return Page(
            data=[self._thread(row) for row in rows], has_more=has_more, after=rows[-1].id if has_more else None
        )

    async def delete_thread(self, thread_id: str, context: RequestContext) -> None:
        """Delete a thread and all that is in it. Its attachments stay the owner's."""
        async with self._write() as session:
            stmt = delete(ThreadRow).where(*_is_thread(thread_id, context)).returning(ThreadRow.key)
            _found(await session.scalar(stmt))

    # Items

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        """Return a page of items, hidden ones too: ``"desc"`` with limit 1 is the true last item.

        Arguments are those of `load_threads`. An item of a type that this version does not know is left out.
        """
        page, _ = await self._load_items(thread_id, after, limit, order, context, with_hidden=True)
        return page

    async def load_visible_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        """Return a page for the browser: like `load_thread_items`, and full pages without the hidden items."""
        page, _ = await self._load_items(thread_id, after, limit, order, context, with_hidden=False)
        return page

    async def load_items_with_feedback(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> tuple[Page[ThreadItem], dict[str, FeedbackKind]]:
        """Return what `load_visible_items` does, and what the owner thinks of these items, by item id."""
        return await self._load_items(thread_id, after, limit, order, context, with_hidden=False, with_feedback=True)

    async def load_history(self, thread_id: str, max_items: int, context: RequestContext) -> list[ThreadItem]:
        """Return the newest items, newest first, hidden ones too.

        Args:
            thread_id: The thread.
            max_items: 1 to `MAX_HISTORY_ITEMS`.
            context: Who asks.
        """
        async with self._read() as session:
            key = await _load_thread_key(session, thread_id, context)
            stmt = select(ItemRow).where(ItemRow.thread_key == key).order_by(ItemRow.position.desc())
            rows = await session.scalars(stmt.limit(max(1, min(max_items, MAX_HISTORY_ITEMS))))
            return to_items(rows, thread_id)

    async def load_widgets(self, thread_id: str, root_id: str, limit: int, context: RequestContext) -> list[WidgetItem]:
        """Return the newest widgets whose root component has the id `root_id`, newest first, `limit` as for pages."""
        async with self._read() as session:
            key = await _load_thread_key(session, thread_id, context)
            stmt = (
                select(ItemRow)
                .where(ItemRow.thread_key == key, ItemRow.widget_root_id == root_id)
                .order_by(ItemRow.position.desc())
                .limit(_page_size(limit))
            )
            return [item for item in to_items(await session.scalars(stmt), thread_id) if isinstance(item, WidgetItem)]

    async def load_item(self, thread_id: str, item_id: str, context: RequestContext) -> ThreadItem:
        """Return one item of one thread."""
        async with self._read() as session:
            stmt = (
                select(ItemRow)
                .join(ThreadRow, ThreadRow.key == ItemRow.thread_key)
                .where(*_is_thread(thread_id, context), ItemRow.id == item_id)
            )
            row = _found(await session.scalar(stmt), _NO_ITEM)
        item = to_item(row, thread_id)
        if item is None:
            raise NotFoundError(_NO_ITEM)
        return item

    async def has_item(self, thread_id: str, item_id: str, context: RequestContext) -> bool:
        """Say whether a thread has an item of this id; a thread that is missing has none."""
        async with self._read() as session:
            stmt = (
                select(ItemRow.position)
                .join(ThreadRow, ThreadRow.key == ItemRow.thread_key)
                .where(*_is_thread(thread_id, context), ItemRow.id == item_id)
            )
            return await session.scalar(stmt) is not None

    async def reserve_position(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        """Take the thread's next place for an item that is shown now and stored when it is finished.

        The place is kept in `context.reserved_positions`; `add_thread_item` with this context uses it.
        """
        if item_id in context.reserved_positions:
            return
        async with self._write() as session:
            _, position = await _take_position(session, thread_id, context)
        context.reserved_positions[item_id] = position

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        """Store an item at its reserved place, else at the end; one that is there already is replaced in its place."""
        values = item_values(item)
        reserved = context.reserved_positions.get(item.id)
        async with self._write() as session:
            if reserved is None:
                # An item that is there leaves a gap in the numbers, which costs nothing and saves a query.
                key, position = await _take_position(session, thread_id, context)
            else:
                key, position = await _load_thread_key(session, thread_id, context), reserved
            stmt = self._database.insert(ItemRow).values(thread_key=key, position=position, **values)
            await session.execute(stmt.on_conflict_do_update(index_elements=["thread_key", "id"], set_=values))

    async def save_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        """Replace an item in its place; one that is not there is added."""
        await self.add_thread_item(thread_id, item, context)

    async def update_item_if(
        self, thread_id: str, expected_status: str, item: ThreadItem, context: RequestContext
    ) -> bool:
        """Replace an item in its place if its stored `status` is `expected_status`; of several callers one succeeds.

        Returns:
            Whether it was replaced.
        """
        async with self._write() as session:
            key = await _load_thread_key(session, thread_id, context)
            stmt = select(ItemRow).where(ItemRow.thread_key == key, ItemRow.id == item.id).with_for_update()
            row = _found(await session.scalar(stmt), _NO_ITEM)
            if row.document.get("status") != expected_status:
                return False
            for column, value in item_values(item).items():
                setattr(row, column, value)
        return True

    async def delete_thread_item(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        """Delete an item; no error when the thread has none of this id."""
        async with self._write() as session:
            key = await _load_thread_key(session, thread_id, context)
            await session.execute(delete(ItemRow).where(ItemRow.thread_key == key, ItemRow.id == item_id))

    async def take_item(self, thread_id: str, item_id: str, context: RequestContext) -> ThreadItem | None:
        """Remove an item and return it; None when it is not there. Of several callers one gets it."""
        async with self._write() as session:
            key = await _load_thread_key(session, thread_id, context)
            stmt = delete(ItemRow).where(ItemRow.thread_key == key, ItemRow.id == item_id).returning(ItemRow)
            row = await session.scalar(stmt)
        return to_item(row, thread_id) if row is not None else None

    async def delete_items_after(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        """Delete all items behind `item_id`, all or none; the item itself stays."""
        async with self._write() as session:
            key = await _load_thread_key(session, thread_id, context)
            position = await _load_position(session, key, item_id)
            await session.execute(delete(ItemRow).where(ItemRow.thread_key == key, ItemRow.position > position))

    # What is known of items and answers

    async def save_feedback(
        self, thread_id: str, item_ids: Sequence[str], kind: FeedbackKind, context: RequestContext
    ) -> None:
        """Note what the owner thinks of some items; a later opinion replaces an earlier one.

        Raises:
            NotFoundError: When one of them is no item of this thread; then nothing is noted.
        """
        wanted = sorted(set(item_ids))
        async with self._write() as session:
            key = await _load_thread_key(session, thread_id, context)
            # Locked, or an item that is deleted meanwhile would break the key that refers to it.
            stmt = select(ItemRow.id).where(ItemRow.thread_key == key, ItemRow.id.in_(wanted))
            if len((await session.scalars(stmt.with_for_update(read=True, key_share=True))).all()) != len(wanted):
                raise NotFoundError(_NO_ITEM)
            values = {"kind": kind, "updated_at": utc_now()}
            rows = [{"thread_key": key, "item_id": each, **values} for each in wanted]
            upsert = self._database.insert(FeedbackRow).on_conflict_do_update(
                index_elements=["thread_key", "item_id"], set_=values
            )
            if rows:
                await session.execute(upsert, rows)

    async def save_run(self, thread_id: str, run: RunRecord, context: RequestContext) -> None:
        """Note how an answer has ended; no error when its thread has been deleted meanwhile."""
        values = {
            "id": run.id, "started_at": run.started_at, "ended_at": run.ended_at, "status": run.status,
            "stop_reason": run.stop_reason, "error_id": run.error_id, "usage": run.usage or None,
        }  # fmt: skip
        columns = RunRow.__table__.c
        thread = select(ThreadRow.key, *(literal(value, columns[name].type) for name, value in values.items()))
        async with self._write() as session:
            # One statement: every answer pays for this.
            await session.execute(
                insert(RunRow).from_select(["thread_key", *values], thread.where(*_is_thread(thread_id, context)))
            )

    async def load_runs(self, thread_id: str, limit: int, context: RequestContext) -> list[RunRecord]:
        """Return the newest answers of a thread that have ended, newest first, `limit` as for pages."""
        async with self._read() as session:
            key = await _load_thread_key(session, thread_id, context)
            stmt = select(RunRow).where(RunRow.thread_key == key).order_by(RunRow.key.desc()).limit(_page_size(limit))
            return [to_run(row) for row in await session.scalars(stmt)]

    async def claim_request_key(self, thread_id: str, key: str, context: RequestContext) -> bool:
        """Note that a request with this key is being carried out in a thread; of several callers one succeeds.

        Keys are remembered for `REQUEST_KEY_LIFE`.

        Returns:
            Whether the caller is the first; if not, it must not be carried out again.
        """
        now = utc_now()
        async with self._write() as session:
            thread_key = await _load_thread_key(session, thread_id, context)
            await session.execute(delete(RequestKeyRow).where(RequestKeyRow.created_at <= now - REQUEST_KEY_LIFE))
            stmt = self._database.insert(RequestKeyRow).values(thread_key=thread_key, key=key, created_at=now)
            inserted = await session.scalar(stmt.on_conflict_do_nothing().returning(RequestKeyRow.key))
            is_of_thread = RequestKeyRow.thread_key == thread_key
            oldest = (
                select(RequestKeyRow.created_at)
                .where(is_of_thread)
                .order_by(RequestKeyRow.created_at.desc())
                .offset(MAX_REQUEST_KEYS)
                .limit(1)
            )
            cutoff = await session.scalar(oldest)
            if cutoff is not None:
                await session.execute(delete(RequestKeyRow).where(is_of_thread, RequestKeyRow.created_at <= cutoff))
        return inserted is not None

    async def release_request_key(self, thread_id: str, key: str, context: RequestContext) -> None:
        """Forget a key whose request has failed, so that it may be tried again; no error when it is not there."""
        async with self._write() as session:
            thread = select(ThreadRow.key).where(*_is_thread(thread_id, context)).scalar_subquery()
            await session.execute(
                delete(RequestKeyRow).where(RequestKeyRow.thread_key == thread, RequestKeyRow.key == key)
            )

    # Attachments

    async def save_attachment(self, attachment: Attachment, context: RequestContext) -> None:
        """Create or replace what is known of a file, but for its upload URL, which is a secret of its creation."""
        async with self._write() as session:
            await session.execute(self._upsert_attachment(attachment, context))

    async def load_attachment(self, attachment_id: str, context: RequestContext) -> Attachment:
        """Return what is known of a file, never with an `upload_descriptor`: messages embed what this returns."""
        async with self._read() as session:
            document = await session.scalar(
                select(AttachmentRow.document).where(
                    *_is_owned(AttachmentRow, context), AttachmentRow.id == attachment_id
                )
            )
        return _ATTACHMENT.validate_python(_found(document, _NO_ATTACHMENT))

    async def mark_attachment_uploaded(self, attachment_id: str, context: RequestContext) -> None:
        """Note that the bytes of a file have arrived."""
        async with self._write() as session:
            stmt = (
                update(AttachmentRow)
                .where(*_is_owned(AttachmentRow, context), AttachmentRow.id == attachment_id)
                .values(state="uploaded")
                .returning(AttachmentRow.id)
            )
            _found(await session.scalar(stmt), _NO_ATTACHMENT)

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        """Delete what is known of a file; its bytes are the attachment store's."""
        async with self._write() as session:
            stmt = (
                delete(AttachmentRow)
                .where(*_is_owned(AttachmentRow, context), AttachmentRow.id == attachment_id)
                .returning(AttachmentRow.id)
            )
            _found(await session.scalar(stmt), _NO_ATTACHMENT)

    # Inside

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncSession]:
        with _translated_errors():
            async with self._database.read() as session:
                yield session

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncSession]:
        with _translated_errors():
            async with self._database.write() as session:
                yield session

    def _upsert_attachment(self, attachment: Attachment, context: RequestContext) -> Executable:
        document = _ATTACHMENT.dump_python(attachment, mode="json", exclude={"upload_descriptor"})
        values = {"thread_id": attachment.thread_id, "document": document}
        stmt = self._database.insert(AttachmentRow).values(
            id=attachment.id, created_at=utc_now(), state="pending", **_owner(context), **values
        )
        return stmt.on_conflict_do_update(index_elements=["owner_id", "use_case", "id"], set_=values)

    def _thread(self, row: ThreadRow) -> ThreadMetadata:
        thread = to_thread(row)
        self._baselines.remember(thread)
        return thread

    async def _load_items(
        self,
        thread_id: str,
        after: str | None,
        limit: int,
        order: str,
        context: RequestContext,
        *,
        with_hidden: bool,
        with_feedback: bool = False,
    ) -> tuple[Page[ThreadItem], dict[str, FeedbackKind]]:
        async with self._read() as session:
            key = await _load_thread_key(session, thread_id, context)
            cursor = None if after is None else await _load_position(session, key, after)
            stmt = select(ItemRow).where(ItemRow.thread_key == key)
            if not with_hidden:
                stmt = stmt.where(ItemRow.is_hidden.is_(False))
            rows, has_more = await _load_page(session, stmt, ItemRow.position, cursor, limit, order)
            feedback: dict[str, FeedbackKind] = {}
            if with_feedback and rows:
                opinions = select(FeedbackRow.item_id, FeedbackRow.kind).where(
                    FeedbackRow.thread_key == key, FeedbackRow.item_id.in_([row.id for row in rows])
                )
                for item_id, kind in await session.execute(opinions):
                    feedback[item_id] = kind
        after = rows[-1].id if has_more else None
        return Page(data=to_items(rows, thread_id), has_more=has_more, after=after), feedback


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as exc:
        raise UnavailableError("Conversations cannot be read or saved at the moment. Try again soon.") from exc


def _found(value: T | None, message: str = _NO_THREAD) -> T:
    if value is None:
        raise NotFoundError(message)
    return value


def _owner(context: RequestContext) -> dict[str, str]:
    return {"owner_id": context.user_id, "use_case": context.use_case}


def _is_owned(row: type[ThreadRow | AttachmentRow], context: RequestContext) -> tuple[ColumnElement[bool], ...]:
    return row.owner_id == context.user_id, row.use_case == context.use_case


def _is_thread(thread_id: str, context: RequestContext) -> tuple[ColumnElement[bool], ...]:
    return (*_is_owned(ThreadRow, context), ThreadRow.id == thread_id)


async def _load_thread_key(session: AsyncSession, thread_id: str, context: RequestContext) -> int:
    return _found(await session.scalar(select(ThreadRow.key).where(*_is_thread(thread_id, context))))


async def _load_position(session: AsyncSession, key: int, item_id: str) -> int:
    stmt = select(ItemRow.position).where(ItemRow.thread_key == key, ItemRow.id == item_id)
    return _found(await session.scalar(stmt), _NO_ITEM)


async def _take_position(session: AsyncSession, thread_id: str, context: RequestContext) -> tuple[int, int]:
    """Return the thread's key and its next position; others who add to this thread wait until the commit."""
    stmt = (
        update(ThreadRow)
        .where(*_is_thread(thread_id, context))
        .values(last_position=ThreadRow.last_position + 1, updated_at=utc_now())
        .returning(ThreadRow.key, ThreadRow.last_position)
    )
    key, position = _found((await session.execute(stmt)).one_or_none())
    return key, position


def _page_size(limit: int | None) -> int:
    return min(limit, MAX_PAGE_ITEMS) if limit is not None and limit > 0 else DEFAULT_PAGE_ITEMS


async def _load_page(
    session: AsyncSession,
    stmt: Select[R],
    place: InstrumentedAttribute[int],
    cursor: int | None,
    limit: int | None,
    order: str,
) -> tuple[Sequence[R], bool]:
    """Return the rows behind `cursor` in `order`, and whether there are more."""
    if cursor is not None:
        stmt = stmt.where(place > cursor if order == "asc" else place < cursor)
    size = _page_size(limit)
    stmt = stmt.order_by(place.asc() if order == "asc" else place.desc())
    rows = (await session.scalars(stmt.limit(size + 1))).all()  # the extra row answers has_more
    return rows[:size], len(rows) > size


def _merged(stored: dict[str, Any], baseline: dict[str, Any], mine: dict[str, Any]) -> dict[str, Any]:
    """Return `stored` with the keys that differ between `baseline` and `mine` as `mine` has them."""
    kept = {key: value for key, value in stored.items() if key in mine or key not in baseline}
    return kept | {key: value for key, value in mine.items() if key not in baseline or baseline[key] != value}
