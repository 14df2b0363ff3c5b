"""Python commands that start with all imports done, for tests that are not about the start of a process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

KILL = signal.SIGUSR1
"""The signal that kills a command of `preloaded_python`; the client ends when the command has ended."""

_FOLDER = Path(__file__).parent
_ADDRESS = "PARLOR_TESTS_FORK_SERVER"


@contextmanager
def fork_server() -> Iterator[None]:
    """Run a fork server for this test run and all of its workers. It starts importing at the first request."""
    folder = tempfile.mkdtemp(prefix="parlor-")
    address = os.path.join(folder, "fork-server")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(128)
        process = subprocess.Popen(
            [sys.executable, str(_FOLDER / "fork_server.py"), str(listener.fileno())],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[listener.fileno()],
        )  # fmt: skip
    os.environ[_ADDRESS] = address
    try:
        yield
    finally:
        del os.environ[_ADDRESS]
        process.communicate()
        shutil.rmtree(folder)


@contextmanager
def fork_server_of_workers(tests: Sequence[str]) -> Iterator[list[str]]:
    """Run a fork server that imports the tests, too, and yield the command that forks a Python from it.

    It saves each worker five seconds of imports.

    Args:
        tests: Arguments for pytest that name them.
    """
    address = os.path.join(os.path.dirname(os.environ[_ADDRESS]), "workers")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(128)
        process = subprocess.Popen(
            preloaded_python(str(_FOLDER / "fork_server.py"), "0", *tests), stdin=listener, stdout=subprocess.DEVNULL
        )
    try:
        yield _command(address)
    finally:
        process.terminate()
        process.wait()


def has_fork_server() -> bool:
    """Return whether this process is a worker of a run with a fork server, or forked from that server."""
    return _ADDRESS in os.environ


def own_python(*arguments: str) -> list[str]:
    """Return the command `python ARGUMENTS`, for tests of a start, and of a process that is killed."""
    return [sys.executable, *arguments]


def preloaded_python(*arguments: str) -> list[str]:
    """Return a command equivalent to `python ARGUMENTS` that saves one to three seconds of imports.

    Args:
        arguments: A script's path, or `-m` and a module, with its arguments.
    """
    return [*_command(_loaded(os.environ[_ADDRESS])), *arguments]


@cache
def _loaded(address: str) -> str:
    """Return the address of a fork server when it has imported everything: nobody's timeout is to count that in."""
    subprocess.run([*_command(address), os.devnull], stdin=subprocess.DEVNULL, check=True)
    return address


def _command(address: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(_FOLDER / "fork_client.py"), address]
