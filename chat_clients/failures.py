"""What went wrong with the model, in words for the person in the chat."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_framework.exceptions import ChatClientContentFilterException
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from errors import ModelError

# code -> (sentence, whether trying again can help)
_SENTENCES: dict[str, tuple[str, bool]] = {
    "model.failed": ("The model could not answer.", True),
    "model.unreachable": ("The model cannot be reached at the moment.", True),
    "model.timeout": ("The model was silent for too long.", True),
    "model.interrupted": ("The model stopped in the middle of the answer.", True),
    "model.rate_limited": ("The model is asked too often at the moment; please try again shortly.", True),
    "model.no_quota": ("The account of the model is used up.", False),
    "model.refused_key": ("The model refused the access: its key is missing, wrong or not allowed.", False),
    "model.not_found": ("The configured model does not exist at the configured address.", False),
    "model.bad_request": ("The model did not accept this request.", False),
    "model.too_long": ("This conversation is too long for the model; please start a new chat.", False),
    "model.content_filter": ("The content filter of the model stopped this answer.", False),
    "model.cut_short": ("The answer ends here because it reached the longest length the model may write.", False),
}

_BY_STATUS: dict[int, str] = {
    400: "model.bad_request",
    401: "model.refused_key",
    403: "model.refused_key",
    404: "model.not_found",
    408: "model.timeout",
    413: "model.too_long",
    415: "model.bad_request",
    422: "model.bad_request",
    429: "model.rate_limited",
    504: "model.timeout",
}

# The providers' own words, which say more than the status.
_BY_PROVIDER_CODE: dict[str, str] = {
    "content_filter": "model.content_filter",
    "context_length_exceeded": "model.too_long",
    "deploymentnotfound": "model.not_found",
    "insufficient_quota": "model.no_quota",
    "invalid_api_key": "model.refused_key",
    "invalid_prompt": "model.bad_request",
    "max_output_tokens": "model.cut_short",
    "model_not_found": "model.not_found",
    "rate_limit_exceeded": "model.rate_limited",
}

# The framework puts an `error` event of the Responses stream into a sentence of this form.
_STREAM_ERROR = re.compile(r"OpenAI streaming error: (\w+): ")

_MAX_CHAIN = 32


def build_model_error(code: str) -> ModelError:
    """Return the error of one of our codes, e.g. ``"model.timeout"``; an unknown one reads as ``"model.failed"``."""
    code = code if code in _SENTENCES else "model.failed"
    message, allow_retry = _SENTENCES[code]
    return ModelError(message, code=code, allow_retry=allow_retry)


def explain_provider_code(provider_code: str | None) -> ModelError:
    """Return the error that a provider's own code stands for, e.g. ``"rate_limit_exceeded"``."""
    return build_model_error(_BY_PROVIDER_CODE.get((provider_code or "").lower(), "model.failed"))


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
        case ChatClientContentFilterException():
            return "model.content_filter"
        case APITimeoutError():
            # By name: the HTTP library beneath the SDK is the SDK's own affair.
            is_connecting = type(exc.__cause__).__name__ == "ConnectTimeout"
            return "model.unreachable" if is_connecting else "model.timeout"
        case APIConnectionError():
            return "model.interrupted" if has_begun else "model.unreachable"
        case APIStatusError():
            by_status = _BY_STATUS.get(exc.status_code, "model.failed")
            return _BY_PROVIDER_CODE.get((exc.code or "").lower(), by_status)
        case APIError():
            return _BY_PROVIDER_CODE.get((exc.code or "").lower())
        case TimeoutError():
            return "model.timeout"
        case ConnectionError():
            return "model.interrupted" if has_begun else "model.unreachable"
        case ValueError() if has_begun:
            # A piece of the stream that is no JSON: what came after it in the same line is missing.
            return "model.interrupted" if type(exc).__name__ == "JSONDecodeError" else None
        case RuntimeError() if found := _STREAM_ERROR.match(str(exc)):
            return _BY_PROVIDER_CODE.get(found[1].lower())
        case _:
            return None
