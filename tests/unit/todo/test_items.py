from __future__ import annotations

import asyncio

import pytest

from errors import BadRequestError, ConflictError
from use_cases.todo.items import (
    MAX_ITEMS_PER_USER,
    MAX_TITLE_CHARS,
    MAX_TITLES_PER_CALL,
    TodoItems,
    TodoList,
    clean_title,
)


def titles(todos: TodoList) -> list[str]:
    return [item.title for item in todos.items]


async def test_another_users_to_dos_cannot_be_seen_changed_or_deleted(items: TodoItems) -> None:
    (mine,) = await items.add("ada", ["Buy milk"])
    (other,) = await items.add("bob", ["Buy beer"])
    await items.set_done("bob", other.id, True)

    assert not await items.set_done("bob", mine.id, True)
    assert not await items.delete("bob", mine.id)
    assert await items.clear_done("ada") == 0
    assert (await items.load("ada")).items == (mine,)
    assert titles(await items.load("bob")) == ["Buy beer"]
    assert (await items.load("eve")).items == ()


async def test_open_ones_come_first_then_the_important_then_the_older(items: TodoItems) -> None:
    await items.add("ada", ["low"], "low")
    await items.add("ada", ["normal 1", "normal 2"])
    await items.add("ada", ["high"], "high")
    (done,) = await items.add("ada", ["done"], "high")
    await items.set_done("ada", done.id, True)

    todos = await items.load("ada")

    assert titles(todos) == ["high", "normal 1", "normal 2", "low", "done"]
    assert (todos.open_count, todos.done_count) == (4, 1)


async def test_additions_at_the_same_time_are_all_kept_under_different_numbers(items: TodoItems) -> None:
    added = await asyncio.gather(*(items.add("ada", [f"a{n}", f"b{n}"]) for n in range(8)))

    assert sorted(item.number for pair in added for item in pair) == list(range(1, 17))
    assert len((await items.load("ada")).items) == 16


async def test_a_number_is_never_used_twice(items: TodoItems) -> None:
    (first,) = await items.add("ada", ["a"])
    assert await items.delete("ada", first.id)
    assert not await items.delete("ada", first.id)

    (second,) = await items.add("ada", ["b"])

    assert (first.number, second.number) == (1, 2)


async def test_the_same_click_from_two_tabs_ends_in_one_state(items: TodoItems) -> None:
    (item,) = await items.add("ada", ["a"])

    assert all(await asyncio.gather(*(items.set_done("ada", item.id, True) for _ in range(5))))
    (done,) = (await items.load("ada")).items
    await items.set_done("ada", item.id, True)

    assert done.is_done
    assert (await items.load("ada")).items == (done,)
    assert done.completed_at is not None
    assert done.completed_at >= done.created_at


async def test_a_reopened_to_do_has_no_completion_time(items: TodoItems) -> None:
    (item,) = await items.add("ada", ["a"])
    await items.set_done("ada", item.id, True)
    await items.set_done("ada", item.id, False)

    assert (await items.load("ada")).items == (item,)


async def test_clearing_deletes_what_is_done_and_nothing_else(items: TodoItems) -> None:
    first, second, _ = await items.add("ada", ["a", "b", "c"])
    await items.set_done("ada", first.id, True)
    await items.set_done("ada", second.id, True)

    assert await items.clear_done("ada") == 2
    assert titles(await items.load("ada")) == ["c"]


async def test_a_full_list_takes_no_more_and_says_how_much_room_there_is(items: TodoItems) -> None:
    left = MAX_ITEMS_PER_USER - 1
    while left:
        count = min(left, MAX_TITLES_PER_CALL)
        await items.add("ada", ["x"] * count)
        left -= count

    with pytest.raises(ConflictError, match=r"1,000 to-dos, and yours has room for 1 more"):
        await items.add("ada", ["one", "two"])
    results = await asyncio.gather(items.add("ada", ["a"]), items.add("ada", ["b"]), return_exceptions=True)

    assert sum(isinstance(result, ConflictError) for result in results) == 1
    assert len((await items.load("ada")).items) == MAX_ITEMS_PER_USER
    assert len(await items.add("bob", ["mine is not full"])) == 1


async def test_several_titles_are_all_added_or_none(items: TodoItems) -> None:
    with pytest.raises(BadRequestError):
        await items.add("ada", ["fine", " "])
    with pytest.raises(BadRequestError, match=f"1 to {MAX_TITLES_PER_CALL}"):
        await items.add("ada", ["x"] * (MAX_TITLES_PER_CALL + 1))

    assert await items.load("ada") == TodoList((), 0)


async def test_an_id_with_characters_no_database_stores_is_merely_unknown(items: TodoItems) -> None:
    assert not await items.delete("ada", "todo_\x00")
    assert not await items.set_done("ada", "\ud800", True)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("  Buy \t milk\n\nand eggs ", "Buy milk and eggs"),
        ("nul\x00 bell\x07 half\ud83d", "nul bell half"),
        ("turned \u202ekram", "turned kram"),
        ("Cafe\u0301", "Café"),
        ("👨‍👩‍👧 party", "👨‍👩‍👧 party"),
        ("x" * MAX_TITLE_CHARS, "x" * MAX_TITLE_CHARS),
    ],
)
def test_a_title_is_one_line_that_can_be_stored_and_shown(written: str, title: str) -> None:
    assert clean_title(written) == title


@pytest.mark.parametrize(
    ("written", "reason"),
    [("", "a few words"), (" \n\x07 ", "a few words"), ("x" * (MAX_TITLE_CHARS + 1), "this one has 201")],
)
def test_a_title_that_cannot_be_one_is_refused_with_the_reason(written: str, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        clean_title(written)
