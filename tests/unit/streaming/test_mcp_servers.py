"""Tools of real MCP servers in their own processes, which are killed and restarted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, MCPStdioTool, MCPStreamableHTTPTool

from base_server import BaseChatKitServer
from context import Services, Turn
from framework.mcp_servers import NOT_REACHED, UNKNOWN_OUTCOME, examine, is_connected, servers_of
from tests.preloaded.commands import KILL, preloaded_python
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.waiting import until

SCRIPT = Path(__file__).parents[1] / "mcp_server.py"
PATIENCE_S = 60.0


class Shelf:
    """A server with a file of what it was asked to do; over HTTP it is started here, over stdio by its client."""

    def __init__(self, folder: Path, transport: str) -> None:
        self.file = folder / "calls.txt"
        self.transport = transport
        self.process: asyncio.subprocess.Process | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def tool(self) -> Any:
        if self.transport == "stdio":
            command, *arguments = preloaded_python(str(SCRIPT), str(self.file), "stdio")
            return MCPStdioTool("shelf", command, args=arguments)
        return MCPStreamableHTTPTool("shelf", f"http://127.0.0.1:{self.port}/mcp")

    async def start(self) -> None:
        if self.transport == "stdio":
            return
        command = preloaded_python(str(SCRIPT), str(self.file), str(self.port))
        self.process = await asyncio.create_subprocess_exec(*command)
        for _ in range(1_000):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
        raise AssertionError("the server did not come up")

    async def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            if process.returncode is None:
                process.send_signal(KILL)
            await process.wait()

    def dies_in_next_call(self) -> None:
        self.file.with_suffix(".die").touch()

    @property
    def done(self) -> list[str]:
        return self.file.read_text().split() if self.file.exists() else []


class ShelfServer(BaseChatKitServer):
    shelf: Any

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[self.shelf])


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture(params=["stdio", "http"])
async def shelf(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shelf]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    shelf = Shelf(tmp_path, request.param)
    yield shelf
    await shelf.stop()


@pytest.fixture
async def chat(services: Services, shelf: Shelf) -> AsyncIterator[Chat]:
    server = ShelfServer(services)
    server.shelf = shelf.tool()
    yield Chat(server)
    await server.shelf.close()


def results(model: ScriptedModel) -> list[str]:
    contents = [content for message in model.requests[-1] for content in message.contents]
    return [str(content.result) for content in contents if content.type == "function_result"]


async def ask(chat: Chat, model: ScriptedModel, name: str, key: str = "7") -> str:
    """Let the model call a tool, and return what it was told."""
    model.turns = [calls(name, f"call_{len(model.requests)}", key=key), says("Done.", message_id="m2")]
    events = await chat.send("Go")
    assert not errors(events), errors(events)
    assert texts(events) == ["Done."]
    return results(model)[-1]


async def test_tools_of_a_server_are_offered_and_called(chat: Chat, model: ScriptedModel, shelf: Shelf) -> None:
    await shelf.start()
    assert "Item 7." in await ask(chat, model, "read.item")
    assert "Put 8." in await ask(chat, model, "put_item", "8")
    assert shelf.done == ["read", "put"]
    assert is_connected(chat.server.shelf)  # type: ignore[attr-defined]


async def test_a_call_that_only_reads_is_repeated_when_its_server_dies(
    chat: Chat, model: ScriptedModel, shelf: Shelf
) -> None:
    await shelf.start()
    await ask(chat, model, "read.item")
    shelf.dies_in_next_call()
    restarted = asyncio.create_task(start_again(shelf))
    told = await ask(chat, model, "read.item")
    await restarted
    assert "Item 7." in told or told == NOT_REACHED, "a process that is not up again yet cannot be reached"
    assert "Item 7." in await ask(chat, model, "read.item")


async def test_a_call_that_may_have_had_an_effect_is_not_repeated(
    chat: Chat, model: ScriptedModel, shelf: Shelf
) -> None:
    await shelf.start()
    await ask(chat, model, "read.item")
    shelf.dies_in_next_call()
    restarted = asyncio.create_task(start_again(shelf))
    assert await ask(chat, model, "put_item") == UNKNOWN_OUTCOME
    await restarted
    assert shelf.done == ["read", "put"]
    assert "Put 7." in await ask(chat, model, "put_item"), "later calls reach the server that is new"
    assert shelf.done == ["read", "put", "put"]


async def test_an_error_of_a_tool_does_not_count_as_a_lost_server(
    chat: Chat, model: ScriptedModel, shelf: Shelf
) -> None:
    await shelf.start()
    told = await ask(chat, model, "look_up")
    assert told not in (NOT_REACHED, UNKNOWN_OUTCOME)
    assert shelf.done == ["look"]


async def start_again(shelf: Shelf) -> None:
    """Start a server again as soon as it has died."""
    if shelf.process is not None:
        async with asyncio.timeout(PATIENCE_S):
            await shelf.process.wait()
        await shelf.start()


async def kill_once_asked(shelf: Shelf, model: ScriptedModel, requests: int, then: asyncio.Event) -> None:
    """End the server when the model has been told of the call before, which is when it is asked again."""
    await until(lambda: len(model.requests) >= requests)
    await shelf.stop()
    then.set()


@pytest.mark.parametrize("shelf", ["http"], indirect=True)
@pytest.mark.parametrize("name", ["read.item", "put_item"])
async def test_a_restarted_server_is_reconnected_and_called_once(
    chat: Chat, model: ScriptedModel, shelf: Shelf, name: str
) -> None:
    await shelf.start()
    await ask(chat, model, "read.item")
    await shelf.stop()
    await shelf.start()
    assert "7." in await ask(chat, model, name)
    assert shelf.done == ["read", name.split(".")[0].split("_")[0]]


@pytest.mark.parametrize("shelf", ["http"], indirect=True)
async def test_a_server_that_ends_between_two_calls_of_an_answer_is_reported(
    chat: Chat, model: ScriptedModel, shelf: Shelf
) -> None:
    await shelf.start()
    await ask(chat, model, "read.item")
    is_dead = asyncio.Event()
    model.turns = [
        calls("read.item", "c1", key="1"),
        [is_dead, *calls("put_item", "c2", key="2")],
        says("Sorry.", message_id="m3"),
    ]
    asked = len(model.requests)
    killing = asyncio.create_task(kill_once_asked(shelf, model, asked + 2, then=is_dead))
    events = await chat.send("Go")
    await killing
    assert texts(events) == ["Sorry."]
    assert results(model)[-1] == NOT_REACHED
    [workflow] = done_items(events, "workflow")
    assert [task["status_indicator"] for task in workflow["workflow"]["tasks"]] == ["complete", "none"]


@pytest.mark.parametrize("shelf", ["http"], indirect=True)
async def test_an_answer_runs_without_the_tools_of_a_server_that_is_down_until_it_is_back(
    chat: Chat, model: ScriptedModel, shelf: Shelf
) -> None:
    model.turns = [says("I cannot read it now.")]
    events = await chat.send("Read 7")
    assert texts(events) == ["I cannot read it now."]
    assert "shelf" in model.requests[-1][0].text
    assert not model.options[-1].get("tools")
    await shelf.start()
    assert "Item 7." in await ask(chat, model, "read.item")
    assert all(message.role != "system" for message in model.requests[-1])


async def test_the_operator_learns_what_is_connected(chat: Chat, shelf: Shelf) -> None:
    [tool] = servers_of(chat.server)
    if shelf.transport == "http":
        assert await examine(tool) == (False, "cannot be connected")
    await shelf.start()
    assert await examine(tool) == (True, "connected, 3 tools")
    assert not is_connected(tool), "it was only tried"
