"""Workflows of agents: in sequence, in parallel, and with handoffs, each as one chat."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import pytest
from agent_framework import (
    Agent,
    AgentExecutor,
    AgentExecutorResponse,
    Content,
    Executor,
    FunctionInvocationContext,
    FunctionTool,
    Message,
    WorkflowAgent,
    WorkflowBuilder,
    WorkflowContext,
    executor,
    handler,
    response_handler,
    tool,
)
from chatkit.types import StructuredInputFreeform

from base_server import BaseChatKitServer
from context import Services, Turn, turn_of
from errors import NotFoundError
from plugins import Composer, UseCase
from tests.unit.harness import Chat, done_items, errors, texts, updates
from tests.unit.scripted_model import ScriptedModel, calls, gives, says

MakeAgent = Callable[["WorkflowServer"], Any]


class WorkflowServer(BaseChatKitServer):
    """Answers with whatever agent the test makes."""

    make: MakeAgent

    def get_agent(self, turn: Turn) -> Any:
        return self.make(self)

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        if "place" in turn.state:
            turn.widget({"type": "Card", "id": "place", "children": []})


@tool(additional_properties={"title": "Look it up", "icon": "search"})
async def look(place: str, ctx: FunctionInvocationContext) -> str:
    """Look a place up."""
    turn_of(ctx).state["place"] = place
    return f"It rains in {place}."


@tool(additional_properties={"timeout_s": 0.05})
async def fetch(source: str) -> str:
    """Fetch it, which is refused or takes long."""
    if source == "slow":
        await asyncio.sleep(60)
    raise NotFoundError("There is no such source.")


@tool(approval_mode="always_require", additional_properties={"title": "Publish"})
async def publish(place: str, ctx: FunctionInvocationContext) -> str:
    """Publish it."""
    turn_of(ctx).effect("published", {"place": place})
    return f"Published in {place}."


@tool
async def ask_size(ctx: FunctionInvocationContext) -> str:
    """Ask for the size."""
    return turn_of(ctx).ask(StructuredInputFreeform(id="size", question="How long?"))


read_page = FunctionTool(
    name="read_page", description="Read the page.", input_model={"type": "object", "properties": {"part": {}}}
)


def writer_and_reviewer(server: WorkflowServer, *tools: Any) -> WorkflowAgent:
    """One after another: both are heard."""
    writer = Agent(server.chat_client, name="writer", tools=list(tools))
    reviewer = Agent(server.chat_client, name="reviewer")
    return (
        WorkflowBuilder(start_executor=writer, output_from=[writer, reviewer])
        .add_edge(writer, reviewer)
        .build()
        .as_agent()
    )


@executor(id="desk")
async def desk(messages: list[Message], ctx: WorkflowContext[list[Message]]) -> None:
    """Hand the question to everybody."""
    await ctx.send_message(messages)


def side_by_side(*agents: Any) -> WorkflowAgent:
    """Return a workflow whose agents all answer at the same time."""
    builder = WorkflowBuilder(start_executor=desk, output_from=list(agents))
    return builder.add_fan_out_edges(desk, agents).build().as_agent()


class Baton(asyncio.Event):
    """A step of a script that lets another script go on, and waits until that one gives the word back."""

    def __init__(self, other: Baton | None = None) -> None:
        super().__init__()
        self.other = other

    async def wait(self) -> Any:
        if self.other is not None:
            self.other.set()
        await super().wait()
        self.clear()


def texts_of(items: list[dict[str, Any]]) -> list[str]:
    """Return the texts of the assistant's messages after a reload."""
    return ["".join(p["text"] for p in item["content"]) for item in items if item["type"] == "assistant_message"]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def server(services: Services) -> WorkflowServer:
    made = WorkflowServer(services)
    made.make = lambda server: writer_and_reviewer(server, look, fetch, publish, ask_size, read_page)
    return made


@pytest.fixture
def chat(server: WorkflowServer) -> Chat:
    return Chat(server)


