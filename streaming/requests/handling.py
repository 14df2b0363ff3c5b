"""Handling of a request's body: it is parsed, checked, and dispatched."""

from __future__ import annotations

import logging
from typing import Any

from chatkit.types import ChatKitReq, is_streaming_req
from pydantic import TypeAdapter, ValidationError

from errors import BadRequestError, run_without_exit
from runs.viewer import Viewer
from streaming.requests.chatkit_requests import ChatKitRequests
from streaming.requests.request_checks import explain_request
from streaming.requests.run_operations import RunOperations, is_run_operation, parse_body
from turns.request_context import RequestContext, with_metadata

logger = logging.getLogger(__name__)

_REQUEST: TypeAdapter[Any] = TypeAdapter(ChatKitReq)
"""Parser of requests, built once; ChatKit builds one for every request, which takes 3 ms."""


async def handle_body(
    body: bytes, context: RequestContext, requests: ChatKitRequests, runs: RunOperations
) -> bytes | Viewer:
    """Return the JSON of the answer, or an iterator of server-sent events whose first event is there already.

    Raises:
        UserFacingError: When the request is refused before its first event.
    """
    raw = parse_body(body)
    if is_run_operation(raw):
        return await runs.handle(raw, context)
    try:
        request = _REQUEST.validate_python(raw)
    except ValidationError as exc:
        raise BadRequestError(explain_request(exc)) from exc
    context = with_metadata(context, request.metadata)
    is_run = is_streaming_req(request)
    log_fields = {"op": request.type, "use_case": context.use_case, "request_id": context.request_id}
    logger.info("request", extra=log_fields | ({"run_id": context.run_id} if is_run else {}))
    requests.check(request)
    if is_run:
        return await runs.start(request, context)
    return await run_without_exit(requests.answer(request, context), f"use case '{context.use_case}': {request.type}")
