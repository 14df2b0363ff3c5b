"""Rules of a session for ChatKit's requests: its rate limit, whether the history is listed, whether files are taken."""

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
    """Handle a request within the limits of a session.

    Raises:
        UserFacingError: When the session does not allow it.
    """
    try:
        request = from_json(body)
    except ValueError:
        request = None
    kind = request.get("type") if isinstance(request, dict) else None
    if not isinstance(kind, str):
        request, kind = {}, ""
    # To come back to an answer, or to stop it, is no new request.
    if not kind.startswith("runs.") and (wait_s := await sessions.count_request(session)):
        raise _TooManyRequestsError(session, wait_s)
    given = request.get("params")
    params: dict[str, Any] = given if isinstance(given, dict) else {}
    allowed = session.configuration
    if kind == "threads.list":
        return await _list_threads(body, params, allowed, handle)
    thread_id = params.get("thread_id")
    if allowed.recent_threads is not None and thread_id is not None and kind != "runs.stop":
        await _check_recent(thread_id, allowed.recent_threads, handle)
    _check_files(kind, params, allowed)
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
    allowed = session.configuration
    if not allowed.has_uploads:
        raise ForbiddenError(_NO_UPLOADS, code="session.no_uploads")
    if not await sessions.count_upload(session):
        raise ForbiddenError(
            f"At most {allowed.max_files} files can be uploaded in this session.", code="session.too_many_files"
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


def _check_files(kind: str, params: dict[str, Any], allowed: SessionConfiguration) -> None:
    message = params.get("input")
    attached = message.get("attachments") if isinstance(message, dict) else None
    if not allowed.has_uploads and (attached or kind == "attachments.create"):
        raise ForbiddenError(_NO_UPLOADS, code="session.no_uploads")
    size = params.get("size")
    if kind == "attachments.create" and isinstance(size, int) and size > allowed.max_file_mb * BYTES_PER_MB:
        raise TooLargeError(f"A file may have at most {allowed.max_file_mb} MB.", code="session.file_too_large")


async def _list_threads(body: bytes, params: dict[str, Any], allowed: SessionConfiguration, handle: Handle) -> Any:
    if not allowed.has_history:
        raise ForbiddenError("The list of chats is switched off in this session.", code="session.no_history")
    if allowed.recent_threads is None:
        return await handle(body)
    recent = await _recent_threads(allowed.recent_threads, handle)
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
        wanted = {"limit": min(PAGE_SIZE, count - len(recent)), "order": "desc", "after": after}
        answer = await handle(to_json({"type": "threads.list", "params": wanted}))
        if not isinstance(answer, bytes):
            break
        page = from_json(answer)
        recent += page["data"]
        after = page.get("after")
        if not page["has_more"] or after is None:
            break
    return recent
