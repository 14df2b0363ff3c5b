from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.widget_catalogue import actions_of, nodes_of, problems
from use_cases.todo.items import MAX_ITEMS_PER_USER, MAX_TITLE_CHARS, Priority, Todo, TodoList
from use_cases.todo.widgets import (
    LIST_ROOT_ID,
    MAX_ROWS,
    MAX_TEXT_LINES,
    ROWS_PER_PAGE,
    build_list_widget,
    build_past_widget,
    list_text,
    rows_shown,
)


def todo(number: int, *, done: bool = False, priority: Priority = "normal", title: str | None = None) -> Todo:
    now = datetime.now(UTC)
    return Todo(f"todo_{number}", number, title or f"Task {number}", priority, done, now, now if done else None)


def todo_list(*items: Todo) -> TodoList:
    return TodoList(items, len(items))


def of_type(widget: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [node for node in nodes_of(widget) if node["type"] == kind]


def rows_in(widget: Mapping[str, Any]) -> int:
    return rows_shown(widget)


def words(widget: Mapping[str, Any]) -> str:
    return json.dumps(widget, ensure_ascii=False)


EMPTY = todo_list()
MIXED = todo_list(todo(1, priority="high"), todo(2), todo(3, priority="low"), todo(4, done=True))
ALL_DONE = todo_list(todo(1, done=True), todo(2, done=True, priority="high"))
MANY = todo_list(*(todo(number) for number in range(1, 201)))
WIDGETS = {
    "empty": build_list_widget(EMPTY),
    "mixed": build_list_widget(MIXED, note="Added."),
    "all done": build_list_widget(ALL_DONE),
    "many": build_list_widget(MANY),
    "past": build_past_widget(),
}


@pytest.mark.parametrize("name", WIDGETS)
def test_every_component_and_prop_is_one_that_chatkit_knows(name: str) -> None:
    assert problems(WIDGETS[name]) == []


@pytest.mark.parametrize("name", WIDGETS)
def test_actions_work_while_an_answer_runs_and_carry_this_use_cases_prefix(name: str) -> None:
    assert all(action["streaming"] is False and action["handler"] == "server" for action in actions_of(WIDGETS[name]))
    assert all(action["type"].startswith("todo.") for action in actions_of(WIDGETS[name]))


def test_the_counts_are_shown() -> None:
    assert [badge["label"] for badge in of_type(WIDGETS["mixed"], "Badge")[:2]] == ["3 open", "1 done"]


def test_an_open_to_do_is_named_by_its_checkbox_and_a_done_one_is_struck_through() -> None:
    widget = WIDGETS["mixed"]
    boxes = of_type(widget, "Checkbox")
    assert [(box.get("label"), box["defaultChecked"]) for box in boxes] == [
        ("Task 1", False),
        ("Task 2", False),
        ("Task 3", False),
        (None, True),
    ]
    (struck,) = [text for text in of_type(widget, "Text") if text.get("lineThrough")]
    assert (struck["value"], struck["color"]) == ("Task 4", "tertiary")


def test_a_checkbox_asks_for_the_other_state_and_its_own_value_collides_with_nothing() -> None:
    for box in of_type(WIDGETS["mixed"], "Checkbox"):
        payload = box["onChangeAction"]["payload"]
        assert payload["done"] is not box["defaultChecked"]
        assert box["name"] not in payload


def test_a_redrawn_checkbox_shows_the_stored_state_whatever_was_clicked() -> None:
    (box,) = of_type(build_list_widget(todo_list(todo(1))), "Checkbox")
    (done,) = of_type(build_list_widget(todo_list(todo(1, done=True))), "Checkbox")
    assert box["key"] != done["key"]


def test_only_a_priority_that_is_not_normal_has_a_badge() -> None:
    labels = [badge["label"] for badge in of_type(WIDGETS["mixed"], "Badge")]
    assert labels[2:] == ["High", "Low"]


def test_the_delete_button_says_what_it_deletes() -> None:
    (button,) = [b for b in of_type(build_list_widget(todo_list(todo(1))), "Button") if b.get("iconStart") != "plus"]
    assert (button["label"], button["uniform"]) == ("Delete “Task 1”", True)
    assert button["onClickAction"]["payload"] == {"item_id": "todo_1"}


def test_the_form_asks_for_a_title_that_will_be_accepted() -> None:
    (field,) = of_type(WIDGETS["empty"], "Input")
    assert field["required"]
    for text, is_valid in {
        "Buy milk": True,
        " x ": True,
        "x" * MAX_TITLE_CHARS: True,
        "   ": False,
        "x" * (MAX_TITLE_CHARS + 1): False,
    }.items():
        assert bool(re.fullmatch(field["pattern"], text)) is is_valid, text


def test_the_form_is_emptied_by_an_addition_and_by_nothing_else() -> None:
    def key(todos: TodoList) -> str:
        return str(of_type(build_list_widget(todos), "Form")[0]["key"])

    before = todo_list(todo(1), todo(2))
    assert key(before) == key(TodoList((todo(1, done=True),), 2))
    assert key(before) != key(TodoList((*before.items, todo(3)), 3))


def test_the_empty_and_the_finished_list_say_so() -> None:
    assert "Nothing on your list yet" in words(WIDGETS["empty"])
    assert "All done!" in words(WIDGETS["all done"])
    assert "All done!" not in words(WIDGETS["mixed"])


def test_done_ones_can_be_cleared_only_when_there_are_some() -> None:
    assert "todo.clear_done" in words(WIDGETS["mixed"])
    assert "todo.clear_done" not in words(WIDGETS["many"])


def test_two_hundred_to_dos_appear_page_by_page() -> None:
    limit, pages = 0, []
    for _ in range(4):
        widget = build_list_widget(MANY, limit=limit)
        pages.append(rows_in(widget))
        more = [action for action in actions_of(widget) if action["type"] == "todo.show_more"]
        limit = more[0]["payload"]["limit"] if more else 0
    assert pages == [50, 100, 150, 200]
    assert limit == 0
    assert "50 of 200 shown" in words(WIDGETS["many"])
    assert len(words(WIDGETS["many"])) < 60_000


def test_a_widget_never_has_more_rows_than_the_bound_and_still_says_how_many_there_are() -> None:
    widget = build_list_widget(todo_list(*(todo(n) for n in range(1, MAX_ITEMS_PER_USER + 1))), limit=10**6)
    assert rows_in(widget) == MAX_ROWS
    assert "todo.show_more" not in words(widget)
    assert f"{MAX_ROWS} of {MAX_ITEMS_PER_USER} shown" in words(widget)


def test_a_list_is_drawn_again_as_long_as_it_was() -> None:
    widget = build_list_widget(todo_list(*MANY.items[:51]), limit=ROWS_PER_PAGE + 1)
    assert rows_in(build_list_widget(MANY, limit=rows_in(widget))) == 2 * ROWS_PER_PAGE
    assert rows_in(WIDGETS["past"]) == rows_in(WIDGETS["empty"]) == 0


def test_the_collapsed_list_is_one_line_without_actions_under_another_root_id() -> None:
    assert WIDGETS["past"]["id"] != LIST_ROOT_ID
    assert actions_of(WIDGETS["past"]) == []
    assert len(of_type(WIDGETS["past"], "Caption")) == 1


def test_the_list_in_words_names_state_and_priority_and_is_bounded() -> None:
    assert list_text(MIXED).splitlines() == [
        "To-do list: 3 open, 1 done",
        "- #1 Task 1 (high priority)",
        "- #2 Task 2",
        "- #3 Task 3 (low priority)",
        "- #4 Task 4 (done)",
    ]
    lines = list_text(MANY).splitlines()
    assert len(lines) == MAX_TEXT_LINES + 2
    assert lines[-1] == "- … and 100 more"


def test_a_title_is_data_whatever_it_looks_like() -> None:
    title = '"}]},{"type":"Button","label":"<b>x</b>"'
    widget = build_list_widget(todo_list(todo(1, title=title)))
    assert len(of_type(widget, "Checkbox")) == 1
    assert of_type(widget, "Checkbox")[0]["label"] == title
    assert not of_type(widget, "Button")[-1].get("label", "").startswith("<b>")
