"""A page that stays for one test after the other: to load a new one takes longer than most of what is done in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, Error, Page, ViewportSize

from tests.browser.chat import RECORDER

VIEWPORT: ViewportSize = {"width": 1280, "height": 720}
"""The size of a page as Playwright opens it."""

_REMEMBER = (Path(__file__).parent / "inspections" / "leftovers.js").read_text(encoding="utf-8")
# Below every chat that fills its frame.
_NOWHERE = (640, 715)
# It listens to the window from the first click on, and says so by this.
_MARK_OF_PLAYWRIGHT = "__playwright_global_listeners_check__"
# What outlives a chat and may be listened to, and how many levels of it.
_PLACES = {"window": 1, "document": 3}


class KeptPage:
    """An empty page with our script, given to one test after the other as long as each leaves it as it was.

    What a test can leave is taken away: elements, style sheets, globals, drafts, sizes. What cannot, such as a function
    of the browser that was replaced, a listener, or an address, ends the page, and the next test gets a new one.

    Args:
        context: The browser's context, whose cookies somebody else clears.

    Attributes:
        origins: Those of all pages and requests since the storage was cleared.
    """

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self.page = self._open()
        self._url = ""
        self._inspector: CDPSession | None = None
        self.origins: set[str] = set()
        self._places: list[dict[str, Any]] = []

    def take(self, url: str, visit: int) -> Page:
        """Return the page with an empty document.

        Args:
            url: The document. Only for the same one as before nothing is loaded.
            visit: A number that all requests of this test carry in their Referer.
        """
        if url != self._url:
            self._url = url
            self.page.goto(url)
            self.page.evaluate(_REMEMBER)
            inspector = self._inspect()
            self._places = [
                {
                    "objectId": inspector.send("Runtime.evaluate", {"expression": place})["result"]["objectId"],
                    "depth": depth,
                }
                for place, depth in _PLACES.items()
            ]
        # Nothing is asked for when the document is there already.
        self.origins.add("{0.scheme}://{0.netloc}".format(urlsplit(url)))
        self.page.evaluate("visit => history.replaceState(null, '', `?visit=${visit}`)", visit)
        return self.page

    def give_back(self) -> None:
        """Take away what a test has left, and the page with it where that does not do."""
        if not self._is_clean():
            used, self.page = self.page, self._open()
            self._url, self._inspector = "", None
            used.close()

    def clear_storage(self) -> None:
        """Take away what pages of this context have stored, but for cookies."""
        for origin in self.origins:
            what = {"origin": origin, "storageTypes": "local_storage,indexeddb,cache_storage"}
            self._inspect().send("Storage.clearDataForOrigin", what)
        self.origins.clear()

    def _inspect(self) -> CDPSession:
        self._inspector = self._inspector or self._context.new_cdp_session(self.page)
        return self._inspector

    def _open(self) -> Page:
        page = self._context.new_page()
        page.add_init_script(RECORDER)
        return page

    def _is_clean(self) -> bool:
        page = self.page
        if page.is_closed():
            return False
        page.unroute_all()
        if page.viewport_size != VIEWPORT:
            page.set_viewport_size(VIEWPORT)
        page.mouse.move(*_NOWHERE)
        try:
            return page.evaluate("() => window.findLeftovers?.()") == [] and not self._listeners()
        except Error:
            return False  # the page is on its way to another address

    def _listeners(self) -> list[str]:
        """Return what is listened to in what outlives a chat, but for what Playwright listens to itself."""
        assert self._inspector
        found: list[dict[str, Any]] = []
        for place in self._places:
            found += self._inspector.send("DOMDebugger.getEventListeners", place)["listeners"]
        theirs = {each["scriptId"] for each in found if each["type"] == _MARK_OF_PLAYWRIGHT}
        return [each["type"] for each in found if each["scriptId"] not in theirs]
