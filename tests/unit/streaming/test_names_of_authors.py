"""Names in an author's classes never interfere with the platform."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, AgentResponseUpdate, Content, ResponseStream, tool
from agents import Agent as SDKAgent
from chatkit.server import ChatKitServer

from base_server import HOOKS, RESERVED_NAMES, BaseChatKitServer, action
from context import ActionTurn, Services, Turn
from errors import ActionError, FinalMethodError, PluginError
from framework.mcp_servers import servers_of
from framework.sentences import LIMIT_REACHED
from tests.unit.harness import Chat, done_items, texts
from tests.unit.scripted_model import ScriptedModel, calls, says

ROOT = Path(__file__).resolve().parents[3]

# What an author would write for things of their own.
EVERYDAY = {
    "_after", "_begin", "_carry_out", "_check_input", "_retry", "_run_agent", "_sender", "_serialize", "_settle",
    "agent", "delivery", "find", "parts", "requests", "responder", "runs", "save", "send", "settings", "start", "stop",
    "update",
}  # fmt: skip


def names_of_the_platform() -> set[str]:
    """Return every name of a function, class or attribute in what answers, and ChatKit's own."""
    names = set(dir(ChatKitServer)) | EVERYDAY
    rooms = (path for room in ("streaming", "runs", "turns") for path in ROOT.glob(f"{room}/**/*.py"))
    for path in (ROOT / "base_server.py", *rooms):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
    return {name for name in names if not name.startswith("__")} - HOOKS - RESERVED_NAMES


@tool(approval_mode="always_require")
async def erase() -> str:
    """Erase it."""
    return "Erased."


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


class ShopServer(BaseChatKitServer):
    """Shows a widget, takes clicks, asks, and needs permission."""

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[erase])

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        button = {"type": "Button", "label": "Go", "onClickAction": {"type": "shop.go"}}
        turn.widget({"type": "Card", "id": "shop.card", "children": [button]}, copy_text="A card")

    @action("shop.go")
    async def click_on_go(self, turn: ActionTurn) -> None:
        turn.replace({"type": "Card", "id": "shop.card", "children": [{"type": "Text", "value": "Gone"}]})


def stray(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise AssertionError("the platform has called a method of the author's")


def build_strange_class() -> type[ShopServer]:
    names = names_of_the_platform() - set(vars(ShopServer))
    assert len(names) > 300
    assert names >= EVERYDAY
    return type("StrangeServer", (ShopServer,), dict.fromkeys(names, stray))


async def talk(chat: Chat, model: ScriptedModel) -> AsyncIterator[Any]:
    """Let a person do whatever there is to do, and yield what they get."""
    model.turns = [says("Hello.")]
    first = await chat.send("Hi")
    yield texts(first)
    [card] = done_items(first, "widget")
    yield (await chat.act(card, "shop.go", sync=True))["updated_item"]["widget"]
    model.turns = [says("Again.")]
    [message] = [item for item in await chat.items() if item["type"] == "user_message"]
    again = await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id=message["id"])
    yield texts(again)
    [card] = done_items(again, "widget")
    yield [event["type"] for event in await chat.act(card, "shop.go")]
    model.turns = [calls("erase"), says("Done.")]
    waits = await chat.send("Erase it")
    [card] = done_items(waits, "widget")
    buttons = card["widget"]["children"][-1]["children"][-1]["children"]
    allowed = buttons[-1]["onClickAction"]
    yield texts(await chat.act(card, allowed["type"], allowed["payload"]))
    yield await chat.request("items.feedback", thread_id=chat.thread_id, item_ids=[message["id"]], kind="positive")
    yield await chat.request("runs.stop", thread_id=chat.thread_id)
    yield (await chat.request("threads.update", thread_id=chat.thread_id, title="Shop"))["title"]
    yield len((await chat.request("threads.list"))["data"])
    yield [item["type"] for item in await chat.items()]
    with pytest.raises(ActionError) as refused:
        await chat.act(None, "shop.none")
    yield str(refused.value)
    yield await chat.request("threads.delete", thread_id=chat.thread_id)


