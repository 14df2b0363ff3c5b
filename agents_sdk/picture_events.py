"""Builds the events of OpenAI's Responses API for the pictures of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from agent_framework import Content
from openai.types.responses import (
    ResponseImageGenCallPartialImageEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
)
from openai.types.responses.response_output_item import ImageGenerationCall


class PictureEvents:
    """Builds the events of the pictures of one response.

    Args:
        next_number: Returns the number of the next event.
    """

    def __init__(self, next_number: Callable[[], int]) -> None:
        self._next_number = next_number
        self._output_indexes: dict[str, int] = {}

    def begin(self, picture_id: str, output_index: int) -> Iterator[Any]:
        """Yield the event that begins a picture."""
        self._output_indexes[picture_id] = output_index
        item = ImageGenerationCall(id=picture_id, type="image_generation_call", status="in_progress")
        yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=item, **self._position(picture_id))

    def has_begun(self, picture_id: str) -> bool:
        """Return whether a picture has begun."""
        return picture_id in self._output_indexes

    def show(self, picture_id: str, outputs: Content | list[Content] | None) -> Iterator[Any]:
        """Yield the event of a partial or finished picture.

        Args:
            picture_id: A picture that has begun.
            outputs: The picture, as far as it has arrived; None if the model has failed to draw it.
        """
        picture = next(iter(outputs), None) if isinstance(outputs, list) else outputs
        base64 = _base64_data(picture)
        if picture is not None and picture.additional_properties.get("is_partial_image"):
            if base64 is not None:
                yield ResponseImageGenCallPartialImageEvent(
                    type="response.image_generation_call.partial_image",
                    item_id=picture_id,
                    partial_image_b64=base64,
                    partial_image_index=picture.additional_properties.get("partial_image_index") or 0,
                    **self._position(picture_id),
                )
            return
        item = ImageGenerationCall(
            id=picture_id,
            type="image_generation_call",
            status="failed" if base64 is None else "completed",
            result=base64,
        )
        yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, **self._position(picture_id))

    def _position(self, picture_id: str) -> dict[str, Any]:
        return {"output_index": self._output_indexes[picture_id], "sequence_number": self._next_number()}


def find_picture_id(content: Content) -> str | None:
    """Return the id of the picture in a content; None for any other content."""
    if content.type in ("image_generation_tool_call", "image_generation_tool_result"):
        return content.image_id or f"ig_{uuid4().hex}"
    # Models of Chat Completions send a picture as a part of the message.
    if content.type in ("data", "uri") and content.has_top_level_media_type("image") and _base64_data(content):
        return f"ig_{uuid4().hex}"
    return None


def _base64_data(picture: Content | None) -> str | None:
    uri = picture.uri if picture is not None else None
    head, _, data = (uri or "").partition(",")
    return data if head.startswith("data:") and head.endswith(";base64") and data else None
