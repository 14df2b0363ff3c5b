"""Approved calls: once all calls are decided, those that were allowed are made, shown as steps, and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from typing import TypeVar

from chatkit.types import ThreadItemDoneEvent, ThreadStreamEvent

from context import Turn
from streaming.answers.tool_labels import ToolLabel, build_task
from streaming.answers.tool_results import has_failed, result_text, returned_images
from streaming.answers.turn_events import turn_events
from streaming.answers.workflow_writer import WorkflowWriter
from streaming.approvals.decisions import RunCalls
from turns.approval_request import ApprovalRequest, PendingApproval

Result = TypeVar("Result")

_NOT_BEGUN = "This was not done: something stopped it before it began."


async def make_calls(turn: Turn, request: ApprovalRequest, run: RunCalls) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Make the calls that a person has allowed, and yield the events that they show.

    The results are stored in the place of the request; a call that is stopped in the middle has the result that its
    outcome is unknown.

    Args:
        turn: The turn whose answer continues with the calls.
        request: The request, of which all calls are decided.
        run: Makes the calls.
    """
    calls = [call for call in request.calls if call.decision == "allowed" and call.server is None]
    if not calls:
        return
    # The request's hidden item is from an earlier answer, and is overwritten with the results.
    turn.context.answer.own(request.id)
    steps = ApprovedCallSteps(turn, calls)
    for event in turn.context.answer.inbox.drain():
        yield event  # shown before the first call is made
    async with aclosing(turn_events(turn, _run_calls(turn, request, calls, steps, run))) as events:
        async for event in events:
            yield event


async def _run_calls(
    turn: Turn, request: ApprovalRequest, calls: Sequence[PendingApproval], steps: ApprovedCallSteps, run: RunCalls
) -> None:
    results: dict[str, str] = {}
    try:
        async with aclosing(run(calls)) as contents:
            async for content in contents:
                if content.call_id is not None:
                    results[content.call_id] = result_text(content)
                    steps.finish(content.call_id, is_failed=has_failed(content, turn.context.answer))
                    for image in returned_images(content.items or (), turn):
                        turn.emit(ThreadItemDoneEvent(item=image))
    except asyncio.CancelledError:
        memory = request.memory_item(turn.thread.id, results)
        turn.context.answer.keep_for_store([ThreadItemDoneEvent(item=memory)])
        raise
    except Exception:
        _emit_results(turn, request, steps, results)
        raise
    for call in calls:
        results.setdefault(call.call_id, _NOT_BEGUN)
    _emit_results(turn, request, steps, results)


def _emit_results(turn: Turn, request: ApprovalRequest, steps: ApprovedCallSteps, results: dict[str, str]) -> None:
    steps.close()
    turn.emit(ThreadItemDoneEvent(item=request.memory_item(turn.thread.id, results)))
    if (question := turn.context.answer.question) is not None:
        turn.emit(ThreadItemDoneEvent(item=question))


class ApprovedCallSteps:
    """Shows approved calls as steps of the answer, all of which begin at once."""

    def __init__(self, turn: Turn, calls: Sequence[PendingApproval]) -> None:
        self._turn = turn
        self._workflow = WorkflowWriter(turn)
        self._open = {
            call.call_id: self._emit(self._workflow.add(build_task(ToolLabel(call.title, call.icon)))) for call in calls
        }

    def finish(self, call_id: str, *, is_failed: bool) -> None:
        """Show that a call is done, or has failed."""
        index = self._open.pop(call_id, None)
        if index is not None:
            self._emit(self._workflow.finish(index, is_failed=is_failed))

    def close(self) -> None:
        """Show calls without a result as failed, and store the workflow."""
        for call_id in list(self._open):
            self.finish(call_id, is_failed=True)
        self._emit(self._workflow.close())

    def _emit(self, events: Generator[ThreadStreamEvent, None, Result]) -> Result:
        """Put events into the answer, and return the return value of their generator."""
        while True:
            try:
                self._turn.emit(next(events))
            except StopIteration as end:
                result: Result = end.value
                return result
