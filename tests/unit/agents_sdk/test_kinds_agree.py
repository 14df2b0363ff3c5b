"""All kinds of agents leave the same threads, and the SDK is imported only for its agents."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import agent_framework as af
import agents
import pytest
from chatkit.agents import AgentContext, simple_to_agent_input, stream_agent_response
from chatkit.server import ChatKitServer
from chatkit.types import ThreadStreamEvent

from agents_sdk.workflows.exported_workflow import ExportedWorkflow
from base_server import BaseChatKitServer
from context import Services, Turn, turn_of
from errors import ForbiddenError
from stock_server import StockServer
from tests.unit.harness import Chat, errors
from tests.unit.scripted_model import ScriptedModel, calls, says
from tests.unit.services_for_tests import open_services
from tests.unit.streaming.test_kinds_of_agents import documented
from tests.unit.test_docs import ROOT

CARD = {"type": "Card", "id": "list", "children": [{"type": "Text", "value": "milk"}]}


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def services(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[Services]:
    async with open_services(tmp_path, model) as opened:
        yield opened


class FrameworkServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Any:
        @af.tool
        def add(ctx: af.FunctionInvocationContext, item: str) -> str:
            """Add an item."""
            turn_of(ctx).widget(CARD)
            return f"Added {item}."

        @af.tool
        def refuse() -> str:
            """Refuse."""
            raise ForbiddenError("Not on Sundays.")

        return af.Agent(self.chat_client, "Be kind.", name="desk", tools=[add, refuse])


class SDKServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Any:
        @agents.function_tool
        def add(ctx: agents.RunContextWrapper[Any], item: str) -> str:
            """Add an item."""
            ctx.context.turn.widget(CARD)
            return f"Added {item}."

        @agents.function_tool
        def refuse() -> str:
            """Refuse."""
            raise ForbiddenError("Not on Sundays.")

        return agents.Agent(name="desk", instructions="Be kind.", tools=[add, refuse])


class GeneratorServer(BaseChatKitServer):
    """Asks the same model itself; it has no steps."""

    def get_agent(self, turn: Turn) -> Any:
        return self.answer

    async def answer(self, messages: list[af.Message], turn: Turn) -> AsyncGenerator[Any, None]:
        async for update in self.chat_client.get_response(messages, stream=True):
            for content in update.contents:
                if content.type == "text":
                    yield content.text


class WholeServer(ChatKitServer[dict[str, Any]]):
    """A server written for ChatKit, which runs the agent and converts its stream itself."""

    async def respond(self, thread: Any, message: Any, context: dict[str, Any]) -> AsyncIterator[ThreadStreamEvent]:
        page = await self.store.load_thread_items(thread.id, None, 50, "asc", context)
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        agent = agents.Agent[Any](name="desk", instructions="Be kind.")
        result = agents.Runner.run_streamed(agent, await simple_to_agent_input(page.data), context=agent_context)
        async for event in stream_agent_response(agent_context, result):
            yield event


def whole_server(services: Services) -> Any:
    server = StockServer(WholeServer)
    server.bind(services)
    return server


class WorkflowServer(BaseChatKitServer):
    """An exported workflow with the same agent."""

    workflow = ExportedWorkflow(Path(__file__).with_name("exported") / "desk.py")

    def get_agent(self, turn: Turn) -> Any:
        return self.workflow.agent(turn, self.chat_client)


async def thread_of(server: BaseChatKitServer, *messages: str) -> list[dict[str, Any]]:
    """Return the stored conversation, without values that are new each time."""
    chat = Chat(server)
    for message in messages:
        await chat.send(message)
    return [_without_ids_and_times(item) for item in await chat.items()]


def _without_ids_and_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: _without_ids_and_times(v)
            for k, v in value.items()
            if k not in ("id", "thread_id", "created_at", "duration")
        }
    return [_without_ids_and_times(each) for each in value] if isinstance(value, list) else value


ALL = [FrameworkServer, SDKServer, WorkflowServer, GeneratorServer]


async def test_a_conversation_of_text_leaves_the_same_thread_with_each_kind(
    services: Services, model: ScriptedModel
) -> None:
    threads = []
    for make in (*ALL, whole_server):
        model.turns = [says("Hel", "lo."), says("A", "gain.", message_id="m2")]
        threads.append(await thread_of(make(services), "Hi", "More"))
    assert len(threads[0]) == 4
    assert threads[0] == threads[1] == threads[2] == threads[3]


async def test_a_conversation_with_tools_leaves_the_same_thread_with_each_framework(
    services: Services, model: ScriptedModel
) -> None:
    threads, results = [], []
    for kind in ALL[:3]:
        model.requests.clear()
        model.turns = [
            [*says("Let me see."), *calls("add", "c1", item="milk")],
            says("Added.", message_id="m2"),
            calls("refuse", "c2"),
            says("Not today.", message_id="m3"),
        ]
        threads.append(await thread_of(kind(services), "Add milk", "And on Sunday?"))
        results.append([c.result for m in model.requests[-1] for c in m.contents if c.type == "function_result"])
    assert [item["type"] for item in threads[0]].count("workflow") == 2
    assert threads[0] == threads[1] == threads[2]
    assert results[0] == results[1] == results[2] == ["Added milk.", "Not on Sundays."]


@pytest.mark.parametrize("kind", [*ALL, whole_server])
async def test_a_failure_in_the_middle_keeps_the_text_so_far_with_each_kind(
    services: Services, model: ScriptedModel, kind: Callable[[Services], BaseChatKitServer]
) -> None:
    chat = Chat(kind(services))
    model.turns = [[*says("Half an"), RuntimeError("secret")]]
    events = await chat.send("Go")
    assert len(errors(events)) == 1
    assert "secret" not in str(events)
    assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message", "task"]


@pytest.mark.parametrize("kind", ALL)
async def test_the_record_of_the_run_has_the_tokens_of_agents(
    services: Services, model: ScriptedModel, kind: type[BaseChatKitServer]
) -> None:
    seen: list[Any] = []

    class Counting(kind):  # type: ignore[misc,valid-type]
        async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
            seen.append(dict(turn.usage))

    usage = af.Content.from_usage({"input_token_count": 3, "output_token_count": 4})
    model.turns = [[*says("Hello."), af.ChatResponseUpdate(contents=[usage], role="assistant")]]
    await Chat(Counting(services)).send("Hi")
    counted = {"input_token_count": 3, "output_token_count": 4} if kind is not GeneratorServer else {}
    assert seen == [counted]


async def test_the_agent_of_the_guide_answers_and_its_hook_shows_the_item(
    services: Services, model: ScriptedModel
) -> None:
    model.turns = [calls("add_item", item="milk"), says("Done.", message_id="m2")]
    chat = Chat(documented("ShoppingServer")(services))
    await chat.send("Add milk")
    items = await chat.items()
    assert items[-1]["widget"]["children"][0]["value"] == "milk"


WHO_LOADS_WHAT = """
import os, sys
from pathlib import Path
from types import SimpleNamespace


