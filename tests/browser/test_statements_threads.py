"""Statements 9, 25, 45, 50, 73 to 84: threads, their list, and what scrolling, page and server do meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import (
    SETTLE,
    Chat,
    eventually,
    expect_clipboard,
    expect_events,
    expect_value,
    frames,
    names,
    wait_until_settled,
    wheel,
)
from tests.browser.samples import QUESTION, item, widget
from tests.browser.servers.scripted import (
    THREAD,
    Answer,
    Gate,
    ScriptedServer,
    Stream,
    assistant_item,
    message_events,
    text_delta,
    user_item,
)
from tests.browser.stage import Stage
from tests.browser.states import history_panel

LONG = "One line.\n\n" * 6


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The stage, with all events recorded from the first one on."""
    stage.page.evaluate(
        """() => {
            const begin = configure;
            window.configure = (...all) => {
                record(chat);
                window.configure = begin;
                begin(...all);
            };
        }"""
    )
    return stage


def talk(first: int, count: int) -> list[dict[str, Any]]:
    """Return questions and answers with rising numbers, oldest first."""
    return [
        part
        for at in range(first, first + count)
        for part in (user_item(f"Question {at}.", f"usr_{at}"), assistant_item(f"Answer {at}. {LONG}", f"msg_{at}"))
    ]


def page_of(*items: dict[str, Any], after: str | None = None) -> Answer:
    return Answer({"data": list(reversed(items)), "has_more": after is not None, "after": after})


def top_of(chat: Chat, text: str, *, exact: bool = False) -> float:
    box = chat.element.get_by_text(text, exact=exact).bounding_box()
    assert box
    return box["y"]


def expect_at(chat: Chat, text: str, before: float, *, exact: bool = False) -> None:
    """Wait until nothing moves any more; the text is where it was then, but for a rounded pixel or two."""
    frames(chat.page)
    wait_until_settled(chat)
    eventually(chat.page, lambda: abs(top_of(chat, text, exact=exact) - before) <= 2)


# Reading


@pytest.mark.motion
def test_older_pages_come_above_without_a_jump(stage: Stage) -> None:
    stage.server.on("threads.get_by_id", Answer(THREAD))
    stage.server.on(
        "items.list", page_of(*talk(10, 5), after="usr_10"), page_of(*talk(5, 5), after="usr_5"), page_of(*talk(0, 5))
    )
    stage.begin("initialThread: 'thr_1'")
    expect(stage.chat.element.get_by_text("Answer 14.")).to_be_in_viewport()
    assert len(stage.server.asked_for("items.list")) == 1
    # Asked for by hand, so that the place is known when the page arrives.
    wheel(stage.chat, -350)
    wait_until_settled(stage.chat)
    before = top_of(stage.chat, "Question 13.")
    stage.page.evaluate(
        "chat.shadowRoot.querySelector('parlor-messages').shadowRoot.querySelector('.older button').click()"
    )
    expect(stage.chat.questions).to_have_count(10)
    expect_at(stage.chat, "Question 13.", before)
    # And by itself, at the very top.
    stage.chat.transcript.evaluate("e => { e.scrollTop = 0 }")
    expect(stage.chat.questions).to_have_count(15)
    wait_until_settled(stage.chat)
    expect(stage.chat.element.get_by_text("Question 5.")).to_be_in_viewport()
    expect(stage.chat.questions.first).not_to_be_in_viewport()
    assert [asked.params.get("after") for asked in stage.server.asked_for("items.list")] == [None, "usr_10", "usr_5"]
    assert {asked.params["order"] for asked in stage.server.asked_for("items.list")} == {"desc"}


@pytest.mark.motion
def test_updates_keep_the_place_the_focus_and_the_draft(stage: Stage) -> None:
    stage.server.on("threads.get_by_id", Answer(THREAD))
    changed = [*talk(0, 6), user_item("New.", "usr_new")]
    changed[1] = assistant_item("Changed.", "msg_0")
    del changed[2:4]
    stage.server.on("items.list", page_of(*talk(0, 6)), page_of(*changed))
    stage.begin("initialThread: 'thr_1'")
    expect(stage.chat.questions).to_have_count(6)
    stage.chat.composer.fill("a draft")
    wheel(stage.chat, -300)
    wait_until_settled(stage.chat)
    before = top_of(stage.chat, "Question 5.")
    stage.page.evaluate("chat.fetchUpdates()")
    expect(stage.chat.element.get_by_text("New.")).to_have_count(1)
    expect_at(stage.chat, "Question 5.", before)
    expect(stage.chat.composer).to_be_focused()
    expect(stage.chat.composer).to_have_value("a draft")
    expect(stage.chat.element.get_by_text("Question 1.")).to_have_count(0)
    expect(stage.chat.element.get_by_text("Changed.")).to_have_count(1)


