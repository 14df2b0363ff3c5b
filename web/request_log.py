"""Access log: one line per request with user, path, status and duration, never the content of messages."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from process.log_lines import request_id_of_task
from turns.chat_session import ChatSession

logger = logging.getLogger(__name__)

MAX_LOGGED_PATH_CHARS = 200
CLIENT_LEFT_STATUS = 499
"""Logged status of a request whose client disconnected before the response began."""

_SCOPE_KEY = "parlor.notes"
_QUIET_PATHS = frozenset({"/healthz", "/readyz"})


@dataclass(slots=True)
class RequestNotes:
    """Data about one request that middleware, routes and the access log share.

    Attributes:
        request_id: Id of the request; the header `X-Request-Id` has it too.
        user_id: Id of the user; None on paths that need no identity.
        pseudonym: Name of the user in the log, keyed by a secret, as the ids in sessions may be guessable, e.g. e-mail
            addresses; None for a plain hash of the id.
        session: Session that the client secret opened; None without a client secret.
        use_case: Name of the use case that answered.
        error_code: Code of the error in the response.
        error_id: Id of that error, which the person sees too.
        is_listed_origin: Whether the request comes from a page of `ALLOWED_ORIGINS`.
        is_unidentified: Whether a page of `ALLOWED_ORIGINS` sent neither client secret nor browser token nor cookie.
        base_path: Path below which a proxy serves Parlor; empty at the root.
        forwarded_host: Host that the browser requested, according to a trusted proxy; None without one.
        public_url: Configured base URL for browsers (`PUBLIC_URL`); None to derive it from requests.
        has_left: Whether the client disconnected before the end of the response.
        send: The server's own `send`, by which the body of an event stream bypasses the middleware; None without
            middleware.
    """

    request_id: str
    user_id: str | None = None
    pseudonym: str | None = None
    session: ChatSession | None = None
    use_case: str | None = None
    error_code: str | None = None
    error_id: str | None = None
    is_listed_origin: bool = False
    is_unidentified: bool = False
    base_path: str = ""
    forwarded_host: str | None = None
    public_url: str | None = None
    has_left: bool = False
    send: Send | None = None


def notes_of(scope: Scope) -> RequestNotes:
    """Return the notes of a request; they are created at the first call."""
    notes = scope.get(_SCOPE_KEY)
    if not isinstance(notes, RequestNotes):
        notes = scope[_SCOPE_KEY] = RequestNotes(request_id=token_hex(8))
    return notes


class RequestLogMiddleware:
    """Outermost middleware: gives the request an id, and logs its status and duration."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, then log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = notes_of(scope)
        notes.send = send
        request_id_of_task.set(notes.request_id)
        began = time.perf_counter()
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = notes.request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if status is None:
                status = CLIENT_LEFT_STATUS if notes.has_left else 500
            _log(scope, notes, status, (time.perf_counter() - began) * 1000)


def _log(scope: Scope, notes: RequestNotes, status: int, duration_ms: float) -> None:
    path = str(scope["path"])
    extra: dict[str, Any] = {
        "method": scope["method"],
        "path": path[:MAX_LOGGED_PATH_CHARS],
        "status": status,
        "ms": round(duration_ms, 1),
        "request_id": notes.request_id,
        "user": None if notes.user_id is None else notes.pseudonym or _pseudonym(notes.user_id),
        "use_case": notes.use_case,
        "error_code": notes.error_code,
        "error_id": notes.error_id,
        "has_left": notes.has_left or None,
    }
    # Probes come every few seconds, and are of no interest as long as they succeed.
    level = logging.DEBUG if path in _QUIET_PATHS and status < 400 else logging.INFO
    logger.log(level, "request", extra={name: value for name, value in extra.items() if value is not None})


def _pseudonym(user_id: str) -> str:
    # The lines of one user can be recognised, without the id in the log.
    return hashlib.sha256(user_id.encode()).hexdigest()[:12]
