"""Every exception raised on purpose.

ParlorError
├── ConfigError            a setting is wrong: the start stops, the message names the variable
├── PluginError            a use case is broken: it is disabled, the others go on
├── ServerError            a server written for ChatKit cannot be taken as it is: its use case is disabled
├── FinalMethodError       a subclass overrides what the platform owns (also a TypeError)
├── TurnOverflowError      a tool or handler emitted more events than a turn can hold
└── UserFacingError        its text may be shown to the person in the chat
    ├── BadRequestError    400: the request cannot be understood or breaks a limit
    ├── UnauthorizedError  401: who asks is not known, or not any more
    ├── ForbiddenError     403: the request may not be made from here
    ├── NotFoundError      404: missing, or another user's, which reads the same
    ├── RequestTimeoutError 408: the body did not arrive in time
    ├── ConflictError      409: it cannot be done in the state the thread is in
    ├── TooLargeError      413: the body is over the bound
    ├── UnsupportedError   415: the content type is not accepted
    ├── MisdirectedError   421: the request asks under a name that is not this server's
    ├── ActionError        400: unknown action, invalid payload, or not offered by the widget
    ├── AgentError         500: a use case's agent cannot do what was asked, because of how it is written
    │   └── WidgetError    500: a widget is wrong, and cannot be shown or is in a test (also a ValueError)
    ├── TooManyRequestsError 429: too much of it by this user; later it works again
    ├── ModelError         502: the model cannot be reached or refused; `allow_retry` says whether to offer Retry
    │   └── EmptyAnswerError 502: the model has ended its answer, and nothing was said
    └── UnavailableError   503: not now, later
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

INTERNAL_MESSAGE = "Something went wrong on our side."
"""The message of an error that was not raised on purpose; a person reads it beside the error's id."""


class ParlorError(Exception):
    """The root of all exceptions raised on purpose."""


class ConfigError(ParlorError):
    """A setting is wrong; the message names the environment variable and what to do."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


class PluginError(ParlorError):
    """A use case cannot be loaded; the message names it and the cause."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"use case '{name}': {reason}")
        self.name = name
        self.reason = reason


class FinalMethodError(ParlorError, TypeError):
    """A subclass of `BaseChatKitServer` overrides a method that the platform owns."""


class ServerError(ParlorError):
    """A server written for ChatKit cannot be taken as it is; the message says why, and what to do."""


class TurnOverflowError(ParlorError):
    """A tool or handler emitted events faster than they can be stored and sent."""


class UserFacingError(ParlorError):
    """An error whose text may be shown to the person in the chat.

    Attributes:
        message: One or two sentences, without internals.
        code: A stable machine-readable name, e.g. ``"thread.not_found"``.
        status: The HTTP status when no stream has begun.
        allow_retry: Whether trying the same again can help.
        retry_after_s: When to try again, in seconds, where that is known.
    """

    code = "error"
    status = 500
    allow_retry = False
    retry_after_s: int | None = None

    def __init__(self, message: str, *, code: str | None = None, allow_retry: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if allow_retry is not None:
            self.allow_retry = allow_retry


class BadRequestError(UserFacingError):
    """The request cannot be understood, or breaks a documented limit."""

    code = "bad_request"
    status = 400


class UnauthorizedError(UserFacingError):
    """The person who asks is not known, or not any longer."""

    code = "unauthorized"
    status = 401


class ForbiddenError(UserFacingError):
    """The request may not be made from where it came."""

    code = "forbidden"
    status = 403


class NotFoundError(UserFacingError):
    """There is no such thing, or it belongs to somebody else: both read the same."""

    code = "not_found"
    status = 404


class ConflictError(UserFacingError):
    """The thread is in a state in which this cannot be done."""

    code = "conflict"
    status = 409


class MisdirectedError(UserFacingError):
    """The request asks under a name that is not this server's."""

    code = "host.not_allowed"
    status = 421


class RequestTimeoutError(UserFacingError):
    """The body did not arrive in time."""

    code = "request_timeout"
    status = 408


class TooLargeError(UserFacingError):
    """The body is larger than the bound."""

    code = "too_large"
    status = 413


class UnsupportedError(UserFacingError):
    """The content type is not accepted."""

    code = "unsupported_media_type"
    status = 415


class TooManyRequestsError(UserFacingError):
    """This user does too much at once."""

    code = "too_many_requests"
    status = 429
    allow_retry = True
    retry_after_s = 5


class ActionError(UserFacingError):
    """An action is unknown, its payload invalid, or the widget does not offer it.

    Attributes:
        field: The name of the form field whose value is wrong; None when it is not a field's.
    """

    code = "action.invalid"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message, code=code)
        self.field = field


class AgentError(UserFacingError):
    """The agent of a use case cannot do what was asked of it, because of how the use case is written.

    Args:
        message: Text for the person in the chat.
        reason: Text for the author of the use case; it is in the log.
    """

    code = "agent.unfit"
    status = 500

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __str__(self) -> str:
        """Return the message and the reason."""
        return f"{self.message} ({self.reason})"


class WidgetError(AgentError, ValueError):
    """A widget is wrong: the reason says where, to the author and to the model whose tool made it."""

    code = "widget.invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("A part of this answer cannot be shown.", reason)


class ModelError(UserFacingError):
    """The model could not be reached, refused, or stopped in the middle."""

    code = "model.failed"
    status = 502
    allow_retry = True


class EmptyAnswerError(ModelError):
    """The model has ended its answer, and nothing was said."""

    code = "model.empty"

    def __init__(self) -> None:
        super().__init__("The model gave no answer.")


class UnavailableError(UserFacingError):
    """A request that cannot be answered now, and may be later."""

    code = "unavailable"
    status = 503
    allow_retry = True
    retry_after_s = 5


def new_error_id() -> str:
    """Return a fresh id that an error message and its log line share, e.g. ``"err_9f2c4a1b7d03"``."""
    return f"err_{secrets.token_hex(6)}"


class ExitRefused:
    """Lets code that somebody brings end its own answer, where it would end the process: scripts call `sys.exit`.

    A class and no generator, for each open answer holds two of it.

    Args:
        who: The owner of the code that runs in the block, for the log.

    Raises:
        AgentError: When it has tried.
    """

    __slots__ = ("_who",)

    def __init__(self, who: str) -> None:
        self._who = who

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: object) -> None:
        """Raise an error of the answer instead of ending the process."""
        if isinstance(exc, SystemExit):
            said = f"{self._who} called sys.exit({exc.code!r})"
            raise AgentError("This assistant cannot answer at the moment.", said) from exc


async def without_exit(work: Awaitable[T], who: str) -> T:
    """Return the result of `work`, as the body of a task: a `sys.exit` in it would otherwise end the event loop.

    Args:
        work: The coroutine of an author's code.
        who: The name of that code for the log.

    Raises:
        AgentError: When it has tried to end the process.
    """
    with ExitRefused(who):
        return await work
