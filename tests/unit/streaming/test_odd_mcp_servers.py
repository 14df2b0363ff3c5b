"""Misbehaving MCP servers: neither the answer nor other people's calls fail."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, MCPStdioTool, MCPStreamableHTTPTool, WorkflowBuilder
from agents import Agent as SDKAgent
from agents.mcp import MCPServerStreamableHttp
from chatkit.server import ChatKitServer

from base_server import BaseChatKitServer
from context import Services, Turn
from framework.mcp_servers import (
    CONNECT_TIMEOUT_S,
    NOT_REACHED,
    UNKNOWN_OUTCOME,
    examine,
    is_connected,
    servers_of,
    state_of,
)
from stock_server import StockServer
from tests.preloaded.commands import KILL, preloaded_python
from tests.unit.harness import Chat, errors, texts
from tests.unit.scripted_model import ScriptedModel, calls, gives, says
from tests.waiting import until

# The framework pings old servers, and the package warns of that.
pytestmark = pytest.mark.filterwarnings("ignore:ping is removed")

SCRIPT = Path(__file__).parents[1] / "odd_mcp_server.py"


class OddServer(BaseChatKitServer):
    odd: Any

    def get_agent(self, turn: Turn) -> Any:
        return Agent(self.chat_client, "Be short.", tools=[self.odd])


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def chat(services: Services, tmp_path: Path) -> AsyncIterator[Chat]:
    server = OddServer(services)
    server.odd = stdio_tool(tmp_path)
    yield Chat(server)
    await server.odd.close()


def stdio_tool(folder: Path) -> MCPStdioTool:
    command, *arguments = preloaded_python(str(SCRIPT), str(folder), "stdio")
    return MCPStdioTool("odd", command, args=arguments)


def results(model: ScriptedModel) -> list[Any]:
    return results_in(model.requests[-1])


def results_in(messages: list[Any]) -> list[Any]:
    contents = [content for message in messages for content in message.contents]
    return [content for content in contents if content.type == "function_result"]


async def ask(chat: Chat, model: ScriptedModel, tool: str, **arguments: Any) -> str:
    """Let the model call a tool, and return what it was told."""
    model.turns = [calls(tool, f"call_{len(model.requests)}", **arguments), says("Done.", message_id="m2")]
    events = await chat.send("Go")
    assert not errors(events), errors(events)
    assert texts(events) == ["Done."]
    return str(results(model)[-1].result)


async def test_another_persons_question_ends_no_call_that_blocks_its_server(
    chat: Chat, model: ScriptedModel, tmp_path: Path
) -> None:
    await ask(chat, model, "structured")
    connections = state_of(chat.server.odd).connections  # type: ignore[attr-defined]
    model.turns = [calls("block", "c1", until="go"), says("Hello."), says("Done.", message_id="m2")]
    first = asyncio.create_task(chat.send("Block"))
    await until(lambda: (tmp_path / "blocking").exists())
    other = Chat(chat.server, user="user_b")
    assert texts(await other.send("Hi")) == ["Hello."]
    assert "cannot be reached" not in str([message.text for message in model.requests[-1]])
    (tmp_path / "go").touch()
    assert texts(await first) == ["Done."]
    assert "Done blocking." in str(results(model)[-1].result)
    assert (tmp_path / "calls").read_text().split() == ["block"]
    assert state_of(chat.server.odd).connections == connections  # type: ignore[attr-defined]


async def test_rubbish_on_both_channels_is_no_end(chat: Chat, model: ScriptedModel, tmp_path: Path) -> None:
    (tmp_path / "greets").touch()
    assert "Still here." in await ask(chat, model, "rubbish")
    assert "7" in await ask(chat, model, "structured")
    assert (tmp_path / "calls").read_text().split() == ["rubbish"]


@pytest.mark.parametrize("way", ["0", "1"])
async def test_a_server_that_dies_in_a_call_is_reconnected_for_the_next_one(
    chat: Chat, model: ScriptedModel, tmp_path: Path, way: str
) -> None:
    assert await ask(chat, model, "die", way=way) == UNKNOWN_OUTCOME
    assert (tmp_path / "calls").read_text().split() == ["die"]
    assert "7" in await ask(chat, model, "structured")


ODD_NAMES = {
    "gr--e.der-datei": "Named.",
    "read-item": "With slash.",
    "read-item_2": "With colon.",
    "x" * 90 + "1": "Long one.",
    "x" * 90 + "2": "Long two.",
    "last_of_all": "Last.",
}


async def test_tools_of_odd_names_are_called(chat: Chat, model: ScriptedModel) -> None:
    for name, told in ODD_NAMES.items():
        assert told in await ask(chat, model, name)


async def test_changed_tools_are_offered_again_and_all_pages_are_read(chat: Chat, model: ScriptedModel) -> None:
    await ask(chat, model, "change_tools", new="brand_new", text="One.")
    assert "One." in await ask(chat, model, "brand_new")
    assert {"picture", "last_of_all", "brand_new"} <= state_of(chat.server.odd).repeatable  # type: ignore[attr-defined]
    await ask(chat, model, "change_tools", new="brand_new", text="Two.")
    assert "Two." in await ask(chat, model, "brand_new")
    [offered] = [tool for tool in model.options[-1]["tools"] if tool.name == "brand_new"]
    assert offered.description == "Say Two."


async def test_tools_of_the_same_name_are_distinguished(
    services: Services, tmp_path: Path, model: ScriptedModel
) -> None:
    def structured() -> str:
        """Have a structure here."""
        return "Ours."

    class TwoServer(OddServer):
        def get_agent(self, turn: Turn) -> Any:
            return Agent(self.chat_client, tools=[structured, self.odd])

    server = TwoServer(services)
    server.odd = stdio_tool(tmp_path)
    try:
        assert await ask(Chat(server), model, "structured") == "Ours."
        assert "7" in await ask(Chat(server), model, "odd_structured")
    finally:
        await server.odd.close()


RESULTS = {
    "nothing": "null",
    "structured": '"temperature": 7',
    "failing": "The shelf is empty.",
    "resources": "Seven.",
    "picture": "",
    "broken_picture": "",
}


async def test_the_answer_continues_whatever_a_tool_returns(chat: Chat, model: ScriptedModel) -> None:
    for name, told in RESULTS.items():
        assert told in await ask(chat, model, name)
    assert texts(await chat.send("And?")) == ["(the script is over)"]
    assert any("https://a.example/a.txt" in str(result.result) for result in results(model))


def dead_tool(name: str) -> MCPStreamableHTTPTool:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return MCPStreamableHTTPTool(name, f"http://127.0.0.1:{port}/mcp")


async def test_agents_of_a_workflow_continue_without_a_server_that_is_down(
    services: Services, tmp_path: Path, model: ScriptedModel
) -> None:
    gone = dead_tool("gone")

    class TeamServer(OddServer):
        def get_agent(self, turn: Turn) -> Any:
            first = Agent(self.chat_client, "You write.", name="first", tools=[gone, self.odd])
            second = Agent(self.chat_client, name="second", tools=[gone])
            return (
                WorkflowBuilder(start_executor=first, output_from=[first, second])
                .add_edge(first, second)
                .build()
                .as_agent()
            )

    server = TeamServer(services)
    server.odd = stdio_tool(tmp_path)
    try:
        model.turns = [calls("structured", "c1"), says("Seven.", message_id="m2"), says("Right.", message_id="m3")]
        events = await Chat(server).send("Go")
        assert not errors(events)
        assert texts(events) == ["Seven.", "Right."]
        for request, own in ((0, "You write."), (2, "")):
            told = model.options[request]["instructions"]
            assert own in told
            assert "gone" in told
        assert "7" in str(results_in(model.requests[1])[-1].result)
    finally:
        await server.odd.close()


class HeldServer(BaseChatKitServer):
    """Holds servers of tools in every place that there is."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.listed = [dead_tool("listed")]
        self.tools = {"set": (dead_tool("in_dict"),)}
        expert = Agent(self.chat_client, name="expert", tools=[dead_tool("of_expert")])
        self.agent = Agent(self.chat_client, tools=[dead_tool("of_agent"), expert.as_tool()])
        clerk = Agent(self.chat_client, name="clerk", tools=[dead_tool("of_clerk")])
        self.workflow = WorkflowBuilder(start_executor=clerk, output_from=[clerk]).build()
        self.helper = Helper(dead_tool("of_helper"))

    def get_agent(self, turn: Turn) -> Any:
        return build_agent(self)


