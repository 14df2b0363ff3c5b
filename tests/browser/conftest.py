"""Fixtures of the browser tests: the real application in its own process, and a Chromium without other connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebError, expect

from infra.browser import find_browser
from tests.browser.chat import RECORDER, Chat, mount
from tests.browser.kept_page import KeptPage
from tests.browser.servers.hosting import OUR_HOSTS, serve_in_thread
from tests.browser.servers.parlor import ServersOfAllWorkers, find_server, run_parlor
from tests.browser.servers.scripted import ScriptedServer
from tests.browser.stage import Stage

ACTION_TIMEOUT_MS = 30_000
CHROMIUM_ARGUMENTS = [
    # The root user of a container has no user namespaces; the pages are our own.
    "--no-sandbox",
    "--disable-gpu",
    # Gives letters the same width in Chromium and in its headless shell.
    "--font-render-hinting=none",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # All pages share a process and its compiled code: a new process costs a quarter of a second.
    "--renderer-process-limit=1",
    # Only this machine can be resolved; requests to other hosts fail the test, see below.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


# An upper bound: assertions return as soon as they hold.
expect.set_options(timeout=ACTION_TIMEOUT_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = find_browser()
    assert path, "no Chromium: run ./parlor test, or name one with CHROMIUM_PATH"
    return {**browser_type_launch_args, "executable_path": path, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    # Animations take the browser a quarter of its time.
    return {**browser_context_args, "reduced_motion": "reduce"}


SETTINGS: dict[str, dict[str, str]] = {
    # The default settings with a fast model.
    "server": {},
    # Another brand, with a slow model, so that tests can act during an answer.
    "acme": {
        "OFFLINE_TOKEN_DELAY_MS": "100",
        # Tests leave answers unfinished.
        "DRAIN_TIMEOUT_S": "0",
        # Enables the gallery of widgets.
        "PARLOR_ENV": "development",
        "BRAND_NAME": "Acme",
        "BRAND_TAGLINE": "Everything for coyotes",
        "BRAND_PRIMARY_COLOR": "#0a7d32",
        "BRAND_FAVICON_URL": "/static/logo.svg?acme",
    },
}
SERVERS = pytest.StashKey[ServersOfAllWorkers]()
FOLDER = pytest.StashKey[TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers of these tests."""
    config.addinivalue_line("markers", "new_page: the chat or stage is on a page that no other test has used")
    config.addinivalue_line("markers", "motion: animations run, as for people who do not prefer reduced motion")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers that all workers share; without workers, a fixture starts them on demand."""
    config = session.config
    if not config.pluginmanager.hasplugin("dsession"):
        return
    folder = config.stash[FOLDER] = TemporaryDirectory()
    servers = config.stash[SERVERS] = ServersOfAllWorkers(Path(folder.name), SETTINGS)
    servers.start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker the folder with the addresses of the shared servers."""
    node.workerinput["servers"] = node.config.stash[FOLDER].name


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the shared servers."""
    if servers := session.config.stash.get(SERVERS, None):
        servers.stop()
        session.config.stash[FOLDER].cleanup()


@contextmanager
def shared_server(request: pytest.FixtureRequest, name: str) -> Iterator[str]:
    """Yield the address of a server that all workers share, or of a new one without workers."""
    if folder := getattr(request.config, "workerinput", {}).get("servers"):
        yield find_server(Path(folder), name)
        return
    own = request.getfixturevalue("tmp_path_factory").mktemp(name)
    with run_parlor(own, request.getfixturevalue("city_file"), **SETTINGS[name]) as url:
        yield url


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The application with its default settings and a fast model."""
    with shared_server(request, "server") as url:
        yield url


@pytest.fixture(scope="session")
def acme_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The application with another brand and a slow model."""
    with shared_server(request, "acme") as url:
        yield url


@pytest.fixture(scope="session")
def plain_server() -> Iterator[str]:
    """A ChatKit server of a third party: openai-chatkit without Parlor."""
    # Imported here, since it imports the Agents SDK, which takes 4 s, and which most workers do not need.
    from tests.browser.servers.plain import build_plain_app

    with serve_in_thread(build_plain_app()) as url:
        yield url


@pytest.fixture(scope="session")
def _scripted_app() -> Iterator[tuple[ScriptedServer, str]]:
    script = ScriptedServer()
    with serve_in_thread(script.app) as url:
        yield script, url


@pytest.fixture
def scripted(_scripted_app: tuple[ScriptedServer, str]) -> Iterator[ScriptedServer]:
    """A server that answers as the test scripts it, without anything left from other tests."""
    script, url = _scripted_app
    script.url = url
    script.visit += 1
    script.reset()
    yield script
    script.reset()


@pytest.fixture(scope="session")
def base_url(server: str) -> str:
    """The base URL of Playwright, for `page.goto("/")`."""
    return server


@pytest.fixture(scope="session")
def kept(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[KeptPage]:
    """A context with a page that is reused, which also keeps the browser's renderer process alive."""
    context = browser.new_context(**browser_context_args)
    context.set_default_timeout(ACTION_TIMEOUT_MS)
    yield KeptPage(context)
    context.close()


