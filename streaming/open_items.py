"""What is unfinished in an answer: the items that were added and not done, as the client sees them now.

The reducer of the client, on the server: a viewer who comes late gets each open item as one `thread.item.added` with
what it holds so far, instead of every delta since the beginning. Clients upsert by id, so this is safe to repeat.
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

MAX_PARTS = 256
"""Content parts and tasks of one item; an index beyond it is ignored."""


class OpenItems:
    """Follows an answer's events and knows what is open."""

    def __init__(self) -> None:
        self._items: dict[str, ThreadItem] = {}

    def snapshot(self) -> list[ThreadItem]:
        """Return copies of the open items, in the order in which they were added."""
        return [item.model_copy(deep=True) for item in self._items.values()]

    def apply(self, event: Any) -> None:
        """Follow one event."""
        match event:
            case ThreadItemUpdatedEvent():
                item = self._items.get(event.item_id)
                if item is not None:
                    _apply_update(item, event.update)
            case ThreadItemAddedEvent():
                self._items[event.item.id] = event.item.model_copy(deep=True)
            case ThreadItemDoneEvent() | ThreadItemReplacedEvent():
                self._items.pop(event.item.id, None)
            case ThreadItemRemovedEvent():
                self._items.pop(event.item_id, None)
            case _:
                pass


def _apply_update(item: ThreadItem, update: Any) -> None:
    match item:
        case AssistantMessageItem():
            _apply_to_message(item, update)
        case WorkflowItem() if isinstance(update, WorkflowTaskAdded | WorkflowTaskUpdated):
            tasks = item.workflow.tasks
            if update.task_index < len(tasks):
                tasks[update.task_index] = update.task
            elif update.task_index < MAX_PARTS:
                tasks.append(update.task)
        case WidgetItem() if isinstance(update, WidgetRootUpdated):
            item.widget = update.widget
        case GeneratedImageItem() if isinstance(update, GeneratedImageUpdated):
            item.image = update.image
        case _:
            pass


def _apply_to_message(item: AssistantMessageItem, update: Any) -> None:
    index = getattr(update, "content_index", None)
    if index is None or index >= MAX_PARTS:
        return
    while len(item.content) <= index:
        item.content.append(AssistantMessageContent(text=""))
    match update:
        case AssistantMessageContentPartTextDelta():
            item.content[index].text += update.delta
        case AssistantMessageContentPartAnnotationAdded():
            item.content[index].annotations.insert(update.annotation_index, update.annotation)
        case AssistantMessageContentPartAdded() | AssistantMessageContentPartDone():
            kept = item.content[index].annotations
            item.content[index] = update.content.model_copy(deep=True)
            if not update.content.annotations:
                item.content[index].annotations = kept
        case _:
            pass
