"""Clicks on widgets of a server written for ChatKit, handled by its `action` and `sync_action`.

It is not checked whether a widget offers an action: such a server checks that itself, and its page may send actions
that no widget has. If the widget offers the action, the values of its fields are checked.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from chatkit.actions import Action
from chatkit.server import ChatKitServer
from chatkit.types import (
    SyncCustomActionResponse,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
)

from context import Services
from errors import ActionError, AgentError, ExitGuard
from streaming.actions.clicks import Clicks
from streaming.actions.offered_actions import check_field_values
from streaming.requests.delivery import Delivery, check_event_widget
from streaming.requests.idempotency import idempotency_key
from streaming.stock.local_times import localize_item, localize_thread, with_utc_time
from streaming.stock.server_context import current_server_context
from streaming.stock.stock_responder import StockResponder
from streaming.stock.stock_store import typed_widget
from turns.request_context import RequestContext
from widgets.documents import widget_root

_NO_ACTION = "This action does not exist."


class StockClicks(Clicks):
    """Carries out clicks by the methods of a server written for ChatKit.

    Args:
        services: The platform's services.
        server: The server.
        delivery: Stores the items that an action shows.
        responder: Runs the server's methods.
    """

    def __init__(
        self, services: Services, server: ChatKitServer[Any], delivery: Delivery, responder: StockResponder
    ) -> None:
        super().__init__(services, {}, delivery, responder)
        self._server = server
        self._stock = responder

    def check(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: RequestContext
    ) -> None:
        """Refuse an action without a handler, or with an invalid field, while the error can become an HTTP status."""
        if type(self._server).action is ChatKitServer.action:
            raise ActionError(_NO_ACTION, code="action.unknown")
        _check_fields(action, sender)

    async def stream(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Yield the events of the server's `action`."""
        async with self._sender_lock(thread, sender.id if sender is not None else None):
            # Read again: it may have changed while this action waited for others.
            item = await self._sender_as_sent(thread, sender, context)
            try:
                async with aclosing(self._stock.events("action", (thread, action, item), thread, context)) as events:
                    async for event in events:
                        yield event
            except Exception:
                if (key := idempotency_key(context.metadata)) is not None:
                    await self._store.release_request_key(thread.id, key, context)
                raise

    async def handle(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: RequestContext
    ) -> SyncCustomActionResponse:
        """Return the response of the server's `sync_action`, and store its changes of the thread."""
        if type(self._server).sync_action is ChatKitServer.sync_action:
            raise ActionError(_NO_ACTION, code="action.unknown")
        _check_fields(action, sender)
        original_thread = localize_thread(thread).model_copy(deep=True)
        item = await self._sender_as_sent(thread, sender, context)
        with ExitGuard(f"{type(self._server).__qualname__}.sync_action"):
            answer: Any = await self._server.sync_action(thread, action, item, current_server_context(context))
        if not isinstance(answer, SyncCustomActionResponse):
            raise AgentError(
                "This action could not be carried out.",
                f"{type(self._server).__qualname__}.sync_action returned a {type(answer).__qualname__}, and not a "
                "SyncCustomActionResponse",
            )
        if thread != original_thread:
            await self._store.save_thread(thread, context=context)
        if answer.updated_item is None:
            return answer
        if isinstance(answer.updated_item, WidgetItem):
            self._delivery.enable_widget_checks(context)
            check_event_widget(ThreadItemReplacedEvent(item=answer.updated_item), context.answer)
        return answer.model_copy(update={"updated_item": with_utc_time(answer.updated_item)})

    async def _sender_as_sent(self, thread: ThreadMetadata, sender: WidgetItem | None, context: RequestContext) -> Any:
        """Return the widget that was clicked in the form in which the server sent it."""
        if sender is None:
            return None
        item: Any = await self.load_sender(thread, sender.id, context)
        return typed_widget(localize_item(item))


def _check_fields(action: Action[str, Any], sender: WidgetItem | None) -> None:
    if sender is not None:
        check_field_values(widget_root(sender.widget).model_dump(), action.type, action.payload)
