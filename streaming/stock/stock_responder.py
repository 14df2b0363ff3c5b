"""The answers of a server written for ChatKit: its events are checked, and its failures reported as everywhere."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from typing import Any, get_args

from chatkit.errors import CustomStreamError, StreamError
from chatkit.server import ChatKitServer
from chatkit.types import (
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)
from pydantic import BaseModel

from context import Services, Turn
from errors import AgentError, ExitGuard
from streaming.answers.thread_titles import title_from_message
from streaming.failure_reports import report_failure, translate_model_failures
from streaming.stock.local_times import localize_item, with_utc_time
from streaming.stock.sdk_runs import end_runs
from streaming.stock.server_context import current_request, current_server_context
from turns.answer_texts import AnswerTexts
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

Events = AsyncGenerator[ThreadStreamEvent, None]

_ITEM_TYPES: tuple[type, ...] = get_args(get_args(ThreadItem)[0])
_GUARDRAILS = frozenset({"InputGuardrailTripwireTriggered", "OutputGuardrailTripwireTriggered"})


class StockResponder:
    """Answers with the `respond` of a server written for ChatKit.

    Args:
        services: The platform's services.
        server: The server.
    """

    def __init__(self, services: Services, server: ChatKitServer[Any]) -> None:
        self._services = services
        self._server = server

    async def respond(self, turn: Turn) -> Events:
        """Yield the events of the answer, then give the thread a title if it has none.

        Raises:
            CustomStreamError: When the answer failed; the failure is logged, and the text may be shown.
        """
        thread, message = turn.thread, turn.user_message
        if message is not None:
            localize_item(message := message.model_copy(deep=True))
        if (request := current_request()) is not None:
            request.thread_id, request.message_id = thread.id, message.id if message is not None else None
        async with aclosing(self.events("respond", (thread, message), thread, turn.context)) as events:
            async for event in events:
                yield event
        if thread.title is not None or turn.user_message is None or not turn.context.has_titles:
            return
        if line := title_from_message(turn.user_message):
            await self._services.store.retitle_thread(thread, line, turn.context)

    async def events(
        self, method: str, arguments: tuple[Any, ...], thread: ThreadMetadata, context: RequestContext
    ) -> Events:
        """Yield the events of a method of the server, each checked.

        Args:
            method: The name of the method.
            arguments: The arguments of the method, before the context.
            thread: The thread that is written to.
            context: The context of the request.

        Raises:
            CustomStreamError: When the method failed; the failure is logged, and the text may be shown.
        """
        name = f"{type(self._server).__qualname__}.{method}"
        is_whole = False
        try:
            with translate_model_failures(self._services), ExitGuard(name):
                returned: Any = getattr(self._server, method)(*arguments, current_server_context(context))
                stream = _as_event_stream(returned, name)
                async with aclosing(stream) if hasattr(stream, "aclose") else nullcontext():
                    async for event in stream:
                        yield _check_event(event, name)
            is_whole = True
        except CustomStreamError as exc:
            # Written for the person by the server's author.
            error_id = context.answer.mark_failed()
            logger.info(f"{method} ended with a message", extra={"error_id": error_id})  # noqa: G004
            raise CustomStreamError(exc.message, allow_retry=exc.allow_retry) from exc
        except Exception as exc:
            raise _build_stream_error(exc, method, thread.id, context) from exc
        finally:
            request = current_request()
            if request is not None and not is_whole:
                end_runs(request)


def _as_event_stream(returned: Any, name: str) -> Any:
    """Return the result of a server's method, if it is an async iterable.

    Raises:
        AgentError: When it is not.
    """
    if hasattr(returned, "__aiter__"):
        return returned
    if inspect.iscoroutine(returned):
        returned.close()
    kind = "a coroutine, for it has no 'yield'" if inspect.iscoroutine(returned) else f"a {type(returned).__qualname__}"
    raise AgentError(
        "This assistant cannot answer at the moment.",
        f"{name} returned {kind}; it must be an async generator that yields ChatKit's events",
    )


def _check_event(event: Any, name: str) -> Any:
    """Return an event with its item's time in UTC; events of unknown types are not changed.

    Raises:
        AgentError: When it is not an event; the text says what to yield instead.
    """
    if isinstance(event, _ITEM_TYPES):
        advice = f"yield ThreadItemDoneEvent(item=…) with the {type(event).__qualname__}"
    elif not isinstance(event, BaseModel) or not isinstance(getattr(event, "type", None), str):
        advice = f"it yielded a {type(event).__qualname__}; yield ChatKit's events, such as ThreadItemDoneEvent"
    else:
        if isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent | ThreadItemReplacedEvent):
            item = with_utc_time(event.item)
            return event if item is event.item else event.model_copy(update={"item": item})
        return event
    raise AgentError("This assistant cannot answer at the moment.", f"{name}: {advice}")


def _build_stream_error(exc: Exception, method: str, thread_id: str, context: RequestContext) -> CustomStreamError:
    """Return the error that is shown to the person for a failure."""
    if type(exc).__name__ in _GUARDRAILS:
        logger.info("guardrail refused", extra={"thread_id": thread_id, "request_id": context.request_id})
        context.answer.mark_failed()
        return CustomStreamError(AnswerTexts().refused, allow_retry=False)
    error = report_failure(exc, f"{method} failed", thread_id, context)
    return CustomStreamError(error.message, allow_retry=exc.allow_retry) if isinstance(exc, StreamError) else error
