"""The use case of the architecture document runs with nothing but its imports changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from context import Services
from errors import ActionError
from tests.unit.agents_sdk.todo_of_the_document import TODOS, TodoChatKitServer
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.scripted_model import ScriptedModel, calls, says


@pytest.fixture
def chat(services: Services) -> Iterator[Chat]:
    TODOS.clear()
    yield Chat(TodoChatKitServer(services))
    TODOS.clear()


def words_of(widget: Any) -> list[str]:
    return [child["value"] for row in widget["children"] if row["type"] == "Row" for child in row["children"][:1]]


async def test_a_tool_leaves_a_flag_and_the_hook_shows_the_list(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("add_todo", text="Buy milk"), says("Added.", message_id="m2")]
    events = await chat.send("Add buy milk")
    assert not errors(events)
    assert texts(events) == ["Added."]
    [shown] = done_items(events, "widget")
    assert words_of(shown["widget"]) == ["Buy milk"]
    assert [item["type"] for item in await chat.items()] == [
        "user_message", "workflow", "assistant_message", "widget",
    ]  # fmt: skip


async def test_an_answer_that_changes_nothing_shows_no_list(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("count_todos"), says("None.", message_id="m2")]
    assert done_items(await chat.send("How many?"), "widget") == []


async def test_a_click_and_a_form_change_the_list_without_the_model(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("add_todo", text="Buy milk"), says("Added.", message_id="m2")]
    [shown] = done_items(await chat.send("Add buy milk"), "widget")
    events = await chat.act(shown, "add_todo_form", {"priority": "high", "todo_text": "Call mum"})
    assert not errors(events)
    [longer] = done_items(events, "widget")
    assert words_of(longer["widget"]) == ["Buy milk", "Call mum"]
    [done] = done_items(await chat.act(longer, "complete_todo", {"todo_id": "todo_1"}), "widget")
    assert done["widget"]["children"][1]["label"] == "1 pending"
    assert len(model.requests) == 2


async def test_a_click_that_its_widget_does_not_offer_is_refused(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("add_todo", text="Buy milk"), says("Added.", message_id="m2")]
    [shown] = done_items(await chat.send("Add buy milk"), "widget")
    with pytest.raises(ActionError, match="This widget does not offer this action any more"):
        await chat.act(shown, "complete_todo", {"todo_id": "todo_9"})


async def test_an_action_that_is_not_streamed_is_handled_too(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("add_todo", text="Buy milk"), says("Added.", message_id="m2")]
    [shown] = done_items(await chat.send("Add buy milk"), "widget")
    await chat.act(shown, "complete_todo", {"todo_id": "todo_1"}, sync=True)
    assert TODOS["todo_1"]["done"] is True
    assert (await chat.items())[-1]["widget"]["children"][1]["label"] == "0 pending"
