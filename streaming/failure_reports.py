"""Failures of answers: logged once under an id, and told to the person in a sentence with that id."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from agent_framework.exceptions import AgentException, ChatClientException
from chatkit.errors import CustomStreamError
from chatkit.types import ErrorEvent

from context import Services
from errors import INTERNAL_MESSAGE, ActionError, ModelError, UserFacingError, new_error_id
from runs.error_events import error_event
from turns.request_context import RequestContext

logger = logging.getLogger(__name__)


def report_failure(exc: Exception, what: str, thread_id: str, context: RequestContext) -> CustomStreamError:
    """Log a failure once, under an id, and return what the person may read of it.

    Args:
        exc: The failure; the text of a `UserFacingError` is shown, that of any other is not.
        what: A constant sentence for the log.
        thread_id: The thread that was answered.
        context: The context of the request; the state of its answer notes the id.
    """
    error_id = context.answer.error_id = new_error_id()
    known = exc if isinstance(exc, UserFacingError) else None
    logger.log(
        logging.INFO if isinstance(exc, ActionError) else logging.ERROR,
        what,
        extra={
            "error_id": error_id,
            "code": known.code if known else "internal",
            "thread_id": thread_id,
            "use_case": context.use_case,
            "request_id": context.request_id,
        },
        exc_info=None if isinstance(exc, ActionError) else exc,
    )
    message = known.message if known else INTERNAL_MESSAGE
    return CustomStreamError(f"{message} ({error_id})", allow_retry=known.allow_retry if known else True)


def failure_event(exc: Exception, what: str, thread_id: str, context: RequestContext) -> ErrorEvent:
    """Return the event that tells the person of a failure; one that was reported already is not logged again."""
    reported = exc if isinstance(exc, CustomStreamError) else report_failure(exc, what, thread_id, context)
    return error_event(reported.message, allow_retry=reported.allow_retry)


@contextmanager
def explained_model_failures(services: Services) -> Iterator[None]:
    """Raise failures of the model as what a person may read; one of the use case's own code stays what it is."""
    try:
        yield
    except UserFacingError:
        raise
    except Exception as exc:
        failure = services.explain_model_failure(exc)
        if failure.code == ModelError.code and not isinstance(exc, ChatClientException | AgentException):
            raise
        raise failure from exc
