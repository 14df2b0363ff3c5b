from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Agent
from chatkit.types import (
    ClientToolCallItem,
    ClosedStatus,
    LockedStatus,
    Page,
    StructuredInputFreeform,
    StructuredInputItem,
    Thread,
    WidgetItem,
)

from base_server import BaseChatKitServer
from context import Turn
from errors import BadRequestError, ConflictError, NotFoundError, UnavailableError, UserFacingError
from plugins import Composer, UseCase
from tests.unit.harness import Chat, done_items, texts, user_input
from tests.unit.scripted_model import ScriptedModel, says
from tests.unit.services_for_tests import open_services
from turns.clock import utc_now
from widgets.documents import widget_root


class EchoServer(BaseChatKitServer):
    def get_agent(self, turn: Turn) -> Agent[Any]:
        return Agent(self.chat_client)


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    async with open_services(tmp_path, ScriptedModel(), settings={"max_message_chars": 1000}) as services:
        server = EchoServer(services)
        server.use_case = UseCase(
            name="test", title="Test", server=server, composer=Composer(models=[{"id": "big", "label": "Big"}])
        )
        yield Chat(server)


def tag(**values: Any) -> dict[str, Any]:
    return {"type": "input_tag", "id": "e1", "text": "ACME", "data": {}, **values}


MALFORMED = [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b'{"type": "threads.explode", "params": {}}', "no known 'type'"),
    (b'{"params": {}}', "no known 'type'"),
    (b'{"type": "threads.get_by_id", "params": {}}', "thread_id"),
    (b"[]", "malformed|type"),
]


@pytest.mark.parametrize(("body", "words"), MALFORMED)
async def test_a_malformed_request_is_explained(chat: Chat, body: bytes, words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        await chat.server.handle(body, chat.context())


async def test_a_missing_attachment_leaves_no_thread_behind(chat: Chat) -> None:
    with pytest.raises(NotFoundError):
        await chat.request("threads.create", input={**user_input("Hi"), "attachments": ["atc_missing"]})
    assert (await chat.request("threads.list"))["data"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"content": [{"type": "input_text", "text": "x" * 1001}]},
        {"content": [{"type": "input_text", "text": "  \n"}]},
        {"content": []},
        {"content": [{"type": "input_text", "text": "\u200b\u2060 \u202e\ufeff\u3164"}]},
        {"content": [{"type": "input_text", "text": ""}] * 1001},
        {"content": [tag(id="i" * 1001)]},
        {"content": [tag(text="t" * 1001)]},
        {"content": [tag(group="g" * 1001)]},
        {"content": [tag(data={"d": "d" * 1001})]},
        {"content": [tag(data={"d" * 1001: 1})]},
        {"content": [tag(data={"d": [[n] for n in range(400)]})]},
        {"content": [tag(data={"a": "a" * 200}) for _ in range(6)]},
        {"content": [tag(id='"' * 200)]},
        {"content": [tag(id="", text="")] * 40},
        {"quoted_text": "q" * 1000},
        {"quoted_text": "&" * 250},
        {"attachments": ["a", "a"]},
        {"inference_options": {"model": "huge"}},
        {"inference_options": {"tool_choice": {"id": "shell"}}},
    ],
)
async def test_input_over_a_limit_is_refused_before_anything_is_stored(chat: Chat, params: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError):
        await chat.request("threads.create", input={**user_input("Hi"), **params})
    assert (await chat.request("threads.list"))["data"] == []


async def test_an_offered_model_reaches_the_run(chat: Chat) -> None:
    await chat.send("Hi", inference_options={"model": "big"})
    assert chat.server.chat_client.options[-1]["model"] == "big"  # type: ignore[attr-defined]


@pytest.mark.parametrize("operation", ["threads.get_by_id", "items.list", "threads.update", "threads.delete"])
async def test_another_users_thread_reads_as_missing(chat: Chat, operation: str) -> None:
    await chat.send("Mine")
    for stranger in (Chat(chat.server, user="user_b"), Chat(chat.server, use_case="other")):
        title = {"title": "Stolen"} if operation == "threads.update" else {}
        with pytest.raises(NotFoundError):
            await stranger.request(operation, thread_id=chat.thread_id, **title)
    thread = await chat.request("threads.get_by_id", thread_id=chat.thread_id)
    assert thread["title"] == "Mine"
    assert len(thread["items"]["data"]) == 2


