"""A response of server-sent events whose source is always closed, undisturbed by cancellation."""

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
    """The bytes of whole events, until they end or are closed."""

    def __aiter__(self) -> Chunks:
        """Return the iterator itself."""
        ...

    async def __anext__(self) -> bytes:
        """Return the bytes to send next."""
        ...

    async def aclose(self) -> None:
        """End the iteration, as nobody reads on."""
        ...


class EventStream(Response):
    """A response that sends what `chunks` yields until it ends or the client goes away.

    Starlette's own streaming answer runs in a cancel scope, which cancels each await of the source's clean-up again.
    Here one task iterates and closes, and its clean-up is not disturbed. It is not the task of the request, which is
    some twenty calls deep in middleware and routing: each wait for the next piece of text would pass through them all.

    Args:
        chunks: The bytes of the events. Closed on every way out.
        shown: Changes each chunk before it is sent; None to send all of them unchanged.
    """

    def __init__(self, chunks: Chunks, shown: Callable[[bytes], bytes] | None = None) -> None:
        super().__init__(
            headers={
                # The stream's own headers, where it has some.
                **getattr(chunks, "headers", {}),
                # Given whole: Starlette would add a charset, and server-sent events are always UTF-8.
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache, no-transform",
                "X-Accel-Buffering": "no",
            }
        )
        # The length that Starlette computed is that of an empty body.
        del self.headers["content-length"]
        self._chunks = chunks
        self._shown = shown or bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events. Raises nothing when the client goes away."""
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
            # Before all else: a generator that was never entered runs no clean-up when it is closed.
            chunk = await anext(self._chunks, None)
            watcher = asyncio.create_task(watch(), name="watch for disconnect")
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            # Past all middleware, each of which would pass on each piece of text by another call: see `build_app`.
            send_on = notes.send or send
            while chunk is not None:
                await send_on({"type": "http.response.body", "body": self._shown(chunk), "more_body": True})
                try:
                    chunk = await anext(self._chunks, None)
                except Exception as exc:  # noqa: BLE001 - the headers are gone: the error becomes the last event
                    chunk = _error_event(build_failure(exc, notes))
            # The end is no reason to cancel anything, and servers report it as a disconnect.
            watcher.cancel()
            await send_on({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            # Ours is taken back, so that the clean-up below may await; the request's own is passed on.
            if not notes.has_left or sending.uncancel() > 0:
                raise
        finally:
            # From here on the watcher cancels nothing any more.
            if watcher is not None:
                watcher.cancel()
            await self._chunks.aclose()
            if watcher is not None:
                await asyncio.wait([watcher])


def _error_event(failure: Failure) -> bytes:
    event = error_event(f"{failure.message} ({failure.error_id})", allow_retry=failure.allow_retry)
    return b"data: %b\n\n" % serialize(event)
