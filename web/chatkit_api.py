"""`POST /chatkit/{use_case}`: one ChatKit request in, JSON or server-sent events out."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from config import Settings
from errors import BadRequestError, TooLargeError, UnsupportedError
from web.event_stream import EventStream
from web.identity import build_context
from web.request_log import notes_of
from web.visible_use_cases import VisibleUseCases

BODY_TIMEOUT_S = 30.0
"""Time limit for a client to send its body."""


def add_chatkit_routes(app: FastAPI, use_cases: VisibleUseCases, settings: Settings) -> None:
    """Add the routes of the ChatKit protocol to `app`."""

    async def answer(request: Request, name: str | None) -> Response:
        _check_content_type(request)
        body = await _read_body(request, settings.max_body_bytes)
        asked = build_context(request)
        use_case = await use_cases.find(name, asked)
        notes_of(request.scope).use_case = use_case.name
        result = await use_case.server.handle(body, replace(asked, use_case=use_case.name))
        if isinstance(result, bytes):
            return Response(result, media_type="application/json")
        return EventStream(result)

    async def answer_default(request: Request) -> Response:
        return await answer(request, None)

    async def answer_named(request: Request) -> Response:
        return await answer(request, request.path_params["use_case"])

    # Starlette's routes: there is nothing for FastAPI to validate, and its part is a quarter of a small request.
    app.add_route("/chatkit", answer_default, methods=["POST"])
    app.add_route("/chatkit/{use_case}", answer_named, methods=["POST"])


def _check_content_type(request: Request) -> None:
    # A page of another origin can send text/plain without asking first, but not JSON.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedError("The body must be JSON, with the content type application/json.")


async def _read_body(request: Request, max_bytes: int) -> bytes:
    too_large = TooLargeError(f"The request is larger than {max_bytes} bytes.")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise too_large
    except TimeoutError as exc:
        raise BadRequestError("The request did not arrive in time.", code="request_timeout") from exc
    return bytes(body)
