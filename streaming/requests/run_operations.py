"""Run operations: the start of a request's run, and the requests `runs.attach` and `runs.stop` of our own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, Literal

import pydantic_core
from chatkit.types import StreamOptions, StreamOptionsEvent, ThreadsCustomActionReq, ThreadStreamEvent
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from context import Services
from errors import BadRequestError
from framework.chatkit_protocol import serialize
from runs.run import Run
from runs.viewer import Viewer
from streaming.requests.chatkit_requests import ChatKitRequests
from streaming.requests.delivery import STREAM_OPTIONS
from streaming.requests.idempotency import idempotency_key
from turns.request_context import RequestContext

POLL_INTERVAL_S = 1.0
"""Interval at which the store is asked whether another process is still writing an answer, in seconds."""

_NO_RUN = b'{"run":null}'


class AttachParams(BaseModel):
    """The run to attach to.

    Attributes:
        thread_id: The thread of the run.
        after: The number of the last event that the client has seen; None, or an unknown number, for all events.
        run_id: The run that `after` belongs to; if the thread has another run now, all its events are sent.
    """

    thread_id: str
    after: int | None = Field(None, ge=0)
    run_id: str | None = None


class AttachRequest(BaseModel):
    """View the active run of a thread, or one that has just ended."""

    type: Literal["runs.attach"]
    params: AttachParams


class StopParams(BaseModel):
    """The thread whose run is stopped."""

    thread_id: str


class StopRequest(BaseModel):
    """Stop the run of a thread; its text so far is stored."""

    type: Literal["runs.stop"]
    params: StopParams


_OPERATION: TypeAdapter[AttachRequest | StopRequest] = TypeAdapter(AttachRequest | StopRequest)


def parse_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request.

    Raises:
        BadRequestError: When the body is not a JSON object.
    """
    try:
        raw = pydantic_core.from_json(body)
    except ValueError as exc:
        raise BadRequestError("The request is not valid JSON.") from exc
    if not isinstance(raw, dict):
        raise BadRequestError("The request must be a JSON object with a 'type'.")
    return raw


def is_run_operation(raw: dict[str, Any]) -> bool:
    """Return whether a request is one of our own run operations."""
    return isinstance(raw.get("type"), str) and raw["type"].startswith("runs.")


class RunOperations:
    """Starts the run of a request, and lets clients attach to it or stop it.

    Args:
        services: The platform's services.
        requests: Answers ChatKit's requests.
    """

    def __init__(self, services: Services, requests: ChatKitRequests) -> None:
        self._services = services
        self._store = services.store
        self._requests = requests

    async def start(self, request: Any, context: RequestContext) -> Viewer:
        """Start the run of a streaming request, and return its first viewer.

        A client that sends ``"resumable": true`` in the request's metadata, or ``resumable=1`` in `Accept`, gets
        numbered events, and does not stop the run by disconnecting.
        """
        is_resumable = context.is_resumable or context.metadata.get("resumable") is True
        thread_id = getattr(request.params, "thread_id", None)
        runs = self._services.runs
        key = idempotency_key(context.metadata) if isinstance(request, ThreadsCustomActionReq) else None
        if key is not None and not await self._store.claim_request_key(request.params.thread_id, key, context):
            run = await runs.start(
                lambda: self._answer_repetition(request.params.thread_id, context), context, None, serialize
            )
            await run.wait_for_first_event()
            return run.view(0, with_ids=is_resumable, keeps_run=True)
        started: Run | None = None
        try:
            run = started = await runs.start(
                lambda: self._requests.stream(request, context), context, thread_id, serialize
            )
            await run.wait_for_first_event()
        except BaseException:
            if key is not None and (started is None or started.log.last == 0):
                # Nothing was done, so a repetition of the request must be accepted.
                await asyncio.shield(self._store.release_request_key(request.params.thread_id, key, context))
            raise
        keeps_run = is_resumable or self._services.settings.on_disconnect == "continue"
        return run.view(0, with_ids=is_resumable, keeps_run=keeps_run)

    async def _answer_repetition(
        self, thread_id: str, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Yield an empty answer to an action that an earlier request has carried out, or is carrying out."""
        await self._store.load_thread(thread_id, context=context)
        yield StreamOptionsEvent(stream_options=STREAM_OPTIONS)

    async def _follow_other_process(self, thread_id: str, context: RequestContext) -> Viewer | None:
        """Return a stream that ends when another process has finished its answer in a thread; None if there is none.

        The stream is empty, as the log of the answer is in the other process; the client then reads the thread.
        """
        if not await self._store.open_answers.is_written_elsewhere(thread_id, context):
            return None
        run = await self._services.runs.start(
            lambda: self._wait_for_other_process(thread_id, context), context, None, serialize
        )
        await run.wait_for_first_event()
        return run.view(0, with_ids=True, keeps_run=False)

    async def _wait_for_other_process(
        self, thread_id: str, context: RequestContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        yield StreamOptionsEvent(stream_options=StreamOptions(allow_cancel=False))
        while await self._store.open_answers.is_written_elsewhere(thread_id, context):  # noqa: ASYNC110 - another process
            await asyncio.sleep(POLL_INTERVAL_S)

    async def handle(self, raw: dict[str, Any], context: RequestContext) -> bytes | Viewer:
        """Answer `runs.attach` or `runs.stop`.

        Raises:
            BadRequestError: When the request is malformed.
            NotFoundError: When the thread is missing or somebody else's.
        """
        try:
            request = _OPERATION.validate_python(raw)
        except ValidationError as exc:
            raise BadRequestError("This is neither a valid 'runs.attach' nor a valid 'runs.stop'.") from exc
        params = request.params
        await self._store.load_thread(params.thread_id, context=context)
        runs = self._services.runs
        if isinstance(request, StopRequest):
            stopped = await runs.stop(context, params.thread_id, "user")
            return _run_json(stopped)
        run = await runs.find(context, params.thread_id)
        if run is None:
            return await self._follow_other_process(params.thread_id, context) or _NO_RUN
        after = request.params.after or 0
        if request.params.run_id not in (None, run.id) or after > run.log.last:
            after = 0  # a number of another run
        return run.view(after, with_ids=True, keeps_run=True)


def _run_json(run: Run | None) -> bytes:
    if run is None:
        return _NO_RUN
    return json.dumps({"run": {"id": run.id, "status": run.status, "last": run.log.last}}).encode()
