from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from base_server import BaseChatKitServer
from chat_clients.offline.phrases import PhraseBook
from tests.unit.harness import Chat, done_items, errors, texts, updates
from tests.unit.scripted_model import ScriptedModel, calls, gives, says
from tests.unit.services_for_tests import open_services
from use_cases.todo.agent import OFFLINE_PHRASES, TOOLS
from use_cases.todo.items import MAX_TITLE_CHARS, TodoBase, TodoItems
from use_cases.todo.plugin import register_use_case

BOOK = PhraseBook(OFFLINE_PHRASES)
TOOL_NAMES = {tool.name for tool in TOOLS}


def find_call(text: str) -> tuple[str, dict[str, Any]] | None:
    reply = BOOK.find_reply(text, TOOL_NAMES)
    return None if reply is None else (reply.calls[0].name, dict(reply.calls[0].arguments))


@pytest.mark.parametrize(
    ("text", "title", "priority"),
    [
        ("add buy milk", "buy milk", "normal"),
        ("Please add “Buy milk”.", "Buy milk", "normal"),
        ('Add "Buy milk" with high priority!', "Buy milk", "high"),
        ("add pay the rent (low priority)", "pay the rent", "low"),
        ("Add a high priority task: call mom", "call mom", "high"),
        ("add a to-do to call mom", "call mom", "normal"),
        ("Add a new to-do: water the plants, please", "water the plants", "normal"),
        ("add to my list: eggs", "eggs", "normal"),
        ("add eggs and bread, butter to my to-do list", "eggs and bread, butter", "normal"),
        ("put eggs on the list", "eggs", "normal"),
        ("Remind me to call Anna", "call Anna", "normal"),
        ("I need to call Anna with top priority.", "call Anna", "high"),
        ("don't forget to breathe", "breathe", "normal"),
        ('add read "Dune"', 'read "Dune"', "normal"),
        ("new task: sleep", "sleep", "normal"),
        ("add show my to-dos to Anna", "show my to-dos to Anna", "normal"),
    ],
)
def test_an_addition_is_understood_without_a_model(text: str, title: str, priority: str) -> None:
    assert find_call(text) == ("add_todo", {"title": title, "priority": priority})


def test_a_semicolon_or_a_new_line_begins_another_to_do() -> None:
    assert find_call("add eggs; bread;\n“milk”") == (
        "add_todo",
        {"title": "eggs", "priority": "normal", "more_titles": ["bread", "milk"]},
    )


@pytest.mark.parametrize(
    ("text", "tool", "which"),
    [
        ("complete buy milk", "complete_todo", "buy milk"),
        ("Complete #3.", "complete_todo", "#3"),
        ("done with the dishes", "complete_todo", "the dishes"),
        ("I'm done with “the dishes”!", "complete_todo", "the dishes"),
        ("mark buy milk as done", "complete_todo", "buy milk"),
        ("buy milk is done", "complete_todo", "buy milk"),
        ("check buy milk off", "complete_todo", "buy milk"),
        ("I’ve finished the report", "complete_todo", "the report"),
        ("reopen buy milk", "reopen_todo", "buy milk"),
        ("mark buy milk as not done", "reopen_todo", "buy milk"),
        ("buy milk isn't done yet", "reopen_todo", "buy milk"),
        ("delete buy milk", "delete_todo", "buy milk"),
        ("can you remove the task 'buy milk' from my list?", "delete_todo", "buy milk"),
    ],
)
def test_a_change_is_understood_without_a_model(text: str, tool: str, which: str) -> None:
    assert find_call(text) == (tool, {"which": which})


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("show my to-dos", {}),
        ("Show me all my todos", {}),
        ("list", {}),
        ("my tasks", {}),
        ("open my list", {}),
        ("what's on my list?", {}),
        ("What is left to do?", {}),
        ("Do I have any to-dos", {}),
        ("show open tasks", {"status": "open"}),
        ("Show Done to-dos", {"status": "done"}),
        ("show me what's left", {"status": "open"}),
    ],
)
def test_a_question_for_the_list_is_understood_without_a_model(text: str, arguments: dict[str, str]) -> None:
    understanding = find_call(text)
    assert understanding is not None
    assert understanding[0] == "list_todos"
    # That only open ones are left is the same question.
    assert {**arguments, **understanding[1]} == understanding[1] or understanding[1] == {"status": "open"}


@pytest.mark.parametrize("text", ["clear done", "Remove all completed tasks.", "delete the finished ones from my list"])
def test_clearing_is_understood_without_a_model(text: str) -> None:
    assert find_call(text) == ("clear_done_todos", {})


@pytest.mark.parametrize("text", ["hello", "what is the weather in Bern?", "listen to me", "the address is wrong", ""])
def test_unrelated_messages_call_no_tool(text: str) -> None:
    assert find_call(text) is None


