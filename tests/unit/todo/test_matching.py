from __future__ import annotations

from datetime import UTC, datetime

import pytest

from use_cases.todo.items import Todo
from use_cases.todo.matching import find_todo

TITLES = {
    1: "Milk",
    2: "Milk the cow",
    3: "Buy milk for Zoë",
    4: "Call mom about the rent",
    5: "Call mom about the party",
    6: "Straße kehren",
    7: "Visit the dentist",
    8: "2030",
    9: "Pay the old rent bill",
}
DONE = {4}
ITEMS = [
    Todo(f"todo_{number}", number, title, "normal", number in DONE, datetime.now(UTC), None)
    for number, title in TITLES.items()
]


def find_numbers(which: str, *, prefer_done: bool | None = None) -> list[int]:
    return [item.number for item in find_todo(ITEMS, which, prefer_done=prefer_done).todos]


@pytest.mark.parametrize(
    ("which", "numbers"),
    [
        ("todo_3", [3]),
        ("3", [3]),
        (" #3 ", [3]),
        ("number 3", [3]),
        ("2030", [8]),
        ("#2030", []),
        ("milk", [1]),
        ("“Milk”.", [1]),
        ("milk the", [2]),
        ("buy", [3]),
        ("for ZOE", [3]),
        ("STRASSE", [6]),
        ("entis", [7]),
        ("the dentist visit", [7]),
        ("rent bill", [9]),
        ("call mom", [4, 5]),
        ("party mom", [5]),
    ],
)
def test_a_to_do_is_found_by_number_and_by_what_a_person_calls_it(which: str, numbers: list[int]) -> None:
    assert find_numbers(which) == numbers


@pytest.mark.parametrize(
    "which", ["", "  ", "…", "e", "it", "that one", "all", "dentist appointment tomorrow", "everything on the list"]
)
def test_words_that_name_nothing_surely_find_nothing(which: str) -> None:
    assert find_numbers(which) == []


def test_of_two_that_fit_equally_the_one_in_the_likely_state_is_meant() -> None:
    assert find_numbers("call mom", prefer_done=False) == [5]
    assert find_numbers("call mom", prefer_done=True) == [4]
    assert find_numbers("visit", prefer_done=True) == [7]


def test_similar_todos_are_suggested_when_none_matches() -> None:
    match = find_todo(ITEMS, "dentist appointment tomorrow")
    assert [item.number for item in match.near_misses] == [7]
    assert find_todo(ITEMS, "visit the denist").near_misses[0].number == 7
    assert find_todo(ITEMS, "quantum").near_misses == ()