async def test_retry_drops_what_came_after_and_answers_again(chat: Chat) -> None:
    model = chat.server.chat_client
    model.turns = [says("One"), says("Two"), says("Better")]  # type: ignore[attr-defined]
    await chat.send("First")
    await chat.send("Second")
    first = (await chat.items())[0]
    events = await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id=first["id"])
    assert texts(events) == ["Better"]
    assert [i["type"] for i in await chat.items()] == ["user_message", "assistant_message"]
    with pytest.raises(NotFoundError):
        await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id="msg_unknown")
    answer = (await chat.items())[1]
    with pytest.raises(BadRequestError):
        await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id=answer["id"])


@pytest.mark.parametrize("status", [LockedStatus(reason="Being reviewed"), ClosedStatus()])
async def test_a_locked_or_closed_thread_is_read_only(chat: Chat, status: LockedStatus | ClosedStatus) -> None:
    await chat.send("Hello")
    context = chat.context()
    thread = await chat.server.store.load_thread(chat.thread_id or "", context=context)
    thread.status = status
    await chat.server.store.save_thread(thread, context=context)
    question = StructuredInputItem(
        id="question", thread_id=thread.id, created_at=utc_now(), inputs=[StructuredInputFreeform(id="n", question="?")]
    )
    await chat.server.store.add_thread_item(thread.id, question, context)
    items = await chat.items()
    with pytest.raises(ConflictError):
        await chat.send("More")
    skipped = {"status": "skipped", "answers": {}}
    with pytest.raises(ConflictError):
        await chat.request("threads.add_structured_input", thread_id=thread.id, item_id="question", input=skipped)
    with pytest.raises(ConflictError):
        await chat.request("threads.update", thread_id=thread.id, title="Mine")
    with pytest.raises(ConflictError):
        await chat.request("items.feedback", thread_id=thread.id, item_ids=[items[1]["id"]], kind="positive")
    with pytest.raises(ConflictError):
        await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id=items[0]["id"])
    for is_sync in (False, True):
        with pytest.raises(ConflictError):
            await chat.act(None, "x.y", sync=is_sync)
    with pytest.raises(ConflictError):
        await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={})
    assert await chat.items() == items
    shown = await chat.request("threads.get_by_id", thread_id=thread.id)
    assert (shown["title"], "feedback" in shown) == ("Hello", False)
    await chat.request("threads.delete", thread_id=thread.id)
    assert (await chat.request("threads.list"))["data"] == [], "what is theirs, people may remove"


async def test_an_output_that_no_tool_call_waits_for_is_refused(chat: Chat) -> None:
    await chat.send("Hello")
    with pytest.raises(ConflictError):
        await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={})


async def test_a_waiting_tool_call_gets_its_output_whatever_follows_it(chat: Chat) -> None:
    await chat.send("Hello")
    store, context, thread_id = chat.server.services.store, chat.context(), chat.thread_id or ""
    for n in (1, 2):
        ids: dict[str, Any] = {"id": f"tc_{n}", "thread_id": thread_id, "created_at": utc_now()}
        await store.add_thread_item(
            thread_id, ClientToolCallItem(**ids, call_id=f"call_{n}", name="n", arguments={}), context
        )
    widget = WidgetItem(id="w", thread_id=thread_id, created_at=utc_now(), widget=widget_root({"type": "Card"}))
    await store.add_thread_item(thread_id, widget, context)
    assert texts(await chat.request("threads.add_client_tool_output", thread_id=thread_id, result={"n": 2}))
    page = await store.load_thread_items(thread_id, None, 100, "asc", context)
    outputs = {item.id: item.output for item in page.data if isinstance(item, ClientToolCallItem)}
    assert outputs == {"tc_1": None, "tc_2": {"n": 2}}, "the newest that waits"


