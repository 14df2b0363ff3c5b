"""Actions of the to-do list: each is one transaction without the model, after which the list is drawn again."""

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
        done: The state to set.
        completed: The checkbox's own value, which the client adds under its name. Not used: the widget offered `done`.
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
    """The button that deletes the to-dos that are done."""


class TodoActions:
    """The action handlers. They may run concurrently: each sets a state, whatever the clicked widget showed."""

    @action("todo.add")
    async def add(self, payload: AddTodo, turn: ActionTurn) -> None:
        """Add a to-do, with a note when it is too far down in the list to be visible."""
        (added,) = await _items(turn).add(turn.user_id, [payload.title], payload.priority)
        await _redraw(turn, added_id=added.id)

    @action("todo.toggle")
    async def toggle(self, payload: ToggleTodo, turn: ActionTurn) -> None:
        """Tick a to-do off, or reopen it. One that was deleted elsewhere disappears from the list."""
        await _items(turn).set_done(turn.user_id, payload.item_id, payload.done)
        await _redraw(turn)

    @action("todo.delete")
    async def delete(self, payload: DeleteTodo, turn: ActionTurn) -> None:
        """Delete a to-do."""
        await _items(turn).delete(turn.user_id, payload.item_id)
        await _redraw(turn)

    @action("todo.clear_done")
    async def clear_done(self, payload: ClearDone, turn: ActionTurn) -> None:
        """Delete the to-dos that are done."""
        await _items(turn).clear_done(turn.user_id)
        await _redraw(turn)

    @action("todo.show_more")
    async def show_more(self, payload: ShowMore, turn: ActionTurn) -> None:
        """Show more rows."""
        await _redraw(turn, limit=payload.limit)


def _items(turn: ActionTurn) -> TodoItems:
    return TodoItems(turn.services.database)


async def _redraw(turn: ActionTurn, *, limit: int | None = None, added_id: str | None = None) -> None:
    """Replace the clicked widget with the current list, at the same number of rows unless `limit` is given."""
    if limit is None:
        limit = rows_shown(turn.sender.widget.model_dump()) if turn.sender else 0
    todos = await _items(turn).load(turn.user_id)
    note = None
    if added_id is not None and not is_shown(todos, added_id, limit):
        added = next((item for item in todos.items if item.id == added_id), None)
        note = f"Added “{added.title}” (#{added.number}), further down in the list." if added else None
    turn.replace(build_list_widget(todos, limit=limit, note=note), copy_text=list_text(todos))
