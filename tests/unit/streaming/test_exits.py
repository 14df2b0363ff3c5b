"""`sys.exit` in the code of a use case ends its own answer, but not the process."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest
from agent_framework import Agent, tool
from agents import Agent as SDKAgent
from agents import function_tool

from base_server import BaseChatKitServer, action
from context import Services, Turn
from errors import AgentError
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.scripted_model import ScriptedModel, calls, says

CARD = {"type": "Card", "children": [{"type": "Button", "label": "Go", "onClickAction": {"type": "go"}}]}


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


class LeavingServer(BaseChatKitServer):
    """Leaves where `at` says."""

    at = ""

    def leave(self, where: str) -> None:
        if self.at == where:
            sys.exit(where)

    def get_agent(self, turn: Turn) -> Any:
        self.leave("get_agent")
        return self.answer

    async def answer(self, messages: Any, turn: Turn) -> Any:
        yield CARD
        self.leave("answer")

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        self.leave("post_respond_hook")

    @action("go")
    async def go(self, turn: Turn) -> None:
        self.leave("action")

    async def add_feedback(self, *arguments: Any) -> None:
        self.leave("add_feedback")

    async def transcribe(self, *arguments: Any) -> Any:
        self.leave("transcribe")


@pytest.mark.parametrize("where", ["get_agent", "answer", "post_respond_hook"])
async def test_an_answer_ends_with_an_error(services: Services, where: str, caplog: pytest.LogCaptureFixture) -> None:
    server = LeavingServer(services)
    server.at = where
    chat = Chat(server)
    [error] = errors(await chat.send("Hi"))
    assert error["message"].startswith("This assistant cannot answer at the moment.")
    assert f"sys.exit('{where}')" in caplog.text
    server.at = ""
    assert errors(await chat.send("Again")) == []


async def test_an_action_feedback_and_a_recording_end_with_an_error(services: Services) -> None:
    server = LeavingServer(services)
    chat = Chat(server)
    [card] = done_items(await chat.send("Hi"), "widget")
    server.at = "action"
    assert len(errors(await chat.act(card, "go"))) == 1
    server.at = "add_feedback"
    with pytest.raises(AgentError, match="add_feedback"):
        await chat.request("items.feedback", thread_id=chat.thread_id, item_ids=[card["id"]], kind="positive")
    server.at = "transcribe"
    with pytest.raises(AgentError, match="transcribe"):
        await chat.request("input.transcribe", audio_base64="AAAA", mime_type="audio/webm")


@pytest.mark.parametrize("kind", ["agent framework", "agents sdk"])
async def test_a_tool_has_failed(
    services: Services, model: ScriptedModel, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    async def quit_now() -> str:
        """Quit."""
        sys.exit("enough")

    class ToolServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Any:
            if kind == "agents sdk":
                return SDKAgent[Any](name="desk", tools=[function_tool(quit_now)])
            return Agent(self.chat_client, tools=[tool(quit_now)])

    model.turns = [calls("quit_now", "c1"), says("It failed.")]
    events = await Chat(ToolServer(services)).send("Quit")
    assert (errors(events), texts(events)) == ([], ["It failed."])
    assert "tool 'quit_now' called sys.exit('enough')" in caplog.text
