"""The socket, the URL and the server process around the application."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from errors import ConfigError, ParlorError
from framework.guarded_http import limit_connections
from framework.uvicorn_server import UvicornServer
from process.lifecycle import Lifecycle
from process.use_case_loading import LoadedUseCases
from process.worker_threads import WorkerThreads
from runs.cancellation import end_tasks

logger = logging.getLogger(__name__)

KEEP_ALIVE_TIMEOUT_S = 75
"""Keep-alive timeout, longer than that of the usual load balancers, which must be the first to close a connection."""

CONNECTIONS_TIMEOUT_S = 5
"""Time that open connections have after the last answer: a stopped answer still has to tell its viewer."""

LEFTOVERS_TIMEOUT_S = 1.0
"""Time limit for the end of tasks and threads that nobody needs any more."""

OTHER_FILES = 512
"""Open files that are no connections of ours: the database, models, tools, what people upload."""

MIN_CONNECTIONS = 64

_SIGNALLED = 128
"""Base of the exit codes by which shells know a process that was ended by a signal; its number is added."""

SECOND_SIGNAL_TIMEOUT_S = 3.0
"""Time limit for storing unfinished answers, when a second signal wants the end at once."""

# The URL names an address that a browser can open, where the socket listens on all of them.
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port`, not listening yet.

    Raises:
        ConfigError: When `host` is no address at all.
        ParlorError: When the port is taken, or the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as exc:
        raise ConfigError("HOST", f"'{host}' is not an address of this machine") from exc
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # The connections of the server before us may still be closing.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        listener.close()
        raise ParlorError(f"Parlor cannot listen on {host}, port {port}: {exc.strerror}. Choose another PORT.") from exc
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL under which a browser on this machine reaches `listener`."""
    host, port = listener.getsockname()[:2]
    host = _ANY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: ASGIApp,
    listener: socket.socket,
    lifecycle: Lifecycle,
    *,
    max_connections: int,
    shutdown_delay_s: float,
    announce: Callable[[LoadedUseCases], None],
) -> None:
    """Serve `app` until a signal says stop, or the start turns out to be impossible.

    The first signal begins the drain: whoever asks is told that this server is not ready, after a delay no new answers
    are taken, and everything else goes on until the last answer has ended. Only then the listener is closed, so that a
    load balancer sees an answer and not a refused connection. A second signal ends the process at once: what was said
    so far is kept, the rest is not waited for.

    Args:
        app: The application, whose lifespan runs `lifecycle`.
        listener: A bound socket; closed at the end.
        lifecycle: Start and end of the use cases.
        max_connections: How many connections there may be at once; fewer where the system allows no more open files.
        shutdown_delay_s: Time in which new answers are still taken, because a load balancer does not know yet.
        announce: Callback, called once, when the server listens and the start is done.

    Raises:
        ParlorError: When the start was impossible, for a reason that can be named.
        RuntimeError: When it was impossible for another reason, which the log names.
    """
    config = uvicorn.Config(
        app,
        http=limit_connections(connections_within(max_connections)),
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `ProxyMiddleware` believes those of TRUSTED_PROXIES
        timeout_keep_alive=KEEP_ALIVE_TIMEOUT_S,
        timeout_graceful_shutdown=CONNECTIONS_TIMEOUT_S,
    )
    process = ServerProcess(config, lifecycle, announce, shutdown_delay_s)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(process.run(listener))
    if process.second_signal is not None:
        signal.raise_signal(process.second_signal)  # for whoever asks what has ended the process
    if isinstance(lifecycle.failure, ParlorError):
        raise lifecycle.failure
    if lifecycle.failure is not None:
        raise RuntimeError("the start failed") from lifecycle.failure


def connections_within(most: int) -> int:
    """Return how many connections this process may have: `most`, or fewer where it may not open as many files.

    The limit of open files is raised to what the system lets the process have.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return most
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (OSError, ValueError):
        raised = soft
    allowed = max(MIN_CONNECTIONS, raised - OTHER_FILES)
    if allowed < most:
        logger.warning("fewer connections than MAX_CONNECTIONS", extra={"connections": allowed, "open_files": raised})
    return allowed


class ServerProcess:
    """A server from its start to the drain that a signal begins, and to the end of the process.

    Args:
        config: The application and how it is served.
        lifecycle: Start and end of the use cases; drains the answers.
        announce: Callback, called once, when the server listens and the start is done.
        shutdown_delay_s: Time between the first signal and the drain, in seconds.

    Attributes:
        second_signal: The number of the signal that wanted the end at once; None when there was none.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        lifecycle: Lifecycle,
        announce: Callable[[LoadedUseCases], None],
        shutdown_delay_s: float = 0.0,
    ) -> None:
        self._server = UvicornServer(config, on_listening=self._begin_to_announce, on_signal=self._note_signal)
        self._lifecycle = lifecycle
        self._announce = announce
        self._shutdown_delay_s = shutdown_delay_s
        self._is_asked_to_stop = asyncio.Event()
        self._is_hurried = asyncio.Event()
        self._announcement: asyncio.Task[None] | None = None
        self.second_signal: int | None = None

    async def run(self, listener: socket.socket) -> None:
        """Serve on `listener` until all is closed; end the process itself when something in it does not end."""
        self._loop = asyncio.get_running_loop()
        threads = WorkerThreads()
        self._loop.set_default_executor(threads)
        stopping = asyncio.create_task(self._drain_when_asked(), name="drain when asked")
        await self._server.serve(sockets=[listener])
        others = {*asyncio.all_tasks(), stopping} - {asyncio.current_task()}
        have_ended = await end_tasks(*others, timeout_s=LEFTOVERS_TIMEOUT_S), await threads.end(LEFTOVERS_TIMEOUT_S)
        if self._lifecycle.failure is None and not all(have_ended):
            # All is stored and closed. What is left would hold up the end of the loop, and of the process, for as long
            # as it likes: somebody's tool that waits in a thread cannot be told to stop.
            logger.error("the process ends although something in it does not")
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0 if self.second_signal is None else _SIGNALLED + self.second_signal)

    def _begin_to_announce(self) -> None:
        self._announcement = asyncio.create_task(self._announce_start(), name="announce")

    async def _announce_start(self) -> None:
        try:
            self._announce(await self._lifecycle.wait_until_started())
        except ParlorError:
            self._server.should_exit = True

    def _note_signal(self, number: int) -> None:
        if self._lifecycle.is_stopping or self._server.should_exit:
            self._server.force_exit = True
            self.second_signal = number
            self._loop.call_soon_threadsafe(self._is_hurried.set)
        if self._shutdown_delay_s and self.second_signal is None:
            self._lifecycle.announce_stop()
        else:
            self._lifecycle.begin_to_stop()
        self._loop.call_soon_threadsafe(self._is_asked_to_stop.set)

    async def _drain_when_asked(self) -> None:
        await self._is_asked_to_stop.wait()
        hurried = asyncio.create_task(self._is_hurried.wait(), name="wait for a second signal")
        if self._shutdown_delay_s:
            await asyncio.wait([hurried], timeout=self._shutdown_delay_s)
        draining = asyncio.create_task(self._lifecycle.drain(), name="drain")
        await asyncio.wait([draining, hurried], return_when=asyncio.FIRST_COMPLETED)
        if self._is_hurried.is_set():
            hurrying = asyncio.create_task(self._lifecycle.drain(0), name="hurry")
            await asyncio.wait([draining, hurrying], timeout=SECOND_SIGNAL_TIMEOUT_S)
        # Only now: uvicorn begins its end with closing the listener.
        self._server.should_exit = True