def growing(gate: Gate, count: int = 60) -> Stream:
    start = [*message_events("")[:2], {"type": "thread.item.added", "item": assistant_item(None)}]
    lines = [text_delta(f"line {at}\n\n") for at in range(count)]
    return Stream([*start, *lines, gate, *(text_delta(f"more {at}\n\n") for at in range(20))])


@pytest.mark.motion
def test_auto_scroll_stops_for_a_reader_who_has_scrolled_away(stage: Stage) -> None:
    gate = Gate()
    stage.server.on("threads.create", growing(gate))
    stage.begin("thread: {autoScroll: true}")
    stage.chat.send("hi")
    expect(stage.chat.element.get_by_text("line 59", exact=True)).to_be_in_viewport()
    wheel(stage.chat, -600)
    button = stage.find("button", "Scroll to the latest message")
    expect(button).to_be_visible()
    wait_until_settled(stage.chat)
    before = top_of(stage.chat, "line 40", exact=True)
    gate.open()
    stage.chat.wait_until_idle()
    expect(stage.chat.element.get_by_text("more 19", exact=True)).to_have_count(1)
    expect_at(stage.chat, "line 40", before, exact=True)
    button.click()
    expect(stage.chat.element.get_by_text("more 19", exact=True)).to_be_in_viewport()
    expect(button).to_have_count(0)


@pytest.mark.motion
def test_auto_scroll_does_not_take_new_text_for_a_reader_who_scrolls_away(stage: Stage) -> None:
    stage.server.on("threads.create", growing(Gate()))
    stage.begin("thread: {autoScroll: true}")
    stage.chat.send("hi")
    last = stage.chat.element.get_by_text("line 59", exact=True)
    expect(last).to_be_in_viewport()
    wait_until_settled(stage.chat)
    # A scroll of our own is told when the answer has grown again already.
    stage.page.evaluate(
        """() => {
            const root = chat.shadowRoot.querySelector('parlor-messages').shadowRoot;
            const more = document.createElement('div');
            more.style.height = '900px';
            root.querySelector('.end').before(more);
            root.querySelector('.scroller').dispatchEvent(new Event('scroll'));
        }"""
    )
    distance = """() => {
        const root = chat.shadowRoot.querySelector('parlor-messages').shadowRoot;
        const bottom = name => root.querySelector(name).getBoundingClientRect().bottom;
        return bottom('.end') - bottom('.scroller');
    }"""
    eventually(stage.page, lambda: stage.page.evaluate(distance) <= 0)


def test_options_that_come_again_in_a_stream_move_nothing(stage: Stage) -> None:
    gate = Gate()
    stage.server.on("threads.create", growing(gate))
    stage.begin()
    stage.chat.send("hi")
    expect(stage.chat.element.get_by_text("line 59", exact=True)).to_have_count(1)
    wheel(stage.chat, 400)
    wait_until_settled(stage.chat)
    before = top_of(stage.chat, "line 20")
    stage.page.evaluate("for (let each = 0; each < 5; each += 1) chat.setOptions({...chat.options})")
    expect_at(stage.chat, "line 20", before)
    gate.open()
    stage.chat.wait_until_idle()
    expect(stage.chat.element.get_by_text("more 19", exact=True)).to_have_count(1)
    assert [asked.type for asked in stage.server.asked] == ["threads.create"]
    expect_events(stage.page, 1, "ready")


# Turns


def test_a_retry_cuts_what_follows_before_the_new_answer_begins(stage: Stage) -> None:
    gate = Gate()
    stage.show(*talk(0, 2), options="threadItemActions: {retry: true}")
    expect(stage.chat.answers).to_have_count(2)
    stage.server.on(
        "threads.retry_after_item",
        Stream([gate, {"type": "thread.item.done", "item": assistant_item("Better.", "new")}]),
    )
    stage.find("button", "Try again").click()
    expect(stage.chat.answers).to_have_count(1)
    expect(stage.chat.questions).to_have_count(2)
    expect(stage.chat.stop_button).to_be_visible()
    gate.open()
    expect(stage.chat.answers.last).to_have_text("Better.")
    [asked] = stage.server.asked_for("threads.retry_after_item")
    assert asked.params == {"thread_id": "thr_1", "item_id": "usr_1"}


