"""Limits of heads, connections and waits, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from framework.guarded_http import GuardedHTTP, limit_connections
from framework.uvicorn_server import UvicornServer

PATIENCE_S = 30
HOST = b"Host: parlor.test\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, or do not, as the path says; say how long it was."""
    size, is_whole = 0, scope["path"] == "/unread"
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        is_whole = not message.get("more_body")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    count = 4_000 if scope["path"] == "/endless" else 1
    for _ in range(count):
        await send(
            {"type": "http.response.body", "body": b"%d" % size * (10_000 if count > 1 else 1), "more_body": True}
        )
    await send({"type": "http.response.body"})


class Hasty(GuardedHTTP):
    head_timeout_s = 0.3
    rest_timeout_s = 0.3
    stall_timeout_s = 0.3


@asynccontextmanager
async def serving(protocol: type[GuardedHTTP] = GuardedHTTP) -> AsyncIterator[int]:
    listening = asyncio.Event()
    config = uvicorn.Config(app, http=protocol, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = UvicornServer(config, on_listening=listening.set, on_signal=lambda number: None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await listening.wait()
                yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def exchange(port: int, *pieces: bytes) -> bytes:
    """Send the pieces and return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        answer = await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    return answer


def error_of(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert b"content-type: application/json" in head
    assert b"connection: close" in head
    assert error["id"]
    assert error["message"]
    return int(head.split()[1]), error


def request(line: bytes = b"GET / HTTP/1.1", *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((line, HOST.strip(), b"Connection: close", *headers, b"", body))


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + b"x" * 90_000],
        [b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: ", *[b"x" * 1_000] * 100],
        [b"GET / HTTP/1.1\r\n" + HOST, *[b"X-Many: 1\r\n" * 100] * 100],
        [b"GET /" + b"a" * 100_000],
        [b"GET / HTTP/1.1\r\n" + HOST + b"x" * 100_000],
        [b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 30_000_000],
    ],
    ids=["one value", "a value in pieces", "many headers", "the path", "a name", "30 MB"],
)
async def test_a_head_that_is_too_long_is_refused_before_its_end(pieces: list[bytes]) -> None:
    async with serving() as port:
        answer = await exchange(port, *pieces)
        # What was on its way when the connection was closed may have taken the answer along.
        if answer:
            assert error_of(answer)[0] == 431
            assert error_of(answer)[1]["code"] == "head_too_large"
        assert b"200 OK" in await exchange(port, request()), "the server goes on"


@pytest.mark.parametrize(
    "headers",
    [[b"X-Long: " + b"x" * 65_536], [b"X-Many: " + b"x" * 600] * 110],
    ids=["one value", "many headers"],
)
async def test_a_head_that_is_whole_and_a_little_too_long_is_refused(headers: list[bytes]) -> None:
    async with serving() as port:
        status, error = error_of(await exchange(port, request(b"GET / HTTP/1.1", *headers)))
        assert (status, error["code"]) == (431, "head_too_large")
        status, _ = error_of(
            await exchange(port, request(b"POST / HTTP/1.1", *headers, b"Content-Length: 3", body=b"abc"))
        )
        assert status == 431
        assert b"200 OK" in await exchange(port, request()), "the server goes on"


async def test_requests_within_the_limits_are_answered_in_any_pieces() -> None:
    body = b"b" * 300_000
    whole = request(b"POST / HTTP/1.1", b"X-Long: " + b"x" * 60_000, b"Content-Length: %d" % len(body), body=body)
    async with serving() as port:
        for size in (len(whole), 16_384, 16_385, 50_000, len(whole) // 7):
            parts = [whole[start : start + size] for start in range(0, len(whole), size)]
            assert (await exchange(port, *parts)).endswith(b"300000\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "flood",
    [b"0\r\nX-Trailer: " + b"t" * 200_000, b"5;" + b"e" * 200_000],
    ids=["trailers", "an extension of a chunk"],
)
async def test_data_around_a_body_is_bounded_too(flood: bytes) -> None:
    async with serving() as port:
        answer = await exchange(port, request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked"), flood)
        assert answer == b"" or error_of(answer)[0] in (400, 431)
        assert b"200 OK" in await exchange(port, request())


@pytest.mark.parametrize(
    "pieces",
    [[b"GET / HT"], [b"GET / HTTP/1.1\r\n" + HOST], [b"\r\n"]],
    ids=["half a line", "half a head", "nothing but a line end"],
)
async def test_a_head_that_does_not_arrive_is_given_up(pieces: list[bytes]) -> None:
    async with serving(Hasty) as port:
        answer = await exchange(port, *pieces)
    assert error_of(answer)[0] == 408


async def test_bytes_after_a_response_that_are_no_request_do_not_hold_the_connection() -> None:
    async with serving(Hasty) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await reader.readuntil(b"0\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(b"\r\n")
        assert error_of(await reader.read())[0] == 408
        writer.close()


async def test_a_connection_that_says_nothing_is_closed_without_an_answer() -> None:
    async with serving(Hasty) as port:
        assert await exchange(port) == b""


async def test_a_body_that_drips_after_its_answer_is_closed() -> None:
    async with serving(Hasty) as port:
        head = b"POST /unread HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n"
        answer = await exchange(port, head, b"a")
    assert b"200 OK" in answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_client_that_takes_nothing_is_let_go() -> None:
    async with serving(Hasty) as port:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET /endless HTTP/1.1\r\n" + HOST + b"\r\n")
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await asyncio.sleep(1)  # reads nothing for longer than the server waits
            taken = 0
            try:
                while piece := await loop.sock_recv(client, 1_000_000):
                    taken += len(piece)
            except ConnectionError:
                pass
            assert taken < 39_000_000


async def test_one_connection_too_many_is_refused_and_the_others_continue() -> None:
    async with serving(limit_connections(3)) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in held:
            writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        for reader, _ in held:
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        status, error = error_of(await exchange(port))
        assert (status, error["code"]) == (503, "busy")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        for _ in range(1_000):
            if b"200 OK" in await exchange(port, request()):
                return
        pytest.fail("closed connections were never forgotten")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_data_that_is_no_http_gets_the_usual_error(wrong: bytes) -> None:
    async with serving() as port:
        assert error_of(await exchange(port, wrong))[0] == 400
