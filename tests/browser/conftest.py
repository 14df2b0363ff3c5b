"""The real application in a process of its own, and a real Chromium that may talk to nothing else."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Route, WebError

from config import Settings
from infra.client_build import ROOT
from infra.workshop import find_browser

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
READY = re.compile(r"Parlor is ready: (http://127\.0\.0\.1:\d+)")
CHROMIUM_ARGUMENTS = [
    # A container's root has no user namespaces; the pages under test are our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = find_browser()
    assert path, "no Chromium: run ./parlor test, or name one with CHROMIUM_PATH"
    return {**browser_type_launch_args, "executable_path": path, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the application, as `parlor run` starts it, on a free port and with fresh data."""
    folder = tmp_path_factory.mktemp("server")
    # The person's own settings stay out; a `.env` does too, because it is read from the working directory.
    settings = {name.upper() for name in Settings.model_fields}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in settings and not name.startswith(("OPENAI_", "AZURE_", "WEATHER_", "TODO_"))
    } | {
        "PORT": "0",
        "DATA_DIR": str(folder / "data"),
        "USE_CASES_PATH": str(ROOT / "use_cases"),
        "MODEL_PROVIDER": "offline",
        "OFFLINE_TOKEN_DELAY_MS": "5",
        "WEATHER_SOURCE": "sample",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "parlor"), "run"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address: Queue[str] = Queue()
    lines: list[str] = []

    def read() -> None:
        # Reads to the end: a full pipe would stop the server.
        for line in process.stdout or ():
            lines.append(line)
            if found := READY.search(line):
                address.put(found[1])
        address.put("")

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        try:
            url = address.get(timeout=START_TIMEOUT_S)
        except Empty:
            url = ""
        assert url, f"the server did not start:\n{''.join(lines)}"
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(STOP_TIMEOUT_S)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def base_url(server: str) -> str:
    """Lets a test write `page.goto("/")`."""
    return server


@pytest.fixture
def tolerated_errors() -> list[str]:
    """Parts of console messages that a test provokes on purpose; it appends them."""
    return []


@pytest.fixture(autouse=True)
def _guard(context: BrowserContext, base_url: str, tolerated_errors: list[str]) -> Iterator[None]:
    """Fail the test on a request to another origin, on an error in the console, and on an uncaught one."""
    problems: list[str] = []
    own = urlsplit(base_url).netloc

    def refuse(route: Route) -> None:
        problems.append(f"request to another origin: {route.request.url}")
        route.abort()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def catch(error: WebError) -> None:
        problems.append(f"uncaught: {error.error}")

    context.route(lambda url: urlsplit(url).scheme in ("http", "https") and urlsplit(url).netloc != own, refuse)
    context.on("console", hear)
    context.on("weberror", catch)
    yield
    unexpected = [text for text in problems if not any(part in text for part in tolerated_errors)]
    assert not unexpected, "\n".join(unexpected)
