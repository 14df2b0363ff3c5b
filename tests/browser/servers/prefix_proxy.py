"""A reverse proxy that serves another server below a path prefix."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

TIMEOUT_S = 60.0
# Hop-by-hop headers.
_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})


def build_prefix_proxy(target: str, prefix: str) -> ASGIApp:
    """Return an application that strips `prefix` from each path and forwards the request to `target`.

    Like most proxies, it sends the scheme, the host and the prefix of the original request in headers. Requests of
    other paths are answered with 404.
    """

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope["raw_path"].decode("ascii")
        if not path.startswith(f"{prefix}/"):
            response = Response(status_code=307, headers={"Location": f"{prefix}/"}) if path == prefix else None
            await (response or Response("nothing of ours", status_code=404))(scope, receive, send)
            return
        query = scope["query_string"].decode("ascii")
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP]
        headers += [("X-Forwarded-Proto", "http"), ("X-Forwarded-Prefix", prefix)]
        headers += [("X-Forwarded-Host", request.headers["host"]), ("X-Forwarded-For", "192.0.2.1")]
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client,
            client.stream(
                request.method,
                f"{target}{path.removeprefix(prefix)}" + (f"?{query}" if query else ""),
                headers=headers,
                content=await request.body(),
            ) as answer,
        ):

            async def pieces() -> AsyncIterator[bytes]:
                async for piece in answer.aiter_raw():
                    yield piece

            response = StreamingResponse(pieces(), answer.status_code)
            response.raw_headers = [pair for pair in answer.headers.raw if pair[0].lower().decode() not in _HOP]
            await response(scope, receive, send)

    return proxy
