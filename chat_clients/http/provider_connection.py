"""The way to a model provider: one pool of connections, bounded in every direction, that yields JSON events."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx

from chat_clients.http.answer_reading import (
    MAX_REFUSAL_BYTES,
    EventReader,
    body_feed,
    body_of,
    read_bounded,
    read_refusal,
)
from chat_clients.http.backpressure import Backpressure
from chat_clients.http.refusal_meanings import is_loading
from chat_clients.http.retries import backoff_s, retry_after_s, wait_before_retry
from chat_clients.http.server_events import Event, parse_object
from chat_clients.http.status_errors import ProviderStatusError
from chat_clients.http.transport import DirectTransport
from chat_clients.json_numbers import without_odd_numbers
from framework.outgoing import proxy_for

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 1000
MAX_IDLE_CONNECTIONS = 100
IDLE_CONNECTION_S = 5.0

MAX_KNOWN_URLS = 64
"""A path may hold the name of a model."""

Read = TypeVar("Read")


class ProviderConnection:
    """Requests to one provider, over connections that all agents of a process share.

    Creating it does no I/O. Close it when no agent runs any more.

    Args:
        base_url: What all paths are appended to.
        headers: Sent with every request.
        params: Query parameters of every request.
        token: Returns the bearer token of a request; asked before each.
        connect_timeout_s: To get a connection, in seconds.
        timeout_s: Longest silence between two pieces of an answer, in seconds.
        first_timeout_s: Longest wait for the first piece, in seconds: a server may have to load its model first. None
            for `timeout_s`.
        max_retries: How often a request is repeated that failed before its answer began.
        transport: How bytes travel; None for straight to the server, or through the proxy that the machine prescribes.
        backpressure: Finds the pauses between reads; None for one that looks at this process.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        token: Callable[[], Awaitable[str]] | None = None,
        connect_timeout_s: float = 5,
        timeout_s: float = 60,
        first_timeout_s: float | None = None,
        max_retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
        backpressure: Backpressure | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._params = dict(params or {})
        self._urls: dict[str, httpx.URL] = {}
        self._token = token
        self._max_retries = max_retries
        self._timeout_s = timeout_s
        first_s = timeout_s if first_timeout_s is None else first_timeout_s
        self._first_timeouts = httpx.Timeout(
            connect=connect_timeout_s, read=first_s, write=timeout_s, pool=connect_timeout_s
        )
        self._backpressure = backpressure or Backpressure()
        self._transport = transport or _choose_transport(self.base_url)
        self._http = httpx.AsyncClient(
            # Events must be readable as they arrive, and are too small to gain from compression.
            headers={"accept-encoding": "identity", "user-agent": "parlor", **(headers or {})},
            timeout=httpx.Timeout(
                connect=connect_timeout_s,
                read=timeout_s,  # from byte to byte, and so also the longest silence within an answer
                write=timeout_s,
                pool=connect_timeout_s,
            ),
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_IDLE_CONNECTIONS,
                keepalive_expiry=IDLE_CONNECTION_S,
            ),
            transport=self._transport,
            # A redirection would take the key along to wherever it leads.
            follow_redirects=False,
        )
        self._headers = {name.lower(): value for name, value in self._http.headers.raw}

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._http.is_closed

    async def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        await self._http.aclose()

    async def events(
        self,
        path: str,
        body: Mapping[str, Any],
        read: Callable[[list[Event]], list[Read] | None],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[list[Read], None]:
        """Post `body` and yield what `read` makes of the answer's events, as many at a time as have arrived together.

        When the process is busy, reads wait for more to arrive, as `Backpressure` says. An answer in one piece is one
        event.
        Close the generator when you leave it early: that lets the provider go.

        Args:
            path: Appended to the connection's address.
            body: The JSON of the request.
            read: Called with events at the moment they arrive, from the event loop itself; it must not block. What it
                returns is yielded; None is not, and costs no more than the call.
            headers: Sent with the connection's own.

        Raises:
            ProviderStatusError: The provider refused, again and again if that is worth repeating.
            BrokenStreamError: The answer cannot be read.
            httpx.TransportError: The provider cannot be reached, is silent, or broke off.
            Exception: Whatever `read` raises.
        """
        content = _write_json(body)
        # "replace" for lone surrogates, which a browser can send and UTF-8 cannot carry.
        response = await self._send(path, content.encode(errors="replace"), headers)
        try:
            reader = EventReader(read, self._backpressure)
            feed = body_feed(response, self._timeout_s)
            while await feed(reader.take):
                if reader.result is not None:
                    yield reader.result
                if reader.failure is not None:
                    raise reader.failure
                if reader.pause_s:
                    await asyncio.sleep(reader.pause_s)
            reader.close()
            if reader.result is not None:
                yield reader.result
            if reader.failure is not None:
                raise reader.failure
        finally:
            await body_of(response).aclose()

    async def post_file(self, path: str, file: tuple[str, bytes, str], fields: Mapping[str, str]) -> Mapping[str, Any]:
        """Post a file as a form, once, and return the JSON of the answer.

        Args:
            path: Appended to the connection's address.
            file: Name, bytes and media type of the file.
            fields: The other fields of the form.

        Raises:
            ProviderStatusError: The provider refused.
            BrokenStreamError: The answer is no JSON object.
            httpx.TransportError: The provider cannot be reached or is silent.
        """
        headers = {"authorization": f"Bearer {await self._token()}"} if self._token is not None else {}
        request = self._http.build_request(
            "POST",
            self._url(path),
            files={"file": file},
            data=dict(fields),
            headers=headers,
        )
        response = await self._http.send(request, stream=True)
        try:
            if not response.is_success:
                raise await read_refusal(response)
            return parse_object(await read_bounded(response, MAX_REFUSAL_BYTES))
        finally:
            await response.aclose()

    async def status_of(self, path: str) -> int:
        """Return the status with which the provider answers a GET of `path`, asked once.

        Raises:
            httpx.TransportError: The provider cannot be reached or is silent.
        """
        headers = {"authorization": f"Bearer {await self._token()}"} if self._token is not None else {}
        response = await self._http.send(self._http.build_request("GET", self._url(path), headers=headers), stream=True)
        await response.aclose()
        return response.status_code

    async def _send(self, path: str, content: bytes, headers: Mapping[str, str] | None) -> httpx.Response:
        """Return an answer that has begun well.

        A server that is loading its model is asked again until it has, at longest for as long as the first piece of an
        answer may take; that counts as no failure.
        """
        failures = waits = 0
        give_up_at = asyncio.get_running_loop().time() + (self._first_timeouts.read or 0)
        while True:
            own = {"content-type": "application/json", **(headers or {})}
            if self._token is not None:
                own["authorization"] = f"Bearer {await self._token()}"
            failure: ProviderStatusError | httpx.TransportError
            try:
                response = await self._begin(self._url(path), content, own)
                if response.is_success:
                    return response
                failure = await read_refusal(response)
                if is_loading(failure):
                    left_s = give_up_at - asyncio.get_running_loop().time()
                    await self._wait_for_model(response, failure, waits, left_s)
                    waits += 1
                    continue
                wait_s = wait_before_retry(response.headers, failure, failures)
            except (httpx.LocalProtocolError, httpx.UnsupportedProtocol):
                raise  # ours to mend, and the same the next time
            except httpx.ReadTimeout:
                raise  # a server that loads its model begins anew with each try
            except httpx.TransportError as exc:
                failure, wait_s = exc, backoff_s(failures)
            if wait_s is None or failures >= self._max_retries:
                raise failure
            failures += 1
            logger.info(
                "model request is repeated",
                extra={"attempt": failures, "wait_s": wait_s, "error_type": type(failure).__name__},
            )
            await asyncio.sleep(wait_s)

    async def _wait_for_model(
        self, response: httpx.Response, failure: ProviderStatusError, waits: int, left_s: float
    ) -> None:
        """Wait before a server is asked again that loads its model, in growing steps or as long as it asks for.

        Raises:
            ProviderStatusError: `failure`, when it would take too long.
        """
        wait_s = retry_after_s(response.headers) or backoff_s(waits)
        if wait_s > left_s:
            raise failure
        logger.info("model is being loaded", extra={"attempt": waits + 1, "wait_s": wait_s})
        await asyncio.sleep(wait_s)

    def _url(self, path: str) -> httpx.URL:
        """Return the address of `path`, which is parsed once: that takes longer than to build the whole request."""
        url = self._urls.get(path)
        if url is None:
            if len(self._urls) >= MAX_KNOWN_URLS:
                self._urls.clear()
            url = httpx.URL(self.base_url + path)
            url = self._urls[path] = url.copy_merge_params(self._params) if self._params else url
        return url

    async def _begin(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Post `content` and return the answer, whose body is still to come."""
        if not isinstance(self._transport, DirectTransport):
            timeout = self._first_timeouts
            request = self._http.build_request("POST", url, content=content, headers=headers, timeout=timeout)
            return await self._http.send(request, stream=True)
        # The client's own way looks for cookies, redirections and logins: a tenth of what a short answer costs.
        given = {name.lower(): value for name, value in httpx.Headers(headers).raw}
        own = {b"host": url.netloc, **self._headers, b"content-length": b"%d" % len(content), **given}
        return await self._transport.send("POST", url, own.items(), content, self._first_timeouts.as_dict())


def _choose_transport(base_url: str) -> httpx.AsyncBaseTransport | None:
    """Return our own transport, or None for httpx's where a proxy stands between."""
    if proxy_for(base_url) is not None:
        return None
    return DirectTransport(max_connections=MAX_CONNECTIONS, max_idle=MAX_IDLE_CONNECTIONS, idle_s=IDLE_CONNECTION_S)


def _write_json(body: Mapping[str, Any]) -> str:
    """Return `body` as JSON; what came from a server may hold NaN, which JSON does not have."""
    try:
        return _ENCODER.encode(body)
    except ValueError:
        return _ENCODER.encode(without_odd_numbers(json.loads(json.dumps(body, default=_as_json))))


def _as_json(value: Any) -> Any:
    """Return what stands for `value` in JSON: agents may hand over Pydantic models and other mappings."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to a model")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_as_json, allow_nan=False)