async def test_agents_that_work_one_after_another_are_one_message_each(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [says("A ", "draft."), says("Fine.")]
    events = await chat.send("Write")
    assert texts(events) == ["A draft.", "Fine."]
    assert not errors(events)
    assert [m.text for m in model.requests[1]] == ["Write", "A draft."]


async def test_a_tool_in_a_workflow_finds_the_turn_that_it_belongs_to(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("look", place="Bern"), says("A draft."), says("Fine.")]
    events = await chat.send("Write")
    assert texts(events) == ["A draft.", "Fine."]
    assert done_items(events, "widget")[0]["widget"]["id"] == "place"


async def test_a_turn_is_one_and_the_same_however_it_is_copied(server: WorkflowServer, chat: Chat) -> None:
    turns: list[Turn] = []
    server.make = lambda server: Agent(server.chat_client)
    server.get_agent = lambda turn: turns.append(turn) or Agent(server.chat_client)  # type: ignore[method-assign, func-returns-value, assignment]
    await chat.send("Hi")
    assert copy.copy(turns[0]) is turns[0]
    assert copy.deepcopy({"turn": turns[0]})["turn"] is turns[0]


def interleaved(first: list[list[Any]], second: list[list[Any]]) -> tuple[list[Any], list[Any]]:
    """Return two scripts whose parts are played in turn."""
    mine, yours = Baton(), Baton()
    mine.other, yours.other = yours, mine
    return (
        [step for part in first for step in (*part, mine)] + [Word(yours)],
        [step for part in second for step in (yours, *part)] + [Word(mine)],
    )


class Word(asyncio.Event):
    """A step of a script that lets another script go on, and goes on itself."""

    def __init__(self, other: asyncio.Event) -> None:
        super().__init__()
        self.other = other

    async def wait(self) -> Any:
        self.other.set()


async def test_agents_that_write_at_the_same_time_have_one_message_each(
    chat: Chat, server: WorkflowServer, model: ScriptedModel
) -> None:
    other = ScriptedModel()
    one, two = interleaved([says("Al"), says("pha"), says(".")], [says("Be"), says("ta"), says("!")])
    model.turns, other.turns = [one], [two]
    server.make = lambda server: side_by_side(Agent(model, name="a"), Agent(other, name="b"))
    events = await chat.send("Write")
    assert texts(events) == ["Alpha.", "Beta!"]
    assert [e["delta"] for e in updates(events, "assistant_message.content_part.text_delta")] == [
        "Al", "Be", "pha", "ta", ".", "!",
    ]  # fmt: skip
    assert texts_of(await chat.items()) == ["Alpha.", "Beta!"]


async def test_a_message_is_finished_when_its_author_has_ended_and_another_begins(
    chat: Chat, model: ScriptedModel
) -> None:
    model.turns = [[*says("Draft."), *gives(finish_reason="stop")], says("Fine.")]
    events = await chat.send("Write")
    kinds = [e["type"] for e in events if e["type"] in ("thread.item.added", "thread.item.done")]
    assert kinds[-4:] == ["thread.item.added", "thread.item.done"] * 2


async def test_messages_stand_in_the_order_in_which_they_began(
    chat: Chat, server: WorkflowServer, model: ScriptedModel
) -> None:
    other = ScriptedModel()
    one, two = interleaved([says("Al"), says("pha")], [says("Beta"), [*calls("look", place="Bern")]])
    model.turns, other.turns = [one], [two, says("It rains.", message_id="m2")]
    server.make = lambda server: side_by_side(Agent(model, name="a"), Agent(other, name="b", tools=[look]))
    events = await chat.send("Write")
    assert sorted(texts(events)) == ["Alpha", "Beta", "It rains."]
    assert texts_of(await chat.items()) == ["Alpha", "Beta", "It rains."]


async def test_text_of_one_agent_does_not_end_the_step_of_another(
    chat: Chat, server: WorkflowServer, model: ScriptedModel
) -> None:
    other = ScriptedModel()
    begun, goes_on = asyncio.Event(), asyncio.Event()

    @tool
    async def wait_for_the_others() -> str:
        """Wait."""
        begun.set()
        await goes_on.wait()
        return "waited"

    model.turns = [[begun, *says("Meanwhile."), Word(goes_on)]]
    other.turns = [calls("wait_for_the_others"), says("Done.", message_id="m2")]
    server.make = lambda server: side_by_side(
        Agent(model, name="a"), Agent(other, name="b", tools=[wait_for_the_others])
    )
    events = await chat.send("Write")
    assert texts(events) == ["Meanwhile.", "Done."]
    model.turns = [says("Again.")]
    other.turns = [says("Again.")]
    await chat.send("And?")
    results = [c.result for m in model.requests[-1] for c in m.contents if c.type == "function_result"]
    assert results == ["waited"]


async def test_a_tool_that_shows_something_does_not_cut_the_sentence_of_another_agent(
    chat: Chat, server: WorkflowServer, model: ScriptedModel
) -> None:
    other = ScriptedModel()

    @tool
    async def show(ctx: FunctionInvocationContext) -> str:
        """Show something."""
        turn_of(ctx).widget({"type": "Card", "id": "shown", "children": []})
        return "shown"

    one, two = interleaved([says("Al"), says("pha")], [calls("show"), []])
    model.turns, other.turns = [one], [two, says("Done.", message_id="m2")]
    server.make = lambda server: side_by_side(Agent(model, name="a"), Agent(other, name="b", tools=[show]))
    assert sorted(texts(await chat.send("Write"))) == ["Alpha", "Done."]


def results_in(request: list[Message]) -> list[Any]:
    return [content.result for message in request for content in message.contents if content.type == "function_result"]


async def test_a_tool_in_a_workflow_has_its_title_and_its_limits(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("look", place="Bern"), calls("fetch", "c2", source="x"), calls("fetch", "c3", source="slow")]
    model.turns += [says("A draft."), says("Fine.")]
    events = await chat.send("Write")
    [workflow] = done_items(events, "workflow")
    shown = [(task["title"], task["status_indicator"]) for task in workflow["workflow"]["tasks"]]
    assert shown == [("Look it up", "complete"), ("Fetch", "none"), ("Fetch", "none")]
    assert results_in(model.requests[-2])[1:] == [
        "There is no such source.",
        "The tool took longer than 0.05 seconds and was stopped.",
    ]


async def test_a_workflow_waits_for_the_answer_to_a_question(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("ask_size")]
    events = await chat.send("Write")
    [question] = done_items(events, "structured_input")
    assert len(model.requests) == 1
    model.turns = [says("A long draft."), says("Fine.")]
    answer = {"status": "answered", "answers": {"size": {"values": ["Long"], "skipped": False}}}
    events = await chat.request(
        "threads.add_structured_input", thread_id=chat.thread_id, item_id=question["id"], input=answer
    )
    assert texts(events) == ["A long draft.", "Fine."]


async def test_a_workflow_waits_for_a_tool_of_the_client(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("read_page", part="top")]
    events = await chat.send("Write")
    [call] = done_items(events, "client_tool_call")
    assert (call["name"], call["arguments"]) == ("read_page", {"part": "top"})
    assert len(model.requests) == 1
    model.turns = [says("A draft."), says("Fine.")]
    events = await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"text": "Top."})
    assert texts(events) == ["A draft.", "Fine."]
    assert "Top." in results_in(model.requests[-1])[0]


