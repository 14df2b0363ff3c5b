"""The real application in a process of its own: one for a test, or one for all workers of a run."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from urllib.parse import urlsplit

from config import Settings
from infra.client_build import ROOT, build_client
from tests.browser.servers.hosting import OUR_HOSTS
from tests.preloaded.commands import preloaded_python
from tests.sharing import hold_lock, lend_cities
from use_cases.weather.places.city_file import provide_city_file

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 30.0
READY = re.compile(r"Parlor is ready: (http://127\.0\.0\.1:\d+)")


@contextmanager
def run_parlor(folder: Path, city_file: Path, **settings: str) -> Iterator[str]:
    """Run the application as `./parlor run` does, on a free port with empty data; yield its address."""
    build_client()
    lend_cities(city_file, folder / "data")
    # The developer's own settings are removed; a `.env` is not found, since it is read from the working directory.
    known = {name.upper() for name in Settings.model_fields}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in known and not name.startswith(("OPENAI_", "AZURE_", "WEATHER_", "TODO_"))
    } | {
        "PORT": "0",
        "DATA_DIR": str(folder / "data"),
        "USE_CASES_PATH": str(ROOT / "use_cases"),
        "MODEL_PROVIDER": "offline",
        "OFFLINE_TOKEN_DELAY_MS": "0",
        "WEATHER_SOURCE": "sample",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }
    process = subprocess.Popen(
        preloaded_python(str(ROOT / "main.py"), "run"),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address: Queue[str] = Queue()
    lines: list[str] = []

    def read() -> None:
        # Read to the end, since a full pipe would block the server.
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
        OUR_HOSTS.add(urlsplit(url).netloc)
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


class ServersOfAllWorkers:
    """Servers that the xdist controller runs for all of its workers.

    They start while the workers import the tests; workers read their addresses from files.

    Args:
        folder: The folder of those files and of the servers' data.
        settings: The settings of each server, by its name.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Mapping[str, str]]) -> None:
        self._folder = folder
        self._is_over = Event()
        self._threads = [Thread(target=self._run, args=each, daemon=True) for each in settings.items()]

    def start(self) -> None:
        """Start all servers in the background."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop all servers, and wait until they have ended."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(START_TIMEOUT_S + STOP_TIMEOUT_S)

    def _run(self, name: str, settings: Mapping[str, str]) -> None:
        with hold_lock(self._folder / "cities.lock"):
            city_file = provide_city_file(self._folder / "cities")
        own = self._folder / name
        own.mkdir()
        try:
            with run_parlor(own, city_file, **settings) as url:
                _publish(self._folder, name, url)
                self._is_over.wait()
        except AssertionError as error:
            _publish(self._folder, name, str(error))


def _publish(folder: Path, name: str, what: str) -> None:
    # The rename is atomic, since workers poll for the file.
    unfinished = folder / f"{name}.part"
    unfinished.write_text(what, encoding="utf-8")
    unfinished.rename(folder / f"{name}.url")


def find_server(folder: Path, name: str) -> str:
    """Wait for a server of `ServersOfAllWorkers`, and return its address."""
    file = folder / f"{name}.url"
    deadline = time.monotonic() + START_TIMEOUT_S
    while not file.exists():
        assert time.monotonic() < deadline, f"the server {name} of all workers did not start in time"
        time.sleep(0.05)
    url = file.read_text(encoding="utf-8")
    assert url.startswith("http://"), url
    OUR_HOSTS.add(urlsplit(url).netloc)
    return url
