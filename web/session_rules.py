"""Limits of a session for ChatKit's requests: rate limit, access to the history, and uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from pydantic_core import from_json, to_json

from errors import ForbiddenError, NotFoundError, TooLargeError, TooManyRequestsError, UserFacingError
from turns.chat_session import ChatSession, SessionConfiguration
from web.client_sessions import ClientSessions
from web.event_stream import Chunks

PAGE_SIZE = 100
BYTES_PER_MB = 1024 * 1024

_NO_UPLOADS = "Files cannot be attached in this session."

Handle = Callable[[bytes], Awaitable[bytes | Chunks]]


async def handle_in_session(body: bytes, session: ChatSession, sessions: ClientSessions, handle: Handle) -> Any:
    """Handle a ChatKit request within the limits of a session.

    Raises:
        UserFacingError: When the session does not allow the request.
    """
    try:
        request = from_json(body)
    except ValueError:
        request = None
    kind = request.get("type") if isinstance(request, dict) else None
    if not isinstance(kind, str):
        request, kind = {}, ""
    # Resuming or stopping an answer does not count as a request.
    if not kind.startswith("runs.") and (wait_s := await sessions.count_request(session)):
        raise _TooManyRequestsError(session, wait_s)
    members = request.get("params")
    params: dict[str, Any] = members if isinstance(members, dict) else {}
    configuration = session.configuration
    if kind == "threads.list":
        return await _list_threads(body, params, configuration, handle)
    thread_id = params.get("thread_id")
    if configuration.recent_threads is not None and thread_id is not None and kind != "runs.stop":
        await _check_recent(thread_id, configuration.recent_threads, handle)
    _check_files(kind, params, configuration)
    if kind == "attachments.create":
        async with counted_upload(session, sessions):
            return await handle(body)
    return await handle(body)


@asynccontextmanager
async def counted_upload(session: ChatSession, sessions: ClientSessions) -> AsyncIterator[None]:
    """Count an upload towards the session's limit while the block runs; an upload that fails there is not counted.

    Raises:
        ForbiddenError: When the session allows none, or has used up its number.
    """
    configuration = session.configuration
    if not configuration.has_uploads:
        raise ForbiddenError(_NO_UPLOADS, code="session.no_uploads")
    if not await sessions.count_upload(session):
        raise ForbiddenError(
            f"At most {configuration.max_files} files can be uploaded in this session.", code="session.too_many_files"
        )
    try:
        yield
    except UserFacingError:
        await sessions.uncount_upload(session)
        raise


class _TooManyRequestsError(TooManyRequestsError):
    code = "session.rate_limit"

    def __init__(self, session: ChatSession, wait_s: int) -> None:
        limit = session.configuration.max_requests_per_minute
        super().__init__(f"At most {limit} requests a minute are answered here. Try again in {wait_s} seconds.")
        self.retry_after_s = wait_s


def _check_files(kind: str, params: dict[str, Any], configuration: SessionConfiguration) -> None:
    message = params.get("input")
    attached = message.get("attachments") if isinstance(message, dict) else None
    if not configuration.has_uploads and (attached or kind == "attachments.create"):
        raise ForbiddenError(_NO_UPLOADS, code="session.no_uploads")
    size = params.get("size")
    if kind == "attachments.create" and isinstance(size, int) and size > configuration.max_file_mb * BYTES_PER_MB:
        raise TooLargeError(f"A file may have at most {configuration.max_file_mb} MB.", code="session.file_too_large")


async def _list_threads(
    body: bytes, params: dict[str, Any], configuration: SessionConfiguration, handle: Handle
) -> Any:
    if not configuration.has_history:
        raise ForbiddenError("The list of chats is switched off in this session.", code="session.no_history")
    if configuration.recent_threads is None:
        return await handle(body)
    recent = await _recent_threads(configuration.recent_threads, handle)
    if params.get("order") == "asc":
        recent.reverse()
    after, limit = params.get("after"), params.get("limit")
    if after is not None:
        # A page cannot begin after a thread that is not in the list.
        ids = [thread.get("id") for thread in recent]
        recent = recent[ids.index(after) + 1 :] if after in ids else []
    size = limit if isinstance(limit, int) and 0 < limit <= PAGE_SIZE else PAGE_SIZE
    page, rest = recent[:size], recent[size:]
    return to_json({"data": page, "has_more": bool(rest), **({"after": page[-1]["id"]} if rest else {})})


async def _check_recent(thread_id: object, count: int, handle: Handle) -> None:
    if all(thread.get("id") != thread_id for thread in await _recent_threads(count, handle)):
        raise NotFoundError("This conversation does not exist.", code="session.not_recent")


async def _recent_threads(count: int, handle: Handle) -> list[dict[str, Any]]:
    """Return the newest threads, at most `count`, the newest first."""
    recent: list[dict[str, Any]] = []
    after: str | None = None
    while len(recent) < count:
        params = {"limit": min(PAGE_SIZE, count - len(recent)), "order": "desc", "after": after}
        answer = await handle(to_json({"type": "threads.list", "params": params}))
        if not isinstance(answer, bytes):
            break
        page = from_json(answer)
        recent += page["data"]
        after = page.get("after")
        if not page["has_more"] or after is None:
            break
    return recent