@pytest.fixture
def context(kept: KeptPage) -> Iterator[BrowserContext]:
    """An empty browser context. Each worker reuses one and clears it, since a new one takes twice as long."""
    context = kept.page.context
    yield context
    for page in context.pages:
        if page != kept.page:
            page.close()
    context.unroute_all()
    context.set_offline(False)
    context.clear_permissions()
    context.clear_cookies()
    kept.clear_storage()


@pytest.fixture
def page(request: pytest.FixtureRequest, context: BrowserContext) -> Page:
    """A new page, or the page of the test's chat or stage."""
    if "empty_page" in request.fixturenames:
        return request.getfixturevalue("empty_page")  # type: ignore[no-any-return]
    page = context.new_page()
    if request.node.get_closest_marker("motion"):
        page.emulate_media(reduced_motion="no-preference")
    return page


@pytest.fixture
def asked_server(scripted: ScriptedServer) -> str:
    """The address of the chat's server, which test modules can override."""
    return scripted.url


@pytest.fixture
def empty_page(
    request: pytest.FixtureRequest, context: BrowserContext, asked_server: str, scripted: ScriptedServer, kept: KeptPage
) -> Iterator[Page]:
    """An empty page with our script: the reused one, or a new one with the marker `new_page`."""
    address = f"{asked_server}/page/classic"
    has_motion = request.node.get_closest_marker("motion") is not None
    if request.node.get_closest_marker("new_page"):
        page = context.new_page()
        if has_motion:
            page.emulate_media(reduced_motion="no-preference")
        page.add_init_script(RECORDER)
        page.goto(address)
        yield page
        return
    page = kept.take(address, scripted.visit)
    if has_motion:
        page.emulate_media(reduced_motion="no-preference")
    yield page
    if has_motion and not page.is_closed():
        page.emulate_media(reduced_motion="reduce")
    kept.give_back()


@pytest.fixture
def chat(empty_page: Page, scripted: ScriptedServer) -> Chat:
    """An element on an otherwise empty page, with recorded events, in front of the scripted server."""
    mount(empty_page)
    return Chat(empty_page)


@pytest.fixture
def stage(empty_page: Page, scripted: ScriptedServer) -> Stage:
    """An empty page without an element, into which tests put the states that they look at."""
    stage = Stage(empty_page, scripted)
    stage.set_up()
    return stage


@pytest.fixture
def tolerated_errors() -> list[str]:
    """Parts of console messages that a test expects; the test appends them."""
    return []


@pytest.fixture(autouse=True)
def _check_requests_and_console(request: pytest.FixtureRequest, tolerated_errors: list[str]) -> Iterator[None]:
    """Fail the test on requests to other origins, warnings or errors in the console, and uncaught errors."""
    if "context" not in request.fixturenames:
        yield  # a test without a browser
        return
    context: BrowserContext = request.getfixturevalue("context")
    kept: KeptPage = request.getfixturevalue("kept")
    problems: list[str] = []

    def check_request(sent: Request) -> None:
        asked = urlsplit(sent.url)
        if asked.scheme not in ("http", "https"):
            return
        kept.origins.add(f"{asked.scheme}://{asked.netloc}")
        # The test chooses which of our servers it opens; the page may then talk to that one only.
        is_opened = sent.is_navigation_request() and sent.frame.parent_frame is None
        # A frame that is being loaded has no address yet, so that its parent counts as the origin.
        asker = (sent.is_navigation_request() and sent.frame.parent_frame) or sent.frame
        allowed = OUR_HOSTS if is_opened else {urlsplit(asker.url).netloc}
        if asked.netloc not in allowed:
            problems.append(f"request to another origin: {sent.url}")

    def check_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def report_uncaught(error: WebError) -> None:
        problems.append(f"uncaught: {error.error}")

    context.on("request", check_request)
    context.on("console", check_console)
    context.on("weberror", report_uncaught)
    yield
    context.remove_listener("request", check_request)
    context.remove_listener("console", check_console)
    context.remove_listener("weberror", report_uncaught)
    unexpected = [text for text in problems if not any(part in text for part in tolerated_errors)]
    assert not unexpected, "\n".join(unexpected)
