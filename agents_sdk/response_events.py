"""Converts updates of our chat clients to events of OpenAI's Responses API, for code that reads the SDK's stream.

Agents that a use case returns do not need this, as their updates are passed on unchanged. A server that was written for
ChatKit, and a tool or an exported file that streams an agent itself, expect these events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from agent_framework import ChatResponseUpdate, Content
from agents import Model, ModelProvider, ModelResponse
from openai.types.responses import (
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseOutputTextAnnotationAddedEvent,
    ResponseReasoningItem,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseReasoningSummaryTextDoneEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)
from openai.types.responses.response_output_text import Annotation, AnnotationFileCitation, AnnotationURLCitation
from openai.types.responses.response_reasoning_item import Summary

from agents_sdk.picture_events import PictureEvents, find_picture_id
from agents_sdk.platform_model import AnswerWaitsError, Paused, PlatformModels
from agents_sdk.platform_response import PlatformResponse
from text.growing_text import GrowingText


class EventModels(ModelProvider):
    """Provides the platform's models to runs that an author starts within an answer.

    Args:
        models: The models of the answer.
    """

    def __init__(self, models: PlatformModels) -> None:
        self._models = models

    def get_model(self, model_name: str | None) -> Model:
        """Return the model that an agent names, if the platform's provider has it; else the configured one."""
        return EventModel(self._models.get_model(model_name), self._models.count)


