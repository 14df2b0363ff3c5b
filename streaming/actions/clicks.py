"""Clicks: an action is checked against its widget, its handler runs, the widget changes.

Actions of one widget run one after the other, from the claim of the request's idempotency key to the end of the
handler, so that each sees the result of the previous one.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from functools import partial
from typing import Any, cast
from weakref import WeakValueDictionary

from chatkit.actions import Action
from chatkit.types import (
    SyncCustomActionResponse,
    ThreadCustomActionParams,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
)
from pydantic import BaseModel, ValidationError

from context import ActionTurn, Services, Turn
from errors import ActionError, BadRequestError, NotFoundError
from streaming.actions.action_rollback import ActionRollback
from streaming.actions.declared_actions import BoundAction, explain_invalid_payload
from streaming.actions.form_fields import Offer
from streaming.actions.offered_actions import check_offered
from streaming.actions.once_keys import once_key
from streaming.answers.turn_events import turn_events
from streaming.approvals.decisions import check_decision
from streaming.failure_reports import report_failure
from streaming.hooks import SupportsRespond
from streaming.requests.delivery import Delivery, StoredItemEvent, check_event_widget
from streaming.requests.idempotency import idempotency_key
from turns.request_context import RequestContext
from widgets.documents import widget_root

logger = logging.getLogger(__name__)

_Click = tuple[Action[str, Any], asyncio.Task[SyncCustomActionResponse]]
"""A click that is being handled: its action and its task."""


class Clicks:
    """Carries out the actions that a person clicks, with or without a stream.

    Args:
        services: The platform's services.
        handlers: The declared actions by name, each with the object whose method handles it.
        delivery: Stores the items that an unstreamed action shows.
        responder: Runs the agent after an action that resumes it.
        fallback_action: Handles actions that are not declared, as ChatKit's `action` does; None without one.
    """

    def __init__(
        self,
        services: Services,
        handlers: Mapping[str, tuple[BoundAction, object]],
        delivery: Delivery,
        responder: SupportsRespond,
        fallback_action: Callable[..., Any] | None = None,
    ) -> None:
        self._services = services
        self._store = services.store
        self._handlers = handlers
        self._delivery = delivery
        self._responder = responder
        self._fallback_action = fallback_action
        self._sender_locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._latest_clicks: dict[tuple[str, str | None], _Click] = {}

    async def stream(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: RequestContext,
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Check the action against the widget it claims to come from, run its handler, and yield its events."""
        answer = context.answer
        rollback = ActionRollback(self._store, thread, context)
        try:
            item_id = sender.id if sender is not None else None
            async with self._sender_lock(thread, item_id):
                # Read again: it may have changed while this action waited for others.
                turn = ActionTurn(thread, context, self._services, await self.load_sender(thread, item_id, context))
                work = self._prepare_action(action, turn)
                async with (
                    aclosing(turn_events(turn, work())) as shown,
                    aclosing(rollback.track_changes(shown)) as events,
                ):
                    async for event in events:
                        yield event
                if answer.question is not None:
                    yield ThreadItemDoneEvent(item=answer.question)
        except Exception as exc:
            for event in rollback.undo():
                yield event
            if (key := idempotency_key(context.metadata)) is not None:
                await self._store.release_request_key(thread.id, key, context)
            raise report_failure(exc, "action failed", thread.id, context) from exc
        if answer.is_resumed and answer.question is None:
            async with aclosing(self._responder.respond(Turn(thread, context, self._services))) as events:
                async for event in events:
                    yield event

    def check(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: RequestContext
    ) -> None:
        """Refuse an action that its widget does not offer at present, while the error can still become an HTTP status.

        Raises:
            ActionError: When the action is unknown, is not offered, or its payload is invalid.
        """
        self._prepare_action(action, ActionTurn(thread, context, self._services, sender))

    async def handle(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: RequestContext,
    ) -> SyncCustomActionResponse:
        """Run a handler without a stream: store the items it shows, and return the clicked widget's new state.

        The caller holds the widget's lock.
        """
        original_thread = thread.model_copy(deep=True)
        self._delivery.enable_widget_checks(context)
        guard = self._delivery.build_guard(thread, context)
        turn = ActionTurn(thread, context, self._services, sender, is_streamed=False)
        work = self._prepare_action(action, turn)
        rollback = ActionRollback(self._store, thread, context)
        shown: list[ThreadStreamEvent] = []
        try:
            async with aclosing(turn_events(turn, work())) as events:
                async for event in events:
                    # Notices, progress and effects cannot reach the client in a plain response.
                    check_event_widget(event, context.answer)
                    # Stored after the end, since a handler that raises stores nothing.
                    shown.append(event)
        except Exception:
            rollback.undo()
            raise
        for event in shown:
            await self._delivery.store_event(await guard.with_own_id(event), thread, context)
        if context.answer.is_resumed:
            logger.warning("the agent cannot go on after an action that is not streamed", extra={"action": action.type})
        if thread != original_thread:
            await self._store.save_thread(thread, context=context)
        return SyncCustomActionResponse(updated_item=context.answer.replaced_sender)

    def _prepare_action(self, action: Action[str, Any], turn: ActionTurn) -> Callable[[], Any]:
        """Return the handler of an action, bound to its parsed payload.

        Raises:
            ActionError: When the action is unknown, is not offered, or its payload is invalid.
        """
        declared = self._handlers.get(action.type) if isinstance(action.type, str) else None
        offered: Offer | None = None
        if declared is None and self._fallback_action is None:
            raise ActionError("This action does not exist.", code="action.unknown")
        if turn.sender is None:
            if declared is not None and declared[0].spec.needs_widget:
                raise ActionError("This action can only be used from its widget.", code="action.not_offered")
        else:
            offered = check_offered(widget_root(turn.sender.widget).model_dump(), action.type, action.payload)
        if declared is None:
            return partial(self._run_fallback_action, action, turn)
        bound, owner = declared
        handler = getattr(owner, bound.method)
        arguments: list[Any] = []
        if bound.payload is not None:
            try:
                arguments.append(bound.payload.model_validate(action.payload if action.payload is not None else {}))
            except ValidationError as exc:
                raise ActionError(explain_invalid_payload(exc), code="action.invalid_payload") from exc

        async def run() -> None:
            result = await handler(*arguments, turn)
            if isinstance(result, Mapping | BaseModel):
                turn.replace(result)

        if bound.spec.once:
            return partial(self._run_once, once_key(action, turn.sender, offered), run, turn)
        return run

    async def _run_once(self, key: str, run: Callable[[], Awaitable[None]], turn: ActionTurn) -> None:
        """Run a handler unless it was run before; in that case show the clicked widget as it is now."""
        if not await self._store.claim_action(turn.thread.id, key, turn.context):
            if turn.sender is not None:
                await self._show_stored(turn.sender.id, turn)
            return
        try:
            await run()
        except Exception:
            # A handler that raised has had no effect. One that was cancelled may have had some, and stays claimed.
            await self._store.release_action(turn.thread.id, key, turn.context)
            raise

    async def _show_stored(self, item_id: str, turn: ActionTurn) -> None:
        """Show a widget as it is stored now, without storing it again, as another handler may be changing it."""
        sender = await self._load_current_sender(turn.thread, item_id, turn.context)
        turn.context.answer.replace_sender(sender)
        turn.emit(ThreadItemRemovedEvent(item_id=item_id) if sender is None else StoredItemEvent(item=sender))

    async def _run_fallback_action(self, action: Action[str, Any], turn: ActionTurn) -> None:
        """Run the `action` method of a server, which is an async generator of events or a coroutine."""
        handle: Any = self._fallback_action
        answer = handle(turn.thread, action, turn.sender, turn.context)
        if not inspect.isasyncgen(answer):
            await answer
            return
        async with aclosing(answer) as events:
            async for event in events:
                turn.emit(cast("ThreadStreamEvent", event))
                if turn.sender is not None and isinstance(event, ThreadItemReplacedEvent):
                    item = event.item
                    if isinstance(item, WidgetItem) and item.id == turn.sender.id:
                        turn.context.answer.replace_sender(item)

    async def load_sender(
        self, thread: ThreadMetadata, item_id: str | None, context: RequestContext
    ) -> WidgetItem | None:
        """Return the stored widget that an action claims to come from; None when it names none.

        Raises:
            BadRequestError: When the item is not a widget.
            NotFoundError: When there is no such item.
        """
        if item_id is None:
            return None
        item = await self._store.load_item(thread.id, item_id, context=context)
        if not isinstance(item, WidgetItem):
            raise BadRequestError("This item is not a widget.")
        return item

    async def click(
        self, thread: ThreadMetadata, params: ThreadCustomActionParams, context: RequestContext
    ) -> SyncCustomActionResponse:
        """Answer a click that is not streamed; a repetition counts as the same click."""
        action = params.action
        await check_decision(self._services, thread.id, action.type, action.payload, context, is_streamed=False)
        key = idempotency_key(context.metadata)
        if key is None:
            return await self._handle_double_clicks(thread, params, context)
        return await self._handle_click(thread, params, key, context)

    async def _handle_double_clicks(
        self, thread: ThreadMetadata, params: ThreadCustomActionParams, context: RequestContext
    ) -> SyncCustomActionResponse:
        """Carry out a click without an idempotency key, unless it is a double click.

        That is a click equal to the latest one of the widget while that is being handled. Only the latest counts: of
        on, off and on again, the third is a new click.
        """
        place, action = (thread.id, params.item_id), params.action
        while (latest := self._latest_clicks.get(place)) is not None and latest[0] == action:
            await asyncio.wait([latest[1]])
            if not latest[1].cancelled():
                return latest[1].result()
        answer = asyncio.create_task(self._handle_click(thread, params, None, context))
        self._latest_clicks[place] = entry = (action, answer)
        try:
            return await answer
        finally:
            if self._latest_clicks.get(place) is entry:
                del self._latest_clicks[place]

    async def _handle_click(
        self, thread: ThreadMetadata, params: ThreadCustomActionParams, key: str | None, context: RequestContext
    ) -> SyncCustomActionResponse:
        async with self._sender_lock(thread, params.item_id):
            if key is not None and not await self._store.claim_request_key(thread.id, key, context):
                sender = await self._load_current_sender(thread, params.item_id, context)
                return SyncCustomActionResponse(updated_item=sender)
            try:
                sender = await self.load_sender(thread, params.item_id, context)
                return await self.handle(thread, params.action, sender, context)
            except Exception:
                if key is not None:
                    await self._store.release_request_key(thread.id, key, context)
                raise

    async def _load_current_sender(
        self, thread: ThreadMetadata, item_id: str | None, context: RequestContext
    ) -> WidgetItem | None:
        """Return the clicked widget as earlier actions have left it; None when they have removed it."""
        try:
            return await self.load_sender(thread, item_id, context)
        except NotFoundError:
            return None

    def _sender_lock(self, thread: ThreadMetadata, item_id: str | None) -> AbstractAsyncContextManager[Any]:
        """Return a lock that lets the actions of one widget run one after the other in this process."""
        if item_id is None:
            return nullcontext()
        return self._sender_locks.setdefault((thread.id, item_id), asyncio.Lock())
