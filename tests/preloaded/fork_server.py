"""A fork server: a Python that imports the server's libraries once, and forks for each command.

The imports are nine tenths of the time of a start. A command runs as in a Python of its own: as `__main__`, with its
own arguments, environment, folder, files and exit code. It ends when its client is gone, and all commands end when the
process that started the fork server is gone.

The argument is the number of a listening socket; the standard input is a pipe without data. A second fork server, which
is a command of the first, imports the tests, too, for the workers of a run. The arguments of pytest follow the number,
and its standard input is the socket.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import importlib
import marshal
import os
import runpy
import selectors
import signal
import socket
import sys
import warnings
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MAX_REQUEST_BYTES = 1 << 20
LENGTH_BYTES = 4

PRELOADED = (
    "agents_sdk.sdk_agent",
    "agents_sdk.workflows.source",
    "aiosqlite",
    "attachments",
    "base_server",
    "chat_clients.failures",
    "chat_clients.provider",
    "chat_clients.provider_clients",
    "fastapi",
    "framework.telemetry",
    "framework.warm_up",
    "httpcore",
    "mcp.server.mcpserver",
    "process.doctor",
    "process.garbage_collection",
    "process.lifecycle",
    "process.log_lines",
    "process.serving",
    "process.use_case_loading",
    "process.workflow_import",
    "pydantic.v1",
    "runs.registry",
    "starlette.middleware.cors",
    "stock_server",
    "store",
    "streaming.answers.tool_guard",
    "use_cases.todo.plugin",
    "use_cases.weather.plugin",
    "uvicorn.logging",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "web.attachments_api",
    "web.branding_api",
    "web.chatkit_api",
    "web.health",
    "web.pages",
    "web.sessions_api",
    "web.use_cases_api",
    "web.widget_gallery",
)
"""Modules that a server or an MCP server of the tests imports at its start. A missing one only costs time."""

PRELOADED_FOR_TESTS = (
    "agents_sdk.workflows.answer_run",
    "files.documents.pdf",
    "files.documents.word",
    "files.documents.workbook",
    "openai.resources.chat",
    "openai.resources.responses",
    "openai.resources.vector_stores",
    "prometheus_client",
)
"""Modules that only tests import, and that each worker would otherwise import by itself."""


@dataclass(frozen=True, slots=True)
class Command:
    """The arguments, environment, working directory and standard files of a Python command."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    files: list[int]

    def run(self) -> None:
        """Run the command in this process, which was forked for it."""
        for target, file in enumerate(self.files):
            os.dup2(file, target)
            os.close(file)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        if wanted := self.environment.get("PYTHONWARNINGS"):
            action, category = wanted.split("::")
            warnings.simplefilter(action, getattr(builtins, category))  # type: ignore[arg-type]
        paths = [path for path in self.environment.get("PYTHONPATH", "").split(os.pathsep) if path]
        first, *others = self.arguments
        if first == "-u":  # callers that use this option flush by themselves
            first, *others = others
        if first == "-c":
            code, *others = others
            sys.argv = [first, *others]
            sys.path[:0] = ["", *paths]
            sys.modules["__main__"] = module = ModuleType("__main__")
            exec(code, vars(module))  # noqa: S102 - what this option is for
        elif first == "-m":
            name, *others = others
            sys.argv = [name, *others]
            sys.path[:0] = [self.folder, *paths]
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            sys.argv = [first, *others]
            sys.path[:0] = [str(Path(first).parent), *paths]
            runpy.run_path(first, run_name="__main__")


class QuickEnd:
    """Ends a command after Python's exit handlers, but before the interpreter frees its memory.

    Freeing half a million objects, which copies each shared page of memory, takes five times as long as the rest of a
    short command. Commands that turn warnings into errors get the complete shutdown, during which some are raised.
    """

    def __init__(self) -> None:
        self._code: int | None = None
        # The handler that is registered first runs last, after the threads have ended and all other handlers.
        atexit.register(self._leave)

    def run(self, command: Command) -> None:
        """Run a command to its end in this process, which was forked for it."""
        code: int | None = None
        try:
            command.run()
            code = 0
        except KeyboardInterrupt:  # Python ends the process by that signal
            raise
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
            raise
        except BaseException:
            code = 1
            raise
        finally:
            if "PYTHONWARNINGS" not in command.environment:
                self._code = code

    def _leave(self) -> None:
        if self._code is None:
            return
        gc.collect()  # collects only objects of the command itself
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(self._code & 0xFF)


