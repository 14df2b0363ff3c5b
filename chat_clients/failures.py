"""Failures of the model, in words for the person in the chat."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from agent_framework.exceptions import ChatClientContentFilterException

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
    "model.rate_limited": ("The model is asked too often at the moment; please try again shortly.", True),
    "model.no_quota": ("The account of the model is used up.", False),
    "model.refused_key": ("The model refused the access: its key is missing, wrong or not allowed.", False),
    "model.not_found": ("The configured model does not exist at the configured address, or not any more.", False),
    "model.bad_request": ("The model did not accept this request.", False),
    "model.too_long": ("This is too long for the model. Please shorten your message, or start a new chat.", False),
    "model.content_filter": ("The content filter of the model stopped this answer.", False),
    "model.cut_short": ("The answer ends here because it reached the longest length the model may write.", False),
}

_BY_STATUS: dict[int, str] = {
    301: "model.not_found",
    302: "model.not_found",
    307: "model.not_found",
    308: "model.not_found",
    400: "model.bad_request",
    401: "model.refused_key",
    402: "model.no_quota",
    403: "model.refused_key",
    404: "model.not_found",
    408: "model.timeout",
    410: "model.not_found",
    413: "model.too_long",
    415: "model.bad_request",
    422: "model.bad_request",
    429: "model.rate_limited",
    504: "model.timeout",
}

# The providers' own words, which say more than the status.
_BY_PROVIDER_CODE: dict[str, str] = {
    "billing_hard_limit_reached": "model.no_quota",
    "billing_not_active": "model.no_quota",
    "content_filter": "model.content_filter",
    "context_length_exceeded": "model.too_long",
    "context_window_exceeded": "model.too_long",
    "credit_balance_too_low": "model.no_quota",
    "deploymentnotfound": "model.not_found",
    "exceed_context_size_error": "model.too_long",
    "insufficient_balance": "model.no_quota",
    "insufficient_quota": "model.no_quota",
    "insufficient_user_quota": "model.no_quota",
    "invalid_api_key": "model.refused_key",
    "invalid_prompt": "model.bad_request",
    "max_output_tokens": "model.cut_short",
    "model_decommissioned": "model.not_found",
    "model_deprecated": "model.not_found",
    "model_not_found": "model.not_found",
    "payment_required": "model.no_quota",
    "rate_limit_exceeded": "model.rate_limited",
    "request_too_large": "model.too_long",
    "string_above_max_length": "model.too_long",
}

# Servers that have no code for it say it in a sentence, each in its own words.
_TOO_LONG = re.compile(
    r"context (?:length|size|window|limit)|context_length"
    r"|(?:prompt|inputs?|request|messages?|conversation|history)\b[^.]{0,80}\btoo (?:long|large|many)"
    r"|too (?:many|long)[^.]{0,30}\b(?:tokens|prompt|input)"
    r"|(?:maximum|max\.?|longest)[ _](?:allowed[ _])?"
    r"(?:prompt|input|model|sequence|context|request)[ _]?(?:length|len|size|tokens)"
    r"|(?:maximum|max) (?:number of )?(?:input |prompt )?tokens|token limit|tokens?\b[^.]{0,40}\bexceed"
    r"|exceed[^.]{0,60}\b(?:tokens?|max(?:imum)? length|context)|tokens? >|longer than the (?:model|maximum)"
    r"|reduce (?:the|your) (?:length|size|prompt|input|number of)|range of input length|input length should be"
    r"|must have less than \d+ tokens|tokens\W{1,3}must be <=|payload size exceeds|prompt exceeds|input exceeds",
    re.IGNORECASE,
)
_REQUEST_TOO_LARGE = re.compile(r"\brequest too large\b", re.IGNORECASE)
_NO_QUOTA = re.compile(
    r"credit balance|insufficient (?:account )?(?:balance|credits?|funds|quota)|payment required", re.IGNORECASE
)
_NO_KEY = re.compile(r"api[ _-]?key[^.]{0,40}\b(?:not valid|invalid|not found|missing|expired)", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"\bmodel\b[^.]{0,120}\b(?:not exist|not found|no longer|decommissioned|deprecated|retired|end of (?:its )?life"
    r"|discontinued|shut down|not available)|(?:invalid|unknown|no such) model\b|not a valid model",
    re.IGNORECASE,
)

# The framework puts an `error` event of the Responses stream into a sentence of this form.
_STREAM_ERROR = re.compile(STREAM_ERROR)

_MAX_CHAIN = 32


def build_model_error(code: str, *, model: str | None = None) -> ModelError:
    """Return the error of one of our codes, e.g. ``"model.timeout"``; an unknown one reads as ``"model.failed"``.

    Args:
        code: What went wrong.
        model: Who was asked; named where it is not there.
    """
    code = code if code in _SENTENCES else "model.failed"
    message, allow_retry = _SENTENCES[code]
    if code == "model.not_found" and model:
        message = f"There is no model “{model}” at the configured address, or not any more."
    return ModelError(message, code=code, allow_retry=allow_retry)


def explain_provider_error(error: Any) -> ModelError:
    """Return what the error object stands for that a provider has put into its answer.

    Args:
        error: With the provider's own word as `code` or `type`, e.g. ``"rate_limit_exceeded"``; some servers send an
            HTTP status as `code`, some a sentence instead of an object.
    """
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) else 0
    reported = build_status_error(status, dict(error) if isinstance(error, Mapping) else error)
    words = [error.get(name) for name in ("code", "type")] if isinstance(error, Mapping) else []
    known = (word for word in words if isinstance(word, str) and word.lower() in _BY_PROVIDER_CODE)
    reported.provider_code = next(known, reported.provider_code)
    failure = build_model_error(_code_of_refusal(reported))
    failure.__cause__ = reported
    return failure


def refusal_in(exc: BaseException) -> ProviderStatusError | None:
    """Return the provider's refusal that is the cause of `exc`, or None."""
    return next((link for link in _chain(exc) if isinstance(link, ProviderStatusError)), None)