async def test_a_tool_of_the_client_is_called_by_an_agent_without_visible_output(
    chat: Chat, server: WorkflowServer, model: ScriptedModel
) -> None:
    def make(server: WorkflowServer) -> Any:
        silent, speaker = Agent(model, name="silent", tools=[read_page]), Agent(model, name="speaker")
        builder = WorkflowBuilder(start_executor=silent, output_from=[speaker]).add_edge(silent, speaker)
        return builder.build().as_agent()

    server.make = make
    model.turns = [calls("read_page", part="top")]
    [call] = done_items(await chat.send("Write"), "client_tool_call")
    assert (call["name"], call["arguments"]) == ("read_page", {"part": "top"})


async def test_an_approved_tool_of_a_workflow_runs_and_the_workflow_continues(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("publish", place="Bern")]
    events = await chat.send("Write")
    card = done_items(events, "widget")[-1]
    button = card["widget"]["children"][-1]["children"][-1]["children"][-1]["onClickAction"]
    model.turns = [says("Published."), says("Fine.")]
    events = await chat.act(card, button["type"], button["payload"])
    assert [e["data"] for e in events if e["type"] == "client_effect"] == [{"place": "Bern"}]
    assert texts(events) == ["Published.", "Fine."]
    assert results_in(model.requests[-1])[0] == "Published in Bern."


