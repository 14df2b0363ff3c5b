"""MCP servers of the Agents SDK in their own processes: connecting, losing and reconnecting them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from agents import Agent
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp

from agents_sdk.platform_model import SERVERS_MISSING
from framework.mcp_servers import NOT_REACHED, UNKNOWN_OUTCOME, examine, is_connected, servers_of
from tests.preloaded.commands import preloaded_python
from tests.unit.harness import Chat, errors, texts, with_settings
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.streaming.test_approvals import click
from tests.unit.streaming.test_mcp_servers import SCRIPT, Shelf, start_again

START_S = 60.0
"""How long the first server may take to answer: an interpreter starts slowly on a busy machine."""

Answer = Callable[..., Agent[Any]]
Ask = Callable[..., Awaitable[str]]


@pytest.fixture(params=["stdio", "http"])
async def shelf(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Shelf]:
    shelf = Shelf(tmp_path, request.param)
    yield shelf
    await shelf.stop()


@pytest.fixture
def server_of(shelf: Shelf) -> Callable[..., Any]:
    def make(**more: Any) -> Any:
        more.setdefault("client_session_timeout_seconds", START_S)
        if shelf.transport == "stdio":
            command, *arguments = preloaded_python(str(SCRIPT), str(shelf.file), "stdio")
            return MCPServerStdio({"command": command, "args": arguments}, name="shelf", **more)
        return MCPServerStreamableHttp({"url": f"http://127.0.0.1:{shelf.port}/mcp"}, name="shelf", **more)

    return make


@pytest.fixture
def ask(chat: Chat, model: ScriptedModel) -> Ask:
    """Let the model call a tool, and return what it was told."""

    async def ask(name: str, key: str = "7") -> str:
        model.turns = [calls(name, f"call_{len(model.requests)}", key=key), says("Done.", message_id="m2")]
        events = await chat.send("Go")
        assert not errors(events), errors(events)
        assert texts(events) == ["Done."]
        contents = [content for message in model.requests[-1] for content in message.contents]
        return [str(content.result) for content in contents if content.type == "function_result"][-1]

    return ask


async def test_tools_of_a_server_are_called_whoever_connects_it(
    answer_with: Answer, server_of: Callable[..., Any], shelf: Shelf, ask: Ask
) -> None:
    await shelf.start()
    server = server_of()
    async with AsyncExitStack() as stack:
        if shelf.transport == "stdio":  # over HTTP it is connected by the first answer
            await stack.enter_async_context(server)
        answer_with(mcp_servers=[server])
        assert "Item 7." in await ask("read.item")
        assert "Put 8." in await ask("put_item", "8")
        assert shelf.done == ["read", "put"]


async def test_one_that_is_down_costs_an_answer_its_tools_and_is_looked_for_again(
    chat: Chat, model: ScriptedModel, answer_with: Answer, shelf: Shelf, server_of: Callable[..., Any], ask: Ask
) -> None:
    if shelf.transport == "stdio":
        script = shelf.file.with_suffix(".py")
        command, *arguments = preloaded_python(str(script), str(shelf.file), "stdio")
        server = MCPServerStdio({"command": command, "args": arguments}, name="shelf")
    else:
        server = server_of()
    answer_with(mcp_servers=[server])
    model.turns = [says("It is closed.")]
    assert texts(await chat.send("Read")) == ["It is closed."]
    assert model.requests[0][0].text == f"{SERVERS_MISSING} {server.name}."
    if shelf.transport == "stdio":
        script.write_text(SCRIPT.read_text())
    await shelf.start()
    assert "Item 7." in await ask("read.item")
    assert SERVERS_MISSING not in model.requests[-1][0].text


async def test_one_that_dies_in_a_call_is_back_for_the_next_answer(
    answer_with: Answer, shelf: Shelf, server_of: Callable[..., Any], ask: Ask
) -> None:
    await shelf.start()
    # The hard cases: its author has connected it, in another task, and what it offers is not asked for again.
    is_hard = shelf.transport == "http"
    server = server_of(cache_tools_list=is_hard)
    if is_hard:
        await server.connect()
    answer_with(mcp_servers=[server])
    assert "Item 7." in await ask("read.item")
    shelf.dies_in_next_call()
    assert await ask("put_item") == UNKNOWN_OUTCOME
    await shelf.stop()
    await shelf.start()
    assert "Put 7." in await ask("put_item")
    assert shelf.done == ["read", "put", "put"]


async def test_a_call_that_only_reads_is_repeated_when_its_server_dies(
    answer_with: Answer, shelf: Shelf, server_of: Callable[..., Any], ask: Ask
) -> None:
    await shelf.start()
    # Whatever its author has it say of failures.
    answer_with(mcp_servers=[server_of(cache_tools_list=True, failure_error_function=lambda *_: "It has failed.")])
    await ask("read.item")
    shelf.dies_in_next_call()
    restarted = asyncio.create_task(start_again(shelf))
    assert "Item 7." in await ask("read.item")
    await restarted
    assert shelf.done == ["read", "read", "read"]


@pytest.mark.parametrize("shelf", ["http"], indirect=True)
async def test_a_call_that_its_server_never_got_is_made_when_it_is_back_or_reported_as_not_made(
    answer_with: Answer, shelf: Shelf, server_of: Callable[..., Any], ask: Ask
) -> None:
    await shelf.start()
    server = server_of(cache_tools_list=True)
    answer_with(mcp_servers=[server])
    await ask("put_item")
    await shelf.stop()
    await shelf.start()
    assert "Put 8." in await ask("put_item", "8")
    await shelf.stop()
    assert await ask("read.item") == NOT_REACHED
    assert shelf.done == ["put", "put"]


@pytest.mark.parametrize("shelf", ["stdio"], indirect=True)
async def test_a_call_that_takes_too_long_is_stopped(
    chat: Chat, answer_with: Answer, shelf: Shelf, server_of: Callable[..., Any], ask: Ask
) -> None:
    await shelf.start()
    server = server_of()
    answer_with(mcp_servers=[server])
    await ask("read.item")

    async def hang(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    server.call_tool = hang
    returned = chat.server.returned  # type: ignore[attr-defined]
    chat.server = with_settings(chat.server, tool_timeout_s=0.2)
    chat.server.returned = returned  # type: ignore[attr-defined]
    assert await ask("read.item") == "The tool took longer than 0.2 seconds and was stopped."


@pytest.mark.parametrize("shelf", ["stdio"], indirect=True)
@pytest.mark.parametrize("is_allowed", [True, False])
async def test_its_tools_may_need_a_permission(
    chat: Chat,
    model: ScriptedModel,
    answer_with: Answer,
    restart: Callable[[], None],
    shelf: Shelf,
    server_of: Callable[..., Any],
    is_allowed: bool,
) -> None:
    await shelf.start()
    answer_with(mcp_servers=[server_of(require_approval="always")])
    model.turns = [calls("put_item", "c1", key="8"), says("As you say.", message_id="m2")]
    await chat.send("Put it there")
    card = next(item for item in await chat.items() if item["type"] == "widget")
    assert shelf.done == []
    restart()
    assert texts(await click(chat, card, "Allow" if is_allowed else "Don't allow")) == ["As you say."]
    assert shelf.done == (["put"] if is_allowed else [])


@pytest.mark.parametrize("shelf", ["stdio"], indirect=True)
async def test_a_server_of_an_agent_that_is_a_tool_is_connected_too(
    chat: Chat, model: ScriptedModel, answer_with: Answer, shelf: Shelf, server_of: Callable[..., Any]
) -> None:
    await shelf.start()
    clerk = Agent[Any](name="clerk", mcp_servers=[server_of()])
    answer_with(tools=[clerk.as_tool("ask_clerk", "Ask the clerk.")])
    model.turns = [
        calls("ask_clerk", "c1", input="Item 7?"),
        calls("read.item", "c2", key="7"),
        says("It is there."),
        says("He says it is there."),
    ]
    assert texts(await chat.send("Item 7?")) == ["He says it is there."]
    assert shelf.done == ["read"]


@pytest.mark.parametrize("shelf", ["http"], indirect=True)
async def test_the_doctor_finds_one_wherever_an_agent_has_it_and_says_whether_it_is_there(
    chat: Chat, answer_with: Answer, server_of: Callable[..., Any], shelf: Shelf
) -> None:
    await shelf.start()
    keeper = Agent[Any](name="keeper", mcp_servers=[server_of()])
    clerk = Agent[Any](name="clerk", handoffs=[keeper])
    answer_with(tools=[clerk.as_tool("ask_clerk", "Ask the clerk.")])
    [server] = servers_of(chat.server)
    assert not is_connected(server)
    is_there, found = await examine(server)
    assert is_there
    assert found.startswith("connected, ")
    assert not is_connected(server)
    await shelf.stop()
    assert await examine(server) == (False, "cannot be connected")
