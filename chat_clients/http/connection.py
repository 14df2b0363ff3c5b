"""One HTTP/1.1 connection over asyncio: a request at a time, and what comes back as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httptools
import httpx

MAX_BUFFERED_BYTES = 256 * 1024
"""How much may wait to be read before the provider is told to slow down."""

MAX_HEAD_BYTES = 128 * 1024

Origin = tuple[str, str, int]


Taker = Callable[[bytes], bool]
"""Takes what has arrived, at the moment it does; returns whether whoever reads the answer must look. Never raises."""


class StaleConnectionError(Exception):
    """An idle connection turned out to be closed by the other side."""


@dataclass(slots=True)
class Answer:
    """The part of an answer that has arrived."""

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
        on_lost: Called when it is closed, by whichever side.

    Attributes:
        is_lost: Whether the connection is closed, by whichever side.
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
        self._silence_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_write_paused = False
        self._is_read_paused = False
        self._take: Taker | None = None
        self._must_look = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = transport  # type: ignore[assignment]  # TCP transports are both readable and writable

    def data_received(self, data: bytes) -> None:
        """Read what has come; tell the server to slow down when nobody takes it."""
        if self._parser is None:
            self.abort()  # bytes that nobody has asked for
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(httpx.RemoteProtocolError(f"the answer is no HTTP: {type(exc).__name__}"))
        if self._answer.buffered_bytes > MAX_BUFFERED_BYTES and not self._is_read_paused and self._transport:
            self._is_read_paused = True
            self._transport.pause_reading()
        if self._take is not None and self._answer.pieces:
            self._must_look = self._take(self._take_pieces())
            if self._must_look:
                # uvloop reads a full buffer's successor before anybody runs: that waits until this has been looked at.
                self._take = None
            elif not self._answer.is_complete and self._error is None:
                self._deadline = self._loop.time() + self._silence_s
                return
        self._wake()

    def eof_received(self) -> bool:
        """Let the connection close."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer, properly where the end of the connection is its end."""
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
        """Stop sending: the network is slower than we are."""
        self._is_write_paused = True

    def resume_writing(self) -> None:
        """Go on sending."""
        self._is_write_paused = False
        self._wake()

    # What the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, unless there are too many."""
        if self._parser is None:
            return  # a second answer, which nobody has asked for
        self._answer.head_bytes += len(name) + len(value)
        if self._answer.head_bytes > MAX_HEAD_BYTES:
            self._fail(httpx.RemoteProtocolError("the answer's headers have no end"))
            return
        self._answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Let the answer begin, unless it is the announcement of one."""
        if self._parser is None:
            return
        answer = self._answer
        answer.status = self._parser.get_status_code()
        if answer.status < 200:
            answer.headers.clear()  # "100 Continue" and its like: the answer follows
        else:
            answer.has_head = True

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        if self._parser is not None:
            self._answer.pieces.append(body)
            self._answer.buffered_bytes += len(body)

    def on_message_complete(self) -> None:
        """Note the end, and whether another request may follow."""
        answer = self._answer
        if self._parser is not None and answer.has_head:
            answer.is_complete = True
            answer.is_reusable = self._parser.should_keep_alive()
            self._parser = None

    # What the pool calls

    async def ask(self, head: bytes, body: bytes, timeouts: Mapping[str, float | None]) -> Answer:
        """Send a request and return its answer when that has begun.

        Raises:
            StaleConnectionError: The connection was closed before anything came.
            httpx.TransportError: What went wrong.
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
            await self._wait(timeouts.get("write"), httpx.WriteTimeout("the request could not be sent in time"))
        while not answer.has_head:
            if self._error is not None:
                if answer.head_bytes == 0 and self.is_lost:
                    raise StaleConnectionError from self._error
                raise self._error
            await self._wait(timeouts.get("read"), httpx.ReadTimeout("no answer came in time"))
        return answer

    async def read(self, take: Taker, timeout_s: float | None) -> bool:
        """Hand over all that arrives until `take` returns True; return False at the end of the answer.

        While this waits, `take` is called from the event loop itself: what it can deal with wakes nobody.

        Raises:
            httpx.TransportError: What went wrong.
        """
        answer = self._answer
        self._silence_s = float("inf") if timeout_s is None else timeout_s
        while True:
            if answer.pieces:
                if take(self._take_pieces()):
                    return True
                continue
            if answer.is_complete:
                return False
            if self._error is not None:
                raise self._error
            self._take, self._must_look = take, False
            try:
                await self._expect(timeout_s)
            except TimeoutError:
                self.abort()
                raise httpx.ReadTimeout("the answer fell silent") from None
            finally:
                self._take = None
            if self._must_look:
                return True

    def _take_pieces(self) -> bytes:
        answer = self._answer
        data = answer.pieces[0] if len(answer.pieces) == 1 else b"".join(answer.pieces)
        answer.pieces.clear()
        answer.buffered_bytes = 0
        if self._is_read_paused and self._transport is not None:
            self._is_read_paused = False
            self._transport.resume_reading()
        return data

    def can_be_reused(self) -> bool:
        """Return whether the answer has ended in such a way that another request may follow."""
        return self._answer.is_reusable and self.is_usable()

    def is_usable(self) -> bool:
        """Return whether the connection still stands."""
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

    async def _wait(self, timeout_s: float | None, failure: httpx.TransportError) -> None:
        """Wait until something happens.

        Raises:
            httpx.TimeoutException: `failure`, when nothing does.
        """
        try:
            await self._expect(timeout_s)
        except TimeoutError:
            self.abort()
            raise failure from None

    def _expect(self, timeout_s: float | None) -> asyncio.Future[None]:
        """Return what is done as soon as something happens, or fails with a `TimeoutError`."""
        self._waiter = self._loop.create_future()
        if timeout_s is not None:
            # One timer lives through all waits of an answer and looks at the deadline when it fires: a timer per
            # piece of an answer would cost as much as reading the piece.
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
    """Return whether an answer's only end is that of its connection. Source: RFC 9112, 6.3."""
    return not {name.lower() for name, _ in answer.headers} & {b"content-length", b"transfer-encoding"}
