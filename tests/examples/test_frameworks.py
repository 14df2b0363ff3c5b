"""The examples of docs/generators.md with the real frameworks and their own fake models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from llama_index.core.llms.mock import MockLLM

from context import Services
from tests.unit.harness import Chat, errors, texts, updates
from tests.unit.services_for_tests import open_services
from tests.unit.streaming.test_generators_of_the_guide import documented
from tests.unit.test_docs import ROOT


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with open_services(tmp_path) as opened:
        yield opened


class Asked(BaseCallbackHandler):
    """Keeps what a chat model of LangChain was asked."""

    def __init__(self) -> None:
        self.roles: list[list[str]] = []

    def on_chat_model_start(self, serialized: Any, messages: list[list[Any]], **more: Any) -> None:
        self.roles.append([message.type for message in messages[0]])


async def test_a_graph_answers_in_pieces_and_gets_the_history(services: Services) -> None:
    asked = Asked()
    server = documented("GraphServer")(services)
    says = [AIMessage("Hello from here"), AIMessage("And again")]
    server.model = GenericFakeChatModel(messages=iter(says), callbacks=[asked])
    chat = Chat(server)
    events = await chat.send("Hi")
    assert (errors(events), texts(events)) == ([], ["Hello from here"])
    assert len(updates(events, "assistant_message.content_part.text_delta")) > 1
    assert texts(await chat.send("More")) == ["And again"]
    assert asked.roles == [["human"], ["human", "ai", "human"]]
    stored = [item["content"][0]["text"] for item in await chat.items()]
    assert stored == ["Hi", "Hello from here", "More", "And again"]


async def test_a_failing_model_in_a_graph_is_reported_like_any_failure(services: Services) -> None:
    server = documented("GraphServer")(services)
    server.model = GenericFakeChatModel(messages=iter([ValueError("a secret of the model")]))
    events = await Chat(server).send("Hi")
    [error] = errors(events)
    assert "secret" not in str(events)
    assert error["message"]


async def test_a_model_of_an_index_answers_in_pieces_and_gets_the_history(services: Services) -> None:
    server = documented("IndexServer")(services)
    server.llm = MockLLM()
    chat = Chat(server)
    events = await chat.send("Hi")
    [first] = texts(events)
    assert errors(events) == []
    assert "Hi" in first
    assert updates(events, "assistant_message.content_part.text_delta")
    [second] = texts(await chat.send("More"))
    assert first.strip() in second, "the model repeats what it is asked"


def test_the_packages_are_those_of_the_lock() -> None:
    locked = (ROOT / "requirements-examples.lock").read_text("utf-8")
    for name in ("langgraph", "langchain-core", "llama-index-core"):
        assert f"{name}=={version(name)} " in locked
