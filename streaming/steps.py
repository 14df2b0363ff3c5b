"""The steps of an answer: a workflow of thoughts, tool calls and searches, streamed as they happen."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import uuid4

from agent_framework import Content
from chatkit.types import (
    CustomSummary,
    CustomTask,
    DurationSummary,
    FileTask,
    HiddenContextItem,
    SearchTask,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from pydantic import ValidationError

from context import AnswerTexts, Turn, utc_now
from lean_updates import ends_in_half, joined_halves
from streaming.agent_messages import REPLAY, remember_tool_calls, replay_of
from streaming.approval_requests import PendingApproval
from streaming.inner_agents import tools_within
from streaming.searches import file_sources, queries_of, web_task
from streaming.tool_results import result_text, returned_images

logger = logging.getLogger(__name__)

Events = Iterator[ThreadStreamEvent]
AnyTask = CustomTask | SearchTask | ThoughtTask | FileTask

_HOSTED: dict[str, tuple[Callable[[AnswerTexts], str], str]] = {
    "code_interpreter_tool": (attrgetter("running_code"), "square-code"),
    "mcp_server_tool": (attrgetter("remote_tool"), "globe"),
    "shell_tool": (attrgetter("running_command"), "square-code"),
    "computer_tool": (attrgetter("using_computer"), "desktop"),
}
"""Tools that the provider runs itself: the beginning of their content types, and how they are shown."""


@dataclass(frozen=True, slots=True)
class ToolLabel:
    """How a tool's call is shown: set `additional_properties={"title": …, "icon": …}` on the tool."""

    title: str
    icon: str | None = None


def tool_labels(agent: Any) -> dict[str, ToolLabel]:
    """Return the labels that the author gave to the tools of an agent, or of a workflow's agents, by tool name."""
    labels: dict[str, ToolLabel] = {}
    for tool in tools_within(agent):
        properties = getattr(tool, "additional_properties", None) or {}
        name = getattr(tool, "name", None)
        if name and (title := properties.get("title")):
            labels[name] = ToolLabel(str(title), properties.get("icon"))
    return labels


@dataclass(slots=True)
class _Call:
    """A tool call on its way: its arguments may arrive in pieces, its result later, and what its server wants back."""

    task_index: int
    name: str
    arguments: str = ""
    result: str | None = None
    replay: dict[str, Any] | None = None


@dataclass(slots=True)
class _Thought:
    """The thought that is being streamed.

    Attributes:
        key: The provider's id of it.
        task_index: Its place.
        sent: How many characters the client has.
        half: The first half of a character whose second half has not come yet, or nothing.
    """

    key: str | None
    task_index: int
    sent: int = 0
    half: str = ""


