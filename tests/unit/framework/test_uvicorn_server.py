"""Reliances on uvicorn: the return of `startup`, signals, and both ways to exit."""

from __future__ import annotations

import asyncio
import signal
import socket

import uvicorn
from starlette.types import Receive, Scope, Send

from framework.uvicorn_server import UvicornServer

PATIENCE_S = 30


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def status_line(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: parlor.test\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line


async def test_a_signal_is_passed_to_the_owner_which_decides_when_the_server_ends() -> None:
    listening, heard = asyncio.Event(), asyncio.Event()
    signals: list[int] = []

    def note(number: int) -> None:
        signals.append(number)
        heard.set()

    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
    server = UvicornServer(config, on_listening=listening.set, on_signal=note)
    before = signal.getsignal(signal.SIGTERM)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with asyncio.timeout(PATIENCE_S):
            await listening.wait()
            for number in (signal.SIGTERM, signal.SIGINT):
                heard.clear()
                signal.raise_signal(number)
                await heard.wait()
            assert signals == [signal.SIGTERM, signal.SIGINT]
            assert (await status_line(port)).startswith(b"HTTP/1.1 204"), "the server goes on"
            server.should_exit = True
            await serving
    assert signal.getsignal(signal.SIGTERM) == before
    assert signals == [signal.SIGTERM, signal.SIGINT], "no signal is raised again"
