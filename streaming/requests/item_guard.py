"""The guard between an answer and the store: older items stay as they are, places are kept, text survives a crash."""

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
from streaming.requests.cut_marks import build_mark
from text.blanks import is_blank
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

_KINDS: dict[str, Literal["workflow", "tool_call", "message"]] = {
    "workflow": "workflow",
    "client_tool_call": "tool_call",
}


class ItemGuard:
    """Checks the items of one request on their way to the store and the client.

    An item may only be written under an id that came up in this request. A model or a plugin that uses the id of an
    older item, or of one that is finished, gets a fresh one, which then stands for that id until it is used again. To
    replace or remove an older item is allowed: `ThreadItemReplacedEvent` and `ThreadItemRemovedEvent` say so.

    Args:
        store: Where the items are.
        thread: The thread that is written to.
        context: Who asks; `context.answer` knows what came up.
        checkpoint_pause: How long after one storing of unfinished text the next is due, in seconds.
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
        """Stored beside unfinished text, so that it says so if nobody comes to finish it."""
        self._is_mark_stored = False
        self._fresh: dict[str, str] = {}
        self._done: set[str] = set()
        self._last_event: ThreadStreamEvent | None = None
        self._writing: str | None = None
        self._clock = asyncio.get_running_loop().time
        self._due = self._clock() + checkpoint_pause()
        self.mark_thread_saved()

    def mark_thread_saved(self) -> None:
        """Take the thread as it is for the one that is stored."""
        status = self._thread.status
        # The fields alone, without a status that has none to be changed: a copy of the whole model takes four times as
        # long.
        fixed = {id(status): status} if isinstance(status, ActiveStatus) else {}
        self._known = deepcopy(self._thread.__dict__, fixed)
        self._status = status

    def is_thread_changed(self) -> bool:
        """Whether the answer has changed the thread since `mark_thread_saved`."""
        # A comparison of the models would cost as much as all else that happens to a piece of text.
        return self._thread.__dict__ != self._known

    def allows_direct_text(self) -> bool:
        """Whether a piece of text may be shown with nothing else to do; see `DirectText`."""
        thread, known = self._thread, self._known
        return (
            not self.is_checkpoint_due()
            # What `is_thread_changed` would notice, but for an old status whose fields were set: that can wait.
            and thread.title == known["title"]
            and thread.status is self._status
            and thread.metadata == known["metadata"]
            and thread.allowed_image_domains == known["allowed_image_domains"]
        )

    def with_current_id(self, event: ThreadItemUpdatedEvent) -> ThreadItemUpdatedEvent:
        """Return an update under the id that its item has by now."""
        if self._fresh and event.item_id in self._fresh:
            return event.model_copy(update={"item_id": self._fresh[event.item_id]})
        return event

    def is_checkpoint_due(self) -> bool:
        """Whether unfinished text has not been stored for long enough."""
        return self._clock() >= self._due

    async def with_own_id(self, event: ThreadStreamEvent) -> ThreadStreamEvent:
        """Return `event` with an id under which its item may be written; its last result is returned unchanged."""
        if event is self._last_event:
            return event
        match event:
            case ThreadItemAddedEvent() | ThreadItemDoneEvent():
                given_id = event.item.id
                event = _with_item_id(event, await self._own_id(event.item))
                if isinstance(event, ThreadItemDoneEvent):
                    self._done.add(given_id)
                if isinstance(event, ThreadItemAddedEvent) and isinstance(event.item, WorkflowItem):
                    # It stays open around what its tools show: its place is taken now, not when it is done.
                    await self._store.reserve_position(self._thread.id, event.item.id, self._context)
                elif isinstance(event, ThreadItemAddedEvent) and isinstance(event.item, AssistantMessageItem):
                    await self._begin_message(event.item.id)
                elif isinstance(event, ThreadItemDoneEvent) and event.item.id == self._writing:
                    self._writing = None
            case ThreadItemReplacedEvent() if event.item.id in self._fresh:
                event = _with_item_id(event, self._fresh[event.item.id])
            case ThreadItemRemovedEvent() if event.item_id in self._fresh:
                event = event.model_copy(update={"item_id": self._fresh[event.item_id]})
            case _:
                pass
        self._last_event = event
        return event

    async def _begin_message(self, item_id: str) -> None:
        if self._writing is None:
            self._writing = item_id
        else:
            # Two are written at the same time: they stand as they began, not as they end.
            for each in (self._writing, item_id):
                await self._store.reserve_position(self._thread.id, each, self._context)

    async def _own_id(self, item: ThreadItem) -> str:
        answer = self._context.answer
        if item.id in self._done:
            # Finished in this very answer: what comes now is another item.
            self._done.discard(item.id)
            return self._replacement_id(item)
        if item.id in self._fresh:
            return self._fresh[item.id]
        if not answer.owns(item.id):
            if await self._store.has_item(self._thread.id, item.id, self._context):
                return self._replacement_id(item)
            answer.own(item.id)
        return item.id

    def _replacement_id(self, item: ThreadItem) -> str:
        kind = _KINDS.get(item.type, "message")
        fresh = self._fresh[item.id] = self._store.generate_item_id(kind, self._thread, self._context)
        logger.warning("an older item's id was used again", extra={"item_id": item.id, "fresh_id": fresh})
        return fresh

    async def mark_unfinished(self) -> None:
        """Store that the answer was interrupted, and show it: nobody goes on with it."""
        if not self._is_mark_stored:
            self.mark = self.mark or build_mark(self._thread, "interrupted")
            await self._store.add_thread_item(self._thread.id, self.mark, context=self._context)
            self._is_mark_stored = True
        await self.settle()

    async def settle(self) -> None:
        """Have the mark shown, if there is one that was not deleted: the answer has ended."""
        if self.mark is not None:
            await self._store.open_answers.show_mark(self._thread.id, self.mark.id, self._context)

    async def unmark(self) -> str | None:
        """Delete the mark; return its id, None when there was none."""
        mark, self.mark, self._is_mark_stored = self.mark, None, False
        if mark is None:
            return None
        await self._store.open_answers.remove_mark(self._thread.id, mark.id, self._context)
        return mark.id

    async def checkpoint(self) -> None:
        """Store the text of what is unfinished."""
        for item in self._context.answer.open_items():
            if isinstance(item, AssistantMessageItem) and any(not is_blank(part.text) for part in item.content):
                try:
                    await self._store_half(item)
                except UserFacingError as exc:
                    # The answer itself will say so, when it wants to store what must be stored.
                    logger.warning("unfinished text could not be stored", extra={"code": exc.code})
        self._due = self._clock() + self._checkpoint_pause()

    async def _store_half(self, item: AssistantMessageItem) -> None:
        if self._is_mark_stored:
            await self._store.add_thread_item(self._thread.id, item, context=self._context)
            return
        # Shown only if this process is gone before the answer is whole; stored again it is the same.
        self.mark = self.mark or build_mark(self._thread, "interrupted")
        await self._store.add_half_answer(self._thread.id, item, self.mark, self._context)
        self._is_mark_stored = True


def _with_item_id(event: Any, item_id: str) -> Any:
    if event.item.id == item_id:
        return event
    return event.model_copy(update={"item": event.item.model_copy(update={"id": item_id})})
