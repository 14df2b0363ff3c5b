"""ParlorStore: ChatKit's Store on SQLAlchemy. Its tables and transactions are in `storage`.

Owners: every row belongs to one user in one use case, the pair `(context.user_id, context.use_case)`.
A missing row and another owner's row raise the same `NotFoundError`, which is also ChatKit's.

Order: a thread's items are ordered by a counter in its row, never by the clock. Threads are listed by creation, not by
last activity: a list that is reordered between two pages would skip and repeat entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

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

from database import Database, new_id
from errors import BadRequestError
from storage import attachment_records, transactions
from storage.baseline import THREAD_FIELDS, baseline_of, set_baseline, thread_fields
from storage.open_answers import OpenAnswers
from storage.owned_transactions import OwnedTransactions
from storage.rows import as_utc
from storage.scope import PageRequest
from text.visible import one_visible_line
from turns.clock import utc_now
from turns.request_context import RequestContext
from turns.run_record import RunRecord

DEFAULT_PAGE_ITEMS = 20
MAX_PAGE_ITEMS = 100
MAX_HISTORY_ITEMS = 1_000
MAX_TITLE_CHARS = 200
REQUEST_KEY_LIFE = timedelta(hours=24)
MAX_REQUEST_KEYS = 1_000
"""How many keys of one thread are remembered; beyond that the oldest are forgotten early."""

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

_THREAD_LIST = ""
"""The thread id that stands for the list of all threads of an owner."""


class ParlorStore(Store[RequestContext]):
    """Threads, items and attachments of many users and use cases in one database.

    Each method is one transaction. All of them raise `NotFoundError` for what is missing or another owner's, and
    `UnavailableError` when the database does not answer.

    Args:
        database: The database that holds the tables.
        clock: Returns the time by which the leases of processes expire.

    Attributes:
        transaction_times: How long the transactions took, by use case.
        open_answers: The answers that this process is writing, as other processes on the same database see them.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        owned = OwnedTransactions(database)
        self._read, self._write, self._delete = owned.read, owned.write, owned.delete
        self.transaction_times = owned.times
        self.open_answers = OpenAnswers(database, owned, clock)

    # Ids

    def generate_thread_id(self, context: RequestContext) -> str:
        """Return a new thread id that sorts after all earlier ones."""
        return new_id(_ID_PREFIXES["thread"])

    def generate_item_id(self, item_type: str, thread: ThreadMetadata, context: RequestContext) -> str:
        """Return a new item id, which the current answer may write; unknown types get the prefix ``itm``."""
        item_id = new_id(_ID_PREFIXES.get(item_type, "itm"))
        context.answer.own(item_id)
        return item_id

    # Threads

    async def load_thread(self, thread_id: str, context: RequestContext) -> ThreadMetadata:
        """Return a fresh copy of a thread's metadata."""
        return await self._read(transactions.load_thread, context, thread_id)

    async def save_thread(self, thread: ThreadMetadata, context: RequestContext) -> None:
        """Create a thread, or write what the caller changed in it.

        Only those fields and keys of `metadata` are written that differ from what the store last loaded or saved with
        this object, or with the one that it is a `model_copy` of. So a rename, or a key that another request has put
        into `metadata`, survives an answer that began before. An object that was built by hand counts as a new thread:
        fields with their default value are not written.
        Fields that another request has changed are updated in `thread`; `items` are ignored.

        Raises:
            NotFoundError: When the thread was loaded and has been deleted since.
        """
        baseline = baseline_of(thread)
        fields = thread_fields(thread)
        if baseline is not None and fields == baseline.fields:
            return  # for example after a title of the model's, which `retitle_thread` has stored
        created_at = as_utc(thread.created_at)
        stored = await self._write(transactions.save_thread, context, thread.id, created_at, fields, baseline)
        if stored is not None:
            for field in THREAD_FIELDS:
                if getattr(thread, field) != getattr(stored, field):
                    setattr(thread, field, getattr(stored, field))
        set_baseline(thread, thread_fields(thread))

    async def create_thread(self, thread: ThreadMetadata, message: UserMessageItem, context: RequestContext) -> None:
        """Create a thread with its first message: both, or neither.

        Args:
            thread: A thread that is not stored yet.
            message: The message, whose attachments are bound to the thread.
            context: The owner.

        Raises:
            ConflictError: When a file has not been uploaded, or is part of a message already.
        """
        fields = thread_fields(thread)
        created_at = as_utc(thread.created_at)
        await self._write(transactions.create_thread, context, thread.id, created_at, fields, message)
        set_baseline(thread, fields)

    async def add_message(self, thread_id: str, message: UserMessageItem, context: RequestContext) -> None:
        """Add a person's message to a thread, and make its files part of it: all, or nothing.

        Raises:
            ConflictError: When a file has not been uploaded, or is part of a message already.
        """
        await self._write(transactions.add_message, context, thread_id, message)

    async def rename_thread(self, thread_id: str, title: str, context: RequestContext) -> ThreadMetadata:
        """Set a thread's title to the one that `validate_title` returns, and return the thread."""
        return await self._write(transactions.rename_thread, context, thread_id, validate_title(title))

    async def retitle_thread(self, thread: ThreadMetadata, title: str, context: RequestContext) -> bool:
        """Replace the title that `thread` has, unless somebody has changed it meanwhile; return whether it was."""
        is_replaced = await self._write(transactions.retitle_thread, context, thread.id, thread.title, title)
        if is_replaced:
            thread.title = title
            if (baseline := baseline_of(thread)) is not None:
                set_baseline(thread, {**baseline.fields, "title": title})
        return is_replaced

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: RequestContext
    ) -> Page[ThreadMetadata]:
        """Return a page of the owner's threads by creation, newest first unless `order` is ``"asc"``.

        Args:
            limit: The maximum length of a page, 1 to `MAX_PAGE_ITEMS`; 0, less, or None means `DEFAULT_PAGE_ITEMS`.
            after: The last id of the previous page. An unknown id raises instead of starting over.
            order: ``"asc"`` or ``"desc"``.
            context: The owner.
        """
        return await self._read(transactions.load_threads, context, _THREAD_LIST, _page_request(limit, after, order))

    async def threads_json(self, limit: int | None, after: str | None, order: str, context: RequestContext) -> bytes:
        """Return the page of `load_threads` as JSON for a browser, without metadata, which stays on the server."""
        return await self._read(transactions.threads_json, context, _THREAD_LIST, _page_request(limit, after, order))

    async def delete_thread(self, thread_id: str, context: RequestContext) -> None:
        """Delete a thread and all that is in it, except the bytes of its files, which the attachment store deletes."""
        await self._delete(transactions.delete_thread, context, thread_id)

    # Items

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: RequestContext
    ) -> Page[ThreadItem]:
        """Return a page of a thread's items, including hidden ones: ``"desc"`` with limit 1 is the true last item.

        Arguments are those of `load_threads`. An item of a type that this version does not know is left out.
        """
        return await self._read(transactions.load_thread_items, context, thread_id, _page_request(limit, after, order))

    async def items_json(
        self, thread_id: str, after: str | None, limit: int | None, order: str, context: RequestContext
    ) -> bytes:
        """Return the page of `load_thread_items` as JSON for a browser: a full page without the hidden items.

        Interruption marks of answers that a live process is still writing are left out.

        The key `feedback` holds the owner's feedback by item id; it is left out when there is none.
        """
        page, living_since = _page_request(limit, after, order), self.open_answers.living_since()
        return await self._read(transactions.items_json, context, thread_id, page, living_since)

    async def thread_json(self, thread_id: str, context: RequestContext) -> bytes:
        """Return a thread with its first `DEFAULT_PAGE_ITEMS` items as JSON, as `threads_json` and `items_json` do."""
        page, living_since = _page_request(None, None, "asc"), self.open_answers.living_since()
        return await self._read(transactions.thread_json, context, thread_id, page, living_since)

    async def load_history(self, thread_id: str, max_items: int, context: RequestContext) -> list[ThreadItem]:
        """Return the newest 1 to `MAX_HISTORY_ITEMS` items of a thread, newest first, including hidden ones."""
        size = max(1, min(max_items, MAX_HISTORY_ITEMS))
        return await self._read(transactions.load_history, context, thread_id, size)

    async def load_widgets(self, thread_id: str, root_id: str, limit: int, context: RequestContext) -> list[WidgetItem]:
        """Return the newest widgets whose root component has the id `root_id`, newest first, `limit` as for pages."""
        return await self._read(transactions.load_widgets, context, thread_id, root_id, _page_size(limit))

    async def load_item(self, thread_id: str, item_id: str, context: RequestContext) -> ThreadItem:
        """Return one item of one thread."""
        return await self._read(transactions.load_item, context, thread_id, item_id)

    async def has_item(self, thread_id: str, item_id: str, context: RequestContext) -> bool:
        """Return whether a thread has an item of this id; False when there is no such thread."""
        return await self._read(transactions.has_item, context, thread_id, item_id)

    async def reserve_position(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        """Reserve the thread's next position for an item that is shown now and stored when it is finished.

        The position is kept in the state of the answer; `add_thread_item` with the same context uses it.
        """
        if context.answer.position_of(item_id) is not None:
            return
        _, position = await self._write(transactions.reserve_position, context, thread_id)
        context.answer.reserve_position(item_id, position)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        """Store an item at its reserved position, else at the end; an item that exists is replaced in its place."""
        reserved = context.answer.position_of(item.id)
        await self._write(transactions.add_thread_item, context, thread_id, item, reserved)

    async def add_half_answer(
        self, thread_id: str, half: ThreadItem, mark: ThreadItem, context: RequestContext
    ) -> None:
        """Store the text of an unfinished answer with an interruption mark, shown if this process dies before the end.

        Both in one transaction: a process that is killed leaves no partial answer that looks complete.
        """
        await self.open_answers.add_half(thread_id, half, context.answer.position_of(half.id), mark, context)

    async def save_item(self, thread_id: str, item: ThreadItem, context: RequestContext) -> None:
        """Replace an item in its place; add it if it does not exist."""
        await self.add_thread_item(thread_id, item, context)

    async def update_item_if(
        self, thread_id: str, expected_status: str, item: ThreadItem, context: RequestContext
    ) -> bool:
        """Replace an item in its place if its stored `status` is `expected_status`; return whether it was.

        Of several concurrent callers one succeeds.
        """
        return await self._write(transactions.update_item_if, context, thread_id, expected_status, item)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        """Delete an item, if the thread has it."""
        await self._delete(transactions.delete_thread_item, context, thread_id, item_id)

    async def swap_item(self, thread_id: str, before: ThreadItem, after: ThreadItem, context: RequestContext) -> bool:
        """Replace an item by `after`, of the same id, if it is stored as `before`; return whether it was.

        Of several concurrent callers one succeeds.
        """
        return await self._write(transactions.swap_item, context, thread_id, before, after)

    async def delete_items_after(self, thread_id: str, item_id: str, context: RequestContext) -> None:
        """Delete all items after `item_id`, all or none; the item itself stays."""
        await self._write(transactions.delete_items_after, context, thread_id, item_id)

    # Feedback, ended answers, idempotency keys

    async def save_feedback(
        self, thread_id: str, item_ids: Sequence[str], kind: FeedbackKind, context: RequestContext
    ) -> None:
        """Store the owner's feedback on some items, in place of earlier feedback.

        Raises:
            NotFoundError: When one of them is not an item of this thread; then nothing is stored.
        """
        unique_ids = sorted(set(item_ids))
        await self._write(transactions.save_feedback, context, thread_id, unique_ids, kind)

    async def save_run(self, thread_id: str, run: RunRecord, context: RequestContext) -> None:
        """Store the record of an ended answer; no error when its thread has been deleted meanwhile."""
        await self._write(transactions.save_run, context, thread_id, run)

    async def load_runs(self, thread_id: str, limit: int, context: RequestContext) -> list[RunRecord]:
        """Return the newest answers of a thread that have ended, newest first, `limit` as for pages."""
        return await self._read(transactions.load_runs, context, thread_id, _page_size(limit))

    async def claim_request_key(self, thread_id: str, key: str, context: RequestContext) -> bool:
        """Claim an idempotency key for a request in a thread; of several concurrent callers one succeeds.

        Keys are remembered for `REQUEST_KEY_LIFE`.

        Returns:
            Whether the caller is the first; if not, the request must not be carried out again.
        """
        now = utc_now()
        until = now - REQUEST_KEY_LIFE
        return await self._write(transactions.claim_request_key, context, thread_id, key, now, until, MAX_REQUEST_KEYS)

    async def release_request_key(self, thread_id: str, key: str, context: RequestContext) -> None:
        """Forget the key of a request that has failed, if it is known, so that the request may be tried again."""
        await self._write(transactions.release_request_key, context, thread_id, key)

    async def claim_action(self, thread_id: str, key: str, context: RequestContext) -> bool:
        """Claim an action for the lifetime of its thread; of several concurrent callers one succeeds.

        Returns:
            Whether the caller is the first; if not, the action must not be carried out again.
        """
        return await self._write(transactions.claim_action, context, thread_id, key, utc_now())

    async def release_action(self, thread_id: str, key: str, context: RequestContext) -> None:
        """Forget an action whose handler has raised, if it was claimed."""
        await self._write(transactions.release_action, context, thread_id, key)

    # Attachments

    async def save_attachment(self, attachment: Attachment, context: RequestContext) -> None:
        """Create or replace the record of a file, without its upload URL, which only its creation reveals."""
        await self._write(attachment_records.save_attachment, context, attachment.id, attachment)

    async def load_attachment(self, attachment_id: str, context: RequestContext) -> Attachment:
        """Return the record of a file, never with an `upload_descriptor`: messages embed what this returns."""
        return await self._read(attachment_records.load_attachment, context, attachment_id)

    async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None:
        """Take a file from its owner; the attachment store deletes its bytes."""
        await self._delete(attachment_records.delete_attachment, context, attachment_id)


def validate_title(title: str) -> str:
    """Return a person's title for a thread on one line, without invisible and text-direction characters.

    Raises:
        BadRequestError: When the title is blank or longer than `MAX_TITLE_CHARS`.
    """
    title = one_visible_line(title)
    if not 0 < len(title) <= MAX_TITLE_CHARS:
        raise BadRequestError(f"A title has 1 to {MAX_TITLE_CHARS} characters.")
    return title


def _page_request(limit: int | None, after: str | None, order: str) -> PageRequest:
    return PageRequest(_page_size(limit), after, order)


def _page_size(limit: int | None) -> int:
    return min(limit, MAX_PAGE_ITEMS) if limit is not None and limit > 0 else DEFAULT_PAGE_ITEMS
