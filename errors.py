"""Every exception raised on purpose.

ParlorError
├── ConfigError            a setting is wrong: the start stops, the message names the variable
├── PluginError            a use case is broken: it is disabled, the others go on
├── ServerError            a server written for ChatKit cannot be taken as it is: its use case is disabled
├── FinalMethodError       a subclass overrides what the platform owns (also a TypeError)
├── TurnOverflowError      a tool or handler emitted more events than a turn can hold
└── UserFacingError        its text may be shown to the person in the chat
    ├── BadRequestError    400: the request cannot be understood or breaks a limit
    ├── UnauthorizedError  401: the user is not signed in, or not any more
    ├── ForbiddenError     403: the request may not be made from here
    ├── NotFoundError      404: missing, or another user's; the two look alike
    ├── RequestTimeoutError 408: the body did not arrive in time
    ├── ConflictError      409: the state of the thread does not allow it
    ├── TooLargeError      413: the body is larger than the limit
    ├── UnsupportedError   415: the content type is not accepted
    ├── MisdirectedError   421: the request names a host that is not this server
    ├── ActionError        400: unknown action, invalid payload, or not offered by the widget
    ├── AgentError         500: a use case's agent cannot do what was asked, because of how it is written
    │   └── WidgetError    500: a widget has mistakes, and cannot be shown or is in a test (also a ValueError)
    ├── TooManyRequestsError 429: this user has made too many requests, and may try again later
    ├── ModelError         502: the model cannot be reached or refused; `allow_retry` says whether to offer Retry
    │   └── EmptyAnswerError 502: the model ended its answer without any text
    └── UnavailableError   503: the service is unavailable for the moment
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
    """The user is not signed in, or not any longer."""

    code = "unauthorized"
    status = 401


class ForbiddenError(UserFacingError):
    """The request may not be made from where it came."""

    code = "forbidden"
    status = 403


class NotFoundError(UserFacingError):
    """The object does not exist, or belongs to another user: callers cannot tell the two apart."""

    code = "not_found"
    status = 404


class ConflictError(UserFacingError):
    """The state of the thread does not allow the request."""

    code = "conflict"
    status = 409


class MisdirectedError(UserFacingError):
    """The request names a host that is not this server."""

    code = "host.not_allowed"
    status = 421


class RequestTimeoutError(UserFacingError):
    """The body did not arrive in time."""

    code = "request_timeout"
    status = 408


class TooLargeError(UserFacingError):
    """The body is larger than the limit."""

    code = "too_large"
    status = 413


class UnsupportedError(UserFacingError):
    """The content type is not accepted."""

    code = "unsupported_media_type"
    status = 415


class TooManyRequestsError(UserFacingError):
    """The user has made too many requests."""

    code = "too_many_requests"
    status = 429
    allow_retry = True
    retry_after_s = 5


class ActionError(UserFacingError):
    """An action is unknown, its payload invalid, or the widget does not offer it.

    Attributes:
        field: The name of the form field whose value is wrong; None when the error concerns no single field.
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
    """A widget has mistakes; the reason, for its author and for the model whose tool built it, says where."""

    code = "widget.invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("A part of this answer cannot be shown.", reason)


class ModelError(UserFacingError):
    """The model could not be reached, refused the request, or broke off its answer."""

    code = "model.failed"
    status = 502
    allow_retry = True


class EmptyAnswerError(ModelError):
    """The model ended its answer without any text."""

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
    """Return a new id that an error message shares with its log line, e.g. ``"err_9f2c4a1b7d03"``."""
    return f"err_{secrets.token_hex(6)}"


class ExitGuard:
    """Context manager that turns a `sys.exit` of a use case's code, which would end the process, into an error.

    A class instead of a generator, which takes more memory: each open answer holds two.

    Args:
        owner: The owner of the code that runs in the block, for the log.

    Raises:
        AgentError: When the block calls `sys.exit`.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        """Enter the block."""

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: object) -> None:
        """Replace a `SystemExit` by an `AgentError`."""
        if isinstance(exc, SystemExit):
            reason = f"{self._owner} called sys.exit({exc.code!r})"
            raise AgentError("This assistant cannot answer at the moment.", reason) from exc


async def run_without_exit(work: Awaitable[T], owner: str) -> T:
    """Return the result of `work`, as the body of a task: a `sys.exit` in it would otherwise end the event loop.

    Args:
        work: The coroutine of an author's code.
        owner: The name of that code for the log.

    Raises:
        AgentError: When the code calls `sys.exit`.
    """
    with ExitGuard(owner):
        return await work