async def test_an_unsupported_model_of_a_workflow_is_refused_with_a_reason(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    composer = Composer(models=[{"id": "big", "label": "Big"}])  # type: ignore[list-item]
    chat.server.use_case = UseCase(name="test", title="Test", server=chat.server, composer=composer)
    events = await chat.send("Write", inference_options={"model": "big"})
    [error] = errors(events)
    assert error["message"].startswith("This assistant cannot answer with the model or tool that was chosen.")
    assert not error["allow_retry"]
    assert "use case 'test': the run of a WorkflowAgent takes no options" in caplog.text


async def test_a_workflow_answers_only_once(
    chat: Chat, server: WorkflowServer, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    shared = writer_and_reviewer(server)
    server.make = lambda server: shared
    model.turns = [says("Draft."), says("Fine.")]
    await chat.send("My secret")
    events = await Chat(server, user="user_b").send("Hello")
    assert errors(events)[0]["message"].startswith("This assistant cannot answer at the moment.")
    assert "use case 'test': a workflow answers once; build it anew in get_agent" in caplog.text
    assert len(model.requests) == 2


class Switchboard(Executor):
    """Hands over: the clerk's call of a tool chooses who answers; then the workflow waits for the person."""

    def __init__(self, question: Any) -> None:
        super().__init__(id="switchboard")
        self.question = question

    @handler
    async def choose(self, response: AgentExecutorResponse, ctx: WorkflowContext[AgentExecutorResponse]) -> None:
        """Let the expert answer what the clerk does not; then ask for more."""
        if response.executor_id == "clerk":
            await ctx.send_message(response, target_id="expert")
        else:
            await ctx.request_info(self.question, str)

    @response_handler
    async def go_on(self, original_request: object, response: str, ctx: WorkflowContext[AgentExecutorResponse]) -> None:
        """Never comes: each answer begins anew."""


def build_handover(server: WorkflowServer, question: Any) -> WorkflowAgent:
    clerk = Agent(server.chat_client, name="clerk", tools=[look])
    expert = Agent(server.chat_client, name="expert")
    board = Switchboard(question)
    builder = WorkflowBuilder(start_executor=clerk, output_from=[clerk, expert])
    return builder.add_edge(clerk, board).add_edge(board, expert).add_edge(expert, board).build().as_agent()


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ({"any": "data"}, ["It rains."]),
        ("Which town?", ["It rains.", "Which town?"]),
        (Content.from_text("Which town?"), ["It rains.", "Which town?"]),
    ],
)
async def test_a_workflow_that_wants_to_know_more_ends_with_what_it_says(
    chat: Chat, server: WorkflowServer, model: ScriptedModel, question: Any, shown: list[str]
) -> None:
    server.make = lambda server: build_handover(server, question)
    model.turns = [calls("look", place="Bern"), says("Over.", message_id="m2"), says("It rains.")]
    events = await chat.send("Weather?")
    assert texts(events) == ["Over.", *shown]
    assert [i["type"] for i in done_items(events)].count("workflow") == 1
    model.turns = [says("Over again."), says("It rains there too.")]
    events = await chat.send("In Basel?")
    assert texts(events)[:2] == ["Over again.", "It rains there too."]
    assert [m.text for m in model.requests[-1] if m.text][:2] == ["Weather?", "Over."]


def usage_of(tokens: int, response_id: str | None = None) -> list[Any]:
    return gives(Content.from_usage({"total_token_count": tokens}, merge_mode="replace"), response_id=response_id)


async def total_of(chat: Chat) -> int:
    [run] = await chat.server.store.load_runs(chat.thread_id or "", 5, chat.context())
    return int(run.usage["total_token_count"])


async def test_the_usage_of_a_workflows_agents_is_summed(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [
        [*calls("look", place="Bern"), *usage_of(10, "r1")],
        [*says("Draft."), *usage_of(20, "r2")],
        [*says("Fine."), *usage_of(3, "r3")],
    ]
    await chat.send("Write")
    assert await total_of(chat) == 10 + 20 + 3


@pytest.mark.parametrize(("again", "total"), [(7, 5 + 7), (2, 5 + 2)])
async def test_an_agent_that_runs_twice_costs_twice(
    chat: Chat, server: WorkflowServer, model: ScriptedModel, again: int, total: int
) -> None:
    def make(server: WorkflowServer) -> Any:
        first, second = Agent(model, name="writer"), Agent(model, name="writer")
        one, two = AgentExecutor(first, id="one"), AgentExecutor(second, id="two")
        return WorkflowBuilder(start_executor=one, output_from=[one, two]).add_edge(one, two).build().as_agent()

    server.make = make
    model.turns = [[*says("Draft."), *usage_of(5, "r1")], [*says("Fine.", message_id="m2"), *usage_of(again, "r2")]]
    await chat.send("Write")
    assert await total_of(chat) == total


async def test_a_workflow_itself_answers_like_its_agent(
    chat: Chat, server: WorkflowServer, model: ScriptedModel
) -> None:
    def make(server: WorkflowServer) -> Any:
        writer = Agent(server.chat_client, name="writer")
        return WorkflowBuilder(start_executor=writer, output_from=[writer]).build()

    server.make = make
    model.turns = [says("One."), says("Two.")]
    assert texts(await chat.send("First")) == ["One."]
    assert texts(await chat.send("Second")) == ["Two."]