async def test_any_free_name_may_be_defined_and_nothing_changes(services: Services, model: ScriptedModel) -> None:
    plain = [each async for each in talk(Chat(ShopServer(services)), model)]
    strange = [each async for each in talk(Chat(build_strange_class()(services)), model)]
    assert strange == plain
    assert plain[0] == ["Hello."]
    assert plain[4] == ["Done."]


async def test_attributes_of_the_author_s_own_change_nothing(services: Services, model: ScriptedModel) -> None:
    server = ShopServer(services)
    for name in names_of_the_platform() - set(dir(ShopServer)):
        setattr(server, name, None)
    assert await anext(talk(Chat(server), model)) == ["Hello."]


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(FinalMethodError, match=f"Bad defines '{name}', which the platform owns"):
        type("Bad", (BaseChatKitServer,), {name: stray})
    mixin = type("Mixin", (), {name: stray})
    with pytest.raises(FinalMethodError, match=f"Mixin defines '{name}'"):
        type("Good", (mixin, BaseChatKitServer), {})
    with pytest.raises(FinalMethodError, match=f"Mixin defines '{name}'"):
        type("Good", (BaseChatKitServer, mixin), {})


# Shapes of an author's class


def same_name_as_ours() -> type[ShopServer]:
    class BaseChatKitServer(ShopServer):
        def __init__(self, services: Services) -> None:
            self.__actions = self.__state = self.__parts = self.__use_case = "the author's"
            super().__init__(services)
            self.__actions = self.__state = self.__parts = self.__use_case = "the author's"

    return BaseChatKitServer


def a_dataclass() -> type[ShopServer]:
    @dataclass
    class Shop(ShopServer):
        services: Services
        carts: dict[str, int] = field(default_factory=dict)
        parts: int = 3

        def __post_init__(self) -> None:
            super().__init__(self.services)

    return Shop


def with_slots_metaclass_and_two_classes_of_its_own() -> type[ShopServer]:
    class Registry(type(ShopServer)):  # type: ignore[misc]
        def __getattr__(cls, name: str) -> Any:
            return stray

        def __dir__(cls) -> list[str]:
            raise AssertionError("the platform asks a metaclass")

    class Quiet:
        def __init_subclass__(cls, **kwargs: Any) -> None:
            """Let nobody else know."""

    class Middle(Quiet, ShopServer, metaclass=Registry):
        __slots__ = ("_state", "parts")

    class Shop(Middle):
        __slots__ = ("_use_case",)

        def __init__(self, services: Services) -> None:
            super().__init__(services)
            self._state = self.parts = self._use_case = None

    return Shop


def with_a_metaclass_that_has_our_names() -> type[ShopServer]:
    names = (HOOKS | RESERVED_NAMES) - {"mro"}
    kind = type("Kind", (type(ShopServer),), {name: property(lambda cls: stray) for name in names})
    return kind("Shop", (ShopServer,), {})  # type: ignore[no-any-return]


def with_the_names_of_a_server_of_tools() -> type[ShopServer]:
    names = ("call_tool", "load_tools", "list_tools", "connect", "cleanup", "functions", "is_connected", "name")
    return type("Shop", (ShopServer,), {name: property(stray) for name in names})


