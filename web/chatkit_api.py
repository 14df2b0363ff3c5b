"""`POST /chatkit/{use_case}`: one ChatKit request in, JSON or server-sent events out."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from config import Settings
from errors import NotFoundError, RequestTimeoutError, TooLargeError, UnsupportedError
from files.file_urls import FileURLs
from storage.file_rows import owner_key
from web.client_sessions import ClientSessions
from web.event_stream import EventStream
from web.identity import build_context
from web.page_context import select_headers
from web.request_log import notes_of
from web.session_rules import handle_in_session
from web.visible_use_cases import NO_USE_CASE, VisibleUseCases

BODY_TIMEOUT_S = 30.0
"""Time limit for a client to send its body, in seconds."""


def add_chatkit_routes(
    app: FastAPI, use_cases: VisibleUseCases, sessions: ClientSessions, urls: FileURLs, settings: Settings
) -> None:
    """Add the routes of the ChatKit protocol to `app`; `urls` replaces the marks of files in every response."""
    extra_headers: dict[str, str] = {}
    if settings.allowed_image_domains:
        extra_headers["Parlor-Image-Domains"] = ", ".join(settings.allowed_image_domains)

    async def answer(request: Request, name: str | None) -> Response:
        check_content_type(request)
        body = await read_body(request, settings.max_body_bytes)
        caller, notes = build_context(request), notes_of(request.scope)
        session = notes.session
        if session is not None:
            # A session is for one use case, which answers at the default address too; any other reads as missing.
            if name not in (None, session.use_case):
                raise NotFoundError(NO_USE_CASE, code="use_case.not_found")
            name = session.use_case
        use_case = await use_cases.find(name, caller)
        notes.use_case = use_case.name
        headers = select_headers(request.headers, use_case.headers) if use_case.headers else caller.headers
        context = replace(caller, use_case=use_case.name, headers=headers)
        if session is None:
            result = await use_case.server.handle(body, context)
        else:
            result = await handle_in_session(
                body, session, sessions, lambda each: use_case.server.handle(each, context)
            )
        owner = owner_key(context.user_id, context.use_case)
        if isinstance(result, bytes):
            content = urls.replace_marks(result, owner, context.base_url)
            return Response(content, media_type="application/json", headers=extra_headers)
        stream = EventStream(result, lambda chunk: urls.replace_marks(chunk, owner, context.base_url))
        stream.headers.update(extra_headers)
        return stream

    async def answer_default(request: Request) -> Response:
        return await answer(request, None)

    async def answer_named(request: Request) -> Response:
        return await answer(request, request.path_params["use_case"])

    # Starlette's routes: FastAPI has nothing to validate here, and would take a quarter of the time of a small request.
    app.add_route("/chatkit", answer_default, methods=["POST"])
    app.add_route("/chatkit/{use_case}", answer_named, methods=["POST"])


def check_content_type(request: Request) -> None:
    """Reject a request whose `Content-Type` is not JSON.

    Raises:
        UnsupportedError: When the content type is another one, or missing.
    """
    # A page of another origin can send text/plain without a CORS preflight, but not JSON.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedError("The body must be JSON, with the content type application/json.")


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request.

    Raises:
        TooLargeError: When it has more than `max_bytes`.
        RequestTimeoutError: When it does not arrive in time.
    """
    too_large = TooLargeError(f"The request is larger than {max_bytes} bytes.")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and (len(length) > 18 or int(length) > max_bytes):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise too_large
    except TimeoutError as exc:
        raise RequestTimeoutError("The request did not arrive in time.") from exc
    return bytes(body)
