"""From a parsed ChatKit request to its events or its JSON, with the checks that ChatKit leaves to its host.

What differs from ChatKit's own processing: nothing is stored before the whole request is known to be good, locked and
closed threads are read-only, retry truncates in one transaction, pages are never empty while there is more, and early
failures are our own errors with a sentence and a status.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from agent_framework import UsageDetails, add_usage_details
from chatkit.types import (
    AttachmentsCreateReq,
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
from pydantic import ValidationError

from context import RequestContext, RunOutcome, RunRecord, utc_now
from errors import BadRequestError, ConflictError
from streaming.actions.clicks import ActionProcessing
from streaming.answers.thread_titles import title_of
from streaming.approvals.decisions import check_decision
from streaming.requests.idempotency import request_key

if TYPE_CHECKING:
    from plugins import UseCase

logger = logging.getLogger(__name__)

Events = AsyncGenerator[ThreadStreamEvent, None]

MAX_TITLE_CHARS = 200
MAX_ATTACHMENTS = 20
MAX_FEEDBACK_ITEMS = 100
SAVE_RUN_TIMEOUT_S = 5.0
MAX_ITEMS_BEHIND_CALL = 100
"""How far back a call of a client tool may stand that waits for its output."""

_WRITING_REQUESTS = (
    ThreadsAddUserMessageReq,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsRetryAfterItemReq,
    ThreadsCustomActionReq,
)


class RequestProcessing(ActionProcessing):
    """The part of `BaseChatKitServer` that knows ChatKit's requests."""

    use_case: UseCase | None

    def check_request(self, request: Any) -> None:
        """Refuse what ChatKit lets through.

        Raises:
            BadRequestError: When the request breaks a limit; the text says which.
        """
        match request:
            case ThreadsCreateReq() | ThreadsAddUserMessageReq():
                self._check_input(request.params.input)
            case ThreadsCustomActionReq() | ThreadsSyncCustomActionReq():
                # Without a type, ChatKit's model holds a TypeVar in its place.
                if not isinstance(request.params.action.type, str) or not request.params.action.type:
                    raise BadRequestError("The action has no type.")
                request_key(request.metadata)
            case ThreadsUpdateReq():
                title = " ".join(request.params.title.split())
                if not title:
                    raise BadRequestError("A title cannot be empty.")
                if len(title) > MAX_TITLE_CHARS:
                    raise BadRequestError(f"A title has at most {MAX_TITLE_CHARS} characters.")
            case ItemsFeedbackReq():
                if not 0 < len(request.params.item_ids) <= MAX_FEEDBACK_ITEMS:
                    raise BadRequestError(f"Feedback is about 1 to {MAX_FEEDBACK_ITEMS} items.")
            case AttachmentsCreateReq():
                if request.params.size < 0 or not request.params.name:
                    raise BadRequestError("An attachment needs a name and a size.")
            case _:
                pass

    def _check_input(self, message: UserMessageInput) -> None:
        limit = self.services.settings.max_message_chars
        size = sum(len(part.text) for part in message.content) + len(message.quoted_text or "")
        if size > limit:
            raise BadRequestError(f"A message has at most {limit} characters; this one has {size}.")
        if not message.attachments and not any(part.text.strip() for part in message.content):
            raise BadRequestError("The message is empty.")
        if len(message.attachments) > MAX_ATTACHMENTS or len(set(message.attachments)) != len(message.attachments):
            raise BadRequestError(f"A message has at most {MAX_ATTACHMENTS} attachments, each of them once.")
        composer = self.use_case.composer if self.use_case else None
        chosen = message.inference_options
        if chosen.model and chosen.model not in {model.get("id") for model in (composer.models if composer else ())}:
            raise BadRequestError("This model is not offered here.")
        tool = chosen.tool_choice.id if chosen.tool_choice else None
        if tool and tool not in {tool.get("id") for tool in (composer.tools if composer else ())}:
            raise BadRequestError("This tool is not offered here.")

    async def _process_streaming_impl(self, request: Any, context: RequestContext) -> Events:
        """Answer a streaming request, and note how that ended; what is refused before its first event is no run."""
        started_at = utc_now()
        events = await self._begin(request, context)
        thread_id = getattr(request.params, "thread_id", None)
        status: RunOutcome | None = None
        try:
            async with aclosing(events):
                async for event in events:
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
            # The headers are gone: what nobody has told the person becomes the last event.
            is_told, status = status == "failed", "failed"
            if is_told:
                logger.exception("failed again after the person was told", extra={"error_id": context.error_id})
            else:
                yield self._error_event(exc, "answer failed", thread_id, context)
        finally:
            if status is not None and thread_id is not None:
                # What has become of the answer is decided: a stop or a deadline comes too late.
                context.is_stoppable = False
                await self._save_run(thread_id, status, started_at, context)

    async def _begin(self, request: Any, context: RequestContext) -> Events:
        """Check a request, store what it brings, and return the events to come.

        What is stored and its first event are one: a stop in between waits, or the request would be refused and its
        message, answer or output be there all the same.
        """
        if isinstance(request, ThreadsCreateReq):
            return await self._create_thread(request, context)
        thread = await self.store.load_thread(request.params.thread_id, context=context)
        if isinstance(request, _WRITING_REQUESTS):
            check_writable(thread)
        match request:
            case ThreadsAddUserMessageReq():
                message = await self._build_user_message_item(request.params.input, thread, context)
                return await self._add_message(thread, message, context)
            case ThreadsAddClientToolOutputReq():
                return await self._add_tool_output(thread, request, context)
            case ThreadsAddStructuredInputReq():
                return await self._add_structured_input(thread, request, context)
            case ThreadsRetryAfterItemReq():
                return await self._retry(thread, request.params.item_id, context)
            case ThreadsCustomActionReq():
                sender = await self._sender(thread, request.params.item_id, context)
                act = request.params.action
                await check_decision(self.services, thread.id, act.type, act.payload, context, is_streamed=True)
                return self._deliver(thread, context, self.action(thread, act, sender, context))
            case _:
                raise BadRequestError("This request is not supported.")

    async def _save_run(
        self, thread_id: str, status: RunOutcome, started_at: datetime, context: RequestContext
    ) -> None:
        usage = context.usage
        if context.title_usage:
            usage = dict(add_usage_details(cast("UsageDetails", usage), cast("UsageDetails", context.title_usage)))
        record = RunRecord(context.run_id, started_at, utc_now(), status, context.stop_reason, context.error_id, usage)
        try:
            async with asyncio.timeout(SAVE_RUN_TIMEOUT_S):
                await self.store.save_run(thread_id, record, context)
        except Exception:
            # What the person was told and what is in the thread is not changed by this.
            logger.exception("run could not be noted", extra={"run_id": record.id})

    async def _create_thread(self, request: ThreadsCreateReq, context: RequestContext) -> Events:
        thread = Thread(id=self.store.generate_thread_id(context), created_at=utc_now(), items=Page())
        # First the message: one that refers to a missing attachment must not leave an empty thread behind.
        message = await self._build_user_message_item(request.params.input, thread, context)
        thread.title = title_of(message)
        metadata = ThreadMetadata(id=thread.id, created_at=thread.created_at, title=thread.title)
        context.is_new_thread = True
        context.is_stoppable = False
        await self.store.create_thread(metadata, message, context)
        context.item_ids.discard(message.id)  # from here on it is an older item, which no answer may overwrite
        created = ThreadCreatedEvent(thread=self._to_thread_response(thread))
        first = (created, ThreadItemDoneEvent(item=message))
        return self._deliver(metadata, context, self.respond(metadata, message, context), first=first)

    async def _add_message(self, thread: ThreadMetadata, message: UserMessageItem, context: RequestContext) -> Events:
        context.is_stoppable = False
        for attachment in message.attachments:
            await self.store.save_attachment(attachment, context=context)
        await self.store.add_thread_item(thread.id, message, context=context)
        context.item_ids.discard(message.id)
        first = (ThreadItemDoneEvent(item=message),)
        return self._deliver(thread, context, self.respond(thread, message, context), first=first)

    async def _add_tool_output(
        self, thread: ThreadMetadata, request: ThreadsAddClientToolOutputReq, context: RequestContext
    ) -> Events:
        # Not only the newest item: a click, a note of another tool's or a stop may stand behind the call.
        newest = await self.store.load_thread_items(thread.id, None, MAX_ITEMS_BEHIND_CALL, "desc", context)
        calls = (item for item in newest.data if isinstance(item, ClientToolCallItem) and item.status == "pending")
        call = next(calls, None)
        if call is None:
            raise ConflictError("No tool call is waiting for an output.", code="tool_output.not_expected")
        done = call.model_copy(update={"output": request.params.result, "status": "completed"})
        context.is_stoppable = False
        if not await self.store.update_item_if(thread.id, "pending", done, context):
            raise ConflictError("The output of this tool call is there already.", code="tool_output.not_expected")
        return self._deliver(thread, context, self.respond(thread, None, context))

    async def _add_structured_input(
        self, thread: ThreadMetadata, request: ThreadsAddStructuredInputReq, context: RequestContext
    ) -> Events:
        item = await self.store.load_item(thread.id, request.params.item_id, context=context)
        if not isinstance(item, StructuredInputItem):
            raise BadRequestError("This item asks no question.")
        if item.status != "pending":
            raise ConflictError("This question has been answered already.", code="structured_input.answered")
        answered = await self._apply_structured_input_submission(item, request.params.input)
        context.is_stoppable = False
        if not await self.store.update_item_if(thread.id, "pending", answered, context):
            raise ConflictError("This question has been answered already.", code="structured_input.answered")

        first = (ThreadItemReplacedEvent(item=answered),)
        return self._deliver(thread, context, self.respond(thread, None, context), first=first)

    async def _retry(self, thread: ThreadMetadata, item_id: str, context: RequestContext) -> Events:
        item = await self.store.load_item(thread.id, item_id, context=context)
        if not isinstance(item, UserMessageItem):
            raise BadRequestError("Only a message of a person can be tried again.")
        context.is_stoppable = False
        await self.store.delete_items_after(thread.id, item_id, context)
        return self._deliver(thread, context, self.respond(thread, item, context))

    async def _build_user_message_item(
        self, input: UserMessageInput, thread: ThreadMetadata, context: RequestContext
    ) -> UserMessageItem:
        attachments = [await self.store.load_attachment(id_, context=context) for id_ in input.attachments]
        return UserMessageItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=utc_now(),
            content=input.content,
            attachments=[attachment.model_copy(update={"thread_id": thread.id}) for attachment in attachments],
            quoted_text=input.quoted_text,
            inference_options=input.inference_options,
        )

    async def _process_non_streaming(self, request: Any, context: RequestContext) -> bytes:
        match request:
            case ThreadsGetByIdReq():
                return await self.store.show_thread(request.params.thread_id, context)
            case ThreadsListReq():
                wanted = request.params
                return await self.store.show_threads(wanted.limit, wanted.after, wanted.order, context)
            case ItemsListReq():
                params = request.params
                return await self.store.show_items(params.thread_id, params.after, params.limit, params.order, context)
            case ThreadsUpdateReq():
                check_writable(await self.store.load_thread(request.params.thread_id, context=context))
                title = " ".join(request.params.title.split())
                thread = await self.store.rename_thread(request.params.thread_id, title, context)
                return self._serialize(self._to_thread_response(thread))
            case ItemsFeedbackReq():
                check_writable(await self.store.load_thread(request.params.thread_id, context=context))
                return await super()._process_non_streaming(request, context)
            case ThreadsDeleteReq():
                # Locked or not: what is theirs, people may always remove.
                # An answer that is still being written there would have nowhere to go.
                await self.services.runs.stop(context, request.params.thread_id, "deleted")
                await self.store.delete_thread(request.params.thread_id, context=context)
                return b"{}"
            case ThreadsSyncCustomActionReq():
                thread = await self.store.load_thread(request.params.thread_id, context=context)
                check_writable(thread)
                return self._serialize(await self._process_sync_action(thread, request.params, context))
            case InputTranscribeReq():
                try:
                    audio = base64.b64decode(request.params.audio_base64, validate=True)
                except binascii.Error as exc:
                    raise BadRequestError("The audio is not valid base64.") from exc
                recording = AudioInput(data=audio, mime_type=request.params.mime_type)
                return self._serialize(await self.transcribe(recording, context))
            case _:
                return await super()._process_non_streaming(request, context)


def check_writable(thread: ThreadMetadata) -> None:
    """Refuse to write to a locked or closed thread.

    Raises:
        ConflictError: With the reason that the thread gives.
    """
    if thread.status.type != "active":
        reason = getattr(thread.status, "reason", None)
        state = "locked" if thread.status.type == "locked" else "closed"
        raise ConflictError(reason or f"This conversation is {state}.", code=f"thread.{state}")


def explain_request(exc: ValidationError) -> str:
    """Say in one sentence what is wrong with a request, without its contents."""
    error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return "The request has no known 'type'."
    return f"The request is malformed at '{'.'.join(str(part) for part in error['loc'])}': {error['msg']}."