async def test_titles_are_trimmed_and_bounded(chat: Chat) -> None:
    await chat.send("Hello")
    renamed = await chat.request("threads.update", thread_id=chat.thread_id, title="  A \n B ")
    assert renamed["title"] == "A B"
    turned = await chat.request("threads.update", thread_id=chat.thread_id, title="\u202egpj\x1b[31m.a\u200b \u2066b")
    assert turned["title"] == "gpj[31m.a b"
    for title in ("", "  ", "x" * 201, "\u200b\u202e", "\u3164\u2800"):
        with pytest.raises(BadRequestError):
            await chat.request("threads.update", thread_id=chat.thread_id, title=title)


async def test_a_first_title_shows_all_that_it_holds(chat: Chat) -> None:
    await chat.send("\u200b\n\u202eHel\u200blo\x1b[2J\nmore")
    assert (await chat.request("threads.list"))["data"][0]["title"] == "Hello[2J"


async def test_times_are_aware(chat: Chat) -> None:
    events = await chat.send("Hello")
    for item in done_items(events):
        assert item["created_at"].endswith("Z"), item["type"]
    assert events[0]["thread"]["created_at"].endswith("Z")


async def test_unsupported_dictation_and_uploads_say_so(chat: Chat) -> None:
    with pytest.raises(UnavailableError, match="Dictation"):
        await chat.request("input.transcribe", audio_base64="AAAA", mime_type="audio/webm")
    for wrong in ("A", "é", "AAA=\u00e9", "\u0660", "AAAA\n!"):
        with pytest.raises(BadRequestError, match="base64"):
            await chat.request("input.transcribe", audio_base64=wrong, mime_type="audio/webm")
    with pytest.raises(UserFacingError):
        await chat.request("attachments.create", name="a.png", size=3, mime_type="image/png")
    with pytest.raises(BadRequestError):
        await chat.request("attachments.create", name="a.png", size=-3, mime_type="image/png")


async def test_the_next_turn_sees_the_earlier_messages(chat: Chat) -> None:
    await chat.send("First")
    await chat.send("Second")
    seen = [(m.role, m.text) for m in chat.server.chat_client.requests[-1]]  # type: ignore[attr-defined]
    assert [role for role, _ in seen] == ["user", "assistant", "user"]
    assert seen[-1] == ("user", "Second")


async def test_chatkits_own_process_answers_too(chat: Chat) -> None:
    from chatkit.server import NonStreamingResult, StreamingResult

    create = json.dumps({"type": "threads.create", "params": {"input": user_input("Hi")}})
    streamed = await chat.server.process(create, chat.context())
    assert isinstance(streamed, StreamingResult)
    assert b"thread.created" in b"".join([chunk async for chunk in streamed])
    listed = await chat.server.process('{"type": "threads.list", "params": {}}', chat.context())
    assert isinstance(listed, NonStreamingResult)
    assert len(json.loads(listed.json)["data"]) == 1


async def test_a_tag_is_sent_with_its_id_and_escaped(chat: Chat) -> None:
    tag = {"type": "input_tag", "id": 'e"1', "text": "<b>ACME</b>", "data": {}}
    await chat.request("threads.create", input={**user_input("See "), "content": [tag]})
    text = chat.server.chat_client.requests[-1][-1].text  # type: ignore[attr-defined]
    assert text == '<mention id="e&quot;1">&lt;b&gt;ACME&lt;/b&gt;</mention>'


@pytest.mark.parametrize("status", [None, LockedStatus(reason="Full."), ClosedStatus()])
async def test_a_thread_is_shown_as_chatkit_itself_would_show_it(chat: Chat, status: Any) -> None:
    await chat.send("Hi")
    store, context, thread_id = chat.server.services.store, chat.context(), str(chat.thread_id)
    thread = await store.load_thread(thread_id, context)
    thread.metadata["secret"] = "the server's own"
    thread.allowed_image_domains = ["a.example"] if status else None
    thread.status = status or thread.status
    await store.save_thread(thread, context)
    items = await store.load_thread_items(thread_id, None, 20, "asc", context)
    whole = Thread(**thread.model_dump(), items=Page(data=items.data))
    expected = chat.server._serialize(chat.server._to_thread_response(whole))
    shown = await chat.request("threads.get_by_id", thread_id=thread_id)
    assert shown == json.loads(expected)
    assert "secret" not in expected.decode()
