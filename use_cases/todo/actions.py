"""Clicks in the to-do list: no model, one transaction, and the list drawn again from the database."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from base_server import action
from context import ActionTurn
from use_cases.todo.items import MAX_TITLE_CHARS, Priority, TodoItems
from use_cases.todo.widgets import MAX_ROWS, build_list_widget, is_shown, list_text, rows_shown

ItemId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class AddTodo(BaseModel, extra="forbid"):
    """The add form."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE_CHARS)]
    priority: Priority = "normal"


class ToggleTodo(BaseModel, extra="forbid"):
    """A row's checkbox.

    Attributes:
        item_id: Which to-do.
        done: The state it shall have.
        completed: The box's own value, which the client adds under the box's name. Not used: `done` was offered.
    """

    item_id: ItemId
    done: bool
    completed: bool | None = None


class DeleteTodo(BaseModel, extra="forbid"):
    """A row's delete button."""

    item_id: ItemId


class ShowMore(BaseModel, extra="forbid"):
    """The button below the last row.

    Attributes:
        limit: How many rows to show from now on.
    """

    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)]


class ClearDone(BaseModel, extra="forbid"):
    """The button that deletes what is done."""


class TodoActions:
    """The handlers. They may run side by side; each sets a state and none assumes what the widget showed."""

    @action("todo.add")
    async def add(self, payload: AddTodo, turn: ActionTurn) -> None:
        """Add a to-do, and say where it is when it is too far down to be seen."""
        (added,) = await _items(turn).add(turn.user_id, [payload.title], payload.priority)
        await _redraw(turn, added_id=added.id)

    @action("todo.toggle")
    async def toggle(self, payload: ToggleTodo, turn: ActionTurn) -> None:
        """Tick a to-do off, or reopen it. One that was deleted elsewhere just disappears."""
        await _items(turn).set_done(turn.user_id, payload.item_id, payload.done)
        await _redraw(turn)

    @action("todo.delete")
    async def delete(self, payload: DeleteTodo, turn: ActionTurn) -> None:
        """Delete a to-do."""
        await _items(turn).delete(turn.user_id, payload.item_id)
        await _redraw(turn)

    @action("todo.clear_done")
    async def clear_done(self, payload: ClearDone, turn: ActionTurn) -> None:
        """Delete all that is done."""
        await _items(turn).clear_done(turn.user_id)
        await _redraw(turn)

    @action("todo.show_more")
    async def show_more(self, payload: ShowMore, turn: ActionTurn) -> None:
        """Show more rows."""
        await _redraw(turn, limit=payload.limit)


def _items(turn: ActionTurn) -> TodoItems:
    return TodoItems(turn.services.database)


async def _redraw(turn: ActionTurn, *, limit: int | None = None, added_id: str | None = None) -> None:
    """Replace the clicked list by the present one, with as many entries as it showed."""
    if limit is None:
        limit = rows_shown(turn.sender.widget.model_dump()) if turn.sender else 0
    todos = await _items(turn).load(turn.user_id)
    note = None
    if added_id is not None and not is_shown(todos, added_id, limit):
        added = next((item for item in todos.items if item.id == added_id), None)
        note = f"Added “{added.title}” (#{added.number}), further down in the list." if added else None
    turn.replace(build_list_widget(todos, limit=limit, note=note), copy_text=list_text(todos))