@dataclass(slots=True)
class ForkServer:
    """A server that forks a process for each command, and keeps the clients by the process id of their command.

    Attributes:
        listener: Socket for requests.
        tests: Arguments for pytest that name the tests to import.
    """

    listener: socket.socket
    tests: list[str] = field(default_factory=list)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    clients: dict[int, socket.socket] = field(default_factory=dict)
    _is_loaded: bool = False

    def serve(self) -> Command | None:
        """Serve requests; return the command in each forked process, and None in this one at the end."""
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then end this one
        if not self.tests:  # the second fork server is a command of the first, which ends it
            self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        self.selector.register(woken, selectors.EVENT_READ)
        self.selector.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is woken:
                    woken.recv(4096)
                    self._reap()
                elif key.fileobj is self.listener:
                    if command := self._fork():
                        woken.close()
                        wake.close()
                        return command
                elif key.data in self.clients:
                    self._pass_on(key.data)
                elif key.fileobj == sys.stdin.fileno():
                    self._end()
                    return None

    def _fork(self) -> Command | None:
        client, _ = self.listener.accept()
        command = _read_command(client)
        if command is None:
            client.close()
            return None
        if not self._is_loaded:
            self._is_loaded = True
            import_all(PRELOADED)
            if self.tests:
                import_tests(self.tests)
            else:
                with suppress(ImportError):
                    deque(importlib.import_module("framework.warm_up").warm_up(), maxlen=0)
            gc.collect()
            gc.freeze()
        if process := os.fork():
            for file in command.files:
                os.close(file)
            self.clients[process] = client
            self.selector.register(client, selectors.EVENT_READ, process)
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for connection in (client, self.listener, *self.clients.values()):
            connection.close()
        self.selector.close()
        return command

    def _pass_on(self, process: int) -> None:
        numbers = b""
        with suppress(ConnectionError):
            numbers = self.clients[process].recv(16)
        for number in numbers or [signal.SIGKILL]:
            os.kill(process, number)
        if not numbers:
            self._forget(process)

    def _reap(self) -> None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not process:
                return
            if client := self.clients.get(process):
                with suppress(OSError):
                    client.sendall(str(os.waitstatus_to_exitcode(status)).encode())
                self._forget(process)

    def _forget(self, process: int) -> None:
        client = self.clients.pop(process)
        self.selector.unregister(client)
        client.close()

    def _end(self) -> None:
        for process in self.clients:
            os.kill(process, signal.SIGKILL)


def import_all(names: Iterable[str]) -> None:
    """Import these modules, as far as they exist."""
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)


def import_tests(arguments: list[str]) -> None:
    """Import tests as pytest does, so that a later run in a fork of this process finds them imported.

    If an import fails, all are undone, so that each worker reports the error itself.
    """
    import pytest

    # Without xdist, since this process is not a worker.
    code = pytest.main(["--collect-only", "-qq", "-s", "-p", "no:xdist", "-p", "no:cacheprovider", *arguments])
    if code != pytest.ExitCode.OK:
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]
    import_all(PRELOADED_FOR_TESTS)
    from hypothesis import strategies  # not before pytest, which rewrites its asserts

    # The first use of this strategy builds the table of characters, which would take each worker a second.
    strategies.text().validate()


def _read_command(client: socket.socket) -> Command | None:
    """Return the requested command; None when the client is gone already."""
    message, files, _, _ = socket.recv_fds(client, MAX_REQUEST_BYTES, 3)
    while len(message) < LENGTH_BYTES or len(message) - LENGTH_BYTES < int.from_bytes(message[:LENGTH_BYTES], "big"):
        if len(message) > MAX_REQUEST_BYTES or not (more := client.recv(MAX_REQUEST_BYTES)):
            return None
        message += more
    wanted: dict[str, Any] = marshal.loads(message[LENGTH_BYTES:])  # noqa: S302 - from this very run of tests
    return Command(wanted["arguments"], wanted["environment"], wanted["folder"], list(files))


if __name__ == "__main__":
    # This folder is not on the path of a command.
    sys.path[0] = str(ROOT)
    end = QuickEnd()
    if chosen := ForkServer(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:]).serve():
        sys.path.remove(str(ROOT))
        end.run(chosen)
