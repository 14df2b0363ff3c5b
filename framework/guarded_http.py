"""Uvicorn's HTTP protocol with limits that it lacks: on headers, connections, and the time that clients take.

uvicorn accepts a protocol class by a public setting. This one subclasses uvicorn's and overrides callbacks of asyncio
and httptools. Beyond those it relies on `send_400_response`, which uvicorn calls for malformed requests, on
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
    """One connection, which is closed with an error message when it exceeds a limit.

    Attributes:
        max_head_bytes: The maximum size of a request's line and headers, of its trailers, and of the bytes between two
            pieces of its body; an excess of up to 16 KiB may pass.
        head_timeout_s: How long a request's line and headers may take to arrive, in seconds.
        rest_timeout_s: How long the rest of a body may take to arrive after its request was answered, in seconds.
        stall_timeout_s: How long a client may read nothing while data waits for it, in seconds.
        max_connections: The maximum number of connections at once in a process.
    """

    max_head_bytes = 65_536
    head_timeout_s = 20.0
    rest_timeout_s = 5.0
    stall_timeout_s = 60.0
    max_connections = 10_000

    # Slots, since a few more names would double the size of the instance's dictionary, by 1.5 kB per connection.
    __slots__ = ("_is_in_body", "_is_in_head", "_is_refused", "_stall_timer", "_timer", "_unparsed_bytes")
    _timer: asyncio.TimerHandle | None
    _stall_timer: asyncio.TimerHandle | None

    # Of asyncio

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a request, or refuse the connection if there are too many."""
        # Set here, so that uvicorn's constructor need not be overridden.
        self._unparsed_bytes = 0
        self._is_in_head = self._is_in_body = self._is_refused = False
        self._timer = self._stall_timer = None
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "The server has too many connections. Try again.")
            return
        self._start_timer(self.head_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Parse incoming data in slices, so that a head that is too large is refused before it is read completely."""
        for start in range(0, len(data), _SLICE_BYTES):
            if self._is_refused or self.transport.is_closing():
                return
            piece = data if len(data) <= _SLICE_BYTES else data[start : start + _SLICE_BYTES]
            # The parser's callbacks reset it.
            self._unparsed_bytes += len(piece)
            if self._timer is None and not self._is_in_body and self._is_idle():
                self._start_timer(self.head_timeout_s)
            super().data_received(piece)
            if self._unparsed_bytes > self.max_head_bytes:
                self._refuse_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel all timers."""
        self._cancel_timer()
        self._cancel_stall_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the timer of a client that does not read."""
        super().pause_writing()
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self.stall_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Cancel the timer of a client that reads again."""
        self._cancel_stall_timer()
        super().resume_writing()

    # Of httptools

    def on_message_begin(self) -> None:
        """Handle the beginning of a request's head."""
        self._unparsed_bytes = 0
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Handle the end of the head, and refuse one that is too large."""
        self._unparsed_bytes = 0
        self._is_in_head, self._is_in_body = False, True
        self._cancel_timer()
        # A head that came in one piece with its end was not counted in `data_received`.
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.max_head_bytes:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Handle a piece of the body."""
        self._unparsed_bytes = 0
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Handle the end of the request."""
        self._unparsed_bytes = 0
        self._is_in_body = False
        self._cancel_timer()
        if self._is_refused:
            return
        super().on_message_complete()
        if self._is_idle():
            # The request was answered before its end: uvicorn's keep-alive timer does not cover this case.
            self._start_timer(self.head_timeout_s)

    # Of uvicorn

    def on_response_complete(self) -> None:
        """Limit the time for the rest of a body whose request is answered already."""
        super().on_response_complete()
        if self._is_in_body and not self.transport.is_closing():
            self._start_timer(self.rest_timeout_s)

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed request in the form of all other errors."""
        self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", msg)

    # Timers and refusals

    def _refuse_head(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head_too_large",
            f"The request's headers are larger than {self.max_head_bytes} bytes.",
        )

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_timer(self, timeout_s: float) -> None:
        self._cancel_timer()
        self._timer = self.loop.call_later(timeout_s, self._on_timeout)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _on_timeout(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._is_in_body or not (self._is_in_head or self._unparsed_bytes):
            # The request is answered already, or there was none: an unsolicited response would confuse proxies.
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request did not arrive in time.")

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._cancel_timer()
        error_id = new_error_id()
        logger.warning("connection refused", extra={"status": int(status), "code": code, "error_id": error_id})
        # A response that has begun must not be followed by another.
        if self._is_idle() or not self.cycle.response_started:
            body = json.dumps({"error": {"code": code, "message": message, "id": error_id}}).encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode("ascii") + body)
        self.transport.close()


def limit_connections(most: int) -> type[GuardedHTTP]:
    """Return the protocol class with a limit of connections at once."""
    return type("GuardedHTTP", (GuardedHTTP,), {"max_connections": most})
