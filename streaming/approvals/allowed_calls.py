"""What happens when all is decided: the calls that were allowed are made, shown as steps, and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from chatkit.types import (
    CustomSummary,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)

from context import Turn
from streaming.answers.tool_results import result_text, returned_images
from streaming.answers.turn_events import turn_events
from streaming.answers.workflow_steps import ToolLabel, custom_task
from streaming.approvals.decisions import RunCalls
from turns.approval_request import ApprovalRequest, PendingApproval
from turns.clock import utc_now

_NOTHING = "This was not done: something stopped it before it began."


async def make_calls(turn: Turn, request: ApprovalRequest, run: RunCalls) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Make the calls that a person has allowed, and return what they show.

    What came of them is stored in the place of the request; of those that are stopped in the middle, that nothing is
    known.

    Args:
        turn: The answer that goes on with it.
        request: All of it is decided.
        run: Makes calls.
    """
    calls = [call for call in request.calls if call.decision == "allowed" and call.server is None]
    if not calls:
        return
    # The memory of the request is an older item; it is meant to be written again.
    turn.context.answer.own(request.id)
    steps = _Steps(turn, calls)
    for event in turn.context.answer.inbox.drain():
        yield event  # on the way before the first call is made
    async with aclosing(turn_events(turn, _make_calls(turn, request, calls, steps, run))) as events:
        async for event in events:
            yield event


async def _make_calls(
    turn: Turn, request: ApprovalRequest, calls: Sequence[PendingApproval], steps: _Steps, run: RunCalls
) -> None:
    results: dict[str, str] = {}
    try:
        async with aclosing(run(calls)) as contents:
            async for content in contents:
                if content.call_id is not None:
                    results[content.call_id] = result_text(content)
                    is_failed = bool(content.exception) or content.call_id in turn.context.answer.failed_calls
                    steps.finish(content.call_id, is_failed=is_failed)
                    for image in returned_images(content.items or (), turn):
                        turn.emit(ThreadItemDoneEvent(item=image))
    except asyncio.CancelledError:
        memory = request.memory_item(turn.thread.id, results)
        turn.context.answer.keep_for_store([ThreadItemDoneEvent(item=memory)])
        raise
    except Exception:
        _end(turn, request, steps, results)
        raise
    for call in calls:
        results.setdefault(call.call_id, _NOTHING)
    _end(turn, request, steps, results)


def _end(turn: Turn, request: ApprovalRequest, steps: _Steps, results: dict[str, str]) -> None:
    steps.close()
    turn.emit(ThreadItemDoneEvent(item=request.memory_item(turn.thread.id, results)))
    if (question := turn.context.answer.question) is not None:
        turn.emit(ThreadItemDoneEvent(item=question))


class _Steps:
    """The workflow of these calls: all of them begin at once."""

    def __init__(self, turn: Turn, calls: list[PendingApproval]) -> None:
        self._turn = turn
        self._texts = turn.context.answer.texts
        self._open = {call.call_id: index for index, call in enumerate(calls)}
        self._item = WorkflowItem(
            id=turn.new_id("workflow"),
            thread_id=turn.thread.id,
            created_at=utc_now(),
            workflow=Workflow(type="custom", tasks=[], expanded=False),
        )
        turn.emit(ThreadItemAddedEvent(item=self._item.model_copy(deep=True)))
        for index, call in enumerate(calls):
            task = custom_task(ToolLabel(call.title, call.icon))
            self._item.workflow.tasks.append(task)
            self._update(WorkflowTaskAdded(task_index=index, task=task))

    def finish(self, call_id: str, *, is_failed: bool) -> None:
        """Show that a call is done, or failed."""
        index = self._open.pop(call_id, None)
        if index is None:
            return
        change: dict[str, Any] = (
            {"status_indicator": "none", "content": self._texts.step_failed}
            if is_failed
            else {"status_indicator": "complete"}
        )
        task = self._item.workflow.tasks[index].model_copy(update=change)
        self._item.workflow.tasks[index] = task
        self._update(WorkflowTaskUpdated(task_index=index, task=task))

    def close(self) -> None:
        """Show that what is not done has failed, and store the workflow."""
        for call_id in list(self._open):
            self.finish(call_id, is_failed=True)
        tasks = self._item.workflow.tasks
        title = getattr(tasks[0], "title", None) if len(tasks) == 1 else None
        self._item.workflow.summary = CustomSummary(title=title or self._texts.steps.format(count=len(tasks)))
        self._turn.emit(ThreadItemDoneEvent(item=self._item))

    def _update(self, update: Any) -> None:
        self._turn.emit(ThreadItemUpdatedEvent(item_id=self._item.id, update=update))
