"""Rollback of an action: a handler that raises leaves the thread unchanged.

Events are shown and stored as they come, because a handler may be slow. After a failure their changes are reverted.
Removals are deferred to the end, since an item that was removed cannot return to its position. A widget that was still
being streamed stays as it was shown, as in any answer that fails.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from chatkit.types import (
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)

from errors import NotFoundError
from store import ParlorStore
from turns.request_context import RequestContext


class ActionRollback:
    """Records the changes that a handler makes to a thread, and reverts them.

    Args:
        store: The store of the items.
        thread: The thread that the action belongs to.
        context: The context of the click's request.
    """

    def __init__(self, store: ParlorStore, thread: ThreadMetadata, context: RequestContext) -> None:
        self._store = store
        self._thread = thread
        self._context = context
        self._original_thread = thread.model_copy(deep=True)
        self._added: dict[str, None] = {}
        self._originals: dict[str, ThreadItem] = {}

    async def track_changes(
        self, events: AsyncGenerator[ThreadStreamEvent, None]
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Yield the events of a handler, with removals of existing items last, and record what they change."""
        removals: list[ThreadStreamEvent] = []
        async for event in events:
            match event:
                case ThreadItemRemovedEvent() if event.item_id not in self._added:
                    removals.append(event)
                    continue
                case ThreadItemDoneEvent():
                    self._added[event.item.id] = None
                case ThreadItemReplacedEvent() if event.item.id not in self._added:
                    await self._remember_original(event.item.id)
                case _:
                    pass
            yield event
        for event in removals:
            yield event

    def undo(self) -> list[ThreadStreamEvent]:
        """Restore the thread's fields, such as its title, and return the events that restore its items."""
        for name in type(self._thread).model_fields:
            setattr(self._thread, name, getattr(self._original_thread, name))
        self._context.answer.replace_sender(None)
        return [
            *(ThreadItemRemovedEvent(item_id=item_id) for item_id in reversed(self._added)),
            *(ThreadItemReplacedEvent(item=item) for item in self._originals.values()),
        ]

    async def _remember_original(self, item_id: str) -> None:
        if item_id in self._originals:
            return
        try:
            self._originals[item_id] = await self._store.load_item(self._thread.id, item_id, self._context)
        except NotFoundError:
            self._added[item_id] = None
