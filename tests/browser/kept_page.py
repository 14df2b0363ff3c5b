"""A page that is reused by one test after the other, since loading a page takes longer than most tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, Error, Page, ViewportSize

from tests.browser.chat import RECORDER

VIEWPORT: ViewportSize = {"width": 1280, "height": 720}
"""The size of a page as Playwright opens it."""

_REMEMBER_PAGE = (Path(__file__).parent / "inspections" / "leftovers.js").read_text(encoding="utf-8")
# A place for the pointer below every chat that fills its frame.
_POINTER_REST = (640, 715)
# The type of a listener by which Playwright marks its own, which it adds at the first click.
_MARK_OF_PLAYWRIGHT = "__playwright_global_listeners_check__"
# Objects that outlive a chat and can have listeners, with the depth of the search.
_PLACES = {"window": 1, "document": 3}


class KeptPage:
    """An empty page with our script that one test after the other uses, as long as it can be cleaned.

    Elements, style sheets, globals, drafts and sizes that a test leaves behind are removed. After other changes, such
    as a replaced function of the browser, a listener, or another address, the next test gets a new page.

    Args:
        context: The browser's context, whose cookies are cleared elsewhere.

    Attributes:
        origins: The origins of all pages and requests since the storage was cleared.
    """

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self.page = self._open()
        self._url = ""
        self._inspector: CDPSession | None = None
        self.origins: set[str] = set()
        self._watched_places: list[dict[str, Any]] = []

    def take(self, url: str, visit: int) -> Page:
        """Return the page with an empty document.

        Args:
            url: The address of the document, which is loaded only if it differs from the last one.
            visit: The number of the test, which its requests carry in their Referer.
        """
        if url != self._url:
            self._url = url
            self.page.goto(url)
            self.page.evaluate(_REMEMBER_PAGE)
            inspector = self._cdp_session()
            self._watched_places = [
                {
                    "objectId": inspector.send("Runtime.evaluate", {"expression": place})["result"]["objectId"],
                    "depth": depth,
                }
                for place, depth in _PLACES.items()
            ]
        # Without a load there is no request that would add the origin.
        self.origins.add("{0.scheme}://{0.netloc}".format(urlsplit(url)))
        self.page.evaluate("visit => history.replaceState(null, '', `?visit=${visit}`)", visit)
        return self.page

    def give_back(self) -> None:
        """Clean the page after a test, or replace it if that fails."""
        if not self._is_clean():
            used, self.page = self.page, self._open()
            self._url, self._inspector = "", None
            used.close()

    def clear_storage(self) -> None:
        """Clear the storage of all pages of this context, except for cookies."""
        for origin in self.origins:
            what = {"origin": origin, "storageTypes": "local_storage,indexeddb,cache_storage"}
            self._cdp_session().send("Storage.clearDataForOrigin", what)
        self.origins.clear()

    def _cdp_session(self) -> CDPSession:
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
        page.mouse.move(*_POINTER_REST)
        try:
            return page.evaluate("() => window.findLeftovers?.()") == [] and not self._foreign_listeners()
        except Error:
            return False  # the page is navigating

    def _foreign_listeners(self) -> list[str]:
        """Return the types of the listeners on objects that outlive a chat, without those of Playwright."""
        assert self._inspector
        listeners: list[dict[str, Any]] = []
        for place in self._watched_places:
            listeners += self._inspector.send("DOMDebugger.getEventListeners", place)["listeners"]
        playwright_scripts = {each["scriptId"] for each in listeners if each["type"] == _MARK_OF_PLAYWRIGHT}
        return [each["type"] for each in listeners if each["scriptId"] not in playwright_scripts]
