"""Converts responses of our chat clients to those of the Agents SDK."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from agent_framework import ChatResponse
from agents import ModelResponse, Usage
from openai.types.responses import Response, ResponseCompletedEvent, ResponseOutputItem, ResponseUsage
from pydantic import TypeAdapter, ValidationError

from chat_clients.protocols.responses_request import build_input

logger = logging.getLogger(__name__)

_OUTPUT_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)


class PlatformResponse(ResponseCompletedEvent):
    """A complete response of our model, all parts of which were in the updates before it."""

    def to_model_response(self) -> ModelResponse:
        """Return the response in the form of a model that does not stream."""
        return ModelResponse(output=self.response.output, usage=_sdk_usage(self.response), response_id=None)


def build_response(answer: ChatResponse[Any]) -> PlatformResponse:
    """Convert an answer of a chat client to the response that the SDK works with."""
    response = Response(
        id=answer.response_id or f"resp_{uuid4().hex}",
        created_at=time.time(),
        model=answer.model or "",
        object="response",
        output=[item for raw in build_input(answer.messages) if (item := _parse_output_item(raw)) is not None],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage=_response_usage(answer.usage_details or {}),
    )
    return PlatformResponse(type="response.completed", response=response, sequence_number=0)


def _parse_output_item(item: dict[str, Any]) -> Any:
    if item["type"] == "message":
        item = {"id": f"msg_{uuid4().hex}", "status": "completed", **item}
    try:
        return _OUTPUT_ITEM.validate_python(item)
    except ValidationError:
        if item["type"] in ("message", "function_call"):
            raise
        # From a provider that is less strict than OpenAI. The item was in the updates, and the SDK does not need it.
        logger.info("an item of the model is of another form", extra={"item_type": item["type"]})
        return None


def _response_usage(counts: Mapping[str, Any]) -> ResponseUsage | None:
    if not counts:
        return None
    input_tokens, output_tokens = counts.get("input_token_count") or 0, counts.get("output_token_count") or 0
    return ResponseUsage.model_validate(
        {
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": counts.get("total_token_count") or input_tokens + output_tokens,
            "input_tokens_details": {
                "cached_tokens": counts.get("cache_read_input_token_count") or 0,
                "cache_write_tokens": counts.get("cache_creation_input_token_count") or 0,
            },
            "output_tokens_details": {"reasoning_tokens": counts.get("reasoning_output_token_count") or 0},
        }
    )


def _sdk_usage(response: Response) -> Usage:
    counts = response.usage
    if counts is None:
        return Usage(requests=1)
    return Usage(
        requests=1,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        total_tokens=counts.total_tokens,
        input_tokens_details=counts.input_tokens_details,
        output_tokens_details=counts.output_tokens_details,
    )
