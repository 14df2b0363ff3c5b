"""The guard around a provider's answer: a part of an answer is never taken for the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any

from agent_framework import ChatResponse, ChatResponseUpdate, ResponseStream

from chat_clients.failures import build_model_error, explain_model_failure, explain_provider_code

Updates = ResponseStream[ChatResponseUpdate, ChatResponse[Any]]


def require_whole_stream(answer: Updates) -> Updates:
    """Return `answer`, made to fail with a `ModelError` where it fails or ends before its end.

    The framework takes a stream that merely stops for a finished answer, and would run a tool call that was cut off.
    """

    async def updates() -> AsyncIterator[ChatResponseUpdate]:
        has_begun = False
        finish_reason: str | None = None
        async with answer:
            try:
                async for update in answer:
                    has_begun = True
                    finish_reason = update.finish_reason or finish_reason
                    _refuse_failed(update.raw_representation)
                    yield update
            except Exception as exc:
                raise explain_model_failure(exc, has_begun=has_begun) from exc
        _refuse_unfinished(finish_reason)

    return ResponseStream(updates(), finalizer=lambda _: answer.get_final_response())


async def require_whole_response(answer: Awaitable[ChatResponse[Any]]) -> ChatResponse[Any]:
    """Return the awaited `answer`.

    Raises:
        ModelError: When it fails, or is a part only.
    """
    try:
        response = await answer
    except Exception as exc:
        raise explain_model_failure(exc) from exc
    _refuse_failed(response.raw_representation)
    _refuse_unfinished(response.finish_reason)
    return response


def _refuse_failed(raw: Any) -> None:
    """Raise when `raw`, an object or stream event of the Responses API, says that the model gave up."""
    response = getattr(raw, "response", raw)
    if getattr(response, "status", None) == "failed":
        raise explain_provider_code(getattr(getattr(response, "error", None), "code", None))


def _refuse_unfinished(finish_reason: str | None) -> None:
    match finish_reason:
        case None:
            raise build_model_error("model.interrupted")
        case "length":
            raise build_model_error("model.cut_short")
        case "content_filter":
            raise build_model_error("model.content_filter")
        case "error":
            raise build_model_error("model.failed")
        case _:
            return
