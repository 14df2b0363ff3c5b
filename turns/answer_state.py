"""AnswerState: the shared state of one answer in the making.

Each request has one. The parts that check, store, run, show and stop an answer do not know each other: they communicate
through the methods of this class.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any

from chatkit.types import (
    ClientToolCallItem,
    StructuredInputItem,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WidgetItem,
)

from errors import new_error_id
from turns.answer_texts import AnswerTexts
from turns.approval_request import ApprovalRequest, PendingApproval
from turns.direct_text import DirectText
from turns.inbox import Inbox
from turns.run_record import StopReason
from turns.token_counts import Counts, add_counts
from turns.widget_checks import Environment, WidgetChecks

logger = logging.getLogger(__name__)

ASKING_RULE = "ask one to ten questions, and once in an answer"
"""The text for an author who asks otherwise."""

_STORED_EVENTS = (ThreadItemDoneEvent, ThreadItemReplacedEvent, ThreadItemRemovedEvent)


class AnswerState:
    """The answer in the making: the items it may write, what it waits for, how it is stopped, what remains to store.

    Others read it, and change it by its methods only. A property costs a call, so the parts that each piece of text
    passes keep what they need of it when an answer begins.
    """

    def __init__(self) -> None:
        self._is_new_thread = False
        self._texts = AnswerTexts()
        self._widget_checks = WidgetChecks()
        self._usage: Counts = {}
        self._inner_usage: Counts = {}
        self._title_usage: Counts = {}
        self._error_id: str | None = None
        self._is_whole = False
        self._direct_text: DirectText | None = None
        self._open_items: Callable[[], Sequence[ThreadItem]] = tuple
        self._tool_calls = 0
        self._failed_calls: set[str] = set()
        self._inbox: Inbox | None = None
        self._question: StructuredInputItem | None = None
        self._client_call: ClientToolCallItem | None = None
        self._approvals: list[PendingApproval] = []
        self._decided: ApprovalRequest | None = None
        self._is_resumed = False
        self._has_continued_run = False
        self._replaced_sender: WidgetItem | None = None
        self._item_ids: set[str] = set()
        self._positions: dict[str, int] = {}
        self._unsaved: list[ThreadStreamEvent] = []
        self._stop_reason: StopReason | None = None
        self._cancel: Callable[[], object] | None = None
        self._is_cancelled = False
        self._stop_holds = 0

    # The beginning: the thread, the texts, the checks, the log

    @property
    def is_new_thread(self) -> bool:
        """Whether this request has created its thread, which holds nothing but its message."""
        return self._is_new_thread

    def mark_thread_as_new(self) -> None:
        """Remember that this request creates its thread."""
        self._is_new_thread = True

    @property
    def texts(self) -> AnswerTexts:
        """The platform's own texts."""
        return self._texts

    def use_texts(self, texts: AnswerTexts) -> None:
        """Use a use case's texts from now on, in place of the English ones."""
        self._texts = texts

    @property
    def widget_checks(self) -> WidgetChecks:
        """Checks the widgets that the answer shows."""
        return self._widget_checks

    def enable_widget_checks(self, environment: Environment, actions: Collection[str] | None = None) -> None:
        """Check widgets from now on as `WidgetChecks` does for this environment and these actions."""
        self._widget_checks = WidgetChecks(environment, actions)

    @property
    def direct_text(self) -> DirectText | None:
        """Shows a piece of text at once; None outside of a run."""
        return self._direct_text

    def open_items(self) -> Sequence[ThreadItem]:
        """Return the unfinished items that are shown, each with its content so far; none outside of a run."""
        return self._open_items()

    def connect_to_log(
        self, open_items: Callable[[], Sequence[ThreadItem]], show: Callable[[ThreadItemUpdatedEvent], None]
    ) -> None:
        """Connect the answer to the log of the run that produces it.

        Args:
            open_items: Returns the unfinished items of the log.
            show: Appends a piece of text to the log.
        """
        self._open_items = open_items
        self._direct_text = DirectText(show)

    # The record of the run: tokens, calls, failure, end

    @property
    def usage(self) -> Mapping[str, Any]:
        """The provider's token counts of this answer so far, under the provider's names."""
        return self._usage

    @property
    def total_usage(self) -> Mapping[str, Any]:
        """The token counts of this answer and of the title that the model has written meanwhile."""
        return add_counts(self._usage, self._title_usage) if self._title_usage else self._usage

    def record_usage(self, streamed: Mapping[str, Any]) -> None:
        """Replace the token counts of what is streamed by newer ones; those from `add_usage` stay in the sum."""
        self._usage = add_counts(streamed, self._inner_usage)

    def add_usage(self, counts: Mapping[str, Any]) -> None:
        """Add token counts of what is not streamed: agents that are tools of others, guardrails, an author's runs."""
        self._inner_usage = add_counts(self._inner_usage, counts)
        self._usage = add_counts(self._usage, counts)

    def record_title_usage(self, counts: Mapping[str, Any]) -> None:
        """Keep the token counts of the thread's title, which the model has written beside the answer."""
        self._title_usage = dict(counts)

    @property
    def tool_calls(self) -> int:
        """The number of tool calls."""
        return self._tool_calls

    def count_tool_call(self) -> None:
        """Count a tool call that begins."""
        self._tool_calls += 1

    @property
    def failed_calls(self) -> AbstractSet[str]:
        """Ids of tool calls that failed with a message for the model."""
        return self._failed_calls

    def mark_call_failed(self, call_id: str) -> None:
        """Remember that a tool call failed; its step is shown as failed, whatever the model reads."""
        self._failed_calls.add(call_id)

    @property
    def error_id(self) -> str | None:
        """The id of the error that ended the answer; None without one."""
        return self._error_id

    def mark_failed(self) -> str:
        """Mark the answer as failed, and return the new id of its error, for the log and the person."""
        self._error_id = new_error_id()
        return self._error_id

    @property
    def is_whole(self) -> bool:
        """Whether the answer is complete, though its stream is still open: a stop no longer interrupts it."""
        return self._is_whole

    def mark_whole(self) -> None:
        """Mark the answer as complete."""
        self._is_whole = True

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
        return bool(self._question or self._client_call or self._approvals)

    @property
    def question(self) -> StructuredInputItem | None:
        """The question to the person; the answer pauses until it is answered."""
        return self._question

    def ask(self, question: StructuredInputItem) -> None:
        """Pause the answer until the person has answered `question`.

        Raises:
            ValueError: When this answer has asked before: the person sees one question at a time.
        """
        if self._question is not None:
            raise ValueError(ASKING_RULE)
        self._question = question

    @property
    def client_call(self) -> ClientToolCallItem | None:
        """The call of a client tool that the answer waits for."""
        return self._client_call

    def wait_for_client_tool(self, call: ClientToolCallItem) -> bool:
        """Pause the answer until the client has run `call`.

        Returns:
            False when the answer waits for another call already, since ChatKit takes one at a time.
        """
        if self._client_call is not None:
            return False
        self._client_call = call
        return True

    @property
    def approvals(self) -> Sequence[PendingApproval]:
        """A batch of tool calls of which some need a person's approval."""
        return self._approvals

    def request_approval(self, call: PendingApproval) -> None:
        """Pause the answer until the person has decided about `call`, and about those that were requested before."""
        self._approvals.append(call)

    def replace_approvals(self, batch: Iterable[PendingApproval]) -> None:
        """Wait for the calls in `batch` in place of those requested: the same ones, with what the card shows."""
        self._approvals[:] = batch

    def postpone_approvals(self) -> None:
        """Wait for no approval: the model asks again, at once or after the person has answered the question."""
        self._approvals.clear()
        self._is_resumed = self._question is None

    # The continuation after a pause or a click

    @property
    def decided(self) -> ApprovalRequest | None:
        """The decided approval request that is carried out before the agent continues."""
        return self._decided

    def decide(self, request: ApprovalRequest) -> None:
        """Carry out an approval request that is wholly decided, and run the agent again after it."""
        self._decided = request
        self.resume()

    @property
    def has_continued_run(self) -> bool:
        """Whether this answer has continued a run that was kept while it waited for decisions."""
        return self._has_continued_run

    def mark_run_continued(self) -> None:
        """Remember that the kept run is continued: another run of the agent starts from the thread."""
        self._has_continued_run = True

    @property
    def is_resumed(self) -> bool:
        """Whether the agent is to run again: the thread holds something that it has not seen."""
        return self._is_resumed

    def resume(self) -> None:
        """Run the agent again."""
        self._is_resumed = True

    def mark_agent_started(self) -> None:
        """Remember that the agent runs, and has seen all that the thread holds."""
        self._is_resumed = False

    @property
    def replaced_sender(self) -> WidgetItem | None:
        """The new state of the widget that was clicked; None when it is unchanged or gone."""
        return self._replaced_sender

    def replace_sender(self, item: WidgetItem | None) -> None:
        """Keep the new state of the widget that was clicked; None takes a replacement back."""
        self._replaced_sender = item

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
