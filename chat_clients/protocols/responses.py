"""Converts the events of the Responses API to updates of Agent Framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

from agent_framework import ChatResponseUpdate, Content

from chat_clients.failures import explain_provider_error
from chat_clients.http.server_events import Event
from chat_clients.protocols.call_arguments import read_arguments
from chat_clients.protocols.complete_answers import COMPLETE_REASONS, INTERRUPTED, read_finish_reason
from chat_clients.protocols.error_events import is_error
from chat_clients.protocols.history_shape import make_call_id
from chat_clients.protocols.item_names import ItemNames
from chat_clients.protocols.loose_json import read_index_or_zero, read_object, read_objects, read_string
from chat_clients.protocols.replay import Members, build_replay
from chat_clients.protocols.request_options import to_json_text
from chat_clients.protocols.response_items import build_image, build_item_contents, build_mcp_call, build_search_call
from chat_clients.protocols.response_texts import CODE, REFUSED, SUMMARY, TEXT, THOUGHT, PartKey, ResponseTexts
from chat_clients.protocols.token_usage import format_time, read_responses_usage
from chat_clients.protocols.tool_names import ToolNames
from framework.message_marks import PROVIDER_PROPERTY, REPLAY_NOTE

# Fields of a function call that are read here; others are the server's own.
_CALL_FIELDS = frozenset({"type", "id", "call_id", "name", "arguments", "status"})

_INCOMPLETE_STATUSES = frozenset({"incomplete", "failed", "cancelled"})
"""Statuses of a message or a call that is incomplete."""

# Kind of a part -> type of the item that it belongs to.
_ITEM_TYPES = {TEXT: "message", REFUSED: "message", THOUGHT: "reasoning", SUMMARY: "reasoning"} | {
    CODE: "code_interpreter_call"
}

# Type of an event -> kind of the part that its delta belongs to, and the field with the part's index.
_DELTA_EVENTS: dict[str, tuple[str, str]] = {
    "response.output_text.delta": (TEXT, "content_index"),
    "response.refusal.delta": (REFUSED, "content_index"),
    "response.reasoning_text.delta": (THOUGHT, "content_index"),
    "response.reasoning_summary_text.delta": (SUMMARY, "summary_index"),
    "response.code_interpreter_call_code.delta": (CODE, "content_index"),
}

# Type of an event -> the same, and the field with the complete text.
_DONE_EVENTS: dict[str, tuple[str, str, str]] = {
    "response.output_text.done": (TEXT, "content_index", "text"),
    "response.refusal.done": (REFUSED, "content_index", "refusal"),
    "response.reasoning_text.done": (THOUGHT, "content_index", "text"),
    "response.reasoning_summary_text.done": (SUMMARY, "summary_index", "text"),
    "response.code_interpreter_call_code.done": (CODE, "content_index", "code"),
}


@dataclass(slots=True)
class Call:
    """A function call, as far as it has arrived."""

    call_id: str
    name: str
    item_id: str
    arguments: list[str] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    is_reported: bool = False


class ResponsesReader:
    """Converts the events of one response to updates; see `AnswerReader`.

    Each update of a message has the provider's id of that message, so that two messages do not become one.

    Args:
        names: The names under which tools were offered to the model.
        model: The origin of the answer (see `build_origin`), the only model that its fields are sent back to.
        begins_with_thought: Whether the text is known to begin with a thought without an opening tag.
    """

    def __init__(
        self, names: ToolNames | None = None, model: str | None = None, *, begins_with_thought: bool = False
    ) -> None:
        self.finish_reason: str | None = None
        self.is_done = False
        self._items = ItemNames()
        # The ids and indexes of the latest delta, and the part that they mean: mostly, the next delta has the same.
        # Reset at each other event, which may change what they mean.
        self._last_place: tuple[str, Any, Any, Any] | None = None
        self._last_part: PartKey = ("", 0, "")
        self._texts = ResponseTexts(model, begins_with_thought=begins_with_thought)
        self._model: str | None = None
        self._is_incomplete = False
        self._calls: dict[str, Call] = {}
        self._mcp_calls: dict[str, Mapping[str, Any]] = {}
        self._reported_items: set[str] = set()
        self._finished_items: set[str] = set()
        self._tool_names = names or ToolNames()
        self._origin = model

    @cached_property
    def _round_id(self) -> str:
        """An id that the calls of this answer share."""
        return make_call_id(uuid4().hex)

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether a text has begun with a thought without an opening tag; None if that is unknown."""
        return self._texts.has_unopened_thought

    def read(self, events: list[Event]) -> Iterator[ChatResponseUpdate]:
        """Yield the updates of `events`; see `AnswerReader.read`."""
        texts = self._texts
        for event in events:
            event_type = event.get("type")
            try:
                delta_event = _DELTA_EVENTS.get(event_type)  # type: ignore[arg-type]
            except TypeError:
                delta_event = None  # the type is a list or an object
            if delta_event is not None:
                kind, index_field = delta_event
                place = (kind, event.get("item_id"), event.get("output_index"), event.get(index_field))
                if place != self._last_place:
                    item_id = self._items.name_for_event(event, _ITEM_TYPES[kind])
                    self._last_part = (item_id, read_index_or_zero(place[3]), kind)
                    self._last_place = place
                key = self._last_part
                if key != texts.pending:
                    yield from texts.flush()
                    texts.pending = key
                delta = event.get("delta")
                texts.pieces.append(delta if isinstance(delta, str) else to_json_text(delta))
                continue
            self._last_place = None
            yield from texts.flush()
            yield from self._read_event(event_type, event)
            if self.is_done:
                return
        yield from texts.flush(may_go_on=True)

    def close(self) -> Iterator[ChatResponseUpdate]:
        """Yield the text that has waited for more: a response without its last event was cut off."""
        yield from self.close_text()

    def close_text(self) -> Iterator[ChatResponseUpdate]:
        """Yield the text that has waited for more; see `AnswerReader.close_text`."""
        yield from self._texts.close(is_whole=False)

    def _read_event(self, event_type: Any, event: Event) -> Iterator[ChatResponseUpdate]:
        if isinstance(event_type, str) and event_type in _DONE_EVENTS:
            yield from self._finish_text(event_type, event)
            return
        match event_type:
            case "response.created" | "response.in_progress" | "response.queued":
                response = read_object(event.get("response"))
                self._texts.response_id = read_string(response.get("id")) or self._texts.response_id
                self._model = read_string(response.get("model")) or self._model
            case "response.output_item.added":
                yield from self._texts.settle_undecided()
                item = read_object(event.get("item"))
                yield from self._begin_item(item, self._items.begin(item, event.get("output_index")))
            case "response.function_call_arguments.delta":
                if call := self._calls.get(self._items.name_for_event(event, "function_call")):
                    call.arguments.append(to_json_text(event.get("delta")))
            case "response.function_call_arguments.done":
                if call := self._calls.get(self._items.name_for_event(event, "function_call")):
                    call.arguments = [to_json_text(event.get("arguments")) or "".join(call.arguments)]
            case "response.mcp_call_arguments.done":
                item_id = self._items.name_for_event(event, "mcp_call")
                if (mcp_call := self._mcp_calls.pop(item_id, None)) is not None:
                    self._reported_items.add(item_id)
                    yield self._texts.build_update([build_mcp_call(mcp_call, item_id, event.get("arguments"))])
            case "response.output_text.annotation.added":
                yield from self._texts.annotate(
                    self._items.name_for_event(event, "message"),
                    read_index_or_zero(event.get("content_index")),
                    [event.get("annotation")],
                    read_index_or_zero(event.get("annotation_index")),
                )
            case "response.content_part.done":
                part = read_object(event.get("part"))
                if part.get("type") == "output_text" and not self._items.finished_names(event, "message"):
                    item_id = self._items.name_for_event(event, "message")
                    index = read_index_or_zero(event.get("content_index"))
                    if not self._texts.has_text(item_id, index):
                        yield from self._texts.finish_part((item_id, index, TEXT), part.get("text"))
            case "response.image_generation_call.partial_image":
                yield from self._read_partial_image(event)
            case "response.output_item.done":
                item = read_object(event.get("item"))
                if not self._is_repeated_message(item, event):
                    yield from self._finish_item(item, self._items.finish(item, event.get("output_index")))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                yield from self._read_end(read_object(event.get("response")), event_type.removeprefix("response."))
            case None if event.get("object") == "response":  # an answer in one piece
                yield from self._read_end(event, None)
            case "error":
                raise explain_provider_error(event.get("error") or event)
            case _ if _is_failure(event):
                raise explain_provider_error(event.get("error") or event)
            case _:
                pass

    def _finish_text(self, event_type: str, event: Event) -> Iterator[ChatResponseUpdate]:
        kind, index_field, text_field = _DONE_EVENTS[event_type]
        index, text = read_index_or_zero(event.get(index_field)), event.get(text_field)
        finished = self._items.finished_names(event, _ITEM_TYPES[kind])
        if any(self._texts.was_streamed((item_id, index, kind), text) for item_id in finished):
            return
        key = (self._items.name_for_event(event, _ITEM_TYPES[kind]), index, kind)
        yield from self._texts.finish_part(key, text)
        yield from self._texts.close_text(key)

    def _begin_item(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        match item.get("type"):
            case "function_call" if read_string(item.get("name")):
                yield from self._begin_call(item, item_id)
            case "mcp_call":
                # Reported later, with its arguments.
                self._mcp_calls[item_id] = item
            case "reasoning":
                self._reported_items.add(item_id)
                # Without text as yet, but it shows that the model is thinking.
                yield self._texts.build_update([Content.from_text_reasoning(id=item_id, text="", merge_mode="append")])
            case "web_search_call" | "file_search_call":
                self._reported_items.add(item_id)
                yield self._texts.build_update([build_search_call(item, item_id)])
            case "image_generation_call":
                self._reported_items.add(item_id)
                yield self._texts.build_update([Content.from_image_generation_tool_call(image_id=item_id)])

    def _begin_call(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        call_id = read_string(item.get("call_id")) or read_string(item.get("id"))
        if not call_id or any(call.call_id == call_id for call in self._calls.values()):
            call_id = make_call_id(uuid4().hex)
        call = Call(call_id, self._tool_names.resolve(read_string(item.get("name"))), item_id)
        call.fields = {key: value for key, value in item.items() if key not in _CALL_FIELDS}
        self._calls[item_id] = call
        yield self._texts.build_update([self._call_content(call, "")])

    def _finish_call(self, call: Call, arguments: Any) -> Iterator[ChatResponseUpdate]:
        """Yield a call with its complete arguments, once."""
        if call.is_reported:
            return
        call.is_reported = True
        text = read_arguments(to_json_text(arguments) or "".join(call.arguments))
        call.arguments.clear()
        if text is None:
            self._is_incomplete = True
            return
        content = self._call_content(call, text)
        # Only the finished item has all the fields that its server needs back.
        fields = Members()
        fields.add(call.fields)
        content.additional_properties[PROVIDER_PROPERTY][REPLAY_NOTE] = build_replay(
            self._origin, self._round_id, call=fields
        )
        yield self._texts.build_update([content])

    def _call_content(self, call: Call, arguments: str) -> Content:
        return Content.from_function_call(
            call.call_id,
            call.name,
            arguments=arguments,
            merge_mode="append",
            additional_properties=self._texts.build_properties(item_id=call.item_id),
        )

    def _finish_item(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        """Yield what a finished item adds to its streamed parts; all of it, if nothing was streamed."""
        if item_id in self._finished_items:
            return
        self._finished_items.add(item_id)
        if item.get("type") in ("message", "function_call") and _has_incomplete_status(item):
            self._is_incomplete = True
        match item.get("type"):
            case "message":
                parts: list[Mapping[str, Any]] = read_objects(item.get("content"))
                if isinstance(item.get("content"), str) and not self._texts.has_text(item_id):
                    parts = [{"type": "output_text", "text": item["content"]}]
                for index, part in enumerate(parts):
                    if part.get("type") == "refusal":
                        yield from self._texts.finish_part((item_id, index, REFUSED), part.get("refusal"))
                    elif part.get("type") in ("output_text", "text"):
                        yield from self._texts.finish_part((item_id, index, TEXT), part.get("text"))
                        yield from self._texts.close_text((item_id, index, TEXT))
                        yield from self._texts.annotate(item_id, index, read_objects(part.get("annotations")), 0)
                yield from self._texts.end_message(item_id, len(parts))
            case "function_call":
                if item_id not in self._calls:
                    yield from self._begin_call(item, item_id)
                call = self._calls[item_id]
                if self._is_incomplete:
                    return
                call.fields |= {key: value for key, value in item.items() if key not in _CALL_FIELDS}
                yield from self._finish_call(call, item.get("arguments"))
            case "reasoning":
                yield from self._finish_reasoning(item, item_id)
            case "code_interpreter_call":
                yield from self._texts.finish_part((item_id, 0, CODE), item.get("code"))
                yield self._texts.build_update(self._with_origin(build_item_contents(item, item_id, has_begun=False)))
            case _:
                contents = self._with_origin(
                    build_item_contents(item, item_id, has_begun=item_id in self._reported_items)
                )
                if contents:
                    yield self._texts.build_update(contents)

    def _is_repeated_message(self, item: Mapping[str, Any], event: Event) -> bool:
        """Return whether a finished message was finished before, under another id."""
        if item.get("type") != "message":
            return False
        parts = [
            (index, part.get("text")) for index, part in enumerate(read_objects(item.get("content"))) if "text" in part
        ]
        return bool(parts) and any(
            all(self._texts.was_streamed((name, index, TEXT), text) for index, text in parts)
            for name in self._items.finished_names(event, "message")
        )

    def _with_origin(self, contents: list[Content]) -> list[Content]:
        """Return contents with the origin to which alone they may be sent back."""
        for content in contents:
            content.additional_properties.update(self._texts.build_properties())
        return contents

    def _finish_reasoning(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        for index, part in enumerate(read_objects(item.get("content"))):
            yield from self._texts.finish_part((item_id, index, THOUGHT), part.get("text"))
        for index, part in enumerate(read_objects(item.get("summary"))):
            yield from self._texts.finish_part((item_id, index, SUMMARY), part.get("text"))
        encrypted = item.get("encrypted_content")
        if encrypted or item_id not in self._reported_items:
            thought = Content.from_text_reasoning(
                id=item_id,
                text="",
                protected_data=encrypted if isinstance(encrypted, str) else None,
                status=item.get("status"),
                merge_mode="append",
                additional_properties=self._texts.build_properties(),
            )
            yield self._texts.build_update([thought])

    def _read_partial_image(self, event: Event) -> Iterator[ChatResponseUpdate]:
        image = build_image(
            event.get("partial_image_b64"),
            partial_image_index=event.get("partial_image_index"),
            is_partial_image=True,
        )
        image_id = self._items.name_for_event(event, "image_generation_call")
        yield self._texts.build_update([Content.from_image_generation_tool_result(image_id=image_id, outputs=image)])

    def _read_end(self, response: Mapping[str, Any], event_status: str | None) -> Iterator[ChatResponseUpdate]:
        """Read the last event, which repeats the complete answer and says how it has ended.

        Args:
            response: The response in the event.
            event_status: The status in the type of the event, which not every server repeats in the response, or None.
        """
        self._texts.response_id = read_string(response.get("id")) or self._texts.response_id
        matched: set[str] = set()
        for item in read_objects(response.get("output")):
            item_id = self._items.name_in_response(item, matched)
            matched.add(item_id)
            yield from self._finish_item(item, item_id)
        self.finish_reason = self._finish_reason(response, event_status)
        yield from self._texts.close(is_whole=self.finish_reason in COMPLETE_REASONS and not self._is_incomplete)
        if self.finish_reason in COMPLETE_REASONS:
            for call in self._calls.values():
                yield from self._finish_call(call, None)
            if self._is_incomplete:
                self.finish_reason = INTERRUPTED  # a part of a message or a call is missing
        self.is_done = True
        usage = read_responses_usage(response.get("usage"))
        contents = [Content.from_usage(usage, merge_mode="replace")] if usage else []
        error = response.get("error")
        if self.finish_reason == "error":
            if contents:
                yield self._texts.build_update(contents)
            raise explain_provider_error(error)
        yield self._texts.build_update(
            contents,
            model=read_string(response.get("model")) or self._model,
            created_at=format_time(response.get("created_at")),
            finish_reason=self.finish_reason,
        )

    def _finish_reason(self, response: Mapping[str, Any], event_status: str | None) -> str:
        """Return why the answer has ended; of contradicting statements, the one that says that it is incomplete."""
        candidates = (event_status, response.get("status"))
        statuses = {status for status in candidates if status and isinstance(status, str)}
        if "failed" in statuses or (isinstance(response.get("error"), Mapping) and response["error"]):
            return "error"
        reason = read_object(response.get("incomplete_details")).get("reason")
        if isinstance(reason, str) and (known := read_finish_reason(reason)) is not None:
            return known if known not in COMPLETE_REASONS else INTERRUPTED
        if statuses != {"completed"}:
            return INTERRUPTED
        return "tool_calls" if self._calls else "stop"


def _has_incomplete_status(item: Mapping[str, Any]) -> bool:
    status = item.get("status")
    return isinstance(status, str) and status in _INCOMPLETE_STATUSES


def _is_failure(event: Event) -> bool:
    """Return whether an event of an unknown type says that the answer has failed."""
    error = event.get("error")
    return bool(error and isinstance(error, Mapping | str)) or (event.get("type") is None and is_error(event))
