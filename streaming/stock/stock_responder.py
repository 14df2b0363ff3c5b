"""The answers of a server written for ChatKit: its events are checked, its failures told as those of any answer."""

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
from errors import AgentError, ExitGuard, new_error_id
from streaming.answers.thread_titles import title_from_message
from streaming.failure_reports import report_failure, translate_model_failures
from streaming.stock.local_times import in_utc, localized_item
from streaming.stock.sdk_runs import end_runs
from streaming.stock.server_context import current_request, given_to_server
from turns.answer_texts import AnswerTexts
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)

Events = AsyncGenerator[ThreadStreamEvent, None]

_ITEMS: tuple[type, ...] = get_args(get_args(ThreadItem)[0])
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
        """Return the events of the answer, then give the thread a title, if it has none yet.

        Raises:
            CustomStreamError: When it failed; that is logged, and the text may be shown.
        """
        thread, message = turn.thread, turn.user_message
        if message is not None:
            localized_item(message := message.model_copy(deep=True))
        if (request := current_request()) is not None:
            request.thread_id, request.message_id = thread.id, message.id if message is not None else None
        async with aclosing(self.events("respond", (thread, message), thread, turn.context)) as events:
            async for event in events:
                yield event
        line = (
            title_from_message(turn.user_message) if turn.user_message is not None and turn.context.has_titles else None
        )
        if thread.title is None and line:
            await self._services.store.retitle_thread(thread, line, turn.context)

    async def events(
        self, method: str, arguments: tuple[Any, ...], thread: ThreadMetadata, context: RequestContext
    ) -> Events:
        """Return the events that a method of the server yields, each checked.

        Args:
            method: The name of the method.
            arguments: The arguments of the method, before the context.
            thread: The thread that is written to.
            context: The context of the request.

        Raises:
            CustomStreamError: When it failed; that is logged, and the text may be shown.
        """
        name = f"{type(self._server).__qualname__}.{method}"
        is_whole = False
        try:
            with translate_model_failures(self._services), ExitGuard(name):
                given: Any = getattr(self._server, method)(*arguments, given_to_server(context))
                stream = _stream(given, name)
                async with aclosing(stream) if hasattr(stream, "aclose") else nullcontext():
                    async for event in stream:
                        yield _check_event(event, name)
            is_whole = True
        except CustomStreamError as exc:
            # Written for the person by the server's author.
            context.answer.error_id = new_error_id()
            logger.info(f"{method} ended with a message", extra={"error_id": context.answer.error_id})  # noqa: G004
            raise CustomStreamError(exc.message, allow_retry=exc.allow_retry) from exc
        except Exception as exc:
            raise _error_for_person(exc, method, thread.id, context) from exc
        finally:
            request = current_request()
            if request is not None and not is_whole:
                end_runs(request)


def _stream(given: Any, name: str) -> Any:
    """Return the result of a server's method, if it can be iterated asynchronously.

    Raises:
        AgentError: When it cannot.
    """
    if hasattr(given, "__aiter__"):
        return given
    if inspect.iscoroutine(given):
        given.close()
    kind = "a coroutine, for it has no 'yield'" if inspect.iscoroutine(given) else f"a {type(given).__qualname__}"
    raise AgentError(
        "This assistant cannot answer at the moment.",
        f"{name} returned {kind}; it must be an async generator that yields ChatKit's events",
    )


def _check_event(event: Any, name: str) -> Any:
    """Return an event in the form that can be stored and sent; one that ChatKit does not know is passed on unchanged.

    Raises:
        AgentError: When it is not an event; the text says what to yield instead.
    """
    if isinstance(event, _ITEMS):
        advice = f"yield ThreadItemDoneEvent(item=…) with the {type(event).__qualname__}"
    elif not isinstance(event, BaseModel) or not isinstance(getattr(event, "type", None), str):
        advice = f"it yielded a {type(event).__qualname__}; yield ChatKit's events, such as ThreadItemDoneEvent"
    else:
        if isinstance(event, ThreadItemAddedEvent | ThreadItemDoneEvent | ThreadItemReplacedEvent):
            item = in_utc(event.item)
            return event if item is event.item else event.model_copy(update={"item": item})
        return event
    raise AgentError("This assistant cannot answer at the moment.", f"{name}: {advice}")


def _error_for_person(exc: Exception, method: str, thread_id: str, context: RequestContext) -> CustomStreamError:
    """Return the error that a person is shown for a failure."""
    if type(exc).__name__ in _GUARDRAILS:
        logger.info("guardrail refused", extra={"thread_id": thread_id, "request_id": context.request_id})
        context.answer.error_id = new_error_id()
        return CustomStreamError(AnswerTexts().refused, allow_retry=False)
    told = report_failure(exc, f"{method} failed", thread_id, context)
    return CustomStreamError(told.message, allow_retry=exc.allow_retry) if isinstance(exc, StreamError) else told
