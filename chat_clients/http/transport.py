"""HTTP/1.1 over asyncio, for streams of small pieces.

httpx's own way gives every HTTP chunk its own trip through some ten generators and a parser in Python, however many
chunks one read has brought. Here a parser in C takes a read at once, and what it holds arrives in one piece: that is
cheaper, and it is what lets neighbouring deltas be merged without waiting for any.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

import httpx

from chat_clients.http.connection import Connection, Origin, StaleConnectionError, Taker

Header = tuple[bytes, bytes]
"""The name and the value of a header."""

_BREAK = re.compile(rb"[\r\n\0]")

HAPPY_EYEBALLS_DELAY_S = 0.25
"""Source: RFC 8305, 5."""


class DirectTransport(httpx.AsyncBaseTransport):
    """Connections straight to a server, over which one request after the other travels.

    It knows neither proxies nor HTTP/2: use httpx's own transport where a proxy stands between. It serves the event
    loop on which it is first used.

    Args:
        max_connections: How many may be open; a request waits for one.
        max_idle: How many may be kept open that nobody uses.
        idle_s: How long an idle connection is kept, in seconds.
    """

    def __init__(self, *, max_connections: int, max_idle: int, idle_s: float) -> None:
        self._free = asyncio.Semaphore(max_connections)
        self._max_idle = max_idle
        self._idle_s = idle_s
        self._idle: dict[Origin, deque[Connection]] = {}
        self._open: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return the answer when it has begun; its stream gives what each read has brought."""
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
        """Send a request without what httpx makes of one first, which takes longer than all else that is done with it.

        Args:
            method: HTTP method.
            url: Address.
            headers: All of them, ``host`` and ``content-length`` too.
            body: Bytes of the request.
            timeouts: How long to wait to ``connect``, ``read``, ``write``, and for a connection (``pool``), in seconds.

        Raises:
            httpx.TransportError: What went wrong.
        """
        head, origin = _head(method, url, headers), _origin(url)
        if self._free.locked():
            try:
                async with asyncio.timeout(timeouts.get("pool")):
                    await self._free.acquire()
            except TimeoutError:
                raise httpx.PoolTimeout("all connections are in use") from None
        else:
            await self._free.acquire()
        connection = None
        try:
            while True:
                connection = self._take_idle(origin)
                is_fresh = connection is None
                if connection is None:
                    connection = await self._connect(origin, timeouts.get("connect"))
                self._open.add(connection)
                try:
                    answer = await connection.ask(head, body, timeouts)
                    break
                except StaleConnectionError:
                    self._discard(connection)
                    if is_fresh:
                        raise httpx.RemoteProtocolError("the server closed the connection without an answer") from None
        except BaseException:
            if connection is not None:
                self._discard(connection)
            self._free.release()
            raise
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=AnswerBody(self, connection, timeouts.get("read")),
            extensions={"http_version": b"HTTP/1.1"},
        )

    @property
    def kept(self) -> int:
        """How many connections are in use or kept for later requests."""
        return len(self._open)

    async def aclose(self) -> None:
        """Close every connection, used or not."""
        for connection in list(self._open):
            self._discard(connection)
        self._idle.clear()

    def release(self, connection: Connection) -> None:
        """Take back a connection whose answer is read, or not wanted any more."""
        self._free.release()
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

    def _forget(self, connection: Connection) -> None:
        """Keep nothing of a connection that is closed: what it holds of its last answer may be large."""
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None and connection in idle:
            idle.remove(connection)

    async def _connect(self, origin: Origin, timeout_s: float | None) -> Connection:
        scheme, host, port = origin
        more: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s):
                if scheme == "https":
                    more = {"ssl": await self._load_tls(), "server_hostname": host}
                loop = asyncio.get_running_loop()
                if isinstance(loop, asyncio.BaseEventLoop):
                    # A network that loses IPv6 must not cost the whole time; uvloop cannot try both ways at once.
                    more["happy_eyeballs_delay"] = HAPPY_EYEBALLS_DELAY_S
                connection = Connection(origin, self._forget)
                await loop.create_connection(lambda: connection, host, port, **more)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except OSError as exc:
            raise httpx.ConnectError(str(exc)) from exc
        return connection

    async def _load_tls(self) -> ssl.SSLContext:
        if self._tls is None:
            # Reads a file of certificates, which takes a while.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        return self._tls


class AnswerBody(httpx.AsyncByteStream):
    """The body of an answer; closing it gives the connection back."""

    def __init__(self, pool: DirectTransport, connection: Connection, timeout_s: float | None) -> None:
        self._pool = pool
        self._connection: Connection | None = connection
        self._timeout_s = timeout_s

    def limit_wait(self, timeout_s: float) -> None:
        """Wait for each further piece no longer than this, in seconds."""
        self._timeout_s = timeout_s

    async def read(self, take: Taker) -> bool:
        """Hand over all that arrives until `take` returns True; return False at the end of the answer."""
        return self._connection is not None and await self._connection.read(take, self._timeout_s)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        arrived: list[bytes] = []

        def keep(data: bytes) -> bool:
            arrived.append(data)
            return True

        while await self.read(keep):
            yield arrived.pop()

    async def aclose(self) -> None:
        """Give the connection back; closing twice is harmless."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(connection)


def _origin(url: httpx.URL) -> Origin:
    return url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _head(method: str, url: httpx.URL, headers: Collection[Header]) -> bytes:
    """Return the request's first line and headers.

    Raises:
        httpx.UnsupportedProtocol: The address is no HTTP address.
        httpx.LocalProtocolError: A header would end early, such as a key that was copied with its line break.
    """
    if url.scheme not in ("http", "https"):
        raise httpx.UnsupportedProtocol(f"'{url.scheme}' is not http or https")
    lines = [b"%s: %s" % header for header in headers]
    if _BREAK.search(b"".join(lines)):
        culprit = next(name for (name, _), line in zip(headers, lines, strict=True) if _BREAK.search(line))
        raise httpx.LocalProtocolError(f"header {culprit.decode('latin-1')!r} holds a line break")
    first = b"%s %s HTTP/1.1" % (method.encode("ascii"), url.raw_path)
    return b"\r\n".join((first, *lines, b"", b""))
