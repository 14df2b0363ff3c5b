"""Delivery: each event of an answer is guarded, stored and passed on.

This replaces ChatKit's own `_process_events`. Since each piece of text passes through it, it is one generator that also
guards the thread's items, always closes the answer, and takes unfinished items from the run's log instead of tracking
them a second time. Source: openai-chatkit 1.6.5.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable
from contextlib import aclosing

from chatkit.types import (
    AssistantMessageItem,
    ErrorEvent,
    HiddenContextItem,
    NoticeEvent,
    SDKHiddenContextItem,
    StreamOptions,
    StreamOptionsEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
    WidgetItem,
    WorkflowItem,
)

from framework.chatkit_protocol import thread_response
from store import ParlorStore
from streaming.failure_reports import failure_event
from streaming.requests.interruption_marks import build_interruption_mark
from streaming.requests.item_guard import ItemGuard
from text.blanks import is_blank
from turns.answer_state import AnswerState
from turns.clock import utc_now
from turns.request_context import RequestContext
from turns.widget_checks import Environment
from widgets.documents import WidgetDocument

logger = logging.getLogger(__name__)

UNHURRIED_RUNS = 60
"""The most active runs with the shortest checkpoint interval; with more it grows, so that streaming is not starved."""

STREAM_OPTIONS = StreamOptions(allow_cancel=True)

Opening = Callable[[], Awaitable[Iterable[ThreadStreamEvent]]]
"""Stores the content of a request, such as its message, and returns the events that announce it."""


class StoredItemEvent(ThreadItemReplacedEvent):
    """Shows an item as it was read from the store, without storing it again: it may have changed there since."""


class Delivery:
    """Stores the events of an answer, and passes on those that the client may see.

    Args:
        store: The store of the threads.
        active_runs: Returns the number of active runs; the more there are, the less often unfinished text is stored.
        checkpoint_interval_s: The shortest time between two checkpoints of unfinished text, in seconds.
        environment: Decides how mistakes in widgets are reported.
        actions: The names of the declared actions; None when actions that are not declared are handled too.
    """

    def __init__(
        self,
        store: ParlorStore,
        active_runs: Callable[[], int],
        checkpoint_interval_s: float,
        environment: Environment = "production",
        actions: Collection[str] | None = None,
    ) -> None:
        self._store = store
        self._active_runs = active_runs
        self._checkpoint_interval_s = checkpoint_interval_s
        self._environment = environment
        self._actions = actions

    async def deliver(
        self,
        thread: ThreadMetadata,
        context: RequestContext,
        answer: AsyncGenerator[ThreadStreamEvent, None],
        *,
        opening: Opening | None = None,
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Store the events of `answer` and yield those that the client may see.

        Args:
            thread: The thread of the answer. Changes that the answer makes to it are stored and sent as well.
            context: The context of the request.
            answer: The events of the answer; always closed at the end.
            opening: Stores the content of the request. A stop is deferred until its events are sent; otherwise the
                request could be refused although its message was stored.
        """
        state = context.answer
        with state.no_stop():
            for event in await opening() if opening is not None else ():
                yield event
            yield StreamOptionsEvent(stream_options=self.stream_options(thread, context))
        self.enable_widget_checks(context)
        guard = self.build_guard(thread, context)
        in_flight: ThreadStreamEvent | None = None
        has_failed = has_message = False
        try:
            async with aclosing(answer):
                if state.direct_text is not None:
                    state.direct_text.guard = guard
                async for event in answer:
                    # By far the most frequent kind first.
                    if isinstance(event, ThreadItemUpdatedEvent):
                        event = guard.with_current_id(event)
                        if guard.is_checkpoint_due():
                            await guard.checkpoint()
                        yield event
                    else:
                        has_failed = has_failed or isinstance(event, ErrorEvent)
                        has_message = has_message or _is_message(event)
                        in_flight = event
                        if (notice := check_event_widget(event, state)) is not None:
                            yield notice
                        event = in_flight = await guard.with_own_id(event)
                        await self.store_event(event, thread, context)
                        in_flight = None
                        if not _is_hidden(event):
                            yield event
                    if guard.is_thread_changed():
                        guard.mark_thread_saved()
                        yield await self._save_thread(thread, context)
        except (asyncio.CancelledError, GeneratorExit):
            # The second cancellation is meant for the clean-up of use cases, which is over.
            with state.no_stop():
                await self._keep_stopped(guard, in_flight, thread, context, has_message=has_message)
            raise
        except Exception as exc:  # noqa: BLE001 - the headers are sent: the error becomes an event
            error = failure_event(exc, "answer could not be stored", thread.id, context)
            await self._keep_failed(guard, in_flight, thread, context, has_message=has_message)
            yield error
        else:
            if has_failed and has_message:
                await guard.mark_unfinished()
            elif has_failed:
                await guard.show_mark()
            elif (mark_id := await guard.remove_mark()) is not None:
                yield ThreadItemRemovedEvent(item_id=mark_id)
        if guard.is_thread_changed():
            yield await self._save_thread(thread, context)

    async def _keep_stopped(
        self,
        guard: ItemGuard,
        in_flight: ThreadStreamEvent | None,
        thread: ThreadMetadata,
        context: RequestContext,
        *,
        has_message: bool,
    ) -> None:
        left_open = await self._store_leftovers(guard, in_flight, thread, context)
        await self.keep_cancelled(thread, left_open, context)
        if has_message or _has_text(left_open):
            await self._mark_cut(guard, thread, context)
        else:
            await guard.show_mark()

    async def _keep_failed(
        self,
        guard: ItemGuard,
        in_flight: ThreadStreamEvent | None,
        thread: ThreadMetadata,
        context: RequestContext,
        *,
        has_message: bool,
    ) -> None:
        """Store the event that could not be stored, once more, and the unfinished items."""
        try:
            left_open = await self._store_leftovers(guard, in_flight, thread, context)
            await self._keep_unfinished(thread, left_open, context)
            if has_message or _has_text(left_open):
                await guard.mark_unfinished()
            else:
                await guard.show_mark()
        except Exception as again:  # noqa: BLE001 - the first failure is reported to the person
            logger.warning("unfinished items are lost", extra={"error_type": type(again).__name__})

    def stream_options(self, thread: ThreadMetadata, context: RequestContext) -> StreamOptions:
        """Return ChatKit's options for a stream."""
        return STREAM_OPTIONS

    def enable_widget_checks(self, context: RequestContext) -> None:
        """Check the widgets of an answer from now on."""
        context.answer.enable_widget_checks(self._environment, self._actions)

    def build_guard(self, thread: ThreadMetadata, context: RequestContext) -> ItemGuard:
        """Return the guard of the items that one request writes in a thread."""
        return ItemGuard(self._store, thread, context, self._checkpoint_pause)

    async def store_event(self, event: ThreadStreamEvent, thread: ThreadMetadata, context: RequestContext) -> None:
        """Apply an event to the stored items of the thread, if it changes them."""
        match event:
            case StoredItemEvent():
                pass
            case ThreadItemDoneEvent():
                await self._store.add_thread_item(thread.id, event.item, context=context)
            case ThreadItemReplacedEvent():
                await self._store.save_item(thread.id, event.item, context=context)
            case ThreadItemRemovedEvent():
                await self._store.delete_thread_item(thread.id, event.item_id, context=context)
            case _:
                pass

    async def keep_cancelled(
        self, thread: ThreadMetadata, pending_items: Iterable[ThreadItem], context: RequestContext
    ) -> None:
        """Store the unfinished items of a stopped answer; leave a note for the model if a person stopped it."""
        await self._keep_unfinished(thread, pending_items, context)
        if context.answer.is_whole or context.answer.stop_reason not in ("user", "disconnect"):
            return
        marker = SDKHiddenContextItem(
            id=self._store.generate_item_id("sdk_hidden_context", thread, context),
            thread_id=thread.id,
            created_at=utc_now(),
            content="The user stopped this answer. Do not continue it unless asked to.",
        )
        await self._store.add_thread_item(thread.id, marker, context=context)

    async def _mark_cut(self, guard: ItemGuard, thread: ThreadMetadata, context: RequestContext) -> None:
        """Mark a stopped answer as incomplete: a truncated number must not look like a complete one."""
        if context.answer.is_whole:
            await guard.remove_mark()
            return
        if context.answer.stop_reason != "user":
            await guard.mark_unfinished()
            return
        await guard.remove_mark()
        await self._store.add_thread_item(thread.id, build_interruption_mark(thread, "stopped"), context=context)

    async def _store_leftovers(
        self, guard: ItemGuard, in_flight: ThreadStreamEvent | None, thread: ThreadMetadata, context: RequestContext
    ) -> list[ThreadItem]:
        """Store the event that was being stored when the answer ended early; return its open items.

        That event may have reached the store or not; storing it again does no harm, and is better than storing the
        unfinished copy of its item.
        """
        closed: set[str] = set()
        if in_flight is not None:
            try:
                in_flight = await guard.with_own_id(in_flight)
                await self.store_event(in_flight, thread, context)
                closed |= _ids_of_finished_items(in_flight)
            except Exception as exc:  # noqa: BLE001 - the unfinished copy is stored instead
                logger.warning("an item could not be stored", extra={"error_type": type(exc).__name__})
        answer = context.answer
        answer.replace_unsaved([await guard.with_own_id(event) for event in answer.unsaved])
        for event in answer.unsaved:
            closed |= _ids_of_finished_items(event)
        return [item for item in answer.open_items() if item.id not in closed]

    async def _keep_unfinished(
        self, thread: ThreadMetadata, items: Iterable[ThreadItem], context: RequestContext
    ) -> None:
        """Store unfinished items, and the events of the answer that were not stored yet."""
        for item in items:
            match item:
                case AssistantMessageItem() if any(not is_blank(part.text) for part in item.content):
                    await self._store.add_thread_item(thread.id, item, context=context)
                case WorkflowItem():
                    tasks = [
                        task.model_copy(update={"status_indicator": "none"})
                        if task.status_indicator == "loading"
                        else task
                        for task in item.workflow.tasks
                    ]
                    item = item.model_copy(update={"workflow": item.workflow.model_copy(update={"tasks": tasks})})
                    await self._store.add_thread_item(thread.id, item, context=context)
                case WidgetItem():
                    await self._store.add_thread_item(thread.id, item, context=context)
                case _:
                    pass
        for event in context.answer.unsaved:
            await self.store_event(event, thread, context)

    async def _save_thread(self, thread: ThreadMetadata, context: RequestContext) -> ThreadUpdatedEvent:
        await self._store.save_thread(thread, context=context)
        return ThreadUpdatedEvent(thread=thread_response(thread))

    def _checkpoint_pause(self) -> float:
        return checkpoint_pause_s(self._checkpoint_interval_s, self._active_runs())


