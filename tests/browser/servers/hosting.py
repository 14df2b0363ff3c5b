"""Serves an ASGI application from a thread of the test process, on a free port of localhost."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import uvicorn

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0

OUR_HOSTS: set[str] = set()
"""Host and port of every server that the tests have started: the only ones that the browser may open."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def serve_in_thread(app: Any) -> Iterator[str]:
    """Run `app` until the block ends; yield its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    host, port = listener.getsockname()
    # Some tests have endless answers, so that the shutdown must not wait for them.
    config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = _Server(config)
    thread = Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        assert server.is_up.wait(START_TIMEOUT_S), "the server in the thread did not start"
        OUR_HOSTS.add(f"{host}:{port}")
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(STOP_TIMEOUT_S)
        listener.close()
