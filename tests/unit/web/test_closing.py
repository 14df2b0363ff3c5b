"""A stopping server closes each connection after its response."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from web.closing import ClosingMiddleware


class Stopping:
    """A process, as far as the middleware needs it."""

    def __init__(self, *, is_stopping: bool) -> None:
        self.is_stopping = is_stopping


async def headers_of(lifecycle: Any, *, stops_meanwhile: bool = False) -> list[tuple[bytes, bytes]]:
    sent: list[Message] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        lifecycle.is_stopping = lifecycle.is_stopping or stops_meanwhile
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all"})

    async def receive() -> Message:
        raise AssertionError("nothing is received")

    async def send(message: Message) -> None:
        sent.append(message)

    await ClosingMiddleware(answer, lifecycle=lifecycle)({"type": "http"}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return list(sent[0]["headers"])


@pytest.mark.parametrize("stops_meanwhile", [False, True])
async def test_a_connection_is_closed_when_its_answer_begins_while_the_process_stops(stops_meanwhile: bool) -> None:
    lifecycle = Stopping(is_stopping=not stops_meanwhile)
    assert await headers_of(lifecycle, stops_meanwhile=stops_meanwhile) == [(b"connection", b"close")]


async def test_a_connection_is_kept_while_the_process_runs() -> None:
    assert await headers_of(Stopping(is_stopping=False)) == []
