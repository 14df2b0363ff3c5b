"""An httpx transport for HTTP/1.1 over asyncio that is fast with streams of small pieces.

httpx's own transport passes each HTTP chunk through some ten generators and a parser in Python. Here a parser in C
handles all the chunks of one read, and their bytes arrive in one piece. That is cheaper, and neighbouring deltas can be
merged without waiting for them.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

import httpx

from chat_clients.http.connection import ByteSink, Connection, Origin, StaleConnectionError

Header = tuple[bytes, bytes]
"""The name and the value of a header."""

_LINE_BREAK = re.compile(rb"[\r\n\0]")

HAPPY_EYEBALLS_DELAY_S = 0.25
"""Delay before the other address family is tried. Source: RFC 8305, 5."""


class DirectTransport(httpx.AsyncBaseTransport):
    """A pool of connections that lead straight to a server.

    It supports neither proxies nor HTTP/2; behind a proxy use httpx's own transport. It belongs to the event loop on
    which it is first used.

    Args:
        max_connections: How many connections may be open; a request waits for a free one.
        max_idle: How many idle connections are kept open per server.
        idle_s: How long an idle connection is kept, in seconds.
    """

    def __init__(self, *, max_connections: int, max_idle: int, idle_s: float) -> None:
        self._free_slots = asyncio.Semaphore(max_connections)
        self._max_idle = max_idle
        self._idle_s = idle_s
        self._idle: dict[Origin, deque[Connection]] = {}
        self._open: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return the answer once its headers have arrived."""
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        return await self.send(request.method, request.url, request.headers.raw, await request.aread(), timeouts)

    async def send(
        self,
        method: str,
        url: httpx.URL,
        headers: Collection[Header],
        body: bytes,
        timeouts: Mapping[str, float | None],
    ) -> httpx.Response:
        """Send a request without building an `httpx.Request`, which takes longer than all the rest.

        Args:
            method: The HTTP method.
            url: The address.
            headers: All headers, including ``host`` and ``content-length``.
            body: The bytes of the request.
            timeouts: How long to wait to ``connect``, ``read``, ``write``, and for a connection (``pool``), in seconds.

        Raises:
            httpx.TransportError: The request failed.
        """
        head, origin = _build_head(method, url, headers), _parse_origin(url)
        if self._free_slots.locked():
            try:
                async with asyncio.timeout(timeouts.get("pool")):
                    await self._free_slots.acquire()
            except TimeoutError:
                raise httpx.PoolTimeout("all connections are in use") from None
        else:
            await self._free_slots.acquire()
        connection = None
        try:
            while True:
                connection = self._take_idle(origin)
                is_fresh = connection is None
                if connection is None:
                    connection = await self._connect(origin, timeouts.get("connect"))
                self._open.add(connection)
                try:
                    answer = await connection.request(head, body, timeouts)
                    break
                except StaleConnectionError:
                    self._discard(connection)
                    if is_fresh:
                        raise httpx.RemoteProtocolError("the server closed the connection without an answer") from None
        except BaseException:
            if connection is not None:
                self._discard(connection)
            self._free_slots.release()
            raise
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=AnswerBody(self, connection, timeouts.get("read")),
            extensions={"http_version": b"HTTP/1.1"},
        )

    @property
    def open_connections(self) -> int:
        """Number of connections that are in use or kept for later requests."""
        return len(self._open)

    async def aclose(self) -> None:
        """Close every connection, used or not."""
        for connection in list(self._open):
            self._discard(connection)
        self._idle.clear()

    def release(self, connection: Connection) -> None:
        """Take back a connection whose answer was read or is no longer needed."""
        self._free_slots.release()
        idle = self._idle.setdefault(connection.origin, deque())
        if connection.can_be_reused() and len(idle) < self._max_idle and connection in self._open:
            connection.close_after(self._idle_s)
            idle.append(connection)
        else:
            self._discard(connection)

    def _take_idle(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_usable():
                return connection
            self._discard(connection)
        return None

    def _discard(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.abort()

    def _remove(self, connection: Connection) -> None:
        """Drop a closed connection, whose last answer may take much memory."""
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None and connection in idle:
            idle.remove(connection)

    async def _connect(self, origin: Origin, timeout_s: float | None) -> Connection:
        scheme, host, port = origin
        options: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s):
                if scheme == "https":
                    options = {"ssl": await self._load_tls(), "server_hostname": host}
                loop = asyncio.get_running_loop()
                if isinstance(loop, asyncio.BaseEventLoop):
                    # On a network that drops IPv6, IPv4 must not wait for the timeout. uvloop has no such option.
                    options["happy_eyeballs_delay"] = HAPPY_EYEBALLS_DELAY_S
                connection = Connection(origin, self._remove)
                await loop.create_connection(lambda: connection, host, port, **options)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except OSError as exc:
            raise httpx.ConnectError(str(exc)) from exc
        return connection

    async def _load_tls(self) -> ssl.SSLContext:
        if self._tls is None:
            # In a thread, since it reads a file of certificates.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        return self._tls


class AnswerBody(httpx.AsyncByteStream):
    """The body of an answer; closing it returns the connection to the pool."""

    def __init__(self, pool: DirectTransport, connection: Connection, timeout_s: float | None) -> None:
        self._pool = pool
        self._connection: Connection | None = connection
        self._timeout_s = timeout_s

    def limit_wait(self, timeout_s: float) -> None:
        """Set how long to wait for each further piece, in seconds."""
        self._timeout_s = timeout_s

    async def read(self, take: ByteSink) -> bool:
        """Pass the body to `take` until it returns True; return False at the end of the answer."""
        return self._connection is not None and await self._connection.read(take, self._timeout_s)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: list[bytes] = []

        def keep(data: bytes) -> bool:
            pieces.append(data)
            return True

        while await self.read(keep):
            yield pieces.pop()

    async def aclose(self) -> None:
        """Return the connection to the pool; closing twice is harmless."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(connection)


def _parse_origin(url: httpx.URL) -> Origin:
    return url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _build_head(method: str, url: httpx.URL, headers: Collection[Header]) -> bytes:
    """Return the request's first line and headers.

    Raises:
        httpx.UnsupportedProtocol: The scheme is neither http nor https.
        httpx.LocalProtocolError: A header contains a line break, such as a key that was copied with its line ending.
    """
    if url.scheme not in ("http", "https"):
        raise httpx.UnsupportedProtocol(f"'{url.scheme}' is not http or https")
    lines = [b"%s: %s" % header for header in headers]
    if _LINE_BREAK.search(b"".join(lines)):
        culprit = next(name for (name, _), line in zip(headers, lines, strict=True) if _LINE_BREAK.search(line))
        raise httpx.LocalProtocolError(f"header {culprit.decode('latin-1')!r} holds a line break")
    request_line = b"%s %s HTTP/1.1" % (method.encode("ascii"), url.raw_path)
    return b"\r\n".join((request_line, *lines, b"", b""))