class Answering:
    """Has whatever is asked of it but what Python itself asks."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def answering_and_odd_in_every_way() -> type[ShopServer]:
    class Shop(ShopServer):
        query = Answering()
        workflow = property(stray)

        def __getattr__(self, name: str) -> Any:
            return stray

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

        def __len__(self) -> int:
            return 0

        def __repr__(self) -> str:
            raise AssertionError("the platform prints it")

        __iter__ = __call__ = __await__ = __enter__ = __aenter__ = stray

    return Shop


SHAPES = [
    same_name_as_ours,
    a_dataclass,
    with_slots_metaclass_and_two_classes_of_its_own,
    with_a_metaclass_that_has_our_names,
    with_the_names_of_a_server_of_tools,
    answering_and_odd_in_every_way,
]


@pytest.mark.parametrize("build", SHAPES)
async def test_a_class_of_any_shape_changes_nothing(
    services: Services, model: ScriptedModel, build: Callable[[], type[ShopServer]]
) -> None:
    plain = [each async for each in talk(Chat(ShopServer(services)), model)]
    server = build()(services)
    assert [each async for each in talk(Chat(server), model)] == plain
    assert list(servers_of(server)) == [], "and `parlor doctor` looks at it without asking it"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a property": ({"open": property(stray)}, "the hook 'open' as a property, and it is a method: open\\(\\)"),
    "a value": ({"texts": {"de": "Hallo"}}, "the hook 'texts' as a dict, and it is a method: texts\\(turn\\)"),
    "nothing": ({"action": None}, "the hook 'action' as a NoneType"),
    "an argument more": ({"open": lambda self, cart: None}, "'open' with other arguments: it is called as open\\(\\)"),
    "an argument less": ({"transcribe": lambda self, audio: None}, "as transcribe\\(audio_input, context\\)"),
    "a static method": ({"texts": staticmethod(lambda: None)}, "it is called as texts\\(turn\\)"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_an_invalid_hook_is_refused_by_name(how: str) -> None:
    body, reason = REFUSED[how]
    with pytest.raises(PluginError, match=f"Shop defines .*{reason}"):
        type("Shop", (BaseChatKitServer,), body)


@pytest.mark.parametrize("name", ["open", "close", "get_agent"])
def test_a_hook_that_yields_is_refused_where_nobody_would_read_it(name: str) -> None:
    async def yields(self: Any, *turn: Turn) -> AsyncIterator[int]:
        yield 1

    def plain(self: Any, *turn: Turn) -> Iterator[int]:
        yield 1

    for hook in (yields, plain):
        with pytest.raises(PluginError, match=f"Shop defines the hook '{name}' as a generator"):
            type("Shop", (BaseChatKitServer,), {name: hook})
    type("Shop", (BaseChatKitServer,), {"post_respond_hook": lambda self, thread, turn: yields(self, turn)})


def test_a_closing_hook_that_yields_without_async_is_refused() -> None:
    def post_respond_hook(self: Any, thread: Any, turn: Turn) -> Iterator[int]:
        yield 1

    with pytest.raises(PluginError, match="the hook 'post_respond_hook' as a generator"):
        type("Shop", (BaseChatKitServer,), {"post_respond_hook": post_respond_hook})


async def test_a_closing_hook_that_is_a_plain_function_shows_what_it_shows(
    services: Services, model: ScriptedModel
) -> None:
    class Shop(ShopServer):
        def post_respond_hook(self, thread: Any, turn: Turn) -> None:  # type: ignore[override]
            turn.widget({"type": "Card", "children": [{"type": "Text", "value": "Plain"}]})

    model.turns = [says("Hello.")]
    chat = Chat(Shop(services))
    [card] = done_items(await chat.send("Hi"), "widget")
    assert card["widget"]["children"][0]["value"] == "Plain"
    assert "widget" in [item["type"] for item in await chat.items()]


def test_an_async_hook_that_must_be_plain_is_refused() -> None:
    async def texts(self: Any, turn: Turn) -> None: ...

    with pytest.raises(PluginError, match="the hook 'texts' as 'async def', and it is a plain function"):
        type("Shop", (BaseChatKitServer,), {"texts": texts})


async def test_texts_of_another_kind_end_the_answer_before_a_step_of_it_is_shown(
    services: Services, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    class Shop(ShopServer):
        def texts(self, turn: Turn) -> Any:
            return {"ask": "May I?"}

    model.turns = [calls("erase")]
    events = await Chat(Shop(services)).send("Erase it")
    assert [event["type"] for event in events] == ["thread.created", "thread.item.done", "stream_options", "error"]
    assert "texts returned a dict; return an AnswerTexts" in caplog.text


async def test_a_limit_s_message_that_is_no_text_ends_the_answer(
    services: Services, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    class Shop(ShopServer):
        def limit_message(self, turn: Turn) -> Any:
            return None

    model.turns = [says(LIMIT_REACHED)]
    assert (await Chat(Shop(services)).send("Hi"))[-1]["type"] == "error"
    assert "limit_message returned a NoneType; return a str" in caplog.text


def test_a_hook_may_be_any_method_that_takes_its_arguments(services: Services) -> None:
    class Shop(BaseChatKitServer):
        @staticmethod
        def texts(turn: Turn) -> Any: ...  # type: ignore[override]

        @classmethod
        def limit_message(cls, *args: Any, **more: Any) -> str: ...  # type: ignore[empty-body]

        def get_agent(self) -> Any: ...  # type: ignore[override]

        def open(self, retries: int = 3) -> Any: ...  # type: ignore[override]

    server = Shop(services)
    server.close = stray  # type: ignore[method-assign]


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES - {"chat_client"}))
def test_an_attribute_that_the_platform_owns_is_refused_by_name(services: Services, name: str) -> None:
    server = ShopServer(services)
    with pytest.raises(FinalMethodError, match=f"ShopServer sets 'self.{name}', which the platform owns"):
        setattr(server, name, "the author's")


@pytest.mark.parametrize("name", ["services", "store", "attachment_store", "chat_client"])
def test_an_attribute_that_would_be_replaced_is_refused_by_name(services: Services, name: str) -> None:
    class Shop(ShopServer):
        def __init__(self, services: Services) -> None:
            setattr(self, name, {"cart": 1})
            super().__init__(services)

    with pytest.raises((FinalMethodError, PluginError), match=f"Shop sets 'self.{name}'"):
        Shop(services)


def test_an_attribute_that_hides_a_hook_is_refused_by_name(services: Services) -> None:
    with pytest.raises(PluginError, match=r"ShopServer sets 'self.open' to a bool, and 'open' is a hook"):
        ShopServer(services).open = True  # type: ignore[method-assign,assignment]


def test_a_hook_that_is_looked_up_once_is_refused_where_it_would_not_be_found(services: Services) -> None:
    with pytest.raises(PluginError, match=r"sets 'self.action', and 'action' is a hook: define it in the class"):
        ShopServer(services).action = stray  # type: ignore[method-assign]


# Agents of the author's own


def agent_with_any_name(client: Any) -> Any:
    taken = set(dir(Agent)) | vars(Agent(client)).keys()
    return type("ShopAgent", (Agent,), dict.fromkeys(names_of_the_platform() - taken, stray))(client, tools=[erase])


async def test_names_of_an_agent_s_class_change_nothing(services: Services, model: ScriptedModel) -> None:
    class Server(ShopServer):
        def get_agent(self, turn: Turn) -> Any:
            return agent_with_any_name(self.chat_client)

    plain = [each async for each in talk(Chat(ShopServer(services)), model)]
    assert "replay_calls" in vars(type(agent_with_any_name(ShopServer(services).chat_client)))
    assert [each async for each in talk(Chat(Server(services)), model)] == plain


class Pipe:
    """An async generator function that is an object, with helpers of its own."""

    def run(self, *steps: str) -> None:
        raise AssertionError("the platform runs it")

    async def __call__(self, messages: Any, turn: Turn) -> AsyncIterator[str]:
        yield "Piped."


class OwnAgent:
    """An agent that is none of the framework's, and means its own by the framework's names."""

    id = name = description = "own"
    workflow = mcp_tools = default_options = replay_calls = stray

    def run(self, messages: Any, *, stream: bool) -> Any:
        return ResponseStream(self._updates())

    async def _updates(self) -> AsyncIterator[AgentResponseUpdate]:
        yield AgentResponseUpdate(contents=[Content.from_text("Owned.")], role="assistant")


async def test_helpers_called_like_an_agent_s_members_change_nothing(services: Services, model: ScriptedModel) -> None:
    class SDKShopAgent(SDKAgent[Any]):
        def run(self) -> None:
            raise AssertionError("the platform runs it")

    class Server(ShopServer):
        agent: Any = None

        def get_agent(self, turn: Turn) -> Any:
            return self.agent

    server = Server(services)
    said = []
    for server.agent in (Pipe(), OwnAgent(), SDKShopAgent(name="shop")):
        model.turns = [says("Answered.")]
        said += texts(await Chat(server).send("Hi"))
    assert said == ["Piped.", "Owned.", "Answered."]


def test_a_reserved_method_added_to_a_class_later_is_refused_at_construction(services: Services) -> None:
    class Shop(ShopServer):
        pass

    Shop.respond = stray  # type: ignore[method-assign]
    with pytest.raises(FinalMethodError, match="Shop defines 'respond'"):
        Shop(services)
