"""Closes the connections of a server that is about to end, each with its next response instead of later without one."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from process.lifecycle import Lifecycle


class ClosingMiddleware:
    """Middleware that says `Connection: close` in every answer while the process is stopping.

    A proxy keeps connections, and sends a request into one at the moment at which the server ends it: that request is
    lost, and a POST is not sent again. Source: RFC 9112, 9.6.
    """

    def __init__(self, app: ASGIApp, *, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, and close its connection where that is due."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            # Asked when the answer begins: the stop may have come while it was prepared.
            if message["type"] == "http.response.start" and self._lifecycle.is_stopping:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_close)
