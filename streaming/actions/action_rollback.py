"""Rollback of an action: a handler that raises leaves the thread as it was.

Events are shown and stored as they come, because a handler may take its time. What they have changed by then is taken
back; what they remove is removed at the end only, as a place in the thread cannot be given back. A widget that was
still being streamed stays as it was shown, as in any answer that fails.
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
    """Follows what a handler does to a thread, and knows how to take it back.

    Args:
        store: The store of the items.
        thread: The thread that the action belongs to.
        context: The context of the click's request.
    """

    def __init__(self, store: ParlorStore, thread: ThreadMetadata, context: RequestContext) -> None:
        self._store = store
        self._thread = thread
        self._context = context
        self._before = thread.model_copy(deep=True)
        self._added: dict[str, None] = {}
        self._replaced: dict[str, ThreadItem] = {}

    async def followed(
        self, events: AsyncGenerator[ThreadStreamEvent, None]
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Return the events of a handler, those that remove something last."""
        removals: list[ThreadStreamEvent] = []
        async for event in events:
            match event:
                case ThreadItemRemovedEvent() if event.item_id not in self._added:
                    removals.append(event)
                    continue
                case ThreadItemDoneEvent():
                    self._added[event.item.id] = None
                case ThreadItemReplacedEvent() if event.item.id not in self._added:
                    await self._keep(event.item.id)
                case _:
                    pass
            yield event
        for event in removals:
            yield event

    def undo(self) -> list[ThreadStreamEvent]:
        """Give the thread its title and status back, and return the events that do so with its items."""
        for name in type(self._thread).model_fields:
            setattr(self._thread, name, getattr(self._before, name))
        self._context.answer.replaced_sender = None
        return [
            *(ThreadItemRemovedEvent(item_id=item_id) for item_id in reversed(self._added)),
            *(ThreadItemReplacedEvent(item=item) for item in self._replaced.values()),
        ]

    async def _keep(self, item_id: str) -> None:
        if item_id in self._replaced:
            return
        try:
            self._replaced[item_id] = await self._store.load_item(self._thread.id, item_id, self._context)
        except NotFoundError:
            self._added[item_id] = None
