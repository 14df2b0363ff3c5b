"""Tools that need approval: the card, the decision, the run, and what the model learns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from agent_framework import (
    Agent,
    AgentResponseUpdate,
    Content,
    ContextProvider,
    FunctionInvocationContext,
    FunctionMiddleware,
    FunctionTool,
    MCPStdioTool,
    Message,
    MiddlewareFailure,
    tool,
)
from chatkit.types import StructuredInputFreeform, ThreadMetadata

from base_server import BaseChatKitServer
from chat_clients.offline.model import OfflineChatClient
from context import Services, Turn, turn_of
from errors import ActionError, ConflictError, NotFoundError, UserFacingError
from plugins import OfflinePhrase
from streaming.answers.update_converter import UpdateConverter
from streaming.approvals.card import MAX_SHOWN_CHARS
from tests.unit.harness import Chat, done_items, errors, texts, updates
from tests.unit.scripted_model import ScriptedModel, calls, gives, says
from turns.answer_texts import AnswerTexts
from turns.clock import utc_now

pytestmark = pytest.mark.usefixtures("text_path")

done: list[str] = []


@tool(approval_mode="always_require", additional_properties={"title": "Delete a file", "icon": "square-code"})
async def delete_file(ctx: FunctionInvocationContext, path: str = "/") -> str:
    """Delete a file."""
    done.append(path)
    turn = turn_of(ctx)
    turn.state.setdefault("deleted", []).append(path)
    if path == "missing":
        raise UserFacingError("There is no such file.")
    turn.widget({"type": "Card", "id": "gone", "children": []})
    return f"{path} is gone."


@tool(approval_mode="always_require", additional_properties={"timeout_s": 0.05})
async def delete_slowly() -> str:
    """Take too long."""
    await asyncio.sleep(60)
    return "never"


@tool(approval_mode="always_require")
async def order(ctx: FunctionInvocationContext) -> str:
    """Order something, and ask for its size."""
    return turn_of(ctx).ask(StructuredInputFreeform(id="size", question="Which size?"))


@tool
async def ask_size(ctx: FunctionInvocationContext) -> str:
    """Ask for the size."""
    return turn_of(ctx).ask(StructuredInputFreeform(id="size", question="Which size?"))


@tool(additional_properties={"title": "Look"})
async def look(place: str) -> str:
    """Look somewhere."""
    done.append(f"looked {place}")
    return f"Seen {place}."


read_page = FunctionTool(name="read_page", description="Read the page.", input_model={"type": "object"})

TOOLS = [delete_file, delete_slowly, order, ask_size, look, read_page]


class Audit(FunctionMiddleware):
    """Writes down what is called; aborts what is forbidden."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def process(self, context: FunctionInvocationContext, call_next: Callable[[], Awaitable[None]]) -> None:
        self.seen.append(context.function.name)
        if "forbidden" in str(context.arguments):
            raise MiddlewareFailure("not here")
        await call_next()


class Brings(ContextProvider):
    """Brings a tool along."""

    async def before_run(self, *, agent: Any, session: Any, context: Any, state: Any) -> None:
        context.extend_tools(self.source_id, [delete_file])


