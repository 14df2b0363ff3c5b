"""An adapter that puts aiohttp behind the interface of our own transport, for a comparison of the two.

It is tuned as far as aiohttp's public interface allows: the C parser, one session, the same limits and timeouts, no
cookies, no decompression, a cache of parsed URLs, and one piece of data per read. It is not part of the product;
`docs/adr/0010-our-own-way-to-the-model.md` has the results and the reasons. Run as a program, this file is Parlor over
aiohttp.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chat_clients.http import provider_connection
from chat_clients.http.connection import MAX_BUFFERED_BYTES, ByteSink
from chat_clients.http.transport import AnswerBody, DirectTransport, Header

try:
    import aiohttp
    import aiohttp.http_parser
    import yarl
except ImportError:
    raise SystemExit(
        "aiohttp is not installed; it is measured, not used. Install it beside the others with: "
        ".venv/bin/python -m uv pip install --python .venv/bin/python aiohttp"
    ) from None

if aiohttp.http_parser.HttpResponseParser is aiohttp.http_parser.HttpResponseParserPy:
    raise SystemExit("aiohttp runs without its parser in C (AIOHTTP_NO_EXTENSIONS?): that would be no fair comparison")

_OWN_HEADERS = ("accept", "accept-encoding", "user-agent", "content-type")


class AiohttpTransport(DirectTransport):
    """A transport that sends requests through one aiohttp session, with the interface of `DirectTransport`."""

    def __init__(self, *, max_connections: int, max_idle: int, idle_s: float) -> None:
        # aiohttp has no separate limit for idle connections, so that `max_idle` is ignored.
        self._limit = max_connections
        self._idle_s = idle_s
        self._session: aiohttp.ClientSession | None = None
        self._url = functools.lru_cache(64)(lambda url: yarl.URL(url, encoded=True))
        self._timeout = functools.lru_cache(4)(_timeout)

    async def send(
        self,
        method: str,
        url: httpx.URL,
        headers: Collection[Header],
        body: bytes,
        timeouts: Mapping[str, float | None],
    ) -> httpx.Response:
        """Send a request as `DirectTransport.send` does."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=self._idle_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_OWN_HEADERS,
                read_bufsize=MAX_BUFFERED_BYTES // 2,  # it stops reading at twice that
            )
        kept = {
            name.decode(): value.decode() for name, value in headers if name.lower() not in (b"host", b"content-length")
        }
        try:
            response = await self._session.request(
                method,
                self._url(str(url)),
                data=body,
                headers=kept,
                timeout=self._timeout(timeouts.get("connect"), timeouts.get("read")),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise _translated(exc) from exc
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=AiohttpBody(response),
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """Close every connection, used or not."""
        if self._session is not None:
            await self._session.close()


class AiohttpBody(AnswerBody):
    """The body of an answer, with the interface of `AnswerBody`.

    aiohttp has no callback for incoming data; it wakes a task. A separate reading task is cheaper to wake than the one
    that waits for the answer, which has some twenty-five suspended calls.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._loop = asyncio.get_running_loop()
        self._reading: asyncio.Task[None] | None = None
        self._take: ByteSink
        self._stopped: asyncio.Future[bool]
        self._wanted: asyncio.Future[None]

    async def read(self, take: ByteSink) -> bool:
        """Pass incoming data to `take` until it returns True; return False at the end of the answer."""
        self._take = take
        self._stopped = self._loop.create_future()
        if self._reading is None:
            self._reading = self._loop.create_task(self._read_on())
        elif self._reading.done():
            return False
        else:
            self._wanted.set_result(None)
        return await self._stopped

    async def _read_on(self) -> None:
        read_any = self._response.content.readany
        try:
            while data := await read_any():
                if self._take(data):
                    self._wanted = self._loop.create_future()
                    self._stop(True)
                    await self._wanted
            self._stop(False)
        except (aiohttp.ClientError, TimeoutError) as exc:
            if not self._stopped.done():
                self._stopped.set_exception(_translated(exc))

    def _stop(self, is_more: bool) -> None:
        if not self._stopped.done():
            self._stopped.set_result(is_more)

    async def aclose(self) -> None:
        """Release the connection, or close it if the answer has not ended."""
        if self._reading is not None:
            self._reading.cancel()
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


def _timeout(connect_s: float | None, read_s: float | None) -> aiohttp.ClientTimeout:
    # A `total` timeout would cost a timer and a context per answer, which our transport does not have either.
    return aiohttp.ClientTimeout(total=None, connect=connect_s, sock_connect=connect_s, sock_read=read_s)


def _translated(error: Exception) -> httpx.TransportError:
    kinds: list[tuple[Any, type[httpx.TransportError]]] = [
        (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
        (TimeoutError, httpx.ReadTimeout),
        (aiohttp.ClientConnectorError, httpx.ConnectError),
    ]
    kind = next((ours for theirs, ours in kinds if isinstance(error, theirs)), httpx.RemoteProtocolError)
    return kind(str(error) or type(error).__name__)


if __name__ == "__main__":
    from main import main

    provider_connection.DirectTransport = AiohttpTransport  # type: ignore[assignment,misc]
    sys.exit(main())
