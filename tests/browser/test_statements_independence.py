"""Statements 175 to 180: no other origin, no trace in the browser, and what happens when something is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from infra.client_build import ROOT
from tests.browser.chat import RECORDER, Chat, eventually, mount, names
from tests.browser.samples import RICH_ANSWER
from tests.browser.servers.scripted import Answer, ScriptedServer, assistant_item, user_item
from tests.browser.stage import Stage
from tests.browser.states import STATES

# What has been fetched before, for another test, would be there already.
pytestmark = pytest.mark.new_page

FORMULA = "A sum: $$\\sum_{i=1}^{n} i$$ and\n\n```python\ndef f() -> int:\n    return 1\n```"


def test_every_state_is_drawn_from_two_addresses_only_and_leaves_no_trace(stage: Stage) -> None:
    """The guard of every test fails on a request to any other origin; here is what may be asked of ours."""
    asked: set[str] = set()
    stage.page.on("request", lambda request: asked.add(path_of(request)))
    for name in (
        "start_screen",
        "conversation",
        "history_panel",
        "widgets",
        "workflow_open",
        "mentions",
        "entity_popover",
    ):
        STATES[name](stage)
        stage.clear()
    stage.show(user_item("x"), assistant_item(FORMULA))
    expect(stage.chat.answers.locator(".katex")).to_be_visible()
    expect(stage.chat.answers.locator("code [class^=hljs]").first).to_be_attached()
    # Fonts of formulas come from us too, and not before the formula is drawn.
    eventually(stage.page, lambda: any(path.endswith(".woff2") for path in asked))
    stage.page.evaluate("document.fonts.ready.then(() => {})")
    strangers = {path for path in asked if not path.startswith(("/chatkit", "/dist/"))}
    assert strangers == set()
    kept = stage.page.evaluate(
        "async () => [document.cookie, localStorage.length, sessionStorage.length, "
        "(await indexedDB.databases()).length, "
        "(await caches.keys()).length, (await navigator.serviceWorker?.getRegistrations() ?? []).length]"
    )
    assert kept == ["", 0, 0, 0, 0, 0]


def path_of(request: Request) -> str:
    if request.url.startswith(("data:", "blob:")):
        return "/chatkit"
    return "/" + request.url.split("/", 3)[3]


def test_without_the_server_one_can_write_try_again_and_loses_nothing(
    stage: Stage, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("ERR_")
    page = stage.page
    page.route("**/chatkit", lambda route: route.abort("connectionrefused"))
    stage.begin("startScreen: {greeting: 'Welcome'}")
    expect(stage.find("heading", "Welcome")).to_be_visible()
    stage.chat.send("a precious question")
    again = stage.find("button", "Try again")
    expect(again).to_be_visible()
    expect(stage.chat.questions).to_have_text(["a precious question"])
    stage.chat.composer.fill("the next one")
    stage.chat.open_history()
    failed = stage.chat.history.get_by_role("alert")
    expect(failed).to_be_visible()
    page.unroute("**/chatkit")
    stage.server.on("threads.list", Answer({"data": [], "has_more": False}))
    failed.get_by_role("button", name="Try again").click()
    expect(stage.chat.history.get_by_text("Your chats will appear here.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(stage.chat.composer).to_have_value("the next one")
    again.click()
    expect(stage.chat.answers).to_have_text(["A scripted answer."])
    expect(stage.chat.questions).to_have_text(["a precious question"])
    expect(stage.chat.composer).to_have_value("the next one")


def test_parts_that_cannot_be_fetched_leave_plain_text_and_come_later(
    stage: Stage, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("ERR_FAILED")

    def refuse(route: Route) -> None:
        route.abort()

    page = stage.page
    page.route("**/dist/**/*", refuse)
    stage.show(user_item("x"), assistant_item(FORMULA), RICH_ANSWER)
    expect(stage.chat.answers.first).to_contain_text("\\sum_{i=1}^{n} i")
    expect(stage.chat.answers.first).to_contain_text("return 1")
    assert stage.chat.answers.locator(".katex").count() == 0
    assert stage.chat.answers.locator("code [class^=hljs]").count() == 0
    missing = stage.chat.element.get_by_text("A part of the chat could not be loaded.").first
    expect(missing).to_be_visible()
    stage.find("button", "Chat history").click()
    expect(stage.chat.element.get_by_role("alert").filter(has_text="Problem")).to_be_visible()
    page.unroute("**/dist/**/*", refuse)
    # A pause comes between two attempts; here it is over at once.
    page.evaluate("() => { const now = performance.now.bind(performance); performance.now = () => now() + 60_000; }")
    stage.chat.open_history()
    page.keyboard.press("Escape")
    stage.page.evaluate("chat.setThreadId(null).then(() => chat.setThreadId('thr_1'))")
    expect(stage.chat.answers.locator(".katex").first).to_be_visible()
    expect(stage.chat.answers.locator("code [class^=hljs]").first).to_be_attached()


def test_a_word_without_suggestions_after_a_failed_request_is_sent_as_typed(
    stage: Stage, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("ERR_FAILED")
    stage.page.route("**/dist/parts/suggestions-*", lambda route: route.abort())
    stage.begin("entities: {onTagSearch: async () => [{id: 'p1', title: 'Ada'}]}")
    stage.chat.composer.press_sequentially("Ask @ad")
    expect(stage.chat.element.get_by_text("A part of the chat could not be loaded.").first).to_be_visible()
    stage.chat.composer.press("Enter")
    expect(stage.chat.questions).to_have_text(["Ask @ad"])


@pytest.mark.parametrize("kind", ["versioned", "alias"])
def test_the_published_file_has_the_published_integrity(page: Page, scripted: ScriptedServer, kind: str) -> None:
    manifest: dict[str, Any] = json.loads((ROOT / "static" / "dist" / "manifest.json").read_text(encoding="utf-8"))
    files = {each["name"]: each["integrity"] for each in manifest["files"]}
    name = "chatkit.js" if kind == "alias" else next(each for each in files if each.startswith("chatkit-"))
    page.add_init_script(RECORDER)
    page.goto(f"{scripted.url}/page/none")
    page.evaluate(
        """([name, integrity]) => {
            const policy = trustedTypes.createPolicy('the page itself', {createScriptURL: url => url});
            const script = document.createElement('script');
            Object.assign(script, {integrity, crossOrigin: 'anonymous', src: policy.createScriptURL('/dist/' + name)});
            document.head.append(script);
            return customElements.whenDefined('openai-chatkit').then(() => {});
        }""",
        [name, files[name]],
    )
    mount(page)
    Chat(page).ask("hello")
    # Its parts are found beside it under either name.
    page.evaluate("document.querySelector('openai-chatkit').showHistory()")
    expect(Chat(page).history).to_be_visible()


def test_a_script_that_was_changed_on_its_way_does_not_run(
    page: Page, scripted: ScriptedServer, tolerated_errors: list[str]
) -> None:
    tolerated_errors.append("integrity")
    page.goto(f"{scripted.url}/page/none")
    outcome = page.evaluate(
        """() => new Promise(done => {
            const policy = trustedTypes.createPolicy('the page itself', {createScriptURL: url => url});
            const script = document.createElement('script');
            Object.assign(script, {integrity: 'sha384-AAAA', src: policy.createScriptURL('/dist/chatkit.js'),
                onload: () => done('ran'), onerror: () => done('refused')});
            document.head.append(script);
        })"""
    )
    assert outcome == "refused"


def test_a_neutral_name_for_the_same_element_works_too(page: Page, scripted: ScriptedServer) -> None:
    page.goto(f"{scripted.url}/page/classic")
    page.evaluate(
        """async () => {
            const chat = document.createElement('parlor-chat');
            document.body.append(chat);
            chat.setOptions({api: {url: '/chatkit', domainKey: 'x'}, startScreen: {greeting: 'Same'}});
        }"""
    )
    expect(page.locator("parlor-chat").get_by_role("heading", name="Same")).to_be_visible()


def test_nothing_is_fetched_again_for_an_element_that_comes_back(stage: Stage) -> None:
    stage.show(user_item("x"), assistant_item("Yes."))
    expect(stage.chat.answers).to_have_count(1)
    before = len(stage.server.asked)
    stage.page.evaluate(
        """() => {
            const frame = document.querySelector('.frame');
            chat.remove();
            return new Promise(done => setTimeout(() => { frame.append(chat); done(); }, 50));
        }"""
    )
    expect(stage.chat.answers).to_have_text(["Yes."])
    stage.chat.ask("and now?")
    assert [asked.type for asked in stage.server.asked[before:]] == ["threads.add_user_message"]
    assert names(stage.page).count("ready") <= 1
