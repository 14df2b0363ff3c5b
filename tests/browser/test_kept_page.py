"""The reused page of the browser tests: it is cleaned after each test, or replaced."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.chat import expect_value
from tests.browser.kept_page import KeptPage

TAKEN_AWAY = """() => {
    document.body.append(document.createElement('openai-chatkit'));
    document.head.append(Object.assign(document.createElement('meta'), {name: 'x'}));
    document.adoptedStyleSheets = [new CSSStyleSheet()];
    document.title = 'Another page';
    sessionStorage.draft = 'x';
    window.kept = () => {};
    seen.push('an event');
}"""
LEFT = (
    "performance.now = () => 0",
    "Object.defineProperty(navigator, 'mediaDevices', {configurable: true, value: {}})",
    "URL.createObjectURL = () => ''",
    "Element.prototype.animate = null",
    "delete window.fetch",
    "addEventListener('beforeunload', () => {})",
    "document.addEventListener('keydown', () => {})",
    "document.body.addEventListener('click', () => {})",
    "document.documentElement.dir = 'rtl'",
    "document.body.className = 'dark'",
    "location.href = '/page/none'",
)


def test_the_page_is_cleaned_after_a_test_or_replaced(empty_page: Page, asked_server: str, kept: KeptPage) -> None:
    address = f"{asked_server}/page/classic"
    empty_page.evaluate(TAKEN_AWAY)
    kept.give_back()
    assert kept.take(address, 1) == empty_page
    left = """() => [document.body.childElementCount, document.head.querySelectorAll('meta[name=x]').length,
        document.title,
        document.adoptedStyleSheets.length, sessionStorage.length, typeof window.kept, seen.length]"""
    assert empty_page.evaluate(left) == [0, 0, "A page", 0, 0, "undefined", 0]
    for leave in LEFT:
        page = kept.take(address, 1)
        page.evaluate(f"() => {{ {leave} }}")
        kept.give_back()
        assert page.is_closed(), leave
        assert kept.page != page


def test_a_page_of_another_size_or_medium_is_not_the_next_ones(
    empty_page: Page, asked_server: str, kept: KeptPage
) -> None:
    address = f"{asked_server}/page/classic"
    empty_page.set_viewport_size({"width": 320, "height": 640})
    kept.give_back()
    assert kept.take(address, 1).evaluate("innerWidth") == 1280
    empty_page.emulate_media(color_scheme="dark", reduced_motion="no-preference")
    kept.give_back()
    assert empty_page.is_closed()


def test_the_storage_of_a_reused_page_is_cleared(empty_page: Page, asked_server: str, kept: KeptPage) -> None:
    kept.clear_storage()
    page = kept.take(f"{asked_server}/page/classic", 1)
    assert page == empty_page
    page.evaluate("localStorage.draft = 'x'")
    kept.clear_storage()
    expect_value(page, lambda: page.evaluate("localStorage.length"), 0)
