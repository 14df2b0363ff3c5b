"""`POST /v1/chatkit/sessions` and `…/{id}/cancel`: sessions for pages, compatible with OpenAI's endpoint.

A server authenticates with one of `SERVER_API_KEYS`, and opens sessions for its own users. Responses and errors have
the form that OpenAI's libraries read. Source: openai-python 2, `beta.chatkit.sessions`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
)
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from config import Settings
from errors import BadRequestError, NotFoundError, UnauthorizedError
from turns.chat_session import NO_VARIABLES, ChatSession, SessionConfiguration
from turns.clock import utc_now
from turns.request_context import RequestContext
from web.chatkit_api import check_content_type, read_body
from web.client_secrets import ServerKeys, bearer_token, new_session_id
from web.client_sessions import ClientSessions
from web.failures import build_failure, failure_response
from web.identity import session_context
from web.request_log import notes_of
from web.visible_use_cases import VisibleUseCases

logger = logging.getLogger(__name__)

PATH = "/v1/chatkit/sessions"
DEFAULT_LIFETIME_S = 600
MAX_LIFETIME_S = 7_200
MAX_REQUESTS_PER_MINUTE = 10_000
MAX_RECENT_THREADS = 1_000
MAX_FILE_MB = 512
MAX_FILES = 1_000
MAX_USER_CHARS = 512
MAX_VARIABLES = 64
MAX_VARIABLES_CHARS = 16_384
MAX_NAMES_TOLD = 20

_DEFAULTS = SessionConfiguration()


class _StrictModel(BaseModel):
    # Unknown parameters are rejected: one that has no effect must not look as if it had.
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Tracing(_StrictModel):
    enabled: bool = True


class _Workflow(_StrictModel):
    id: str = Field(min_length=1, max_length=128)
    state_variables: (
        dict[Annotated[str, Field(max_length=64)], StrictBool | StrictInt | StrictFloat | StrictStr] | None
    ) = Field(None, max_length=MAX_VARIABLES)
    tracing: _Tracing | None = None
    version: str | None = Field(None, max_length=128)

    @field_validator("state_variables")
    @classmethod
    def _check_size(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and len(json.dumps(value)) > MAX_VARIABLES_CHARS:
            raise ValueError(f"as JSON it has more than {MAX_VARIABLES_CHARS} characters")
        return value


class _ExpiresAfter(_StrictModel):
    anchor: Literal["created_at"] = "created_at"
    seconds: int = Field(ge=1, le=MAX_LIFETIME_S)


class _RateLimits(_StrictModel):
    max_requests_per_1_minute: int | None = Field(None, ge=1, le=MAX_REQUESTS_PER_MINUTE)


class _Titling(_StrictModel):
    enabled: bool | None = None


class _FileUpload(_StrictModel):
    enabled: bool | None = None
    max_file_size: int | None = Field(None, ge=1, le=MAX_FILE_MB)
    max_files: int | None = Field(None, ge=1, le=MAX_FILES)


class _History(_StrictModel):
    enabled: bool | None = None
    recent_threads: int | None = Field(None, ge=1, le=MAX_RECENT_THREADS)


class _ChatKitConfiguration(_StrictModel):
    automatic_thread_titling: _Titling | None = None
    file_upload: _FileUpload | None = None
    history: _History | None = None


class _CreateSession(_StrictModel):
    user: str = Field(min_length=1, max_length=MAX_USER_CHARS)
    workflow: _Workflow
    expires_after: _ExpiresAfter | None = None
    rate_limits: _RateLimits | None = None
    chatkit_configuration: _ChatKitConfiguration | None = None

    @field_validator("user")
    @classmethod
    def _check_user(cls, value: str) -> str:
        # NUL and surrogates are stored as U+FFFD, which would make users alike; control characters would garble a log.
        if not value.strip() or any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in value):
            raise ValueError("it must have visible characters, and none that control something")
        return value

    def configuration(self) -> SessionConfiguration:
        """Return the configuration of the session, with defaults for what the request leaves out."""
        chatkit = self.chatkit_configuration or _ChatKitConfiguration()
        files, history = chatkit.file_upload or _FileUpload(), chatkit.history or _History()
        titling, limits = chatkit.automatic_thread_titling or _Titling(), self.rate_limits or _RateLimits()
        variables = self.workflow.state_variables
        return SessionConfiguration(
            variables=NO_VARIABLES if variables is None else MappingProxyType(variables),
            max_requests_per_minute=limits.max_requests_per_1_minute or _DEFAULTS.max_requests_per_minute,
            has_titles=titling.enabled is not False,
            has_uploads=files.enabled is True,
            max_file_mb=files.max_file_size or _DEFAULTS.max_file_mb,
            max_files=files.max_files or _DEFAULTS.max_files,
            has_history=history.enabled is not False,
            recent_threads=history.recent_threads,
            version=self.workflow.version,
        )


_VARIABLE_KINDS = "it must be a text, a number, true or false; send a list or an object as a text that holds its JSON"


class _ParameterError(BadRequestError):
    """A parameter is missing or wrong; `parameter` is its path."""

    def __init__(self, message: str, code: str, parameter: str | None) -> None:
        super().__init__(message, code=code)
        self.parameter = parameter


def add_session_routes(
    app: FastAPI, use_cases: VisibleUseCases, sessions: ClientSessions, keys: ServerKeys, settings: Settings
) -> None:
    """Add the routes by which servers open and cancel sessions for their users."""

    async def create(request: Request) -> Response:
        key_name = _check_key(request, keys)
        check_content_type(request)
        parameters = _parse_request(await read_body(request, settings.max_body_bytes))
        lifetime_s = parameters.expires_after.seconds if parameters.expires_after else DEFAULT_LIFETIME_S
        session = ChatSession(
            id=new_session_id(),
            key_name=key_name,
            user=parameters.user,
            use_case=parameters.workflow.id,
            # Whole seconds, as in the response.
            expires_at=utc_now().replace(microsecond=0) + timedelta(seconds=lifetime_s),
            is_cancelled=False,
            configuration=parameters.configuration(),
        )
        await _check_use_case(use_cases, session_context(request, session))
        await sessions.open(session)
        notes_of(request.scope).use_case = session.use_case
        logger.info("session opened", extra={"session": session.id, "key": key_name, "use_case": session.use_case})
        return JSONResponse(_describe_session(session, sessions.build_secret(session)))

    async def cancel(request: Request) -> Response:
        key_name = _check_key(request, keys)
        session = await sessions.cancel(request.path_params["session_id"], key_name)
        if session is None:
            raise NotFoundError("This key has opened no session with this id.", code="session_not_found")
        logger.info("session ended", extra={"session": session.id, "key": key_name, "use_case": session.use_case})
        return JSONResponse(_describe_session(session, sessions.build_secret(session)))

    app.add_route(PATH, _with_openai_errors(create), methods=["POST"])
    app.add_route(PATH + "/{session_id}/cancel", _with_openai_errors(cancel), methods=["POST"])


def _with_openai_errors(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handle(request)
        except ClientDisconnect:
            raise
        except Exception as exc:  # noqa: BLE001 - the outermost handler: logged and answered here
            failure = build_failure(exc, notes_of(request.scope))
            kind = "server_error" if failure.status >= 500 else "invalid_request_error"
            parameter = getattr(exc, "parameter", None)
            challenge = {"WWW-Authenticate": "Bearer"} if failure.status == 401 else None
            return failure_response(failure, challenge, {"type": kind, "param": parameter})

    return answer


def _check_key(request: Request, keys: ServerKeys) -> str:
    if not keys:
        raise NotFoundError(
            "This server opens no sessions: no server key is set. Its operator names keys in SERVER_API_KEYS.",
            code="sessions_disabled",
        )
    key = bearer_token(request.headers)
    if key is None:
        raise UnauthorizedError("Send a server key as 'Authorization: Bearer …'.", code="missing_api_key")
    name = keys.find_name(key)
    if name is None:
        raise UnauthorizedError("This server key is not one of SERVER_API_KEYS.", code="invalid_api_key")
    return name


def _parse_request(body: bytes) -> _CreateSession:
    try:
        return _CreateSession.model_validate_json(body)
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        parts = [str(part) for part in error["loc"]]
        # A variable may be of four types, and Pydantic reports an error for each of them.
        is_variable = parts[:2] == ["workflow", "state_variables"] and len(parts) == 4 and parts[3] != "[key]"
        parts = parts[:3] if parts[:2] == ["workflow", "state_variables"] else parts
        path, reason = ".".join(parts), error["msg"].removeprefix("Value error, ")
        if is_variable and error["type"].endswith("_type"):
            reason = _VARIABLE_KINDS
    if not path:
        raise _ParameterError(f"The body must be a JSON object: {reason}.", "invalid_json", None)
    if error["type"] == "missing":
        raise _ParameterError(f"Missing required parameter: '{path}'.", "missing_required_parameter", path)
    if error["type"] == "extra_forbidden":
        raise _ParameterError(f"Unknown parameter: '{path}'.", "unknown_parameter", path)
    raise _ParameterError(f"Invalid value for '{path}': {reason}.", "invalid_value", path)


class _UnknownWorkflowError(NotFoundError):
    code = "workflow_not_found"
    parameter = "workflow.id"


async def _check_use_case(use_cases: VisibleUseCases, context: RequestContext) -> None:
    visible = await use_cases.visible(context)
    if context.use_case not in visible:
        names = ", ".join(f"'{name}'" for name in list(visible)[:MAX_NAMES_TOLD]) or "there is none"
        raise _UnknownWorkflowError(
            f"'workflow.id' must be the name of a use case that this person may use ({names}), not "
            f"'{context.use_case}'."
        )


def _describe_session(session: ChatSession, secret: str) -> dict[str, Any]:
    """Return the session object of OpenAI's API."""
    configuration = session.configuration
    status = "cancelled" if session.is_cancelled else "expired" if session.expires_at <= utc_now() else "active"
    return {
        "id": session.id,
        "object": "chatkit.session",
        "client_secret": secret,
        "expires_at": int(session.expires_at.timestamp()),
        "status": status,
        "user": session.user,
        "workflow": {
            "id": session.use_case,
            "version": configuration.version,
            "state_variables": dict(configuration.variables) or None,
            # Parlor never traces to OpenAI, whatever was requested.
            "tracing": {"enabled": False},
        },
        "rate_limits": {"max_requests_per_1_minute": configuration.max_requests_per_minute},
        "max_requests_per_1_minute": configuration.max_requests_per_minute,
        "chatkit_configuration": {
            "automatic_thread_titling": {"enabled": configuration.has_titles},
            "file_upload": {
                "enabled": configuration.has_uploads,
                "max_file_size": configuration.max_file_mb,
                "max_files": configuration.max_files,
            },
            "history": {"enabled": configuration.has_history, "recent_threads": configuration.recent_threads},
        },
    }
