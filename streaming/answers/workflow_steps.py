"""The steps of an answer: tool calls, thoughts and searches, shown as they happen and remembered for later turns."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from agent_framework import Content
from chatkit.types import HiddenContextItem, ThreadItemDoneEvent, ThreadStreamEvent

from context import Turn
from framework.message_marks import read_replay
from streaming.answers.hosted_steps import HostedSteps
from streaming.answers.tool_labels import ToolLabel, build_task, humanize_name
from streaming.answers.tool_results import has_failed, result_text, returned_images
from streaming.answers.workflow_writer import Events, WorkflowWriter
from turns.approval_request import PendingApproval
from turns.clock import utc_now
from turns.tool_memory import REPLAY, remember_tool_calls


@dataclass(slots=True)
class _Call:
    """A tool call, whose arguments may arrive in pieces, and its result later."""

    task_index: int
    name: str
    arguments: str = ""
    result: str | None = None
    replay: dict[str, Any] | None = None


class Steps:
    """The steps of an answer: one workflow at a time, which opens with the first step.

    Args:
        turn: The turn that is answered.
        labels: The labels of our own tools, by name.

    Attributes:
        workflow: Shows the steps, and thoughts among them.
        hosted: Shows tools that the provider runs itself.
    """

    def __init__(self, turn: Turn, labels: Mapping[str, ToolLabel]) -> None:
        self._turn = turn
        self._answer = turn.context.answer
        self._labels = labels
        self._calls: dict[str, _Call] = {}
        self.workflow = WorkflowWriter(turn)
        self.hosted = HostedSteps(self.workflow, turn.context.answer)

    def find_call(self, call_id: str) -> tuple[str, str] | None:
        """Return the name and the arguments (JSON text) of a call; None when it was not seen."""
        call = self._calls.get(call_id)
        return (call.name, call.arguments or "{}") if call else None

    def replay_of(self, call_id: str) -> dict[str, Any] | None:
        """Return the data that the provider expects back with a call; None without any."""
        call = self._calls.get(call_id)
        return call.replay if call else None

    def label_of(self, name: str) -> ToolLabel:
        """Return the label of a tool: the author's, or one made from its name."""
        return self._labels.get(name) or ToolLabel(humanize_name(name))

    def function_call(self, content: Content) -> Events:
        """Show a call of one of our tools, or add a piece to its arguments."""
        call = self._calls.get(content.call_id or "")
        if call is not None and call.result is not None and content.name and content.merge_mode != "replace":
            # Some providers reuse ids in every round: this is another call. The earlier one stays in the memory under a
            # unique id.
            self._calls[f"call_{uuid4().hex}"] = self._calls.pop(content.call_id or "")
            call = None
        if call is None:
            if not content.call_id or not content.name:
                return  # a piece of a call whose beginning was not seen
            index = yield from self.workflow.add(build_task(self.label_of(content.name)))
            call = self._calls[content.call_id] = _Call(index, content.name)
        arguments = content.arguments or ""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
        call.arguments = text if content.merge_mode == "replace" else call.arguments + text
        call.replay = read_replay(content) or call.replay

    def function_result(self, content: Content) -> Events:
        """Show that a call is done or has failed, and the pictures that it has returned."""
        call = self._calls.get(content.call_id or "")
        if call is not None and call.result is None:
            yield from self._finish(call, result_text(content), is_failed=has_failed(content, self._answer))
            for item in returned_images(content.items or (), self._turn):
                yield ThreadItemDoneEvent(item=item)

    def forget_call(self, call_id: str) -> Events:
        """Show a call that the client carries out as neither running nor done, and forget it."""
        call = self._calls.pop(call_id, None)
        if call is not None:
            yield from self.workflow.pause(call.task_index, None)

    def result_of(self, call_id: str) -> str | None:
        """Return the result of a call for the model; None while it has none."""
        call = self._calls.get(call_id)
        return call.result if call else None

    def postpone(self, call_id: str, result: str) -> Events:
        """Show that a call is not made now, and set the result that tells the model so."""
        call = self._calls.get(call_id)
        if call is not None:
            call.result = result
            yield from self.workflow.pause(call.task_index, None)

    def pause_for_approval(
        self, call_ids: Collection[str]
    ) -> Generator[ThreadStreamEvent, None, list[PendingApproval]]:
        """Show that calls wait for the person; return them and those that have a result, in their order."""
        calls, self._calls = self._calls, {}
        handed_over: list[PendingApproval] = []
        for call_id, call in calls.items():
            if call.result is None and call_id not in call_ids:
                continue
            label = self.label_of(call.name)
            step = self.workflow.item_id if call.result is None else None
            if call.result is None:
                yield from self.workflow.pause(call.task_index, self._answer.texts.step_waits)
            pending = PendingApproval(call_id, call.name, call.arguments or "{}", label.title, label.icon)
            handed_over.append(
                replace(pending, step=step, step_index=call.task_index, result=call.result, replay=call.replay)
            )
        return handed_over

    def close(self) -> Events:
        """Finish the workflow, and store the results of its tools for later turns."""
        was_open = self.workflow.item_id is not None
        yield from self.workflow.close()
        self.hosted.clear()
        if was_open:
            for memory in self.take_memory():
                yield ThreadItemDoneEvent(item=memory)

    def fail(self) -> Events:
        """Finish the workflow after a failure: calls that have no result are shown as failed."""
        for call in self._calls.values():
            if call.result is None:
                yield from self._finish(call, "The answer stopped before this step was done.", is_failed=True)
        yield from self.close()

    def take_memory(self) -> Iterator[HiddenContextItem]:
        """Yield a hidden item with the tool results since the last call of this method, for later turns."""
        calls = [
            {
                "call_id": call_id,
                "name": call.name,
                "arguments": call.arguments or "{}",
                "result": call.result,
                **({REPLAY: call.replay} if call.replay else {}),
            }
            for call_id, call in self._calls.items()
            if call.result is not None
        ]
        self._calls.clear()
        if calls:
            yield HiddenContextItem(
                id=self._turn.new_id("message"),
                thread_id=self._turn.thread.id,
                created_at=utc_now(),
                content=remember_tool_calls(calls),
            )

    def _finish(self, call: _Call, result: str, *, is_failed: bool) -> Events:
        call.result = result
        yield from self.workflow.finish(call.task_index, is_failed=is_failed)
