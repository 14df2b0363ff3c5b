"""Delivery of the answers of a server written for ChatKit, with its own stream options and clean-up after a stop."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from chatkit.server import ChatKitServer
from chatkit.types import (
    AssistantMessageItem,
    StreamOptions,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)

from context import Services
from streaming.requests.delivery import Delivery, Opening
from streaming.requests.item_guard import ItemGuard
from streaming.stock.local_times import localize_thread
from streaming.stock.server_context import current_server_context
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

_SHARED_ID = "__fake_id__"
"""The id that the Agents SDK gives to every message of a Chat Completions model."""


class StockDelivery(Delivery):
    """Stores the events of a server, and calls its hooks for stream options and stopped answers.

    Args:
        services: The platform's services.
        server: The server.
    """

    def __init__(self, services: Services, server: ChatKitServer[Any]) -> None:
        settings = services.settings
        super().__init__(
            services.store, lambda: services.runs.active, settings.run_checkpoint_interval_s, settings.parlor_env
        )
        self._server = server
        self._has_clean_up = type(server).handle_stream_cancelled is not ChatKitServer.handle_stream_cancelled

    def deliver(
        self,
        thread: ThreadMetadata,
        context: RequestContext,
        answer: AsyncGenerator[ThreadStreamEvent, None],
        *,
        opening: Opening | None = None,
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Store the events of `answer` and yield those that the client may see; the thread gets ChatKit's times."""
        return super().deliver(localize_thread(thread), context, answer, opening=opening)

    def stream_options(self, thread: ThreadMetadata, context: RequestContext) -> StreamOptions:
        """Return the server's options for a stream."""
        return self._server.get_stream_options(thread, current_server_context(context))

    def build_guard(self, thread: ThreadMetadata, context: RequestContext) -> ItemGuard:
        """Return a guard under which a server may finish an item twice to change it."""
        return StockGuard(self._store, thread, context, self._checkpoint_pause)

    async def keep_cancelled(
        self, thread: ThreadMetadata, pending_items: Iterable[ThreadItem], context: RequestContext
    ) -> None:
        """Store the unfinished items of a stopped answer; a server with its own clean-up decides about its messages."""
        pending = list(pending_items)
        if not self._has_clean_up:
            await super().keep_cancelled(thread, pending, context)
            return
        try:
            await self._server.handle_stream_cancelled(thread, pending, current_server_context(context))
        except Exception:
            logger.exception("handle_stream_cancelled failed", extra={"thread_id": thread.id})
            await super().keep_cancelled(thread, pending, context)
            return
        await self._keep_unfinished(
            thread, [item for item in pending if not isinstance(item, AssistantMessageItem)], context
        )


class StockGuard(ItemGuard):
    """Item guard with ChatKit's rule that an item which is done twice is the same, unless it was added again."""

    async def with_own_id(self, event: ThreadStreamEvent) -> ThreadStreamEvent:
        """Return `event` with an id under which its item may be written."""
        match event:
            case ThreadItemDoneEvent() if event.item.id != _SHARED_ID:
                self._done_ids.discard(event.item.id)
            case ThreadItemAddedEvent() if event.item.id == _SHARED_ID:
                self._done_ids.add(event.item.id)
            case _:
                pass
        return await super().with_own_id(event)
