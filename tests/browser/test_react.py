"""`@openai/chatkit-react`, unmodified from the registry, with our script, under React 18 and 19."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat, expect_value
from tests.browser.servers.react_pages import build_react_pages

pytestmark = pytest.mark.parametrize("version", ["18", "19"])


@pytest.fixture(scope="module", autouse=True)
def _pages() -> None:
    build_react_pages()


@pytest.fixture
def open_react(page: Page, plain_server: str, version: str) -> Any:
    def open_page(how: str, script: str) -> Chat:
        file = "hydrated.html" if how == "hydrated" else "index.html"
        page.goto(f"{plain_server}/react/{version}/{file}?how={how}&script={script}")
        chat = Chat(page)
        expect(chat.element.get_by_role("heading", name="Hello from React")).to_be_visible()
        page.wait_for_function("() => window.seen?.includes('ready')")
        return chat

    return open_page


def seen(page: Page) -> list[Any]:
    result: list[Any] = page.evaluate("window.seen")
    return result


@pytest.mark.parametrize(("how", "script"), [("plain", "late"), ("strict", "before"), ("strict", "late")])
def test_it_mounts_is_ready_once_and_answers(page: Page, open_react: Any, how: str, script: str) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.method == "POST" else None)
    chat = open_react(how, script)
    assert requests == []
    # React 18 writes `className` as an attribute of that name.
    expect(chat.element).to_have_css("border-top-width", "7px")
    chat.element.get_by_role("button", name="Say hello").click()
    expect(chat.answers).to_have_text(["Hello you, from a plain server."])
    chat.wait_until_idle()
    expect_value(page, lambda: seen(page), ["ready", "response.start", ["thread.change", "an id"], "response.end"])
    assert len(requests) == 1


def test_hydration_gives_no_warning_and_keeps_the_element(page: Page, open_react: Any) -> None:
    page.add_init_script(
        """new MutationObserver(() => { window.served ??= document.querySelector('openai-chatkit') })
            .observe(document, {childList: true, subtree: true})"""
    )
    # The guard of every test fails it on a warning or an error in the console.
    chat = open_react("hydrated", "none")
    assert page.evaluate("served === document.querySelector('openai-chatkit')")
    expect(chat.element).to_have_css("border-top-width", "7px")
    assert seen(page) == ["ready"]
    chat.ask("hello")
    expect(chat.answers).to_have_text(["Hello you, from a plain server."])


def test_methods_callbacks_and_changing_options_work_through_the_hook(page: Page, open_react: Any) -> None:
    chat = open_react("strict", "before")
    page.evaluate("chat.sendUserMessage({text: 'tool'})")
    expect(chat.answers).to_have_text(["The page says: teatime."])
    chat.wait_until_idle()
    chat.composer.fill("a draft")
    page.evaluate("setDark(true)")
    expect(chat.element.get_by_role("region")).not_to_have_css("background-color", "rgb(255, 255, 255)")
    expect(chat.composer).to_have_value("a draft")
    expect(chat.answers).to_have_text(["The page says: teatime."])
    page.evaluate("chat.setComposerValue({text: 'card'}).then(() => chat.focusComposer())")
    expect(chat.composer).to_have_value("card")
    page.keyboard.press("Enter")
    chat.widgets.get_by_role("button", name="In the page").click()
    page.wait_for_function("() => window.seen.some(each => each[0] === 'action')")
    assert ["tool", {"name": "tell_time", "params": {"zone": "here"}}] in seen(page)
    assert seen(page).count("ready") == 1
    page.evaluate("chat.showHistory()")
    expect(chat.history).to_be_visible()


def test_an_unmounted_element_stops_and_a_new_one_starts(page: Page, open_react: Any) -> None:
    chat = open_react("strict", "before")
    page.evaluate("setShown(false)")
    expect(chat.element).to_have_count(0)
    page.evaluate("setShown(true)")
    expect(chat.element.get_by_role("heading", name="Hello from React")).to_be_visible()
    page.wait_for_function("() => window.seen.filter(each => each === 'ready').length === 2")
    chat.ask("hello")
    expect(chat.answers).to_have_text(["Hello you, from a plain server."])
