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
from storage.file_rows import owner_of
from web.client_sessions import ClientSessions
from web.event_stream import EventStream
from web.identity import build_context
from web.page_context import select_headers
from web.request_log import notes_of
from web.session_rules import handle_in_session
from web.visible_use_cases import NO_USE_CASE, VisibleUseCases

BODY_TIMEOUT_S = 30.0
"""Time limit for a client to send its body."""


def add_chatkit_routes(
    app: FastAPI, use_cases: VisibleUseCases, sessions: ClientSessions, urls: FileURLs, settings: Settings
) -> None:
    """Add the routes of the ChatKit protocol to `app`; `urls` takes the place of marks in all that they answer."""
    told = {"Parlor-Image-Domains": ", ".join(settings.allowed_image_domains)} if settings.allowed_image_domains else {}

    async def answer(request: Request, name: str | None) -> Response:
        check_content_type(request)
        body = await read_body(request, settings.max_body_bytes)
        asked, notes = build_context(request), notes_of(request.scope)
        session = notes.session
        if session is not None:
            # Its own use case, at its own address and at the default one; any other reads as missing.
            if name not in (None, session.use_case):
                raise NotFoundError(NO_USE_CASE, code="use_case.not_found")
            name = session.use_case
        use_case = await use_cases.find(name, asked)
        notes.use_case = use_case.name
        headers = select_headers(request.headers, use_case.headers) if use_case.headers else asked.headers
        context = replace(asked, use_case=use_case.name, headers=headers)
        if session is None:
            result = await use_case.server.handle(body, context)
        else:
            result = await handle_in_session(
                body, session, sessions, lambda each: use_case.server.handle(each, context)
            )
        owner = owner_of(context.user_id, context.use_case)
        if isinstance(result, bytes):
            shown = urls.in_place_of_marks(result, owner, context.base_url)
            return Response(shown, media_type="application/json", headers=told)
        stream = EventStream(result, lambda chunk: urls.in_place_of_marks(chunk, owner, context.base_url))
        stream.headers.update(told)
        return stream

    async def answer_default(request: Request) -> Response:
        return await answer(request, None)

    async def answer_named(request: Request) -> Response:
        return await answer(request, request.path_params["use_case"])

    # Starlette's routes: there is nothing for FastAPI to validate, and its part is a quarter of a small request.
    app.add_route("/chatkit", answer_default, methods=["POST"])
    app.add_route("/chatkit/{use_case}", answer_named, methods=["POST"])


def check_content_type(request: Request) -> None:
    """Refuse a body that does not say that it is JSON.

    Raises:
        UnsupportedError: When it does not.
    """
    # A page of another origin can send text/plain without asking first, but not JSON.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedError("The body must be JSON, with the content type application/json.")


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body.

    Raises:
        TooLargeError: When it has more than `max_bytes`.
        RequestTimeoutError: When it does not arrive in time.
    """
    too_large = TooLargeError(f"The request is larger than {max_bytes} bytes.")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > max_bytes):
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
