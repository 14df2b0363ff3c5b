"""The server process: its socket, its uvicorn server, and its reaction to signals."""

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
"""Time for open connections after the last answer has ended, in seconds: viewers of a stopped answer get its end."""

LEFTOVERS_TIMEOUT_S = 1.0
"""Time limit for tasks and threads that are left at the end, in seconds."""

OTHER_FILES = 512
"""File descriptors that are reserved for everything except client connections: database, models, tools, uploads."""

MIN_CONNECTIONS = 64

_SIGNALLED = 128
"""Base of the exit codes of processes that a signal has ended; the number of the signal is added."""

SECOND_SIGNAL_TIMEOUT_S = 3.0
"""Time limit for storing unfinished answers after a second signal, in seconds."""

# A browser cannot open the wildcard addresses.
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port`, not listening yet.

    Raises:
        ConfigError: When `host` cannot be resolved.
        ParlorError: When the port is taken, or the address is not this machine's.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as exc:
        raise ConfigError("HOST", f"'{host}' is not an address of this machine") from exc
    family, kind, protocol, _, address = addresses[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # Connections of a previous server may still be closing.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        listener.close()
        raise ParlorError(f"Parlor cannot listen on {host}, port {port}: {exc.strerror}. Choose another PORT.") from exc
    return listener


def build_url(listener: socket.socket) -> str:
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
    """Serve `app` until a signal stops it, or the start fails.

    The first signal begins the drain: `/readyz` fails, after a delay no new answers are accepted, and everything else
    goes on until the last answer has ended. Only then the listener is closed, so that a load balancer never meets a
    refused connection. A second signal ends the process at once: the text of unfinished answers is kept, but they are
    not waited for.

    Args:
        app: The application, whose lifespan runs `lifecycle`.
        listener: A bound socket; closed at the end.
        lifecycle: Starts and stops the use cases.
        max_connections: Most connections at once; fewer when the system does not allow as many open files.
        shutdown_delay_s: Time in which new answers are still accepted, until load balancers have noticed the stop.
        announce: Called once, when the server listens and the start has finished.

    Raises:
        ParlorError: When the start failed for a known reason.
        RuntimeError: When the start failed for any other reason, which has been logged.
    """
    config = uvicorn.Config(
        app,
        http=limit_connections(max_open_connections(max_connections)),
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `ProxyMiddleware` handles them
        timeout_keep_alive=KEEP_ALIVE_TIMEOUT_S,
        timeout_graceful_shutdown=CONNECTIONS_TIMEOUT_S,
    )
    process = ServerProcess(config, lifecycle, announce, shutdown_delay_s)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(process.run(listener))
    if process.second_signal is not None:
        signal.raise_signal(process.second_signal)  # so that the exit status names the signal
    if isinstance(lifecycle.failure, ParlorError):
        raise lifecycle.failure
    if lifecycle.failure is not None:
        raise RuntimeError("the start failed") from lifecycle.failure


def max_open_connections(max_connections: int) -> int:
    """Return the number of connections for which the process can open enough files, at most `max_connections`.

    The soft limit of open files is raised as far as needed and allowed.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return max_connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = max_connections + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return max_connections
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    except (OSError, ValueError):
        raised = soft
    allowed = max(MIN_CONNECTIONS, raised - OTHER_FILES)
    if allowed < max_connections:
        logger.warning("fewer connections than MAX_CONNECTIONS", extra={"connections": allowed, "open_files": raised})
    return allowed


class ServerProcess:
    """Runs the server, drains it after a signal, and ends the process.

    Args:
        config: The configuration of uvicorn, with the application.
        lifecycle: Starts and stops the use cases, and drains the answers.
        announce: Called once, when the server listens and the start has finished.
        shutdown_delay_s: Time between the first signal and the drain, in seconds.

    Attributes:
        second_signal: The number of the second signal; None when there was none.
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
        self._stop_requested = asyncio.Event()
        self._second_signal_came = asyncio.Event()
        self._announcement: asyncio.Task[None] | None = None
        self.second_signal: int | None = None

    async def run(self, listener: socket.socket) -> None:
        """Serve on `listener` until everything is closed; exit the process if a thread or task does not end."""
        self._loop = asyncio.get_running_loop()
        threads = WorkerThreads()
        self._loop.set_default_executor(threads)
        stopping = asyncio.create_task(self._drain_on_signal(), name="drain when asked")
        await self._server.serve(sockets=[listener])
        others = {*asyncio.all_tasks(), stopping} - {asyncio.current_task()}
        have_ended = await end_tasks(*others, timeout_s=LEFTOVERS_TIMEOUT_S), await threads.end(LEFTOVERS_TIMEOUT_S)
        if self._lifecycle.failure is None and not all(have_ended):
            # Everything is stored and closed. A tool that blocks in a thread cannot be interrupted, and would delay the
            # end of the loop and of the process for as long as it runs.
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
            self._loop.call_soon_threadsafe(self._second_signal_came.set)
        if self._shutdown_delay_s and self.second_signal is None:
            self._lifecycle.announce_stop()
        else:
            self._lifecycle.begin_to_stop()
        self._loop.call_soon_threadsafe(self._stop_requested.set)

    async def _drain_on_signal(self) -> None:
        await self._stop_requested.wait()
        second_signal = asyncio.create_task(self._second_signal_came.wait(), name="wait for a second signal")
        if self._shutdown_delay_s:
            await asyncio.wait([second_signal], timeout=self._shutdown_delay_s)
        draining = asyncio.create_task(self._lifecycle.drain(), name="drain")
        await asyncio.wait([draining, second_signal], return_when=asyncio.FIRST_COMPLETED)
        if self._second_signal_came.is_set():
            stopping = asyncio.create_task(self._lifecycle.drain(0), name="drain at once")
            await asyncio.wait([draining, stopping], timeout=SECOND_SIGNAL_TIMEOUT_S)
        # Only now, as uvicorn closes the listener first.
        self._server.should_exit = True
