"""The socket, the URL and the server process around the application."""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from errors import ConfigError, ParlorError
from plugins import LoadedUseCases
from web.lifecycle import Lifecycle

KEEP_ALIVE_TIMEOUT_S = 75
"""Longer than the idle timeout of the usual load balancers, which must be the first to close a connection."""

FAREWELL_S = 5
"""How much longer than answers connections may stay open: a stopped answer still has to tell its viewer."""

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
    drain_timeout_s: float,
) -> None:
    """Serve `app` until a signal says stop, or the start turns out to be impossible.

    Args:
        app: Its lifespan runs `lifecycle`.
        listener: Bound; closed at the end.
        lifecycle: Says when the start is done.
        announce: Called once, when the server listens and the start is done.
        drain_timeout_s: How long `lifecycle.drain` takes at most.

    Raises:
        ParlorError: When the start was impossible, for a reason that can be named.
        RuntimeError: When it was impossible for another reason, which the log names.
    """

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.announcement = asyncio.create_task(self.wait_and_announce(), name="announce")

        async def wait_and_announce(self) -> None:
            try:
                announce(await lifecycle.wait_until_started())
            except ParlorError:
                self.should_exit = True

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Now, and not with the lifespan: that ends only when the connections of these answers are closed.
            draining = asyncio.create_task(lifecycle.drain(), name="drain")
            try:
                await super().shutdown(sockets)
            finally:
                draining.cancel()
                await asyncio.wait([draining])

    config = uvicorn.Config(
        app,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_TIMEOUT_S,
        timeout_graceful_shutdown=math.ceil(drain_timeout_s) + FAREWELL_S,
    )
    Server(config).run(sockets=[listener])
    if isinstance(lifecycle.failure, ParlorError):
        raise lifecycle.failure
    if lifecycle.failure is not None:
        raise RuntimeError("the start failed") from lifecycle.failure