def test_a_double_click_is_one_request_with_a_key_of_its_own(stage: Stage) -> None:
    gate = Gate()
    action = {"type": "order", "handler": "server", "streaming": True}
    card = widget({"type": "Button", "label": "Order", "onClickAction": action})
    # Only servers that the page says to resume are told anything of ours.
    stage.show(user_item("hi"), card, options="parlor: {resume: true}")
    stage.server.on("threads.custom_action", Stream([gate, {"type": "stream_options", "stream_options": {}}]))
    order = stage.chat.widgets.get_by_role("button", name="Order")
    order.dblclick()
    expect(stage.chat.transcript).to_have_attribute("aria-busy", "true")
    gate.open()
    stage.chat.wait_until_idle()
    assert len(stage.server.asked_for("threads.custom_action")) == 1
    order.click()
    stage.chat.wait_until_idle()
    asked = stage.server.asked_for("threads.custom_action", 2)
    assert len({each.body["metadata"]["idempotency_key"] for each in asked}) == len(asked) == 2


@pytest.mark.parametrize(
    ("error", "words", "buttons"),
    [
        ({"code": "custom", "message": "The printer is on fire.", "allow_retry": False}, "The printer is on fire.", 0),
        ({"code": "stream.error", "message": None, "allow_retry": True}, "Something went wrong", 1),
    ],
)
def test_an_error_says_its_words_and_offers_a_retry_only_where_it_may(
    stage: Stage, error: dict[str, Any], words: str, buttons: int
) -> None:
    stage.server.on("threads.create", Stream([*message_events("")[:2], {"type": "error", **error}]))
    stage.begin()
    stage.chat.ask("hi")
    expect(stage.chat.element.get_by_role("alert").filter(has_text=words)).to_be_visible()
    expect(stage.find("button", "Try again")).to_have_count(buttons)


def test_a_thread_that_cannot_be_opened_leaves_what_was_shown(stage: Stage, tolerated_errors: list[str]) -> None:
    tolerated_errors.append("404")
    stage.show(*talk(0, 1))
    expect(stage.chat.answers).to_have_count(1)
    stage.server.reset()
    stage.server.on("threads.get_by_id", Answer({"error": {"message": "Gone."}}, 404))
    stage.server.on("items.list", Answer({"error": {"message": "Gone."}}, 404))
    reason = stage.page.evaluate(
        "chat.setThreadId('thr_2').then(() => 'fine', error => [error instanceof Error, error.message])"
    )
    assert reason == [True, "Gone."]
    expect(stage.chat.answers).to_have_count(1)
    expect_events(stage.page, 2, "thread.load.start", "thread.load.end")
    expect_events(stage.page, 1, "thread.change")
    # The same thread again is no change.
    stage.server.reset()
    stage.keep(*talk(0, 1))
    stage.page.evaluate("chat.setThreadId('thr_1')")
    expect_events(stage.page, 1, "thread.change")


def test_opening_a_missing_thread_is_reported_by_an_error_event(stage: Stage, tolerated_errors: list[str]) -> None:
    tolerated_errors.append("404")
    stage.begin()
    stage.server.on("threads.get_by_id", Answer({"error": {"message": "Gone."}}, 404))
    stage.page.evaluate("chat.setThreadId('thr_2').catch(() => {})")
    stage.page.wait_for_function("() => seen.some(({name}) => name === 'error')")


def test_failing_callbacks_of_the_page_are_reported_and_break_nothing(stage: Stage) -> None:
    stage.show(
        QUESTION,
        item(
            "widget",
            "wi_1",
            widget={
                "type": "Card",
                "children": [{"type": "Button", "label": "Act", "onClickAction": {"type": "x", "handler": "client"}}],
            },
        ),
        options="""
            header: {leftAction: {icon: 'menu', onClick: () => { throw new Error('header') }},
                rightAction: {icon: 'star', onClick: async () => { throw new Error('later') }}},
            widgets: {onAction: () => { throw new Error('action') }},
            entities: {onTagSearch: () => { throw new Error('search') }, onClick: () => { throw new Error('click') },
                onRequestPreview: () => { throw new Error('preview') }},
            commands: {enabled: true, onSearch: async () => [{id: 'c', label: 'Clear'}],
                onSelect: () => { throw new Error('select') }}""",
    )
    page = stage.page

    def wait_for_error(message: str) -> None:
        page.wait_for_function("message => seen.some(({detail}) => detail?.error === message)", arg=message)

    for name, message in (("menu", "header"), ("star", "later"), ("Act", "action")):
        stage.find("button", name).click()
        wait_for_error(message)
    tag = stage.chat.questions.get_by_role("button", name="Bern")
    tag.click()
    wait_for_error("click")
    stage.chat.questions.get_by_role("button", name="Open map.png").focus()
    page.keyboard.press("Tab")
    expect(tag).to_be_focused()
    wait_for_error("preview")
    stage.chat.composer.press_sequentially("@a")
    wait_for_error("search")
    stage.chat.composer.fill("")
    stage.chat.composer.press_sequentially("/")
    stage.chat.element.get_by_role("option", name="Clear").click()
    wait_for_error("select")
    expect(stage.chat.composer).to_be_enabled()
    stage.chat.composer.fill("still here")
    stage.chat.composer.press("Enter")
    expect(stage.chat.answers).to_have_count(1)


