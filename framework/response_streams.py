"""Responses of a chat client in the framework's form, built from its public parts.

`BaseChatClient` has private helpers for the same, which may change: `_build_response_stream`,
`_finalize_response_updates` and `_validate_options`. These functions do what they do today.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any

from agent_framework import ChatResponse, ChatResponseUpdate, ResponseStream

ResponseFormat = type[Any] | Mapping[str, Any] | None
"""The form that an answer must have: a Pydantic model, a JSON schema, or none in particular."""


def build_response_stream(
    updates: AsyncIterable[ChatResponseUpdate], response_format: ResponseFormat = None
) -> ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
    """Return a stream of updates whose final response is built from all of them."""
    return ResponseStream(updates, finalizer=lambda kept: build_response(kept, response_format))


def build_response(updates: Sequence[ChatResponseUpdate], response_format: ResponseFormat = None) -> ChatResponse[Any]:
    """Return the response that consists of the given updates."""
    return ChatResponse.from_updates(updates, output_format_type=response_format)
