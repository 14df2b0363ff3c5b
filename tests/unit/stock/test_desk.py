"""A typical ChatKit server, unchanged: agent, store, title, widgets, client tools, feedback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agent_framework import Annotation, Content

from context import Services
from errors import BadRequestError
from tests.unit.harness import Chat, done_items, errors, streamed_text, texts
from tests.unit.scripted_model import ScriptedModel, calls, gives, says
from tests.unit.stock.samples import DeskServer, EchoServer, MemoryStore, now
from tests.waiting import until

Talk = Callable[..., Chat]


def author_server(chat: Chat) -> Any:
    """Return the object of the author's class."""
    stock: Any = chat.server
    return stock.server


async def test_its_agent_answers_with_our_model_and_the_history_is_ours(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    model.turns = [says("Hel", "lo."), says("A", "gain.")]
    events = await chat.send("Hi")
    assert (errors(events), streamed_text(events), texts(events)) == ([], "Hello.", ["Hello."])
    await chat.send("More")
    assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message"] * 2
    assert [message.text for message in model.requests[-1]] == ["Be kind.", "Hi", "Hello.", "More"]
    # The agent names a model of OpenAI's, which no other provider has.
    assert all("model" not in options for options in model.options)


async def test_the_servers_title_becomes_the_title_of_the_thread(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    model.turns = [says("Hello.")]
    events = await chat.send("Hi")
    assert events[0]["thread"].get("title") is None
    assert [event["thread"]["title"] for event in events if event["type"] == "thread.updated"] == ["Greetings"]
    [listed] = (await chat.request("threads.list", limit=9, order="desc"))["data"]
    assert listed["title"] == "Greetings"


async def test_a_thread_that_it_does_not_name_has_its_first_line(talk_to: Talk, services: Services) -> None:
    chat = talk_to(EchoServer)
    events = await chat.send("What a day\nreally")
    assert events[-1]["type"] == "thread.updated"
    [listed] = (await chat.request("threads.list", limit=9, order="desc"))["data"]
    assert listed["title"] == events[-1]["thread"]["title"] == "What a day"


async def test_tools_show_progress_steps_and_widgets_and_write_to_the_store(
    talk_to: Talk, model: ScriptedModel
) -> None:
    chat = talk_to(DeskServer)
    model.turns = [calls("add_item", item="milk"), says("Done.", message_id="m2"), says("Yes.")]
    events = await chat.send("Add milk")
    assert errors(events) == []
    assert [e["text"] for e in events if e["type"] == "progress_update"] == ["Adding milk"]
    # What is hidden is stored where the tool wrote it, and no browser sees it.
    assert [item["type"] for item in await chat.items()] == ["user_message", "workflow", "widget", "assistant_message"]
    await chat.send("Is it there?")
    assert "<ADDED>milk</ADDED>" in str([message.text for message in model.requests[-1]])
    assert "ADDED" not in str(await chat.items())


async def test_its_store_keeps_what_it_can_do_more_and_is_found_everywhere(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    model.turns = [calls("add_item", item="milk"), says("Done.", message_id="m2")]
    await chat.send("Add milk")
    store = author_server(chat).store
    assert isinstance(store, MemoryStore)
    assert store.notes == ["milk"]
    assert (store.threads, store.items) == ({}, {})


async def test_a_client_tool_pauses_the_answer_and_its_output_continues_it(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    model.turns = [calls("ring", "c9"), says("It rang.", message_id="m2")]
    events = await chat.send("Ring")
    assert errors(events) == []
    [call] = done_items(events, "client_tool_call")
    assert (call["name"], call["arguments"], call["call_id"]) == ("ring", {"times": 2}, "c9")
    assert len(model.requests) == 1
    later = await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result={"heard": True})
    assert texts(later) == ["It rang."]
    assert "heard" in str([c.result for m in model.requests[-1] for c in m.contents if c.type == "function_result"])


async def test_a_click_changes_its_widget_with_a_stream_and_without(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    model.turns = [calls("add_item", item="milk"), says("Done.", message_id="m2")]
    [widget] = done_items(await chat.send("Add milk"), "widget")
    events = await chat.act(widget, "list.clear", {"count": 1})
    assert [event["type"] for event in events] == ["stream_options", "thread.item.replaced", "client_effect"]
    answer = await chat.act(widget, "list.clear", {"count": 1}, sync=True)
    [stored] = [item for item in await chat.items() if item["type"] == "widget"]
    assert answer["updated_item"]["widget"] == stored["widget"] == events[1]["item"]["widget"]
    assert [child["type"] for child in stored["widget"]["children"]] == ["Button"]


async def test_an_action_of_the_page_needs_no_widget(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    model.turns = [says("Hello.")]
    await chat.send("Hi")
    events = await chat.act(None, "list.show")
    assert [item["type"] for item in done_items(events)] == ["widget"]


async def test_feedback_reaches_the_author_and_the_page_of_items(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    model.turns = [says("Hello.")]
    [item] = done_items(await chat.send("Hi"), "assistant_message")
    await chat.request("items.feedback", thread_id=chat.thread_id, item_ids=[item["id"]], kind="positive")
    assert author_server(chat).feedback == ["positive"]
    page = await chat.request("items.list", thread_id=chat.thread_id, limit=9, order="asc")
    assert page["feedback"] == {item["id"]: "positive"}


async def test_thoughts_and_citations_of_the_model_are_shown(talk_to: Talk, model: ScriptedModel) -> None:
    chat = talk_to(DeskServer)
    cited = Annotation(type="citation", url="https://example.org/rain", title="Rain")
    model.turns = [
        [
            *gives(Content.from_text_reasoning(text="Let me")),
            *gives(Content.from_text_reasoning(text=" think.")),
            *says("It ", "rains."),
            *gives(Content.from_text("", annotations=[cited]), message_id="m1"),
        ]
    ]
    await chat.send("Rain?")
    _, thought, answer = await chat.items()
    assert thought["workflow"]["tasks"][0]["content"] == "Let me think."
    assert answer["content"][0]["text"] == "It rains."
    assert answer["content"][0]["annotations"][0]["source"]["url"] == "https://example.org/rain"


async def test_a_workflow_that_an_answer_leaves_open_is_one_item_when_the_next_ends_it(
    talk_to: Talk, model: ScriptedModel
) -> None:
    chat = talk_to(DeskServer)
    model.turns = [[*gives(Content.from_text_reasoning(text="Let me think.")), *calls("ring")], says("Yes.")]
    await chat.send("Ring")
    await chat.request("threads.add_client_tool_output", thread_id=chat.thread_id, result=1)
    assert [item["type"] for item in await chat.items()] == [
        "user_message",
        "workflow",
        "client_tool_call",
        "assistant_message",
    ]


async def test_the_tokens_of_its_agent_are_in_the_record_of_the_run(
    talk_to: Talk, model: ScriptedModel, services: Services
) -> None:
    chat = talk_to(DeskServer)
    counts = {"input_token_count": 3, "output_token_count": 4}
    model.turns = [
        [*calls("add_item", item="milk"), *gives(Content.from_usage(counts))],
        [*says("Done.", message_id="m2"), *gives(Content.from_usage(counts))],
    ]
    await chat.send("Add milk")
    [run] = await services.store.load_runs(str(chat.thread_id), 9, chat.context())
    assert (run.status, run.usage["input_token_count"], run.usage["output_token_count"]) == ("done", 6, 8)


async def test_a_failure_of_the_model_is_reported_without_its_message(
    talk_to: Talk, model: ScriptedModel, services: Services
) -> None:
    chat = talk_to(DeskServer)
    model.turns = [[*says("Half an"), RuntimeError("secret")]]
    events = await chat.send("Go")
    [error] = errors(events)
    assert error["allow_retry"]
    assert "secret" not in str(events)
    assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message", "task"]
    [run] = await services.store.load_runs(str(chat.thread_id), 9, chat.context())
    assert run.status == "failed"


async def test_a_stop_keeps_the_text_so_far_and_ends_the_model(
    talk_to: Talk, model: ScriptedModel, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    chat = talk_to(DeskServer)
    never = asyncio.Event()
    model.turns = [[*says("Half an"), never], says("New.")]
    loop_errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: loop_errors.append(told))
    asking = asyncio.create_task(chat.send("Go"))
    await until(lambda: services.runs.active == 1 and model.open_streams == 1)
    [run] = services.runs._active
    await until(lambda: "Half an" in str(run.log.open_items()))
    await run.stop("user")
    events = await asking
    chat.thread_id = events[0]["thread"]["id"]
    assert [item["type"] for item in await chat.items()] == ["user_message", "assistant_message", "task"]
    await until(lambda: model.open_streams == 0)
    await chat.send("And now?")
    assert "stopped this answer" in str([message.text for message in model.requests[-1]])
    assert loop_errors == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_two_people_do_not_see_each_other(talk_to: Talk, services: Services, model: ScriptedModel) -> None:
    ada = talk_to(DeskServer)
    bob = Chat(ada.server, "user_b")
    model.turns = [says("Hello, Ada."), says("Hello, Bob.")]
    await asyncio.gather(ada.send("I am Ada"), bob.send("I am Bob"))
    for chat, other in ((ada, bob), (bob, ada)):
        assert len((await chat.request("threads.list", limit=9, order="desc"))["data"]) == 1
        assert len(await chat.items()) == 2
        with pytest.raises(Exception, match="does not exist"):
            await other.request("threads.get_by_id", thread_id=chat.thread_id)


async def test_the_limits_of_messages_hold(talk_to: Talk) -> None:
    with pytest.raises(BadRequestError, match="at most"):
        await talk_to(EchoServer).send("x" * 100_000)


async def test_a_session_that_wants_no_titles_gets_none(talk_to: Talk) -> None:
    chat = talk_to(EchoServer)
    plain = chat.context
    chat.context = lambda: replace(plain(), has_titles=False)  # type: ignore[method-assign]
    events = await chat.send("Hi")
    assert "title" not in str(events)


async def test_times_are_sent_in_utc_and_compared_as_the_server_does(
    talk_to: Talk, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        seen: list[timedelta] = []

        class Comparing(EchoServer):
            async def respond(self, thread: Any, message: Any, context: Any) -> Any:
                page = await self.store.load_thread_items(thread.id, None, 20, "asc", context)
                seen.extend(now() - item.created_at for item in page.data)
                seen.extend([now() - thread.created_at, now() - message.created_at])
                async for event in super().respond(thread, message, context):
                    yield event

        chat = talk_to(Comparing)
        [item] = done_items(await chat.send("Hi"), "assistant_message")
        sent = datetime.fromisoformat(item["created_at"])
        assert sent.tzinfo is not None
        assert abs(datetime.now(UTC) - sent) < timedelta(minutes=5)
        assert len(seen) == 3
        assert all(abs(age) < timedelta(minutes=5) for age in seen)
    finally:
        monkeypatch.undo()
        time.tzset()
