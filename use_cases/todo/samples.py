"""Sample widgets of the to-do list for the previews of widgets: `parlor widgets` and `/dev/widgets`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from use_cases.todo.items import Priority, Todo, TodoList
from use_cases.todo.widgets import build_list_widget, build_past_widget

_MOMENT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def build_sample_widgets() -> dict[str, dict[str, Any]]:
    """Return the list in each of its states."""
    mixed = (
        _todo(2, "Pay the rent", priority="high"),
        _todo(1, "Buy milk"),
        _todo(4, "Water the plants of the neighbours, who are away until the end of the month", priority="low"),
        _todo(3, "Call Ada", is_done=True),
    )
    many = tuple(_todo(number, f"Task {number}") for number in range(1, 54))
    done = (_todo(1, "Buy milk", is_done=True),)
    return {
        "list": build_list_widget(TodoList(mixed, 4), note="Added “Pay the rent”."),
        "list, nothing on it": build_list_widget(TodoList((), 0)),
        "list, all done": build_list_widget(TodoList(done, 1)),
        "list, more than one page": build_list_widget(TodoList(many, 53)),
        "earlier list": build_past_widget(),
    }


def _todo(number: int, title: str, *, priority: Priority = "normal", is_done: bool = False) -> Todo:
    return Todo(f"todo_{number}", number, title, priority, is_done, _MOMENT, _MOMENT if is_done else None)
