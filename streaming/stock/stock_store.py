"""Stores for servers written for ChatKit, which pass calls to the platform's stores in the name of the current person.

Such a server expects the behaviour of a store in memory: pages as long as it requests, times that it can compare with
``datetime.now()``, widgets of ChatKit's classes, and `chatkit.store.NotFoundError`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar

from chatkit.store import AttachmentStore, Store
from chatkit.store import NotFoundError as ChatKitNotFoundError
from chatkit.types import (
    AssistantMessageItem,
    Attachment,
    AttachmentCreateParams,
    Page,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
    WidgetItem,
)
from chatkit.widgets import WidgetRoot
from pydantic import TypeAdapter, ValidationError

from attachments import ParlorAttachmentStore
from errors import NotFoundError
from store import MAX_HISTORY_ITEMS, MAX_PAGE_ITEMS, ParlorStore
from streaming.stock.local_times import localize_item, localize_thread
from streaming.stock.server_context import current_context
from widgets.documents import WidgetDocument


class MissingError(NotFoundError, ChatKitNotFoundError):
    """The object is missing, or another person's; servers can catch it as ChatKit's own error."""


class StockStore(Store[Any]):
    """The platform's store, as a server written for ChatKit calls it.

    The `context` arguments are ignored: the store uses the context of the request that is being answered.

    Attributes:
        parlor: The platform's store.
    """

    parlor: ClassVar[ParlorStore]

    def generate_thread_id(self, context: Any = None) -> str:
        """Return a new thread id."""
        return self.parlor.generate_thread_id(current_context())

    def generate_item_id(self, item_type: Any, thread: ThreadMetadata, context: Any = None) -> str:
        """Return a new item id."""
        return self.parlor.generate_item_id(item_type, thread, current_context())

    async def load_thread(self, thread_id: str, context: Any = None) -> ThreadMetadata:
        """Return a fresh copy of a thread."""
        with _chatkit_not_found():
            return localize_thread(await self.parlor.load_thread(thread_id, current_context()))

    async def save_thread(self, thread: ThreadMetadata, context: Any = None) -> None:
        """Store the changes of a thread, or create it."""
        with _chatkit_not_found():
            await self.parlor.save_thread(thread, current_context())

    async def load_threads(
        self, limit: int = MAX_PAGE_ITEMS, after: str | None = None, order: str = "desc", context: Any = None
    ) -> Page[ThreadMetadata]:
        """Return up to `limit` threads of the current person, at most `MAX_HISTORY_ITEMS`."""

        def load(size: int, after_id: str | None) -> Awaitable[Page[ThreadMetadata]]:
            return self.parlor.load_threads(size, after_id, order, current_context())

        with _chatkit_not_found():
            page = await _load_page(load, limit, after)
        for thread in page.data:
            localize_thread(thread)
        return page

    async def load_thread_items(
        self,
        thread_id: str,
        after: str | None = None,
        limit: int = MAX_PAGE_ITEMS,
        order: str = "asc",
        context: Any = None,
    ) -> Page[ThreadItem]:
        """Return up to `limit` items of a thread, including hidden ones, at most `MAX_HISTORY_ITEMS`."""

        def load(size: int, after_id: str | None) -> Awaitable[Page[ThreadItem]]:
            return self.parlor.load_thread_items(thread_id, after_id, size, order, current_context())

        with _chatkit_not_found():
            page = await _load_page(load, limit, after)
        for item in page.data:
            _prepare_item(item)
        return page

    async def load_item(self, thread_id: str, item_id: str, context: Any = None) -> ThreadItem:
        """Return one item."""
        with _chatkit_not_found():
            return _prepare_item(await self.parlor.load_item(thread_id, item_id, current_context()))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any = None) -> None:
        """Store an item, or replace it in its place if it exists."""
        with _chatkit_not_found():
            await self.parlor.add_thread_item(thread_id, item, current_context())
        current_context().answer.own(item.id)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any = None) -> None:
        """Replace an item in its place; add it if it does not exist."""
        await self.add_thread_item(thread_id, item)

    async def delete_thread(self, thread_id: str, context: Any = None) -> None:
        """Delete a thread and its items."""
        with _chatkit_not_found():
            await self.parlor.delete_thread(thread_id, current_context())

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any = None) -> None:
        """Delete an item."""
        with _chatkit_not_found():
            await self.parlor.delete_thread_item(thread_id, item_id, current_context())

    async def save_attachment(self, attachment: Attachment, context: Any = None) -> None:
        """Create or replace the record of a file."""
        with _chatkit_not_found():
            await self.parlor.save_attachment(attachment, current_context())

    async def load_attachment(self, attachment_id: str, context: Any = None) -> Attachment:
        """Return the record of a file."""
        with _chatkit_not_found():
            return await self.parlor.load_attachment(attachment_id, current_context())

    async def delete_attachment(self, attachment_id: str, context: Any = None) -> None:
        """Delete the record of a file."""
        with _chatkit_not_found():
            await self.parlor.delete_attachment(attachment_id, current_context())


class ExplainingStore(StockStore):
    """The platform's store for a server without a store of its own; it explains calls of methods that it lacks."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"Parlor's store has no '{name}'. If a store of your own has it, hand that over, and conversations are in "
            "Parlor's all the same: StockServer(lambda store, attachments: MyServer(MyStore()))"
        )


