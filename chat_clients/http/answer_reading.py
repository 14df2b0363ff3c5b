"""The reading of an answer's body: events as they arrive, or the whole within a bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import httpx

from chat_clients.http.answer_forms import AnswerBodyParser
from chat_clients.http.backpressure import Backpressure
from chat_clients.http.connection import Taker
from chat_clients.http.server_events import Event
from chat_clients.http.status_errors import ProviderStatusError, build_status_error
from chat_clients.http.transport import AnswerBody

MAX_REFUSAL_BYTES = 64 * 1024

Read = TypeVar("Read")


class EventReader(Generic[Read]):
    """Reader of an answer's bytes as they arrive.

    Attributes:
        result: The result of `read` for the latest bytes; None when there is nothing to yield.
        failure: Why nothing more can be read, once that is so.
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
        """Read `data`; return whether there is something to do about it."""
        self.result = None
        try:
            self._read_events(self._parser.feed(data))
        except Exception as exc:  # noqa: BLE001 - raised by whoever reads the answer: this is called by the event loop
            self.failure = exc
        self.pause_s = self._backpressure.pause_s()
        return self.result is not None or self.failure is not None or self.pause_s > 0

    def close(self) -> None:
        """Read what the end of the body completes.

        Raises:
            NoAnswerError: The body is of no form that is read.
        """
        self.result = None
        self._read_events(self._parser.close())

    def _read_events(self, events: list[Event]) -> None:
        if events:
            self.result = self._read(events)
        self.failure = self._parser.failure


def _is_packed(response: httpx.Response) -> bool:
    return "content-encoding" in response.headers


def body_of(response: httpx.Response) -> httpx.AsyncByteStream:
    """Return the body as it arrives, without httpx's layers around it."""
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - asynchronous transports give no other
    return response.stream


def body_feed(response: httpx.Response, timeout_s: float) -> Callable[[Taker], Awaitable[bool]]:
    """Return a function that hands a body over as it arrives, until its taker says stop; False when the body has ended.

    Args:
        response: The bytes of an answer; the first piece may take as long as was asked for with the request.
        timeout_s: How long each further piece may take, in seconds.
    """
    if isinstance(response.stream, AnswerBody) and not _is_packed(response):
        return _DirectFeed(response.stream, timeout_s).hand_over
    pieces = response.aiter_bytes()
    patience_s: float | None = None

    async def hand_over(take: Taker) -> bool:
        nonlocal patience_s
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    data = await anext(pieces, None)
            except TimeoutError:
                raise httpx.ReadTimeout("the answer fell silent") from None
            if data is None:
                return False
            patience_s = timeout_s
            if take(data):
                return True

    return hand_over


class _DirectFeed:
    """Hands over the body of an answer that comes straight from the server."""

    def __init__(self, body: AnswerBody, timeout_s: float) -> None:
        self._body = body
        self._timeout_s = timeout_s
        self._has_begun = False

    async def hand_over(self, take: Taker) -> bool:
        if self._has_begun:
            return await self._body.read(take)
        is_wanted = False

        def take_first(data: bytes) -> bool:
            nonlocal is_wanted
            is_wanted = take(data)
            return True  # to be asked again, with less patience

        if not await self._body.read(take_first):
            return False
        self._has_begun = True
        self._body.limit_wait(self._timeout_s)
        return is_wanted or await self._body.read(take)


async def read_bounded(response: httpx.Response, max_bytes: int, *, cut: bool = False) -> bytes:
    """Return the body of `response`, or its first `max_bytes` if `cut`.

    Raises:
        httpx.DecodingError: It is longer than allowed, or cannot be unpacked.
    """
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes() if _is_packed(response) else body_of(response):
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            if cut:
                break
            raise httpx.DecodingError(f"the answer is longer than {max_bytes} bytes")
    return b"".join(parts)[:max_bytes]


async def read_refusal(response: httpx.Response) -> ProviderStatusError:
    """Return what an answer with an error status says, and close it."""
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