class Helper:
    def __init__(self, tool: Any) -> None:
        self.tool = tool
        self.owner = self


of_module = dead_tool("of_module")


def build_agent(server: HeldServer) -> Any:
    return Agent(server.chat_client, tools=[of_module])


async def test_servers_are_found_wherever_a_use_case_holds_them(services: Services) -> None:
    found = {tool.name for tool in servers_of(HeldServer(services))}
    assert found == {"listed", "in_dict", "of_agent", "of_expert", "of_clerk", "of_helper", "of_module"}


class StockHolder(ChatKitServer[Any]):
    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.clerk = SDKAgent(name="clerk", mcp_servers=[sdk_server("of_attribute")])

    async def respond(self, thread: Any, message: Any, context: Any) -> Any:
        for each in (stock_agent, self.clerk):
            yield each


def sdk_server(name: str) -> Any:
    return MCPServerStreamableHttp({"url": "http://127.0.0.1:9/mcp"}, name=name)


stock_agent = SDKAgent[Any](name="desk", mcp_servers=[sdk_server("of_its_module")])


def test_servers_are_found_in_a_server_that_is_taken_as_it_is(services: Services) -> None:
    taken = StockServer(StockHolder)
    taken.bind(services)
    assert {tool.name for tool in servers_of(taken)} == {"of_attribute", "of_its_module"}


