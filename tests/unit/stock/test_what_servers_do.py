"""Stock servers that misbehave, and their error messages: never silence, never another person's conversation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from chatkit.errors import CustomStreamError, StreamError
from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError
from chatkit.types import (
    ErrorCode,
    ProgressUpdateEvent,
    StreamOptions,
    SyncCustomActionResponse,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    TranscriptionResult,
    WidgetItem,
)
from chatkit.widgets import ActionConfig, Card, Form, Select
from pydantic import BaseModel

from context import Services
from errors import ActionError, UnavailableError
from stock_server import ServerContext
from tests.unit.harness import Chat, done_items, errors, texts
from tests.unit.scripted_model import ScriptedModel
from tests.unit.stock.samples import EchoServer, MemoryStore, build_list, build_message, now
from tests.waiting import until

Talk = Callable[..., Chat]


def server_class(respond: Any, **methods: Any) -> type[Any]:
    """Return a class of a server with this `respond`."""
    return type("Odd", (ChatKitServer,), {"respond": respond, **methods})


async def send_message(chat: Chat, text: str = "Hi") -> list[dict[str, Any]]:
    events = await chat.send(text)
    assert events[0]["type"] in ("thread.created", "thread.item.done")
    return events


# Events


async def test_an_answer_of_nothing_is_nothing(talk_to: Talk) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        for event in ():
            yield event

    chat = talk_to(server_class(respond))
    assert errors(await send_message(chat)) == []
    assert [item["type"] for item in await chat.items()] == ["user_message"]


async def test_a_function_that_returns_an_iterator_answers(talk_to: Talk) -> None:
    class Once:
        def __init__(self, event: Any) -> None:
            self.events = [event]

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> Any:
            if not self.events:
                raise StopAsyncIteration
            return self.events.pop()

    def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        return Once(ThreadItemDoneEvent(item=build_message(thread, "msg_1", "Hello.")))

    assert texts(await send_message(talk_to(server_class(respond)))) == ["Hello."]


def respond_with(*events: Any) -> Any:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        yield ThreadItemDoneEvent(item=build_message(thread, "msg_1", "Half."))
        for event in events:
            yield event(thread) if callable(event) else event

    return respond


@pytest.mark.parametrize(
    ("event", "advice"),
    [
        ("a text", "yielded a str"),
        (None, "yielded a NoneType"),
        ({"type": "thread.item.done"}, "yielded a dict"),
        (lambda thread: build_message(thread, "msg_2", "Forgotten."), "yield ThreadItemDoneEvent(item=…)"),
        (build_list(["milk"]), ""),
    ],
)
async def test_an_invalid_event_ends_the_answer_and_the_log_says_what_to_yield(
    talk_to: Talk, caplog: pytest.LogCaptureFixture, event: Any, advice: str
) -> None:
    chat = talk_to(server_class(respond_with(event)))
    events = await send_message(chat)
    if not advice:
        # A model with a type, which clients pass over: ChatKit lets through what it does not know.
        assert errors(events) == []
        return
    assert len(errors(events)) == 1
    assert advice in caplog.text
    assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message", "task"]


async def test_an_event_that_chatkit_does_not_know_is_passed_on(talk_to: Talk) -> None:
    class Mood(BaseModel):
        type: str = "desk.mood"
        mood: str = "good"

    events = await send_message(talk_to(server_class(respond_with(Mood()))))
    assert {"type": "desk.mood", "mood": "good"} in events


async def test_an_event_that_cannot_be_serialized_is_an_error(talk_to: Talk) -> None:
    class Odd(BaseModel):
        type: str = "desk.odd"
        what: Any = None

    events = await send_message(talk_to(server_class(respond_with(Odd(what=object())))))
    assert len(errors(events)) == 1


async def test_a_failure_before_the_first_event_is_reported_with_an_id(
    talk_to: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        raise RuntimeError("secret")
        yield

    [error] = errors(await send_message(talk_to(server_class(respond))))
    assert "err_" in error["message"]
    assert "secret" not in error["message"]
    assert "secret" in caplog.text


async def test_a_coroutine_is_refused_where_only_the_call_shows_it(
    talk_to: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    async def late(*_: Any) -> None: ...

    events = await send_message(talk_to(server_class(lambda *arguments: late(*arguments))))
    assert len(errors(events)) == 1
    assert "Odd.respond returned a coroutine, for it has no 'yield'" in caplog.text


async def test_a_server_that_would_end_the_process_ends_its_answer(
    talk_to: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        yield ProgressUpdateEvent(text="Looking")
        raise SystemExit

    assert len(errors(await send_message(talk_to(server_class(respond))))) == 1
    assert "Odd.respond called sys.exit(None)" in caplog.text


async def test_errors_for_the_person_reach_them_as_they_are(talk_to: Talk, services: Services) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        yield ProgressUpdateEvent(text="Looking")
        raise CustomStreamError("Not on Sundays.", allow_retry=False)

    chat = talk_to(server_class(respond))
    [error] = errors(await send_message(chat))
    assert (error["message"], error["allow_retry"]) == ("Not on Sundays.", False)
    [run] = await services.store.load_runs(str(chat.thread_id), 9, chat.context())
    assert (run.status, bool(run.error_id)) == ("failed", True)


async def test_chatkits_own_error_has_our_message(talk_to: Talk) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        raise StreamError(ErrorCode.STREAM_ERROR, allow_retry=False)
        yield

    [error] = errors(await send_message(talk_to(server_class(respond))))
    assert "Something went wrong" in error["message"]
    assert error["allow_retry"] is False


# Items


async def test_an_item_that_is_done_twice_is_one_item(talk_to: Talk) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        for items in (["milk"], ["milk", "tea"]):
            widget = WidgetItem(id="w1", thread_id=thread.id, created_at=now(), widget=build_list(items))
            yield ThreadItemDoneEvent(item=widget)

    chat = talk_to(server_class(respond))
    await send_message(chat)
    [_, widget] = await chat.items()
    assert [child["type"] for child in widget["widget"]["children"]] == ["Text", "Text", "Button"]


async def test_messages_that_share_an_id_are_not_merged(talk_to: Talk) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        await self.store.load_thread_items(thread.id, None, 50, "asc", context)
        for text in ("One.", "Two."):
            item = build_message(thread, "__fake_id__", text)
            yield ThreadItemAddedEvent(item=item.model_copy(update={"content": []}))
            yield ThreadItemDoneEvent(item=item)

    chat = talk_to(server_class(respond))
    await send_message(chat)
    await chat.send("Again")
    items = await chat.items()
    assert [i["content"][0]["text"] for i in items if i["type"] == "assistant_message"] == ["One.", "Two."] * 2
    assert len({item["id"] for item in items}) == 6


async def test_an_item_that_is_stored_and_yielded_is_one_item(talk_to: Talk) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        item = build_message(thread, "msg_mine", "Hello.")
        await self.store.add_thread_item(thread.id, item, context)
        yield ThreadItemDoneEvent(item=item)
        await self.store.add_thread_item(thread.id, build_message(thread, "msg_more", "Beside."), context=context)
        await self.store.add_thread_item(thread.id, build_message(thread, "msg_gone", "Gone."), context=context)
        yield ThreadItemRemovedEvent(item_id="msg_gone")

    chat = talk_to(server_class(respond))
    await send_message(chat)
    assert [item["id"] for item in await chat.items()][1:] == ["msg_mine", "msg_more"]


async def test_it_reads_as_many_items_as_it_asks_for(talk_to: Talk) -> None:
    pages: list[Any] = []

    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        for number in range(240):
            await self.store.add_thread_item(thread.id, build_message(thread, f"m{number}", str(number)), context)
        for limit, order in ((1_000, "asc"), (150, "desc"), (5, "asc")):
            pages.append(await self.store.load_thread_items(thread.id, None, limit, order, context))
        pages.append(await self.store.load_thread_items(thread.id, pages[-1].after, 3, "asc", context))
        for event in ():
            yield event

    await send_message(talk_to(server_class(respond)))
    assert [(len(page.data), page.has_more) for page in pages] == [(241, False), (150, True), (5, True), (3, True)]
    assert [item.id for item in pages[1].data[:2]] == ["m239", "m238"]
    assert [item.id for item in pages[3].data] == ["m4", "m5", "m6"]


async def test_changes_of_the_thread_are_stored_and_sent(talk_to: Talk) -> None:
    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        thread.title = "Mine"
        thread.metadata["count"] = thread.metadata.get("count", 0) + 1
        await self.store.save_thread(thread, context=context)
        again = await self.store.load_thread(thread.id, context)
        yield ThreadItemDoneEvent(
            item=build_message(thread, f"m{again.metadata['count']}", str(again.metadata["count"]))
        )

    chat = talk_to(server_class(respond))
    events = await send_message(chat)
    assert [e["thread"]["title"] for e in events if e["type"] == "thread.updated"] == ["Mine"]
    assert texts(await chat.send("Again")) == ["2"]


# Who asks


async def test_its_context_is_read_as_a_dictionary_and_by_attributes(talk_to: Talk) -> None:
    seen: list[Any] = []

    class Looking(EchoServer):
        async def respond(self, thread: Any, message: Any, context: Any) -> Any:
            seen.append(context)
            context["mine"] = 1
            async for event in super().respond(thread, message, context):
                yield event

    chat = talk_to(Looking, user="user_7")
    plain = chat.context
    chat.context = lambda: replace(plain(), headers={"article-id": "a7"})  # type: ignore[method-assign]
    await send_message(chat)
    [context] = seen
    assert (context.user_id, context["user_id"], context.get("user_id")) == ("user_7",) * 3
    assert (context.use_case, context.locale, context.variables) == ("test", "en", {})
    assert context["request"].headers.get("Article-Id") == context.headers["article-id"] == "a7"
    assert context.get("request_id") == "req_test"
    assert context.get("missing") is None
    with pytest.raises(AttributeError, match="it has user_id, use_case"):
        _ = context.missing


async def test_a_context_of_its_own_is_made_of_ours(talk_to: Talk) -> None:
    class Looking(EchoServer):
        async def respond(self, thread: Any, message: Any, context: Any) -> Any:
            assert isinstance(context, SimpleNamespace)
            page = await self.store.load_threads(9, None, "desc", context)
            text = f"{context.person} has {len(page.data)}"
            yield ThreadItemDoneEvent(item=build_message(thread, "msg_1", text))

    def make(context: ServerContext) -> SimpleNamespace:
        return SimpleNamespace(person=context.user_id)

    assert texts(await send_message(talk_to(Looking, context=make))) == ["user_a has 1"]


async def test_a_context_of_another_person_opens_nothing(talk_to: Talk) -> None:
    contexts: list[Any] = []

    class Mixing(EchoServer):
        async def respond(self, thread: Any, message: Any, context: Any) -> Any:
            contexts.append(context)
            # By mistake: that of whoever came first.
            page = await self.store.load_threads(9, None, "desc", contexts[0])
            yield ThreadItemDoneEvent(item=build_message(thread, "msg_1", ",".join(each.id for each in page.data)))

    ada = talk_to(Mixing, user="ada")
    bob = Chat(ada.server, "bob")
    await ada.send("Hi")
    assert texts(await bob.send("Hi")) == [bob.thread_id]


async def test_a_missing_object_raises_chatkits_own_error(talk_to: Talk) -> None:
    ada = talk_to(EchoServer, user="ada")
    await ada.send("Hi")

    class Prying(EchoServer):
        async def respond(self, thread: Any, message: Any, context: Any) -> Any:
            for load in (
                self.store.load_thread(ada.thread_id, context),
                self.store.load_item(thread.id, "msg_none", context),
                self.store.load_thread_items(ada.thread_id, None, 9, "asc", context),
                self.store.load_attachment("atc_none", context),
            ):
                with pytest.raises(NotFoundError):
                    await load
            yield ThreadItemDoneEvent(item=build_message(thread, "msg_1", "All missing."))

    assert texts(await send_message(talk_to(Prying, user="bob"))) == ["All missing."]


async def test_tasks_that_it_begins_know_who_asks_and_outside_of_a_request_nobody_does(talk_to: Talk) -> None:
    class Busy(EchoServer):
        async def respond(self, thread: Any, message: Any, context: Any) -> Any:
            load = asyncio.create_task(self.store.load_thread(thread.id, {}))
            yield ThreadItemDoneEvent(item=build_message(thread, "msg_1", (await load).id))

    chat = talk_to(Busy)
    assert texts(await send_message(chat)) == [chat.thread_id]
    stock: Any = chat.server
    with pytest.raises(Exception, match="outside of a request"):
        await stock.server.store.load_thread(chat.thread_id, {})


# Stops, options, actions, dictation


async def test_its_stream_options_are_sent(talk_to: Talk) -> None:
    def options(self: Any, thread: Any, context: Any) -> StreamOptions:
        return StreamOptions(allow_cancel=False)

    events = await send_message(talk_to(server_class(respond_with(), get_stream_options=options)))
    assert [e["stream_options"] for e in events if e["type"] == "stream_options"] == [{"allow_cancel": False}]


@pytest.mark.parametrize("clean_up", ["own", "broken"])
async def test_its_own_clean_up_decides_what_of_its_messages_is_kept(
    talk_to: Talk, services: Services, clean_up: str
) -> None:
    cleaned: list[Any] = []

    async def respond(self: Any, thread: Any, message: Any, context: Any) -> Any:
        yield ThreadItemAddedEvent(item=build_message(thread, "msg_1", "Half an"))
        await asyncio.Event().wait()

    async def handle(self: Any, thread: Any, pending: Any, context: Any) -> None:
        cleaned.append([item.id for item in pending])
        if clean_up == "broken":
            raise RuntimeError("no")
        await self.store.add_thread_item(thread.id, build_message(thread, "msg_2", "Stopped."), context=context)

    chat = talk_to(server_class(respond, handle_stream_cancelled=handle))
    asking = asyncio.create_task(chat.send("Hi"))
    await until(lambda: services.runs.active == 1)
    [run] = services.runs._active
    await until(lambda: bool(run.log.open_items()))
    await run.stop("user")
    chat.thread_id = (await asking)[0]["thread"]["id"]
    assert cleaned == [["msg_1"]]
    kept = [item["id"] for item in await chat.items() if item["type"] != "task"][1:]
    assert kept == (["msg_2"] if clean_up == "own" else ["msg_1"])


async def test_without_actions_a_click_is_refused(talk_to: Talk) -> None:
    chat = talk_to(EchoServer)
    await chat.send("Hi")
    with pytest.raises(ActionError, match="does not exist"):
        await chat.act(None, "list.clear")
    with pytest.raises(Exception, match="does not exist"):
        await chat.act(None, "list.clear", sync=True)


async def test_an_action_that_yields_nothing_is_named(talk_to: Talk, caplog: pytest.LogCaptureFixture) -> None:
    async def action(self: Any, thread: Any, action: Any, sender: Any, context: Any) -> None: ...

    chat = talk_to(server_class(respond_with(), action=action))
    await chat.send("Hi")
    assert len(errors(await chat.act(None, "list.clear"))) == 1
    assert "Odd.action returned a coroutine, for it has no 'yield'" in caplog.text


async def test_a_click_that_is_sent_twice_counts_once(talk_to: Talk) -> None:
    clicks: list[str] = []

    async def action(self: Any, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        clicks.append(action.type)
        yield ProgressUpdateEvent(text="Clicked")

    chat = talk_to(server_class(respond_with(), action=action))
    await chat.send("Hi")
    params = {"thread_id": chat.thread_id, "action": {"type": "go", "payload": {}}}
    body = json.dumps({"type": "threads.custom_action", "params": params, "metadata": {"idempotency_key": "k" * 20}})
    for _ in range(2):
        viewer: Any = await chat.server.handle(body.encode(), chat.context())
        async for _chunk in viewer:
            pass
    assert clicks == ["go"]


async def test_a_value_that_the_widget_does_not_offer_never_reaches_its_action(talk_to: Talk) -> None:
    heard: list[Any] = []

    async def action(self: Any, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        heard.append(action.payload)
        yield ProgressUpdateEvent(text="Ordered")

    async def sync_action(self: Any, thread: Any, action: Any, sender: Any, context: Any) -> SyncCustomActionResponse:
        heard.append(action.payload)
        return SyncCustomActionResponse(updated_item=None)

    sizes = Select(name="size", options=[{"value": "s", "label": "Small"}])  # type: ignore[list-item]
    widget = Card(children=[Form(onSubmitAction=ActionConfig(type="order", payload={"id": 7}), children=[sizes])])
    order = respond_with(
        lambda thread: ThreadItemDoneEvent(
            item=WidgetItem(id="w1", thread_id=thread.id, created_at=now(), widget=widget)
        )
    )
    chat = talk_to(server_class(order, action=action, sync_action=sync_action))
    [item] = done_items(await chat.send("Hi"), "widget")
    for is_sync in (False, True):
        with pytest.raises(ActionError, match="none of the choices"):
            await chat.act(item, "order", {"id": 7, "size": "xl"}, sync=is_sync)
    assert heard == []
    await chat.act(item, "order", {"id": 7, "size": "s"})
    await chat.act(item, "order", {"id": 8, "size": "of the page"}, sync=True)
    assert heard == [{"id": 7, "size": "s"}, {"id": 8, "size": "of the page"}]


async def test_a_sync_action_that_returns_something_else_is_named(talk_to: Talk) -> None:
    async def sync_action(self: Any, thread: Any, action: Any, sender: Any, context: Any) -> Any:
        return sender

    chat = talk_to(server_class(respond_with(), sync_action=sync_action))
    await chat.send("Hi")
    with pytest.raises(Exception, match=r"Odd\.sync_action returned a NoneType"):
        await chat.act(None, "list.clear", sync=True)


async def test_dictation_is_its_own_or_the_providers(talk_to: Talk) -> None:
    async def transcribe(self: Any, audio: Any, context: Any) -> TranscriptionResult:
        return TranscriptionResult(text=f"{len(audio.data)} bytes of {audio.media_type} by {context.user_id}")

    recording = {"audio_base64": "QUJD", "mime_type": "audio/webm;codecs=opus"}
    chat = talk_to(server_class(respond_with(), transcribe=transcribe))
    assert await chat.request("input.transcribe", **recording) == {"text": "3 bytes of audio/webm by user_a"}
    with pytest.raises(UnavailableError):
        await talk_to(EchoServer).request("input.transcribe", **recording)


async def test_a_retry_and_a_deleted_thread_are_as_with_any_server(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(EchoServer)
    await chat.send("First")
    await chat.send("Second")
    first = (await chat.items())[0]
    events = await chat.request("threads.retry_after_item", thread_id=chat.thread_id, item_id=first["id"])
    assert [item["type"] for item in done_items(events)] == ["assistant_message"]
    assert len(await chat.items()) == 2
    await chat.request("threads.delete", thread_id=chat.thread_id)
    assert (await chat.request("threads.list", limit=9, order="desc"))["data"] == []


async def test_a_store_in_memory_that_two_servers_share_is_ours_in_both(talk_to: Talk) -> None:
    shared = MemoryStore()

    class Sharing(EchoServer):
        def __init__(self) -> None:
            super().__init__(shared)

    first, second = talk_to(Sharing), talk_to(Sharing, user="user_b")
    await first.send("Hi")
    await second.send("Hi")
    assert shared.threads == {}
    assert len(await first.items()) == len(await second.items()) == 2
