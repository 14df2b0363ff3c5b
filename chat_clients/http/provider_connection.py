"""The HTTP connection to a model provider: requests with timeouts and retries, and answers as JSON events."""

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
    open_body_feed,
    raw_body,
    read_bounded,
    read_refusal,
)
from chat_clients.http.backpressure import Backpressure
from chat_clients.http.refusal_meanings import is_loading
from chat_clients.http.retries import backoff_s, retry_after_s, retry_delay_s
from chat_clients.http.server_events import Event, parse_object
from chat_clients.http.status_errors import ProviderStatusError
from chat_clients.http.transport import DirectTransport
from chat_clients.json_numbers import replace_non_finite
from framework.outgoing import proxy_for

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 1000
MAX_IDLE_CONNECTIONS = 100
IDLE_CONNECTION_S = 5.0

MAX_CACHED_URLS = 64
"""How many parsed addresses are cached: there is one per path, which may contain the name of a model."""

Read = TypeVar("Read")


class ProviderConnection:
    """Requests to one provider over a pool of connections, which all agents of a process share.

    Creating it does no I/O. Close it when no agent runs any more.

    Args:
        base_url: The address that all paths are appended to.
        headers: Headers of every request.
        params: Query parameters of every request.
        token: Returns the bearer token; called before each request.
        connect_timeout_s: To get a connection, in seconds.
        timeout_s: Longest silence between two pieces of an answer, in seconds.
        first_timeout_s: Longest wait for the first piece, in seconds: a server may have to load its model first. None
            for `timeout_s`.
        max_retries: How often a request is repeated that failed before its answer began.
        transport: The transport; None for our own, or for httpx's if the machine's settings name a proxy.
        backpressure: Finds the pauses between reads; None for one that measures this process.
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
            # Events must be readable as they arrive, and are too small for compression to help.
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
            # A redirect would send the key to wherever it leads.
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
        """Post `body`, convert the answer's events with `read`, and yield the results.

        Events that arrive together are converted together; `Backpressure` makes reads wait when the process is busy. An
        answer in one piece is one event. Close the generator when leaving it early, which ends the request.

        Args:
            path: Appended to the connection's address.
            body: The JSON of the request.
            read: Called with events at the moment they arrive, from the event loop itself, so it must not block. Its
                result is yielded, except None, which wakes nobody.
            headers: Headers in addition to the connection's own.

        Raises:
            ProviderStatusError: The provider refused the request, after all retries.
            BrokenStreamError: The answer cannot be parsed.
            httpx.TransportError: The provider cannot be reached, is silent, or has broken off the answer.
            Exception: Whatever `read` raises.
        """
        content = _encode_json(body)
        # "replace" for lone surrogates, which a browser can send and UTF-8 cannot encode.
        response = await self._send(path, content.encode(errors="replace"), headers)
        try:
            reader = EventReader(read, self._backpressure)
            feed = open_body_feed(response, self._timeout_s)
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
            await raw_body(response).aclose()

    async def post_file(self, path: str, file: tuple[str, bytes, str], fields: Mapping[str, str]) -> Mapping[str, Any]:
        """Post a file as a form, once, and return the JSON of the answer.

        Args:
            path: Appended to the connection's address.
            file: Name, bytes and media type of the file.
            fields: The other fields of the form.

        Raises:
            ProviderStatusError: The provider refused.
            BrokenStreamError: The answer is not a JSON object.
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

    async def get_status(self, path: str) -> int:
        """Return the status of a GET request for `path`, without retries.

        Raises:
            httpx.TransportError: The provider cannot be reached or is silent.
        """
        headers = {"authorization": f"Bearer {await self._token()}"} if self._token is not None else {}
        response = await self._http.send(self._http.build_request("GET", self._url(path), headers=headers), stream=True)
        await response.aclose()
        return response.status_code

    async def _send(self, path: str, content: bytes, headers: Mapping[str, str] | None) -> httpx.Response:
        """Post `content`, with retries, and return the answer once its headers have arrived with a success status.

        A server that is still loading its model is asked again for as long as the first piece of an answer may take;
        this does not count as a retry.
        """
        failures = waits = 0
        give_up_at = asyncio.get_running_loop().time() + (self._first_timeouts.read or 0)
        while True:
            own_headers = {"content-type": "application/json", **(headers or {})}
            if self._token is not None:
                own_headers["authorization"] = f"Bearer {await self._token()}"
            failure: ProviderStatusError | httpx.TransportError
            try:
                response = await self._post(self._url(path), content, own_headers)
                if response.is_success:
                    return response
                failure = await read_refusal(response)
                if is_loading(failure):
                    left_s = give_up_at - asyncio.get_running_loop().time()
                    await self._wait_for_model(response, failure, waits, left_s)
                    waits += 1
                    continue
                wait_s = retry_delay_s(response.headers, failure, failures)
            except (httpx.LocalProtocolError, httpx.UnsupportedProtocol):
                raise  # an error of ours, which a retry would repeat
            except httpx.ReadTimeout:
                raise  # a server that loads its model would start again
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
        """Wait before asking a server again that is loading its model: as long as it says, or longer each time.

        Raises:
            ProviderStatusError: `failure`, when there is less time left than that.
        """
        wait_s = retry_after_s(response.headers) or backoff_s(waits)
        if wait_s > left_s:
            raise failure
        logger.info("model is being loaded", extra={"attempt": waits + 1, "wait_s": wait_s})
        await asyncio.sleep(wait_s)

    def _url(self, path: str) -> httpx.URL:
        """Return the address of `path` from a cache, since parsing it takes longer than building the whole request."""
        url = self._urls.get(path)
        if url is None:
            if len(self._urls) >= MAX_CACHED_URLS:
                self._urls.clear()
            url = httpx.URL(self.base_url + path)
            url = self._urls[path] = url.copy_merge_params(self._params) if self._params else url
        return url

    async def _post(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Post `content` once and return the answer, whose body is yet to arrive."""
        if not isinstance(self._transport, DirectTransport):
            timeout = self._first_timeouts
            request = self._http.build_request("POST", url, content=content, headers=headers, timeout=timeout)
            return await self._http.send(request, stream=True)
        # `httpx.AsyncClient.send` also handles cookies, redirects and logins: a tenth of the cost of a short answer.
        own_headers = {name.lower(): value for name, value in httpx.Headers(headers).raw}
        all_headers = {b"host": url.netloc, **self._headers, b"content-length": b"%d" % len(content), **own_headers}
        return await self._transport.send("POST", url, all_headers.items(), content, self._first_timeouts.as_dict())


def _choose_transport(base_url: str) -> httpx.AsyncBaseTransport | None:
    """Return our own transport; None for httpx's if the machine's settings name a proxy."""
    if proxy_for(base_url) is not None:
        return None
    return DirectTransport(max_connections=MAX_CONNECTIONS, max_idle=MAX_IDLE_CONNECTIONS, idle_s=IDLE_CONNECTION_S)


def _encode_json(body: Mapping[str, Any]) -> str:
    """Return `body` as JSON, with null in place of NaN and the infinities, which a server may have sent."""
    try:
        return _ENCODER.encode(body)
    except ValueError:
        return _ENCODER.encode(replace_non_finite(json.loads(json.dumps(body, default=_json_default))))


def _json_default(value: Any) -> Any:
    """Return a JSON value for a Pydantic model or a mapping, which agents may put into a request."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to a model")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_json_default, allow_nan=False)
