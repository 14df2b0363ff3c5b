"""Widgets are checked wherever they enter an answer, and mistakes are reported to their author."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, FunctionInvocationContext
from chatkit.types import ThreadItemDoneEvent, ThreadMetadata, WidgetItem
from chatkit.widgets import Card, DynamicWidgetComponent

from base_server import BaseChatKitServer, action
from context import ActionTurn, Services, Turn, turn_of, utc_now
from errors import WidgetError
from tests.unit.harness import Chat, done_items, with_settings
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services

WRONG = {
    "type": "Card",
    "children": [
        {"type": "Button", "lable": "Go"},
        {"type": "Button", "label": "Go", "onClickAction": {"type": "shop.replace"}},
    ],
}
PATH = "Card.children[0].Button.lable"


async def show(ctx: FunctionInvocationContext) -> str:
    """Show something."""
    turn_of(ctx).widget(WRONG)
    return "Shown."


async def grow(ctx: FunctionInvocationContext) -> str:
    """Show something that grows."""

    async def frames() -> AsyncIterator[dict[str, Any]]:
        yield {"type": "Card", "children": []}
        yield {"type": "Card", "children": [{"type": "Text", "valeu": "on the way"}]}
        yield WRONG

    await turn_of(ctx).stream_widget(frames())
    return "Grown."


async def refuse(ctx: FunctionInvocationContext) -> str:
    """Show what cannot be shown."""
    turn_of(ctx).widget({"type": "Row", "children": []})
    return "Never."


async def show_other(ctx: FunctionInvocationContext) -> str:
    """Show a button whose action nobody handles."""
    button = {"type": "Button", "label": "Go", "onClickAction": {"type": "shop.replac"}}
    turn_of(ctx).widget({"type": "Card", "children": [button]})
    return "Shown."


class ShopServer(BaseChatKitServer):
    show_in_hook = False

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[show, grow, refuse, show_other])

    async def post_respond_hook(self, thread: ThreadMetadata, turn: Turn) -> Any:  # type: ignore[override]
        if self.show_in_hook:
            card = Card(children=[DynamicWidgetComponent(type="Button", lable="Go")])
            item = WidgetItem(id=turn.new_id(), thread_id=thread.id, created_at=utc_now(), widget=card)
            yield ThreadItemDoneEvent(item=item)

    @action("shop.replace")
    async def replace(self, turn: ActionTurn) -> dict[str, Any]:
        return WRONG


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(tmp_path, ScriptedModel()) as opened:
        yield opened


def chat_in(services: Services, environment: str) -> Chat:
    return Chat(with_settings(ShopServer(services), parlor_env=environment))


def model_of(chat: Chat) -> ScriptedModel:
    model: ScriptedModel = chat.server.chat_client  # type: ignore[assignment]
    return model


def last_tool_result(chat: Chat) -> str:
    """Return the result of the last tool call, as the model gets it."""
    contents = [content for message in model_of(chat).requests[-1] for content in message.contents]
    return str([content.result for content in contents if content.type == "function_result"][-1])


def notices(events: list[dict[str, Any]]) -> list[str]:
    return [event["message"] for event in events if event["type"] == "notice"]


@pytest.mark.parametrize("tool", ["show", "grow"])
async def test_in_development_the_error_is_reported_once_in_chat_log_and_to_the_model(
    services: Services, tool: str, caplog: pytest.LogCaptureFixture
) -> None:
    chat = chat_in(services, "development")
    model_of(chat).turns = [calls(tool), says("Here.")]
    with caplog.at_level(logging.WARNING, "turns.widget_checks"):
        events = await chat.send("Show it")
    [told] = notices(events)
    assert told == f"- `{PATH}: 'Button' has no 'lable'; did you mean 'label'?`"
    assert len(done_items(events, "widget")) == 1
    assert [record.__dict__["path"] for record in caplog.records] == [PATH]
    assert f"The widget was shown with mistakes in it: {PATH}" in last_tool_result(chat)


async def test_in_production_it_is_one_line_and_the_answer_continues(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    chat = chat_in(services, "production")
    model_of(chat).turns = [calls("show"), says("Here.")]
    with caplog.at_level(logging.WARNING, "turns.widget_checks"):
        events = await chat.send("Show it")
    assert notices(events) == []
    assert len(done_items(events, "widget")) == len(caplog.records) == 1
    assert "told" not in caplog.records[0].__dict__
    assert last_tool_result(chat) == "Shown.", "what the model reads, a person may read in its answer"


async def test_in_tests_a_mistake_is_an_error(services: Services) -> None:
    chat = chat_in(services, "test")
    model_of(chat).turns = [calls("show"), says("I could not.")]
    events = await chat.send("Show it")
    assert done_items(events, "widget") == []
    assert PATH in last_tool_result(chat)
    turn = Turn(ThreadMetadata(id="t", created_at=utc_now()), chat.context(), services)
    turn.context.answer.enable_widget_checks("test")
    with pytest.raises(WidgetError, match="Button"):
        turn.widget(WRONG)


async def test_the_model_learns_what_cannot_be_shown_and_the_person_reads_no_path(services: Services) -> None:
    chat = chat_in(services, "production")
    model_of(chat).turns = [calls("refuse"), says("I could not.")]
    events = await chat.send("Show it")
    assert done_items(events, "widget") == []
    assert "a widget's root must be one of Card, ListView, Basic" in last_tool_result(chat)


async def test_widgets_of_hooks_and_actions_are_checked(services: Services) -> None:
    chat = chat_in(services, "development")
    model_of(chat).turns = [calls("show"), says("Here."), says("Again.")]
    [item] = done_items(await chat.send("Show it"), "widget")
    assert [PATH in told for told in notices(await chat.act(item, "shop.replace"))] == [True]
    chat.server.show_in_hook = True  # type: ignore[attr-defined]
    assert [PATH in told for told in notices(await chat.send("Once more"))] == [True]


async def test_an_action_that_no_method_handles_is_found(services: Services) -> None:
    chat = chat_in(services, "development")
    model_of(chat).turns = [calls("show_other"), says("Here.")]
    [told] = notices(await chat.send("Show it"))
    assert "no action 'shop.replac' is declared; did you mean 'shop.replace'?" in told
