"""Commands of Python for tests that are not about the start of a process: they begin with all imports done."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


def folder_of_this_run() -> Path:
    """Return the folder of the fork server, which this run of tests and all its workers have in common."""
    return Path(os.environ[_ADDRESS]).parent


def own_python(*arguments: str) -> list[str]:
    """Return `python ARGUMENTS`: for tests of a start, and of a process that is killed."""
    return [sys.executable, *arguments]


def preloaded_python(*arguments: str) -> list[str]:
    """Return a command that does what `python ARGUMENTS` does, a second or three of imports sooner.

    Args:
        arguments: A script's path, or `-m` and a module, and what they are told.
    """
    return [sys.executable, "-I", "-S", str(_FOLDER / "fork_client.py"), os.environ[_ADDRESS], *arguments]