class ConnectedServer(MCPStdioTool):
    """An MCP server that is connected and has one tool."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "unused")
        self.is_connected = True

    @property
    def functions(self) -> list[FunctionTool]:
        return [delete_file]


class CarefulServer(BaseChatKitServer):
    """Answers with an agent of these arguments, and notes what its hook gets."""

    def __init__(self, services: Services, **agent: Any) -> None:
        super().__init__(services)
        self._arguments = agent or {"tools": TOOLS}
        self.states: list[dict[str, Any]] = []

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, **self._arguments)

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        self.states.append(dict(turn.state))


@pytest.fixture(autouse=True)
def _clear_done() -> None:
    done.clear()


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(CarefulServer(services))


def card_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    [card] = [i for i in done_items(events, "widget") if i["widget"]["id"] == "parlor.approval"]
    return card


def replaced_items(events: list[dict[str, Any]], type_: str) -> list[dict[str, Any]]:
    items = [event["item"] for event in events if event["type"] == "thread.item.replaced"]
    return [item for item in items if item["type"] == type_]


def buttons(card: dict[str, Any], label: str) -> list[dict[str, Any]]:
    """Return the actions of the buttons with this label."""

    def find(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for each in node for found in find(each)]
        if not isinstance(node, dict):
            return []
        own = [node["onClickAction"]] if node.get("label") == label and "onClickAction" in node else []
        return own + [found for value in node.values() for found in find(value)]

    return find(card["widget"])


async def click(chat: Chat, card: dict[str, Any], label: str, at: int = 0) -> list[dict[str, Any]]:
    chosen = buttons(card, label)[at]
    events: list[dict[str, Any]] = await chat.act(card, chosen["type"], chosen["payload"])
    return events


def calls_with_results(messages: list[Message]) -> list[tuple[str, str]]:
    """Return the calls that a model is told of, with their results."""
    contents = [content for message in messages for content in message.contents]
    results = {c.call_id: str(c.result) for c in contents if c.type == "function_result"}
    return [(c.call_id or "", results.get(c.call_id, "")) for c in contents if c.type == "function_call"]


async def test_a_tool_that_needs_approval_shows_its_call_and_waits(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("delete_file", path="/data/x")]
    events = await chat.send("Delete x")
    card = card_of(events)
    assert "Delete a file" in json.dumps(card["widget"])
    assert "/data/x" in json.dumps(card["widget"])
    [workflow] = done_items(events, "workflow")
    [task] = workflow["workflow"]["tasks"]
    assert (task["status_indicator"], task["content"]) == ("none", "Waits for you.")
    assert done == []
    assert chat.server.states == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_allowed", [True, False])
async def test_a_decision_resumes_the_answer_even_after_a_restart_and_once(
    chat: Chat, services: Services, model: ScriptedModel, is_allowed: bool
) -> None:
    model.turns = [calls("delete_file", path="/data/x")]
    card = card_of(await chat.send("Delete x"))
    restarted = Chat(CarefulServer(services))
    restarted.thread_id = chat.thread_id
    model.turns = [says("Done." if is_allowed else "All right.", message_id="m2")]
    events = await click(restarted, card, "Allow" if is_allowed else "Don't allow")
    assert errors(events) == []
    assert done == (["/data/x"] if is_allowed else [])
    assert texts(events) == ["Done." if is_allowed else "All right."]
    [(_, result)] = calls_with_results(model.requests[-1])
    assert result.startswith("/data/x is gone." if is_allowed else "This was not done: it was not allowed.")
    with pytest.raises(ConflictError) as refused:
        await click(restarted, card, "Allow")
    assert refused.value.code == "approval.decided"
    assert done == (["/data/x"] if is_allowed else [])


async def test_two_decisions_at_once_count_once(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("delete_file", path="/data/x")]
    card = card_of(await chat.send("Delete x"))
    model.turns = [says("Done.", message_id="m2")]
    await asyncio.gather(*(click(chat, card, "Allow") for _ in range(3)), return_exceptions=True)
    assert done == ["/data/x"]


async def test_in_two_processes_at_once_a_decision_counts_once(
    chat: Chat, services: Services, model: ScriptedModel
) -> None:
    model.turns = [[*calls("delete_file", path="a"), *calls("delete_file", "call_2", path="b")]]
    card = card_of(await chat.send("Delete both"))
    other = Chat(CarefulServer(services), use_case="test")
    other.thread_id = chat.thread_id
    # Runs of a thread are one at a time in a process only, so the handlers themselves are put side by side.
    thread = await services.store.load_thread(str(chat.thread_id), context=chat.context())
    item = await services.store.load_item(thread.id, card["id"], context=chat.context())

    async def decide(person: Chat, label: str, at: int) -> list[Any]:
        from chatkit.actions import Action

        chosen = buttons(card, label)[at]
        events = person.server.action(thread, Action(**chosen_action(chosen)), item, person.context())  # type: ignore[arg-type]
        return [event async for event in events]

    def chosen_action(chosen: dict[str, Any]) -> dict[str, Any]:
        return {"type": chosen["type"], "payload": chosen["payload"]}

    model.turns = [says("Done.", message_id="m2")]
    clicks = [decide(chat, "Allow", 0), decide(other, "Don't allow", 0), decide(chat, "Allow", 1)]
    outcomes = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert done in (["a", "b"], ["b"])
    assert len(calls_with_results(model.requests[-1])) == 2


async def test_a_stranger_decides_nothing(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("delete_file", path="/data/x")]
    card = card_of(await chat.send("Delete x"))
    stranger = Chat(chat.server, user="user_b")
    stranger.thread_id = chat.thread_id
    with pytest.raises(NotFoundError):
        await click(stranger, card, "Allow")
    assert done == []


# How an allowed call is made


async def test_an_allowed_call_passes_the_agents_middleware_and_leaves_its_state_to_the_hook(
    services: Services, model: ScriptedModel
) -> None:
    audit = Audit()
    chat = Chat(CarefulServer(services, tools=TOOLS, middleware=[audit]))
    model.turns = [calls("delete_file", path="x")]
    card = card_of(await chat.send("Delete x"))
    assert audit.seen == []
    model.turns = [says("Done.", message_id="m2")]
    events = await click(chat, card, "Allow")
    assert audit.seen == ["delete_file"]
    assert chat.server.states == [{"deleted": ["x"]}]  # type: ignore[attr-defined]
    shown = [(event["item"]["type"], event["type"]) for event in events if "item" in event]
    workflow = shown.index(("workflow", "thread.item.added"))
    assert workflow < shown.index(("widget", "thread.item.done")), "the step is there before the tool shows anything"
    assert updates(events, "workflow.task.added")[0]["task"]["status_indicator"] == "loading"
    [task] = done_items(events, "workflow")[0]["workflow"]["tasks"]
    assert (task["title"], task["icon"], task["status_indicator"]) == ("Delete a file", "square-code", "complete")
    [waited] = replaced_items(events, "workflow")
    assert "content" not in waited["workflow"]["tasks"][0]


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (calls("delete_file", path="missing"), "There is no such file."),
        (calls("delete_slowly"), "The tool took longer than 0.05 seconds and was stopped."),
    ],
)
async def test_an_allowed_call_that_fails_is_a_failed_step_and_the_model_knows_why(
    chat: Chat, model: ScriptedModel, call: list[Any], result: str
) -> None:
    model.turns = [call]
    card = card_of(await chat.send("Go"))
    model.turns = [says("Sorry.", message_id="m2")]
    events = await click(chat, card, "Allow")
    [task] = done_items(events, "workflow")[0]["workflow"]["tasks"]
    assert (task["status_indicator"], task["content"]) == ("none", "This step failed.")
    assert [result for _, result in calls_with_results(model.requests[-1])] == [result]


async def test_a_call_aborted_by_middleware_ends_the_answer_and_may_have_begun(
    services: Services, model: ScriptedModel
) -> None:
    chat = Chat(CarefulServer(services, tools=TOOLS, middleware=[Audit()]))
    model.turns = [calls("delete_file", path="forbidden")]
    card = card_of(await chat.send("Go"))
    events = await click(chat, card, "Allow")
    [error] = errors(events)
    assert "not here" not in error["message"]
    [task] = done_items(events, "workflow")[0]["workflow"]["tasks"]
    assert task["content"] == "This step failed."
    model.turns = [says("Hm.", message_id="m2")]
    await chat.send("And now?")
    [(_, result)] = calls_with_results(model.requests[-1])
    assert "not known" in result


async def test_an_allowed_call_may_ask_and_the_answer_waits(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("order")]
    card = card_of(await chat.send("Order"))
    model.turns = [says("M it is.", message_id="m2")]
    events = await click(chat, card, "Allow")
    question = done_items(events)[-1]
    assert (question["type"], question["status"]) == ("structured_input", "pending")
    assert len(model.requests) == 1, "the model waits"
    events = await chat.request(
        "threads.add_structured_input",
        thread_id=chat.thread_id,
        item_id=question["id"],
        input={"status": "answered", "answers": {"size": {"values": ["M"], "skipped": False}}},
    )
    assert texts(events) == ["M it is."]


async def test_a_stop_while_an_allowed_call_runs_leaves_its_outcome_unknown(
    services: Services, model: ScriptedModel
) -> None:
    running = asyncio.Event()

    @tool(approval_mode="always_require")
    async def hang() -> str:
        """Never return."""
        running.set()
        await asyncio.sleep(60)
        return "never"

    chat = Chat(CarefulServer(services, tools=[hang, delete_file]))
    model.turns = [[*calls("hang"), *calls("delete_file", "call_2", path="x")]]
    card = card_of(await chat.send("Go"))
    await click(chat, card, "Don't allow", at=1)
    [card] = [item for item in await chat.items() if item["id"] == card["id"]]
    run = asyncio.create_task(click(chat, card, "Allow"))
    await running.wait()
    await chat.request("runs.stop", thread_id=chat.thread_id)
    await run
    model.turns = [says("It may have happened.", message_id="m2")]
    await chat.send("What happened?")
    [(_, first), (_, second)] = calls_with_results(model.requests[-1])
    assert "whether it had any effect is not known" in first
    assert "not allowed" in second
    workflow = [item for item in await chat.items() if item["type"] == "workflow"][-1]
    assert [task["status_indicator"] for task in workflow["workflow"]["tasks"]] == ["none"]


async def test_tools_of_context_providers_can_be_allowed(services: Services, model: ScriptedModel) -> None:
    chat = Chat(CarefulServer(services, context_providers=[Brings("brings")]))
    model.turns = [calls("delete_file", path="x")]
    card = card_of(await chat.send("Delete x"))
    model.turns = [says("Done.", message_id="m2")]
    assert texts(await click(chat, card, "Allow")) == ["Done."]
    assert done == ["x"]


async def test_tools_of_mcp_servers_can_be_allowed(services: Services, model: ScriptedModel) -> None:
    chat = Chat(CarefulServer(services, tools=[ConnectedServer("wiki")]))
    model.turns = [calls("delete_file", path="x")]
    card = card_of(await chat.send("Delete x"))
    model.turns = [says("Done.", message_id="m2")]
    assert texts(await click(chat, card, "Allow")) == ["Done."]
    assert done == ["x"]


@pytest.mark.parametrize("label", ["Allow", "Don't allow"])
async def test_decisions_about_hosted_tools_are_sent_once_to_the_provider(
    chat: Chat, model: ScriptedModel, label: str
) -> None:
    wanted = Content.from_function_call("mcpr_1", "delete", arguments='{"page": 1}', hosted=True, server_name="wiki")
    model.turns = [gives(Content.from_function_approval_request("mcpr_1", wanted))]
    card = card_of(await chat.send("Delete page 1"))
    assert card["copy_text"] == "May I do this? – Delete (page: 1)"
    model.turns = [says("Done.", message_id="m2"), says("Yes.", message_id="m3")]
    assert texts(await click(chat, card, label)) == ["Done."]
    asked, answered = model.requests[-1][-2].contents[0], model.requests[-1][-1].contents[0]
    assert (asked.type, asked.id, asked.function_call.server_name) == ("function_approval_request", "mcpr_1", "wiki")  # type: ignore[union-attr]
    assert (answered.type, answered.id, answered.approved) == ("function_approval_response", "mcpr_1", label == "Allow")
    await chat.send("Is it done?")
    assert not [c for m in model.requests[-1] for c in m.contents if "approval" in c.type]


# What is asked


@pytest.mark.parametrize("arguments", ['{"path": "/tmp/one', "[1]", ""])
async def test_arguments_that_cannot_be_read_are_asked_for_again_and_never_run(
    chat: Chat, model: ScriptedModel, arguments: str
) -> None:
    broken = gives(Content.from_function_call("call_1", "delete_file", arguments=arguments), message_id="m1")
    model.turns = [broken, says("I cannot.", message_id="m2")]
    events = await chat.send("Delete one")
    if arguments == "":
        assert card_of(events), "a call without arguments is a call"
        return
    assert done_items(events, "widget") == []
    assert texts(events) == ["I cannot."]
    [task] = done_items(events, "workflow")[0]["workflow"]["tasks"]
    assert task["content"] == "This step failed."
    [(_, result)] = calls_with_results(model.requests[-1])
    assert "not a JSON object" in result
    assert done == []


async def test_a_model_that_never_asks_properly_is_not_asked_for_ever(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [
        gives(Content.from_function_call(f"call_{n}", "delete_file", arguments="{"), message_id="m1") for n in range(20)
    ]
    [error] = errors(await chat.send("Delete"))
    assert error["allow_retry"] is False
    assert len(model.requests) < 10


async def test_a_card_shows_all_that_will_be_done_and_nothing_is_invisible(chat: Chat, model: ScriptedModel) -> None:
    path = "a" * 290 + " " * 20 + "; rm -rf /\u202e\u200b"
    more = {f"extra_{n}": n for n in range(20)}
    model.turns = [calls("delete_file", path=path, **more)]
    card = json.dumps(card_of(await chat.send("Delete"))["widget"], ensure_ascii=False)
    assert path[:-2] in card
    assert "\\\\u202e\\\\u200b" in card
    assert "Extra 19:" in card


async def test_a_call_too_long_to_check_is_refused_without_asking(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("delete_file", path="a" * MAX_SHOWN_CHARS), says("Too long.", message_id="m2")]
    events = await chat.send("Delete")
    assert done_items(events, "widget") == []
    assert texts(events) == ["Too long."]
    assert "nobody can check" in calls_with_results(model.requests[-1])[0][1]


async def test_the_card_speaks_the_persons_language(services: Services, model: ScriptedModel) -> None:
    class German(CarefulServer):
        def texts(self, turn: Turn) -> AnswerTexts:
            return AnswerTexts(ask="Darf ich?", allow="Ja", reject="Nein", allowed="Erlaubt", step_waits="Wartet.")

    chat = Chat(German(services))
    model.turns = [calls("delete_file", path="x"), says("Gut.", message_id="m2")]
    events = await chat.send("Lösche x")
    card = card_of(events)
    assert done_items(events, "workflow")[0]["workflow"]["tasks"][0]["content"] == "Wartet."
    events = await click(chat, card, "Ja")
    [decided] = replaced_items(events, "widget")
    assert decided["copy_text"] == "Erlaubt – Delete a file (path: x)"


# Batches


async def test_calls_of_a_batch_that_need_no_word_run_at_once_and_each_other_is_decided_alone(
    chat: Chat, model: ScriptedModel
) -> None:
    model.turns = [
        [
            *calls("delete_file", "call_1", path="a"),
            *calls("look", "call_2", place="Bern"),
            *calls("delete_file", "call_3", path="b"),
        ]
    ]
    events = await chat.send("Look and delete")
    assert done == ["looked Bern"]
    [workflow] = done_items(events, "workflow")
    assert [(t["title"], t["status_indicator"], t.get("content")) for t in workflow["workflow"]["tasks"]] == [
        ("Delete a file", "none", "Waits for you."),
        ("Look", "complete", None),
        ("Delete a file", "none", "Waits for you."),
    ]
    card = card_of(events)
    assert "Look" not in json.dumps(card["widget"])
    assert len(buttons(card, "Allow")) == 2

    events = await click(chat, card, "Don't allow", at=1)
    assert len(model.requests) == 1, "the other one is open"
    [card] = replaced_items(events, "widget")
    assert "I go on when" in json.dumps(card["widget"])
    [workflow] = replaced_items(events, "workflow")
    assert [t.get("content") for t in workflow["workflow"]["tasks"]] == ["Waits for you.", None, "Not allowed"]
    assert len(buttons(card, "Allow")) == 1

    model.turns = [says("Done.", message_id="m2")]
    events = await click(chat, card, "Allow")
    assert texts(events) == ["Done."]
    assert done == ["looked Bern", "a"]
    [(first, a), (second, seen), (third, b)] = calls_with_results(model.requests[-1])
    assert (first, second, third) == ("call_1", "call_2", "call_3")
    assert (a, seen) == ("a is gone.", "Seen Bern.")
    assert "not allowed" in b
    [card] = replaced_items(events, "widget")
    assert card["copy_text"] == "Allowed – Delete a file (path: a)\nNot allowed – Delete a file (path: b)"


async def test_a_client_tool_beside_an_approval_is_asked_for_later(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [[*calls("read_page", "call_1"), *calls("delete_file", "call_2", path="x")]]
    events = await chat.send("Go")
    assert done_items(events, "client_tool_call") == []
    card = card_of(events)
    model.turns = [calls("read_page", "call_3")]
    events = await click(chat, card, "Allow")
    [(_, page), (_, gone)] = calls_with_results(model.requests[-1])
    assert "Call it again" in page
    assert gone == "x is gone."
    assert done_items(events)[-1]["type"] == "client_tool_call"


async def test_a_question_beside_an_approval_is_asked_first(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [[*calls("delete_file", "call_1", path="x"), *calls("ask_size", "call_2")]]
    events = await chat.send("Go")
    assert done_items(events, "widget") == []
    question = done_items(events)[-1]
    assert question["type"] == "structured_input"
    model.turns = [calls("delete_file", "call_3", path="x")]
    events = await chat.request(
        "threads.add_structured_input", thread_id=chat.thread_id, item_id=question["id"], input={"status": "skipped"}
    )
    assert "Call it again" in calls_with_results(model.requests[-1])[0][1]
    assert card_of(events)
    assert done == []


# Too late


async def test_a_newer_message_expires_what_is_undecided(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [
        [
            *calls("delete_file", "call_1", path="a"),
            *calls("look", "call_2", place="Bern"),
            *calls("delete_file", "call_3", path="b"),
        ]
    ]
    card = card_of(await chat.send("Delete"))
    await click(chat, card, "Allow")
    model.turns = [says("I leave it.", message_id="m2")]
    events = await chat.send("No! Do not delete it")
    assert done == ["looked Bern"]
    [closed] = replaced_items(events, "widget")
    assert buttons(closed, "Allow") == []
    assert closed["copy_text"] == "Not done – Delete a file (path: a)\nNot done – Delete a file (path: b)"
    [workflow] = replaced_items(events, "workflow")
    assert [t.get("content") for t in workflow["workflow"]["tasks"]] == ["Not done", None, "Not done"]
    [(_, a), (_, seen), (_, b)] = calls_with_results(model.requests[-1])
    assert seen == "Seen Bern."
    assert a == b
    assert "not done" in a
    with pytest.raises(ConflictError) as refused:
        await click(chat, card, "Allow", at=1)
    assert (refused.value.status, refused.value.code) == (409, "approval.expired")
    assert done == ["looked Bern"]


async def test_a_decision_without_a_stream_is_refused_and_nothing_is_lost(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("delete_file", path="x")]
    card = card_of(await chat.send("Delete x"))
    allow = buttons(card, "Allow")[0]
    with pytest.raises(ActionError) as refused:
        await chat.act(card, allow["type"], allow["payload"], sync=True)
    assert refused.value.code == "action.not_streamed"
    assert done == []
    model.turns = [says("Done.", message_id="m2")]
    assert texts(await click(chat, card, "Allow")) == ["Done."]


async def test_the_built_in_model_says_what_came_of_a_decision(services: Services) -> None:
    phrase = OfflinePhrase(r"delete (?P<path>\w+)", tool="delete_file", example="Delete x")
    server = CarefulServer(services)
    server.chat_client = OfflineChatClient(phrases=[phrase])
    chat = Chat(server)
    card = card_of(await chat.send("Delete x"))
    assert texts(await click(chat, card, "Allow")) == ["x is gone."]
    card = card_of(await chat.send("Delete y"))
    [said] = texts(await click(chat, card, "Don't allow"))
    assert said == "This was not done: it was not allowed. It will be tried again only when that is asked for."


async def test_a_model_that_has_nothing_to_add_to_an_allowed_call_has_not_failed(
    chat: Chat, model: ScriptedModel
) -> None:
    model.turns = [calls("delete_file", path="/data/x")]
    card = card_of(await chat.send("Delete x"))
    model.turns = [[]]
    events = await click(chat, card, "Allow")
    assert errors(events) == []
    assert done == ["/data/x"]


async def test_a_picture_that_an_allowed_tool_returns_is_shown(services: Services, model: ScriptedModel) -> None:
    picture = Content.from_data(b"\x89PNG\r\n\x1a\n", "image/png")

    @tool(approval_mode="always_require")
    async def photograph() -> list[Content]:
        """Take a picture."""
        return [picture]

    class Photographer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Agent[Any]:
            return Agent(self.chat_client, tools=[photograph])

    chat = Chat(Photographer(services))
    model.turns = [calls("photograph")]
    card = card_of(await chat.send("Show me"))
    model.turns = [says("There.", message_id="m2")]
    [shown] = done_items(await click(chat, card, "Allow"), "generated_image")
    assert shown["image"]["url"] == picture.uri
    assert calls_with_results(model.requests[-1]) == [("call_1", "[an image was returned]")]


async def test_an_approval_request_without_a_visible_call_is_shown_all_the_same(services: Services) -> None:
    thread = ThreadMetadata(id="thr_1", created_at=utc_now())
    turn = Turn(thread, Chat(CarefulServer(services)).context(), services)
    answer = UpdateConverter(turn, {}, lambda: "")
    call = Content.from_function_call("call_1", "delete_file", arguments='{"path":"/data/x"}')
    wish = Content.from_function_approval_request("call_1", call)
    events = [*answer.convert(AgentResponseUpdate(role="assistant", contents=[wish])), *answer.close()]
    assert [(each.name, each.arguments) for each in turn.context.answer.approvals] == [
        ("delete_file", '{"path":"/data/x"}')
    ]
    assert events[0].type == "thread.item.added"