def has_asked(model: ScriptedModel, times: int) -> bool:
    return len(model.requests) >= times


class Door:
    """Stands between a client and a real server over HTTP, and does in its place what the test says."""

    def __init__(self) -> None:
        self.does: bytes | None = None
        self.sessions: set[bytes] = set()
        self.forgotten: set[bytes] = set()
        self.refused = 0
        self.has_sessions = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._target = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, target: int) -> None:
        self._target = target
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def change(self, does: bytes | None) -> None:
        """Do something else, on connections that are open too."""
        self.does = does
        for writer in list(self._writers):
            writer.close()

    def forget(self) -> None:
        """Know none of the sessions so far."""
        self.forgotten |= self.sessions
        self.change(None)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.change(None)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self.does is not None:
                await reader.readuntil(b"\r\n\r\n")
                if self.does == SILENCE:
                    await reader.read()
                writer.write(self.does)
                await writer.drain()
                return
            head = await reader.readuntil(b"\r\n\r\n")
            if self.forgotten & set(SESSION.findall(head)):
                self.refused += 1
                writer.write(ODD_RESPONSES["404"])
                await writer.drain()
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            back.write(head)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            self.sessions |= set(SESSION.findall(data))
            writer.write(data)
            await writer.drain()
        writer.close()


SESSION = re.compile(rb"mcp-session-id: *(\S+)", re.IGNORECASE)
SILENCE = b"silence"


def response(status: str, body: str, kind: str = "text/html") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return (head + body).encode()


ODD_RESPONSES = {
    "401": response("401 Unauthorized", '{"error": "no token"}', "application/json"),
    "403": response("403 Forbidden", "no"),
    "404": response("404 Not Found", '{"error": "unknown session"}', "application/json"),
    "500": response("500 Internal Server Error", "oops"),
    "503": response("503 Service Unavailable", "<html>later</html>"),
    "HTML": response("200 OK", "<html>Sign in</html>"),
    "no JSON": response("200 OK", "{", "application/json"),
    "other JSON": response("200 OK", '{"hello": 1}', "application/json"),
    "no HTTP": b"SSH-2.0-odd\r\n",
    "closes": b"",
}


