"""A page for one chat after the other, in front of a scripted server."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.chat import Chat
from tests.browser.servers.scripted import THREAD, Answer, Gate, ScriptedServer

SETUP = """() => {
window.options = {};
window.never = () => new Promise(() => {});
/** Puts the only element of the page in, with these options. */
window.begin = options => {
    document.querySelector('.frame')?.remove();
    const place = document.createElement('div');
    place.className = 'frame';
    document.body.append(place);
    const chat = document.createElement('openai-chatkit');
    window.chat = chat;
    const ready = new Promise((done, fail) => {
        chat.addEventListener('chatkit.ready', () => done(), {once: true});
        setTimeout(fail, 20_000, new Error('the chat was never ready'));
    });
    place.append(chat);
    configure(options);
    return ready;
};
window.configure = (options, theme = 'light') => {
    window.options = options;
    chat.setOptions({...options, api: {url: '/chatkit', domainKey: 'x', ...options.api}, theme});
};
window.repaint = theme => configure(window.options, theme);
}
"""


class Stage:
    """An empty page with our script, and the server behind it."""

    def __init__(self, page: Page, server: ScriptedServer) -> None:
        self.page = page
        self.server = server
        self.chat = Chat(page)
        self.gate = Gate()

    def open(self) -> None:
        """Load the page, once for all states."""
        self.page.goto(f"{self.server.url}/page/classic")
        self.set_up()

    def set_up(self) -> None:
        """Define the functions on the page that the other methods use."""
        # With a time limit, since nothing else would end the wait for a missing script.
        self.page.evaluate(
            """() => Promise.race([customElements.whenDefined('openai-chatkit').then(() => {}), new Promise(
                (_, reject) => setTimeout(reject, 20_000, new Error('the script did not come')))])"""
        )
        self.page.evaluate(SETUP)

    def begin(self, options: str = "") -> None:
        """Replace the element with a new one; the options are the members of a JavaScript object."""
        self.page.evaluate(f"begin({{{options}}})")

    def clear(self) -> None:
        """Remove the element and reset the server for the next state."""
        self.gate.open()
        self.gate = Gate()
        self.page.evaluate("document.querySelector('.frame')?.remove()")
        self.server.reset()

    def keep(self, *items: dict[str, Any], thread: dict[str, Any] | None = None) -> None:
        """Script the server to have one thread with these items, oldest first."""
        self.server.on("threads.get_by_id", Answer({**THREAD, "title": "A trip to Bern", **(thread or {})}))
        self.server.on("items.list", Answer({"data": list(reversed(items)), "has_more": False}))

    def show(self, *items: dict[str, Any], thread: dict[str, Any] | None = None, options: str = "") -> None:
        """Open a thread with these items."""
        self.keep(*items, thread=thread)
        self.begin(f"initialThread: 'thr_1', {options}")
        expect(self.chat.transcript).to_have_attribute("aria-busy", "false")

    def find(self, role: Any, name: str) -> Locator:
        """Return the element with this role and exactly this name."""
        return self.chat.element.get_by_role(role, name=name, exact=True)
