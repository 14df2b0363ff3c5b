"""The guard between an answer and the store: it protects older items, reserves positions, and saves partial text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Literal

from chatkit.types import (
    ActiveStatus,
    AssistantMessageItem,
    TaskItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WorkflowItem,
)

from errors import UserFacingError
from store import ParlorStore
from streaming.requests.interruption_marks import build_interruption_mark
from text.blanks import is_blank
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

_ID_KINDS: dict[str, Literal["workflow", "tool_call", "message"]] = {
    "workflow": "workflow",
    "client_tool_call": "tool_call",
}


class ItemGuard:
    """Checks the items of one request on their way to the store and the client.

    An item may only be written under an id that was created in this request. If a model or a plugin uses the id of an
    older item, or of one that is finished, the item gets a new id, which then replaces the given one until that is used
    again. To replace or remove an older item on purpose, there are `ThreadItemReplacedEvent` and
    `ThreadItemRemovedEvent`.

    Args:
        store: The store of the items.
        thread: The thread that is written to.
        context: The context of the request; `context.answer` knows the ids that were created in it.
        checkpoint_pause: Returns the time between two checkpoints of unfinished text, in seconds.
    """

    def __init__(
        self,
        store: ParlorStore,
        thread: ThreadMetadata,
        context: RequestContext,
        checkpoint_pause: Callable[[], float],
    ) -> None:
        self._store = store
        self._thread = thread
        self._context = context
        self._checkpoint_pause = checkpoint_pause
        self.mark: TaskItem | None = None
        """The interruption mark that is stored beside unfinished text, in case this process dies before the end."""
        self._is_mark_stored = False
        self._replacement_ids: dict[str, str] = {}
        self._done_ids: set[str] = set()
        self._last_event: ThreadStreamEvent | None = None
        self._open_message_id: str | None = None
        self._clock = asyncio.get_running_loop().time
        self._checkpoint_due_at = self._clock() + checkpoint_pause()
        self.mark_thread_saved()

    def mark_thread_saved(self) -> None:
        """Remember the thread's present state as the one that is stored."""
        status = self._thread.status
        # Only the fields are copied, and an active status, which has none to change, is shared: to copy the whole model
        # takes four times as long.
        fixed = {id(status): status} if isinstance(status, ActiveStatus) else {}
        self._saved_fields = deepcopy(self._thread.__dict__, fixed)
        self._saved_status = status

    def is_thread_changed(self) -> bool:
        """Return whether the answer has changed the thread since `mark_thread_saved`."""
        # Comparing the models would cost as much as the whole remaining work for a piece of text.
        return self._thread.__dict__ != self._saved_fields

    def allows_direct_text(self) -> bool:
        """Return whether a piece of text may be shown without any other step; see `DirectText`."""
        thread, saved = self._thread, self._saved_fields
        return (
            not self.is_checkpoint_due()
            # As `is_thread_changed`, except for changed fields of an unchanged status object: these can wait.
            and thread.title == saved["title"]
            and thread.status is self._saved_status
            and thread.metadata == saved["metadata"]
            and thread.allowed_image_domains == saved["allowed_image_domains"]
        )

    def with_current_id(self, event: ThreadItemUpdatedEvent) -> ThreadItemUpdatedEvent:
        """Return an update under the present id of its item."""
        if self._replacement_ids and event.item_id in self._replacement_ids:
            return event.model_copy(update={"item_id": self._replacement_ids[event.item_id]})
        return event

    def is_checkpoint_due(self) -> bool:
        """Return whether unfinished text is to be stored again."""
        return self._clock() >= self._checkpoint_due_at

    async def with_own_id(self, event: ThreadStreamEvent) -> ThreadStreamEvent:
        """Return `event` under an id that its item may have; an event that it has just returned stays unchanged."""
        if event is self._last_event:
            return event
        match event:
            case ThreadItemAddedEvent() | ThreadItemDoneEvent():
                given_id = event.item.id
                event = _with_item_id(event, await self._writable_id(event.item))
                if isinstance(event, ThreadItemDoneEvent):
                    self._done_ids.add(given_id)
                if isinstance(event, ThreadItemAddedEvent) and isinstance(event.item, WorkflowItem):
                    # A workflow stays open while its tools show items: its position is reserved at the beginning.
                    await self._store.reserve_position(self._thread.id, event.item.id, self._context)
                elif isinstance(event, ThreadItemAddedEvent) and isinstance(event.item, AssistantMessageItem):
                    await self._begin_message(event.item.id)
                elif isinstance(event, ThreadItemDoneEvent) and event.item.id == self._open_message_id:
                    self._open_message_id = None
            case ThreadItemReplacedEvent() if event.item.id in self._replacement_ids:
                event = _with_item_id(event, self._replacement_ids[event.item.id])
            case ThreadItemRemovedEvent() if event.item_id in self._replacement_ids:
                event = event.model_copy(update={"item_id": self._replacement_ids[event.item_id]})
            case _:
                pass
        self._last_event = event
        return event

    async def _begin_message(self, item_id: str) -> None:
        if self._open_message_id is None:
            self._open_message_id = item_id
        else:
            # Two messages are written at the same time: they are ordered by their beginning, not by their end.
            for each in (self._open_message_id, item_id):
                await self._store.reserve_position(self._thread.id, each, self._context)

    async def _writable_id(self, item: ThreadItem) -> str:
        answer = self._context.answer
        if item.id in self._done_ids:
            # Finished in this answer: this is another item with the same id.
            self._done_ids.discard(item.id)
            return self._generate_replacement_id(item)
        if item.id in self._replacement_ids:
            return self._replacement_ids[item.id]
        if not answer.owns(item.id):
            if await self._store.has_item(self._thread.id, item.id, self._context):
                return self._generate_replacement_id(item)
            answer.own(item.id)
        return item.id

    def _generate_replacement_id(self, item: ThreadItem) -> str:
        kind = _ID_KINDS.get(item.type, "message")
        fresh = self._replacement_ids[item.id] = self._store.generate_item_id(kind, self._thread, self._context)
        logger.warning("an older item's id was used again", extra={"item_id": item.id, "fresh_id": fresh})
        return fresh

    async def mark_unfinished(self) -> None:
        """Store the interruption mark of an answer that will not continue, and let it be shown."""
        if not self._is_mark_stored:
            self.mark = self.mark or build_interruption_mark(self._thread, "interrupted")
            await self._store.add_thread_item(self._thread.id, self.mark, context=self._context)
            self._is_mark_stored = True
        await self.show_mark()

    async def show_mark(self) -> None:
        """Let the interruption mark be shown, if there is one: the answer has ended."""
        if self.mark is not None:
            await self._store.open_answers.show_mark(self._thread.id, self.mark.id, self._context)

    async def remove_mark(self) -> str | None:
        """Delete the interruption mark, and return its id; None when there was none."""
        mark, self.mark, self._is_mark_stored = self.mark, None, False
        if mark is None:
            return None
        await self._store.open_answers.remove_mark(self._thread.id, mark.id, self._context)
        return mark.id

    async def checkpoint(self) -> None:
        """Store the text of unfinished messages."""
        for item in self._context.answer.open_items():
            if isinstance(item, AssistantMessageItem) and any(not is_blank(part.text) for part in item.content):
                try:
                    await self._store_unfinished(item)
                except UserFacingError as exc:
                    # If the store fails for good, the answer fails when it stores a finished item.
                    logger.warning("unfinished text could not be stored", extra={"code": exc.code})
        self._checkpoint_due_at = self._clock() + self._checkpoint_pause()

    async def _store_unfinished(self, item: AssistantMessageItem) -> None:
        if self._is_mark_stored:
            await self._store.add_thread_item(self._thread.id, item, context=self._context)
            return
        # The mark is shown only if this process dies before the answer is complete. To store it again does no harm.
        self.mark = self.mark or build_interruption_mark(self._thread, "interrupted")
        await self._store.add_half_answer(self._thread.id, item, self.mark, self._context)
        self._is_mark_stored = True


def _with_item_id(event: Any, item_id: str) -> Any:
    if event.item.id == item_id:
        return event
    return event.model_copy(update={"item": event.item.model_copy(update={"id": item_id})})
