"""Delivery: each event of an answer is guarded, stored and passed on.

ChatKit's own `_process_events` does the same for any server. Ours is one generator where that and what we need around
it were three, which each piece of text passes: it guards the thread's items, closes the answer on every way out, and
takes what is unfinished from the run's log instead of following it a second time. Source: openai-chatkit 1.6.5.
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
from streaming.requests.cut_marks import build_mark
from streaming.requests.item_guard import ItemGuard
from text.blanks import is_blank
from turns.answer_state import AnswerState
from turns.clock import utc_now
from turns.request_context import RequestContext
from turns.widget_checks import Environment, WidgetChecks
from widgets.documents import WidgetDocument

logger = logging.getLogger(__name__)

UNHURRIED_RUNS = 60
"""How many answers at once keep the interval; with more it grows: storing must not starve streaming."""

STREAM_OPTIONS = StreamOptions(allow_cancel=True)

Opening = Callable[[], Awaitable[Iterable[ThreadStreamEvent]]]
"""Stores what a request brings, and returns the events that tell it."""


class StoredItemEvent(ThreadItemReplacedEvent):
    """Shows an item as it was read from the store, where somebody else may have replaced or deleted it since."""


class Delivery:
    """Stores what an answer consists of, and passes on what the client may see of it.

    Args:
        store: The threads.
        active_runs: Returns the number of answers being written: the more, the less often unfinished text is stored.
        checkpoint_interval_s: How often that is with few of them, in seconds.
        environment: Decides who is told about mistakes in widgets.
        actions: The names of the declared actions, which widgets may name; None when any may be handled.
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
        """Store what `answer` yields and return what the client may see of it.

        Args:
            thread: The thread of the answer. Changes that the answer makes to it are stored and sent as well.
            context: The context of the request.
            answer: The events of the answer. Closed on every way out.
            opening: Stores what the request brings. That and its first events are one: a stop in between waits, or the
                request would be refused and its message, answer or output be there all the same.
        """
        state = context.answer
        with state.no_stop():
            for event in await opening() if opening is not None else ():
                yield event
            yield StreamOptionsEvent(stream_options=self.stream_options(thread, context))
        self.begin_checks(context)
        guard = self.guard(thread, context)
        coming: ThreadStreamEvent | None = None
        has_failed = has_spoken = False
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
                        has_spoken = has_spoken or _is_said(event)
                        coming = event
                        if (notice := checked(event, state)) is not None:
                            yield notice
                        event = coming = await guard.with_own_id(event)
                        await self.store_event(event, thread, context)
                        coming = None
                        if not _is_hidden(event):
                            yield event
                    if guard.is_thread_changed():
                        guard.mark_thread_saved()
                        yield await self._save_thread(thread, context)
        except (asyncio.CancelledError, GeneratorExit):
            # The second cancellation is for others' clean-up, which is done.
            with state.no_stop():
                await self._keep_stopped(guard, coming, thread, context, has_spoken=has_spoken)
            raise
        except Exception as exc:  # noqa: BLE001 - the headers are gone: the error becomes an event
            error = failure_event(exc, "answer could not be stored", thread.id, context)
            await self._keep_failed(guard, coming, thread, context, has_spoken=has_spoken)
            yield error
        else:
            if has_failed and has_spoken:
                await guard.mark_unfinished()
            elif has_failed:
                await guard.settle()
            elif (mark_id := await guard.unmark()) is not None:
                yield ThreadItemRemovedEvent(item_id=mark_id)
        if guard.is_thread_changed():
            yield await self._save_thread(thread, context)

    async def _keep_stopped(
        self,
        guard: ItemGuard,
        coming: ThreadStreamEvent | None,
        thread: ThreadMetadata,
        context: RequestContext,
        *,
        has_spoken: bool,
    ) -> None:
        left_open = await self._settle(guard, coming, thread, context)
        await self.keep_cancelled(thread, left_open, context)
        if has_spoken or _has_text(left_open):
            await self._mark_cut(guard, thread, context)
        else:
            await guard.settle()

    async def _keep_failed(
        self,
        guard: ItemGuard,
        coming: ThreadStreamEvent | None,
        thread: ThreadMetadata,
        context: RequestContext,
        *,
        has_spoken: bool,
    ) -> None:
        """Store once more what could not be stored, and what was shown and then failed."""
        try:
            left_open = await self._settle(guard, coming, thread, context)
            await self._keep_unfinished(thread, left_open, context)
            if has_spoken or _has_text(left_open):
                await guard.mark_unfinished()
            else:
                await guard.settle()
        except Exception as again:  # noqa: BLE001 - the person is told of the first failure
            logger.warning("unfinished items are lost", extra={"error_type": type(again).__name__})

    def stream_options(self, thread: ThreadMetadata, context: RequestContext) -> StreamOptions:
        """Return ChatKit's options for a stream."""
        return STREAM_OPTIONS

    def begin_checks(self, context: RequestContext) -> None:
        """Have the widgets of an answer looked at from here on."""
        context.answer.widget_checks = WidgetChecks(self._environment, self._actions)

    def guard(self, thread: ThreadMetadata, context: RequestContext) -> ItemGuard:
        """Return the guard of the items that one request writes in a thread."""
        return ItemGuard(self._store, thread, context, self._checkpoint_pause)

    async def store_event(self, event: ThreadStreamEvent, thread: ThreadMetadata, context: RequestContext) -> None:
        """Store what an event says of the thread's items, if it says something that is stored."""
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
        """Keep what was said and shown before the stop; tell the model of it if a person stopped the answer."""
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
        """Store how an answer ended that did not come to its end: half a number must not look like one."""
        if context.answer.is_whole:
            await guard.unmark()
            return
        if context.answer.stop_reason != "user":
            await guard.mark_unfinished()
            return
        await guard.unmark()
        await self._store.add_thread_item(thread.id, build_mark(thread, "stopped"), context=context)

    async def _settle(
        self, guard: ItemGuard, coming: ThreadStreamEvent | None, thread: ThreadMetadata, context: RequestContext
    ) -> list[ThreadItem]:
        """Prepare what an answer leaves behind that ends before its end; return what is open, as far as it is.

        What was on its way to the store may have come there or not: it is stored, not its unfinished copy.
        """
        closed: set[str] = set()
        if coming is not None:
            try:
                coming = await guard.with_own_id(coming)
                await self.store_event(coming, thread, context)
                closed |= _ids_of_finished_items(coming)
            except Exception as exc:  # noqa: BLE001 - then at least its unfinished copy, which may do
                logger.warning("an item could not be stored", extra={"error_type": type(exc).__name__})
        answer = context.answer
        answer.replace_unsaved([await guard.with_own_id(event) for event in answer.unsaved])
        for event in answer.unsaved:
            closed |= _ids_of_finished_items(event)
        return [item for item in answer.open_items() if item.id not in closed]

    async def _keep_unfinished(
        self, thread: ThreadMetadata, items: Iterable[ThreadItem], context: RequestContext
    ) -> None:
        """Store what was said and shown and is not finished, and what had not come to the store."""
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
    """Return how long after one storing of unfinished text the next is due, in seconds.

    The more answers are written at once, the less often each: all together some twenty a second.
    """
    return interval_s * max(1.0, active_runs / UNHURRIED_RUNS)


def checked(event: ThreadStreamEvent, state: AnswerState) -> NoticeEvent | None:
    """Look at the widget of an event that did not come through a turn; return what the chat shows of its mistakes.

    Raises:
        WidgetError: When it has mistakes, in tests.
    """
    if not isinstance(event, ThreadItemDoneEvent | ThreadItemAddedEvent | ThreadItemReplacedEvent):
        return None
    item = event.item
    # A document has been looked at when it was made, or comes from the store.
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


def _is_said(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemDoneEvent) and isinstance(event.item, AssistantMessageItem)


def _is_hidden(event: ThreadStreamEvent) -> bool:
    return isinstance(event, ThreadItemDoneEvent) and isinstance(event.item, HiddenContextItem | SDKHiddenContextItem)
