"""Everything in an answer but plain text: thoughts, tools, pictures, files, usage."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agent_framework import Agent, Content, FunctionInvocationContext, FunctionTool, tool
from chatkit.types import (
    StructuredInputFreeform,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
)

from base_server import BaseChatKitServer, action
from context import ActionTurn, Services, Turn, turn_of
from framework.sentences import LIMIT_REACHED
from streaming.answers.update_converter import LIMIT_TEXT
from tests.unit.harness import Chat, done_items, errors, texts, updates
from tests.unit.scripted_model import ScriptedModel, calls, gives, says
from turns.answer_texts import AnswerTexts

pytestmark = pytest.mark.usefixtures("text_path")


@tool
async def ask_size(ctx: FunctionInvocationContext) -> str:
    """Ask for the size."""
    options = [StructuredInputMultipleChoiceOption(value=size) for size in ("S", "M")]
    return turn_of(ctx).ask(
        StructuredInputMultipleChoice(id="size", question="Which size?", options=options),
        StructuredInputFreeform(id="note", question="Anything else?"),
    )


@tool(additional_properties={"timeout_s": 0.05})
async def sleep_long() -> str:
    """Take too long."""
    await asyncio.sleep(60)
    return "never"


read_page = FunctionTool(
    name="read_page",
    description="Read the page.",
    input_model={"type": "object", "properties": {"part": {"type": "string"}}},
)


class ViewServer(BaseChatKitServer):
    hooks = 0

    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, tools=[ask_size, sleep_long, read_page])

    async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
        self.hooks += 1

    @action("view.go_on", needs_widget=False)
    async def go_on(self, turn: ActionTurn) -> None:
        turn.resume()

    @action("view.ask", needs_widget=False)
    async def ask(self, turn: ActionTurn) -> None:
        turn.ask(StructuredInputFreeform(id="name", question="Who are you?"))


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(ViewServer(services))


def thinks(*pieces: str, key: str = "rs_1") -> list[Any]:
    return [step for piece in pieces for step in gives(Content.from_text_reasoning(id=key, text=piece))]


async def test_reasoning_is_streamed_as_thoughts_and_summed_up_by_its_duration(
    chat: Chat, model: ScriptedModel
) -> None:
    model.turns = [[*thinks("First I ", "look."), *thinks("Then I think.", key="rs_2"), *says("Done.")]]
    events = await chat.send("Think")
    [workflow] = done_items(events, "workflow")
    assert workflow["workflow"]["type"] == "reasoning"
    assert [t["content"] for t in workflow["workflow"]["tasks"]] == ["First I look.", "Then I think."]
    assert workflow["workflow"]["summary"]["duration"] >= 1
    assert texts(events) == ["Done."]


async def test_a_whole_thought_after_its_pieces_is_not_doubled(chat: Chat, model: ScriptedModel) -> None:
    whole = gives(Content.from_text_reasoning(id="rs_1", text="Hmm.", merge_mode="replace"))
    model.turns = [[*thinks("Hm", "m."), *whole, *says("Done.")]]
    [workflow] = done_items(await chat.send("Think"), "workflow")
    assert [t["content"] for t in workflow["workflow"]["tasks"]] == ["Hmm."]


async def test_a_long_thought_costs_no_more_than_a_few_times_its_length(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [[*thinks(*["word "] * 3000), *says("Done.")]]
    events = await chat.send("Think")
    sent = sum(len(e["task"]["content"]) for e in updates(events, "workflow.task.updated"))
    assert sent < 15 * 3000 * 5


async def test_web_searches_and_files_are_tasks_with_their_sources(chat: Chat, model: ScriptedModel) -> None:
    found = {
        "action": {"query": "bern", "sources": [{"url": "https://e.x/1", "title": "One"}, {"url": "javascript:1"}]}
    }
    model.turns = [
        [
            *gives(Content.from_search_tool_call("ws_1", tool_name="web_search", arguments={"query": "bern"})),
            *gives(Content.from_search_tool_result("ws_1", tool_name="web_search", result=found)),
            *gives(Content.from_search_tool_call("fs_1", tool_name="file_search", arguments={"queries": ["rent"]})),
            *gives(
                Content.from_search_tool_result(
                    "fs_1", tool_name="file_search", result={"results": [{"filename": "lease.pdf"}]}
                )
            ),
            *says("Found."),
        ]
    ]
    [workflow] = done_items(await chat.send("Search"), "workflow")
    web, file = workflow["workflow"]["tasks"]
    assert (web["type"], web["queries"], web["status_indicator"]) == ("web_search", ["bern"], "complete")
    assert [s["url"] for s in web["sources"]] == ["https://e.x/1"]
    assert (file["type"], [s["filename"] for s in file["sources"]]) == ("file", ["lease.pdf"])
    assert workflow["workflow"]["summary"] == {"title": "2 steps"}


async def test_tools_of_the_provider_are_tasks_too(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [
        [
            *gives(Content.from_code_interpreter_tool_call(call_id="ci_1")),
            *gives(Content.from_code_interpreter_tool_result(call_id="ci_1")),
            *gives(Content.from_mcp_server_tool_call("mcp_1", "read_wiki", server_name="wiki")),
            *gives(Content.from_shell_tool_call(call_id="call_1", commands=["ls"])),
            *gives(Content.from_shell_tool_result(call_id="call_1", outputs=[])),
            *says("Ran."),
        ]
    ]
    [workflow] = done_items(await chat.send("Run"), "workflow")
    assert [(t["title"], t["status_indicator"]) for t in workflow["workflow"]["tasks"]] == [
        ("Running code", "complete"),
        ("Read wiki", "complete"),
        ("Running a command", "complete"),
    ]


async def test_citations_are_annotations_with_positions(chat: Chat, model: ScriptedModel) -> None:
    def cites(**fields: Any) -> list[Any]:
        return gives(Content.from_text("", annotations=[{"type": "citation", **fields}]), message_id="m1")

    regions = [{"type": "text_span", "start_index": 0, "end_index": 5}]
    model.turns = [
        [
            *says("Hello world"),
            *cites(url="https://e.x", title="E", annotated_regions=regions, snippet="why"),
            *cites(file_id="file_1", title="lease.pdf"),
            *cites(title="Ada", additional_properties={"entity_id": "p_1"}),
            *cites(url="javascript:alert(1)"),
        ]
    ]
    events = await chat.send("Cite")
    [message] = done_items(events, "assistant_message")
    annotations = message["content"][0]["annotations"]
    assert [(a["source"]["type"], a.get("index")) for a in annotations] == [
        ("url", 5),
        ("file", None),
        ("entity", None),
    ]
    assert annotations[0]["source"]["description"] == "why"
    assert len(updates(events, "assistant_message.content_part.annotation_added")) == 3


async def test_a_generated_image_grows_in_place(chat: Chat, model: ScriptedModel) -> None:
    def image(data: bytes, **properties: Any) -> list[Any]:
        output = Content.from_data(data, "image/png", additional_properties=properties)
        return gives(Content.from_image_generation_tool_result(image_id="ig_1", outputs=output))

    model.turns = [
        [
            *gives(Content.from_image_generation_tool_call(image_id="ig_1")),
            *image(b"half", is_partial_image=True, partial_image_index=0),
            *image(b"whole"),
            *says("There."),
        ]
    ]
    events = await chat.send("Draw")
    added = [e["item"] for e in events if e["type"] == "thread.item.added" and e["item"]["type"] == "generated_image"]
    [done] = done_items(events, "generated_image")
    assert "image" not in added[0]
    assert updates(events, "generated_image.updated")[0]["progress"] == 0.5
    assert done["id"] == added[0]["id"]
    assert done["image"]["url"] != updates(events, "generated_image.updated")[0]["image"]["url"]


async def test_a_client_tool_is_called_last_and_its_output_resumes_the_answer(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [[*says("One moment."), *calls("read_page", part="title")], says("It says Hello.", message_id="m2")]
    events = await chat.send("What is on the page?")
    call = done_items(events)[-1]
    assert (call["type"], call["status"], call["name"], call["arguments"]) == (
        "client_tool_call", "pending", "read_page", {"part": "title"},
    )  # fmt: skip
    assert chat.server.hooks == 0, "the answer is not whole yet"  # type: ignore[attr-defined]
    events = await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"title": "Hello"})
    assert texts(events) == ["It says Hello."]
    contents = [(m.role, c.type) for m in model.requests[1] for c in m.contents]
    assert contents[-2:] == [("assistant", "function_call"), ("tool", "function_result")]
    assert chat.server.hooks == 1  # type: ignore[attr-defined]


async def test_a_tool_may_ask_and_the_answer_continues_with_the_reply(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("ask_size"), says("M it is.", message_id="m2")]
    events = await chat.send("Order a shirt")
    question = done_items(events)[-1]
    assert (question["type"], question["status"]) == ("structured_input", "pending")
    assert len(model.requests) == 1, "the model waits"
    answers = {"size": {"values": ["M"], "skipped": False}}
    events = await chat.request(
        "threads.add_structured_input",
        thread_id=chat.thread_id,
        item_id=question["id"],
        input={"status": "answered", "answers": answers},
    )
    assert [e["item"]["status"] for e in events if e["type"] == "thread.item.replaced"] == ["answered"]
    assert texts(events) == ["M it is."]
    assert "M" in model.requests[1][-1].text


async def test_a_tool_that_takes_too_long_is_stopped_and_the_model_knows(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [calls("sleep_long"), says("It took too long.", message_id="m2")]
    events = await chat.send("Sleep")
    assert updates(events, "workflow.task.updated")[-1]["task"]["content"] == "This step failed."
    [result] = [c.result for m in model.requests[1] for c in m.contents if c.type == "function_result"]
    assert "longer than 0.05 seconds" in result


async def test_the_frameworks_fixed_sentence_is_ours(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [says(LIMIT_REACHED)]
    assert texts(await chat.send("Go")) == [LIMIT_TEXT]


async def test_a_use_case_says_in_the_persons_language_that_the_steps_are_used_up(
    services: Services, model: ScriptedModel
) -> None:
    class Polyglot(ViewServer):
        def limit_message(self, turn: Turn) -> str:
            return "Hier höre ich auf." if turn.locale == "de-CH" else super().limit_message(turn)

    said = []
    for locale in ("de-CH", "en"):
        chat = Chat(Polyglot(services), locale=locale)
        model.turns = [[*says("Look."), *says(LIMIT_REACHED, message_id="m2")]]
        said.append(texts(await chat.send("Go")))
        assert (await chat.items())[-1]["content"][0]["text"] == said[-1][-1]
    assert said == [["Look.", "Hier höre ich auf."], ["Look.", LIMIT_TEXT]]


async def test_a_use_case_says_in_the_persons_language_what_the_platform_says(
    services: Services, model: ScriptedModel
) -> None:
    class Polyglot(ViewServer):
        def texts(self, turn: Turn) -> AnswerTexts:
            if turn.locale != "de-CH":
                return super().texts(turn)
            return AnswerTexts(
                limit="Schluss.", step_failed="Ging nicht.", steps="{count} Schritte", web_search="Suche"
            )

    chat = Chat(Polyglot(services), locale="de-CH")
    search = gives(Content.from_search_tool_call("ws_1", tool_name="web_search", arguments={"query": "bern"}))
    model.turns = [[*search, *calls("sleep_long")], says(LIMIT_REACHED, message_id="m2")]
    events = await chat.send("Go")
    [workflow] = done_items(events, "workflow")
    assert workflow["workflow"]["summary"]["title"] == "2 Schritte"
    assert [(t["title"], t.get("content")) for t in workflow["workflow"]["tasks"]] == [
        ("Suche", None),
        ("Sleep long", "Ging nicht."),
    ]
    assert texts(events) == ["Schluss."]


def test_the_sentence_is_still_the_frameworks() -> None:
    from agent_framework import _tools

    assert _tools._FUNCTION_INVOCATION_LIMIT_FALLBACK_TEXT == LIMIT_REACHED


async def test_an_action_may_let_the_agent_continue(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [says("One."), says("Two.")]
    await chat.send("Count")
    assert texts(await chat.act(None, "view.go_on")) == ["Two."]


async def answered(chat: Chat, events: list[dict[str, Any]]) -> list[str]:
    """Answer the question that is asked last; return what is said then."""
    question = done_items(events)[-1]
    assert (question["type"], question["status"]) == ("structured_input", "pending")
    given = {"status": "answered", "answers": {question["inputs"][0]["id"]: {"values": ["Ada"], "skipped": False}}}
    return texts(
        await chat.request(
            "threads.add_structured_input", thread_id=chat.thread_id, item_id=question["id"], input=given
        )
    )


async def test_an_action_may_ask_and_the_agent_answers_the_reply(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [says("Hello."), says("Hello, Ada.", message_id="m2")]
    await chat.send("Hello")
    assert await answered(chat, await chat.act(None, "view.ask")) == ["Hello, Ada."]
    assert "Ada" in model.requests[-1][-1].text


async def test_an_action_without_a_stream_cannot_ask_and_says_so(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [says("Hello.")]
    await chat.send("Hello")
    with pytest.raises(ValueError, match="streamed action"):
        await chat.act(None, "view.ask", sync=True)
    assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message"]


async def test_the_hook_may_ask_and_the_agent_answers_the_reply(services: Services, model: ScriptedModel) -> None:
    class Curious(ViewServer):
        async def post_respond_hook(self, thread: Any, turn: Turn) -> None:
            if turn.user_message is not None:
                turn.ask(StructuredInputFreeform(id="name", question="Who are you?"))

    chat = Chat(Curious(services))
    model.turns = [says("Hello."), says("Hello, Ada.", message_id="m2")]
    assert await answered(chat, await chat.send("Hello")) == ["Hello, Ada."]


async def test_an_error_content_ends_the_answer_with_a_retry_hint(chat: Chat, model: ScriptedModel) -> None:
    model.turns = [[*says("Half"), *gives(Content.from_error(message="secret detail"))]]
    events = await chat.send("Go")
    [error] = errors(events)
    assert "secret" not in error["message"]
    assert error["allow_retry"] is True
    assert texts(events) == ["Half"]
