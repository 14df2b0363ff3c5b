"""Steps of tools that the provider runs itself: searches, and others of which only begin and end are known."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from agent_framework import Content
from chatkit.types import FileTask, SearchTask

from streaming.answers.search_sources import file_sources, queries_of, web_task
from streaming.answers.tool_labels import ToolLabel, build_task, humanized
from streaming.answers.workflow_writer import Events, WorkflowWriter
from turns.answer_state import AnswerState
from turns.answer_texts import AnswerTexts

_HOSTED: dict[str, tuple[Callable[[AnswerTexts], str], str]] = {
    "code_interpreter_tool": (attrgetter("running_code"), "square-code"),
    "mcp_server_tool": (attrgetter("remote_tool"), "globe"),
    "shell_tool": (attrgetter("running_command"), "square-code"),
    "computer_tool": (attrgetter("using_computer"), "desktop"),
    "agent_step": (attrgetter("agent_step"), "agent"),
}
"""Tools that the provider runs itself: the beginning of their content types, and how they are shown."""


def is_hosted(content_type: str) -> bool:
    """Say whether a content type is of a tool that the provider runs itself, and that has no display of its own."""
    return content_type.startswith(tuple(_HOSTED))


class HostedSteps:
    """Shows in a workflow which of its own tools the provider runs.

    Args:
        workflow: The writer of the workflow that shows the steps.
        answer: The answer whose texts name them.
    """

    def __init__(self, workflow: WorkflowWriter, answer: AnswerState) -> None:
        self._workflow = workflow
        self._answer = answer
        self._indexes: dict[str, int] = {}

    def search_call(self, content: Content) -> Events:
        """Show a search."""
        key = content.call_id or "search"
        task: SearchTask | FileTask
        if content.tool_name == "file_search":
            queries, title = queries_of(content.arguments), self._answer.texts.file_search
            task = FileTask(title=f"{title}: {queries[0]}" if queries else title)
        else:
            task = web_task(content.arguments, self._answer.texts.web_search)
        task.status_indicator = "loading"
        if key in self._indexes:
            yield from self._workflow.set(self._indexes[key], task)
        else:
            self._indexes[key] = yield from self._workflow.add(task)

    def search_result(self, content: Content) -> Events:
        """Show what a search has found."""
        key = content.call_id or "search"
        if key not in self._indexes:
            yield from self.search_call(content)
        index = self._indexes[key]
        task = self._workflow.task(index)
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
        yield from self._workflow.change(index, **change)

    def call(self, content: Content) -> Events:
        """Show a tool that is no search."""
        key = content.call_id or content.type
        if key not in self._indexes:
            title, icon = next(label for kind, label in _HOSTED.items() if content.type.startswith(kind))
            name = getattr(content, "tool_name", None)
            # An agent is called as its author calls it; the name of a tool is made readable.
            shown = name if content.type.startswith("agent_step") else humanized(name or "")
            label = ToolLabel(shown or title(self._answer.texts), icon)
            self._indexes[key] = yield from self._workflow.add(build_task(label))

    def result(self, content: Content) -> Events:
        """Show that a tool which is no search is done."""
        index = self._indexes.get(content.call_id or content.type.replace("_result", "_call"))
        if index is not None:
            yield from self._workflow.change(index, status_indicator="complete")

    def forget(self) -> None:
        """Forget where the steps are: the workflow is closed."""
        self._indexes.clear()
