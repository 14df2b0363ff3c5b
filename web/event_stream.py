"""EventStream: a response of server-sent events whose source is always closed, also when the client disconnects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from framework.chatkit_protocol import serialize
from runs.error_events import error_event
from web.failures import Failure, build_failure
from web.request_log import RequestNotes, notes_of


class Chunks(Protocol):
    """Asynchronous iterator over the bytes of whole events, which can be closed early."""

    def __aiter__(self) -> Chunks:
        """Return the iterator itself."""
        ...

    async def __anext__(self) -> bytes:
        """Return the bytes to send next."""
        ...

    async def aclose(self) -> None:
        """Stop the iteration before its end."""
        ...


class EventStream(Response):
    """A response that sends what `chunks` yields until it ends or the client goes away.

    Starlette's `StreamingResponse` runs in a cancel scope, which cancels every await of the source's clean-up again.
    Here one task iterates and closes, and is cancelled once. It is not the task of the request, since that is some
    twenty coroutines deep in middleware and routing, and each wait for a piece of text would pass through all of them.

    Args:
        chunks: The bytes of the events; always closed at the end.
        transform: Changes each chunk before it is sent; None to send all of them unchanged.
    """

    def __init__(self, chunks: Chunks, transform: Callable[[bytes], bytes] | None = None) -> None:
        super().__init__(
            headers={
                # A `Viewer` has headers of its own.
                **getattr(chunks, "headers", {}),
                # Not as `media_type`: Starlette would add a charset, and server-sent events are always UTF-8.
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache, no-transform",
                "X-Accel-Buffering": "no",
            }
        )
        # The length that Starlette computed is that of an empty body.
        del self.headers["content-length"]
        self._chunks = chunks
        self._transform = transform or bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; a client that disconnects is no error."""
        sending = asyncio.create_task(self._send(notes_of(scope), receive, send), name="send events")
        try:
            await asyncio.wait([sending])
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.wait([sending])
        sending.result()

    async def _send(self, notes: RequestNotes, receive: Receive, send: Send) -> None:
        sending = asyncio.current_task()
        assert sending is not None  # noqa: S101 - it was made above

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            notes.has_left = True
            sending.cancel()

        watcher: asyncio.Task[None] | None = None
        try:
            # Before anything else: a generator that was never started runs no clean-up when it is closed.
            chunk = await anext(self._chunks, None)
            watcher = asyncio.create_task(watch(), name="watch for disconnect")
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            # Bypasses the middleware, each of which would add a call to every piece of text: see `_build_middleware`.
            send_on = notes.send or send
            while chunk is not None:
                await send_on({"type": "http.response.body", "body": self._transform(chunk), "more_body": True})
                try:
                    chunk = await anext(self._chunks, None)
                except Exception as exc:  # noqa: BLE001 - the headers are gone: the error becomes the last event
                    chunk = _error_event(build_failure(exc, notes))
            # Servers report the end of the response as a disconnect too, which must cancel nothing.
            watcher.cancel()
            await send_on({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            # The watcher's cancellation is undone, so that the clean-up below may await; any other one is passed on.
            if not notes.has_left or sending.uncancel() > 0:
                raise
        finally:
            # The watcher must not cancel the clean-up.
            if watcher is not None:
                watcher.cancel()
            await self._chunks.aclose()
            if watcher is not None:
                await asyncio.wait([watcher])


def _error_event(failure: Failure) -> bytes:
    event = error_event(f"{failure.message} ({failure.error_id})", allow_retry=failure.allow_retry)
    return b"data: %b\n\n" % serialize(event)
