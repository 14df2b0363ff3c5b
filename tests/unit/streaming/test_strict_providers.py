"""Conversations with servers as strict as the real ones: none becomes unusable."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent, ChatContext, Content, FunctionTool, MCPStdioTool, Message, chat_middleware, tool

from base_server import BaseChatKitServer
from context import AnswerTexts, Services, Turn
from tests.preloaded.commands import preloaded_python
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.provider_stub import Answer, ProviderStub, Received, error
from tests.unit.provider_stub import Chat as Wire
from tests.unit.services_for_tests import open_services_with_provider
from tests.unit.strict_history import MISTRAL_ID, RefusedError, check_completions

SIGNATURE = {"google": {"thought_signature": "c2lnbmVk"}}


@tool(additional_properties={"title": "Look it up"})
async def look(city: str) -> str:
    """Look at the sky."""
    return f"Rain in {city}."


@tool(name="read.item")
async def read_item(key: str) -> str:
    """Read an item."""
    return f"Item {key}."


ask_page = FunctionTool(name="ask_page", func=None, description="Ask the page.", input_model={"type": "object"})


class LookServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client, "Be short.", tools=[look, read_item, ask_page])


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProviderStub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ProviderStub() as running:
        running.refuses = strict_server()
        yield running


@pytest.fixture
async def services(tmp_path: Path, stub: ProviderStub) -> AsyncIterator[Services]:
    async with open_services_with_provider(stub, Wire, tmp_path) as opened:
        yield opened


@pytest.fixture
def chat(services: Services) -> Chat:
    return Chat(LookServer(services))


def strict_server(*own: str, check: Any = None) -> Any:
    """A server that refuses what any server refuses; `own` members it knows, and `check` says what else it wants."""

    def refuse(request: Received) -> Answer | None:
        try:
            check_completions(request.body["messages"], own=frozenset(own))
            if check is not None:
                check(request.body["messages"])
        except RefusedError as exc:
            return error(400, str(exc))
        return None

    return refuse


def calls_in(messages: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for message in messages:
        for call in message.get("tool_calls", ()):
            yield message, call


def answer_with_calls(*calls: dict[str, Any], finish: str = "tool_calls", **beside: Any) -> Answer:
    delta = {"role": "assistant", "content": None, **beside, "tool_calls": list(calls)}
    return Answer(
        200,
        {"content-type": "text/event-stream"},
        (Wire.chunk(delta), Wire.chunk({}, finish), b"data: [DONE]\n\n"),
    )


def call(call_id: str | None, name: str = "look", index: int = 0, **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps({"city": "Bern"} if name != "read_item" else {"key": "7"})}
    return {"index": index, **({"id": call_id} if call_id else {}), "type": "function", "function": function, **more}


async def ask(chat: Chat, text: str) -> str:
    events = await chat.send(text)
    assert not errors(events), errors(events)
    return "".join(texts(events))


async def test_a_turn_that_ended_with_its_tools_does_not_lock_the_conversation(chat: Chat, stub: ProviderStub) -> None:
    stub.will(
        answer_with_calls(call("abcDEF123")), error(500, "no", headers={"x-should-retry": "false"}), Wire.text("Rain.")
    )
    assert errors(await chat.send("Rain?"))
    assert await ask(chat, "And now?") == "Rain."
    roles = [message["role"] for message in stub.requests[-1].body["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert len(stub.requests) == 3


async def test_a_plain_chat_continues_beyond_the_items_that_are_sent(chat: Chat, stub: ProviderStub) -> None:
    stub.will_always(Wire.text("Yes."))
    for number in range(33):
        assert await ask(chat, f"Question {number}?") == "Yes."
    first = stub.requests[-1].body["messages"][1]
    assert (first["role"], first["content"]) == ("user", "Question 3?")


async def test_ids_of_calls_that_the_server_leaves_out_are_nine_letters_and_digits(
    chat: Chat, stub: ProviderStub
) -> None:
    stub.will(answer_with_calls(call(None), call("", index=1)), Wire.text("Rain."))
    assert await ask(chat, "Rain?") == "Rain."
    ids = [each["id"] for _, each in calls_in(stub.requests[-1].body["messages"])]
    assert len(set(ids)) == 2
    assert all(MISTRAL_ID.fullmatch(each) for each in ids)


async def test_mistral_takes_a_conversation_that_another_model_began(chat: Chat, stub: ProviderStub) -> None:
    stub.will(answer_with_calls(call("call_from-elsewhere_1")), Wire.text("Rain."), Wire.text("Dry."))
    assert await ask(chat, "Rain?") == "Rain."

    def check(messages: list[dict[str, Any]]) -> None:
        if not all(MISTRAL_ID.fullmatch(each["id"]) for _, each in calls_in(messages)):
            raise RefusedError("Tool call id has to be defined in a-z, A-Z, 0-9, with a length of 9")

    stub.refuses = strict_server(check=check)
    assert await ask(chat, "And tomorrow?") == "Dry."
    assert len(stub.requests) == 3


async def test_gemini_gets_its_signatures_back_within_the_turn_and_later(chat: Chat, stub: ProviderStub) -> None:
    def check(messages: list[dict[str, Any]]) -> None:
        for message, each in calls_in(messages):
            if each is message["tool_calls"][0] and each.get("extra_content") != SIGNATURE:
                raise RefusedError("Function call is missing a thought_signature in functionCall parts.")

    stub.refuses = strict_server(check=check)
    signed = call("function-call-1", extra_content=SIGNATURE)
    again = call("function-call-3", extra_content=SIGNATURE)
    stub.will(
        answer_with_calls(signed, call("function-call-2", index=1)),
        answer_with_calls(again),
        Wire.text("Rain."),
        Wire.text("Dry."),
    )
    assert await ask(chat, "Rain?") == "Rain."
    assert await ask(chat, "And tomorrow?") == "Dry."
    assert len(stub.requests) == 4


async def test_kimi_gets_its_thoughts_back_beside_the_calls_within_the_turn_and_later(
    chat: Chat, stub: ProviderStub
) -> None:
    def check(messages: list[dict[str, Any]]) -> None:
        for message, each in calls_in(messages):
            if not message.get("reasoning_content"):
                raise RefusedError(
                    "thinking is enabled but reasoning_content is missing in assistant tool call message"
                )
            if not each["id"].startswith("functions.look:"):
                raise RefusedError("tool_call_id is not found")

    stub.refuses = strict_server("reasoning_content", check=check)
    first = answer_with_calls(call("functions.look:0"), reasoning_content="Let me see.")
    second = answer_with_calls(call("functions.look:1"), reasoning_content="And again.")
    stub.will(first, second, Wire.text("Rain."), Wire.text("Dry."))
    assert await ask(chat, "Rain?") == "Rain."
    assert await ask(chat, "And tomorrow?") == "Dry."
    thoughts = [message["reasoning_content"] for message, _ in calls_in(stub.requests[-1].body["messages"])]
    assert thoughts == ["Let me see.", "And again."]
    assert len(stub.requests) == 4


async def test_unknown_members_are_sent_back_unchanged(chat: Chat, stub: ProviderStub) -> None:
    beside = {"reasoning_details": [{"type": "reasoning.encrypted", "data": "c2Vj"}], "thinking_blocks": [{"sig": 1}]}
    stub.refuses = strict_server(*beside)
    odd = call("abcDEF123", x_token={"a": [1]})
    odd["function"]["strict"] = True
    stub.will(answer_with_calls(odd, **beside), Wire.text("Rain."), Wire.text("Dry."))
    assert await ask(chat, "Rain?") == "Rain."
    assert await ask(chat, "And tomorrow?") == "Dry."
    for request in stub.requests[1:]:
        [(message, sent)] = calls_in(request.body["messages"])
        assert (sent["x_token"], sent["function"]["strict"]) == ({"a": [1]}, True)
        assert {name: message[name] for name in beside} == beside
    assert len(stub.requests) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "'messages.2' : for 'role:assistant' the following must be satisfied: 'reasoning' is unsupported"),
        error(422, "messages.2.tool_calls.0.x_token: Extra inputs are not permitted"),
        error(400, "Bad request"),
    ],
)
async def test_members_that_a_server_gives_and_does_not_take_cost_no_call(
    chat: Chat, stub: ProviderStub, refusal: Answer
) -> None:
    strict = strict_server()  # which knows none of them

    def refuse(request: Received) -> Answer | None:
        told = json.dumps(request.body["messages"])
        return refusal if "x_token" in told or '"reasoning"' in told else strict(request)

    stub.refuses = refuse
    stub.will(answer_with_calls(call("abcDEF123", x_token="a"), reasoning="Hm."), Wire.text("Rain."), Wire.text("Dry."))
    assert await ask(chat, "Rain?") == "Rain."
    assert await ask(chat, "And tomorrow?") == "Dry."
    assert len(list(calls_in(stub.requests[-1].body["messages"]))) == 1, "it is told as a call, not in words"


async def test_data_that_is_wanted_back_with_a_client_tool_call_is_kept(chat: Chat, stub: ProviderStub) -> None:
    stub.will(answer_with_calls(call("abcDEF123", "ask_page", extra_content=SIGNATURE)), Wire.text("Bern."))
    [asked] = done_items(await chat.send("Where?"), "client_tool_call")
    assert asked["name"] == "ask_page"
    events = await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"city": "Bern"})
    assert texts(events) == ["Bern."]
    [(_, sent)] = calls_in(stub.requests[-1].body["messages"])
    assert sent["extra_content"] == SIGNATURE
    assert "extra_content" not in json.dumps(await chat.items())


@pytest.mark.parametrize(
    "name",
    [
        "look<|channel|>commentary",
        "functions.look",
        " look ",
        "default_api.look",
        "look[ARGS]",
        "Look",
        "functions__look",
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>look",
        'look(city="Bern")',
        "functions.look:0",
        "\n`look`\n",
    ],
)
async def test_a_tool_is_found_under_the_names_that_models_give_it(chat: Chat, stub: ProviderStub, name: str) -> None:
    stub.will(answer_with_calls(call("abcDEF123", name)), Wire.text("Rain."))
    events = await chat.send("Rain?")
    [workflow] = done_items(events, "workflow")
    assert [task["title"] for task in workflow["workflow"]["tasks"]] == ["Look it up"]
    [(_, sent)] = calls_in(stub.requests[-1].body["messages"])
    assert sent["function"]["name"] == "look"
    assert stub.requests[-1].body["messages"][-1]["content"] == "Rain in Bern."


async def test_a_tool_whose_name_servers_refuse_is_offered_under_another_and_run(
    chat: Chat, stub: ProviderStub
) -> None:
    stub.will(answer_with_calls(call("abcDEF123", "read_item")), Wire.text("Seven."), Wire.text("Yes."))
    assert await ask(chat, "Read 7") == "Seven."
    assert [each["function"]["name"] for each in stub.requests[0].body["tools"]][1] == "read_item"
    assert stub.requests[1].body["messages"][-1]["content"] == "Item 7."
    assert await ask(chat, "Sure?") == "Yes."
    assert [each["function"]["name"] for _, each in calls_in(stub.requests[-1].body["messages"])] == ["read_item"]


async def test_a_tool_of_an_mcp_server_is_offered_and_run_under_a_name_that_servers_take(
    chat: Chat, stub: ProviderStub, tmp_path: Path
) -> None:
    script = Path(__file__).parents[1] / "mcp_server.py"
    command, *arguments = preloaded_python(str(script), str(tmp_path / "calls"), "stdio")
    shelf = MCPStdioTool("shelf", command, args=arguments)

    class ShelfServer(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Agent[Any]:
            return Agent(self.chat_client, tools=[shelf])

    stub.will(answer_with_calls(call("abcDEF123", "read_item")), Wire.text("Seven."), Wire.text("Yes."))
    asking = Chat(ShelfServer(chat.server.services))
    assert await ask(asking, "Read 7") == "Seven."
    assert "Item 7." in stub.requests[1].body["messages"][-1]["content"]
    assert await ask(asking, "Sure?") == "Yes."
    assert [each["function"]["name"] for _, each in calls_in(stub.requests[-1].body["messages"])] == ["read_item"]
    await shelf.close()


@pytest.mark.parametrize("name", ["größe<|x|>!", "I will look it up now", "n" * 100, "look\ud800", "???", "查看"])
async def test_an_unknown_tool_is_never_sent_under_a_refused_name(chat: Chat, stub: ProviderStub, name: str) -> None:
    stub.will(answer_with_calls(call("abcDEF123", name)), Wire.text("Sorry."), Wire.text("Yes."))
    assert await ask(chat, "Go") == "Sorry."
    assert await ask(chat, "Sure?") == "Yes."


@pytest.mark.parametrize(
    "words", [["Hm, they ask.\n", "</th", "ink>\n\n", "Rain."], ["<think>", "Hm</think>", "Rain."]]
)
async def test_thoughts_in_the_text_are_neither_text_nor_title_nor_history(
    chat: Chat, stub: ProviderStub, words: list[str]
) -> None:
    stub.will_always(Wire.text(*words))
    for question in ("Rain?", "And now?"):
        assert await ask(chat, question) == "Rain."
    stored = [item for item in await chat.items() if item["type"] == "assistant_message"]
    assert [part["text"] for item in stored for part in item["content"]] == ["Rain.", "Rain."]
    assert "Hm" not in json.dumps(stub.requests[-1].body["messages"])


async def test_an_answer_that_turns_out_to_be_a_thought_alone_leaves_nothing(chat: Chat, stub: ProviderStub) -> None:
    stub.will(Wire.text("Hm, they ", "ask.\n", "</think>", "\n\n"), Wire.text("\n\n"), Wire.text("Rain."))
    for _ in range(2):
        [failure] = errors(await chat.send("Rain?"))
        assert failure["message"].startswith("The model gave no answer.")
    assert [item["type"] for item in await chat.items() if item["type"] == "assistant_message"] == []
    assert await ask(chat, "Rain?") == "Rain."


async def test_the_text_before_an_unknown_end_is_kept(chat: Chat, stub: ProviderStub) -> None:
    stub.will(Wire.text("It is ", "22", finish="insufficient_system_resource"))
    events = await chat.send("Rain?")
    assert texts(events) == ["It is 22"]
    assert "stopped in the middle" in errors(events)[0]["message"]


async def test_a_picture_is_refused_once_with_a_message_in_plain_words(chat: Chat, stub: ProviderStub) -> None:
    turns = AnswerTexts(no_picture="Das Bild nimmt das Modell nicht.")

    class GermanServer(LookServer):
        def texts(self, turn: Turn) -> AnswerTexts:
            return turns

        def get_agent(self, turn: Turn) -> Agent[Any]:
            return Agent(self.chat_client, middleware=[with_picture])

    def refuse(request: Received) -> Answer | None:
        if "image_url" in json.dumps(request.body):
            return error(400, "image_url is only supported by certain models")
        return None

    stub.refuses = refuse
    stub.will_always(Wire.text("Yes."))
    german = Chat(GermanServer(chat.server.services))
    assert texts(await german.send("Look")) == ["Das Bild nimmt das Modell nicht.", "Yes."]


@chat_middleware
async def with_picture(context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:
    """Ask the model as if the person had sent a picture with the message."""
    picture = Content.from_data(b"\x89PNG-bytes", "image/png")
    context.messages = [*context.messages[:-1], Message("user", [*context.messages[-1].contents, picture])]
    await call_next()


@pytest.mark.parametrize("arguments", ['{"city": "Ber', "{", "Bern", "[1]"])
@pytest.mark.parametrize("finish", ["tool_calls", "stop"])
async def test_a_cut_call_is_not_made_and_reported_to_the_model_and_locks_nothing(
    services: Services, stub: ProviderStub, arguments: str, finish: str
) -> None:
    looked: list[str] = []

    @tool(name="look")
    async def look_somewhere(city: str = "somewhere") -> str:
        """Look at the sky."""
        looked.append(city)
        return "Rain."

    class Server(BaseChatKitServer):
        def get_agent(self, turn: Turn) -> Agent[Any]:
            return Agent(self.chat_client, "Be short.", tools=[look_somewhere])

    chat = Chat(Server(services))
    cut = {**call("abcDEF123"), "function": {"name": "look", "arguments": arguments}}
    stub.will(answer_with_calls(cut, finish=finish), Wire.text("Dry."))
    [failure] = errors(await chat.send("Rain?"))
    assert "stopped in the middle" in failure["message"]
    assert await ask(chat, "And now?") == "Dry."
    assert looked == []
    [told] = [message["content"] for message in stub.requests[-1].body["messages"] if message["role"] == "tool"]
    assert "stopped before this step was done" in told
    assert len(stub.requests) == 2
