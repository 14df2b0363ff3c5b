"""AnswerState: all that belongs to the answer in the making, with one owner.

A request has one. Those who check, store, run, show and stop an answer meet here, and nowhere else: what one of them
has to know of another is a verb of this class.
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

_STORED = (ThreadItemDoneEvent, ThreadItemReplacedEvent, ThreadItemRemovedEvent)


class AnswerState:
    """The answer in the making: what it may write, what it waits for, how it is stopped, what is left of it.

    Attributes:
        is_new_thread: Whether this request has created its thread, so that nothing but its message is in it.
        texts: The words of the platform itself.
        usage: The provider's token counts of this answer so far, as it named them.
        inner_usage: The part of them that nobody streams: of agents that are tools of others, and of guardrails.
        title_usage: The token counts of the title that the model has written meanwhile.
        error_id: The id of the error that ended the answer; None without one.
        direct_text: Shows a piece of text at once; None outside of a run.
        open_items: Returns the items that were shown and are not finished, as far as they are.
        tool_calls: How many calls of tools there were.
        failed_calls: Ids of tool calls that failed with a message for the model.
        question: The question to the person; the answer pauses until that is answered.
        client_call: The call of a client tool that the answer waits for.
        approvals: Tool calls of which a person has to allow some first.
        decided: The decisions that are to be carried out before the agent goes on.
        is_whole: Whether all is said and shown, though the stream goes on: whoever stops it now cuts nothing off.
        is_resumed: Whether the agent goes on: there is something in the thread that it does not know yet.
        has_continued_run: Whether a run that was kept while it waited for decisions has gone on in this answer.
        replaced_sender: The new state of the widget that was clicked.
        widget_checks: Looks at the widgets that the answer shows.
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
        self._holds = 0

    # What tools show, and whom the answer waits for

    @property
    def inbox(self) -> Inbox:
        """The events that tools have put into the answer and nobody has taken yet."""
        if self._inbox is None:
            self._inbox = Inbox()
        return self._inbox

    @property
    def is_paused(self) -> bool:
        """Whether the answer waits for somebody: it goes on in another request."""
        return bool(self.question or self.client_call or self.approvals)

    # Items that the answer may write

    def own(self, item_id: str) -> None:
        """Let this request write the item `item_id`: it came up here, or is meant to be written again."""
        self._item_ids.add(item_id)

    def disown(self, item_id: str) -> None:
        """Take an item for an older one from here on, which no answer may overwrite by accident."""
        self._item_ids.discard(item_id)

    def owns(self, item_id: str) -> bool:
        """Say whether the request may write the item `item_id`."""
        return item_id in self._item_ids

    def reserve(self, item_id: str, position: int) -> None:
        """Note the place in the thread that was taken for an item before it was finished."""
        self._positions[item_id] = position

    def position_of(self, item_id: str) -> int | None:
        """Return the place that was taken for an item; None when none was."""
        return self._positions.get(item_id)

    # What is left of an answer that is stopped or fails

    @property
    def unsaved(self) -> Sequence[ThreadStreamEvent]:
        """The events that were shown or done and had not come to the store when the answer was stopped."""
        return tuple(self._unsaved)

    def keep_for_store(self, events: Iterable[Any]) -> None:
        """Keep those of the remaining events that change the thread, to be stored after a stop."""
        try:
            for event in events:
                if isinstance(event, _STORED):
                    self._unsaved.append(event)
        except Exception as exc:  # noqa: BLE001 - the answer is over already
            logger.warning("the rest of a stopped answer is lost", extra={"error_type": type(exc).__name__})

    def replace_unsaved(self, events: Iterable[ThreadStreamEvent]) -> None:
        """Replace the unsaved events by `events`: the same ones, in a form that can be stored."""
        self._unsaved = list(events)

    # How the answer is stopped

    @property
    def stop_reason(self) -> StopReason | None:
        """Why it is being stopped; None while it is not."""
        return self._stop_reason

    def begin(self, cancel: Callable[[], object]) -> None:
        """Note how the task that drives the answer is cancelled, when it has taken its first step.

        A task that is cancelled before that never runs: until then a stop only leaves its reason.
        """
        self._cancel = cancel

    def request_stop(self, reason: StopReason) -> bool:
        """Stop the answer, at once or as soon as it may be stopped; of several reasons the first one counts.

        Returns:
            Whether this was the first.
        """
        if self._stop_reason is not None:
            return False
        self._stop_reason = reason
        self.cancel()
        return True

    def cancel(self) -> None:
        """Cancel the task that drives the answer, once more if need be, unless it may not be stopped now."""
        if self._cancel is not None and self._holds == 0:
            self._is_cancelled = True
            self._cancel()

    @contextmanager
    def no_stop(self) -> Iterator[None]:
        """Let nobody stop the answer within this block; a stop that comes meanwhile takes effect at its end.

        For what belongs together: what is stored and the event that tells it, or a clean-up that has begun.
        """
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if self._stop_reason is not None and not self._is_cancelled:
                self.cancel()