def test_callbacks_that_return_nothing_count_as_not_given(stage: Stage) -> None:
    """React's wrappers return `undefined` for a function that has gone."""
    call = item("client_tool_call", "ct", status="pending", name="x", arguments={}, call_id="c")
    stage.server.on("threads.create", Stream([*message_events("")[:2], {"type": "thread.item.done", "item": call}]))
    stage.server.on(
        "threads.add_client_tool_output", Stream([{"type": "thread.item.done", "item": assistant_item("Fine.")}])
    )
    stage.begin(
        """onClientTool: () => undefined, entities: {onTagSearch: () => undefined, onRequestPreview: () => undefined},
        commands: {enabled: true, onSearch: () => undefined, onSelect: () => undefined}"""
    )
    stage.chat.composer.press_sequentially("@a")
    expect(stage.chat.element.get_by_text("Nothing found").first).to_be_visible()
    stage.chat.composer.fill("")
    stage.chat.composer.press_sequentially("/a")
    expect(stage.chat.element.get_by_text("No such command").first).to_be_visible()
    stage.chat.composer.fill("hi")
    stage.chat.composer.press("Enter")
    expect(stage.chat.answers).to_have_text(["Fine."])
    [asked] = stage.server.asked_for("threads.add_client_tool_output")
    assert asked.params["result"] == {}
    assert "error" not in names(stage.page)


# The list of chats


def test_a_chat_is_renamed_by_enter_and_by_leaving_the_field_but_not_by_escape(stage: Stage) -> None:
    stage.server.on("threads.update", Answer({**THREAD, "title": "x"}))
    history_panel(stage)
    field, page = stage.find("textbox", "Chat title"), stage.page
    expect(stage.find("button", "Untitled chat")).to_be_visible()
    for leave in ("Enter", "Escape", "Tab"):
        stage.chat.history.get_by_role("listitem").nth(1).hover()
        stage.chat.history.get_by_role("listitem").nth(1).get_by_role("button").nth(1).click()
        field.fill(f"Title {leave}")
        page.keyboard.press(leave)
        expect(field).to_have_count(0)
    expect(stage.chat.history).to_be_visible()
    assert [asked.params["title"] for asked in stage.server.asked_for("threads.update", 2)] == [
        "Title Enter",
        "Title Tab",
    ]


def test_the_list_loads_more_pages_and_asks_before_a_deletion(stage: Stage) -> None:
    history_panel(stage)
    stage.server.reset()
    stage.server.on(
        "threads.list", Answer({"data": [{**THREAD, "id": "thr_9", "title": "The last"}], "has_more": False})
    )
    stage.find("button", "Show more").click()
    expect(stage.find("button", "The last")).to_be_visible()
    expect(stage.find("button", "Show more")).to_have_count(0)
    assert stage.server.asked_for("threads.list")[0].params["after"] == "thr_3"
    stage.find("button", "Delete “A cake”").click()
    stage.find("button", "Cancel").click()
    assert stage.server.asked_for("threads.delete", at_least=0) == []
    stage.find("button", "Delete “A cake”").click()
    stage.find("button", "Delete").click()
    expect(stage.find("button", "A cake")).to_have_count(0)
    [asked] = stage.server.asked_for("threads.delete")
    # The one that was open: what is left is the start screen.
    assert asked.params == {"thread_id": "thr_1"}
    expect(
        stage.chat.element.get_by_role("heading", name="What can I help with today?", include_hidden=True)
    ).to_have_count(1)
    stage.page.wait_for_function("() => seen.findLast(({name}) => name === 'thread.change').detail.threadId === null")


