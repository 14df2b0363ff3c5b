"""Errors as HTTP responses: a status, one JSON shape, and an error id that the log contains too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from database import describe_known_fault, is_down, outage_advice
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

UNIDENTIFIED_BROWSER = (
    "This page's request did not tell who asks: its browser keeps no cookie of this server. The page has to send a "
    "client secret or a browser token."
)

RETRY_AFTER_S = 5
"""Default `Retry-After` of 429 and 503 responses, in seconds."""

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
        error_id: The id of the error, by which it is found in the log.
        allow_retry: Whether trying the same again can help.
        retry_after_s: Seconds until a retry can succeed; None when that is not known.
        field: The name of the form field whose value was rejected; None when the error is about no field.
    """

    status: int
    code: str
    message: str
    error_id: str
    allow_retry: bool
    retry_after_s: int | None = None
    field: str | None = None


def build_failure(exc: Exception, notes: RequestNotes) -> Failure:
    """Return the failure to show for `exc`, and log `exc` under the failure's id."""
    error_id = new_error_id()
    if is_down(exc):
        exc = _database_unavailable(exc)
    if notes.is_unidentified and isinstance(exc, NotFoundError) and exc.code == NotFoundError.code:
        # The resource may exist for a user whose cookie the browser did not send.
        exc = UnauthorizedError(UNIDENTIFIED_BROWSER)
    if isinstance(exc, UserFacingError):
        failure = Failure(exc.status, exc.code, exc.message, error_id, exc.allow_retry, exc.retry_after_s)
        if isinstance(exc, ActionError):
            failure = replace(failure, field=exc.field)
        cause = exc.__cause__
        if failure.status >= 500 and cause is not None:
            fault = describe_known_fault(cause)
            logger.warning(
                "request could not be answered",
                # A known fault needs no traceback, and a full disk would fill the log with them.
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


def _database_unavailable(exc: Exception) -> UnavailableError:
    error = UnavailableError(f"This cannot be read or saved at the moment. {outage_advice(exc)}")
    error.__cause__ = exc
    return error


def failure_response(
    failure: Failure, headers: Mapping[str, str] | None = None, details: Mapping[str, object] | None = None
) -> Response:
    """Return `failure` as a JSON response; `details` are added to the members of `error`."""
    extra = {**({"field": failure.field} if failure.field is not None else {}), **(details or {})}
    response = JSONResponse(
        {"error": {"code": failure.code, "message": failure.message, "id": failure.error_id, **extra}},
        status_code=failure.status,
        headers=dict(headers or {}),
    )
    if failure.status in (429, 503):
        response.headers["Retry-After"] = str(failure.retry_after_s or RETRY_AFTER_S)
    if failure.status in (408, 413):
        # Otherwise the server would go on reading the rejected body.
        response.headers["Connection"] = "close"
    return response


async def handle_http_exception(request: Request, exc: Exception) -> Response:
    """Return 404 and 405 of the router in the shape of all other errors."""
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    code, message = _HTTP_CODES.get(status, (f"http_{status}", "This request cannot be answered."))
    notes = notes_of(request.scope)
    failure = Failure(status, code, message, new_error_id(), allow_retry=False)
    notes.error_code, notes.error_id = failure.code, failure.error_id
    return failure_response(failure, exc.headers if isinstance(exc, HTTPException) else None)


class ErrorMiddleware:
    """Middleware that converts every exception into a response, and logs it once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, and answer an exception."""
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
        except Exception as exc:  # noqa: BLE001 - the outermost handler: logged and answered here
            failure = build_failure(exc, notes)
            # Once the headers are sent, the only sign of an error is a closed connection, which the server sees to.
            if not has_started:
                await failure_response(failure)(scope, receive, send)