def explain_model_failure(exc: BaseException, *, has_begun: bool = False) -> ModelError:
    """Return what to tell the person about `exc`, whatever it is: one sentence without internals.

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
            return _code_of_refusal(exc)
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
            return _BY_PROVIDER_CODE.get(found[1].lower())
        case _:
            return _code_of_sdk_error(exc, has_begun)


def _code_of_refusal(exc: ProviderStatusError) -> str:
    code = _code_of_status(exc.status, exc.provider_code)
    if code == "model.rate_limited" and _REQUEST_TOO_LARGE.search(exc.text):
        return "model.too_long"  # waiting does not make it smaller
    if code in ("model.bad_request", "model.refused_key") and _NO_QUOTA.search(exc.text):
        return "model.no_quota"
    if code in ("model.bad_request", "model.failed") and _TOO_LONG.search(exc.text):
        return "model.too_long"
    if code == "model.bad_request" and _NO_KEY.search(exc.text):
        return "model.refused_key"  # as Google says it
    if code == "model.bad_request" and _NO_MODEL.search(exc.text):
        return "model.not_found"
    return code


def _code_of_status(status: int, provider_code: str | None) -> str:
    return _BY_PROVIDER_CODE.get((provider_code or "").lower(), _BY_STATUS.get(status, "model.failed"))


def _code_of_sdk_error(exc: BaseException, has_begun: bool) -> str | None:
    """Return our code for an error of OpenAI's SDK: a use case may bring a client that is built on it."""
    # Not imported here: that takes longer than all of ours, and who has not imported it cannot meet its errors.
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
        return _code_of_status(exc.status_code, exc.code)
    return _BY_PROVIDER_CODE.get((exc.code or "").lower())