class Steps:
    """One workflow at a time. It opens with the first step and closes where something else begins."""

    def __init__(self, turn: Turn, labels: Mapping[str, ToolLabel]) -> None:
        self._turn = turn
        self._labels = labels
        self._item: WorkflowItem | None = None
        self._began_at: datetime | None = None
        self._calls: dict[str, _Call] = {}
        self._hosted: dict[str, int] = {}
        self._thought: _Thought | None = None

    def arguments_of(self, call_id: str) -> tuple[str, str] | None:
        """Return name and arguments (JSON text) of a call that was seen; None when it was not."""
        call = self._calls.get(call_id)
        return (call.name, call.arguments or "{}") if call else None

    def replay_of(self, call_id: str) -> dict[str, Any] | None:
        """Return what the server that made a call wants back with it; None for nothing."""
        call = self._calls.get(call_id)
        return call.replay if call else None

    def label_of(self, name: str) -> ToolLabel:
        """Return how a tool is called in the chat."""
        return self._labels.get(name) or ToolLabel(_humanized(name))

    def function_call(self, content: Content) -> Events:
        """Show a call of one of our tools, or add a piece to its arguments."""
        call = self._calls.get(content.call_id or "")
        if call is not None and call.result is not None and content.name and content.merge_mode != "replace":
            # Some servers begin to count anew in every round: this is another call. The one before keeps its place in
            # the memory under an id that is its own.
            self._calls[f"call_{uuid4().hex}"] = self._calls.pop(content.call_id or "")
            call = None
        if call is None:
            if not content.call_id or not content.name:
                return  # a piece of a call whose beginning was never seen
            index = yield from self._add(custom_task(self.label_of(content.name)))
            call = self._calls[content.call_id] = _Call(index, content.name)
        arguments = content.arguments or ""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
        call.arguments = text if content.merge_mode == "replace" else call.arguments + text
        call.replay = replay_of(content) or call.replay

    def function_result(self, content: Content) -> Events:
        """Show that a call is done, or failed, and the pictures that it has returned."""
        call = self._calls.get(content.call_id or "")
        if call is not None and call.result is None:
            is_failed = bool(content.exception) or content.call_id in self._turn.failed_calls
            yield from self._finish(call, result_text(content), is_failed=is_failed)
            for item in returned_images(content.items or (), self._turn):
                yield ThreadItemDoneEvent(item=item)

    def forget_call(self, call_id: str) -> Events:
        """Show no more of a call that goes on elsewhere, with the client: neither that it runs nor that it is done."""
        call = self._calls.pop(call_id, None)
        if call is not None:
            yield from self._pause(call, None)

    def result_of(self, call_id: str) -> str | None:
        """Return what the model is told of a call; None while nothing has come of it."""
        call = self._calls.get(call_id)
        return call.result if call else None

    def postpone(self, call_id: str, result: str) -> Events:
        """Show that a call is not made now, and let the model know."""
        call = self._calls.get(call_id)
        if call is not None:
            call.result = result
            yield from self._pause(call, None)

    def wait(self, call_ids: Collection[str]) -> Generator[ThreadStreamEvent, None, list[PendingApproval]]:
        """Show that these calls wait for the person; hand them over with those that have a result, in their order."""
        calls, self._calls = self._calls, {}
        handed_over: list[PendingApproval] = []
        for call_id, call in calls.items():
            if call.result is None and call_id not in call_ids:
                continue
            label = self.label_of(call.name)
            step = self._item.id if self._item is not None and call.result is None else None
            if call.result is None:
                yield from self._pause(call, self._turn.texts.step_waits)
            pending = PendingApproval(call_id, call.name, call.arguments or "{}", label.title, label.icon)
            handed_over.append(
                replace(pending, step=step, step_index=call.task_index, result=call.result, replay=call.replay)
            )
        return handed_over

    def thought(self, content: Content) -> Events:
        """Stream a thought of a reasoning model."""
        text = content.text or ""
        if not text:
            return
        if self._thought is None or (content.id and self._thought.key and content.id != self._thought.key):
            yield from self._close_thought()
            index = yield from self._add(ThoughtTask(content="", status_indicator="loading"), kind="reasoning")
            self._thought = _Thought(content.id, index)
        thought = self._thought
        tasks = self._item.workflow.tasks if self._item is not None else []
        task = tasks[thought.task_index]
        known = "" if content.merge_mode == "replace" else getattr(task, "content", "")
        text = text if content.merge_mode == "replace" else thought.half + text
        thought.half = text[-1] if ends_in_half(text) else ""
        whole = known + joined_halves(text.removesuffix(thought.half))
        tasks[thought.task_index] = task.model_copy(update={"content": whole})
        # The protocol repeats the whole thought each time: send it when it has grown by a share, not by a word.
        if len(whole) - thought.sent >= max(24, thought.sent // 8):
            thought.sent = len(whole)
            yield from self._set(thought.task_index, tasks[thought.task_index])

    def search_call(self, content: Content) -> Events:
        """Show a search that the provider runs."""
        key = content.call_id or "search"
        task: SearchTask | FileTask
        if content.tool_name == "file_search":
            queries, title = queries_of(content.arguments), self._turn.texts.file_search
            task = FileTask(title=f"{title}: {queries[0]}" if queries else title)
        else:
            task = web_task(content.arguments, self._turn.texts.web_search)
        task.status_indicator = "loading"
        if key in self._hosted:
            yield from self._set(self._hosted[key], task)
        else:
            self._hosted[key] = yield from self._add(task)

    def search_result(self, content: Content) -> Events:
        """Show what a search has found."""
        key = content.call_id or "search"
        if key not in self._hosted:
            yield from self.search_call(content)
        if self._item is None:
            return
        index = self._hosted[key]
        task = self._item.workflow.tasks[index]
        change: dict[str, Any] = {"status_indicator": "complete"}
        if isinstance(task, SearchTask):
            # As a rule only the result tells what was done.
            found = web_task(content.result, task.title)
            change["title"] = found.title
            change["queries"] = found.queries or task.queries
            change["title_query"] = next(iter(change["queries"]), None)
            change["sources"] = found.sources
        elif isinstance(task, FileTask):
            change["sources"] = list(file_sources(content.result))
        yield from self._set(index, task.model_copy(update=change))

    def hosted_call(self, content: Content) -> Events:
        """Show a tool that the provider runs itself."""
        key = content.call_id or content.type
        if key not in self._hosted:
            title, icon = next(label for kind, label in _HOSTED.items() if content.type.startswith(kind))
            name = getattr(content, "tool_name", None)
            label = ToolLabel(_humanized(name) if name else title(self._turn.texts), icon)
            self._hosted[key] = yield from self._add(custom_task(label))

    def hosted_result(self, content: Content) -> Events:
        """Show that such a tool is done."""
        index = self._hosted.get(content.call_id or content.type.replace("_result", "_call"))
        if index is not None and self._item is not None:
            task = self._item.workflow.tasks[index]
            yield from self._set(index, task.model_copy(update={"status_indicator": "complete"}))

    def close(self) -> Events:
        """Finish the workflow, and store what its tools returned for later turns."""
        yield from self._close_thought()
        item, self._item = self._item, None
        self._hosted.clear()
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
            item.workflow.summary = CustomSummary(title=title or self._turn.texts.steps.format(count=len(tasks)))
        yield ThreadItemDoneEvent(item=item)
        for memory in self.unsaved_memory():
            yield ThreadItemDoneEvent(item=memory)

    def fail(self) -> Events:
        """Finish the workflow after a failure: calls that have no result are shown as failed."""
        for call in self._calls.values():
            if call.result is None:
                yield from self._finish(call, "The answer stopped before this step was done.", is_failed=True)
        yield from self.close()

    def unsaved_memory(self) -> Iterator[HiddenContextItem]:
        """Return what tools have returned since the last call, for later turns; ChatKit hides it from the browser."""
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

    def _pause(self, call: _Call, content: str | None) -> Events:
        if self._item is not None:
            task = self._item.workflow.tasks[call.task_index]
            change = {"status_indicator": "none", "content": content}
            yield from self._set(call.task_index, task.model_copy(update=change))

    def _finish(self, call: _Call, result: str, *, is_failed: bool) -> Events:
        call.result = result
        if self._item is None:
            return
        task = self._item.workflow.tasks[call.task_index]
        # ChatKit has no "failed": no tick, and a sentence instead.
        change: dict[str, Any] = (
            {"status_indicator": "none", "content": self._turn.texts.step_failed}
            if is_failed
            else {"status_indicator": "complete"}
        )
        yield from self._set(call.task_index, task.model_copy(update=change))

    def _close_thought(self) -> Events:
        thought, self._thought = self._thought, None
        if thought is not None and self._item is not None:
            task = self._item.workflow.tasks[thought.task_index]
            change = {"status_indicator": "complete"}
            if thought.half:
                change["content"] = getattr(task, "content", "") + "\ufffd"
            yield from self._set(thought.task_index, task.model_copy(update=change))

    def _add(self, task: AnyTask, kind: str = "custom") -> Generator[ThreadStreamEvent, None, int]:
        if kind != "reasoning":
            yield from self._close_thought()
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

    def _set(self, index: int, task: Any) -> Events:
        if self._item is not None:
            self._item.workflow.tasks[index] = task
            yield ThreadItemUpdatedEvent(item_id=self._item.id, update=WorkflowTaskUpdated(task_index=index, task=task))


def is_hosted(content_type: str) -> bool:
    """Say whether a content type is of a tool that the provider runs itself, and that has no display of its own."""
    return content_type.startswith(tuple(_HOSTED))


def _humanized(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()


def custom_task(label: ToolLabel) -> CustomTask:
    """Return the task of a step that has begun."""
    try:
        return CustomTask(title=label.title, icon=label.icon, status_indicator="loading")
    except ValidationError:
        logger.warning("tool icon unknown to chatkit", extra={"icon": label.icon})
        return CustomTask(title=label.title, status_indicator="loading")
