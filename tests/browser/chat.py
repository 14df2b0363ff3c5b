"""Actions and locators of a person who uses the chat; locators pierce open shadow roots."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

ANSWER_TIMEOUT_MS = 60_000
READY_TIMEOUT_MS = 30_000
EVENTUALLY_TIMEOUT_S = 30.0
POLLING_MS = 20
POINTING_TIMEOUT_MS = 3_000
MOST_POINTINGS = 10
SETTLE = (Path(__file__).parent / "inspections" / "settle.js").read_text(encoding="utf-8")
IS_IDLE = """chat => {
    const log = chat.shadowRoot.querySelector('parlor-messages')?.shadowRoot.querySelector('[role=log]');
    return log?.ariaBusy === 'false';
}"""


class Chat:
    """The chat on a page.

    Args:
        page: The browser's page.
        within: The element, if the page has several.
    """

    def __init__(self, page: Page, within: Locator | None = None) -> None:
        self.page = page
        self.element = within or page.locator("openai-chatkit")
        self.composer = self.element.get_by_role("textbox", name="Message")
        self.send_button = self.element.get_by_role("button", name="Send message")
        self.stop_button = self.element.get_by_role("button", name="Stop answering")
        self.transcript = self.element.get_by_role("log")
        self.questions = self.element.locator("[part~=message-user]")
        self.answers = self.element.locator("[part~=message-assistant]")
        self.widgets = self.element.locator("parlor-widget")
        # The history is a panel or, if the page enables it and is wide enough, a column.
        roles = [self.element.get_by_role(role, name="Chat history") for role in ("dialog", "navigation")]
        self.history = roles[0].or_(roles[1])

    def send(self, text: str) -> None:
        """Type a message and press Enter."""
        self.composer.fill(text)
        self.composer.press("Enter")

    def ask(self, text: str) -> None:
        """Send a message and wait for the complete answer."""
        before = self.questions.count()
        self.send(text)
        expect(self.questions).to_have_count(before + 1)
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until no answer is running."""
        # `expect` polls only once per second.
        self.page.wait_for_function(
            IS_IDLE, arg=self.element.element_handle(), timeout=ANSWER_TIMEOUT_MS, polling=POLLING_MS
        )

    def open_history(self) -> Locator:
        """Open the list of chats, if it is not open."""
        opener = self.element.get_by_role("button", name="Chat history", exact=True)
        expect(opener.or_(self.history).first).to_be_visible()
        if not self.history.is_visible():
            opener.click()
        expect(self.history).to_be_visible()
        return self.history


