"""The migration guide: its servers and use cases, run as they are in the document."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Message
from chatkit.types import StructuredInputFreeform

import use_cases
from base_server import HOOKS, BaseChatKitServer, action
from chat_clients.provider import ChatClients
from context import ActionTurn, Services, Turn
from process.use_case_loading import load_use_cases
from streaming.stock.construction import OVERRIDABLE
from tests.unit.harness import Chat, errors, texts
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services
from tests.unit.test_docs import ROOT, blocks_of

GUIDE = (ROOT / "docs" / "migrate.md").read_text("utf-8")
FILES = {
    match[1]: block
    for block in blocks_of(GUIDE, "python")
    if (match := re.match(r"# my_use_cases/(\S+\.py)\n", block)) is not None
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files of the guide, as somebody has them who copied them."""
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: ())
    for name, text in FILES.items():
        file = tmp_path / "my_use_cases" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    path, modules = list(use_cases.__path__), set(sys.modules)
    yield tmp_path / "my_use_cases"
    use_cases.__path__[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("use_cases."):
            del sys.modules[name]


def chat_with(services: Services, folder: Path, name: str) -> Chat:
    loaded = load_use_cases(services, [folder])
    assert loaded.disabled == ()
    assert set(loaded.enabled) == {"desk", "helper", "short_helper", "echo"}
    server: Any = loaded.enabled[name].server
    return Chat(server, use_case=name)


async def test_a_server_of_chatkit_answers_by_one_line(folder: Path, tmp_path: Path) -> None:
    async with open_services(tmp_path) as services:
        chat = chat_with(services, folder, "desk")
        assert texts(await chat.send("Hi")) == ["That was message 1."]
        assert texts(await chat.send("Again")) == ["That was message 3."]
        assert len(await chat.items()) == 4


@pytest.mark.parametrize("name", ["helper", "short_helper"])
async def test_microsofts_sample_answers_as_it_is_and_as_one_method(folder: Path, tmp_path: Path, name: str) -> None:
    model = ScriptedModel(turns=[says("Hel", "lo."), says("A", "gain.", message_id="m2")])
    async with open_services(tmp_path, model) as services:
        chat = chat_with(services, folder, name)
        assert texts(await chat.send("Hi")) == ["Hello."]
        events = await chat.send("More")
        assert (errors(events), texts(events)) == ([], ["Again."])
        assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message"] * 2
        assert "Hello." in str([message.text for message in model.requests[-1]])


async def test_the_function_of_chainlit_answers_as_a_generator(folder: Path, tmp_path: Path) -> None:
    async with open_services(tmp_path, settings={"offline_token_delay_ms": 0}) as opened:
        services = dataclasses.replace(opened, chat_client=ChatClients(opened.settings).make)
        assert texts(await chat_with(services, folder, "echo").send("Hello")) == ["You: Hello"]


async def test_the_right_sides_of_chainlits_table_do_what_its_left_sides_did(tmp_path: Path) -> None:
    said: list[Any] = []

    @contextlib.asynccontextmanager
    async def opened_by_it() -> AsyncIterator[str]:
        yield "open"
        said.append("closed")

    class ComerServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Any:
            return self.answer

        async def answer(self, messages: list[Message], turn: Turn) -> AsyncGenerator[Any, None]:
            visits = turn.thread.metadata["visits"] = turn.thread.metadata.get("visits", 0) + 1  # cl.user_session
            async with opened_by_it():  # @cl.on_chat_end
                if messages[-1].text == "Ask me":  # cl.AskUserMessage
                    turn.ask(StructuredInputFreeform(id="size", question="How large?"))
                    return
                yield f"{visits}: "  # cl.Message.stream_token
                yield messages[-1].text
                yield {"type": "Card", "children": [{"type": "Text", "value": "A picture"}]}  # cl.Image

        @action("greet", needs_widget=False)  # @cl.action_callback
        async def greet(self, turn: ActionTurn) -> None:
            said.append("greeted")

        async def add_feedback(self, thread_id: str, item_ids: list[str], feedback: Any, context: Any) -> None:
            await super().add_feedback(thread_id, item_ids, feedback, context)
            said.append(feedback)  # @cl.on_feedback

    async with open_services(tmp_path, ScriptedModel()) as services:
        chat = Chat(ComerServer(services))
        assert texts(await chat.send("Hello")) == ["1: Hello"]
        assert texts(await chat.send("Again")) == ["2: Again"]
        items = await chat.items()
        assert [item["type"] for item in items[:3]] == ["user_message", "assistant_message", "widget"]
        assert not errors(await chat.act(None, "greet"))
        await chat.request("items.feedback", thread_id=chat.thread_id, item_ids=[items[1]["id"]], kind="positive")
        await chat.send("Ask me")
        assert (await chat.items())[-1]["type"] == "structured_input"
    assert said == ["closed", "closed", "greeted", "positive", "closed"]


async def test_a_server_that_wants_more_is_made_by_the_function_of_the_guide(tmp_path: Path) -> None:
    [block] = [block for block in blocks_of(GUIDE, "python") if "class GreetingServer" in block]
    scope: dict[str, Any] = {"__name__": "greeting"}
    exec(block, scope)  # noqa: S102 - our own text
    async with open_services(tmp_path) as services:
        use_case = scope["register_use_case"](services)
        use_case.server.bind(services)
        assert use_case.server.server.greeting == "Hi"


def test_the_guide_names_every_method_that_is_asked_of_a_server() -> None:
    [asked] = re.findall(r"Parlor calls the methods (.+?)\. ", GUIDE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", asked)) == OVERRIDABLE


def test_the_hooks_that_the_tables_name_exist() -> None:
    assert {"get_agent", "post_respond_hook", "add_feedback", "transcribe"} <= HOOKS
    assert set(re.findall(r"`(\w+_hook)\(", GUIDE)) <= HOOKS
