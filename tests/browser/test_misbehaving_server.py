"""The client with a misbehaving server: nothing throws or hangs, and the next message works."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat, expect_events, expect_value, frames, names
from tests.browser.servers.scripted import (
    THREAD,
    Answer,
    Cut,
    Gate,
    ScriptedServer,
    Stream,
    assistant_item,
    frame,
    message_events,
    text_delta,
    user_item,
)

CREATED: dict[str, Any] = {"type": "thread.created", "thread": THREAD}
USER: dict[str, Any] = {"type": "thread.item.done", "item": user_item("hi")}


def item_added(item: Any) -> dict[str, Any]:
    return {"type": "thread.item.added", "item": item}


def item_done(item: Any) -> dict[str, Any]:
    return {"type": "thread.item.done", "item": item}


def expect_end_and_next_turn(chat: Chat, page: Page) -> None:
    """The turn is over, and the next one works."""
    chat.wait_until_idle()
    expect_value(page, lambda: names(page).count("response.end"), names(page).count("response.start"))
    before = chat.answers.count()
    chat.ask("and now?")
    expect(chat.answers).to_have_count(before + 1)


def test_frames_cut_at_every_byte_boundary(chat: Chat, scripted: ScriptedServer) -> None:
    text = "Grüße aus Zürich 🌦️ – 天気"
    whole = b"".join(map(frame, [CREATED, USER, item_added(assistant_item(None)), *map(text_delta, text)]))
    scripted.on("threads.create", Stream([whole[at : at + 1] for at in range(len(whole))]))
    chat.ask("hi")
    expect(chat.answers).to_have_text([text])


def test_frames_cut_in_two_at_each_place_in_turn(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    last = frame(item_done(assistant_item("é 🌦️")))
    # A thread is started once and then spoken to as often as there are places to cut at.
    cuts = range(1, len(last), 19)
    scripted.on("threads.add_user_message", *(Stream([last[:at], last[at:]]) for at in cuts))
    chat.ask("hi")
    page.evaluate(
        """async count => {
            const chat = document.querySelector('openai-chatkit');
            for (let each = 0; each < count; each += 1) await chat.sendUserMessage({text: 'again'});
        }""",
        len(cuts),
    )
    expect(chat.answers).to_have_text(["A scripted answer.", "é 🌦️"])
    assert len(scripted.asked_for("threads.add_user_message", len(cuts))) == len(cuts)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_frames_in_every_dialect_of_event_streams(chat: Chat, scripted: ScriptedServer, newline: str) -> None:
    lines = [
        ": a comment", "event: message", "id: 7", "retry: 10", f"data:{json.dumps(CREATED)}", "",
        ": another", "", f"data: {json.dumps(USER)}", "",
        *(f"data: {line}" for line in json.dumps(item_done(assistant_item("Fine.")), indent=1).split("\n")), "",
        "data: [DONE]", "", "data: {}",
    ]  # fmt: skip
    scripted.on("threads.create", Stream([newline.join(lines).encode()]))
    chat.ask("hi")
    expect(chat.answers).to_have_text(["Fine."])
    expect(chat.questions).to_have_text(["hi"])


def test_malformed_frames_are_skipped_and_logged_without_their_text(
    chat: Chat, page: Page, scripted: ScriptedServer
) -> None:
    broken = [b"data: {not json, my secret\n\n", b"data: null\n\n", b"data: 5\n\n", b"data: []\n\n", b'data: "x"\n\n']
    scripted.on("threads.create", Stream([CREATED, *broken, USER, item_done(assistant_item("Fine."))]))
    chat.ask("hi")
    expect(chat.answers).to_have_text(["Fine."])
    logged = page.evaluate("JSON.stringify(seen.filter(({name}) => name === 'log'))")
    assert "malformed" in logged
    assert "secret" not in logged


def test_unknown_kinds_of_everything_are_passed_over(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    strange: list[dict[str, Any]] = [
        {"type": "thread.item.teleported", "item": {}},
        {"type": "constructor"},
        {"type": None},
        {},
        item_added({"type": "hologram", "id": "h1", "thread_id": "thr_1"}),
        item_done({"type": "hologram", "id": "h1"}),
        item_done({"type": "task", "id": "t1", "task": {"type": "juggling", "title": "?"}}),
        item_done({"type": "workflow", "id": "w1", "workflow": {"type": "spiral", "tasks": [{"type": "x"}, None, 7]}}),
        {"type": "thread.item.updated", "item_id": "nobody", "update": {"type": "x"}},
        {"type": "thread.item.updated", "item_id": "msg_1", "update": {"type": "x"}},
        {"type": "thread.item.updated", "item_id": "msg_1", "update": None},
        {"type": "thread.item.removed", "item_id": "nobody"},
        {"type": "notice", "level": "apocalypse", "message": "?"},
        {"type": "client_effect"},
        {"type": "stream_options", "stream_options": None},
        item_done(
            {
                "type": "widget",
                "id": "wi1",
                "widget": {"type": "Sculpture", "children": [{"type": "Text", "value": "In it."}]},
            }
        ),
    ]
    scripted.on("threads.create", Stream([CREATED, USER, *strange, item_done(assistant_item("Fine."))]))
    chat.ask("hi")
    expect(chat.answers).to_have_text(["Fine."])
    expect_end_and_next_turn(chat, page)


def test_nulls_and_missing_fields_everywhere(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    holes: list[dict[str, Any]] = [
        {"type": "thread.updated", "thread": None},
        {"type": "thread.updated", "thread": {"id": "thr_1", "title": None, "status": None, "items": None}},
        item_added(None),
        item_done(None),
        item_done({"type": "assistant_message", "id": "n1", "content": None}),
        item_done({"type": "assistant_message", "id": "n2", "content": [None, {"type": "output_text", "text": None}]}),
        item_done({"type": "assistant_message", "id": None, "content": []}),
        item_done({"type": "user_message", "id": "n3", "content": None, "attachments": None}),
        item_done({"type": "widget", "id": "n4", "widget": None}),
        item_done({"type": "widget", "id": "n5", "widget": {"type": "Card", "children": None, "status": None}}),
        item_done(
            {
                "type": "widget",
                "id": "n6",
                "widget": {"type": "ListView", "children": [None, {}, {"type": "ListViewItem"}]},
            }
        ),
        item_done({"type": "task", "id": "n7", "task": None}),
        item_done({"type": "workflow", "id": "n8", "workflow": {"type": "custom", "tasks": None, "summary": None}}),
        item_done({"type": "generated_image", "id": "n9", "image": None}),
        item_done({"type": "structured_input", "id": "n10", "inputs": None}),
        text_delta(None, "n1"),  # type: ignore[arg-type]
        {"type": "progress_update", "text": None},
        {"type": "notice", "level": None, "message": None},
        {"type": "error", "code": None, "message": None},
    ]
    scripted.on("threads.create", Stream([CREATED, USER, *holes, item_done(assistant_item("Fine."))]))
    chat.send("hi")  # not `ask`, which counts the questions: one of the holes is a question too
    expect(chat.answers.last).to_have_text("Fine.")
    expect_end_and_next_turn(chat, page)


def test_things_in_the_wrong_order(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    events = [
        text_delta("Too early. "),  # of an item that nobody has announced
        item_added(assistant_item(None)),
        text_delta("third", index=2),
        text_delta("first", index=0),
        item_done(assistant_item("In the end.")),
        item_added(assistant_item(None, "msg_2")),
        text_delta("The second.", "msg_2"),
        CREATED,
        USER,
    ]
    scripted.on("threads.create", Stream(events))
    chat.ask("hi")
    expect(chat.answers).to_have_text(["In the end.", "The second."])
    expect(chat.questions).to_have_text(["hi"])
    expect_end_and_next_turn(chat, page)


def test_duplicate_ids_show_one_thing_once(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    events = [
        CREATED, CREATED, USER, USER,
        item_added(assistant_item(None)), item_added(assistant_item(None)),
        text_delta("Hel"), text_delta("lo"),
        item_done(assistant_item("Hello")), item_done(assistant_item("Hello")),
        {"type": "thread.item.replaced", "item": assistant_item("Hello again")},
    ]  # fmt: skip
    scripted.on("threads.create", Stream(events))
    chat.ask("hi")
    expect(chat.answers).to_have_text(["Hello again"])
    expect(chat.questions).to_have_text(["hi"])
    expect_events(page, 1, "thread.change")


def test_an_empty_answer_ends_the_turn(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    scripted.on("threads.create", Stream([]), Stream(message_events("Now.")))
    chat.ask("hi")
    expect(chat.questions).to_have_text(["hi"])
    expect_end_and_next_turn(chat, page)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer({"error": {"code": "x", "message": "We are closed."}}, 500), "We are closed."),
        (Answer("<html>Bad Gateway</html>", 502, "text/html"), "502"),
        (Answer("", 503, "text/plain"), "503"),
        (Answer({"unexpected": True}), ""),
    ],
)
def test_a_refusal_is_shown_and_the_text_is_kept(
    chat: Chat,
    page: Page,
    scripted: ScriptedServer,
    tolerated_errors: list[str],
    answer: Answer,
    words: str,
) -> None:
    tolerated_errors.append("Failed to load resource")  # Chromium reports every status of 400 and more by itself
    scripted.on("threads.create", answer, Stream(message_events("Better.", user="a precious question")))
    chat.ask("a precious question")
    expect(chat.questions).to_have_text(["a precious question"])
    expect(chat.element.get_by_role("alert").filter(has_text=words or "refused").first).to_be_visible()
    page.wait_for_function("() => seen.some(({name}) => name === 'error')")
    chat.element.get_by_role("button", name="Try again").click()
    expect(chat.answers).to_have_text(["Better."])
    expect(chat.questions).to_have_text(["a precious question"])
    # The last word stands before the stream has ended.
    expect_events(page, 2, "response.start", "response.end")


def test_a_message_that_the_server_does_not_take_returns_to_the_composer(
    chat: Chat, scripted: ScriptedServer, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("Failed to load resource")
    refusal = Answer({"detail": [{"msg": "field required"}]}, 422)
    scripted.on("threads.create", refusal, Stream(message_events("Better.", user="a precious question")))
    chat.send("a precious question")
    expect(chat.element.get_by_role("alert").filter(has_text="422").first).to_be_visible()
    expect(chat.composer).to_have_value("a precious question")
    chat.composer.press("Enter")
    expect(chat.answers).to_have_text(["Better."])
    expect(chat.questions).to_have_text(["a precious question"])


def test_a_broken_connection_keeps_the_text_so_far(
    chat: Chat, page: Page, scripted: ScriptedServer, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("ERR_INCOMPLETE_CHUNKED_ENCODING")
    # A browser throws away what it has received and not handed out when the connection breaks: hence the gate.
    gate = Gate()
    half = [CREATED, USER, item_added(assistant_item(None)), text_delta("Half of")]
    scripted.on("threads.create", Stream([*half, gate, frame(USER)[:9], Cut()]))
    chat.send("hi")
    expect(chat.answers).to_have_text(["Half of"])
    gate.open()
    chat.wait_until_idle()
    expect(chat.answers).to_have_text(["Half of"])
    expect(chat.element.get_by_role("alert").filter(has_text="connection").first).to_be_visible()
    expect(chat.element.get_by_role("button", name="Try again").first).to_be_visible()
    expect_events(page, 1, "response.end")


def test_an_endless_answer_can_be_stopped(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    endless = Stream([CREATED, USER, item_added(assistant_item(None)), text_delta("More. ")], repeat=True)
    scripted.on("threads.create", endless)
    chat.send("hi")
    expect(chat.answers).to_contain_text("More. More. More.")
    chat.stop_button.click()
    chat.wait_until_idle()
    expect(chat.answers).to_contain_text("More. More.")
    expect_events(page, 1, "response.end")
    expect_end_and_next_turn(chat, page)


def test_late_events_of_a_thread_do_not_reach_another(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    gate = Gate()
    late = Stream([CREATED, USER, gate, item_done(assistant_item("Too late."))])
    scripted.on("threads.create", late)
    scripted.on("items.list", Answer({"data": [assistant_item("The other one.", "msg_9")], "has_more": False}))
    chat.send("hi")
    expect(chat.stop_button).to_be_visible()
    scripted.on("threads.list", Answer({"data": [{**THREAD, "id": "thr_2", "title": "Other"}], "has_more": False}))
    chat.open_history().get_by_role("button", name="Other", exact=True).click()
    expect(chat.answers).to_have_text(["The other one."])
    gate.open()
    assert late.gone.wait(30)
    frames(page)
    expect(chat.answers).to_have_text(["The other one."])


def test_a_failed_history_says_so_and_can_be_loaded_again(
    chat: Chat, scripted: ScriptedServer, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("Failed to load resource")
    scripted.on(
        "threads.list", Answer("oops", 500), Answer({"data": [{**THREAD, "title": "Found"}], "has_more": False})
    )
    history = chat.open_history()
    expect(history.get_by_text("The chats could not be loaded.")).to_be_visible()
    history.get_by_role("button", name="Try again").click()
    expect(history.get_by_role("button", name="Found", exact=True)).to_be_visible()


def test_pages_that_are_empty_but_not_the_last_are_read_on(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    empty = [Answer({"data": [], "has_more": True, "after": f"hidden_{each}"}) for each in range(3)]
    scripted.on("items.list", *empty, Answer({"data": [assistant_item("Deep down.")], "has_more": False}))
    page.evaluate("document.querySelector('openai-chatkit').setThreadId('thr_1')")
    expect(chat.answers).to_have_text(["Deep down."])


def test_stop_is_hidden_when_the_server_forbids_it(chat: Chat, page: Page, scripted: ScriptedServer) -> None:
    first, second = Gate(), Gate()
    options = [{"type": "stream_options", "stream_options": {"allow_cancel": value}} for value in (False, True)]
    scripted.on("threads.create", Stream([CREATED, USER, options[0], first, options[1], second]))
    chat.send("hi")
    expect(chat.transcript).to_have_attribute("aria-busy", "true")
    expect(chat.stop_button).to_have_count(0)
    first.open()
    expect(chat.stop_button).to_be_visible()
    second.open()
    expect_end_and_next_turn(chat, page)


def test_progress_is_one_line_that_disappears(chat: Chat, scripted: ScriptedServer) -> None:
    first, second = Gate(), Gate()
    lines = [{"type": "progress_update", "text": text} for text in ("Looking", "Comparing")]
    scripted.on(
        "threads.create", Stream([CREATED, USER, lines[0], first, lines[1], second, item_done(assistant_item("Yes."))])
    )
    chat.send("hi")
    expect(chat.element.get_by_text("Looking")).to_be_visible()
    first.open()
    expect(chat.element.get_by_text("Comparing")).to_be_visible()
    expect(chat.element.get_by_text("Looking")).to_have_count(0)
    second.open()
    expect(chat.answers).to_have_text(["Yes."])
    expect(chat.element.get_by_text("Comparing")).to_have_count(0)
