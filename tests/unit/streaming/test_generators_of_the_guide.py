"""The examples of docs/generators.md, run as they are."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from context import Services
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.provider_stub import Chat as Wire
from tests.unit.provider_stub import ProviderStub
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.test_docs import ROOT, blocks_of

GUIDE = ROOT / "docs" / "generators.md"


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


def documented(name: str) -> Any:
    """Return the server that the guide defines under `name`."""
    [block] = [block for block in blocks_of(GUIDE.read_text("utf-8"), "python") if f"class {name}(" in block]
    names: dict[str, Any] = {}
    exec(compile(block, str(GUIDE), "exec"), names)  # noqa: S102 - our own document
    return names[name]


def test_each_block_of_the_guide_is_one_of_those_that_are_run_here() -> None:
    blocks = blocks_of(GUIDE.read_text("utf-8"), "python")
    names = ["DiceServer", "TranslatorServer", "OwnClientServer", "GraphServer", "IndexServer"]
    assert [name for block in blocks for name in names if f"class {name}(" in block] == names
    assert len(blocks) == len(names)


async def test_dice_need_no_model(services: Services) -> None:
    events = await Chat(documented("DiceServer")(services)).send("20 sides")
    assert texts(events) == ["A die of 20 sides:"]
    [card] = done_items(events, "widget")
    assert 1 <= int(card["widget"]["children"][0]["value"]) <= 20


async def test_the_platforms_client_is_asked_without_an_agent(services: Services, model: ScriptedModel) -> None:
    model.turns = [says("Good ", "day.")]
    assert texts(await Chat(documented("TranslatorServer")(services)).send("Guten Tag")) == ["Good day."]
    assert [m.text for m in model.requests[0]] == ["Translate into English.", "Guten Tag"]


async def test_a_client_of_ones_own_is_asked_with_the_conversation(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server_class = documented("OwnClientServer")
    async with ProviderStub() as stub:
        server_class.base_url = stub.url
        server = server_class(services)
        stub.will(Wire.text("Hel", "lo."), Wire.text("Again."))
        chat = Chat(server)
        assert texts(await chat.send("Hi")) == ["Hello."]
        assert texts(await chat.send("More")) == ["Again."]
        await server.close()
    assert stub.requests[1].body["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "More"},
    ]


class _Graph:
    """Stands in for LangGraph's `StateGraph` and what it compiles to: nodes in the order of their edges."""

    def __init__(self, state: object) -> None:
        self._nodes: dict[str, Callable[..., Any]] = {}
        self._edges: dict[str, str] = {}

    def add_node(self, name: str, node: Callable[..., Any]) -> None:
        self._nodes[name] = node

    def add_edge(self, start: str, end: str) -> None:
        self._edges[start] = end

    def compile(self) -> _Graph:
        return self

    async def astream(self, state: dict[str, Any], *, stream_mode: str) -> AsyncIterator[tuple[Any, dict[str, str]]]:
        assert stream_mode == "messages"
        name = self._edges["start"]
        while name != "end":
            [message] = (await self._nodes[name](state))["messages"]
            for word in message.content.split(" "):
                yield SimpleNamespace(content=f"{word} "), {"langgraph_node": name}
            name = self._edges[name]


async def test_a_graph_answers_in_pieces(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = ModuleType("langgraph.graph")
    vars(graph).update(START="start", END="end", MessagesState=dict, StateGraph=_Graph)
    monkeypatch.setitem(sys.modules, "langgraph", ModuleType("langgraph"))
    monkeypatch.setitem(sys.modules, "langgraph.graph", graph)
    asked = []

    class Model:
        async def ainvoke(self, messages: Sequence[tuple[str, str]]) -> Any:
            asked.append(list(messages))
            return SimpleNamespace(content="Hello from here")

    server = documented("GraphServer")(services)
    server.model = Model()
    chat = Chat(server)
    assert [text.strip() for text in texts(await chat.send("Hi"))] == ["Hello from here"]
    await chat.send("More")
    assert [role for role, _ in asked[1]] == ["user", "assistant", "user"]


async def test_a_model_of_an_index_answers_in_pieces(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    llms = ModuleType("llama_index.core.llms")
    vars(llms)["ChatMessage"] = lambda role, content: (role, content)
    for name in ("llama_index", "llama_index.core"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "llama_index.core.llms", llms)

    class Model:
        async def astream_chat(self, messages: Sequence[tuple[str, str]]) -> Any:
            async def pieces() -> AsyncIterator[Any]:
                for word in ("You said ", messages[-1][1], None):
                    yield SimpleNamespace(delta=word)

            return pieces()

    server = documented("IndexServer")(services)
    server.llm = Model()
    events = await Chat(server).send("Hi")
    assert not errors(events)
    assert texts(events) == ["You said Hi"]
