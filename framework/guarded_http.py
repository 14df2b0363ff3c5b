"""Uvicorn's HTTP protocol with limits that it lacks: on headers, connections, and waiting for either side.

uvicorn takes a class of its HTTP protocol by a public setting. This one is uvicorn's, with asyncio's and httptools'
callbacks around it; beyond those it relies on `send_400_response`, which uvicorn calls for what its parser refuses, on
`on_response_complete`, on `cycle`, the request that is being answered, and on the set `connections`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from errors import new_error_id

logger = logging.getLogger(__name__)

_SLICE_BYTES = 16_384


class GuardedHTTP(HttpToolsProtocol):
    """One connection, which is closed with a sentence when it breaks a bound.

    Attributes:
        max_head_bytes: Most bytes of a request's line and headers, of its trailers, and between two pieces of its body;
            up to 16 KiB more are not noticed.
        head_timeout_s: Time for a request's line and headers to arrive, in seconds, from the connection's first moment.
        rest_timeout_s: Time for the rest of a body to arrive that has been answered already, in seconds.
        stall_timeout_s: Time for a client that takes nothing to take something, in seconds.
        max_connections: How many connections there may be at once in a process.
    """

    max_head_bytes = 65_536
    head_timeout_s = 20.0
    rest_timeout_s = 5.0
    stall_timeout_s = 60.0
    max_connections = 10_000

    # Not in the dictionary of uvicorn's class: a few names more double its size, by 1.5 kB for each connection.
    __slots__ = ("_is_in_body", "_is_in_head", "_is_refused", "_stall", "_timer", "_unread")
    _timer: asyncio.TimerHandle | None
    _stall: asyncio.TimerHandle | None

    # Of asyncio

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, or refuse one connection too many."""
        # Set before anything arrives; uvicorn's own constructor is not repeated here.
        self._unread = 0
        self._is_in_head = self._is_in_body = self._is_refused = False
        self._timer = self._stall = None
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "The server has too many connections. Try again.")
            return
        self._begin_timer(self.head_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Hand on what arrives, in slices: what is too long is refused before it is read to its end."""
        for start in range(0, len(data), _SLICE_BYTES):
            if self._is_refused or self.transport.is_closing():
                return
            piece = data if len(data) <= _SLICE_BYTES else data[start : start + _SLICE_BYTES]
            # A callback of the parser sets it to nothing.
            self._unread += len(piece)
            if self._timer is None and not self._is_in_body and self._is_idle():
                self._begin_timer(self.head_timeout_s)
            super().data_received(piece)
            if self._unread > self.max_head_bytes:
                self._refuse_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all timers."""
        self._end_timer()
        self._end_stall()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that takes nothing."""
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.stall_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Wait no longer for it."""
        self._end_stall()
        super().resume_writing()

    # Of httptools

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._unread = 0
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the head has ended."""
        self._unread = 0
        self._is_in_head, self._is_in_body = False, True
        self._end_timer()
        # What came in one piece with its own end was not counted on the way.
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.max_head_bytes:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note that there was a piece of the body."""
        self._unread = 0
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request has ended."""
        self._unread = 0
        self._is_in_body = False
        self._end_timer()
        if self._is_refused:
            return
        super().on_message_complete()
        if self._is_idle():
            # It was answered before its end, which uvicorn's own patience does not know.
            self._begin_timer(self.head_timeout_s)

    # Of uvicorn

    def on_response_complete(self) -> None:
        """Wait for the rest of a body that nobody reads any more, but not for long."""
        super().on_response_complete()
        if self._is_in_body and not self.transport.is_closing():
            self._begin_timer(self.rest_timeout_s)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the form of all other errors."""
        self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", msg)

    # The end

    def _refuse_head(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head_too_large",
            f"The request's headers are larger than {self.max_head_bytes} bytes.",
        )

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _begin_timer(self, timeout_s: float) -> None:
        self._end_timer()
        self._timer = self.loop.call_later(timeout_s, self._give_up)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _give_up(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._is_in_body or not (self._is_in_head or self._unread):
            # Its answer is there already; or nobody has asked anything, and an answer to nothing confuses proxies.
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request did not arrive in time.")

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._end_timer()
        error_id = new_error_id()
        logger.warning("connection refused", extra={"status": int(status), "code": code, "error_id": error_id})
        # What has begun already must not be continued by something else.
        if self._is_idle() or not self.cycle.response_started:
            body = json.dumps({"error": {"code": code, "message": message, "id": error_id}}).encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode("ascii") + body)
        self.transport.close()


def with_most_connections(most: int) -> type[GuardedHTTP]:
    """Return the protocol for at most this many connections at once."""
    return type("GuardedHTTP", (GuardedHTTP,), {"max_connections": most})
