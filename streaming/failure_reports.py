"""Failures of answers: logged once under an id, and reported to the person in a sentence with that id."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from agent_framework.exceptions import AgentException, ChatClientException
from chatkit.errors import CustomStreamError
from chatkit.types import ErrorEvent

from context import Services
from errors import INTERNAL_MESSAGE, ActionError, ModelError, UserFacingError
from runs.error_events import error_event
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)


def report_failure(exc: Exception, log_message: str, thread_id: str, context: RequestContext) -> CustomStreamError:
    """Log a failure once, under a new id, and return the error that is shown to the person.

    Args:
        exc: The failure; the text of a `UserFacingError` is shown, that of any other is not.
        log_message: A constant sentence for the log.
        thread_id: The thread that was answered.
        context: The context of the request; the state of its answer receives the id.
    """
    error_id = context.answer.mark_failed()
    user_error = exc if isinstance(exc, UserFacingError) else None
    logger.log(
        logging.INFO if isinstance(exc, ActionError) else logging.ERROR,
        log_message,
        extra={
            "error_id": error_id,
            "code": user_error.code if user_error else "internal",
            "thread_id": thread_id,
            "use_case": context.use_case,
            "request_id": context.request_id,
        },
        exc_info=None if isinstance(exc, ActionError) else exc,
    )
    message = user_error.message if user_error else INTERNAL_MESSAGE
    return CustomStreamError(f"{message} ({error_id})", allow_retry=user_error.allow_retry if user_error else True)


def failure_event(exc: Exception, log_message: str, thread_id: str, context: RequestContext) -> ErrorEvent:
    """Return the event that reports a failure to the person; a failure that was logged is not logged again."""
    reported = exc if isinstance(exc, CustomStreamError) else report_failure(exc, log_message, thread_id, context)
    return error_event(reported.message, allow_retry=reported.allow_retry)


@contextmanager
def translate_model_failures(services: Services) -> Iterator[None]:
    """Translate failures of the model into errors that a person may read; failures of other code are not changed."""
    try:
        yield
    except UserFacingError:
        raise
    except Exception as exc:
        failure = services.explain_model_failure(exc)
        if failure.code == ModelError.code and not isinstance(exc, ChatClientException | AgentException):
            raise
        raise failure from exc
