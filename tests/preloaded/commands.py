"""Commands of Python for tests that are not about the start of a process: they begin with all imports done."""

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
"""Kills a command of `preloaded_python`, which has then ended when its process has."""

_FOLDER = Path(__file__).parent
_ADDRESS = "PARLOR_TESTS_FORK_SERVER"


@contextmanager
def fork_server() -> Iterator[None]:
    """Have a fork server for this run of tests and all its workers. It imports nothing before somebody needs it."""
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
    """Have a fork server that imports the tests too, and lend the command of a Python of its.

    Each worker would otherwise import for five seconds what the others import at the same time.

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
    """Return whether this process belongs to a run that has one: as its worker, or as what workers are forked from."""
    return _ADDRESS in os.environ


def own_python(*arguments: str) -> list[str]:
    """Return `python ARGUMENTS`: for tests of a start, and of a process that is killed."""
    return [sys.executable, *arguments]


def preloaded_python(*arguments: str) -> list[str]:
    """Return a command that does what `python ARGUMENTS` does, a second or three of imports sooner.

    Args:
        arguments: A script's path, or `-m` and a module, and what they are told.
    """
    return [*_command(_loaded(os.environ[_ADDRESS])), *arguments]


@cache
def _loaded(address: str) -> str:
    """Return the address of a fork server when it has imported everything: nobody's timeout is to count that in."""
    subprocess.run([*_command(address), os.devnull], stdin=subprocess.DEVNULL, check=True)
    return address


def _command(address: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(_FOLDER / "fork_client.py"), address]
