"""`<openai-chatkit>` on an integrator's page: loading, mounting, moving, options and events."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import (
    RECORDER,
    Chat,
    add_script,
    eventually,
    expect_events,
    expect_value,
    frames,
    mount,
    names,
)
from tests.browser.servers.scripted import Answer, Gate, ScriptedServer, Stream, assistant_item, message_events

METHODS = [
    "focusComposer", "setThreadId", "sendUserMessage", "setComposerValue", "fetchUpdates", "sendCustomAction",
    "showHistory", "hideHistory",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _recorder(page: Page) -> None:
    page.add_init_script(RECORDER)


def open_blank(page: Page, scripted: ScriptedServer, how: str = "classic") -> Chat:
    page.goto(f"{scripted.url}/page/{how}")
    return Chat(page)


# Loading


@pytest.mark.parametrize("how", ["classic", "async", "defer", "module", "twice"])
def test_the_script_works_however_it_is_loaded(page: Page, scripted: ScriptedServer, how: str) -> None:
    chat = open_blank(page, scripted, how)
    mount(page)
    chat.ask("hello")
    expect(chat.answers).to_have_text(["A scripted answer."])


def test_every_page_of_these_tests_has_a_strict_policy(
    page: Page, scripted: ScriptedServer, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("TrustedHTML")
    response = page.goto(f"{scripted.url}/page/classic")
    assert response
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    # It is in force.
    result = page.evaluate("(() => { try { document.body.innerHTML = '<b>x</b>' } catch { return 'refused' } })()")
    assert result == "refused"


def test_the_script_alone_asks_nothing_and_leaves_no_global(page: Page, scripted: ScriptedServer) -> None:
    page.goto(f"{scripted.url}/page/none")
    before = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    add_script(page)
    frames(page)
    assert [url for url in requests if not url.endswith("chatkit.js")] == []
    assert scripted.asked == []
    # `litElementVersions` and its like are Lit's own; of ours there is at most one documented name.
    added = set(page.evaluate("Object.getOwnPropertyNames(window)")) - before
    assert {name for name in added if not name.startswith(("lit", "reactiveElement"))} <= {"ParlorChatKit"}


def test_markup_first_and_script_later(page: Page, scripted: ScriptedServer) -> None:
    page.goto(f"{scripted.url}/marked/none")
    page.evaluate("record(document.querySelector('#chat'))")
    add_script(page)
    frames(page)
    # Without options it asks for nothing and says nothing.
    assert scripted.asked == []
    assert names(page) == []
    page.evaluate("chat.setOptions({api: {url: '/chatkit', domainKey: 'x'}})")
    chat = Chat(page)
    chat.ask("hello")
    expect(chat.answers).to_have_text(["A scripted answer."])
    expect_value(page, lambda: names(page)[:1], ["ready"])


def test_options_set_as_a_property_before_the_script_are_kept(page: Page, scripted: ScriptedServer) -> None:
    page.goto(f"{scripted.url}/marked/none")
    page.evaluate("chat.options = {api: {url: '/chatkit', domainKey: 'x'}, startScreen: {greeting: 'Early bird'}}")
    add_script(page)
    expect(page.get_by_role("heading", name="Early bird")).to_be_visible()


# Ready


def test_ready_comes_once_and_late_enough_for_listeners_of_the_next_frame(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    heard = page.evaluate(
        """async () => {
            // A tab that draws nothing is ready after a while; that must not come before a busy machine's next frame.
            const wait = setTimeout;
            window.setTimeout = (run, pause, ...rest) => wait(run, pause && 100 * pause, ...rest);
            const chat = document.createElement('openai-chatkit');
            const options = {api: {url: '/chatkit', domainKey: 'x'}};
            document.body.append(chat);
            chat.setOptions(options);
            await Promise.resolve();
            // React attaches its listeners about now.
            await new Promise(done => requestAnimationFrame(done));
            let count = 0;
            const ready = new Promise(done => chat.addEventListener('chatkit.ready', event => {
                count += 1;
                done(event.detail);
            }));
            const detail = await ready;
            chat.setOptions({...options});
            await new Promise(done => wait(done, 50));
            return [count, detail];
        }"""
    )
    assert heard == [1, None]


def test_an_early_error_waits_for_ready_and_keeps_its_order(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    page.evaluate(
        """() => {
            const chat = document.createElement('openai-chatkit');
            document.body.append(chat);
            chat.setOptions({api: {}});
            record(chat);
        }"""
    )
    expect(page.get_by_role("alert").first).to_contain_text("api.url")
    page.wait_for_function("() => seen.length >= 2")
    frames(page)
    assert sorted(names(page)) == ["error", "ready"]


@pytest.mark.parametrize("hiding", ["hidden", "never drawn"])
def test_a_hidden_element_is_ready_too(page: Page, scripted: ScriptedServer, hiding: str) -> None:
    open_blank(page, scripted)
    ready = page.evaluate(
        """async hiding => {
            if (hiding !== 'hidden') window.requestAnimationFrame = () => 0;  // a tab that is never drawn
            const chat = document.createElement('openai-chatkit');
            chat.className = 'hidden';
            const ready = new Promise(done => chat.addEventListener('chatkit.ready', () => done(true)));
            chat.setOptions({api: {url: '/chatkit', domainKey: 'x'}});
            document.body.append(chat);
            return Promise.race([ready, new Promise(done => setTimeout(() => done(false), 20_000))]);
        }""",
        hiding,
    )
    assert ready is True


# Options


def test_set_options_again_asks_nothing_and_disturbs_nothing(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    options: dict[str, Any] = {"initialThread": "thr_7", "startScreen": {"greeting": "Hi"}}
    scripted.on("items.list", Answer({"data": [assistant_item("From before.")], "has_more": False}))
    mount(page, options)
    expect(chat.answers).to_have_text(["From before."])
    chat.composer.fill("a draft")
    chat.composer.evaluate("field => field.setSelectionRange(2, 2)")
    asked = len(scripted.asked)
    page.evaluate(
        """options => {
            const chat = document.querySelector('openai-chatkit');
            const same = {api: {url: '/chatkit', domainKey: 'local'}, ...options};
            for (let each = 0; each < 3; each += 1) chat.setOptions({...same});
            chat.setOptions({...same, initialThread: 'thr_8'});
        }""",
        options,
    )
    frames(page)
    assert len(scripted.asked) == asked
    expect(chat.composer).to_have_value("a draft")
    expect(chat.composer).to_be_focused()
    assert chat.composer.evaluate("field => field.selectionStart") == 2
    expect_events(page, 1, "ready")
    expect(chat.answers).to_have_text(["From before."])


def test_new_looks_do_not_interrupt_an_answer(page: Page, scripted: ScriptedServer) -> None:
    gate = Gate()
    events = message_events("All of it.")
    scripted.on("threads.create", Stream([*events[:2], gate, events[2]]))
    chat = open_blank(page, scripted)
    mount(page)
    chat.send("hi")
    expect(chat.stop_button).to_be_visible()
    page.evaluate(
        """() => document.querySelector('openai-chatkit').setOptions(
            {api: {url: '/chatkit', domainKey: 'local'}, theme: 'dark', locale: 'de-DE', header: {enabled: false}})"""
    )
    expect(chat.element.get_by_role("region")).not_to_have_css("background-color", "rgb(255, 255, 255)")
    expect(chat.element.get_by_role("button", name="Chat history")).to_have_count(0)
    gate.open()
    chat.wait_until_idle()
    expect(chat.answers).to_have_text(["All of it."])
    assert len(scripted.asked_for("threads.create")) == 1


def test_an_option_that_is_left_out_goes_back_to_its_default(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    mount(page, {"startScreen": {"greeting": "Special"}, "composer": {"placeholder": "Say it"}, "frameTitle": "Desk"})
    expect(page.get_by_role("heading", name="Special")).to_be_visible()
    expect(page.get_by_role("region", name="Desk")).to_be_visible()
    page.evaluate("document.querySelector('openai-chatkit').setOptions({api: {url: '/chatkit', domainKey: 'local'}})")
    expect(page.get_by_role("heading", name="What can I help with today?")).to_be_visible()
    expect(page.get_by_placeholder("Message the AI")).to_be_visible()
    expect(page.get_by_role("region", name="Chat")).to_be_visible()


def test_unknown_keys_are_logged_once_and_not_thrown(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    mount(page, {"fancyNewThing": {"x": 1}})
    page.evaluate(
        """() => document.querySelector('openai-chatkit').setOptions(
            {api: {url: '/chatkit', domainKey: 'local'}, fancyNewThing: {x: 2}})"""
    )
    frames(page)
    logged = (
        "seen.filter(({name, detail}) => name === 'log' && JSON.stringify(detail).includes('fancyNewThing')).length"
    )
    expect_value(page, lambda: page.evaluate(logged), 1)
    chat.ask("hello")
    expect(chat.answers).to_have_count(1)


def test_options_without_a_server_are_reported_and_not_thrown(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    wrong: list[Any] = [{}, {"api": None}, {"api": {"url": 5}}, {"api": {"url": ""}}, []]
    page.evaluate(
        """wrong => {
            for (const options of wrong) {
                const chat = document.createElement('openai-chatkit');
                chat.className = 'frame';
                record(chat);
                document.body.append(chat);
                chat.setOptions(options);
            }
        }""",
        wrong,
    )
    for at in range(len(wrong)):
        alert = page.locator("openai-chatkit").nth(at).get_by_role("alert")
        expect(alert.filter(has_text="api.url")).to_be_visible()
    page.wait_for_function(f"() => seen.filter(({{name}}) => name === 'error').length === {len(wrong)}")


def test_the_domain_key_is_never_sent(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.headers} {request.post_data}"))
    mount(page, {"api": {"url": "/chatkit", "domainKey": "domain_pk_secret"}})
    chat.ask("hello")
    chat.open_history()
    assert scripted.asked_for("threads.create")
    assert scripted.asked_for("threads.list")
    eventually(page, lambda: len([text for text in sent if "/chatkit " in text]) == 2)
    assert not [text for text in sent if "domain_pk_secret" in text]


# What goes over the wire


def test_a_request_is_one_post_with_nothing_but_the_protocol(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    mount(page, {"locale": "de-CH"})
    chat.ask("hello")
    [asked] = scripted.asked_for("threads.create")
    assert set(asked.body) <= {"type", "params", "metadata"}
    assert asked.params == {
        "input": {"content": [{"type": "input_text", "text": "hello"}], "attachments": [], "inference_options": {}}
    }
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept-language"].count(",") == 0
    usual = {
        "host", "connection", "content-length", "content-type", "accept", "accept-language", "accept-encoding",
        "origin", "referer", "user-agent",
    }  # fmt: skip
    assert {name for name in asked.headers if name not in usual and not name.startswith("sec-")} == set()


def test_a_plain_server_on_another_origin_needs_to_allow_no_header(
    page: Page, scripted: ScriptedServer, plain_server: str, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append(f"request to another origin: {plain_server}/chatkit")  # that is what is tested here
    chat = open_blank(page, scripted)
    mount(page, url=f"{plain_server}/chatkit")
    chat.ask("hello")
    expect(chat.answers).to_have_text(["Hello you, from a plain server."])


def test_the_pages_own_fetch_is_used_for_everything(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    page.evaluate(
        """async () => {
            window.calls = [];
            const chat = document.createElement('openai-chatkit');
            document.body.append(chat);
            chat.className = 'frame';
            chat.setOptions({api: {url: '/chatkit', domainKey: 'x', fetch: (url, init) => {
                calls.push([typeof url, typeof init.body, JSON.parse(init.body).type]);
                return fetch(url, {...init, headers: {...init.headers, Authorization: 'Bearer mine'}});
            }}});
        }"""
    )
    chat.ask("hello")
    chat.open_history()
    expect(chat.history).to_contain_text("Your chats will appear here.")
    calls = [["string", "string", "threads.create"], ["string", "string", "threads.list"]]
    expect_value(page, lambda: page.evaluate("calls"), calls)
    assert {asked.headers.get("authorization") for asked in scripted.asked} == {"Bearer mine"}


def test_the_bare_global_fetch_may_be_passed(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    page.evaluate(
        """() => {
            const chat = document.createElement('openai-chatkit');
            document.body.append(chat);
            chat.className = 'frame';
            chat.setOptions({api: {url: '/chatkit', domainKey: 'x', fetch: window.fetch}});
        }"""
    )
    chat.ask("hello")
    expect(chat.answers).to_have_text(["A scripted answer."])


# Methods and events


def test_every_method_returns_a_promise_even_before_the_options(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    result = page.evaluate(
        """names => {
            const chat = document.createElement('openai-chatkit');
            const isOnPrototype = names.every(name => name in Object.getPrototypeOf(chat));
            const arguments_ = {sendUserMessage: {text: 'x'}, setComposerValue: {text: 'x'}, setThreadId: null,
                sendCustomAction: {type: 'x'}};
            return [isOnPrototype, names.map(name => chat[name](arguments_[name]) instanceof Promise)];
        }""",
        METHODS,
    )
    assert result == [True, [True] * len(METHODS)]


def test_a_rejected_promise_without_a_handler_is_no_uncaught_error(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    mount(page)
    reason = page.evaluate(
        """async () => {
            const chat = document.querySelector('openai-chatkit');
            chat.sendCustomAction({type: 'x'});
            chat.sendUserMessage({text: ''});
            return chat.sendCustomAction({type: 'x'}).catch(error => error.message);
        }"""
    )
    assert "thread" in reason
    frames(page)  # the guard fails the test on an unhandled rejection


def test_events_say_what_happened_in_order_and_void_ones_carry_null(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    mount(page, {"composer": {"tools": [{"id": "t1", "label": "Search", "icon": "search"}]}})
    page.evaluate(
        """async () => {
            const chat = document.querySelector('openai-chatkit');
            await chat.sendUserMessage({text: 'hi'});
            await chat.showHistory();
            await chat.showHistory();
            await chat.hideHistory();
            await chat.setComposerValue({selectedToolId: 't1'});
            await chat.setThreadId(null);
        }"""
    )
    expect(chat.answers).to_have_count(0)
    told = [
        {"name": "ready", "detail": None},
        {"name": "response.start", "detail": None},
        {"name": "thread.change", "detail": {"threadId": "thr_1"}},
        {"name": "response.end", "detail": None},
        {"name": "history.open", "detail": None},
        {"name": "history.close", "detail": None},
        {"name": "tool.change", "detail": {"toolId": "t1"}},
        {"name": "thread.change", "detail": {"threadId": None}},
    ]
    expect_value(page, lambda: page.evaluate("seen.filter(({name}) => name !== 'log')"), told)


def test_methods_work_inside_ready_and_response_end(page: Page, scripted: ScriptedServer) -> None:
    chat = open_blank(page, scripted)
    page.evaluate(
        """() => {
            const chat = document.createElement('openai-chatkit');
            document.body.append(chat);
            chat.className = 'frame';
            let answered = 0;
            chat.addEventListener('chatkit.ready', () => chat.sendUserMessage({text: 'first'}));
            chat.addEventListener('chatkit.response.end', () => {
                answered += 1;
                if (answered === 1) chat.sendUserMessage({text: 'second'});
            });
            chat.setOptions({api: {url: '/chatkit', domainKey: 'x'}});
        }"""
    )
    expect(chat.questions).to_have_count(2)
    chat.wait_until_idle()
    [second] = scripted.asked_for("threads.add_user_message")
    assert second.params["thread_id"] == "thr_1"


def test_methods_reject_with_a_clear_error_while_an_answer_is_running(page: Page, scripted: ScriptedServer) -> None:
    gate = Gate()
    events = message_events("Done.")
    scripted.on("threads.create", Stream([*events[:2], gate, events[2]]))
    chat = open_blank(page, scripted)
    mount(page)
    chat.send("hi")
    expect(chat.stop_button).to_be_visible()
    reasons = page.evaluate(
        """async () => {
            const chat = document.querySelector('openai-chatkit');
            const tries = [
                chat.sendUserMessage({text: 'x'}), chat.setThreadId('thr_2'), chat.sendCustomAction({type: 'x'})];
            return Promise.all(tries.map(each => each.then(() => 'fine', error => error.message)));
        }"""
    )
    assert all("busy" in reason for reason in reasons), reasons
    gate.open()
    chat.wait_until_idle()


def test_an_unknown_initial_thread_leads_to_the_start_screen_and_an_error(
    page: Page, scripted: ScriptedServer, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("404")
    scripted.on("threads.get_by_id", Answer({"error": {"code": "not_found", "message": "Gone."}}, 404))
    scripted.on("items.list", Answer({"error": {"code": "not_found", "message": "Gone."}}, 404))
    open_blank(page, scripted)
    mount(page, {"initialThread": "thr_gone"})
    expect(page.get_by_role("heading", name="What can I help with today?")).to_be_visible()
    expect_events(page, 1, "error", "thread.load.start", "thread.load.end")


# In the document


def test_two_elements_on_a_page_do_not_know_each_other(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    mount(page, {"startScreen": {"greeting": "One"}, "theme": "dark"})
    mount(page, {"startScreen": {"greeting": "Two"}, "theme": "light"})
    one, two = (Chat(page, page.locator("openai-chatkit").nth(at)) for at in (0, 1))
    two.composer.fill("only here")
    one.ask("hello")
    expect(one.answers).to_have_text(["A scripted answer."])
    expect(two.element.get_by_role("heading", name="Two")).to_be_visible()
    expect(two.composer).to_have_value("only here")
    dark = one.element.get_by_role("region").evaluate("e => getComputedStyle(e).backgroundColor")
    expect(two.element.get_by_role("region")).not_to_have_css("background-color", dark)


def test_an_element_that_is_moved_keeps_thread_draft_and_running_answer(page: Page, scripted: ScriptedServer) -> None:
    gate = Gate()
    events = message_events("Still here.")
    scripted.on("threads.create", Stream([*events[:2], gate, events[2]]))
    chat = open_blank(page, scripted)
    mount(page)
    chat.send("hi")
    expect(chat.stop_button).to_be_visible()
    chat.composer.fill("a draft")
    page.evaluate(
        """() => {
            const frame = document.createElement('section');
            frame.className = 'frame';
            document.body.append(frame);
            frame.append(document.querySelector('openai-chatkit'));
        }"""
    )
    gate.open()
    chat.wait_until_idle()
    expect(chat.answers).to_have_text(["Still here."])
    expect(chat.composer).to_have_value("a draft")
    expect_events(page, 1, "ready")
    assert len(scripted.asked) == 1


def test_an_element_that_is_removed_leaves_no_stream_open(page: Page, scripted: ScriptedServer) -> None:
    endless = Stream([*message_events("")[:2], {"type": "progress_update", "text": "working"}], repeat=True)
    scripted.on("threads.create", endless)
    chat = open_blank(page, scripted)
    mount(page)
    chat.send("hi")
    expect(chat.stop_button).to_be_visible()
    page.evaluate("document.querySelector('openai-chatkit').remove()")
    assert endless.gone.wait(30)


def test_the_element_changes_nothing_of_itself_before_its_options(page: Page, scripted: ScriptedServer) -> None:
    page.goto(f"{scripted.url}/marked/classic")
    page.evaluate("chat.setAttribute('classname', 'chosen')")
    frames(page)
    assert page.evaluate("[chat.getAttributeNames(), chat.childNodes.length]") == [["id", "classname"], 0]
    page.evaluate("chat.setOptions({api: {url: '/chatkit', domainKey: 'x'}})")
    # React 18 writes `className` so; the class has to style the element nevertheless.
    expect(page.locator("#chat")).to_have_css("border-top-width", "7px")
    assert page.evaluate("chat.childNodes.length") == 0


def test_styles_of_the_page_do_not_leak_in_and_ours_not_out(page: Page, scripted: ScriptedServer) -> None:
    open_blank(page, scripted)
    page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(
                'body { font: italic 700 31px/3 serif; letter-spacing: 9px; text-transform: uppercase }' +
                'button { background: red !important } h2 { color: red !important }');
            document.adoptedStyleSheets = [sheet];
            const button = document.createElement('button');
            button.id = 'own';
            document.body.append(button);
        }"""
    )
    before = page.locator("#own").evaluate("e => getComputedStyle(e).font")
    mount(page, {"startScreen": {"greeting": "Plain", "prompts": [{"label": "A prompt", "prompt": "x"}]}})
    heading = page.get_by_role("heading", name="Plain")
    expect(heading).to_have_css("font-style", "normal")
    expect(heading).to_have_css("letter-spacing", re.compile("normal|-.*px"))
    expect(heading).to_have_css("text-transform", "none")
    expect(heading).not_to_have_css("color", "rgb(255, 0, 0)")
    expect(page.get_by_role("button", name="A prompt")).not_to_have_css("background-color", "rgb(255, 0, 0)")
    assert page.locator("#own").evaluate("e => getComputedStyle(e).font") == before


@pytest.mark.parametrize("width", [280, 2000])
def test_it_fits_where_it_is_put(page: Page, scripted: ScriptedServer, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    wide = "| " + " | ".join(f"column {each}" for each in range(12)) + " |\n|" + "---|" * 12 + "\n"
    scripted.on("threads.create", Stream(message_events(f"{wide}\n```\n{'x' * 300}\n```\n{'y' * 300}")))
    chat = open_blank(page, scripted)
    mount(page)
    chat.ask("z" * 300)
    chat.composer.fill("w" * 600)
    eventually(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= width)
    assert chat.transcript.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    box = chat.composer.bounding_box()
    assert box
    assert box["x"] + box["width"] <= width