def loaded(*packages):
    return {name for name in sys.modules if name.partition(".")[0] in packages}


def aside(check):
    sys.stdout.flush()
    if child := os.fork():
        os.waitpid(child, 0)
        return
    try:
        check()
        sys.stdout.flush()
    finally:
        os._exit(0)


@aside
def read():
    from agents_sdk.workflows.source import read_source
    read_source(Path("tests/unit/agents_sdk/exported/library.py"), "n")
    print("reading:", loaded("agents"))


# What is loaded besides needs ChatKit, which loads some of it.
import chatkit.server
by_chatkit = loaded("agents", "agents_sdk")


@aside
def import_workflow():
    import process.workflow_import, process.doctor
    print("importing:", loaded("agents") - by_chatkit)


import main, base_server, streaming.server_parts, use_cases.weather.plugin, use_cases.todo.plugin
import process.lifecycle, process.use_case_loading, process.serving
from streaming.answers.agent_kinds import as_agent
async def say(messages, turn): yield "Hello."
assert as_agent(say, SimpleNamespace(), None)
print("serving:", loaded("agents", "agents_sdk") - by_chatkit)
"""


@pytest.fixture(scope="module")
def loaded_of_the_sdk() -> list[str]:
    """Lines of a process that imports all, and of its forks, on modules of the SDK that ChatKit does not load."""
    command = [sys.executable, "-c", WHO_LOADS_WHAT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.splitlines()


def test_a_process_without_such_use_cases_loads_no_more_of_the_sdk_than_chatkit_does(
    loaded_of_the_sdk: list[str],
) -> None:
    assert loaded_of_the_sdk[2] == "serving: set()"


def test_reading_exported_workflows_imports_nothing_of_the_sdk(loaded_of_the_sdk: list[str]) -> None:
    assert loaded_of_the_sdk[:2] == ["reading: set()", "importing: set()"]
