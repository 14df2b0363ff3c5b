"""Pictures that a model draws, as events of OpenAI's Responses API."""

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
    """Writes the events of the pictures of one response.

    Args:
        next_number: Returns the number of the next event.
    """

    def __init__(self, next_number: Callable[[], int]) -> None:
        self._next_number = next_number
        self._index_of: dict[str, int] = {}

    def begin(self, picture_id: str, output_index: int) -> Iterator[Any]:
        """Return the event by which a picture begins."""
        self._index_of[picture_id] = output_index
        item = ImageGenerationCall(id=picture_id, type="image_generation_call", status="in_progress")
        yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=item, **self._order(picture_id))

    def is_begun(self, picture_id: str) -> bool:
        """Return whether a picture has begun."""
        return picture_id in self._index_of

    def show(self, picture_id: str, outputs: Content | list[Content] | None) -> Iterator[Any]:
        """Return the event of a picture that has grown or is done.

        Args:
            picture_id: A picture that has begun.
            outputs: The picture, as far as it has arrived; None when none was drawn.
        """
        shown = next(iter(outputs), None) if isinstance(outputs, list) else outputs
        base64 = _base64_of(shown)
        if shown is not None and shown.additional_properties.get("is_partial_image"):
            if base64 is not None:
                yield ResponseImageGenCallPartialImageEvent(
                    type="response.image_generation_call.partial_image",
                    item_id=picture_id,
                    partial_image_b64=base64,
                    partial_image_index=shown.additional_properties.get("partial_image_index") or 0,
                    **self._order(picture_id),
                )
            return
        item = ImageGenerationCall(
            id=picture_id,
            type="image_generation_call",
            status="failed" if base64 is None else "completed",
            result=base64,
        )
        yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, **self._order(picture_id))

    def _order(self, picture_id: str) -> dict[str, Any]:
        return {"output_index": self._index_of[picture_id], "sequence_number": self._next_number()}


def picture_id_of(content: Content) -> str | None:
    """Return the id of the picture that a content tells of; None for another content."""
    if content.type in ("image_generation_tool_call", "image_generation_tool_result"):
        return content.image_id or f"ig_{uuid4().hex}"
    # Models of Chat Completions give a picture as a part of what they say.
    if content.type in ("data", "uri") and content.has_top_level_media_type("image") and _base64_of(content):
        return f"ig_{uuid4().hex}"
    return None


def _base64_of(shown: Content | None) -> str | None:
    uri = shown.uri if shown is not None else None
    head, _, data = (uri or "").partition(",")
    return data if head.startswith("data:") and head.endswith(";base64") and data else None
