"""Stores of servers written for ChatKit: their calls are answered by the platform's, for the person who asks.

Such a server expects of its store what one in memory gives: as many items as it asks for, times that it can compare
with ``datetime.now()``, widgets of ChatKit's classes, and `chatkit.store.NotFoundError`.
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
from streaming.stock.local_times import localized, localized_item
from streaming.stock.server_context import current_context
from widgets.documents import WidgetDocument


class MissingError(NotFoundError, ChatKitNotFoundError):
    """Something is missing, or somebody else's; servers catch it as ChatKit's own error."""


class StockStore(Store[Any]):
    """The platform's store, as a server written for ChatKit calls it.

    The context of a call says nothing: the store belongs to the request that is being answered.

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
        with _missing_as_chatkit_says():
            return localized(await self.parlor.load_thread(thread_id, current_context()))

    async def save_thread(self, thread: ThreadMetadata, context: Any = None) -> None:
        """Write what was changed in a thread, or create it."""
        with _missing_as_chatkit_says():
            await self.parlor.save_thread(thread, current_context())

    async def load_threads(
        self, limit: int = MAX_PAGE_ITEMS, after: str | None = None, order: str = "desc", context: Any = None
    ) -> Page[ThreadMetadata]:
        """Return so many threads of the person who asks."""

        def load(size: int, behind: str | None) -> Awaitable[Page[ThreadMetadata]]:
            return self.parlor.load_threads(size, behind, order, current_context())

        with _missing_as_chatkit_says():
            page = await _page(load, limit, after)
        for thread in page.data:
            localized(thread)
        return page

    async def load_thread_items(
        self,
        thread_id: str,
        after: str | None = None,
        limit: int = MAX_PAGE_ITEMS,
        order: str = "asc",
        context: Any = None,
    ) -> Page[ThreadItem]:
        """Return so many items of a thread, hidden ones too; at most `MAX_HISTORY_ITEMS` at once."""

        def load(size: int, behind: str | None) -> Awaitable[Page[ThreadItem]]:
            return self.parlor.load_thread_items(thread_id, behind, size, order, current_context())

        with _missing_as_chatkit_says():
            page = await _page(load, limit, after)
        for item in page.data:
            _hand_over(item)
        return page

    async def load_item(self, thread_id: str, item_id: str, context: Any = None) -> ThreadItem:
        """Return one item."""
        with _missing_as_chatkit_says():
            return _hand_over(await self.parlor.load_item(thread_id, item_id, current_context()))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any = None) -> None:
        """Store an item; one that is there already is replaced in its place."""
        with _missing_as_chatkit_says():
            await self.parlor.add_thread_item(thread_id, item, current_context())
        current_context().answer.own(item.id)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any = None) -> None:
        """Replace an item in its place; one that is not there is added."""
        await self.add_thread_item(thread_id, item)

    async def delete_thread(self, thread_id: str, context: Any = None) -> None:
        """Delete a thread and its items."""
        with _missing_as_chatkit_says():
            await self.parlor.delete_thread(thread_id, current_context())

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any = None) -> None:
        """Delete an item."""
        with _missing_as_chatkit_says():
            await self.parlor.delete_thread_item(thread_id, item_id, current_context())

    async def save_attachment(self, attachment: Attachment, context: Any = None) -> None:
        """Create or replace the record of a file."""
        with _missing_as_chatkit_says():
            await self.parlor.save_attachment(attachment, current_context())

    async def load_attachment(self, attachment_id: str, context: Any = None) -> Attachment:
        """Return the record of a file."""
        with _missing_as_chatkit_says():
            return await self.parlor.load_attachment(attachment_id, current_context())

    async def delete_attachment(self, attachment_id: str, context: Any = None) -> None:
        """Delete the record of a file."""
        with _missing_as_chatkit_says():
            await self.parlor.delete_attachment(attachment_id, current_context())


class GivenStore(StockStore):
    """The platform's store as the only store of a server, which may expect more of it than ChatKit does."""

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
        with _missing_as_chatkit_says():
            await self.parlor.delete_attachment(attachment_id, current_context())

    async def read(self, attachment_id: str, context: Any = None) -> bytes:
        """Return the bytes of a file."""
        with _missing_as_chatkit_says():
            return await self.parlor.read(attachment_id, current_context())


async def _page(
    load: Callable[[int, str | None], Awaitable[Page[Any]]], limit: int | None, after: str | None
) -> Page[Any]:
    """Return a page of the size that was asked for, out of several where it is larger than ours are."""
    wanted = min(limit or MAX_PAGE_ITEMS, MAX_HISTORY_ITEMS)
    page = await load(min(wanted, MAX_PAGE_ITEMS), after)
    while page.has_more and page.after is not None and len(page.data) < wanted:
        more = await load(min(wanted - len(page.data), MAX_PAGE_ITEMS), page.after)
        page = Page(data=[*page.data, *more.data], has_more=more.has_more, after=more.after)
    return page


def _hand_over(item: ThreadItem) -> ThreadItem:
    """Return an item as the server would have it if it had kept it in memory."""
    if not isinstance(item, AssistantMessageItem | UserMessageItem):
        # A workflow that goes on, a widget that changes: what was read may be written again under its id. But a model
        # that gives every message the same id must not write over those of earlier answers.
        current_context().answer.own(item.id)
    return typed_widget(localized_item(item))


def typed_widget(item: ThreadItem) -> ThreadItem:
    """Return a widget item with a widget of ChatKit's classes, where these hold all that is in it."""
    if isinstance(item, WidgetItem) and isinstance(item.widget, WidgetDocument):
        document = item.widget.model_dump()
        try:
            root = _widgets().validate_python(document)
        except ValidationError:
            return item
        if root.model_dump(mode="json", exclude_unset=True, exclude_none=True) == document:
            item.widget = root
    return item


@cache
def _widgets() -> TypeAdapter[Any]:
    # Building it takes a tenth of a second: once, and not for those who have no such server.
    return TypeAdapter(WidgetRoot)


@contextmanager
def _missing_as_chatkit_says() -> Iterator[None]:
    try:
        yield
    except NotFoundError as exc:
        raise MissingError(exc.message, code=exc.code) from exc
