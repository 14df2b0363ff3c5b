"""Files over HTTP: uploads to signed URLs and by form, previews and downloads.

Bytes are sent to and read from URLs that this server has signed: no cookie is needed, and an upload ignores cookies.
The owner may also read without a signature, by a cookie or by the client secret of a session.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from attachments import ParlorAttachmentStore
from errors import ForbiddenError, NotFoundError, UnavailableError
from files.file_urls import PATH, Purpose
from files.media_types import PICTURES, PLAIN, is_text
from files.names import content_disposition
from files.object_store import StoredObject
from files.upload_rules import UploadRules
from framework.chatkit_protocol import serialize
from storage.file_rows import StoredFile, owner_key
from web.client_sessions import ClientSessions
from web.failures import build_failure, failure_response
from web.form_files import read_form_file
from web.identity import base_url_of, build_context
from web.request_log import notes_of
from web.session_rules import BYTES_PER_MB, counted_upload
from web.visible_use_cases import NO_USE_CASE, VisibleUseCases

MAX_DRAINED_BYTES = 1024 * 1024
"""How much of a rejected body is still read: if the connection were closed at once, the browser would see a reset."""

DRAIN_TIMEOUT_S = 2.0
MAX_CACHE_AGE_S = 900

NO_FILE = "This file does not exist."

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")

Endpoint = Callable[[Request], Awaitable[Response]]


def add_attachment_routes(
    app: FastAPI, attachments: ParlorAttachmentStore, use_cases: VisibleUseCases, sessions: ClientSessions
) -> None:
    """Add the routes of files to `app`."""
    views = _FileViews(attachments)

    @_upload_endpoint
    async def upload(request: Request) -> Response:
        """Receive the bytes of an announced file: as the body (PUT), or in a form (POST)."""
        file = await attachments.find(request.path_params["file_id"])
        if not _is_signed(request, file, "content", attachments):
            raise ForbiddenError("This upload is not allowed, or not any more.", code="attachments.url_expired")
        if request.method == "PUT":
            chunks: AsyncIterator[bytes] = request.stream()
        else:
            chunks = (await read_form_file(request)).chunks
        length = _parse_content_length(request) if request.method == "PUT" else None
        received = await attachments.receive(file, chunks, length)
        return _json_with_urls(request, serialize(received), file.owner, attachments)

    @_upload_endpoint
    async def upload_form(request: Request) -> Response:
        """Receive a file in a form, as ChatKit's direct uploads send it."""
        session = notes_of(request.scope).session
        name = request.path_params["use_case"]
        if session is not None and name != session.use_case:
            raise NotFoundError(NO_USE_CASE, code="use_case.not_found")
        use_case = await use_cases.find(name, build_context(request))
        context = replace(build_context(request), use_case=use_case.name)
        rules: UploadRules = attachments.rules_of(use_case.composer.attachments)
        async with AsyncExitStack() as counting:
            if session is not None:
                await counting.enter_async_context(counted_upload(session, sessions))
                session_max_bytes = session.configuration.max_file_mb * BYTES_PER_MB
                rules = replace(rules, max_bytes=min(rules.max_bytes, session_max_bytes))
            form = await read_form_file(request)
            received = await attachments.receive_new(form.name, form.media_type, form.chunks, rules, context)
        return _json_with_urls(request, serialize(received), owner_key(context.user_id, context.use_case), attachments)

    app.add_route(f"{PATH}{{file_id}}/content", upload, methods=["PUT", "POST"])
    app.add_route(f"{PATH}{{file_id}}/preview", views.preview, methods=["GET"])
    app.add_route(f"{PATH}{{file_id}}/file", views.file, methods=["GET"])
    app.add_route(f"{PATH}{{file_id}}", views.describe, methods=["GET"])
    app.add_route("/chatkit/{use_case}/attachments", upload_form, methods=["POST"])


