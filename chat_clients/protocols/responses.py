"""The Responses API: its events as Agent Framework updates, read from plain JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from agent_framework import ChatResponseUpdate, Content, detect_media_type_from_base64

from chat_clients.failures import explain_provider_error
from chat_clients.http.server_events import Event
from chat_clients.protocols.history_shape import make_call_id
from chat_clients.protocols.item_names import ItemNames
from chat_clients.protocols.loose_json import read_number, read_object, read_objects, read_word
from chat_clients.protocols.replay import Members, build_replay
from chat_clients.protocols.request_options import REFUSAL, to_json_text
from chat_clients.protocols.response_items import (
    build_annotation,
    item_contents,
    mcp_call,
    search_call,
    shift_regions,
)
from chat_clients.protocols.thought_updates import build_split_updates
from chat_clients.protocols.token_usage import format_time, read_responses_usage
from chat_clients.protocols.tool_names import ToolNames
from framework.text_updates import build_text_piece
from text.growing_text import GrowingText
from text.surrogates import join_pieces, joined_halves
from text.thoughts import Kind, ThoughtSplitter, without_thoughts

logger = logging.getLogger(__name__)

_PARAGRAPH = "\n\n"
_REASONING_TEXT = {"openai": {"reasoning_text": True}}

# What is read here; other members of a function call are its server's own.
_CALL_MEMBERS = frozenset({"type", "id", "call_id", "name", "arguments", "status"})

# Which item, which of its parts, and what the part is.
PartKey = tuple[str, int, str]

_TEXT, _REFUSAL, _THOUGHT, _SUMMARY, _CODE = "text", "refusal", "thought", "summary", "code"

# What a part is part of.
_KINDS = {_TEXT: "message", _REFUSAL: "message", _THOUGHT: "reasoning", _SUMMARY: "reasoning"} | {
    _CODE: "code_interpreter_call"
}

# Event -> what its delta is part of, and which of its fields numbers the parts.
_DELTAS: dict[str, tuple[str, str]] = {
    "response.output_text.delta": (_TEXT, "content_index"),
    "response.refusal.delta": (_REFUSAL, "content_index"),
    "response.reasoning_text.delta": (_THOUGHT, "content_index"),
    "response.reasoning_summary_text.delta": (_SUMMARY, "summary_index"),
    "response.code_interpreter_call_code.delta": (_CODE, "content_index"),
}

# Event -> the same, and the field that holds the whole.
_WHOLES: dict[str, tuple[str, str, str]] = {
    "response.output_text.done": (_TEXT, "content_index", "text"),
    "response.refusal.done": (_REFUSAL, "content_index", "refusal"),
    "response.reasoning_text.done": (_THOUGHT, "content_index", "text"),
    "response.reasoning_summary_text.done": (_SUMMARY, "summary_index", "text"),
    "response.code_interpreter_call_code.done": (_CODE, "content_index", "code"),
}


@dataclass(slots=True)
class Call:
    """A function call whose arguments are on their way."""

    call_id: str
    name: str
    item_id: str
    arguments: list[str] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)
    is_said: bool = False


class ResponsesReader:
    """Reads the events of one response; see `AnswerReader`.

    Every update of a message carries the provider's id of that message, so that two of them do not read as one.
    Texts that the provider repeats at their end are compared with what was streamed, and said only if they differ.

    Args:
        names: What the tools were called towards the model.
        model: Who was asked: what it wants back with its calls goes to no other.
        begins_with_thought: Whether its text is known to begin with a thought that nothing opens.
    """

    def __init__(
        self, names: ToolNames | None = None, model: str | None = None, *, begins_with_thought: bool = False
    ) -> None:
        self._begins_with_thought = begins_with_thought
        self._splitters: dict[PartKey, ThoughtSplitter] = {}
        self._items = ItemNames()
        self.finish_reason: str | None = None
        self.is_done = False
        self._response_id: str | None = None
        self._model: str | None = None
        self._pending: PartKey | None = None
        self._pieces: list[str] = []
        self._streamed: dict[PartKey, GrowingText] = {}
        self._calls: dict[str, Call] = {}
        self._server_calls: dict[str, Mapping[str, Any]] = {}
        self._annotated: set[tuple[str, int, int]] = set()
        self._begun_items: set[str] = set()
        self._done_items: set[str] = set()
        self._names = names or ToolNames()
        self._asked_model = model
        self._round = make_call_id(uuid4().hex)

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether a thought was closed in a text that nothing had opened; None where nothing tells."""
        known = [each.has_unopened for each in self._splitters.values() if each.has_unopened is not None]
        return any(known) if known else None

    def read(self, events: list[Event]) -> Iterator[ChatResponseUpdate]:
        """Return what `events` mean; see `AnswerReader.read`."""
        for event in events:
            kind = event.get("type")
            place = _DELTAS.get(kind) if kind is not None else None
            if place is not None:
                part, index = place
                key = (self._items.name_of(event, _KINDS[part]), read_number(event.get(index)), part)
                if key != self._pending:
                    yield from self._flush()
                    self._pending = key
                delta = event.get("delta")
                self._pieces.append(delta if isinstance(delta, str) else to_json_text(delta))
                continue
            yield from self._flush()
            yield from self._event(kind, event)
            if self.is_done:
                return
        yield from self._flush(may_go_on=True)

    def close(self) -> Iterator[ChatResponseUpdate]:
        """Return nothing, as a rule: what was not said before the last event was cut off."""
        yield from self.close_text()

    def close_text(self) -> Iterator[ChatResponseUpdate]:
        """Return the text that has waited for more; see `AnswerReader.close_text`."""
        yield from self._flush()
        for key in list(self._splitters):
            yield from self._close_text(key)

    def _update(self, contents: list[Content], message_id: str | None = None, **more: Any) -> ChatResponseUpdate:
        return ChatResponseUpdate(
            contents=contents, role="assistant", message_id=message_id, response_id=self._response_id, **more
        )

    def _flush(self, *, may_go_on: bool = False) -> Iterator[ChatResponseUpdate]:
        """Say the text that has been gathered; half of a character waits for the other if it `may_go_on`."""
        key, self._pending = self._pending, None
        if key is None:
            return
        text, half = join_pieces(self._pieces, may_go_on=may_go_on)
        self._pending, self._pieces = (key, [half]) if half else (None, [])
        if not text:
            return
        known = self._streamed.get(key)
        if known is None:
            known = self._streamed[key] = GrowingText()
            if key[2] == _SUMMARY and key[1] > 0:
                # The parts of a summary are paragraphs.
                yield self._piece(key, _PARAGRAPH)
        known.add(text)
        if key[2] == _TEXT:
            yield from self._speak(key[0], self._splitter_of(key).feed(text))
        else:
            yield self._piece(key, text)

    def _splitter_of(self, key: PartKey) -> ThoughtSplitter:
        if key not in self._splitters:
            # Only the first text may go on with what the chat template has begun.
            is_first = not self._splitters
            splitter = self._splitters[key] = ThoughtSplitter(
                begins_with_thought=self._begins_with_thought and is_first
            )
            if any(part in (_THOUGHT, _SUMMARY) for _, _, part in self._streamed):
                splitter.note_thought()
        return self._splitters[key]

    def _speak(self, item_id: str, pieces: list[tuple[Kind, str]]) -> Iterator[ChatResponseUpdate]:
        """Say a text, and of its thoughts that they are thoughts."""
        return build_split_updates(pieces, item_id, self._response_id)

    def _close_text(self, key: PartKey) -> Iterator[ChatResponseUpdate]:
        if key in self._splitters:
            yield from self._speak(key[0], self._splitters[key].close())

    def _piece(self, key: PartKey, text: str) -> ChatResponseUpdate:
        item_id, _, part = key
        if part == _REFUSAL:
            return self._update([build_text_piece(text, dict(REFUSAL))], item_id)
        if part == _CODE:
            code = Content.from_text(text, merge_mode="append")
            call = Content.from_code_interpreter_tool_call(call_id=item_id, inputs=[code], merge_mode="append")
            return self._update([call])
        properties = dict(_REASONING_TEXT) if part == _THOUGHT else None
        return self._update(
            [Content.from_text_reasoning(id=item_id, text=text, merge_mode="append", additional_properties=properties)]
        )

    def _event(self, kind: str | None, event: Event) -> Iterator[ChatResponseUpdate]:
        if kind in _WHOLES:
            part, index, name = _WHOLES[kind]
            key = (self._items.name_of(event, _KINDS[part]), read_number(event.get(index)), part)
            yield from self._whole(key, event.get(name))
            yield from self._close_text(key)
            return
        match kind:
            case "response.created" | "response.in_progress" | "response.queued":
                response = read_object(event.get("response"))
                self._response_id = read_word(response.get("id")) or self._response_id
                self._model = read_word(response.get("model")) or self._model
            case "response.output_item.added":
                item = read_object(event.get("item"))
                yield from self._item_added(item, self._items.begin(item, event.get("output_index")))
            case "response.function_call_arguments.delta":
                if call := self._calls.get(self._items.name_of(event, "function_call")):
                    call.arguments.append(to_json_text(event.get("delta")))
            case "response.function_call_arguments.done":
                if call := self._calls.get(self._items.name_of(event, "function_call")):
                    call.arguments = [to_json_text(event.get("arguments")) or "".join(call.arguments)]
            case "response.mcp_call_arguments.done":
                item_id = self._items.name_of(event, "mcp_call")
                if (server_call := self._server_calls.pop(item_id, None)) is not None:
                    self._begun_items.add(item_id)
                    yield self._update([mcp_call(server_call, item_id, event.get("arguments"))])
            case "response.output_text.annotation.added":
                where = (self._items.name_of(event, "message"), read_number(event.get("content_index")))
                yield from self._annotations(
                    *where, [event.get("annotation")], read_number(event.get("annotation_index"))
                )
            case "response.image_generation_call.partial_image":
                yield from self._partial_image(event)
            case "response.output_item.done":
                item = read_object(event.get("item"))
                yield from self._item_done(item, self._items.done(item, event.get("output_index")))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                # The event's name says how it ended; not every server repeats that in the response.
                yield from self._end({"status": kind.removeprefix("response."), **read_object(event.get("response"))})
            case None if event.get("object") == "response":  # an answer in one piece
                yield from self._end(event)
            case "error" | None:
                raise explain_provider_error(event.get("error") or event)
            case _:
                pass

    def _whole(self, key: PartKey, whole: Any) -> Iterator[ChatResponseUpdate]:
        """Say what of a part's whole text was not streamed, which as a rule is nothing."""
        if not isinstance(whole, str):
            return
        whole = joined_halves(whole)
        known = str(self._streamed.get(key, ""))
        if whole == known:
            return
        if whole.startswith(known):
            self._pending, self._pieces = key, [whole[len(known) :]]
            yield from self._flush()
        elif key[2] in (_TEXT, _REFUSAL):
            # A replacement speaks of a message's whole text, so the parts before this one are said again.
            self._streamed[key] = GrowingText(whole)
            if key[2] == _TEXT:
                splitter = self._splitters[key] = ThoughtSplitter()
                splitter.feed(whole)
            parts = [
                without_thoughts(str(text)) if kind == _TEXT else str(text)
                for (item, _, kind), text in sorted(self._streamed.items(), key=lambda part: part[0][1])
                if (item, kind) == (key[0], key[2])
            ]
            properties = dict(REFUSAL) if key[2] == _REFUSAL else None
            text = Content.from_text("".join(parts), merge_mode="replace", additional_properties=properties)
            yield self._update([text], key[0])
        else:
            logger.debug("a thought's whole differs from its parts", extra={"part": key[2]})

    def _item_added(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        match item.get("type"):
            case "function_call":
                yield from self._begin_call(item, item_id)
            case "mcp_call":
                # What it asks for comes later, and the call is said once.
                self._server_calls[item_id] = item
            case "reasoning":
                self._begun_items.add(item_id)
                # Nothing to read yet, but that the model thinks is news.
                yield self._update([Content.from_text_reasoning(id=item_id, text="", merge_mode="append")])
            case "web_search_call" | "file_search_call":
                self._begun_items.add(item_id)
                yield self._update([search_call(item, item_id)])
            case "image_generation_call":
                self._begun_items.add(item_id)
                yield self._update([Content.from_image_generation_tool_call(image_id=item_id)])

    def _begin_call(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        call_id = str(item.get("call_id") or item.get("id") or "")
        if not call_id or any(call.call_id == call_id for call in self._calls.values()):
            call_id = make_call_id(uuid4().hex)
        call = Call(call_id, self._names.resolve(str(item.get("name") or "")), item_id)
        call.members = {key: value for key, value in item.items() if key not in _CALL_MEMBERS}
        self._calls[item_id] = call
        yield self._update([self._call_content(call, "")])

    def _finish_call(self, call: Call, arguments: Any) -> Iterator[ChatResponseUpdate]:
        """Say a call's arguments once, all of them: no one can use a part."""
        if call.is_said:
            return
        call.is_said = True
        text = to_json_text(arguments) or "".join(call.arguments)
        call.arguments.clear()
        content = self._call_content(call, joined_halves(text) or "{}")
        # Only the whole item has all that its server wants back.
        members = Members()
        members.add(call.members)
        content.additional_properties["openai"]["replay"] = build_replay(self._asked_model, self._round, call=members)
        yield self._update([content])

    @staticmethod
    def _call_content(call: Call, arguments: str) -> Content:
        return Content.from_function_call(
            call.call_id,
            call.name,
            arguments=arguments,
            merge_mode="append",
            additional_properties={"openai": {"item_id": call.item_id}},
        )

    def _item_done(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        """Say what of a finished item was not said yet; all of it, if the provider streamed nothing."""
        if item_id in self._done_items:
            return
        self._done_items.add(item_id)
        match item.get("type"):
            case "message":
                for index, part in enumerate(read_objects(item.get("content"))):
                    if part.get("type") == "refusal":
                        yield from self._whole((item_id, index, _REFUSAL), part.get("refusal"))
                    elif part.get("type") == "output_text":
                        yield from self._whole((item_id, index, _TEXT), part.get("text"))
                        yield from self._close_text((item_id, index, _TEXT))
                        yield from self._annotations(item_id, index, read_objects(part.get("annotations")), 0)
            case "function_call":
                if item_id not in self._calls:
                    yield from self._begin_call(item, item_id)
                call = self._calls[item_id]
                call.members |= {key: value for key, value in item.items() if key not in _CALL_MEMBERS}
                yield from self._finish_call(call, item.get("arguments"))
            case "reasoning":
                yield from self._reasoning_done(item, item_id)
            case "code_interpreter_call":
                yield from self._whole((item_id, 0, _CODE), item.get("code"))
                yield self._update(item_contents(item, item_id, is_begun=False))
            case _:
                contents = item_contents(item, item_id, is_begun=item_id in self._begun_items)
                if contents:
                    yield self._update(contents)

    def _reasoning_done(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        for index, part in enumerate(read_objects(item.get("content"))):
            yield from self._whole((item_id, index, _THOUGHT), part.get("text"))
        for index, part in enumerate(read_objects(item.get("summary"))):
            yield from self._whole((item_id, index, _SUMMARY), part.get("text"))
        sealed = item.get("encrypted_content")
        if sealed or item_id not in self._begun_items:
            thought = Content.from_text_reasoning(
                id=item_id, text="", protected_data=sealed, status=item.get("status"), merge_mode="append"
            )
            yield self._update([thought])

    def _annotations(self, item_id: str, index: int, found: Any, first: int) -> Iterator[ChatResponseUpdate]:
        """Say the annotations of a part that were not said yet."""
        fresh = []
        for number, raw in enumerate(found, first):
            key = (item_id, index, number)
            if key not in self._annotated and (annotation := build_annotation(raw)) is not None:
                self._annotated.add(key)
                # The provider counts from the beginning of the part; to us the parts of a message are one text.
                shift_regions(
                    annotation, self._length_before(item_id, index) - self._dropped_of((item_id, index, _TEXT))
                )
                fresh.append(annotation)
        if fresh:
            yield self._update([Content.from_text("", merge_mode="append", annotations=fresh)], item_id)

    def _length_before(self, item_id: str, index: int) -> int:
        """Return how many characters of a message stand before its part `index`."""
        return sum(
            text.length - self._dropped_of((item, at, kind))
            for (item, at, kind), text in self._streamed.items()
            if item == item_id and at < index and kind in (_TEXT, _REFUSAL)
        )

    def _dropped_of(self, key: PartKey) -> int:
        """Return how many characters of a part were not said, because they are a thought."""
        return self._splitters[key].dropped if key in self._splitters else 0

    def _partial_image(self, event: Event) -> Iterator[ChatResponseUpdate]:
        data = event.get("partial_image_b64") or ""
        image = Content.from_uri(
            f"data:{detect_media_type_from_base64(data_str=data) or 'image/png'};base64,{data}",
            additional_properties={
                "partial_image_index": event.get("partial_image_index"),
                "is_partial_image": True,
            },
        )
        image_id = self._items.name_of(event, "image_generation_call")
        yield self._update([Content.from_image_generation_tool_result(image_id=image_id, outputs=image)])

    def _end(self, response: Mapping[str, Any]) -> Iterator[ChatResponseUpdate]:
        """Read the last event, which repeats the whole answer and says how it ended."""
        self._response_id = read_word(response.get("id")) or self._response_id
        matched: set[str] = set()
        for item in read_objects(response.get("output")):
            item_id = self._items.in_whole(item, matched)
            matched.add(item_id)
            yield from self._item_done(item, item_id)
        yield from self.close()
        for call in self._calls.values():
            yield from self._finish_call(call, None)
        self.is_done = True
        usage = read_responses_usage(response.get("usage"))
        contents = [Content.from_usage(usage, merge_mode="replace")] if usage else []
        if response.get("status") == "failed":
            if contents:
                yield self._update(contents)
            raise explain_provider_error(response.get("error"))
        self.finish_reason = self._finish_reason(response)
        yield self._update(
            contents,
            model=read_word(response.get("model")) or self._model,
            created_at=format_time(response.get("created_at")),
            finish_reason=self.finish_reason,
        )

    def _finish_reason(self, response: Mapping[str, Any]) -> str | None:
        match read_object(response.get("incomplete_details")).get("reason"):
            case "content_filter":
                return "content_filter"
            case "max_output_tokens":
                return "length"
        if response.get("status") != "completed":
            return None
        return "tool_calls" if self._calls else "stop"
