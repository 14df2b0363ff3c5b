"""An HTTP/1.1 connection over asyncio: one request at a time, whose answer is read as it arrives."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httptools
import httpx

MAX_BUFFERED_BYTES = 256 * 1024
"""How much may wait to be read before reading from the socket pauses."""

MAX_HEAD_BYTES = 128 * 1024

Origin = tuple[str, str, int]

ByteSink = Callable[[bytes], bool]
"""Takes bytes at the moment they arrive; returns whether reading stops, and the reader wakes up. Never raises."""


class StaleConnectionError(Exception):
    """The server has closed an idle connection."""


@dataclass(slots=True)
class Answer:
    """An answer, as far as it has arrived."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    head_bytes: int = 0
    has_head: bool = False
    pieces: deque[bytes] = field(default_factory=deque)
    buffered_bytes: int = 0
    is_complete: bool = False
    is_reusable: bool = False


class Connection(asyncio.Protocol):
    """A connection to one server.

    Args:
        origin: Scheme, host and port of the server.
        on_lost: Called when the connection is closed by either side.

    Attributes:
        is_lost: Whether the connection was closed by either side.
    """

    def __init__(self, origin: Origin, on_lost: Callable[[Connection], object] = lambda _: None) -> None:
        self.origin = origin
        self._on_lost = on_lost
        self.is_lost = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answer = Answer()
        self._error: httpx.TransportError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._read_timeout_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_write_paused = False
        self._is_read_paused = False
        self._sink: ByteSink | None = None
        self._is_stopped = False

    # Callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to write to."""
        self._transport = transport  # type: ignore[assignment]  # TCP transports are both readable and writable

    def data_received(self, data: bytes) -> None:
        """Parse received bytes and pass the body on; pause reading when nobody takes it."""
        if self._parser is None:
            self.abort()  # bytes that no request has asked for
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(httpx.RemoteProtocolError(f"the answer is no HTTP: {type(exc).__name__}"))
        if self._answer.buffered_bytes > MAX_BUFFERED_BYTES and not self._is_read_paused and self._transport:
            self._is_read_paused = True
            self._transport.pause_reading()
        if self._sink is not None and self._answer.pieces:
            self._is_stopped = self._sink(self._pop_pieces())
            if self._is_stopped:
                # uvloop may read again before any task runs: further bytes wait until the reader has seen these.
                self._sink = None
            elif not self._answer.is_complete and self._error is None:
                self._deadline = self._loop.time() + self._read_timeout_s
                return
        self._wake()

    def eof_received(self) -> bool:
        """Let the connection close."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer: as complete if it ends with the connection, else as failed."""
        self.is_lost = True
        answer = self._answer
        if answer.has_head and not answer.is_complete and exc is None and _ends_with_connection(answer):
            answer.is_complete = True
        elif self._error is None:
            self._error = (
                httpx.ReadError("the connection broke") if exc else httpx.RemoteProtocolError("it was cut off")
            )
        self._stop_timer()
        self._on_lost(self)
        self._wake()

    def pause_writing(self) -> None:
        """Stop sending, as the network is slower than we are."""
        self._is_write_paused = True

    def resume_writing(self) -> None:
        """Continue sending."""
        self._is_write_paused = False
        self._wake()

    # Callbacks of the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; fail if there are too many."""
        if self._parser is None:
            return  # a second answer, which no request has asked for
        self._answer.head_bytes += len(name) + len(value)
        if self._answer.head_bytes > MAX_HEAD_BYTES:
            self._fail(httpx.RemoteProtocolError("the answer's headers have no end"))
            return
        self._answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Mark the answer as begun, unless it is an informational one such as "100 Continue"."""
        if self._parser is None:
            return
        answer = self._answer
        answer.status = self._parser.get_status_code()
        if answer.status < 200:
            answer.headers.clear()  # the final answer follows
        else:
            answer.has_head = True

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        if self._parser is not None:
            self._answer.pieces.append(body)
            self._answer.buffered_bytes += len(body)

    def on_message_complete(self) -> None:
        """Mark the answer as complete, and the connection as reusable if the server keeps it alive."""
        answer = self._answer
        if self._parser is not None and answer.has_head:
            answer.is_complete = True
            answer.is_reusable = self._parser.should_keep_alive()
            self._parser = None

    # Methods for the pool

    async def request(self, head: bytes, body: bytes, timeouts: Mapping[str, float | None]) -> Answer:
        """Send a request and return its answer once its headers have arrived.

        Raises:
            StaleConnectionError: The connection was closed before any byte of an answer arrived.
            httpx.TransportError: The request failed.
        """
        self._stop_timer()
        answer = self._answer = Answer()
        self._parser = httptools.HttpResponseParser(self)
        transport = self._transport
        if transport is None or transport.is_closing():
            raise StaleConnectionError
        transport.write(head + body if len(body) < MAX_BUFFERED_BYTES else head)
        if len(body) >= MAX_BUFFERED_BYTES:
            transport.write(body)
        while self._is_write_paused and not answer.has_head and self._error is None:
            await self._wait_or_fail(timeouts.get("write"), httpx.WriteTimeout("the request could not be sent in time"))
        while not answer.has_head:
            if self._error is not None:
                if answer.head_bytes == 0 and self.is_lost:
                    raise StaleConnectionError from self._error
                raise self._error
            await self._wait_or_fail(timeouts.get("read"), httpx.ReadTimeout("no answer came in time"))
        return answer

    async def read(self, take: ByteSink, timeout_s: float | None) -> bool:
        """Pass the body to `take` until it returns True; return False at the end of the answer.

        While this waits, `take` is called from the event loop itself, and no task wakes up as long as it returns False.

        Raises:
            httpx.TransportError: The answer failed.
        """
        answer = self._answer
        self._read_timeout_s = float("inf") if timeout_s is None else timeout_s
        while True:
            if answer.pieces:
                if take(self._pop_pieces()):
                    return True
                continue
            if answer.is_complete:
                return False
            if self._error is not None:
                raise self._error
            self._sink, self._is_stopped = take, False
            try:
                await self._next_event(timeout_s)
            except TimeoutError:
                self.abort()
                raise httpx.ReadTimeout("the answer fell silent") from None
            finally:
                self._sink = None
            if self._is_stopped:
                return True

    def _pop_pieces(self) -> bytes:
        answer = self._answer
        data = answer.pieces[0] if len(answer.pieces) == 1 else b"".join(answer.pieces)
        answer.pieces.clear()
        answer.buffered_bytes = 0
        if self._is_read_paused and self._transport is not None:
            self._is_read_paused = False
            self._transport.resume_reading()
        return data

    def can_be_reused(self) -> bool:
        """Return whether another request may be sent over the connection."""
        return self._answer.is_reusable and self.is_usable()

    def is_usable(self) -> bool:
        """Return whether the connection is open."""
        return not self.is_lost and self._transport is not None and not self._transport.is_closing()

    def close_after(self, idle_s: float) -> None:
        """Close the connection after `idle_s` seconds, unless it is used before."""
        self._stop_timer()
        self._timer = self._loop.call_later(idle_s, self.abort)

    def abort(self) -> None:
        """Close the connection at once; closing twice is harmless."""
        self._stop_timer()
        if self._transport is not None:
            self._transport.abort()

    # Waiting

    async def _wait_or_fail(self, timeout_s: float | None, failure: httpx.TransportError) -> None:
        """Wait for the next event of the connection.

        Raises:
            httpx.TimeoutException: `failure`, when none happens in time.
        """
        try:
            await self._next_event(timeout_s)
        except TimeoutError:
            self.abort()
            raise failure from None

    def _next_event(self, timeout_s: float | None) -> asyncio.Future[None]:
        """Return a future that is done at the next event of the connection, or fails with a `TimeoutError`."""
        self._waiter = self._loop.create_future()
        if timeout_s is not None:
            # One timer serves all waits of an answer and checks the deadline when it fires: a timer per piece would
            # cost as much as reading the piece.
            self._deadline = self._loop.time() + timeout_s
            if self._timer is None or self._timer.when() > self._deadline:
                self._stop_timer()
                self._timer = self._loop.call_at(self._deadline, self._check_deadline)
        return self._waiter

    def _check_deadline(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)
        else:
            self._waiter.set_exception(TimeoutError())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: httpx.TransportError) -> None:
        self._error = self._error or error
        self.abort()


def _ends_with_connection(answer: Answer) -> bool:
    """Return whether the end of the connection marks the end of the answer. Source: RFC 9112, 6.3."""
    return not {name.lower() for name, _ in answer.headers} & {b"content-length", b"transfer-encoding"}
