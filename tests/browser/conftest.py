"""The real application in a process of its own, and a real Chromium that may talk to nothing else."""

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
    # A container's root has no user namespaces; the pages under test are our own.
    "--no-sandbox",
    "--disable-gpu",
    # Letters are as wide as their font says, in each of the engine's programs.
    "--font-render-hinting=none",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The pages of a browser share a process, and what it has compiled: a new one costs a quarter of a second.
    "--renderer-process-limit=1",
    # Nothing but this machine can be found; asking for anything else is noticed below.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


# A bound, and no more: what holds is seen at once.
expect.set_options(timeout=ACTION_TIMEOUT_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = find_browser()
    assert path, "no Chromium: run ./parlor test, or name one with CHROMIUM_PATH"
    return {**browser_type_launch_args, "executable_path": path, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    # Sixty pictures a second of what moves, for nobody to see, took the browser a quarter of its time.
    return {**browser_context_args, "reduced_motion": "reduce"}


SETTINGS: dict[str, dict[str, str]] = {
    # The default ones, but a quick model.
    "server": {},
    # Those of another company, with a model that takes its time, so that something can happen meanwhile.
    "acme": {
        "OFFLINE_TOKEN_DELAY_MS": "100",
        # Nobody waits for what a test has left unanswered.
        "DRAIN_TIMEOUT_S": "0",
        # Its people write use cases, and look at their widgets.
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
    """Name the marks of these tests."""
    config.addinivalue_line("markers", "new_page: the chat or stage is on a page that no other test has had")
    config.addinivalue_line("markers", "motion: what moves does so, as for people who have not asked for less motion")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start what all workers share; without workers, a fixture does when a test needs it."""
    config = session.config
    if not config.pluginmanager.hasplugin("dsession"):
        return
    folder = config.stash[FOLDER] = TemporaryDirectory()
    servers = config.stash[SERVERS] = ServersOfAllWorkers(Path(folder.name), SETTINGS)
    servers.start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where to look for the servers of all."""
    node.workerinput["servers"] = node.config.stash[FOLDER].name


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what all workers shared."""
    if servers := session.config.stash.get(SERVERS, None):
        servers.stop()
        session.config.stash[FOLDER].cleanup()


@contextmanager
def shared_server(request: pytest.FixtureRequest, name: str) -> Iterator[str]:
    """Hand out the address of a server that all workers share, or of an own one when there are none."""
    if folder := getattr(request.config, "workerinput", {}).get("servers"):
        yield find_server(Path(folder), name)
        return
    own = request.getfixturevalue("tmp_path_factory").mktemp(name)
    with run_parlor(own, request.getfixturevalue("city_file"), **SETTINGS[name]) as url:
        yield url


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The application with its default settings, but a quick model."""
    with shared_server(request, "server") as url:
        yield url


@pytest.fixture(scope="session")
def acme_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The application of another company, with a model that takes its time."""
    with shared_server(request, "acme") as url:
        yield url


@pytest.fixture(scope="session")
def plain_server() -> Iterator[str]:
    """A ChatKit server of somebody else: openai-chatkit and nothing of Parlor."""
    # Not at the top, here and elsewhere: it brings in the Agents SDK, which most workers never need, for 4 s each.
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
    """A server that answers what the test says, however wrong; nothing scripted is left for the next test."""
    script, url = _scripted_app
    script.url = url
    script.visit += 1
    script.reset()
    yield script
    script.reset()


@pytest.fixture(scope="session")
def base_url(server: str) -> str:
    """Lets a test write `page.goto("/")`."""
    return server


@pytest.fixture(scope="session")
def kept(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[KeptPage]:
    """A context with a page that stays: with it, the browser keeps a process that is ready for the next page."""
    context = browser.new_context(**browser_context_args)
    context.set_default_timeout(ACTION_TIMEOUT_MS)
    yield KeptPage(context)
    context.close()


@pytest.fixture
def context(kept: KeptPage) -> Iterator[BrowserContext]:
    """A browser as nobody has used it yet. A worker has one, emptied after each test: a new one takes twice as long."""
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
    """A new page, or the one that the chat or the stage of this test is on."""
    if "empty_page" in request.fixturenames:
        return request.getfixturevalue("empty_page")  # type: ignore[no-any-return]
    page = context.new_page()
    if request.node.get_closest_marker("motion"):
        page.emulate_media(reduced_motion="no-preference")
    return page


@pytest.fixture
def asked_server(scripted: ScriptedServer) -> str:
    """The address of the server that the chat asks; a file of tests may have another one."""
    return scripted.url


@pytest.fixture
def empty_page(
    request: pytest.FixtureRequest, context: BrowserContext, asked_server: str, scripted: ScriptedServer, kept: KeptPage
) -> Iterator[Page]:
    """A page with our script and nothing else, of those that stay; with the mark `new_page`, a new one."""
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
    """One element on an otherwise empty page, its events recorded, in front of the scripted server."""
    mount(empty_page)
    return Chat(empty_page)


@pytest.fixture
def stage(empty_page: Page, scripted: ScriptedServer) -> Stage:
    """An otherwise empty page without an element; a test puts in what it wants to see."""
    stage = Stage(empty_page, scripted)
    stage.set_up()
    return stage


@pytest.fixture
def tolerated_errors() -> list[str]:
    """Parts of console messages that a test provokes on purpose; it appends them."""
    return []


@pytest.fixture(autouse=True)
def _guard(request: pytest.FixtureRequest, tolerated_errors: list[str]) -> Iterator[None]:
    """Fail the test on a request to another origin, on a warning or error in the console, and on an uncaught one."""
    if "context" not in request.fixturenames:
        yield  # a test without a browser
        return
    context: BrowserContext = request.getfixturevalue("context")
    kept: KeptPage = request.getfixturevalue("kept")
    problems: list[str] = []

    def look(sent: Request) -> None:
        asked = urlsplit(sent.url)
        if asked.scheme not in ("http", "https"):
            return
        kept.origins.add(f"{asked.scheme}://{asked.netloc}")
        # Which of our servers is opened is the test's say; the page then talks to that one and to no other.
        is_opened = sent.is_navigation_request() and sent.frame.parent_frame is None
        # A frame that is filled has no address yet; whoever holds it asks.
        asker = (sent.is_navigation_request() and sent.frame.parent_frame) or sent.frame
        allowed = OUR_HOSTS if is_opened else {urlsplit(asker.url).netloc}
        if asked.netloc not in allowed:
            problems.append(f"request to another origin: {sent.url}")

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def catch(error: WebError) -> None:
        problems.append(f"uncaught: {error.error}")

    context.on("request", look)
    context.on("console", hear)
    context.on("weberror", catch)
    yield
    context.remove_listener("request", look)
    context.remove_listener("console", hear)
    context.remove_listener("weberror", catch)
    unexpected = [text for text in problems if not any(part in text for part in tolerated_errors)]
    assert not unexpected, "\n".join(unexpected)
