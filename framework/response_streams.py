"""Answers of a chat client as the framework wants them, made of its public parts.

`BaseChatClient` has helpers for the same, with names of its own that it may change: `_build_response_stream`,
`_finalize_response_updates` and `_validate_options`. What they do today is this.
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
    """Return the stream of an answer, whose final response is made of all its updates."""
    return ResponseStream(updates, finalizer=lambda kept: build_response(kept, response_format))


def build_response(updates: Sequence[ChatResponseUpdate], response_format: ResponseFormat = None) -> ChatResponse[Any]:
    """Return the answer that updates add up to."""
    return ChatResponse.from_updates(updates, output_format_type=response_format)
