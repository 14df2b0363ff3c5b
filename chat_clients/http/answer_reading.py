"""Reads the body of an answer: as events while it arrives, or as a whole up to a maximum size."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import httpx

from chat_clients.http.answer_forms import AnswerBodyParser
from chat_clients.http.backpressure import Backpressure
from chat_clients.http.connection import ByteSink
from chat_clients.http.server_events import Event
from chat_clients.http.status_errors import ProviderStatusError, build_status_error
from chat_clients.http.transport import AnswerBody

MAX_REFUSAL_BYTES = 64 * 1024

Read = TypeVar("Read")


class EventReader(Generic[Read]):
    """Parses an answer's bytes as they arrive and hands the events to `read`.

    Args:
        read: Converts events; called at the moment they arrive, from the event loop itself.
        backpressure: Finds the pause before the next read.

    Attributes:
        result: The result of `read` for the latest bytes; None when there is nothing to yield.
        failure: The reason why nothing more can be read, once there is one.
        pause_s: How long to let more bytes arrive before the next read, in seconds.
    """

    def __init__(self, read: Callable[[list[Event]], list[Read] | None], backpressure: Backpressure) -> None:
        self.result: list[Read] | None = None
        self.failure: Exception | None = None
        self.pause_s = 0.0
        self._read = read
        self._backpressure = backpressure
        self._parser = AnswerBodyParser()

    def take(self, data: bytes) -> bool:
        """Read `data`; return whether there is a result, a failure or a pause to act on."""
        self.result = None
        try:
            self._read_events(self._parser.feed(data))
        except Exception as exc:  # noqa: BLE001 - the caller of `take` is the event loop; the answer's reader raises it
            self.failure = exc
        self.pause_s = self._backpressure.pause_s()
        return self.result is not None or self.failure is not None or self.pause_s > 0

    def close(self) -> None:
        """Read the events that the end of the body completes.

        Raises:
            NoAnswerError: The body has none of the forms that can be parsed.
        """
        self.result = None
        self._read_events(self._parser.close())

    def _read_events(self, events: list[Event]) -> None:
        if events:
            self.result = self._read(events)
        self.failure = self._parser.failure


def _is_compressed(response: httpx.Response) -> bool:
    return "content-encoding" in response.headers


def raw_body(response: httpx.Response) -> httpx.AsyncByteStream:
    """Return the stream of the body itself, without httpx's decoding."""
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - asynchronous transports give no other
    return response.stream


def open_body_feed(response: httpx.Response, timeout_s: float) -> Callable[[ByteSink], Awaitable[bool]]:
    """Return a function that passes a body to a sink as it arrives, and returns whether the sink has stopped it.

    The function can be called again to go on, and returns False when the body has ended.

    Args:
        response: The answer; its first piece may take as long as the request allows.
        timeout_s: How long each further piece may take, in seconds.
    """
    if isinstance(response.stream, AnswerBody) and not _is_compressed(response):
        return _DirectFeed(response.stream, timeout_s).hand_over
    pieces = response.aiter_bytes()
    wait_s: float | None = None

    async def hand_over(take: ByteSink) -> bool:
        nonlocal wait_s
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    data = await anext(pieces, None)
            except TimeoutError:
                raise httpx.ReadTimeout("the answer fell silent") from None
            if data is None:
                return False
            wait_s = timeout_s
            if take(data):
                return True

    return hand_over


class _DirectFeed:
    """Passes on a body that arrives over our own transport, without decoding."""

    def __init__(self, body: AnswerBody, timeout_s: float) -> None:
        self._body = body
        self._timeout_s = timeout_s
        self._has_begun = False

    async def hand_over(self, take: ByteSink) -> bool:
        if self._has_begun:
            return await self._body.read(take)
        is_wanted = False

        def take_first(data: bytes) -> bool:
            nonlocal is_wanted
            is_wanted = take(data)
            return True  # stop, so that the next read has the shorter timeout

        if not await self._body.read(take_first):
            return False
        self._has_begun = True
        self._body.limit_wait(self._timeout_s)
        return is_wanted or await self._body.read(take)


async def read_bounded(response: httpx.Response, max_bytes: int, *, cut: bool = False) -> bytes:
    """Return the body of `response`, or its first `max_bytes` if `cut`.

    Raises:
        httpx.DecodingError: The body is longer than allowed, or cannot be decompressed.
    """
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes() if _is_compressed(response) else raw_body(response):
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            if cut:
                break
            raise httpx.DecodingError(f"the answer is longer than {max_bytes} bytes")
    return b"".join(parts)[:max_bytes]


async def read_refusal(response: httpx.Response) -> ProviderStatusError:
    """Return the error that an answer with an error status describes, and close the answer."""
    data = b""
    try:
        data = await read_bounded(response, MAX_REFUSAL_BYTES, cut=True)
        body = json.loads(data)
    except (ValueError, RecursionError, httpx.HTTPError):
        body = data.decode(errors="replace")
    finally:
        await response.aclose()
    request_id = response.headers.get("x-request-id") or response.headers.get("apim-request-id")
    return build_status_error(response.status_code, body, request_id)
