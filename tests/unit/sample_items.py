"""Sample items for tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    HiddenContextItem,
    InferenceOptions,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot

TICK = datetime(2025, 6, 1, 12, tzinfo=UTC)
"""The time of all items, since nothing may depend on their order in time."""


def assistant_message(item_id: str, words: str = "hello") -> AssistantMessageItem:
    content = [AssistantMessageContent(text=words)]
    return AssistantMessageItem(id=item_id, thread_id="ignored", created_at=TICK, content=content)


def user_message(item_id: str) -> UserMessageItem:
    return UserMessageItem(
        id=item_id,
        thread_id="ignored",
        created_at=TICK,
        content=[UserMessageTextContent(text="rain?")],
        inference_options=InferenceOptions(),
    )


def hidden_item(item_id: str) -> HiddenContextItem:
    return HiddenContextItem(id=item_id, thread_id="ignored", created_at=TICK, content={"tool": "x"})


def widget(item_id: str, root: dict[str, Any] | None = None) -> WidgetItem:
    widget = DynamicWidgetRoot.model_validate(root or {"type": "Card", "id": "todo.list", "children": []})
    return WidgetItem(id=item_id, thread_id="ignored", created_at=TICK, widget=widget, copy_text="a card")
