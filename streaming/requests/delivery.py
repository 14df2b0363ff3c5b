"""What happens to each event of an answer: guarded, stored, passed on.

ChatKit's own `_process_events` does the same for any server. Ours is one generator where that and what we need around
it were three, which each piece of text passes: it guards the thread's items, closes the answer on every way out, and
takes what is unfinished from the run's log instead of following it a second time. Source: openai-chatkit 1.6.5.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING

from chatkit.errors import CustomStreamError
from chatkit.server import ChatKitServer
from chatkit.types import (
    AssistantMessageItem,
    ErrorEvent,
    HiddenContextItem,
    SDKHiddenContextItem,
    StreamOptionsEvent,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
    UserMessageItem,
    WidgetItem,
    WorkflowItem,
)

from context import RequestContext, Services
from streaming.requests.item_guard import CHECKPOINT_INTERVAL_S, UNHURRIED_RUNS, ItemGuard

if TYPE_CHECKING:
    from store import ParlorStore


logger = logging.getLogger(__name__)


class EventProcessing(ChatKitServer[RequestContext]):
    """The part of `BaseChatKitServer` that stores and passes on what an answer consists of."""

    services: Services
    store: ParlorStore
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S

    if TYPE_CHECKING:  # what the whole server brings

        def respond(  # noqa: D102 - it is described there
            self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: RequestContext
        ) -> AsyncGenerator[ThreadStreamEvent, None]: ...

        def _explain_failure(
            self, exc: Exception, what: str, thread_id: str, context: RequestContext
        ) -> CustomStreamError: ...

        def _stream_error(
            self, exc: Exception, what: str, thread: ThreadMetadata, context: RequestContext
        ) -> CustomStreamError: ...

    async def _deliver(
        self,
        thread: ThreadMetadata,
        context: RequestContext,
        answer: AsyncGenerator[ThreadStreamEvent, None],
        *,
        first: Iterable[ThreadStreamEvent] = (),
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Store what `answer` yields and return what the client may see of it.

        Args:
            thread: Where the answer belongs. What the answer changes of it is stored and told as well.
            context: Who asks.
            answer: What is said and done. Closed on every way out.
            first: What has happened before the answer, and is stored already.
        """
        for event in first:
            yield event
        yield StreamOptionsEvent(stream_options=self.get_stream_options(thread, context))
        guard = ItemGuard(self.store, thread, context, self._checkpoint_pause)
        coming: ThreadStreamEvent | None = None
        try:
            async with aclosing(answer):
                if context.short_way is not None:
                    context.short_way.guard = guard
                async for event in answer:
                    # By far the most frequent kind first.
                    if isinstance(event, ThreadItemUpdatedEvent):
                        event = guard.follow(event)
                        if guard.is_checkpoint_due():
                            await guard.checkpoint()
                        yield event
                    else:
                        coming = event
                        event = coming = await guard.admit(event)
                        await self._store_event(event, thread, context)
                        coming = None
                        if not _is_hidden(event):
                            yield event
                    if guard.is_thread_changed():
                        guard.note_thread()
                        yield await self._save_thread(thread, context)
        except (asyncio.CancelledError, GeneratorExit):
            # The second cancellation is for others' clean-up, which is done.
            context.is_stoppable = False
            left_open = await self._settle(guard, coming, thread, context)
            await self.handle_stream_cancelled(thread, left_open, context)
            raise
        except Exception as exc:  # noqa: BLE001 - the headers are gone: the error becomes an event
            error = self._error_event(exc, "answer could not be stored", thread.id, context)
            try:
                # Once more, if it could not be stored; and what was shown and then failed.
                left_open = await self._settle(guard, coming, thread, context)
                await self._keep_unfinished(thread, left_open, context)
            except Exception as again:  # noqa: BLE001 - the person is told of the first failure
                logger.warning("unfinished items are lost", extra={"error_type": type(again).__name__})
            yield error
        if guard.is_thread_changed():
            yield await self._save_thread(thread, context)

    def _error_event(self, exc: Exception, what: str, thread_id: str, context: RequestContext) -> ErrorEvent:
        """Return what the person may read of a failure: a sentence, and an id that the log has."""
        failure = exc if isinstance(exc, CustomStreamError) else self._explain_failure(exc, what, thread_id, context)
        return ErrorEvent(code="custom", message=failure.message, allow_retry=failure.allow_retry)

    async def _settle(
        self, guard: ItemGuard, coming: ThreadStreamEvent | None, thread: ThreadMetadata, context: RequestContext
    ) -> list[ThreadItem]:
        """Prepare what an answer leaves behind that ends before its end; return what is open, as far as it is.

        What was on its way to the store may have come there or not: it is stored, not its unfinished copy.
        """
        closed: set[str] = set()
        if coming is not None:
            try:
                coming = await guard.admit(coming)
                await self._store_event(coming, thread, context)
                closed |= _closed_by(coming)
            except Exception as exc:  # noqa: BLE001 - then at least its unfinished copy, which may do
                logger.warning("an item could not be stored", extra={"error_type": type(exc).__name__})
        context.unsaved_events = [await guard.admit(event) for event in context.unsaved_events]
        for event in context.unsaved_events:
            closed |= _closed_by(event)
        return [item for item in context.open_items() if item.id not in closed]

    async def _keep_unfinished(
        self, thread: ThreadMetadata, items: Iterable[ThreadItem], context: RequestContext
    ) -> None:
        """Store what was said and shown and is not finished, and what had not come to the store."""
        for item in items:
            match item:
                case AssistantMessageItem() if any(part.text.strip() for part in item.content):
                    await self.store.add_thread_item(thread.id, item, context=context)
                case WorkflowItem():
                    tasks = [
                        task.model_copy(update={"status_indicator": "none"})
                        if task.status_indicator == "loading"
                        else task
                        for task in item.workflow.tasks
                    ]
                    item = item.model_copy(update={"workflow": item.workflow.model_copy(update={"tasks": tasks})})
                    await self.store.add_thread_item(thread.id, item, context=context)
                case WidgetItem():
                    await self.store.add_thread_item(thread.id, item, context=context)
                case _:
                    pass
        for event in context.unsaved_events:
            await self._store_event(event, thread, context)

    async def _save_thread(self, thread: ThreadMetadata, context: RequestContext) -> ThreadUpdatedEvent:
        await self.store.save_thread(thread, context=context)
        return ThreadUpdatedEvent(thread=self._to_thread_response(thread))

    async def _store_event(self, event: ThreadStreamEvent, thread: ThreadMetadata, context: RequestContext) -> None:
        match event:
            case ThreadItemDoneEvent():
                await self.store.add_thread_item(thread.id, event.item, context=context)
            case ThreadItemReplacedEvent():
                await self.store.save_item(thread.id, event.item, context=context)
            case ThreadItemRemovedEvent():
                await self.store.delete_thread_item(thread.id, event.item_id, context=context)
            case _:
                pass

    def _checkpoint_pause(self) -> float:
        # The more answers are written at once, the less often each: all together some twenty a second.
        return self.checkpoint_interval_s * max(1.0, self.services.runs.active / UNHURRIED_RUNS)


def _closed_by(event: ThreadStreamEvent) -> set[str]:
    match event:
        case ThreadItemDoneEvent() | ThreadItemReplacedEvent():
            return {event.item.id}
        case ThreadItemRemovedEvent():
            return {event.item_id}
        case _:
            return set()


def _is_hidden(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemDoneEvent) and isinstance(event.item, HiddenContextItem | SDKHiddenContextItem)