@pytest.fixture(params=["new", "old"])
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """A server that knows no sessions, and an old one that does."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *preloaded_python(str(SCRIPT), str(tmp_path), str(port), request.param)
    )
    door = Door()
    door.has_sessions = request.param == "old"
    await door.open(port)
    await until_it_listens(port)
    yield door
    await door.close()
    process.send_signal(KILL)
    await process.wait()


async def until_it_listens(port: int) -> None:
    for _ in range(1_000):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise AssertionError("the server did not come up")


@pytest.fixture
async def web_chat(services: Services, door: Door) -> AsyncIterator[Chat]:
    server = OddServer(services)
    server.odd = MCPStreamableHTTPTool("odd", f"http://127.0.0.1:{door.port}/mcp")
    yield Chat(server)
    async with asyncio.timeout(10):
        await server.odd.close()


async def test_a_server_that_answers_oddly_costs_an_answer_its_tools_alone(
    web_chat: Chat, model: ScriptedModel, door: Door
) -> None:
    for what, odd in ODD_RESPONSES.items():
        # At first: it was never connected. Later: it was lost.
        door.change(odd)
        model.turns = [says("I cannot read it.")]
        events = await web_chat.send("Read")
        assert not errors(events), what
        assert texts(events) == ["I cannot read it."], what
        assert "odd" in model.requests[-1][0].text, what
        assert not is_connected(web_chat.server.odd), what  # type: ignore[attr-defined]
        door.change(None)
        assert "7" in await ask(web_chat, model, "structured"), what


async def test_a_server_that_answers_oddly_in_the_middle_of_an_answer_fails_no_more_than_a_call(
    web_chat: Chat, model: ScriptedModel, door: Door
) -> None:
    for what, odd in ODD_RESPONSES.items():
        is_odd, asked = asyncio.Event(), len(model.requests)
        model.turns = [
            calls("structured", f"c1{what}"),
            [is_odd, *calls("picture", f"c2{what}")],
            says("Sorry.", message_id="m3"),
        ]
        asking = asyncio.create_task(web_chat.send("Go"))
        await until(partial(has_asked, model, asked + 2))
        door.change(odd)
        is_odd.set()
        events = await asking
        assert not errors(events), what
        assert texts(events) == ["Sorry."], what
        door.change(None)
        assert "7" in await ask(web_chat, model, "structured"), what


async def test_a_hanging_server_is_waited_for_once_and_used_again_later(
    web_chat: Chat, model: ScriptedModel, door: Door
) -> None:
    door.change(SILENCE)
    model.turns = [says("One."), says("Two.")]
    assert texts(await web_chat.send("Read")) == ["One."]
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        assert texts(await web_chat.send("Read")) == ["Two."], "it is hardly waited for a second time"
    door.change(None)
    # A busy machine may take longer to connect than the short time that it is waited for now.
    async with asyncio.timeout(60):
        while not is_connected(web_chat.server.odd):  # type: ignore[attr-defined]
            model.turns = [says("Not yet.")]
            await web_chat.send("Read")
    assert "7" in await ask(web_chat, model, "structured")
    assert await examine(web_chat.server.odd) == (True, "connected, 16 tools")  # type: ignore[attr-defined]


async def test_a_server_that_forgets_its_sessions_is_reconnected(
    web_chat: Chat, model: ScriptedModel, door: Door
) -> None:
    assert "7" in await ask(web_chat, model, "structured")
    door.forget()
    assert "7" in await ask(web_chat, model, "structured"), "between two answers"
    is_odd, asked = asyncio.Event(), len(model.requests)
    model.turns = [calls("picture", "c1"), [is_odd, *calls("structured", "c2")], says("Done.", message_id="m3")]
    asking = asyncio.create_task(web_chat.send("Go"))
    await until(partial(has_asked, model, asked + 2))
    door.forget()
    is_odd.set()
    assert texts(await asking) == ["Done."]
    assert "7" in str(results(model)[-1].result), "within an answer"
    assert (door.refused >= 2) is door.has_sessions


async def test_calls_of_one_answer_whose_server_dies_end_together_and_the_next_one_works(
    chat: Chat, model: ScriptedModel, tmp_path: Path
) -> None:
    await ask(chat, model, "structured")
    both = [step.contents[0] for step in (*calls("die", "c1", way="1"), *calls("last_of_all", "c2"))]  # type: ignore[union-attr]
    model.turns = [gives(*both, message_id="m1"), says("Done.", message_id="m2")]
    assert texts(await chat.send("Go")) == ["Done."]
    told = [str(result.result) for result in results(model)[-2:]]
    assert told[0] == UNKNOWN_OUTCOME
    assert told[1] == NOT_REACHED or "Last." in told[1]
    assert (tmp_path / "calls").read_text().split() == ["die"]
    assert "7" in await ask(chat, model, "structured")
