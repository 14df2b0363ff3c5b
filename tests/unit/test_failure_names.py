"""Failures are named in the output of a test run at once, so that a run which is killed has named them."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.preloaded.commands import own_python
from tests.unit.test_architecture import ROOT

CONFTEST = """
from tests.failure_names import print_failures_at_once

def pytest_configure(config):
    print_failures_at_once(config)
"""

# The last test kills the run, once the failures before it have been printed.
TESTS = """
import os, signal, time
from pathlib import Path
import pytest

def test_passes(): pass

def test_fails(): assert False

def test_has_no_fixture(missing): pass

def test_kills_the_run():
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and "test_has_no_fixture\\n" not in Path("output").read_text():
        time.sleep(0.01)
    os.kill(os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("workers", [[], ["-n", "1"]])
def test_a_killed_run_has_named_its_failures_between_the_dots(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-p", "no:playwright"]
    with (tmp_path / "output").open("wb") as output:
        done = subprocess.run(
            own_python("-m", "pytest", *options, *workers, "test_it.py"),
            cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)}, check=False, timeout=120,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    lines = (tmp_path / "output").read_text().splitlines()
    assert done.returncode == -signal.SIGKILL, lines
    assert [line for line in lines if line.startswith(("FAILED ", "ERROR "))] == [
        "FAILED test_it.py::test_fails",
        "ERROR test_it.py::test_has_no_fixture",
    ]
    assert any(line.endswith(".F") for line in lines), "the dots go on"
