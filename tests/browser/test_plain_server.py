"""The client with a plain chatkit-python server, without Parlor."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat, expect_events, expect_value, mount


@pytest.fixture
def asked_server(plain_server: str) -> str:
    return plain_server


@pytest.fixture
def chat(empty_page: Page) -> Chat:
    mount(empty_page, {"threadItemActions": {"retry": True, "feedback": True}})
    return Chat(empty_page)


def test_an_answer_streams_and_can_be_read_again(chat: Chat, page: Page) -> None:
    chat.ask("hello")
    expect(chat.answers).to_have_text(["Hello you, from a plain server."])
    expect(chat.element.get_by_role("heading", name="A greeting")).to_be_visible()
    page.evaluate("document.querySelector('openai-chatkit').setThreadId(null)")
    expect(chat.answers).to_have_count(0)
    history = chat.open_history()
    history.get_by_role("button", name="A greeting", exact=True).first.click()
    expect(chat.answers).to_have_text(["Hello you, from a plain server."])


def test_a_second_message_stays_in_the_thread(chat: Chat) -> None:
    chat.ask("one")
    chat.ask("two")
    expect(chat.questions).to_have_text(["one", "two"])
    expect(chat.answers).to_have_text(["You said: one", "You said: two"])


def test_retry_answers_the_last_message_again(chat: Chat) -> None:
    chat.ask("one")
    chat.element.get_by_role("button", name="Try again").click()
    chat.wait_until_idle()
    expect(chat.questions).to_have_count(1)
    expect(chat.answers).to_have_text(["You said: one"])


def test_feedback_is_shown_as_given(chat: Chat) -> None:
    chat.ask("one")
    good = chat.element.get_by_role("button", name="Good answer")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")


def test_actions_go_where_they_belong(chat: Chat, page: Page) -> None:
    chat.ask("card")
    page.evaluate(
        """() => {
            window.acted = [];
            document.querySelector('openai-chatkit').setOptions({
                api: {url: '/chatkit', domainKey: 'local'},
                widgets: {onAction: async (action, item) => {
                    acted.push([action.type, action.payload, item.widget.id]);
                    await document.querySelector('openai-chatkit').sendCustomAction(
                        {type: 'say', payload: {word: 'cheese'}}, item.id);
                }},
            });
        }"""
    )
    card = chat.widgets
    card.get_by_role("button", name="Count").click()
    expect(card).to_contain_text("Count: 1")
    card.get_by_role("button", name="Count").click()
    expect(card).to_contain_text("Count: 2")
    card.get_by_role("button", name="Replace").click()
    expect(card).to_contain_text("Count: 100")
    card.get_by_role("button", name="In the page").click()
    expect(chat.answers).to_have_text(["Asked to say cheese."])
    expect_value(page, lambda: page.evaluate("acted"), [["local", {"count": 100}, "counter"]])


def test_a_client_tool_is_called_once_within_one_turn(chat: Chat, page: Page) -> None:
    page.evaluate(
        """() => {
            window.called = [];
            document.querySelector('openai-chatkit').setOptions({
                api: {url: '/chatkit', domainKey: 'local'},
                onClientTool: async call => {
                    called.push(call);
                    return {now: 'noon'};
                },
            });
        }"""
    )
    chat.ask("tool")
    expect(chat.answers).to_have_text(["The page says: noon."])
    assert page.evaluate("called") == [{"name": "tell_time", "params": {"zone": "here"}}]
    expect_events(page, 1, "response.start", "response.end")


def test_effects_arrive_in_order(chat: Chat, page: Page) -> None:
    chat.ask("effect")
    effects = "seen.filter(({name}) => name === 'effect').map(({detail}) => detail)"
    told = [{"name": "first", "data": {"n": 1}}, {"name": "second", "data": {}}]
    expect_value(page, lambda: page.evaluate(effects), told)


def test_notices_and_errors_are_shown(chat: Chat, page: Page) -> None:
    chat.ask("notice")
    expect(chat.element.get_by_text("Careful")).to_be_visible()
    expect(chat.element.get_by_text("This is only a test.")).to_be_visible()
    chat.ask("trouble")
    expect(chat.element.get_by_text("The printer is on fire.")).to_be_visible()
    expect(chat.element.get_by_role("button", name="Try again").last).to_be_visible()
    expect_events(page, 2, "response.start", "response.end")


def test_a_server_that_fails_can_be_asked_again(chat: Chat) -> None:
    chat.ask("crash")
    expect(chat.questions).to_have_text(["crash"])
    expect(chat.element.get_by_role("alert").filter(has_text="Something went wrong")).to_be_visible()
    chat.ask("and now?")
    expect(chat.answers).to_have_text(["You said: and now?"])


def test_history_renames_and_deletes(chat: Chat, page: Page) -> None:
    chat.ask("hello")
    history = chat.open_history()
    current = history.get_by_role("listitem").filter(has=page.locator("[aria-current]"))
    current.get_by_role("button", name="Rename").click()
    history.get_by_role("textbox", name="Chat title").fill("Mine alone")
    history.get_by_role("textbox", name="Chat title").press("Enter")
    expect(chat.element.get_by_role("heading", name="Mine alone", include_hidden=True)).to_have_count(1)
    current.get_by_role("button", name="Delete").click()
    history.get_by_role("button", name="Delete", exact=True).click()
    expect(history.get_by_text("Mine alone")).to_have_count(0)
