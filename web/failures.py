"""Errors as HTTP responses: one JSON shape, a status, and an id that the log has too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database import is_down, known_fault_of, outlook_of
from errors import (
    INTERNAL_MESSAGE,
    ActionError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
    UserFacingError,
    new_error_id,
)
from web.request_log import RequestNotes, notes_of

logger = logging.getLogger(__name__)

STRANGER = (
    "This page's request did not tell who asks: its browser keeps no cookie of this server. The page has to send a "
    "client secret or a browser token."
)

RETRY_AFTER_S = 5
"""`Retry-After` of 429 and 503 where the error itself has none, in seconds."""

_HTTP_CODES: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not answer this method."),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the person sees it.

    Attributes:
        status: The HTTP status, 400 to 599.
        code: A stable machine-readable name.
        message: One or two sentences, without internals.
        error_id: Id of the error; the log has it too.
        allow_retry: Whether trying the same again can help.
        retry_after_s: When to try again, in seconds, where that is known.
        field: The name of the form field whose value was refused; None when none was.
    """

    status: int
    code: str
    message: str
    error_id: str
    allow_retry: bool
    retry_after_s: int | None = None
    field: str | None = None


def build_failure(exc: Exception, notes: RequestNotes) -> Failure:
    """Return the failure that may be shown for `exc`, and log `exc` under the failure's id."""
    error_id = new_error_id()
    if is_down(exc):
        exc = _unavailable(exc)
    if notes.is_stranger and isinstance(exc, NotFoundError) and exc.code == NotFoundError.code:
        # It may well exist: of somebody whom the browser did not let the page name.
        exc = UnauthorizedError(STRANGER)
    if isinstance(exc, UserFacingError):
        failure = Failure(exc.status, exc.code, exc.message, error_id, exc.allow_retry, exc.retry_after_s)
        if isinstance(exc, ActionError):
            failure = replace(failure, field=exc.field)
        cause = exc.__cause__
        if failure.status >= 500 and cause is not None:
            fault = known_fault_of(cause)
            logger.warning(
                "request could not be answered",
                # What has a name needs no trace, and a disk that is full would fill the log with them.
                exc_info=None if fault else cause,
                extra={
                    "code": failure.code,
                    "error_id": error_id,
                    "request_id": notes.request_id,
                    **({"reason": f"the database {fault}"} if fault else {}),
                },
            )
    else:
        failure = Failure(500, "internal", INTERNAL_MESSAGE, error_id, allow_retry=True)
        logger.error("request failed", exc_info=exc, extra={"error_id": error_id, "request_id": notes.request_id})
    notes.error_code, notes.error_id = failure.code, error_id
    return failure


def _unavailable(exc: Exception) -> UnavailableError:
    error = UnavailableError(f"This cannot be read or saved at the moment. {outlook_of(exc)}")
    error.__cause__ = exc
    return error


def failure_response(
    failure: Failure, headers: Mapping[str, str] | None = None, details: Mapping[str, object] | None = None
) -> Response:
    """Return `failure` as JSON with its status; `details` are said beside its code."""
    said = {**({"field": failure.field} if failure.field is not None else {}), **(details or {})}
    response = JSONResponse(
        {"error": {"code": failure.code, "message": failure.message, "id": failure.error_id, **said}},
        status_code=failure.status,
        headers=dict(headers or {}),
    )
    if failure.status in (429, 503):
        response.headers["Retry-After"] = str(failure.retry_after_s or RETRY_AFTER_S)
    if failure.status in (408, 413):
        # Otherwise the server would go on reading what it refused.
        response.headers["Connection"] = "close"
    return response


async def handle_http_exception(request: Request, exc: Exception) -> Response:
    """Answer what the router refuses (404, 405) in the shape of all other errors."""
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    code, message = _HTTP_CODES.get(status, (f"http_{status}", "This request cannot be answered."))
    notes = notes_of(request.scope)
    failure = Failure(status, code, message, new_error_id(), allow_retry=False)
    notes.error_code, notes.error_id = failure.code, failure.error_id
    return failure_response(failure, exc.headers if isinstance(exc, HTTPException) else None)


class ErrorMiddleware:
    """Middleware that turns every exception into a response, and logs it once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, and turn an exception into a response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = notes_of(scope)
        has_started = False

        async def watched_send(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except ClientDisconnect:
            notes.has_left = True
        except Exception as exc:  # noqa: BLE001 - the border: what arrives here is logged and answered
            failure = build_failure(exc, notes)
            # When the headers are gone, the server cuts the connection, which is all that is left to say.
            if not has_started:
                await failure_response(failure)(scope, receive, send)