def checkpoint_pause_s(interval_s: float, active_runs: int) -> float:
    """Return the time between two checkpoints of an answer's unfinished text, in seconds.

    It grows with the number of active runs, so that there are some twenty checkpoints a second in all.
    """
    return interval_s * max(1.0, active_runs / UNHURRIED_RUNS)


def check_event_widget(event: ThreadStreamEvent, state: AnswerState) -> NoticeEvent | None:
    """Check the widget of an event that did not come through a turn; return a notice of its mistakes for the chat.

    Raises:
        WidgetError: When it has mistakes, in tests.
    """
    if not isinstance(event, ThreadItemDoneEvent | ThreadItemAddedEvent | ThreadItemReplacedEvent):
        return None
    item = event.item
    # A document was checked when it was built, or comes from the store.
    if not isinstance(item, WidgetItem) or isinstance(item.widget, WidgetDocument):
        return None
    return state.widget_checks.check(item.widget)


def _ids_of_finished_items(event: ThreadStreamEvent) -> set[str]:
    match event:
        case ThreadItemDoneEvent() | ThreadItemReplacedEvent():
            return {event.item.id}
        case ThreadItemRemovedEvent():
            return {event.item_id}
        case _:
            return set()


def _has_text(items: Iterable[ThreadItem]) -> bool:
    return any(
        isinstance(item, AssistantMessageItem) and any(part.text.strip() for part in item.content) for item in items
    )


def _is_message(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemDoneEvent) and isinstance(event.item, AssistantMessageItem)


def _is_hidden(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemDoneEvent) and isinstance(event.item, HiddenContextItem | SDKHiddenContextItem)