class StockAttachments(AttachmentStore[Any]):
    """The platform's store of files, as a server written for ChatKit calls it.

    Attributes:
        parlor: The platform's store of files.
    """

    parlor: ClassVar[ParlorAttachmentStore]

    def generate_attachment_id(self, mime_type: str, context: Any = None) -> str:
        """Return a new attachment id."""
        return self.parlor.generate_attachment_id(mime_type, current_context())

    async def create_attachment(self, input: AttachmentCreateParams, context: Any = None) -> Attachment:
        """Create the record of a file that is about to be uploaded."""
        return await self.parlor.create_attachment(input, current_context())

    async def delete_attachment(self, attachment_id: str, context: Any = None) -> None:
        """Delete the bytes of a file."""
        with _chatkit_not_found():
            await self.parlor.delete_attachment(attachment_id, current_context())

    async def read(self, attachment_id: str, context: Any = None) -> bytes:
        """Return the bytes of a file."""
        with _chatkit_not_found():
            return await self.parlor.read(attachment_id, current_context())


async def _load_page(
    load: Callable[[int, str | None], Awaitable[Page[Any]]], limit: int | None, after: str | None
) -> Page[Any]:
    """Return a page of the requested size, joined from several of ours if it is larger than `MAX_PAGE_ITEMS`."""
    size = min(limit or MAX_PAGE_ITEMS, MAX_HISTORY_ITEMS)
    page = await load(min(size, MAX_PAGE_ITEMS), after)
    while page.has_more and page.after is not None and len(page.data) < size:
        more = await load(min(size - len(page.data), MAX_PAGE_ITEMS), page.after)
        page = Page(data=[*page.data, *more.data], has_more=more.has_more, after=more.after)
    return page


def _prepare_item(item: ThreadItem) -> ThreadItem:
    """Return a loaded item in the form that the server would have kept in memory."""
    if not isinstance(item, AssistantMessageItem | UserMessageItem):
        # A server may write an item again that it has read, such as a workflow or a widget. Messages are excepted: a
        # model that gives every message the same id must not overwrite those of earlier answers.
        current_context().answer.own(item.id)
    return typed_widget(localize_item(item))


def typed_widget(item: ThreadItem) -> ThreadItem:
    """Convert a widget item's document to ChatKit's classes, if they represent it fully, and return the item."""
    if isinstance(item, WidgetItem) and isinstance(item.widget, WidgetDocument):
        document = item.widget.model_dump()
        try:
            root = _widget_adapter().validate_python(document)
        except ValidationError:
            return item
        if root.model_dump(mode="json", exclude_unset=True, exclude_none=True) == document:
            item.widget = root
    return item


@cache
def _widget_adapter() -> TypeAdapter[Any]:
    # Built lazily and once, which takes a tenth of a second: only platforms with such a server need it.
    return TypeAdapter(WidgetRoot)


@contextmanager
def _chatkit_not_found() -> Iterator[None]:
    try:
        yield
    except NotFoundError as exc:
        raise MissingError(exc.message, code=exc.code) from exc
