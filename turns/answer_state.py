"""AnswerState: the shared state of one answer in the making.

Each request has one. The parts that check, store, run, show and stop an answer do not know each other: they communicate
through the methods of this class.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chatkit.types import (
    ClientToolCallItem,
    StructuredInputItem,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadStreamEvent,
    WidgetItem,
)

from turns.answer_texts import AnswerTexts
from turns.approval_request import ApprovalRequest, PendingApproval
from turns.direct_text import DirectText
from turns.inbox import Inbox
from turns.run_record import StopReason
from turns.widget_checks import WidgetChecks

logger = logging.getLogger(__name__)

_STORED_EVENTS = (ThreadItemDoneEvent, ThreadItemReplacedEvent, ThreadItemRemovedEvent)


class AnswerState:
    """The answer in the making: the items it may write, what it waits for, how it is stopped, what remains to store.

    Attributes:
        is_new_thread: Whether this request has created its thread, which holds nothing but its message.
        texts: The platform's own texts.
        usage: The provider's token counts of this answer so far, under the provider's names.
        inner_usage: The part of them that is not streamed: of agents that are tools of others, and of guardrails.
        title_usage: The token counts of the title that the model has written meanwhile.
        error_id: The id of the error that ended the answer; None without one.
        direct_text: Shows a piece of text at once; None outside of a run.
        open_items: Returns the unfinished items that are shown, each with its content so far.
        tool_calls: The number of tool calls.
        failed_calls: Ids of tool calls that failed with a message for the model.
        question: The question to the person; the answer pauses until it is answered.
        client_call: The call of a client tool that the answer waits for.
        approvals: A batch of tool calls of which some need a person's approval.
        decided: The decided approval request that is carried out before the agent continues.
        is_whole: Whether the answer is complete, though its stream is still open: a stop no longer interrupts it.
        is_resumed: Whether the agent is to run again: the thread holds something that it has not seen.
        has_continued_run: Whether this answer has continued a run that was kept while it waited for decisions.
        replaced_sender: The new state of the widget that was clicked.
        widget_checks: Checks the widgets that the answer shows.
    """

    def __init__(self) -> None:
        self.is_new_thread = False
        self.texts = AnswerTexts()
        self.usage: dict[str, Any] = {}
        self.inner_usage: dict[str, Any] = {}
        self.title_usage: dict[str, Any] = {}
        self.error_id: str | None = None
        self.direct_text: DirectText | None = None
        self.open_items: Callable[[], Sequence[ThreadItem]] = tuple
        self.tool_calls = 0
        self.failed_calls: set[str] = set()
        self.question: StructuredInputItem | None = None
        self.client_call: ClientToolCallItem | None = None
        self.approvals: list[PendingApproval] = []
        self.decided: ApprovalRequest | None = None
        self.is_whole = False
        self.is_resumed = False
        self.has_continued_run = False
        self.replaced_sender: WidgetItem | None = None
        self.widget_checks = WidgetChecks()
        self._inbox: Inbox | None = None
        self._item_ids: set[str] = set()
        self._positions: dict[str, int] = {}
        self._unsaved: list[ThreadStreamEvent] = []
        self._stop_reason: StopReason | None = None
        self._cancel: Callable[[], object] | None = None
        self._is_cancelled = False
        self._stop_holds = 0

    # Events of tools, and pauses

    @property
    def inbox(self) -> Inbox:
        """The events that tools have put into the answer and that have not been taken yet."""
        if self._inbox is None:
            self._inbox = Inbox()
        return self._inbox

    @property
    def is_paused(self) -> bool:
        """Whether the answer waits for the person or the client, and continues in another request."""
        return bool(self.question or self.client_call or self.approvals)

    # Items that the answer may write

    def own(self, item_id: str) -> None:
        """Let this request write the item `item_id`, which it has created or may overwrite."""
        self._item_ids.add(item_id)

    def disown(self, item_id: str) -> None:
        """Treat an item as an older one from now on, which the answer may not overwrite by accident."""
        self._item_ids.discard(item_id)

    def owns(self, item_id: str) -> bool:
        """Return whether the request may write the item `item_id`."""
        return item_id in self._item_ids

    def reserve_position(self, item_id: str, position: int) -> None:
        """Remember the position in the thread that was reserved for an unfinished item."""
        self._positions[item_id] = position

    def position_of(self, item_id: str) -> int | None:
        """Return the position that was reserved for an item; None without a reservation."""
        return self._positions.get(item_id)

    # The remainder of an answer that is stopped or fails

    @property
    def unsaved(self) -> Sequence[ThreadStreamEvent]:
        """The events of a stopped answer that have not been stored yet."""
        return tuple(self._unsaved)

    def keep_for_store(self, events: Iterable[Any]) -> None:
        """Keep those of the remaining events that change the thread, so that they are stored after a stop."""
        try:
            for event in events:
                if isinstance(event, _STORED_EVENTS):
                    self._unsaved.append(event)
        except Exception as exc:  # noqa: BLE001 - the answer is over already
            logger.warning("the rest of a stopped answer is lost", extra={"error_type": type(exc).__name__})

    def replace_unsaved(self, events: Iterable[ThreadStreamEvent]) -> None:
        """Replace the unsaved events by `events`: the same ones, in a form that can be stored."""
        self._unsaved = list(events)

    # Stops

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the answer is being stopped; None while it is not."""
        return self._stop_reason

    def set_cancel(self, cancel: Callable[[], object]) -> None:
        """Set the function that cancels the task which drives the answer; called when that task has started.

        A task that is cancelled earlier never runs its body: until then, a stop only records its reason.
        """
        self._cancel = cancel

    def request_stop(self, reason: StopReason) -> bool:
        """Stop the answer now or, within `no_stop`, at the end of that block; the first reason counts.

        Returns:
            Whether this was the first request to stop.
        """
        if self._stop_reason is not None:
            return False
        self._stop_reason = reason
        self.cancel()
        return True

    def cancel(self) -> None:
        """Cancel the task that drives the answer, possibly again, unless a `no_stop` block is running."""
        if self._cancel is not None and self._stop_holds == 0:
            self._is_cancelled = True
            self._cancel()

    @contextmanager
    def no_stop(self) -> Iterator[None]:
        """Defer stops to the end of this block.

        For steps that must not be separated, such as storing an item and sending its event, and for clean-up.
        """
        self._stop_holds += 1
        try:
            yield
        finally:
            self._stop_holds -= 1
            if self._stop_reason is not None and not self._is_cancelled:
                self.cancel()
