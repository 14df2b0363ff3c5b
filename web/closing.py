"""Closes the keep-alive connections of a stopping server, each together with a response, so that no request is lost."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from process.lifecycle import Lifecycle


class ClosingMiddleware:
    """Middleware that adds `Connection: close` to every response while the process is stopping.

    A proxy reuses connections. If it sends a request just when the server closes the connection, that request is lost,
    and a POST is not repeated. Source: RFC 9112, 9.6.
    """

    def __init__(self, app: ASGIApp, *, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, and have its connection closed if the server is stopping."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            # Checked when the response begins, as the stop may come while it is prepared.
            if message["type"] == "http.response.start" and self._lifecycle.is_stopping:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_close)
