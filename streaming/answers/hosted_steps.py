"""Steps of tools that the provider runs itself: searches, and tools of which only beginning and end are known."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from agent_framework import Content
from chatkit.types import FileTask, SearchTask

from streaming.answers.search_sources import build_web_task, file_sources, search_queries
from streaming.answers.tool_labels import ToolLabel, build_task, humanize_name
from streaming.answers.workflow_writer import Events, WorkflowWriter
from turns.answer_state import AnswerState
from turns.answer_texts import AnswerTexts

_HOSTED_TOOLS: dict[str, tuple[Callable[[AnswerTexts], str], str]] = {
    "code_interpreter_tool": (attrgetter("running_code"), "square-code"),
    "mcp_server_tool": (attrgetter("remote_tool"), "globe"),
    "shell_tool": (attrgetter("running_command"), "square-code"),
    "computer_tool": (attrgetter("using_computer"), "desktop"),
    "agent_step": (attrgetter("agent_step"), "agent"),
}
"""Tools that the provider runs itself: title and icon by the prefix of their content types."""


def is_hosted(content_type: str) -> bool:
    """Return whether a content type belongs to a tool in `_HOSTED_TOOLS`."""
    return content_type.startswith(tuple(_HOSTED_TOOLS))


class HostedSteps:
    """Shows the tools that the provider runs itself as steps of a workflow.

    Args:
        workflow: The writer of the workflow that shows the steps.
        answer: The answer whose texts are the titles of steps.
    """

    def __init__(self, workflow: WorkflowWriter, answer: AnswerState) -> None:
        self._workflow = workflow
        self._answer = answer
        self._indexes: dict[str, int] = {}

    def show_search_call(self, content: Content) -> Events:
        """Show a search that has begun."""
        key = content.call_id or "search"
        task: SearchTask | FileTask
        if content.tool_name == "file_search":
            queries, title = search_queries(content.arguments), self._answer.texts.file_search
            task = FileTask(title=f"{title}: {queries[0]}" if queries else title)
        else:
            task = build_web_task(content.arguments, self._answer.texts.web_search)
        task.status_indicator = "loading"
        if key in self._indexes:
            yield from self._workflow.set(self._indexes[key], task)
        else:
            self._indexes[key] = yield from self._workflow.add(task)

    def show_search_result(self, content: Content) -> Events:
        """Show the sources that a search has found."""
        key = content.call_id or "search"
        if key not in self._indexes:
            yield from self.show_search_call(content)
        index = self._indexes[key]
        task = self._workflow.task(index)
        change: dict[str, Any] = {"status_indicator": "complete"}
        if isinstance(task, SearchTask):
            # Usually only the result contains the queries.
            searched = build_web_task(content.result, task.title)
            change["title"] = searched.title
            change["queries"] = searched.queries or task.queries
            change["title_query"] = next(iter(change["queries"]), None)
            change["sources"] = searched.sources
        elif isinstance(task, FileTask):
            change["sources"] = list(file_sources(content.result))
        yield from self._workflow.change(index, **change)

    def show_call(self, content: Content) -> Events:
        """Show the call of a tool other than a search."""
        key = content.call_id or content.type
        if key not in self._indexes:
            title, icon = next(label for kind, label in _HOSTED_TOOLS.items() if content.type.startswith(kind))
            name = getattr(content, "tool_name", None)
            # The name of an agent is shown unchanged; that of a tool is made readable.
            title_text = name if content.type.startswith("agent_step") else humanize_name(name or "")
            label = ToolLabel(title_text or title(self._answer.texts), icon)
            self._indexes[key] = yield from self._workflow.add(build_task(label))

    def show_result(self, content: Content) -> Events:
        """Show that a tool other than a search is done."""
        index = self._indexes.get(content.call_id or content.type.replace("_result", "_call"))
        if index is not None:
            yield from self._workflow.change(index, status_indicator="complete")

    def clear(self) -> None:
        """Forget the indexes of all steps, once their workflow is closed."""
        self._indexes.clear()
