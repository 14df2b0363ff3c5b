"""The socket, the URL and the server process around the application."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from errors import ConfigError, ParlorError
from process.lifecycle import Lifecycle
from process.use_case_loading import LoadedUseCases
from process.worker_threads import WorkerThreads
from runs.cancellation import end_tasks

logger = logging.getLogger(__name__)

KEEP_ALIVE_TIMEOUT_S = 75
"""Longer than the idle timeout of the usual load balancers, which must be the first to close a connection."""

FAREWELL_S = 5
"""How much longer than answers connections may stay open: a stopped answer still has to tell its viewer."""

TICK_S = 0.1
"""How soon a second signal is noticed."""

LEFTOVERS_S = 1.0
"""How long tasks and threads that nobody needs any more may take to end."""

_SIGNALLED = 128
"""With the number of a signal, the exit code by which shells know a process that was ended by it."""

HURRY_S = 3.0
"""How long it may take to keep what was said so far, when a second signal wants the end at once."""

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
    announce: Callable[[LoadedUseCases], None],
) -> None:
    """Serve `app` until a signal says stop, or the start turns out to be impossible.

    The first signal begins the drain: whoever asks is told that this server is not ready, no new answers are taken,
    and everything else goes on until the last answer has ended. Only then the listener is closed, so that a load
    balancer sees an answer and not a refused connection. A second signal ends the process at once: what was said so
    far is kept, the rest is not waited for.

    Args:
        app: Its lifespan runs `lifecycle`.
        listener: Bound; closed at the end.
        lifecycle: Says when the start is done.
        announce: Called once, when the server listens and the start is done.

    Raises:
        ParlorError: When the start was impossible, for a reason that can be named.
        RuntimeError: When it was impossible for another reason, which the log names.
    """

    class Server(uvicorn.Server):
        second_signal: int | None = None

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.announcement = asyncio.create_task(self.wait_and_announce(), name="announce")

        async def wait_and_announce(self) -> None:
            try:
                announce(await lifecycle.wait_until_started())
            except ParlorError:
                self.should_exit = True

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Not noted where uvicorn notes it: it would raise the signal again while there is a loop, which tells it
            # to whatever happens to be running then.
            if self.should_exit:
                self.force_exit = True
                self.second_signal = sig
            self.should_exit = True
            lifecycle.begin_to_stop()

        async def serve(self, sockets: list[socket.socket] | None = None) -> None:
            threads = WorkerThreads()
            asyncio.get_running_loop().set_default_executor(threads)
            await super().serve(sockets)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            have_ended = await end_tasks(*others, timeout_s=LEFTOVERS_S), await threads.end(LEFTOVERS_S)
            if lifecycle.failure is None and not all(have_ended):
                # All is stored and closed. What is left would hold up the end of the loop, and of the process, for
                # as long as it likes: somebody's tool that waits in a thread cannot be told to stop.
                logger.error("the process ends although something in it does not")
                logging.shutdown()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(0 if self.second_signal is None else _SIGNALLED + self.second_signal)

        async def main_loop(self) -> None:
            await super().main_loop()
            # Here, and not in `shutdown`: that begins with closing the listener.
            draining = asyncio.create_task(lifecycle.drain(), name="drain")
            while not self.force_exit and not draining.done():
                await asyncio.wait([draining], timeout=TICK_S)
                await self.on_tick(0)  # the header with the time goes on
            if self.force_exit:
                hurrying = asyncio.create_task(lifecycle.drain(0), name="hurry")
                await asyncio.wait([draining, hurrying], timeout=HURRY_S)

    config = uvicorn.Config(
        app,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_TIMEOUT_S,
        timeout_graceful_shutdown=FAREWELL_S,
    )
    server = Server(config)
    server.run(sockets=[listener])
    if server.second_signal is not None:
        signal.raise_signal(server.second_signal)  # for whoever asks what has ended the process
    if isinstance(lifecycle.failure, ParlorError):
        raise lifecycle.failure
    if lifecycle.failure is not None:
        raise RuntimeError("the start failed") from lifecycle.failure
