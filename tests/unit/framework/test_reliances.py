"""Reliances: what the product takes for granted of libraries that do not promise it, and what to do when it changes.

Each test is one of them. Its docstring says who relies on it, why, and, after "When this fails:", what to do. A version
is raised by `framework/README.md`; the public ways that were tried are in `docs/adr/0016-reliances-in-one-room.md`;
`test_private_names.py` sees that none is hidden elsewhere.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import http.client
import importlib
import inspect
import re
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import anyio
import httptools
import httpx
import pytest
import uvicorn
from agent_framework import (
    Agent,
    AgentExecutor,
    AgentMiddleware,
    AgentResponseUpdate,
    AgentSession,
    BaseChatClient,
    ChatMiddleware,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    ContextProvider,
    Executor,
    FunctionInvocationContext,
    FunctionInvocationLayer,
    FunctionMiddleware,
    MCPStdioTool,
    Message,
    ResponseStream,
    WorkflowAgent,
    WorkflowBuilder,
    WorkflowContext,
    WorkflowExecutor,
    handler,
    tool,
)
from agent_framework_chatkit import ThreadItemConverter
from agents import Agent as SDKAgent
from agents import Runner
from agents.run import get_default_agent_runner, set_default_agent_runner
from chatkit import types
from chatkit.server import ChatKitServer
from chatkit.types import ChatKitReq, Page, Thread, ThreadItem, ThreadItemUpdate, ThreadMetadata, ThreadStreamEvent
from chatkit.widgets import DynamicWidgetRoot
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chat_clients.protocols.request_options import REFUSAL
from framework.agent_stand_in import build_stand_in
from framework.agent_steps import agent_step
from framework.chatkit_protocol import serialize
from framework.default_runner import wrap_default_runner
from framework.function_middleware import add_function_middleware, function_middleware_of
from framework.inner_agents import agents_within, own_tools, replace_executor_agent, workflow_of
from framework.mcp_recovery import _CLIENT_ERRORS, _LOST_ERRORS, _NEVER_SENT_ERRORS, is_lost, was_never_sent
from framework.mcp_tool_lists import _REPLACED_CHARS
from framework.plain_agents import leaves_text_alone
from framework.reachable_objects import iterate_reachable
from framework.response_streams import build_response, build_response_stream
from framework.sentences import LIMIT_REACHED, STREAM_ERROR, SUB_AGENT_WANTS_APPROVAL
from framework.text_updates import TEXT_SINK_KWARG, TextPiece, TextUpdate
from framework.tool_loop import without_tool_loop
from framework.warm_up import _LAZY_NAMES
from storage.baseline import baseline_of, set_baseline
from streaming.answers.history import HistoryConverter
from tests.unit.test_architecture import ROOT

NOW = datetime(2026, 1, 1, tzinfo=UTC)


# The sources of methods that we replace, call or rebuild: any change there is to be read.

READ_WHEN_CHANGED: dict[str, tuple[type, dict[str, str], str]] = {
    "streaming/requests/chatkit_requests.py": (
        ChatKitServer,
        {
            "process": "6763cb2532c0",
            "_process_non_streaming": "c18f33fe26e8",
            "_process_streaming_impl": "04aa7b15a83e",
            "_process_sync_custom_action": "b8c79e3479f9",
            "_process_new_thread_item_respond": "7bc8b190276c",
            "_build_user_message_item": "e0e7f0fe4e7d",
            "_cleanup_pending_client_tool_call": "110e3184d9e8",
            "_load_full_thread": "94b07862210c",
            "_paginate_thread_items_reverse": "7f6b087b33c5",
        },
        "It answers each request in ChatKit's place, so a repair or a new field there does not arrive by itself. Take "
        "over what changes the protocol.",
    ),
    "streaming/requests/delivery.py": (
        ChatKitServer,
        {"_process_events": "419ff92bb17d", "handle_stream_cancelled": "ec27d417c2a7"},
        "It stores and passes on events in ChatKit's place (docs/adr/0012). Take over what changes the protocol.",
    ),
    "runs/open_items.py": (
        ChatKitServer,
        {"_apply_assistant_message_update": "e30c89b44890", "_update_pending_items": "9aed73a10575"},
        "It follows what is unfinished in ChatKit's place. Let it follow new updates as well.",
    ),
    "runs/memory_log.py": (
        ChatKitServer,
        {"_process_streaming": "b1005b530ba6"},
        "It writes the frames of server-sent events in ChatKit's place.",
    ),
    "framework/chatkit_protocol.py": (
        ChatKitServer,
        {
            "_serialize": "bdec70b05c83",
            "_to_thread_response": "e72527e9b0ab",
            "_apply_structured_input_submission": "434d82b0c121",
        },
        "The first is rebuilt there as `SERIALIZATION_OPTIONS`, which storage/page_json.py uses too; "
        "the others are called.",
    ),
    "framework/mcp_recovery.py": (
        MCPStdioTool,
        {"_is_connection_loss": "0a9b227efdaa", "_recover_connection_after_loss": "0d4a846384a0"},
        "It tells a lost server from a tool's failure by the words and types of errors, as these two do, and beyond.",
    ),
    "framework/response_streams.py": (
        BaseChatClient,
        {
            "_validate_options": "57986201d5d3",
            "_finalize_response_updates": "426c00018e7d",
            "_build_response_stream": "2442d9e7d999",
        },
        "It makes of public parts what these helpers make, and so do the chat clients. Do what they do now.",
    ),
    "streaming/answers/history.py": (
        ThreadItemConverter,
        {
            "to_agent_input": "aade6f39124f",
            "_thread_item_to_input_item": "b872081f2c24",
            "user_message_to_input": "adf870caa1df",
            "client_tool_call_to_input": "2643a1927138",
            "end_of_turn_to_input": "17597b4242cd",
        },
        "It inherits these from a dated beta, which changes without a changelog. Read what the model would be told.",
    ),
    "framework/guarded_http.py": (
        HttpToolsProtocol,
        {
            "connection_made": "ba1915817ccf",
            "connection_lost": "21bb5222b359",
            "data_received": "02c2572f1df5",
            "on_message_begin": "0efab6f9456c",
            "on_headers_complete": "7e259152e5aa",
            "on_body": "415b4cef19fb",
            "on_message_complete": "377f9122ee6f",
            "on_response_complete": "5684fd801d06",
            "send_400_response": "0b0d3ace8d26",
            "pause_writing": "0d1d5ff82217",
            "resume_writing": "89f3ffd1fdaf",
        },
        "A subclass stands around each of these, to bound heads and waits. See that a callback still comes where it "
        "came, that `cycle` says whether a request is being answered, and whether uvicorn has such bounds by now.",
    ),
    "framework/uvicorn_server.py": (
        uvicorn.Server,
        {
            "run": "9f361c0a9632",
            "serve": "20557f5f925b",
            "_serve": "808a98031a41",
            "startup": "61dd959a73fc",
            "main_loop": "425d26add0e5",
            "on_tick": "371ccecb27e5",
            "shutdown": "9f8a90ed456d",
            "capture_signals": "85d29b580603",
            "handle_exit": "7dc6b36e7e7a",
        },
        "A subclass tells its owner of the end of `startup`, and of signals in `handle_exit`; the owner sets "
        "`should_exit` when all is drained. Follow `_serve` and see that each is still called where it was.",
    ),
}


def hash_of(function: Callable[..., Any]) -> str:
    return hashlib.sha256(textwrap.dedent(inspect.getsource(function)).encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    ("ours", "theirs", "name", "known"),
    [(ours, kind, name, known) for ours, (kind, all_known, _) in READ_WHEN_CHANGED.items()
     for name, known in all_known.items()],
)  # fmt: skip
def test_the_source_of_what_we_replace_is_the_one_that_was_read(ours: str, theirs: type, name: str, known: str) -> None:
    """Relied on by the files that `READ_WHEN_CHANGED` names, each with its reason.

    When this fails: compare the old and the new source, change our file if it has to follow, then write the new hash.
    """
    assert (ROOT / ours).is_file(), f"{ours} has moved: name its new place here"
    found = getattr(theirs, name, None)
    assert found is not None, f"{theirs.__name__}.{name} is gone. {ours}: {READ_WHEN_CHANGED[ours][2]}"
    now = hash_of(found)
    assert now == known, f"{theirs.__name__}.{name} has changed (now {now}). {ours}: {READ_WHEN_CHANGED[ours][2]}"


# Agent Framework


class RawEcho(BaseChatClient[Any]):
    """Gives the scripted contents, one list per request, and keeps what it was asked."""

    def __init__(self, *, answers: Sequence[Sequence[Content]] = (), **layers: Any) -> None:
        super().__init__(**layers)
        self.model = "echo"
        self.answers = [list(answer) for answer in answers]
        self.options: list[Mapping[str, Any]] = []
        self.kwargs: list[dict[str, Any]] = []

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        self.options.append(dict(options))
        self.kwargs.append(kwargs)
        contents = self.answers.pop(0) if self.answers else [Content.from_text("Done.")]

        async def answer() -> AsyncIterator[ChatResponseUpdate]:
            yield ChatResponseUpdate(role="assistant", contents=contents, message_id="m")

        return build_response_stream(answer(), options.get("response_format"))


class Echo(FunctionInvocationLayer[Any], RawEcho):
    """An echo whose tools are run."""


class Note(FunctionMiddleware):
    """Keeps the ids of the calls that pass, and what else the framework tells of them."""

    def __init__(self, seen: list[str], name: str = "") -> None:
        self.seen = seen
        self.name = name

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        self.seen.append(f"{self.name}{context.metadata.get('call_id')}{context.kwargs.get('turn', '')}")
        await call_next()


@tool(approval_mode="always_require")
def erase(path: str) -> str:
    """Erase a file."""
    return f"{path} is gone."


@tool
def look() -> str:
    """Look."""
    return "seen"


def call(name: str = "look", call_id: str = "call_1", arguments: str = "{}") -> Content:
    return Content.from_function_call(call_id, name, arguments=arguments)


async def contents_of(stream: Any) -> list[Content]:
    async with stream:
        return [content async for update in stream for content in update.contents]


def source_of(package: str, file: str) -> str:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / file).read_text()


def test_a_chat_client_implements_one_method_that_may_return_a_stream() -> None:
    """Relied on by `chat_clients/model_client.py`, `chat_clients/offline/model.py`, `framework/agent_stand_in.py`.

    `_inner_get_response` has an underscore, but is the abstract method that the framework tells authors to implement.
    When this fails: give the three classes the method or the arguments that it has now.
    """
    assert BaseChatClient.__abstractmethods__ == {"_inner_get_response"}
    parameters = inspect.signature(BaseChatClient._inner_get_response).parameters
    assert list(parameters) == ["self", "messages", "stream", "options", "kwargs"]
    assert not inspect.iscoroutinefunction(BaseChatClient._inner_get_response)


async def test_arguments_of_a_run_reach_the_chat_client_and_its_tools() -> None:
    """Relied on by `streaming/answers/run_arguments.py`: the sink of direct text, and the turn of each tool.

    When this fails: look in `Agent.run` for what replaces `client_kwargs` and `function_invocation_kwargs`.
    """
    seen: list[str] = []
    client = Echo(answers=[[call()]], middleware=[Note(seen)])
    run = Agent(client, tools=[look]).run(
        "Go", stream=True, client_kwargs={TEXT_SINK_KWARG: 1}, function_invocation_kwargs={"turn": " of a turn"}
    )
    await contents_of(run)
    assert [kwargs.get(TEXT_SINK_KWARG) for kwargs in client.kwargs] == [1, 1]
    assert seen == ["call_1 of a turn"], "`streaming/answers/tool_guard.py` finds the call by `metadata['call_id']`"


async def test_middleware_is_read_from_a_client_at_each_request() -> None:
    """Relied on by `framework/function_middleware.py`, which guards the tools of clients that are there already.

    When this fails: pass the guard when clients are built (`main.py`), and refuse an author's client without it.
    """
    seen: list[str] = []
    client = Echo(answers=[[call()]], middleware=[Note(seen, "first ")])
    agent = Agent(client, tools=[look])
    add_function_middleware(client, Note(seen, "added "))
    assert len(function_middleware_of(client)) == 2
    await contents_of(agent.run("Go", stream=True, middleware=[Note(seen, "of the run ")]))
    assert seen == ["first call_1", "added call_1", "of the run call_1"], "outermost first"
    assert function_middleware_of(object()) == ()


async def test_a_copied_agent_with_another_client_runs_the_tools_of_the_first() -> None:
    """Relied on by `framework/agent_stand_in.py`: how calls run that a person has allowed.

    When this fails: see what `Agent` reads of itself in a run, and what `FunctionTool.approval_mode` has become.
    """
    asked: list[str] = []

    class Ask(AgentMiddleware):
        async def process(self, context: Any, call_next: Callable[[], Awaitable[None]]) -> None:
            asked.append(context.agent.name)
            await call_next()

    seen: list[str] = []
    client = Echo(middleware=[Note(seen)])
    agent = Agent(client, name="keeper", tools=[erase, look], middleware=[Ask()])
    before = dict(vars(agent))
    calls = [call("erase", arguments='{"path": "/a"}'), call("look", "call_2")]
    found = await contents_of(build_stand_in(agent, calls, is_allowed=True).run("Go", stream=True))
    results = {content.call_id: content.result for content in found if content.type == "function_result"}
    assert results == {"call_1": "/a is gone.", "call_2": "seen"}
    assert asked == ["keeper"]
    assert sorted(seen) == ["call_1", "call_2"]
    assert client.options == [], "the model is not asked"
    found = await contents_of(build_stand_in(agent, calls, is_allowed=False).run("Go", stream=True))
    assert [content.call_id for content in found if content.type == "function_result"] == ["call_2"]
    assert vars(agent) == before
    assert erase.approval_mode == "always_require"


async def test_the_framework_itself_runs_an_allowed_call_only_in_a_session_that_has_seen_the_question() -> None:
    """Relied on by `streaming/approvals/call_replay.py`: it is why there is a stand-in at all (docs/adr/0015).

    When this fails: the framework may do it by now. Then the stand-in may go, after a look at what it does for a batch.
    """
    asks = [call("erase", arguments='{"path": "/a"}')]
    agent = Agent(Echo(answers=[asks]), tools=[erase])
    found = await contents_of(agent.run("Go", stream=True))
    [question] = [content for content in found if content.type == "function_approval_request"]
    assert not [content for content in found if content.type == "function_result"]
    yes = Message("user", [question.to_function_approval_response(True)])
    history = [Message("user", ["Go"]), Message("assistant", asks), yes]
    assert not [content for content in await contents_of(agent.run(history, stream=True))
                if content.type == "function_result"]  # fmt: skip
    session = AgentSession()
    agent = Agent(Echo(answers=[asks]), tools=[erase])
    found = await contents_of(agent.run("Go", stream=True, session=session))
    [question] = [content for content in found if content.type == "function_approval_request"]
    yes = Message("user", [question.to_function_approval_response(True)])
    found = await contents_of(agent.run([yes], stream=True, session=session))
    assert [content.result for content in found if content.type == "function_result"] == ["/a is gone."]


async def test_the_last_round_of_tools_may_call_none_and_ends_with_the_known_sentence() -> None:
    """Relied on by `framework/sentences.py`, `chat_clients/model_client.py`, `streaming/answers/update_converter.py`.

    The person reads `limit_message` in the place of the sentence, which is known by its text alone.
    When this fails: take the new sentence over, or the type or code by which it can be told from the model's words.
    """
    client = Echo(answers=[[call(call_id=f"call_{n}")] for n in range(3)])
    client.function_invocation_configuration["max_iterations"] = 2
    found = await contents_of(Agent(client, tools=[look]).run("Go", stream=True))
    assert [options.get("tool_choice") == "none" for options in client.options] == [False, False, True]
    assert [content.text for content in found if content.type == "text"] == [LIMIT_REACHED]


async def test_a_sub_agent_that_needs_approval_fails_with_the_known_message() -> None:
    """Relied on by `framework/sentences.py` and `streaming/answers/tool_guard.py`: the model is told
    that nobody can be asked, and the author to use a workflow.

    When this fails: take the new sentence over, or the error's own type if it has one now.
    """
    inner = Agent(Echo(answers=[[call("erase", arguments='{"path": "/a"}')]]), name="inner", tools=[erase])
    failures: list[str] = []

    class Catch(FunctionMiddleware):
        async def process(self, context: Any, call_next: Callable[[], Awaitable[None]]) -> None:
            try:
                await call_next()
            except Exception as exc:
                failures.append(f"{type(exc).__name__}: {exc}")
                raise

    outer = Agent(
        Echo(answers=[[call("inner", arguments='{"task": "x"}')]], middleware=[Catch()]), tools=[inner.as_tool()]
    )
    await contents_of(outer.run("Go", stream=True))
    [failure] = failures
    assert failure.startswith("ToolExecutionException: ")
    assert SUB_AGENT_WANTS_APPROVAL in failure


def test_an_error_within_a_stream_of_the_responses_api_has_the_known_form() -> None:
    """Relied on by `framework/sentences.py` and `chat_clients/failures.py`, for clients that an author brings.

    When this fails: take the new form over, or the type if the framework raises one of its own now.
    """
    source = source_of("agent_framework_openai", "_chat_client.py")
    assert 'RuntimeError(f"OpenAI streaming error: {error_details}")' in source
    assert 'error_details = f"{event.code}: {error_details}"' in source
    found = re.match(STREAM_ERROR, "OpenAI streaming error: rate_limit_exceeded: too many")
    assert found is not None
    assert found[1] == "rate_limit_exceeded"


def test_the_framework_leaves_a_providers_item_and_its_unfinished_pictures_in_what_they_came_from() -> None:
    """Relied on by `streaming/answers/message_writer.py` and `streaming/answers/update_converter.py`.

    They tell messages apart by the raw event's `item_id`, and previews of a picture from the picture, for an author's
    `OpenAIChatClient`; our own clients say it themselves.
    When this fails: look in the client's `_parse_chunk_from_openai` for where both are said now.
    """
    source = source_of("agent_framework_openai", "_chat_client.py")
    assert "item_id" in ResponseTextDeltaEvent.model_fields
    assert re.search(r'case "response\.output_text\.delta":\s+contents\.append\(\s*Content\.from_text\(.{0,400}?'
                     r"raw_representation=event", source, re.DOTALL)  # fmt: skip
    assert '"is_partial_image": True' in source
    assert '"partial_image_index": partial_index' in source
    picture = Content.from_image_generation_tool_result(image_id="i", outputs=Content.from_uri("https://e.org/a.png"))
    assert picture.outputs.uri == "https://e.org/a.png"


FIELDS_OF_A_STREAM = """\
_buffered_candidate_updates _buffered_materialization_error _buffered_materialized _buffered_materializing
_buffered_output_index _buffered_output_updates _cleanup_hooks _cleanup_run _consumed
_consumption_context_manager_factories _content_hooks_sealed _content_pipeline_started _final_result _finalized
_finalizer _flat_map_update _inner_stream _inner_stream_source _iterator _map_update _pending_mapped_updates
_pull_context_manager_factories _release_error_hooks _release_hooks _released_updates _result_gates_after
_result_gates_before _result_hooks _result_prepared _result_to_updates _result_was_transformed
_return_final_after_buffer_release_error _stream _stream_error _stream_source _stream_updates
_terminal_result_gates _terminal_result_is_authoritative _terminal_result_to_updates _terminal_result_transforms
_transform_hooks _update_gates_after _update_gates_before _updates _wrap_inner
"""
"""Names of the attributes of a `ResponseStream`, as far as the code of it was read."""


async def test_a_stream_keeps_its_updates_where_they_are_merged_and_let_go_of() -> None:
    """Relied on by `framework/merged_updates.py`: it exchanges `_updates`, walks inwards, and empties ended streams.

    When this fails: see whether a new field keeps updates too, and who reads `_updates`; `test_text_updates.py` beside
    this file measures what is kept and what is freed.
    """

    async def pieces() -> AsyncIterator[int]:
        yield 1
        yield 2

    inner: ResponseStream[int, int] = ResponseStream(pieces(), finalizer=lambda kept: sum(kept))
    outer = inner.map(lambda number: number * 10, lambda kept: sum(kept))
    assert set(vars(inner)) == set(vars(outer)) == set(FIELDS_OF_A_STREAM.split())
    assert type(inner._updates) is list
    assert await anext(outer) == 10
    assert outer._inner_stream is inner
    assert (inner._updates, outer._updates) == ([1], [10])
    async with outer:
        pass
    vars(outer).clear()


def test_contents_and_updates_hold_their_fields_in_their_own_dict() -> None:
    """Relied on by `framework/text_updates.py`: it makes both by `__new__`, with the defaults in the class.

    When this fails: with slots or Pydantic an instance has no fields of the class's; measure whether the classes are
    worth keeping (`./parlor bench`), or make real contents in `build_text_piece` and `build_text_update`.
    """
    for made in (Content.from_text("a", merge_mode="append"), ChatResponseUpdate(contents=[], role="assistant")):
        kind = type(made)
        assert not isinstance(made, BaseModel)
        assert not [each for each in kind.__mro__ if "__slots__" in vars(each) and vars(each)["__slots__"]]
        assert kind.__getattribute__ is object.__getattribute__
        assert not any(isinstance(getattr(kind, name, None), property) for name in vars(made))
    for ours in (TextPiece, TextUpdate):
        shared = [
            name for name, value in vars(ours).items() if isinstance(value, list | dict | set) and name[:2] != "__"
        ]
        assert shared == [], "one object would be that of all pieces: give each its own, as `additional_properties`"


async def test_the_agents_and_tools_within_a_workflow_can_be_reached() -> None:
    """Relied on by `framework/inner_agents.py`: titles of tools, and who runs a call that was allowed.

    When this fails: look for what leads from a `WorkflowAgent` to its executors, and from those to their agents.
    """

    class Start(Executor):
        @handler
        async def pass_on(self, messages: list[Message], ctx: WorkflowContext[list[Message]]) -> None:
            await ctx.send_message(messages)

    first, second = (Agent(Echo(), name=name, tools=[look]) for name in ("first", "second"))
    start, inner_start = Start(id="start"), Start(id="inner start")
    inner = WorkflowBuilder(start_executor=inner_start).add_edge(inner_start, second).build()
    nested = WorkflowExecutor(inner, id="nested")
    workflow = WorkflowBuilder(start_executor=start).add_edge(start, first).add_edge(start, nested).build()
    agent = workflow.as_agent(name="all")
    assert workflow_of(agent) is workflow
    assert [each.name for each in agents_within(agent)] == ["all", "first", "second"]
    assert list(own_tools(first)) == [look]
    assert first.mcp_tools == []
    assert WorkflowAgent.REQUEST_INFO_FUNCTION_NAME == "request_info", "`streaming/answers/update_converter.py` asks it"


async def test_mcp_servers_can_be_probed_listed_again_and_abandoned() -> None:
    """Relied on by `framework/mcp_servers.py`, `framework/mcp_tool_lists.py`: the framework keeps these to itself.

    When this fails: see where the connection, the tools and the task that connects are now; `connect` and `load_tools`
    may do by themselves what is done there.
    """
    server = MCPStdioTool("none", sys.executable, args=["-c", ""])
    assert {"_connection", "_functions", "_lifecycle_owner_task"} <= vars(server).keys()
    assert server.functions is server._functions
    source = inspect.getsource(MCPStdioTool._load_tools_locked)
    assert "list_tools_page" in source
    assert "_MCP_REMOTE_NAME_KEY" in source
    assert importlib.import_module(MCPStdioTool.__module__)._MCP_REMOTE_NAME_KEY == "_mcp_remote_name"
    assert "self.load_tools()" in inspect.getsource(MCPStdioTool._connect_on_owner), (
        "what is put in its place is called"
    )


def test_a_lost_server_of_tools_is_told_by_words_and_names_of_errors() -> None:
    """Relied on by `framework/mcp_recovery.py`: whether a server was lost in a call, and whether the call reached it.

    Most of these errors have a name and a sentence, and no code; what a tool itself has failed with has no cause.
    When this fails: take the new names or sentences over, or a code if there is one by now.
    """
    names = _LOST_ERRORS | _NEVER_SENT_ERRORS
    homes = (anyio, builtins, httpx, http.client)
    assert [name for name in names if not any(hasattr(home, name) for home in homes)] == []
    assert MCPError.__name__ in _CLIENT_ERRORS
    closed = MCPError(code=-32000, message="Connection closed")
    forgotten = MCPError(code=-32600, message="Session terminated")
    assert 'message="Connection closed"' in source_of("mcp.shared.jsonrpc_dispatcher", "jsonrpc_dispatcher.py")
    assert 'message="Session terminated"' in source_of("mcp.client.streamable_http", "streamable_http.py")
    assert (is_lost(closed), was_never_sent(closed)) == (True, False)
    assert (is_lost(forgotten), was_never_sent(forgotten)) == (True, True)
    not_connected = MCPStdioTool("none", sys.executable)
    with pytest.raises(RuntimeError) as refused:
        not_connected._require_connection()
    assert is_lost(refused.value)
    source = source_of("agent_framework._mcp", "_mcp.py")
    assert "Failed to reconnect to MCP server after" in source
    assert "raise _mcp_tool_execution_exception(text or str(parsed))\n" in source, "a tool's own failure has no cause"


def test_names_and_lists_of_a_server_s_tools_are_as_they_were_read() -> None:
    """Relied on by `framework/mcp_tool_lists.py`: names that stay apart, and lists that nobody has kept.

    When this fails: replace in names what the framework replaces now; see how a client is asked past what it keeps.
    """
    framework = importlib.import_module(MCPStdioTool.__module__)
    odd = "read/item ä.b-c_d:e"
    assert framework._normalize_mcp_name(odd) == _REPLACED_CHARS.sub("-", odd)
    assert "self.client: Client | None" in source_of("agent_framework._mcp", "_mcp.py")
    parameter = inspect.signature(Client.list_tools).parameters["cache_mode"]
    assert "refresh" in get_args(importlib.import_module("mcp.client.caching").CacheMode)
    assert parameter.default == "use"


def test_agents_are_found_in_tools_and_exchanged_in_executors() -> None:
    """Relied on by `framework/reachable_objects.py` and `framework/inner_agents.py`.

    When this fails: find where a tool made of an agent keeps it, and by which name an executor does.
    """
    agent, other = Agent(Echo(), name="one"), Agent(Echo(), name="other")
    assert any(thing is agent for thing in iterate_reachable([agent.as_tool()]))
    executor = AgentExecutor(agent)
    replace_executor_agent(executor, agent, other)
    assert executor.agent is other


def test_everything_that_can_change_the_text_of_an_answer_is_detected() -> None:
    """Relied on by `framework/plain_agents.py`: text goes straight to the person where nothing may want it first.

    When this fails: find what else may look into an answer, and let it close the direct way.
    """

    class Model(Echo):
        takes_text_sink = True
        chat_middleware: Sequence[ChatMiddleware] = ()

    class Any_(AgentMiddleware):
        async def process(self, context: Any, call_next: Callable[[], Awaitable[None]]) -> None:
            await call_next()

    assert leaves_text_alone(Agent(Model()))
    assert not leaves_text_alone(Agent(Model(), middleware=[Any_()]))
    assert not leaves_text_alone(Agent(Model(), context_providers=[ContextProvider("any")]))
    known = {
        "additional_properties", "agent_middleware", "client", "compaction_strategy", "context_providers",
        "default_options", "description", "duration_histogram", "id", "mcp_tools", "middleware", "name",
        "otel_provider_name", "require_per_service_call_history_persistence", "token_usage_histogram", "tokenizer",
    }  # fmt: skip
    assert {name for name in vars(Agent(Echo())) if not name.startswith("_")} == known, "is the new one a way in?"


def test_instrumentation_can_be_switched_off_and_on_again() -> None:
    """Relied on by `framework/telemetry.py`: what nobody reads is not prepared, and who sets it up later gets it.

    When this fails: the settings have moved. `disable_instrumentation()` is public, but cannot be taken back by
    `configure_otel_providers()`.
    """
    check = (
        "from agent_framework import observability as o; from framework.telemetry import decide_on_telemetry\n"
        "assert o.OBSERVABILITY_SETTINGS.ENABLED\n"
        "assert decide_on_telemetry(None) is False and not o.OBSERVABILITY_SETTINGS.ENABLED\n"
        "o.enable_instrumentation()\n"
        "assert o.OBSERVABILITY_SETTINGS.ENABLED\n"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_parts_that_are_imported_late_have_their_names() -> None:
    """Relied on by `framework/warm_up.py`; `tests/unit/streaming/test_warm_up.py` sees that nothing else comes late.

    When this fails: see which modules the first run of an agent imports, and name something of each.
    """
    framework = importlib.import_module("agent_framework")
    assert [name for name in _LAZY_NAMES if not hasattr(framework, name)] == []
    types.Thread.model_rebuild(raise_errors=False)
    assert types.Thread.model_rebuild(raise_errors=False) is None, "nothing happens to a model that is complete"


# ChatKit and Pydantic


def kinds_of(union: Any) -> set[str]:
    arguments = get_args(union)
    members = arguments if isinstance(arguments[0], type) else get_args(arguments[0])
    return {member.model_fields["type"].default for member in members}


KINDS: dict[str, tuple[Any, str, str]] = {
    "items": (
        ThreadItem,
        "assistant_message client_tool_call end_of_turn generated_image hidden_context_item sdk_hidden_context "
        "structured_input task user_message widget workflow",
        "`storage/rows.py` stores them, `storage/page_json.py` shows them, `runs/open_items.py` keeps unfinished ones, "
        "`streaming/answers/history.py` tells the model of them, `frontend/src/protocol/types.ts` has their types",
    ),
    "events": (
        ThreadStreamEvent,
        "client_effect error notice progress_update stream_options thread.created thread.item.added thread.item.done "
        "thread.item.removed thread.item.replaced thread.item.updated thread.updated",
        "`streaming/requests/delivery.py` stores what they say, `runs/memory_log.py` merges them, "
        "`streaming/requests/item_guard.py` lets them pass",
    ),
    "updates": (
        ThreadItemUpdate,
        "assistant_message.content_part.added assistant_message.content_part.annotation_added "
        "assistant_message.content_part.done assistant_message.content_part.text_delta generated_image.updated "
        "widget.component.updated widget.root.updated widget.streaming_text.value_delta workflow.task.added "
        "workflow.task.updated",
        "`runs/open_items.py` follows them",
    ),
    "requests": (
        ChatKitReq,
        "attachments.create attachments.delete input.transcribe items.feedback items.list "
        "threads.add_client_tool_output threads.add_structured_input threads.add_user_message threads.create "
        "threads.custom_action threads.delete threads.get_by_id threads.list threads.retry_after_item "
        "threads.sync_custom_action threads.update",
        "`streaming/requests/chatkit_requests.py` answers them",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_protocol_has_the_kinds_of_things_that_are_known(name: str) -> None:
    """Relied on by `storage/rows.py`, `runs/open_items.py`, `streaming/requests/delivery.py` and others, by kind.

    When this fails: decide at each place that the message names what becomes of the new kind, then add it here.
    """
    union, known, places = KINDS[name]
    assert kinds_of(union) == set(known.split()), f"{name}: {places}"


def test_threads_and_pages_have_the_fields_that_are_written_by_hand() -> None:
    """Relied on by `storage/page_json.py`: it writes their JSON without making objects of them, which takes longer.

    When this fails: let `thread_json` or `page_json` write the new field as ChatKit does, in its place.
    """
    assert list(Thread.model_fields) == [
        "title", "id", "created_at", "status", "allowed_image_domains", "metadata", "items"
    ]  # fmt: skip
    assert list(Page.model_fields) == ["data", "has_more", "after"]
    thread = Thread(id="thr_1", created_at=NOW, title="A", items=Page())
    assert serialize(thread) == (
        b'{"title":"A","id":"thr_1","created_at":"2026-01-01T00:00:00Z","status":{"type":"active"},"metadata":{},'
        b'"items":{"data":[],"has_more":false}}'
    )


def test_two_threads_differ_only_by_their_fields() -> None:
    """Relied on by `streaming/requests/item_guard.py`: it compares their `__dict__`, for each piece of text.

    When this fails: fields have moved out of `__dict__`, or extra ones are allowed. Compare those as well.
    """
    thread = ThreadMetadata(id="thr_1", created_at=NOW)
    assert list(vars(thread)) == list(ThreadMetadata.model_fields)
    assert thread.model_extra is None
    assert ThreadMetadata.__private_attributes__ == {}
    other = thread.model_copy(deep=True)
    assert vars(other) == vars(thread)
    other.metadata["note"] = "b"
    assert vars(other) != vars(thread)


def test_extra_fields_of_a_widget_are_sent_as_they_are_children_too() -> None:
    """Relied on by `widgets/documents.py`: a widget's JSON is its extra fields, and nothing in it is parsed.

    When this fails: `DynamicWidgetRoot` may know more fields by now, or forbid extra ones; see what `serialize` gives.
    """
    assert set(DynamicWidgetRoot.model_fields) == {"type", "id", "key", "children"}
    widget = DynamicWidgetRoot.model_construct(type="Card", id=None, key=None)
    extra = widget.model_extra
    assert extra == {}
    extra.update({"children": [{"type": "Text", "value": "a"}], "gap": 2})
    assert serialize(widget) == b'{"type":"Card","children":[{"type":"Text","value":"a"}],"gap":2}'
    assert widget.model_copy(deep=True).model_extra == widget.model_extra


def test_an_action_without_a_type_comes_through_as_no_text() -> None:
    """Relied on by `streaming/requests/chatkit_requests.py`, which looks for it.

    When this fails: ChatKit may refuse it by now; then the check there can go.
    """
    body = {"type": "threads.custom_action", "params": {"thread_id": "thr_1", "item_id": None, "action": {}}}
    request: Any = TypeAdapter(ChatKitReq).validate_python(body)
    assert not isinstance(request.params.action.type, str)


def test_our_texts_of_items_override_those_of_the_converter() -> None:
    """Relied on by `streaming/answers/history.py`: a subclass of a dated beta, which has renamed methods before.

    When this fails: give the override the new name, arguments or kind; else the converter's own text reaches the model.
    """
    ours = {name for name in vars(HistoryConverter) if not name.startswith("_")}
    assert ours == {
        "assistant_message_to_input", "attachment_to_message_content", "generated_image_to_input",
        "hidden_context_to_input", "structured_input_to_input", "tag_to_message_content", "task_to_input",
        "user_message_to_input", "widget_to_input", "workflow_to_input",
    }  # fmt: skip
    for name in ours:
        override, original = getattr(HistoryConverter, name), getattr(ThreadItemConverter, name)
        assert list(inspect.signature(override).parameters) == list(inspect.signature(original).parameters), name
        assert inspect.iscoroutinefunction(override) == inspect.iscoroutinefunction(original), name
    public = {name for name in vars(ThreadItemConverter) if not name.startswith("_")}
    assert public - ours == {"to_agent_input", "client_tool_call_to_input", "end_of_turn_to_input"}


# SQLAlchemy, and the servers' libraries


def test_a_model_carries_what_stands_beside_its_fields_into_copies() -> None:
    """Relied on by `storage/baseline.py`: a copy of a stored thread knows what was stored.

    When this fails: let the copy be made by the store, or take a copy for a fresh thread again.
    """
    thread = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    twin = thread.model_copy(deep=True)
    set_baseline(thread, {"title": "old"})
    for copy in (thread.model_copy(), thread.model_copy(deep=True), thread.model_copy(update={"title": "new"})):
        assert (known := baseline_of(copy)) is not None
        assert known.fields == {"title": "old"}
    assert thread.model_dump() == twin.model_dump()
    assert "baseline" not in repr(thread)
    assert baseline_of(twin) is None


def test_a_sqlite_connection_may_be_closed_by_another_thread_and_begins_when_told(tmp_path: Path) -> None:
    """Relied on by `databases/sqlite_threads.py`: `SQLiteThreads.close`, and transactions that begin locked.

    When this fails: pass `check_same_thread`, and see SQLAlchemy's page on SQLite for how it begins transactions now.
    """
    engine = create_engine(
        f"sqlite:///{tmp_path / 'a.db'}", pool_size=1, max_overflow=0, connect_args={"isolation_level": None}
    )
    seen: list[str] = []
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    connection = engine.connect()
    with connection.begin():
        connection.execute(text("SELECT 1"))
    assert seen == ["BEGIN IMMEDIATE", "SELECT 1"]
    failures: list[BaseException] = []

    def close() -> None:
        try:
            connection.close()
            engine.dispose()
        except BaseException as exc:  # noqa: BLE001 - shown below
            failures.append(exc)

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    assert failures == []


def test_a_connection_that_is_invalidated_is_handed_over_before_it_is_closed(tmp_path: Path) -> None:
    """Relied on by `databases/sqlite_engines.py`: it rolls back first, or the lock would outlive the connection.

    When this fails: find the event that comes before the pool closes a connection that is not to be used again.
    """
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    alive: list[bool] = []

    @event.listens_for(engine, "invalidate")
    def look_at(connection: sqlite3.Connection, _record: Any, _failure: Any) -> None:
        connection.rollback()
        connection.close()
        alive.append(True)

    connection = engine.connect()
    connection.invalidate()
    connection.close()
    assert alive == [True]
    assert connection.closed
    engine.dispose()


async def test_the_adapted_connection_of_aiosqlite_can_wait_within_an_event(tmp_path: Path) -> None:
    """Relied on by `databases/sqlite_engines.py`: it waits there until another process has switched a new file to WAL.

    When this fails: see SQLAlchemy's page on awaitable-only driver methods in connection events.
    """
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}", pool_size=1, max_overflow=0)
    waited: list[int] = []

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        async def wait(driver: Any) -> None:
            cursor = await driver.execute("SELECT 3")
            waited.extend(await cursor.fetchone())

        assert isinstance(connection, AdaptedConnection)
        connection.run_async(wait)
        cursor = connection.cursor()
        try:
            cursor.execute("nonsense")
        except sqlite3.OperationalError as exc:
            waited.append(exc.sqlite_errorcode & 0xFF)

    async with engine.connect() as opened:
        with pytest.raises(DBAPIError) as failure:
            await opened.execute(text("nonsense"))
    assert isinstance(failure.value.orig, sqlite3.OperationalError)
    assert waited == [3, sqlite3.SQLITE_ERROR]
    await engine.dispose()


def test_a_parser_tells_an_announcement_from_the_answer_and_both_in_order() -> None:
    """Relied on by `chat_clients/http/connection.py`: one parser for "100 Continue" and the answer behind it.

    When this fails: make a parser for each of them, or see what the callbacks are now.
    """
    seen: list[str] = []

    class Told:
        def on_headers_complete(self) -> None:
            seen.append(f"head {parser.get_status_code()}")

        def on_body(self, body: bytes) -> None:
            seen.append(body.decode())

        def on_message_complete(self) -> None:
            seen.append(f"end {parser.should_keep_alive()}")

    parser = httptools.HttpResponseParser(Told())
    parser.feed_data(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
    assert seen == ["head 100", "end True", "head 200", "hi", "end True"]
    with pytest.raises(httptools.HttpParserError):
        httptools.HttpResponseParser(Told()).feed_data(b"nonsense\r\n\r\n")


def test_an_empty_response_has_a_length_that_can_be_taken_away() -> None:
    """Relied on by `web/event_stream.py`: a `Response` that sends its own body must not announce an empty one.

    When this fails: see whether the header is there at all, and whether `raw_headers` is what is sent.
    """
    response = Response(headers={"content-type": "text/event-stream"})
    assert response.headers["content-length"] == "0"
    del response.headers["content-length"]
    assert response.raw_headers == [(b"content-type", b"text/event-stream")]


async def test_files_are_answered_by_one_method_that_knows_a_missing_one(tmp_path: Path) -> None:
    """Relied on by `web/pages.py`: it asks `get_response` twice, for the packed file and for the other.

    When this fails: see how `StaticFiles` answers a request now, and where the packed file can be put in its place.
    """
    (tmp_path / "a.js").write_text("1")
    files = StaticFiles(directory=tmp_path, check_dir=False)
    assert list(inspect.signature(files.get_response).parameters) == ["path", "scope"]
    scope = {"type": "http", "method": "GET", "path": "/a.js", "headers": []}
    assert (await files.get_response("a.js", scope)).status_code == 200
    with pytest.raises(HTTPException) as failure:
        await files.get_response("a.js.gz", scope)
    assert failure.value.status_code == 404


def test_a_refusal_of_the_model_is_known_to_the_framework_by_its_properties() -> None:
    """Relied on by `chat_clients/protocols/request_options.py`: `REFUSAL` marks what the model says in its refusal.

    The framework must not take it for the JSON that an agent was to answer with.
    When this fails: look for how the framework tells a refusal from other text now, and mark it so.
    """
    for properties, value in ({}, {"n": 1}), (dict(REFUSAL), None):
        said = Content.from_text('{"n": 1}', additional_properties=properties)
        update = ChatResponseUpdate(contents=[said], role="assistant")
        assert build_response([update], {"type": "object"}).value == value


async def test_each_run_of_the_agents_sdk_goes_to_the_runner_that_was_set() -> None:
    """Relied on by `framework/default_runner.py`: exported workflows call `Runner.run` themselves.

    When this fails: see where `Runner` finds its runner now; without such a place, let `rewriting.py` of
    `agents_sdk/workflows` rebind the name `Runner` where a file imports it.
    """

    class Own:
        def __init__(self, before: Any) -> None:
            self.before = before

        async def run(self, agent: Any, given: Any, **options: Any) -> Any:
            return "run", given, options["max_turns"]

        def run_sync(self, agent: Any, given: Any, **options: Any) -> Any:
            return "run_sync", given

        def run_streamed(self, agent: Any, given: Any, **options: Any) -> Any:
            return "run_streamed", given

    before = get_default_agent_runner()
    try:
        wrap_default_runner(lambda runner: isinstance(runner, Own), Own)
        wrap_default_runner(lambda runner: isinstance(runner, Own), Own)
        agent = SDKAgent(name="a")
        assert await Runner.run(agent, "Hi", max_turns=3) == ("run", "Hi", 3)
        assert Runner.run_sync(agent, "Hi") == ("run_sync", "Hi")
        assert Runner.run_streamed(agent, "Hi") == ("run_streamed", "Hi")
        assert get_default_agent_runner().before is before
    finally:
        set_default_agent_runner(before)


async def test_the_loop_of_tool_calls_is_the_outermost_layer_of_a_client() -> None:
    """Relied on by `framework/tool_loop.py`: the Agents SDK runs the tools, and the client is shared with others.

    When this fails: look in `FunctionInvocationLayer` for what asks once, or let the platform keep a second client.
    """
    seen: list[str] = []
    client = Echo(answers=[[call()], []], middleware=[Note(seen)])
    options: Any = {"tools": [look]}
    contents = await contents_of(without_tool_loop(client).get_response("Go", stream=True, options=options))
    assert [content.type for content in contents] == ["function_call"]
    assert seen == []
    other = RawEcho(answers=[])
    assert without_tool_loop(other) is other


def test_contents_may_be_of_a_kind_that_the_framework_does_not_have() -> None:
    """Relied on by `framework/agent_steps.py`: agents within a workflow are shown as steps.

    When this fails: let an `AgentResponseUpdate` carry the step beside its contents.
    """
    begun = agent_step("call", "a1", "Planner")
    assert (begun.type, begun.call_id, begun.tool_name) == ("agent_step_call", "a1", "Planner")
    assert AgentResponseUpdate(contents=[begun]).contents[0] is begun


PINS = ("test_reliances.py", "test_sdk_agents.py", "test_sdk_runs.py")
"""The files of this folder that pin reliances."""

WITHOUT_PINS = {
    "framework/__init__.py": "a docstring",
    "framework/message_marks.py": "marks of our own, which clients and conversion share",
    "framework/outgoing.py": "variables that every library documents",
    "framework/returned_parts.py": "public members of contents",
}
"""Modules of the room that rely on nothing, and what they rely on instead."""


@pytest.mark.parametrize("file", PINS)
def test_each_reliance_names_who_relies_on_it_and_what_to_do(file: str) -> None:
    docs = docs_of(file)
    assert len(docs) > 5
    for name, doc in docs.items():
        assert doc.startswith("Relied on by "), name
        assert "When this fails: " in doc, name
        for path in named_files(doc.partition("When this fails: ")[0]):
            assert (ROOT / path).is_file(), f"{name}: {path} has moved"


def test_every_module_of_the_room_has_a_pin() -> None:
    pinned = {path for file in PINS for doc in docs_of(file).values() for path in named_files(doc)}
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("framework/**/*.py")}
    assert found - pinned - READ_WHEN_CHANGED.keys() == WITHOUT_PINS.keys()


def test_the_files_that_a_failure_names_are_there() -> None:
    told = [text for _, _, text in READ_WHEN_CHANGED.values()] + [places for _, _, places in KINDS.values()]
    found = [*READ_WHEN_CHANGED, *(path for text in told for path in named_files(text))]
    assert len(found) > 15
    assert [path for path in found if not (ROOT / path).is_file()] == []


def docs_of(file: str) -> dict[str, str]:
    """Return the docstrings of a file's tests that have one, by name."""
    module = ast.parse((Path(__file__).parent / file).read_text())
    tests = [each for each in module.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    docs = {each.name: ast.get_docstring(each) for each in tests if each.name.startswith("test_")}
    return {name: doc for name, doc in docs.items() if doc is not None}


def named_files(text: str) -> list[str]:
    """Return the files of ours that a text names."""
    return re.findall(r"`([a-z_]+/[\w/-]+\.(?:py|ts))`", text)