def test_every_example_is_understood() -> None:
    assert all(find_call(example) for example in BOOK.examples)


async def test_a_conversation_without_a_model_keeps_the_list(server: BaseChatKitServer, todo_items: TodoItems) -> None:
    chat = Chat(server)
    answers = [
        texts(await chat.send(text))[-1]
        for text in (
            "show my to-dos",
            "add buy milk",
            "add call mom with high priority",
            "complete MILK",
            "complete milk",
            "what's on my list?",
            "reopen #1",
            "delete mom",
            "clear done",
        )
    ]
    assert answers == [
        "Your to-do list is empty.",
        "Added “buy milk” (#1).",
        "Added “call mom” (#2) with high priority.",
        "“buy milk” (#1) is done.",
        "“buy milk” (#1) is done already.",
        "On your list: 1 open, 1 done.\n\n- #2 call mom (high priority)\n- #1 buy milk (done)",
        "“buy milk” (#1) is open again.",
        "Deleted “call mom” (#2).",
        "There was nothing to clear: no to-do is done.",
    ]
    assert [item.title for item in (await todo_items.load("user_a")).items] == ["buy milk"]


@pytest.mark.parametrize("text", ["complete call mom", "delete call mom"])
async def test_an_ambiguous_name_is_asked_about_and_changes_nothing(
    server: BaseChatKitServer, todo_items: TodoItems, text: str
) -> None:
    await todo_items.add("user_a", ["Call mom about rent", "Call mom about the party"])
    before = await todo_items.load("user_a")

    events = await Chat(server).send(text)

    answer = texts(events)[-1]
    assert "Which one do you mean?" in answer
    assert "- #1 Call mom about rent" in answer
    assert "- #2 Call mom about the party" in answer
    assert done_items(events, "widget") == []
    assert await todo_items.load("user_a") == before


async def test_an_unknown_name_is_reported_with_similar_ones(server: BaseChatKitServer, todo_items: TodoItems) -> None:
    await todo_items.add("user_a", ["Visit the dentist"])

    answer = texts(await Chat(server).send("delete dentist appointment tomorrow"))[-1]

    assert answer.startswith("No to-do matches “dentist appointment tomorrow”, so nothing was changed.")
    assert "- #1 Visit the dentist" in answer
    assert len((await todo_items.load("user_a")).items) == 1


async def test_a_title_that_is_too_long_is_refused_in_words(server: BaseChatKitServer, todo_items: TodoItems) -> None:
    events = await Chat(server).send("add " + "x" * (MAX_TITLE_CHARS + 1))

    assert texts(events)[-1] == "A to-do can have at most 200 characters; this one has 201."
    assert errors(events) == []
    assert (await todo_items.load("user_a")).items == ()


async def test_a_models_calls_are_served_side_by_side_and_end_with_one_list(tmp_path: Path) -> None:
    turns = [
        gives(
            *calls("add_todo", "c1", title="Eggs", more_titles=["Bread"], priority="high")[0].contents,
            *calls("add_todo", "c2", title="Milk")[0].contents,
        ),
        # Some models send a number where a string was asked for.
        calls("complete_todo", "c3", which=1),
        calls("list_todos", "c4", status="done"),
        says("All set."),
    ]
    model = ScriptedModel(turns=turns)
    async with open_services(tmp_path, model, TodoBase.metadata) as services:
        chat = Chat(register_use_case(services).server)
        events = await chat.send("Several things at once")
        todos = await TodoItems(services.database).load("user_a")

    assert errors(events) == []
    assert sorted(item.title for item in todos.items) == ["Bread", "Eggs", "Milk"]
    assert todos.done_count == 1
    (widget,) = done_items(events, "widget")
    assert "2 open, 1 done" in widget["copy_text"]
    results = [content.result for message in model.requests[-1] for content in message.contents if content.result]
    assert len(results) == 4
    assert {task["task"]["title"] for task in updates(events, "workflow.task.added")} >= {"Tick off"}


async def test_an_answer_that_did_not_touch_the_list_does_not_show_it(server: BaseChatKitServer) -> None:
    assert done_items(await Chat(server).send("hello"), "widget") == []


async def test_of_two_that_fit_completing_means_the_open_one_and_reopening_the_done_one(
    server: BaseChatKitServer, todo_items: TodoItems
) -> None:
    rent, _ = await todo_items.add("user_a", ["Call mom about rent", "Call mom about the party"])
    await todo_items.set_done("user_a", rent.id, True)
    chat = Chat(server)

    assert texts(await chat.send("complete call mom"))[-1] == "“Call mom about the party” (#2) is done."
    await todo_items.set_done("user_a", rent.id, False)
    assert texts(await chat.send("reopen call mom"))[-1] == "“Call mom about the party” (#2) is open again."
