"""Options of Parlor's own client, under `parlor`: persistent drafts, and a style sheet for the shadow root."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.chat import Chat, eventually, expect_value, mount
from tests.browser.servers.pages import INSIDE
from tests.browser.servers.scripted import ScriptedServer, assistant_item, user_item
from tests.browser.stage import Stage
from tests.browser.states import STATES

# Which elements have an outline of the page's, by the tag of the shadow root that they are in.
OUTLINED = """() => {
    const found = new Set();
    const walk = (root, host) => {
        for (const each of root.querySelectorAll('*')) {
            if (getComputedStyle(each).outlineOffset === '77px') found.add(host);
            if (each.shadowRoot) walk(each.shadowRoot, each.localName);
        }
    };
    walk(document, 'document');
    return [...found].sort();
}"""
LOGGED = "seen.filter(({name}) => name === 'log').map(({detail}) => detail.name)"


def start(stage: Stage, parlor: dict[str, Any] | None = None, **options: Any) -> Chat:
    mount(stage.page, {**options, **({"parlor": parlor} if parlor else {})})
    return stage.chat


def count_stored(page: Page) -> int:
    count: int = page.evaluate("sessionStorage.length + localStorage.length")
    return count


def test_a_draft_outlives_a_reload_until_it_is_sent(stage: Stage) -> None:
    chat, page = start(stage, {"drafts": True}), stage.page
    chat.composer.fill("For a new chat")
    stage.keep(user_item("hi"), assistant_item("Yes."))
    page.evaluate("document.querySelector('openai-chatkit').setThreadId('thr_1')")
    expect(chat.composer).to_have_value("")
    chat.composer.fill("For this one")
    page.reload()
    start(stage, {"drafts": True}, initialThread="thr_1")
    expect(chat.composer).to_have_value("For this one")
    page.reload()
    start(stage, {"drafts": True})
    expect(chat.composer).to_have_value("For a new chat")
    chat.composer.press("Enter")
    chat.wait_until_idle()
    expect(chat.composer).to_have_value("")
    page.reload()
    start(stage, {"drafts": True})
    expect(chat.composer).to_have_value("")
    # The other one is still there, for its thread.
    eventually(page, lambda: count_stored(page) == 1)


def test_without_the_option_nothing_is_kept(stage: Stage) -> None:
    chat = start(stage)
    chat.composer.fill("Not for long")
    assert count_stored(stage.page) == 0
    stage.page.reload()
    start(stage)
    expect(chat.composer).to_have_value("")


@pytest.mark.parametrize("given", [INSIDE.replace("[part~='composer']", "*"), "/inside.css"])
def test_a_style_sheet_of_the_page_reaches_everything_in_the_chat_and_nothing_else(stage: Stage, given: str) -> None:
    stage.page.evaluate("given => { window.given = given }", given)
    is_text = "{" in given
    for state in ("conversation", "history_panel", "widget_form") if is_text else ("conversation",):
        STATES[state](stage)
        stage.page.evaluate("configure({...options, parlor: {stylesheet: given}})")
        # A policy without `unsafe-inline` and with Trusted Types is in force.
        stage.page.wait_for_function(
            "() => chat.shadowRoot.adoptedStyleSheets.at(-1).cssRules[0]?.cssText.includes('77px')"
        )
        expected = {
            "conversation": [
                "parlor-composer",
                "parlor-header",
                "parlor-markdown",
                "parlor-message",
                "parlor-messages",
            ],
            "history_panel": ["parlor-history"],
            "widget_form": ["parlor-widget"],
        }[state]
        if is_text:
            expect_value(
                stage.page,
                lambda: [tag for tag in stage.page.evaluate(OUTLINED) if tag in (*expected, "document")],  # noqa: B023
                expected,
            )
        else:
            expect_value(stage.page, lambda: stage.page.evaluate(OUTLINED), ["parlor-composer"])
        stage.page.evaluate("configure({...options, parlor: {}})")
        expect_value(stage.page, lambda: stage.page.evaluate(OUTLINED), [])
        stage.clear()


@pytest.mark.new_page
def test_a_style_sheet_is_not_fetched_from_another_origin(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    start(stage, {"stylesheet": "https://elsewhere.example/inside.css"})
    stage.page.wait_for_function(f"() => {LOGGED}.includes('stylesheet.failed')")
    assert [url for url in asked if url.endswith(".css")] == []


def test_a_page_without_the_script_says_so_in_time(page: Page, scripted: ScriptedServer) -> None:
    page.goto(f"{scripted.url}/page/none")
    with pytest.raises(Error, match="no script defined <openai-chatkit> within 50 ms"):
        mount(page, limit_ms=50)
