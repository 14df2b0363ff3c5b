"""Responses of our chat clients as the Agents SDK knows them."""

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

_OUTPUT: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)


class PlatformResponse(ResponseCompletedEvent):
    """A whole response of our model, of which the updates have told all before."""

    def to_model_response(self) -> ModelResponse:
        """Return the response as a model gives it that does not stream."""
        return ModelResponse(output=self.response.output, usage=_usage(self.response), response_id=None)


def build_response(answer: ChatResponse[Any]) -> PlatformResponse:
    """Return an answer of a chat client as the response that the SDK works with."""
    response = Response(
        id=answer.response_id or f"resp_{uuid4().hex}",
        created_at=time.time(),
        model=answer.model or "",
        object="response",
        output=[item for each in build_input(answer.messages) if (item := _output_item(each)) is not None],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage=_response_usage(answer.usage_details or {}),
    )
    return PlatformResponse(type="response.completed", response=response, sequence_number=0)


def _output_item(item: dict[str, Any]) -> Any:
    if item["type"] == "message":
        item = {"id": f"msg_{uuid4().hex}", "status": "completed", **item}
    try:
        return _OUTPUT.validate_python(item)
    except ValidationError:
        if item["type"] in ("message", "function_call"):
            raise
        # Of a provider that is not as strict as OpenAI; the person has seen it, and the SDK need not know.
        logger.info("an item of the model is of another form", extra={"item_type": item["type"]})
        return None


def _response_usage(counts: Mapping[str, Any]) -> ResponseUsage | None:
    if not counts:
        return None
    asked, said = counts.get("input_token_count") or 0, counts.get("output_token_count") or 0
    return ResponseUsage.model_validate(
        {
            "input_tokens": asked,
            "output_tokens": said,
            "total_tokens": counts.get("total_token_count") or asked + said,
            "input_tokens_details": {
                "cached_tokens": counts.get("cache_read_input_token_count") or 0,
                "cache_write_tokens": counts.get("cache_creation_input_token_count") or 0,
            },
            "output_tokens_details": {"reasoning_tokens": counts.get("reasoning_output_token_count") or 0},
        }
    )


def _usage(response: Response) -> Usage:
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
