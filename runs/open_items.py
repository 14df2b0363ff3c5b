"""Open items of an answer: those that were added and are not done, in their current state.

This is the client's reducer on the server: a late viewer gets each open item as one `thread.item.added` with its
content so far, instead of every delta since the beginning. Clients upsert by id, so this is safe to repeat.
Source: the update rules of openai-chatkit 1.6.5.
"""

from __future__ import annotations

from typing import Any

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    GeneratedImageItem,
    GeneratedImageUpdated,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    WidgetItem,
    WidgetRootUpdated,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)

from text.growing_text import GrowingText
from widgets.documents import stored_widget
from widgets.widget_stream import apply_update, widget_json

MAX_PARTS = 256
"""The maximum number of content parts or tasks of one item; a higher index is ignored."""


class OpenItems:
    """Tracks the open items of an answer by its events."""

    def __init__(self) -> None:
        self._items: dict[str, ThreadItem] = {}
        # Text that is not in its item yet: to append each piece to one string costs more the longer that gets.
        self._texts: dict[str, dict[int, GrowingText]] = {}
        # Changed widgets as JSON, which becomes a document when a snapshot is taken.
        self._widgets: dict[str, dict[str, Any]] = {}

    def snapshot(self) -> list[ThreadItem]:
        """Return copies of the open items, in the order in which they were added."""
        for item in self._items.values():
            self._apply_pending(item)
        return [item.model_copy(deep=True) for item in self._items.values()]

    def apply(self, event: Any) -> None:
        """Update the open items by one event."""
        # By far the most frequent kind first.
        if isinstance(event, ThreadItemUpdatedEvent):
            self._update(event.item_id, event.update)
            return
        match event:
            case ThreadItemAddedEvent():
                self._items[event.item.id] = event.item.model_copy(deep=True)
                self._texts.pop(event.item.id, None)
                self._widgets.pop(event.item.id, None)
            case ThreadItemDoneEvent() | ThreadItemReplacedEvent():
                self._forget(event.item.id)
            case ThreadItemRemovedEvent():
                self._forget(event.item_id)
            case _:
                pass

    def _update(self, item_id: str, update: Any) -> None:
        item = self._items.get(item_id)
        if item is None:
            return
        if isinstance(update, AssistantMessageContentPartTextDelta) and isinstance(item, AssistantMessageItem):
            if update.content_index < MAX_PARTS:
                parts = self._texts.setdefault(item_id, {})
                if update.content_index not in parts:
                    parts[update.content_index] = GrowingText()
                parts[update.content_index].add(update.delta)
            return
        if isinstance(item, WidgetItem):
            self._update_widget(item, update)
            return
        self._apply_pending(item)
        _apply_update(item, update)

    def _update_widget(self, item: WidgetItem, update: Any) -> None:
        if isinstance(update, WidgetRootUpdated):
            self._widgets.pop(item.id, None)
            item.widget = update.widget
            return
        root = self._widgets.get(item.id) or widget_json(item.widget)
        self._widgets[item.id] = apply_update(root, update)

    def _apply_pending(self, item: ThreadItem) -> None:
        root = self._widgets.pop(item.id, None)
        if root is not None and isinstance(item, WidgetItem):
            item.widget = stored_widget(root)
        for index, text in self._texts.pop(item.id, {}).items():
            if isinstance(item, AssistantMessageItem):
                _content_part(item, index).text += str(text)

    def _forget(self, item_id: str) -> None:
        self._items.pop(item_id, None)
        self._texts.pop(item_id, None)
        self._widgets.pop(item_id, None)


def _apply_update(item: ThreadItem, update: Any) -> None:
    match item:
        case AssistantMessageItem():
            _apply_message_update(item, update)
        case WorkflowItem() if isinstance(update, WorkflowTaskAdded | WorkflowTaskUpdated):
            tasks = item.workflow.tasks
            if update.task_index < len(tasks):
                tasks[update.task_index] = update.task
            elif update.task_index < MAX_PARTS:
                tasks.append(update.task)
        case GeneratedImageItem() if isinstance(update, GeneratedImageUpdated):
            item.image = update.image
        case _:
            pass


def _apply_message_update(item: AssistantMessageItem, update: Any) -> None:
    index = getattr(update, "content_index", None)
    if index is None or index >= MAX_PARTS:
        return
    part = _content_part(item, index)
    match update:
        case AssistantMessageContentPartAnnotationAdded():
            part.annotations.insert(update.annotation_index, update.annotation)
        case AssistantMessageContentPartAdded() | AssistantMessageContentPartDone():
            annotations = part.annotations
            item.content[index] = update.content.model_copy(deep=True)
            if not update.content.annotations:
                item.content[index].annotations = annotations
        case _:
            pass


def _content_part(item: AssistantMessageItem, index: int) -> AssistantMessageContent:
    while len(item.content) <= index:
        item.content.append(AssistantMessageContent(text=""))
    return item.content[index]