class _FileViews:
    """Endpoints that send files, previews and descriptions to browsers."""

    def __init__(self, attachments: ParlorAttachmentStore) -> None:
        self._attachments = attachments

    async def describe(self, request: Request) -> Response:
        """Return a description of a file, with preview and download URLs that are valid for some minutes."""
        file = await self._load_owned_file(request)
        base_url, urls = base_url_of(request), self._attachments.urls
        is_pending = file.state == "pending"
        state = "uploaded" if is_pending and await self._attachments.has_arrived(file) else file.state
        description = {
            "id": file.id, "name": file.name, "mime_type": file.media_type, "size": file.size, "width": file.width,
            "height": file.height, "state": state, "thread_id": file.thread_id,
            "download_url": f"{base_url}{urls.view_path(file.id, 'file', file.owner)}",
        }  # fmt: skip
        if file.media_type in PICTURES and not is_pending:
            description["preview_url"] = f"{base_url}{urls.view_path(file.id, 'preview', file.owner)}"
        return JSONResponse({name: value for name, value in description.items() if value is not None})

    async def preview(self, request: Request) -> Response:
        """Send a thumbnail of a picture, which is made once."""
        file = await self._load_readable_file(request, "preview")
        try:
            data = await self._attachments.contents.preview(file)
        except UnavailableError as exc:
            if exc.allow_retry:
                raise
            # The picture itself cannot be decoded: a client error, and no outage.
            raise NotFoundError("There is no preview of this file: it is damaged.", code=exc.code) from exc
        headers = _file_headers("preview.webp", is_inline=True)
        return Response(data, media_type="image/webp", headers=headers)

    async def file(self, request: Request) -> Response:
        """Send a file: pictures inline, everything else as a download, and never as a type that runs scripts."""
        file = await self._load_readable_file(request, "file")
        is_inline = file.media_type in PICTURES and "download" not in request.query_params
        headers = _file_headers(file.name, is_inline=is_inline) | {"Accept-Ranges": "bytes"}
        media_type = file.media_type
        if is_text(media_type):
            media_type = f"{PLAIN}; charset=utf-8"
        start, end = _parse_range(request, file.size)
        if start >= file.size > 0 or (end is not None and end <= start):
            return Response(status_code=416, headers={"Content-Range": f"bytes */{file.size}"})
        stored: StoredObject = await self._attachments.contents.open(file, start, end)
        last = file.size if end is None else end
        headers["Content-Length"] = str(last - start)
        status = 200
        if start or end is not None:
            status = 206
            headers["Content-Range"] = f"bytes {start}-{last - 1}/{file.size}"
        return StreamingResponse(stored.chunks, status_code=status, media_type=media_type, headers=headers)

    async def _load_readable_file(self, request: Request, purpose: Purpose) -> StoredFile:
        file = await self._attachments.find(request.path_params["file_id"])
        if _is_signed(request, file, purpose, self._attachments) or _is_from_owner(request, file):
            return file
        # To anybody else the file reads as missing: a 403 would confirm that it exists.
        raise NotFoundError(NO_FILE)

    async def _load_owned_file(self, request: Request) -> StoredFile:
        file = await self._attachments.find(request.path_params["file_id"])
        if not _is_from_owner(request, file):
            raise NotFoundError(NO_FILE)
        return file


def _upload_endpoint(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with rejections that a browser can read in the middle of its upload, before the close."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            raise
        except Exception as exc:  # noqa: BLE001 - answered as `ErrorMiddleware` would
            failure = build_failure(exc, notes_of(request.scope))
            with suppress(Exception):
                await _drain_body(request)
            return failure_response(failure, {"Connection": "close"})

    return guarded


async def _drain_body(request: Request) -> None:
    bytes_left = MAX_DRAINED_BYTES
    async with asyncio.timeout(DRAIN_TIMEOUT_S):
        async for chunk in request.stream():
            bytes_left -= len(chunk)
            if bytes_left < 0:
                return


def _is_signed(request: Request, file: StoredFile, purpose: Purpose, attachments: ParlorAttachmentStore) -> bool:
    query = request.query_params
    expires, signature = query.get("expires", ""), query.get("signature", "")
    return attachments.urls.is_valid(file.id, purpose, file.owner, expires, signature)


def _is_from_owner(request: Request, file: StoredFile) -> bool:
    notes = notes_of(request.scope)
    if notes.session is not None:
        return (notes.session.user_id, notes.session.use_case) == (file.owner_id, file.use_case)
    return notes.user_id is not None and notes.user_id == file.owner_id


def _parse_content_length(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 18 else None


def _json_with_urls(request: Request, body: bytes, owner: str, attachments: ParlorAttachmentStore) -> Response:
    content = attachments.urls.replace_marks(body, owner, base_url_of(request))
    return Response(content, media_type="application/json")


def _file_headers(name: str, *, is_inline: bool) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition(name, is_inline=is_inline),
        "Cache-Control": f"private, max-age={MAX_CACHE_AGE_S}, immutable",
    }


def _parse_range(request: Request, size: int) -> tuple[int, int | None]:
    """Return start and end of the byte range in a `Range` header; the end is None if open. RFC 9110, 14."""
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or (not match[1] and not match[2]):
        return 0, None
    if not match[1]:
        return max(0, size - int(match[2])), size
    return int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
