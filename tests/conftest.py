"""Fixtures of all tests: resources that are made once for all workers of a run."""

from __future__ import annotations

import gc
import os
import shlex
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.failure_names import print_failures_at_once
from tests.preloaded.commands import fork_server, fork_server_of_workers, has_fork_server
from tests.sharing import hold_lock, lend_certificate, lend_cities
from use_cases.weather.places.city_file import provide_city_file


def pytest_configure(config: pytest.Config) -> None:
    """Let failures be printed at once, and start two fork servers.

    All workers inherit the address of one; from the other they are forked themselves.
    """
    print_failures_at_once(config)
    if has_fork_server():
        return
    resources = ExitStack()
    config.add_cleanup(resources.close)
    os.environ.setdefault("SSL_CERT_FILE", str(resources.enter_context(lend_certificate())))
    resources.enter_context(fork_server())
    ways: list[str] = config.getoption("tx", None) or []
    if "popen" in ways:
        overrides = [part for each in config.getoption("override_ini") or () for part in ("-o", each)]
        command = resources.enter_context(fork_server_of_workers([*overrides, *config.args]))
        forked = f"popen//python={shlex.join(command)}"
        config.option.tx = [forked if each == "popen" else each for each in ways]


def pytest_sessionstart() -> None:
    """Disable garbage collection during the imports, whose half a million objects stay alive."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Enable garbage collection for the tests, with the imported objects excluded."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share, and no other run uses."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def city_file(shared_folder: Path) -> Path:
    """The city file of the weather use case."""
    with hold_lock(shared_folder / "cities.lock"):
        return provide_city_file(shared_folder / "cities")


@pytest.fixture
def known_cities(tmp_path: Path, city_file: Path) -> None:
    """Lends the city file to a server whose data folder is `data` in the test's folder."""
    lend_cities(city_file, tmp_path / "data")