def test_opening_and_closing_the_list_is_reported_once_whoever_does_it(stage: Stage) -> None:
    stage.begin()
    page = stage.page
    stage.chat.open_history()
    page.keyboard.press("Escape")
    expect(stage.chat.history).to_have_count(0)
    stage.chat.open_history()
    stage.find("button", "Close chat history").click()
    expect(stage.chat.history).to_have_count(0)
    page.evaluate("chat.showHistory().then(() => chat.showHistory())")
    page.evaluate("chat.hideHistory().then(() => chat.hideHistory())")
    told = ["history.open", "history.close"] * 3
    expect_value(page, lambda: [name for name in names(page) if name.startswith("history")], told)


def test_a_title_from_the_stream_reaches_header_and_list(stage: Stage) -> None:
    gate = Gate()
    titled = {"type": "thread.updated", "thread": {**THREAD, "title": "About rain"}}
    stage.server.on("threads.create", Stream([*message_events("Yes."), gate, titled]))
    stage.server.on("threads.list", Answer({"data": [THREAD], "has_more": False}))
    stage.begin()
    stage.chat.send("hi")
    expect(stage.chat.answers).to_have_count(1)
    stage.chat.open_history()
    expect(stage.find("button", "Untitled chat")).to_be_visible()
    gate.open()
    expect(stage.find("button", "About rain")).to_be_visible()
    stage.page.keyboard.press("Escape")
    expect(stage.find("heading", "About rain")).to_be_visible()
    expect(stage.chat.answers).to_have_count(1)


# What is below an answer


def test_a_copied_turn_is_markdown_with_the_words_of_its_widgets(stage: Stage) -> None:
    stage.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card = item("widget", "wi_1", widget={"type": "Card", "children": []}, copy_text="Bern: 7 °C")
    stage.show(QUESTION, assistant_item("It is **cold**."), card)
    stage.find("button", "Copy answer").click()
    expect(stage.find("button", "Copied")).to_be_visible()
    expect_clipboard(stage.page, "It is **cold**.\n\nBern: 7 °C")


def test_a_copied_question_has_the_words_of_its_tags(stage: Stage) -> None:
    stage.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stage.show(QUESTION, assistant_item("Yes."))
    bubble = stage.chat.element.locator("[part~=bubble]")
    expect(bubble.get_by_role("button", name="Bern").or_(bubble.get_by_text("Bern")).first).to_be_visible()
    stage.page.evaluate(SETTLE)
    wait_until_settled(stage.chat)
    box = bubble.bounding_box()
    assert box
    stage.page.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2)
    stage.page.mouse.down()
    stage.page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2, steps=5)
    stage.page.mouse.up()
    stage.page.keyboard.press("Control+C")
    expect_clipboard(stage.page, "What about Bern?")


def test_feedback_names_the_turn_and_is_taken_back_when_it_did_not_arrive(
    stage: Stage, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("500")
    stage.server.on("items.feedback", Answer({}, 500), Answer({}))
    stage.show(
        user_item("hi"),
        assistant_item("Yes."),
        assistant_item("And no.", "msg_2"),
        options="threadItemActions: {feedback: true}",
    )
    good = stage.find("button", "Good answer")
    good.click()
    expect(stage.chat.element.get_by_role("alert").first).to_contain_text("refused")
    expect(good).to_have_attribute("aria-pressed", "false")
    stage.find("button", "Bad answer").click()
    expect(stage.find("button", "Bad answer")).to_have_attribute("aria-pressed", "true")
    _, asked = stage.server.asked_for("items.feedback", 2)
    assert asked.params == {"thread_id": "thr_1", "item_ids": ["msg_1", "msg_2"], "kind": "negative"}


def test_several_secrets_are_not_asked_for_and_the_page_is_asked_at_once(page: Page, scripted: ScriptedServer) -> None:
    stage = Stage(page, scripted)
    stage.open()
    asked = page.evaluate(
        """() => {
            const chat = document.createElement('openai-chatkit');
            chat.style.cssText = 'opacity: 0; pointer-events: none; width: 0; height: 0';
            document.body.append(chat);
            window.secrets = [];
            const options = () => ({parlor: {baseUrl: '/chatkit'}, api: {getClientSecret: current => {
                secrets.push(current);
                // A callback that makes the page render again.
                if (secrets.length === 1) queueMicrotask(() => chat.setOptions(options()));
                return new Promise(done => setTimeout(done, 50, 'secret'));
            }}});
            chat.setOptions(options());
            window.chat = chat;
            return [...secrets];
        }"""
    )
    assert asked == [None]
    page.evaluate("Promise.allSettled([chat.sendUserMessage({text: 'hi'}), chat.showHistory()])")
    assert page.evaluate("secrets") == [None]
    expect_value(page, lambda: {each.headers.get("authorization") for each in scripted.asked}, {"Bearer secret"})
