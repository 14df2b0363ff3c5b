"""Writes workflow items: their tasks, a growing thought among them, and their summary."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_framework import Content
from chatkit.types import (
    CustomSummary,
    DurationSummary,
    Task,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)

from context import Turn
from text.surrogates import ends_with_high_surrogate, join_surrogates
from turns.clock import utc_now

Events = Generator[ThreadStreamEvent, None, None]


@dataclass(slots=True)
class _Thought:
    """The thought that is being streamed.

    Attributes:
        key: The provider's id of the thought.
        task_index: The index of its task in the workflow.
        sent: The number of characters that were sent to the client.
        pending_surrogate: The first half of a surrogate pair whose second half has not come yet; else empty.
    """

    key: str | None
    task_index: int
    sent: int = 0
    pending_surrogate: str = ""


class WorkflowWriter:
    """Writes one workflow item at a time, which opens with its first task; without an open item, changes do nothing."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._answer = turn.context.answer
        self._item: WorkflowItem | None = None
        self._began_at: datetime | None = None
        self._thought: _Thought | None = None

    @property
    def item_id(self) -> str | None:
        """The id of the open item; None when none is open."""
        return self._item.id if self._item is not None else None

    def task(self, index: int) -> Any:
        """Return a task of the open item; None when none is open."""
        return self._item.workflow.tasks[index] if self._item is not None else None

    def add(self, task: Task) -> Generator[ThreadStreamEvent, None, int]:
        """Append a task, after closing an open thought, and return its index."""
        yield from self._close_thought()
        return (yield from self._append_task(task, "custom"))

    def set(self, index: int, task: Task) -> Events:
        """Replace a task."""
        if self._item is not None:
            self._item.workflow.tasks[index] = task
            yield ThreadItemUpdatedEvent(item_id=self._item.id, update=WorkflowTaskUpdated(task_index=index, task=task))

    def change(self, index: int, **change: Any) -> Events:
        """Change fields of a task."""
        if self._item is not None:
            yield from self.set(index, self._item.workflow.tasks[index].model_copy(update=change))

    def finish(self, index: int, *, is_failed: bool) -> Events:
        """Show that a task is done, or has failed."""
        if is_failed:
            # ChatKit has no status "failed": a sentence takes the place of the tick.
            yield from self.change(index, status_indicator="none", content=self._answer.texts.step_failed)
        else:
            yield from self.change(index, status_indicator="complete")

    def pause(self, index: int, content: str | None) -> Events:
        """Show that a task neither runs nor is done, with a sentence that says why."""
        yield from self.change(index, status_indicator="none", content=content)

    def stream_thought(self, content: Content) -> Events:
        """Stream a thought of a reasoning model."""
        text = content.text or ""
        if not text:
            if content.merge_mode == "replace":
                yield from self._withdraw_thought()
            return
        if self._thought is None or (content.id and self._thought.key and content.id != self._thought.key):
            yield from self._close_thought()
            index = yield from self._append_task(ThoughtTask(content="", status_indicator="loading"), "reasoning")
            self._thought = _Thought(content.id, index)
        thought = self._thought
        tasks = self._item.workflow.tasks if self._item is not None else []
        task = tasks[thought.task_index]
        earlier_text = "" if content.merge_mode == "replace" else getattr(task, "content", "")
        text = text if content.merge_mode == "replace" else thought.pending_surrogate + text
        thought.pending_surrogate = text[-1] if ends_with_high_surrogate(text) else ""
        full_text = earlier_text + join_surrogates(text.removesuffix(thought.pending_surrogate))
        tasks[thought.task_index] = task.model_copy(update={"content": full_text})
        # An update repeats the whole thought: send it when it has grown by an eighth, not for each word.
        if len(full_text) - thought.sent >= max(24, thought.sent // 8):
            thought.sent = len(full_text)
            yield from self.set(thought.task_index, tasks[thought.task_index])

    def close(self) -> Events:
        """Finish the item, if one is open: running tasks count as done."""
        yield from self._close_thought()
        item, self._item = self._item, None
        if item is None:
            return
        tasks = item.workflow.tasks
        for index, task in enumerate(tasks):
            if task.status_indicator == "loading":
                tasks[index] = task.model_copy(update={"status_indicator": "complete"})
        if item.workflow.type == "reasoning":
            elapsed = (utc_now() - (self._began_at or utc_now())).total_seconds()
            item.workflow.summary = DurationSummary(duration=max(1, round(elapsed)))
        else:
            title = getattr(tasks[0], "title", None) if len(tasks) == 1 else None
            item.workflow.summary = CustomSummary(title=title or self._answer.texts.steps.format(count=len(tasks)))
        yield ThreadItemDoneEvent(item=item)

    def _close_thought(self) -> Events:
        thought, self._thought = self._thought, None
        if thought is not None and self._item is not None:
            change = {"status_indicator": "complete"}
            if thought.pending_surrogate:
                change["content"] = getattr(self.task(thought.task_index), "content", "") + "\ufffd"
            yield from self.change(thought.task_index, **change)

    def _withdraw_thought(self) -> Events:
        """Remove the open thought, which has turned out not to be one."""
        thought, self._thought = self._thought, None
        item = self._item
        if thought is None or item is None:
            return
        if len(item.workflow.tasks) == 1:
            self._item = None
            yield ThreadItemRemovedEvent(item_id=item.id)
            return
        # The protocol has no way to remove a task.
        yield from self.change(thought.task_index, content="", status_indicator="complete")

    def _append_task(self, task: Task, kind: str) -> Generator[ThreadStreamEvent, None, int]:
        if self._item is None:
            self._began_at = utc_now()
            self._item = WorkflowItem(
                id=self._turn.new_id("workflow"),
                thread_id=self._turn.thread.id,
                created_at=self._began_at,
                workflow=Workflow(type="reasoning" if kind == "reasoning" else "custom", tasks=[], expanded=False),
            )
            yield ThreadItemAddedEvent(item=self._item.model_copy(deep=True))
        tasks = self._item.workflow.tasks
        tasks.append(task)
        index = len(tasks) - 1
        yield ThreadItemUpdatedEvent(item_id=self._item.id, update=WorkflowTaskAdded(task_index=index, task=task))
        return index
