"""Printing: the whole conversation is printed, from the built-in page and from embedding pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.servers.scripted import THREAD, Answer, assistant_item, user_item
from tests.browser.stage import Stage

LONG = [
    item
    for n in range(12)
    for item in (user_item(f"Q{n}", f"u{n}"), assistant_item(f"Said {n}.\n\n" * 40 + f"End of {n}.", f"a{n}"))
]
MEASURE = """() => {
    dispatchEvent(new Event('beforeprint'));
    const chat = document.querySelector('openai-chatkit');
    const messages = chat.shadowRoot.querySelector('parlor-messages').shadowRoot;
    const scroller = messages.querySelector('.scroller');
    const exchanges = [...messages.querySelectorAll('.exchange')];
    const last = exchanges.at(-1).getBoundingClientRect().bottom + scrollY;
    const composer = chat.shadowRoot.querySelector('parlor-composer');
    const found = {
        hidden: scroller.scrollHeight - scroller.clientHeight,
        beyond: last - document.documentElement.scrollHeight,
        height: last,
        drawn: exchanges.every(exchange => exchange.checkVisibility({contentVisibilityAuto: true})),
        composer: composer.checkVisibility(),
        background: getComputedStyle(chat.shadowRoot.querySelector('.root')).backgroundColor,
    };
    dispatchEvent(new Event('afterprint'));
    return found;
}"""


def _expect_whole(page: Page) -> None:
    expect(page.get_by_text("End of 11.")).to_be_attached()
    page.emulate_media(media="print")
    found = page.evaluate(MEASURE)
    page.emulate_media(media="screen")
    assert found["hidden"] <= 1
    assert found["beyond"] <= 1
    assert found["height"] > 6_000
    assert found["drawn"]
    assert not found["composer"]
    assert found["background"] == "rgb(255, 255, 255)"


def test_a_chat_in_a_window_of_somebody_elses_page_is_printed_whole(stage: Stage) -> None:
    stage.show(*LONG)
    stage.page.evaluate("repaint('dark')")
    stage.page.evaluate(
        """() => {
            document.body.style.cssText = 'height: 100vh; overflow: hidden; display: grid';
            document.querySelector('.frame').style.cssText =
                'position: fixed; inset: auto 20px 20px auto; width: 400px; height: 500px; overflow: hidden';
            chat.style.cssText = 'height: 100%';
        }"""
    )
    before = stage.page.evaluate("document.querySelector('.frame').outerHTML.slice(0, 200)")
    _expect_whole(stage.page)
    assert stage.page.evaluate("document.querySelector('.frame').outerHTML.slice(0, 200)") == before


def test_paper_says_that_earlier_messages_are_not_on_it(stage: Stage) -> None:
    stage.server.on("threads.get_by_id", Answer(THREAD))
    stage.server.on("items.list", Answer({"data": LONG[::-1], "has_more": True, "after": "u0"}))
    stage.begin("initialThread: 'thr_1'")
    note = stage.chat.element.get_by_text("Earlier messages were not loaded, and are not printed.")
    expect(stage.chat.answers.last).to_contain_text("End of 11.")
    expect(note).to_be_hidden()
    stage.page.emulate_media(media="print")
    expect(note).to_be_visible()
    stage.page.emulate_media(media="screen")


def test_printing_by_the_keyboard_includes_earlier_messages(stage: Stage) -> None:
    stage.server.on("threads.get_by_id", Answer(THREAD))
    pages = [(LONG[8:], "u4"), (LONG[4:8], "u2"), (LONG[:4], None)]
    answers = [Answer({"data": items[::-1], "has_more": after is not None, "after": after}) for items, after in pages]
    stage.server.on("items.list", *answers)
    stage.begin("initialThread: 'thr_1'")
    expect(stage.chat.answers.last).to_contain_text("End of 11.")
    stage.page.evaluate(
        """() => {
            const words = node => node.data ?? [...(node.shadowRoot ?? node).childNodes].map(words).join('');
            window.print = () => { window.printed = words(chat); };
        }"""
    )
    stage.page.keyboard.press("Control+p")
    stage.page.wait_for_function("() => window.printed")
    printed = stage.page.evaluate("window.printed")
    assert [n for n in range(12) if f"End of {n}." in printed] == list(range(12))


def test_the_page_of_parlor_is_printed_whole(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/?use_case=weather")
    chat = Chat(page)
    expect(chat.composer).to_be_visible()
    for _ in range(3):
        chat.ask("weather in Bern")
    page.emulate_media(media="print", color_scheme="dark")
    found = page.evaluate(MEASURE)
    assert found["hidden"] <= 1
    assert found["beyond"] <= 1
    assert not found["composer"]
    expect(page.get_by_role("banner").get_by_role("navigation")).to_be_hidden()