class EventModel(Model):
    """The platform's model for a run that an author starts within an answer, whose stream the author may read.

    Args:
        model: The platform's model.
        count: Receives the usage of calls that are streamed; None if it is counted elsewhere.
    """

    def __init__(self, model: Model, count: Callable[[Mapping[str, Any]], None] | None) -> None:
        self._model = model
        self._count = count

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        """Return a complete response."""
        return await self._model.get_response(*args, **more)

    async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        """Yield the events of a response, and at the end the complete response.

        Raises:
            AnswerWaitsError: When the answer waits for the person, and the model must not be asked.
        """
        writer = ResponseEvents()
        async with aclosing(self._model.stream_response(*args, **more)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                if isinstance(piece, Paused):
                    raise AnswerWaitsError
                if isinstance(piece, ChatResponseUpdate) and self._count is not None:
                    for content in piece.contents:
                        if content.type == "usage":
                            self._count(content.usage_details or {})
                for event in writer.convert(piece):
                    yield event


class ResponseEvents:
    """Builds the events of one response, in which each message and each thought is an item with its own id."""

    def __init__(self) -> None:
        self._kind: str | None = None
        self._source: str | None = None
        self._item_id = ""
        self._index = -1
        self._number = 0
        self._text = GrowingText()
        self._annotations: list[Annotation] = []
        self._pictures = PictureEvents(self._next_number)

    def convert(self, piece: Any) -> Iterator[Any]:
        """Yield the events of a piece of the stream: an update, or the complete response at the end."""
        if isinstance(piece, ChatResponseUpdate):
            yield from self.convert_update(piece)
        elif isinstance(piece, PlatformResponse):
            yield from self.close()
            piece.response.output = with_call_ids(piece.response.output)
            yield piece
        else:
            yield piece

    def convert_update(self, update: ChatResponseUpdate) -> Iterator[Any]:
        """Yield the events of an update's texts, thoughts and pictures; calls are only in the complete response."""
        for content in update.contents:
            if content.type == "text":
                if content.text or content.annotations:
                    yield from self._open_item("message", update.message_id)
                if content.text:
                    yield self._text_delta(content.text)
                for annotation in map(_build_annotation, content.annotations or ()):
                    if annotation is not None:
                        yield self._annotation_event(annotation)
            elif content.type == "text_reasoning" and content.text:
                yield from self._open_item("reasoning", None)
                yield self._thought_delta(content)
            elif (picture_id := find_picture_id(content)) is not None:
                yield from self._picture_events(picture_id, content)

    @property
    def text(self) -> str:
        """The text of the open item."""
        return str(self._text) if self._kind is not None else ""

    def close(self) -> Iterator[Any]:
        """Yield the events that end the open item."""
        kind, text = self._kind, self.text
        self._kind = None
        if kind == "message":
            part = ResponseOutputText(type="output_text", text=text, annotations=self._annotations)
            yield ResponseTextDoneEvent(
                type="response.output_text.done", text=text, content_index=0, logprobs=[], **self._item_position()
            )
            yield ResponseContentPartDoneEvent(
                type="response.content_part.done", part=part, content_index=0, **self._item_position()
            )
            item: Any = ResponseOutputMessage(
                id=self._item_id, type="message", role="assistant", status="completed", content=[part]
            )
        elif kind == "reasoning":
            yield ResponseReasoningSummaryTextDoneEvent(
                type="response.reasoning_summary_text.done", text=text, summary_index=0, **self._item_position()
            )
            item = ResponseReasoningItem(
                id=self._item_id, type="reasoning", summary=[Summary(type="summary_text", text=text)]
            )
        else:
            return
        yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, **self._position())

    def _open_item(self, kind: str, source: str | None) -> Iterator[Any]:
        if self._kind == kind and source in (None, self._source):
            return
        yield from self.close()
        self._kind, self._source = kind, source
        self._item_id = f"{'msg' if kind == 'message' else 'rs'}_{uuid4().hex}"
        self._index += 1
        self._text, self._annotations = GrowingText(), []
        item: Any = (
            ResponseOutputMessage(id=self._item_id, type="message", role="assistant", status="in_progress", content=[])
            if kind == "message"
            else ResponseReasoningItem(id=self._item_id, type="reasoning", summary=[])
        )
        yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=item, **self._position())
        if kind == "message":
            part = ResponseOutputText(type="output_text", text="", annotations=[])
            yield ResponseContentPartAddedEvent(
                type="response.content_part.added", part=part, content_index=0, **self._item_position()
            )

    def _text_delta(self, text: str) -> Any:
        self._text.add(text)
        return ResponseTextDeltaEvent(
            type="response.output_text.delta", delta=text, content_index=0, logprobs=[], **self._item_position()
        )

    def _thought_delta(self, content: Content) -> Any:
        text = content.text or ""
        self._text.add(text)
        return ResponseReasoningSummaryTextDeltaEvent(
            type="response.reasoning_summary_text.delta", delta=text, summary_index=0, **self._item_position()
        )

    def _picture_events(self, picture_id: str, content: Content) -> Iterator[Any]:
        if not self._pictures.has_begun(picture_id):
            yield from self.close()
            self._index += 1
            yield from self._pictures.begin(picture_id, self._index)
        if content.type != "image_generation_tool_call":
            is_result = content.type == "image_generation_tool_result"
            yield from self._pictures.show(picture_id, content.outputs if is_result else content)

    def _annotation_event(self, annotation: Annotation) -> Any:
        self._annotations.append(annotation)
        event = ResponseOutputTextAnnotationAddedEvent(
            type="response.output_text.annotation.added",
            annotation_index=len(self._annotations) - 1,
            content_index=0,
            **self._item_position(),
        )
        # As a dictionary, which ChatKit reads: the classes of annotations in events and in texts are different ones.
        fields: Any = annotation.model_dump()
        event.annotation = fields
        return event

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _position(self) -> dict[str, Any]:
        return {"output_index": self._index, "sequence_number": self._next_number()}

    def _item_position(self) -> dict[str, Any]:
        return {"item_id": self._item_id, **self._position()}


def with_call_ids(output: list[Any]) -> list[Any]:
    """Return the items of a response with an id for each call, which ChatKit's conversion needs."""
    return [
        item.model_copy(update={"id": f"fc_{item.call_id}"})
        if isinstance(item, ResponseFunctionToolCall) and not item.id
        else item
        for item in output
    ]


def _build_annotation(citation: Any) -> Annotation | None:
    """Return OpenAI's annotation for a citation of ours; None if ChatKit cannot show it."""
    region: Any = next(iter(citation.get("annotated_regions") or ()), {})
    start, end = region.get("start_index") or 0, region.get("end_index") or 0
    if url := citation.get("url"):
        title = citation.get("title") or url
        return AnnotationURLCitation(type="url_citation", url=url, title=title, start_index=start, end_index=end)
    if (file_id := citation.get("file_id")) and (name := citation.get("title")):
        return AnnotationFileCitation(type="file_citation", file_id=file_id, filename=name, index=end)
    return None