def eventually(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for a condition outside of the page, such as the state of a server, while the page keeps running.

    Raises:
        AssertionError: When the condition is not true within `EVENTUALLY_TIMEOUT_S`.
    """
    deadline = time.monotonic() + EVENTUALLY_TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, f"it did not hold within {EVENTUALLY_TIMEOUT_S:.0f} s"
        page.wait_for_timeout(POLLING_MS)


def expect_value(page: Page, read: Callable[[], object], wanted: object) -> None:
    """Wait until `read` returns `wanted`, e.g. for events of the page, a position, or requests to a server.

    Raises:
        AssertionError: When the value still differs after `EVENTUALLY_TIMEOUT_S`; it shows the last value.
    """
    deadline = time.monotonic() + EVENTUALLY_TIMEOUT_S
    while (value := read()) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(POLLING_MS)
    assert value == wanted


def expect_events(page: Page, count: int, *wanted: str) -> None:
    """Wait until the element has dispatched each of these events exactly `count` times."""
    expect_value(page, lambda: {name: names(page).count(name) for name in wanted}, dict.fromkeys(wanted, count))


def expect_clipboard(page: Page, text: str) -> None:
    """Wait until the clipboard contains this text, which another process writes."""
    page.wait_for_function("async text => (await navigator.clipboard.readText()).trim() === text", arg=text)


def frames(page: Page, count: int = 3) -> None:
    """Wait for some frames, and for the tasks after them."""
    page.evaluate(
        """async count => {
            for (let each = 0; each < count; each += 1) await new Promise(done => requestAnimationFrame(done));
            await new Promise(done => setTimeout(done, 0));
        }""",
        count,
    )


def wait_until_settled(chat: Chat) -> None:
    """Wait until the transcript has stopped scrolling and growing."""
    chat.page.evaluate(AT_REST, chat.transcript.element_handle())


AT_REST = """async scroller => {
    const frame = () => new Promise(done => requestAnimationFrame(done));
    const look = () => [scroller.scrollTop, scroller.scrollHeight, scroller.clientHeight].join();
    for (let still = 0, last = '', limit = 0; still < 6 && limit < 600; limit += 1) {
        await frame();
        still = look() === last ? still + 1 : 0;
        last = look();
    }
}"""
SCROLLED_AND_AT_REST = """async ([scroller, before]) => {
    const frame = () => new Promise(done => requestAnimationFrame(done));
    for (let limit = 0; scroller.scrollTop === before && limit < 600; limit += 1) await frame();
    for (let still = 0, last = -1, limit = 0; still < 6 && limit < 600; limit += 1) {
        await frame();
        still = scroller.scrollTop === last ? still + 1 : 0;
        last = scroller.scrollTop;
    }
    return scroller.scrollTop - before;
}"""


def wheel(chat: Chat, pixels: int) -> None:
    """Scroll the transcript with the mouse wheel, and wait until it has moved and stopped."""
    chat.transcript.hover()
    before = chat.transcript.evaluate("scroller => scroller.scrollTop")
    chat.page.mouse.wheel(0, pixels)
    moved = chat.page.evaluate(SCROLLED_AND_AT_REST, [chat.transcript.element_handle(), before])
    assert moved, "the wheel has moved nothing"


def point_at(place: Locator, shown: Locator) -> None:
    """Hover over `place` until `shown` is visible; hover again if the place has moved."""
    for _ in range(MOST_POINTINGS):
        place.hover()
        try:
            expect(shown).to_be_visible(timeout=POINTING_TIMEOUT_MS)
        except AssertionError:
            place.page.mouse.move(0, 0)
        else:
            return
    raise AssertionError(f"resting on {place} does not show {shown}")


def shown_text(locator: Locator) -> str:
    """Return the text of an element, including its shadow roots."""
    text: str = locator.evaluate(
        """node => {
            const texts = [];
            const walk = node => {
                if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
                for (const child of (node.shadowRoot ?? node).childNodes) walk(child);
            };
            walk(node);
            return texts.join(' ').replace(/\\s+/g, ' ').trim();
        }"""
    )
    return text


def mount(
    page: Page,
    options: dict[str, Any] | None = None,
    *,
    url: str = "/chatkit",
    target: str = "body",
    limit_ms: int = READY_TIMEOUT_MS,
) -> None:
    """Add an element to the page, record its events in `window.seen`, and wait until it is ready.

    Raises:
        playwright.sync_api.Error: When the script or the event `chatkit.ready` does not arrive in time.
    """
    page.evaluate(
        """async ([options, url, target, limit]) => {
            const inTime = (promise, what) => {
                let timer;
                const late = new Promise((_, fail) => {
                    timer = setTimeout(() => fail(new Error(`${what} within ${limit} ms`)), limit);
                });
                return Promise.race([promise, late]).finally(() => clearTimeout(timer));
            };
            await inTime(customElements.whenDefined('openai-chatkit'), 'no script defined <openai-chatkit>');
            const frame = document.createElement('div');
            frame.className = 'frame';
            document.querySelector(target).append(frame);
            const chat = document.createElement('openai-chatkit');
            record(chat);
            const ready = new Promise(resolve => chat.addEventListener('chatkit.ready', resolve, {once: true}));
            chat.setOptions({api: {url, domainKey: 'local'}, ...options});
            frame.append(chat);
            await inTime(ready, 'chatkit.ready did not come');
        }""",
        [options or {}, url, target, limit_ms],
    )


def configure(page: Page, literal: str) -> None:
    """Set the options of the only element, given as the members of a JavaScript object."""
    page.evaluate(
        "() => document.querySelector('openai-chatkit')"
        f".setOptions({{api: {{url: '/chatkit', domainKey: 'local'}}, {literal}}})"
    )


def add_script(page: Page) -> None:
    """Load the client into a page without it, by a trusted URL, as the page's policy requires."""
    page.evaluate(
        """() => {
            const policy = trustedTypes.createPolicy('the page itself', {createScriptURL: url => url});
            const script = document.createElement('script');
            script.src = policy.createScriptURL('/dist/chatkit.js');
            const failed = new Promise((_, fail) => {
                script.onerror = () => fail(new Error('the script could not be fetched'));
            });
            document.head.append(script);
            return Promise.race([customElements.whenDefined('openai-chatkit').then(() => {}), failed]);
        }"""
    )


RECORDER = """
window.seen = [];
window.record = chat => {
    for (const name of ['ready', 'error', 'log', 'effect', 'deeplink', 'response.start', 'response.end',
        'thread.change', 'thread.load.start', 'thread.load.end', 'tool.change', 'history.open', 'history.close']) {
        chat.addEventListener('chatkit.' + name, event => {
            const detail = event.detail === null ? null
                : event.detail.error ? {error: String(event.detail.error.message)} : event.detail;
            seen.push({name, detail});
        });
    }
};
"""


def names(page: Page) -> list[str]:
    """Return the names of the element's events so far, in order."""
    result: list[str] = page.evaluate("seen.map(({name}) => name)")
    return result
