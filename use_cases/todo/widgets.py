"""Widgets of the to-do list: pure functions that turn a list into JSON and into text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from use_cases.todo.items import MAX_TITLE_CHARS, Priority, Todo, TodoList

LIST_ROOT_ID = "todo.list"
PAST_ROOT_ID = "todo.list.past"

ROWS_PER_PAGE = 50
MAX_ROWS = 300
"""Limit of the rows in a widget, however often "Show more" is pressed: every click sends the whole widget."""

MAX_TEXT_LINES = 100

PAST_TEXT = "An earlier view of the to-do list. The current one is further down."

_PRIORITY_BADGES: dict[Priority, tuple[str, str]] = {"high": ("High", "danger"), "low": ("Low", "secondary")}


def build_list_widget(todos: TodoList, *, limit: int = ROWS_PER_PAGE, note: str | None = None) -> dict[str, Any]:
    """Return the live list: counts, a form for additions, and a row with actions for each to-do.

    Args:
        todos: The list, in the order in which it is shown.
        limit: How many rows before "Show more"; rounded up to whole pages, at most `MAX_ROWS`.
        note: A line below the form about the last change.
    """
    limit = _round_up_to_pages(limit)
    shown = todos.items[:limit]
    children: list[dict[str, Any]] = [_build_header(todos), _build_add_form(todos)]
    if note:
        children.append({"type": "Caption", "key": "note", "value": note, "color": "secondary"})
    if not todos.items:
        children.append(
            _build_message("notebook", "secondary", "Nothing on your list yet", "Add the first to-do above.")
        )
    elif not todos.open_count:
        children.append(_build_message("check-circle-filled", "success", "All done!", "Nothing is left on your list."))
    if shown:
        children.append({"type": "Divider", "key": "divider"})
        children.append(
            {"type": "Col", "key": "rows", "gap": 1, "children": [_build_row(item) for item in shown]},
        )
    children += _build_footer(todos, limit)
    return {"type": "Card", "id": LIST_ROOT_ID, "size": "lg", "children": children}


def build_past_widget() -> dict[str, Any]:
    """Return the line that replaces an older list; it has no actions."""
    return {
        "type": "Basic",
        "id": PAST_ROOT_ID,
        "direction": "row",
        "align": "center",
        "gap": 2,
        "children": [
            {"type": "Icon", "name": "check-circle", "size": "sm", "color": "tertiary"},
            {"type": "Caption", "value": PAST_TEXT, "color": "tertiary"},
        ],
    }


def rows_shown(widget: Mapping[str, Any]) -> int:
    """Return how many to-dos a stored list widget shows, so that it can be redrawn at the same length."""
    for child in widget.get("children", ()):
        if child.get("key") == "rows":
            return len(child.get("children", ()))
    return 0


def is_shown(todos: TodoList, item_id: str, limit: int) -> bool:
    """Return whether a widget with this limit shows a row for the to-do."""
    return any(item.id == item_id for item in todos.items[: _round_up_to_pages(limit)])


def list_text(todos: TodoList) -> str:
    """Return the list as text, one line per to-do: for the clipboard, and for the model in later turns."""
    return "\n".join([f"To-do list: {count_text(todos)}", *item_lines(todos.items)])


def count_text(todos: TodoList) -> str:
    """Return the counts as text, e.g. ``"3 open, 1 done"``."""
    return f"{todos.open_count} open, {todos.done_count} done"


def item_lines(items: Sequence[Todo]) -> list[str]:
    """Return one line per to-do; beyond `MAX_TEXT_LINES`, a last line with the number left out."""
    lines = [f"- {item_text(item)}" for item in items[:MAX_TEXT_LINES]]
    if len(items) > MAX_TEXT_LINES:
        lines.append(f"- … and {len(items) - MAX_TEXT_LINES} more")
    return lines


def item_text(item: Todo) -> str:
    """Return a to-do as text, e.g. ``"#3 Buy milk (high priority, done)"``."""
    remarks = [f"{item.priority} priority"] if item.priority != "normal" else []
    if item.is_done:
        remarks.append("done")
    return f"#{item.number} {item.title}" + (f" ({', '.join(remarks)})" if remarks else "")


def _build_header(todos: TodoList) -> dict[str, Any]:
    badges: list[dict[str, Any]] = []
    if todos.open_count:
        badges.append(_badge(f"{todos.open_count} open", "info"))
    if todos.done_count:
        badges.append(_badge(f"{todos.done_count} done", "success"))
    return {
        "type": "Row",
        "key": "header",
        "align": "center",
        "justify": "between",
        "wrap": "wrap",
        "gap": 2,
        "children": [
            {"type": "Title", "value": "To-do list", "size": "sm"},
            {"type": "Row", "align": "center", "gap": 1, "children": badges},
        ],
    }


def _build_add_form(todos: TodoList) -> dict[str, Any]:
    return {
        "type": "Form",
        # A new key clears the form, after each addition and only then.
        "key": f"add-{todos.last_number}",
        "direction": "row",
        "align": "center",
        "wrap": "wrap",
        "gap": 2,
        "onSubmitAction": _action("todo.add", {}, loading="container"),
        "children": [
            {
                "type": "Box",
                "flex": "1 1 180px",
                "minWidth": 0,
                "children": [
                    {
                        "type": "Input",
                        "name": "title",
                        "placeholder": "What needs doing?",
                        "required": True,
                        "pattern": f"\\s*\\S.{{0,{MAX_TITLE_CHARS - 1}}}",
                    }
                ],
            },
            {
                "type": "Select",
                "name": "priority",
                "defaultValue": "normal",
                "options": [
                    {"value": "high", "label": "High priority"},
                    {"value": "normal", "label": "Normal"},
                    {"value": "low", "label": "Low priority"},
                ],
            },
            {"type": "Button", "submit": True, "label": "Add", "iconStart": "plus", "style": "primary"},
        ],
    }


def _build_row(item: Todo) -> dict[str, Any]:
    state = "done" if item.is_done else "open"
    checkbox: dict[str, Any] = {
        "type": "Checkbox",
        # A new key for each state makes the client show the stored state instead of the last click.
        "key": f"{item.id}-{state}",
        # The client adds the checkbox's value to the payload under this name. It must differ from `done`: duplicate
        # keys are an error.
        "name": "completed",
        "defaultChecked": item.is_done,
        # The target state rather than a toggle: the same click in two tabs has the same result.
        "onChangeAction": _action("todo.toggle", {"item_id": item.id, "done": not item.is_done}, loading="none"),
    }
    text: list[dict[str, Any]] = []
    if item.is_done:
        # A label cannot be struck through.
        text.append({"type": "Text", "value": item.title, "lineThrough": True, "color": "tertiary"})
    else:
        checkbox["label"] = item.title
    details: list[dict[str, Any]] = []
    if item.priority in _PRIORITY_BADGES and not item.is_done:
        details.append(_badge(*_PRIORITY_BADGES[item.priority]))
    details.append({"type": "Caption", "value": f"#{item.number}", "color": "tertiary"})
    return {
        "type": "Row",
        "key": item.id,
        "align": "center",
        "gap": 2,
        "children": [
            {
                "type": "Row",
                "flex": 1,
                "minWidth": 0,
                "align": "center",
                "gap": 2,
                "children": [checkbox, *text],
            },
            *details,
            {
                "type": "Button",
                # `uniform` shows the icon only; the label is for screen readers.
                "label": f"Delete “{item.title}”",
                "iconStart": "lucide:trash-2",
                "uniform": True,
                "variant": "ghost",
                "color": "secondary",
                "size": "sm",
                "onClickAction": _action("todo.delete", {"item_id": item.id}, loading="self"),
            },
        ],
    }


def _build_footer(todos: TodoList, limit: int) -> list[dict[str, Any]]:
    hidden = len(todos.items) - limit
    buttons: list[dict[str, Any]] = []
    if hidden > 0 and limit < MAX_ROWS:
        buttons.append(
            {
                "type": "Button",
                "key": "show-more",
                "label": f"Show {min(hidden, ROWS_PER_PAGE)} more",
                "iconStart": "chevron-right",
                "variant": "ghost",
                "color": "secondary",
                "size": "sm",
                "onClickAction": _action("todo.show_more", {"limit": limit + ROWS_PER_PAGE}, loading="self"),
            }
        )
    if todos.done_count:
        buttons.append(
            {
                "type": "Button",
                "key": "clear-done",
                "label": "Clear done",
                "variant": "outline",
                "color": "secondary",
                "size": "sm",
                "onClickAction": _action("todo.clear_done", {}, loading="self"),
            }
        )
    footer: list[dict[str, Any]] = []
    if hidden > 0:
        footer.append(
            {
                "type": "Caption",
                "key": "hidden",
                "value": f"{limit} of {len(todos.items)} shown",
                "color": "tertiary",
            }
        )
    if buttons:
        footer.append({"type": "Row", "key": "footer", "gap": 2, "wrap": "wrap", "children": buttons})
    return footer


def _build_message(icon: str, color: str, title: str, text: str) -> dict[str, Any]:
    return {
        "type": "Col",
        "key": "message",
        "align": "center",
        "gap": 1,
        "padding": {"y": 4},
        "children": [
            {"type": "Icon", "name": icon, "size": "xl", "color": color},
            {"type": "Text", "value": title, "weight": "semibold"},
            {"type": "Caption", "value": text, "color": "secondary"},
        ],
    }


def _badge(label: str, color: str) -> dict[str, Any]:
    return {"type": "Badge", "label": label, "color": color, "variant": "soft", "size": "sm", "pill": True}


def _action(name: str, payload: Mapping[str, Any], *, loading: str) -> dict[str, Any]:
    # Without streaming, a click works while an answer is running, and its result is the widget itself.
    return {
        "type": name,
        "payload": dict(payload),
        "handler": "server",
        "loadingBehavior": loading,
        "streaming": False,
    }


def _round_up_to_pages(rows: int) -> int:
    return min(max(-(-rows // ROWS_PER_PAGE), 1) * ROWS_PER_PAGE, MAX_ROWS)
