from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from errors import ModelError
from tests.unit.web.edge import JSON, Edge, FakeServer, logged_text, use_case
from web.event_stream import EventStream
from web.request_log import RequestLogMiddleware

PATIENCE_S = 30.0


class Stream:
    """An answer that never ends by itself, and notes how it was closed."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.tasks: set[asyncio.Task[None] | None] = set()
        self.is_clean_up_whole = False
        self.cancellations_left = 0
        self._events = iter([b"data: 1\n\n"])

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        self.tasks.add(asyncio.current_task())
        for event in self._events:
            return event
        await asyncio.Event().wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        # What a store does when it keeps a partial answer: several awaits, each of which a cancellation would end.
        for _ in range(5):
            await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.cancellations_left = task.cancelling()
        self.is_clean_up_whole = True
        self.closed.set()


@asynccontextmanager
async def served(app: FastAPI, lifespan: Literal["on", "off"] = "on") -> AsyncIterator[tuple[int, uvicorn.Server]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan=lifespan, ws="none", timeout_graceful_shutdown=1)
        )
        # In a task, without its signal handlers, which belong to the test runner.
        serving = asyncio.create_task(server._serve([listener]))
        await app.state.lifecycle.wait_until_started(PATIENCE_S)
        try:
            yield listener.getsockname()[1], server
        finally:
            server.should_exit = True
            async with asyncio.timeout(PATIENCE_S):
                await serving


@asynccontextmanager
async def posted(port: int) -> AsyncIterator[asyncio.StreamReader]:
    """Post to the use case; leaving the block cuts the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /chatkit/todo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 2\r\n\r\n{}")
    try:
        yield reader
    finally:
        writer.transport.abort()


async def test_when_the_client_leaves_the_same_task_closes_the_answer_and_nothing_disturbs_it(
    edge: Edge, log: pytest.LogCaptureFixture
) -> None:
    stream = Stream()
    app = edge.app(use_case("todo", FakeServer(lambda body, context: stream)))
    async with asyncio.timeout(PATIENCE_S), served(app) as (port, _):
        async with posted(port) as reader:
            await reader.readuntil(b"data: 1\n\n")
        await stream.closed.wait()
    assert stream.is_clean_up_whole
    assert stream.cancellations_left == 0
    assert len(stream.tasks) == 1
    requests = [record for record in log.records if record.name == "web.request_log"]
    assert [(record.status, record.has_left) for record in requests] == [(200, True)]  # type: ignore[attr-defined]
    assert not [record for record in log.records if record.exc_info]


async def test_when_the_server_stops_the_answer_is_closed_too(edge: Edge) -> None:
    stream = Stream()
    app = edge.app(use_case("todo", FakeServer(lambda body, context: stream)))
    async with asyncio.timeout(PATIENCE_S), served(app) as (port, server), posted(port) as reader:
        await reader.readuntil(b"data: 1\n\n")
        server.should_exit = True
        await stream.closed.wait()
    assert stream.is_clean_up_whole


async def test_a_client_that_never_reads_does_not_keep_the_answer_open(edge: Edge) -> None:
    class Flood(Stream):
        sent = 0

        async def __anext__(self) -> bytes:
            self.sent += 1
            return b"data: " + b"x" * 1_000_000 + b"\n\n"

    flood = Flood()
    app = edge.app(use_case("todo", FakeServer(lambda body, context: flood)))
    async with asyncio.timeout(PATIENCE_S), served(app) as (port, _):
        async with posted(port) as reader:
            await reader.readuntil(b"\r\n\r\n")
        await flood.closed.wait()
    assert flood.is_clean_up_whole
    # What the sockets hold, and no more: the rest waited for a reader.
    assert flood.sent < 20


async def test_a_client_that_is_gone_before_the_first_event_leaves_nothing_open(edge: Edge) -> None:
    stream = Stream()
    sent: list[object] = []
    app = edge.app(use_case("todo", FakeServer(lambda body, context: stream)))

    async def receive() -> dict[str, object]:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    incoming: list[dict[str, object]] = [{"type": "http.request", "body": b"{}"}]
    headers = [(b"host", b"x"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/chatkit/todo", "headers": headers, "scheme": "http"}
    scope |= {"query_string": b"", "root_path": "", "raw_path": b"/chatkit/todo"}
    async with asyncio.timeout(PATIENCE_S), edge.client(app):
        await app(scope, receive, send)  # type: ignore[arg-type]
    assert stream.is_clean_up_whole


async def test_a_request_that_is_cancelled_closes_its_answer_before_it_ends() -> None:
    stream, sent = Stream(), asyncio.Event()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.set()

    request = asyncio.create_task(EventStream(stream)({"type": "http"}, receive, send))
    async with asyncio.timeout(PATIENCE_S):
        await sent.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    assert stream.is_clean_up_whole


async def test_a_failure_after_the_headers_is_an_event_with_an_id_that_the_log_has(
    edge: Edge, log: pytest.LogCaptureFixture
) -> None:
    async def breaks(error: Exception) -> AsyncGenerator[bytes, None]:
        yield b"data: 1\n\n"
        raise error

    errors = iter([KeyError("s3cret"), ModelError("The model stopped.")])
    app = edge.app(use_case("todo", FakeServer(lambda body, context: breaks(next(errors)))))
    async with edge.client(app) as client:
        bug = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
        model = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
    for response, says in ((bug, "Something went wrong"), (model, "The model stopped.")):
        first, last, rest = response.text.split("\n\n")
        event = json.loads(last.removeprefix("data: "))
        assert (response.status_code, first, rest) == (200, "data: 1", "")
        assert (event["type"], event["code"], event["allow_retry"]) == ("error", "custom", True)
        assert event["message"].startswith(says)
        error_id = event["message"].rpartition("(")[2].rstrip(")")
        assert error_id in logged_text(log)
        assert "s3cret" not in response.text


async def test_a_failure_before_the_first_event_is_a_status(edge: Edge) -> None:
    async def breaks() -> AsyncGenerator[bytes, None]:
        raise ModelError("The model cannot be reached.")
        yield b""

    async with edge.client(edge.app(use_case("todo", FakeServer(lambda body, context: breaks())))) as client:
        response = await client.post("/chatkit/todo", content=b"{}", headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (502, "model.failed")


class Watching:
    """Middleware that notes what passes through it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.seen: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            self.seen.append(message["type"])
            await send(message)

        await self._app(scope, receive, note)


async def test_middleware_sees_the_start_of_a_stream_and_its_body_goes_past_them() -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        yield b"data: 1\n\n"

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    watching = Watching(EventStream(events()))
    scope = {"type": "http", "method": "POST", "path": "/chatkit", "headers": []}
    async with asyncio.timeout(PATIENCE_S):
        await RequestLogMiddleware(watching)(scope, receive, send)
    assert watching.seen == ["http.response.start"]
    assert b"".join(message.get("body", b"") for message in sent) == b"data: 1\n\n"
    assert b"x-request-id" in dict(sent[0]["headers"])
