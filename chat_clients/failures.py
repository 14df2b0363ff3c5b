"""Errors of the model, explained to the person in the chat in one sentence."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from agent_framework.exceptions import ChatClientContentFilterException

from chat_clients.http.answer_forms import NoAnswerError
from chat_clients.http.refusal_meanings import CODE_BY_PROVIDER_CODE, classify_refusal
from chat_clients.http.server_events import BrokenStreamError
from chat_clients.http.status_errors import ProviderStatusError, build_status_error
from errors import ModelError
from framework.sentences import STREAM_ERROR

# Error code -> (sentence, whether a retry can help)
_SENTENCES: dict[str, tuple[str, bool]] = {
    "model.failed": ("The model could not answer.", True),
    "model.unreachable": ("The model cannot be reached at the moment.", True),
    "model.timeout": ("The model was silent for too long.", True),
    "model.interrupted": ("The model stopped in the middle of the answer.", True),
    "model.no_answer": ("Something else than the model answered at its address.", True),
    "model.loading": ("The model is still being loaded; please try again in a while.", True),
    "model.rate_limited": ("The model is asked too often at the moment; please try again shortly.", True),
    "model.no_quota": ("The account of the model is used up.", False),
    "model.refused_key": ("The model refused the access: its key is missing, wrong or not allowed.", False),
    "model.not_found": ("The configured model does not exist at the configured address, or not any more.", False),
    "model.bad_request": ("The model did not accept this request.", False),
    "model.no_tools": ("The model cannot use the tools of this assistant, and so cannot answer here.", False),
    "model.too_long": ("This is too long for the model. Please shorten your message, or start a new chat.", False),
    "model.content_filter": ("The content filter of the model stopped this answer.", False),
    "model.cut_short": ("The answer ends here because it reached the longest length the model may write.", False),
}

# The framework turns an `error` event of the Responses API into a sentence of this form.
_STREAM_ERROR = re.compile(STREAM_ERROR)

_MAX_CHAIN_LENGTH = 32


def build_model_error(code: str, *, model: str | None = None) -> ModelError:
    """Return the error for one of our codes; an unknown code becomes ``"model.failed"``.

    Args:
        code: The code of the error, e.g. ``"model.timeout"``.
        model: The name of the model, which the error mentions if there is no such model.
    """
    code = code if code in _SENTENCES else "model.failed"
    message, allow_retry = _SENTENCES[code]
    if code == "model.not_found" and model:
        message = f"There is no model “{model}” at the configured address, or not any more."
    return ModelError(message, code=code, allow_retry=allow_retry)


def explain_provider_error(error: Any) -> ModelError:
    """Return our error for an error object within a provider's answer.

    Args:
        error: An object with the provider's error code, e.g. ``"rate_limit_exceeded"``, or an HTTP status as `code` or
            `type`; or a sentence instead of an object.
    """
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) else 0
    reported = build_status_error(status, dict(error) if isinstance(error, Mapping) else error)
    failure = build_model_error(classify_refusal(reported))
    failure.__cause__ = reported
    return failure


def find_refusal(exc: BaseException) -> ProviderStatusError | None:
    """Return the provider's refusal among the causes of `exc`, or None."""
    return next((link for link in _exception_chain(exc) if isinstance(link, ProviderStatusError)), None)


def explain_model_failure(exc: BaseException, *, has_begun: bool = False) -> ModelError:
    """Return the error to show the person for any exception: one sentence without internals.

    Args:
        exc: Any exception. A `ModelError` among its causes and contexts is returned unchanged.
        has_begun: Whether a part of the answer had already arrived.
    """
    for link in _exception_chain(exc):
        if isinstance(link, ModelError):
            return link
        code = _error_code(link, has_begun)
        if code is not None:
            return build_model_error(code)
    return build_model_error("model.failed")


def _exception_chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield `exc`, its causes and contexts, nearest first, and the members of exception groups."""
    waiting, seen = [exc], set[int]()
    while waiting and len(seen) < _MAX_CHAIN_LENGTH:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting.extend(link.exceptions)
        if link.__cause__ is not None:
            waiting.append(link.__cause__)
        elif link.__context__ is not None and not link.__suppress_context__:
            waiting.append(link.__context__)


def _error_code(exc: BaseException, has_begun: bool) -> str | None:
    """Return our error code for an exception by itself, without its causes; None if it has none."""
    match exc:
        case ProviderStatusError():
            return classify_refusal(exc)
        case NoAnswerError():
            return "model.no_answer"
        case BrokenStreamError() | httpx.DecodingError():
            # A piece of the stream cannot be read, and what follows it is missing.
            return "model.interrupted"
        case httpx.ConnectTimeout() | httpx.ConnectError() | httpx.PoolTimeout() | httpx.ProxyError():
            return "model.unreachable"
        case httpx.TimeoutException():
            return "model.timeout"
        case httpx.TransportError():
            return "model.interrupted" if has_begun else "model.unreachable"
        case ChatClientContentFilterException():
            return "model.content_filter"
        case TimeoutError():
            return "model.timeout"
        case ConnectionError():
            return "model.interrupted" if has_begun else "model.unreachable"
        case RuntimeError() if match := _STREAM_ERROR.match(str(exc)):
            return CODE_BY_PROVIDER_CODE.get(match[1].lower())
        case _:
            return _sdk_error_code(exc, has_begun)


def _sdk_error_code(exc: BaseException, has_begun: bool) -> str | None:
    """Return our error code for an error of OpenAI's SDK, which a use case's own client may be built on."""
    # Not imported here: that would take longer than importing all of Parlor. If nobody has imported the SDK, the
    # exception is not one of its errors.
    sdk: Any = sys.modules.get("openai")
    if sdk is None or not isinstance(exc, sdk.APIError):
        return None
    if isinstance(exc, sdk.APITimeoutError):
        # By name, since which HTTP library the SDK uses is its own business.
        is_connecting = type(exc.__cause__).__name__ == "ConnectTimeout"
        return "model.unreachable" if is_connecting else "model.timeout"
    if isinstance(exc, sdk.APIConnectionError):
        return "model.interrupted" if has_begun else "model.unreachable"
    if isinstance(exc, sdk.APIStatusError):
        return classify_refusal(build_status_error(exc.status_code, exc.body if exc.body is not None else exc.message))
    return CODE_BY_PROVIDER_CODE.get((exc.code or "").lower())
