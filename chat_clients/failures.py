"""Failures of the model, in words for the person in the chat."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from agent_framework.exceptions import ChatClientContentFilterException

from chat_clients.http.answer_forms import NoAnswerError
from chat_clients.http.refusal_meanings import BY_CODE, meaning_of
from chat_clients.http.server_events import BrokenStreamError
from chat_clients.http.status_errors import ProviderStatusError, build_status_error
from errors import ModelError
from framework.sentences import STREAM_ERROR

# code -> (sentence, whether trying again can help)
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

# The framework puts an `error` event of the Responses stream into a sentence of this form.
_STREAM_ERROR = re.compile(STREAM_ERROR)

_MAX_CHAIN = 32


def build_model_error(code: str, *, model: str | None = None) -> ModelError:
    """Return the error of one of our codes, e.g. ``"model.timeout"``; an unknown one reads as ``"model.failed"``.

    Args:
        code: The code of the error.
        model: The model that was asked, which the error names if it does not exist.
    """
    code = code if code in _SENTENCES else "model.failed"
    message, allow_retry = _SENTENCES[code]
    if code == "model.not_found" and model:
        message = f"There is no model “{model}” at the configured address, or not any more."
    return ModelError(message, code=code, allow_retry=allow_retry)


def explain_provider_error(error: Any) -> ModelError:
    """Return our error for the error object that a provider has put into its answer.

    Args:
        error: The object, with the provider's word as `code` or `type`, e.g. ``"rate_limit_exceeded"``; or an
            object with an HTTP status as `code`, or a sentence instead of an object.
    """
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) else 0
    reported = build_status_error(status, dict(error) if isinstance(error, Mapping) else error)
    failure = build_model_error(meaning_of(reported))
    failure.__cause__ = reported
    return failure


def refusal_in(exc: BaseException) -> ProviderStatusError | None:
    """Return the provider's refusal that is the cause of `exc`, or None."""
    return next((link for link in _chain(exc) if isinstance(link, ProviderStatusError)), None)


def explain_model_failure(exc: BaseException, *, has_begun: bool = False) -> ModelError:
    """Return the error to show the person for any exception: one sentence without internals.

    Args:
        exc: Any exception; its causes and contexts are looked at too. A `ModelError` among them is returned as it is.
        has_begun: Whether a part of the answer had arrived already.
    """
    for link in _chain(exc):
        if isinstance(link, ModelError):
            return link
        code = _code_of(link, has_begun)
        if code is not None:
            return build_model_error(code)
    return build_model_error("model.failed")


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield `exc`, then what it was raised from, nearest first; what groups hold comes after the group."""
    waiting, seen = [exc], set[int]()
    while waiting and len(seen) < _MAX_CHAIN:
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


def _code_of(exc: BaseException, has_begun: bool) -> str | None:
    """Return our code for this link of a chain, or None when it says nothing."""
    match exc:
        case ProviderStatusError():
            return meaning_of(exc)
        case NoAnswerError():
            return "model.no_answer"
        case BrokenStreamError() | httpx.DecodingError():
            # A piece of the stream that cannot be read: what came after it is missing.
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
        case RuntimeError() if found := _STREAM_ERROR.match(str(exc)):
            return BY_CODE.get(found[1].lower())
        case _:
            return _code_of_sdk_error(exc, has_begun)


def _code_of_sdk_error(exc: BaseException, has_begun: bool) -> str | None:
    """Return our code for an error of OpenAI's SDK: a use case may bring a client that is built on it."""
    # Not imported here: that takes longer than all of Parlor, and a module that was never imported raises no errors.
    sdk: Any = sys.modules.get("openai")
    if sdk is None or not isinstance(exc, sdk.APIError):
        return None
    if isinstance(exc, sdk.APITimeoutError):
        # By name: the HTTP library beneath the SDK is the SDK's own affair.
        is_connecting = type(exc.__cause__).__name__ == "ConnectTimeout"
        return "model.unreachable" if is_connecting else "model.timeout"
    if isinstance(exc, sdk.APIConnectionError):
        return "model.interrupted" if has_begun else "model.unreachable"
    if isinstance(exc, sdk.APIStatusError):
        return meaning_of(build_status_error(exc.status_code, exc.body if exc.body is not None else exc.message))
    return BY_CODE.get((exc.code or "").lower())
