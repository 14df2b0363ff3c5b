"""ChatKit's requests: from a parsed request to its events or its JSON.

Differences from ChatKit's own processing: nothing is stored before the whole request is validated, locked and closed
threads are read-only, retry truncates in one transaction, pages are never empty while there are more items, and early
failures are our own errors with a sentence and a status.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from chatkit.types import (
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    AudioInput,
    ClientToolCallItem,
    ErrorEvent,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    Page,
    StructuredInputItem,
    Thread,
    ThreadCreatedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadStreamEvent,
    ThreadsUpdateReq,
    UserMessageInput,
    UserMessageItem,
)

from context import Services, Turn
from errors import BadRequestError, ConflictError
from framework.chatkit_protocol import apply_answers, serialize, thread_response
from plugins import Composer
from runs.statistics import begins_message
from streaming.actions.clicks import Clicks
from streaming.answers.thread_titles import title_from_message
from streaming.approvals.decisions import check_decision
from streaming.failure_reports import failure_event
from streaming.hooks import MessageHooks, SupportsRespond
from streaming.requests.delivery import Delivery
from streaming.requests.request_checks import check_request, check_writable
from turns.clock import utc_now
from turns.request_context import RequestContext
from turns.run_record import RunOutcome, RunRecord

logger = logging.getLogger(__name__)

Events = AsyncGenerator[ThreadStreamEvent, None]

SAVE_RUN_TIMEOUT_S = 5.0
MAX_ITEMS_BEHIND_CALL = 100
"""How many of the newest items are searched for the client tool call that waits for an output."""

_WRITING_REQUESTS = (
    ThreadsAddUserMessageReq,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsRetryAfterItemReq,
    ThreadsCustomActionReq,
)


class ChatKitRequests:
    """Answers ChatKit's requests: streams those that begin an answer, and returns JSON for the others.

    Args:
        services: The platform's services.
        hooks: The server, for feedback and transcription.
        delivery: Stores the events of answers and passes them on.
        responder: Answers messages, forms, tool outputs and actions.
        clicks: Carries out actions.
        names_threads: Whether a new thread is created with a title; if not, the responder sets it.

    Attributes:
        composer: The models and tools that the use case offers; a message with others is refused.
    """

    def __init__(
        self,
        services: Services,
        hooks: MessageHooks,
        delivery: Delivery,
        responder: SupportsRespond,
        clicks: Clicks,
        *,
        names_threads: bool = True,
    ) -> None:
        self._services = services
        self._store = services.store
        self._hooks = hooks
        self._delivery = delivery
        self._responder = responder
        self._clicks = clicks
        self._names_threads = names_threads
        self.composer = Composer()

    def check(self, request: Any) -> None:
        """Refuse a request that breaks a limit which ChatKit does not check.

        Raises:
            BadRequestError: When the request breaks a limit; the text says which.
        """
        check_request(request, self.composer, self._services.settings.max_message_chars)

    async def stream(self, request: Any, context: RequestContext) -> Events:
        """Yield the events of a streaming request, and record how the run ended, unless it had no event."""
        started_at = utc_now()
        events = await self._begin(request, context)
        thread_id = getattr(request.params, "thread_id", None)
        status: RunOutcome | None = None
        first_text_at: datetime | None = None
        try:
            async with aclosing(events):
                async for event in events:
                    if first_text_at is None and begins_message(event):
                        first_text_at = utc_now()
                    if status is None:
                        status = "done"
                        thread_id = event.thread.id if isinstance(event, ThreadCreatedEvent) else thread_id
                    elif isinstance(event, ErrorEvent):
                        status = "failed"
                    yield event
        except asyncio.CancelledError:
            status = status and "stopped"
            raise
        except Exception as exc:
            if status is None or thread_id is None:
                raise
            # The headers are sent: a failure that was not reported yet becomes the last event.
            is_reported, status = status == "failed", "failed"
            if is_reported:
                logger.exception("failed again after the person was told", extra={"error_id": context.answer.error_id})
            else:
                yield failure_event(exc, "answer failed", thread_id, context)
        finally:
            if status is not None and thread_id is not None:
                # The outcome of the answer is decided: a stop or a deadline comes too late.
                with context.answer.no_stop():
                    await self._save_run(thread_id, status, started_at, first_text_at, context)

    async def _begin(self, request: Any, context: RequestContext) -> Events:
        """Check a request, and return the generator of its events, which first stores the content of the request."""
        if isinstance(request, ThreadsCreateReq):
            return await self._create_thread(request, context)
        thread = await self._store.load_thread(request.params.thread_id, context=context)
        if isinstance(request, _WRITING_REQUESTS):
            check_writable(thread)
        match request:
            case ThreadsAddUserMessageReq():
                message = await self._build_user_message(request.params.input, thread, context)
                return self._add_message(thread, message, context)
            case ThreadsAddClientToolOutputReq():
                return await self._add_tool_output(thread, request, context)
            case ThreadsAddStructuredInputReq():
                return await self._add_structured_input(thread, request, context)
            case ThreadsRetryAfterItemReq():
                return await self._retry(thread, request.params.item_id, context)
            case ThreadsCustomActionReq():
                sender = await self._clicks.load_sender(thread, request.params.item_id, context)
                action = request.params.action
                await check_decision(self._services, thread.id, action.type, action.payload, context, is_streamed=True)
                self._clicks.check(thread, action, sender, context)
                return self._delivery.deliver(thread, context, self._clicks.stream(thread, action, sender, context))
            case _:
                raise BadRequestError("This request is not supported.")

    def _respond(self, thread: ThreadMetadata, message: UserMessageItem | None, context: RequestContext) -> Events:
        return self._responder.respond(Turn(thread, context, self._services, message))

    async def _save_run(
        self,
        thread_id: str,
        status: RunOutcome,
        started_at: datetime,
        first_text_at: datetime | None,
        context: RequestContext,
    ) -> None:
        answer = context.answer
        usage = answer.total_usage
        record = RunRecord(context.run_id, started_at, utc_now(), status, answer.stop_reason, answer.error_id, usage)
        self._services.runs.statistics.record(
            context.use_case,
            f"stopped_{answer.stop_reason}" if answer.stop_reason else status,
            (record.ended_at - started_at).total_seconds(),
            usage,
            first_text_s=(first_text_at - started_at).total_seconds() if first_text_at is not None else None,
            tool_calls=answer.tool_calls,
            failed_tool_calls=len(answer.failed_calls),
        )
        try:
            async with asyncio.timeout(SAVE_RUN_TIMEOUT_S):
                await self._store.save_run(thread_id, record, context)
        except Exception:
            # The answer itself is complete: it has been sent and stored.
            logger.exception("run could not be noted", extra={"run_id": record.id})

    async def _create_thread(self, request: ThreadsCreateReq, context: RequestContext) -> Events:
        thread = Thread(id=self._store.generate_thread_id(context), created_at=utc_now(), items=Page())
        # The message is built first: if it refers to a missing attachment, no empty thread must be left behind.
        message = await self._build_user_message(request.params.input, thread, context)
        thread.title = title_from_message(message) if context.has_titles and self._names_threads else None
        metadata = ThreadMetadata(id=thread.id, created_at=thread.created_at, title=thread.title)
        context.answer.mark_thread_as_new()

        async def store() -> Sequence[ThreadStreamEvent]:
            await self._store.create_thread(metadata, message, context)
            context.answer.disown(message.id)
            return ThreadCreatedEvent(thread=thread_response(thread)), ThreadItemDoneEvent(item=message)

        return self._delivery.deliver(metadata, context, self._respond(metadata, message, context), opening=store)

    def _add_message(self, thread: ThreadMetadata, message: UserMessageItem, context: RequestContext) -> Events:
        async def store() -> Sequence[ThreadStreamEvent]:
            await self._store.add_message(thread.id, message, context)
            context.answer.disown(message.id)
            return (ThreadItemDoneEvent(item=message),)

        return self._delivery.deliver(thread, context, self._respond(thread, message, context), opening=store)

    async def _add_tool_output(
        self, thread: ThreadMetadata, request: ThreadsAddClientToolOutputReq, context: RequestContext
    ) -> Events:
        # The call need not be the newest item: a click, another tool's note or the mark of a stop may follow it.
        newest = await self._store.load_thread_items(thread.id, None, MAX_ITEMS_BEHIND_CALL, "desc", context)
        calls = (item for item in newest.data if isinstance(item, ClientToolCallItem) and item.status == "pending")
        call = next(calls, None)
        if call is None:
            raise ConflictError("No tool call is waiting for an output.", code="tool_output.not_expected")
        done = call.model_copy(update={"output": request.params.result, "status": "completed"})

        async def store() -> Sequence[ThreadStreamEvent]:
            if not await self._store.update_item_if(thread.id, "pending", done, context):
                raise ConflictError("The output of this tool call is there already.", code="tool_output.not_expected")
            return ()

        return self._delivery.deliver(thread, context, self._respond(thread, None, context), opening=store)

    async def _add_structured_input(
        self, thread: ThreadMetadata, request: ThreadsAddStructuredInputReq, context: RequestContext
    ) -> Events:
        item = await self._store.load_item(thread.id, request.params.item_id, context=context)
        if not isinstance(item, StructuredInputItem):
            raise BadRequestError("This item asks no question.")
        if item.status != "pending":
            raise ConflictError("This question has been answered already.", code="structured_input.answered")
        answered = await apply_answers(item, request.params.input)

        async def store() -> Sequence[ThreadStreamEvent]:
            if not await self._store.update_item_if(thread.id, "pending", answered, context):
                raise ConflictError("This question has been answered already.", code="structured_input.answered")
            return (ThreadItemReplacedEvent(item=answered),)

        return self._delivery.deliver(thread, context, self._respond(thread, None, context), opening=store)

    async def _retry(self, thread: ThreadMetadata, item_id: str, context: RequestContext) -> Events:
        item = await self._store.load_item(thread.id, item_id, context=context)
        if not isinstance(item, UserMessageItem):
            raise BadRequestError("Only a message of a person can be tried again.")

        async def store() -> Sequence[ThreadStreamEvent]:
            await self._store.delete_items_after(thread.id, item_id, context)
            return ()

        return self._delivery.deliver(thread, context, self._respond(thread, item, context), opening=store)

    async def _build_user_message(
        self, message: UserMessageInput, thread: ThreadMetadata, context: RequestContext
    ) -> UserMessageItem:
        await self._services.attachments.accept_direct_uploads(message.attachments, context)
        attachments = [await self._store.load_attachment(id_, context=context) for id_ in message.attachments]
        return UserMessageItem(
            id=self._store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=utc_now(),
            content=message.content,
            attachments=[attachment.model_copy(update={"thread_id": thread.id}) for attachment in attachments],
            quoted_text=message.quoted_text,
            inference_options=message.inference_options,
        )

    async def answer(self, request: Any, context: RequestContext) -> bytes:
        """Return the JSON that answers a request without a stream."""
        match request:
            case ThreadsGetByIdReq():
                return await self._store.thread_json(request.params.thread_id, context)
            case ThreadsListReq():
                page = request.params
                return await self._store.threads_json(page.limit, page.after, page.order, context)
            case ItemsListReq():
                params = request.params
                return await self._store.items_json(params.thread_id, params.after, params.limit, params.order, context)
            case ThreadsUpdateReq():
                check_writable(await self._store.load_thread(request.params.thread_id, context=context))
                thread = await self._store.rename_thread(request.params.thread_id, request.params.title, context)
                return serialize(thread_response(thread))
            case ItemsFeedbackReq():
                feedback = request.params
                check_writable(await self._store.load_thread(feedback.thread_id, context=context))
                await self._hooks.add_feedback(feedback.thread_id, feedback.item_ids, feedback.kind, context)
                return b"{}"
            case ThreadsDeleteReq():
                # Also a locked thread: people may always delete what is theirs.
                # An active run is stopped, since its answer could not be stored any more.
                await self._services.runs.stop(context, request.params.thread_id, "deleted")
                await self._store.delete_thread(request.params.thread_id, context=context)
                await self._services.attachments.delete_threadless(context)
                return b"{}"
            case ThreadsSyncCustomActionReq():
                thread = await self._store.load_thread(request.params.thread_id, context=context)
                check_writable(thread)
                return serialize(await self._clicks.click(thread, request.params, context))
            case InputTranscribeReq():
                try:
                    audio = base64.b64decode(request.params.audio_base64, validate=True)
                except ValueError as exc:
                    # `binascii.Error` is a ValueError; text that is not ASCII raises a plain ValueError.
                    raise BadRequestError("The audio is not valid base64.") from exc
                recording = AudioInput(data=audio, mime_type=request.params.mime_type)
                return serialize(await self._hooks.transcribe(recording, context))
            case AttachmentsCreateReq():
                files = self._services.attachments
                rules = files.rules_of(self.composer.attachments)
                return serialize(await files.create_attachment(request.params, context, rules))
            case AttachmentsDeleteReq():
                await self._services.attachments.delete_attachment(request.params.attachment_id, context)
                return b"{}"
            case _:
                raise BadRequestError("This request is not supported.")
