"""What happens when somebody clicks: the action is checked against its widget, its handler runs, the widget changes.

Actions of one widget run one after the other, each seeing what the one before has left, from the claim of a request's
key to the end of the handler.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, final
from weakref import WeakValueDictionary

from chatkit.actions import Action
from chatkit.types import (
    SyncCustomActionResponse,
    ThreadCustomActionParams,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
)
from pydantic import BaseModel, ValidationError

from context import ActionTurn, RequestContext, Turn
from errors import ActionError, BadRequestError, NotFoundError
from streaming.actions.declared_actions import BoundAction, explain_payload
from streaming.actions.offered_actions import offers
from streaming.answers.turn_events import turn_events
from streaming.approvals.decisions import check_decision
from streaming.requests.delivery import EventProcessing
from streaming.requests.idempotency import request_key
from streaming.requests.item_guard import ItemGuard
from widgets.documents import widget_root

logger = logging.getLogger(__name__)


class ActionProcessing(EventProcessing):
    """The part of `BaseChatKitServer` that carries out actions."""

    _actions: ClassVar[Mapping[str, BoundAction]] = {}
    _sender_locks: WeakValueDictionary[tuple[str, str], asyncio.Lock]
    _latest_clicks: dict[tuple[str, str | None], tuple[Action[str, Any], asyncio.Task[SyncCustomActionResponse]]]

    if TYPE_CHECKING:  # what the whole server brings

        def _respond(self, turn: Turn) -> AsyncGenerator[ThreadStreamEvent, None]: ...

    @final
    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: RequestContext,
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Check the action against the widget it claims to come from, and run its handler."""
        try:
            item_id = sender.id if sender is not None else None
            async with self.sender_turn(thread, item_id):
                # Read again: it may have changed while this action waited for others.
                turn = ActionTurn(thread, context, self.services, await self._sender(thread, item_id, context))
                work = self._prepare_action(action, turn)
                async with aclosing(turn_events(turn, work())) as events:
                    async for event in events:
                        yield event
                if turn.question is not None:
                    yield ThreadItemDoneEvent(item=turn.question)
        except Exception as exc:
            if (key := request_key(context.metadata)) is not None:
                await self.store.release_request_key(thread.id, key, context)
            raise self._stream_error(exc, "action failed", thread, context) from exc
        if turn.is_resumed and turn.question is None:
            goes_on = Turn(thread, context, self.services)
            goes_on.decided = turn.decided
            async with aclosing(self._respond(goes_on)) as events:
                async for event in events:
                    yield event

    @final
    async def sync_action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: RequestContext,
    ) -> SyncCustomActionResponse:
        """Do the same without a stream: what the handler shows is stored, the clicked widget's new state answered.

        The caller holds `sender_turn`.
        """
        before = thread.model_copy(deep=True)
        guard = ItemGuard(self.store, thread, context)
        turn = ActionTurn(thread, context, self.services, sender, is_streamed=False)
        work = self._prepare_action(action, turn)
        async with aclosing(turn_events(turn, work())) as events:
            async for event in events:
                # Notices, progress and effects have no way to the client in a plain answer.
                await self._store_event(await guard.admit(event), thread, context)
        if turn.is_resumed:
            logger.warning("the agent cannot go on after an action that is not streamed", extra={"action": action.type})
        if thread != before:
            await self.store.save_thread(thread, context=context)
        return SyncCustomActionResponse(updated_item=turn.replaced_sender)

    def _prepare_action(self, action: Action[str, Any], turn: ActionTurn) -> Callable[[], Any]:
        """Return the handler, bound to its checked payload.

        Raises:
            ActionError: When the action is unknown, is not offered, or its payload is invalid.
        """
        bound = self._actions.get(action.type) if isinstance(action.type, str) else None
        if bound is None:
            raise ActionError("This action does not exist.", code="action.unknown")
        if turn.sender is None:
            if bound.spec.needs_widget:
                raise ActionError("This action can only be used from its widget.", code="action.not_offered")
        elif not offers(widget_root(turn.sender.widget).model_dump(), action.type, action.payload):
            raise ActionError("This widget does not offer this action any more.", code="action.not_offered")
        handler = getattr(self, bound.method)
        arguments: list[Any] = []
        if bound.payload is not None:
            try:
                arguments.append(bound.payload.model_validate(action.payload if action.payload is not None else {}))
            except ValidationError as exc:
                raise ActionError(explain_payload(exc), code="action.invalid_payload") from exc

        async def run() -> None:
            result = await handler(*arguments, turn)
            if isinstance(result, Mapping | BaseModel):
                turn.replace(result)

        return run

    async def _sender(self, thread: ThreadMetadata, item_id: str | None, context: RequestContext) -> WidgetItem | None:
        if item_id is None:
            return None
        item = await self.store.load_item(thread.id, item_id, context=context)
        if not isinstance(item, WidgetItem):
            raise BadRequestError("This item is not a widget.")
        return item

    async def _process_sync_action(
        self, thread: ThreadMetadata, params: ThreadCustomActionParams, context: RequestContext
    ) -> SyncCustomActionResponse:
        act = params.action
        await check_decision(self.services, thread.id, act.type, act.payload, context, is_streamed=False)
        key = request_key(context.metadata)
        if key is None:
            return await self._click_once(thread, params, context)
        return await self._carry_out(thread, params, key, context)

    async def _click_once(
        self, thread: ThreadMetadata, params: ThreadCustomActionParams, context: RequestContext
    ) -> SyncCustomActionResponse:
        """Carry out a click that has no key; one like the latest, while that is being handled, is a double click.

        Only the latest counts: of on, off and on again, the third is not the first once more.
        """
        place, action = (thread.id, params.item_id), params.action
        while (latest := self._latest_clicks.get(place)) is not None and latest[0] == action:
            await asyncio.wait([latest[1]])
            if not latest[1].cancelled():
                return latest[1].result()
        answer = asyncio.create_task(self._carry_out(thread, params, None, context))
        self._latest_clicks[place] = mine = (action, answer)
        try:
            return await answer
        finally:
            if self._latest_clicks.get(place) is mine:
                del self._latest_clicks[place]

    async def _carry_out(
        self, thread: ThreadMetadata, params: ThreadCustomActionParams, key: str | None, context: RequestContext
    ) -> SyncCustomActionResponse:
        async with self.sender_turn(thread, params.item_id):
            if key is not None and not await self.store.claim_request_key(thread.id, key, context):
                return SyncCustomActionResponse(updated_item=await self._sender_now(thread, params.item_id, context))
            try:
                sender = await self._sender(thread, params.item_id, context)
                return await self.sync_action(thread, params.action, sender, context)
            except Exception:
                if key is not None:
                    await self.store.release_request_key(thread.id, key, context)
                raise

    async def _sender_now(
        self, thread: ThreadMetadata, item_id: str | None, context: RequestContext
    ) -> WidgetItem | None:
        """Return the clicked widget as the actions before have left it; None when they have removed it."""
        try:
            return await self._sender(thread, item_id, context)
        except NotFoundError:
            return None

    def sender_turn(self, thread: ThreadMetadata, item_id: str | None) -> AbstractAsyncContextManager[Any]:
        """Return what lets one action of a widget after the other run, in this process."""
        if item_id is None:
            return nullcontext()
        return self._sender_locks.setdefault((thread.id, item_id), asyncio.Lock())
