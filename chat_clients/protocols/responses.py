"""The Responses API: its events as Agent Framework updates, read from plain JSON."""

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
from chat_clients.protocols.complete_answers import ENDS, INTERRUPTED, read_finish_reason
from chat_clients.protocols.error_events import is_error
from chat_clients.protocols.history_shape import make_call_id
from chat_clients.protocols.item_names import ItemNames
from chat_clients.protocols.loose_json import read_number, read_object, read_objects, read_word
from chat_clients.protocols.replay import Members, build_replay
from chat_clients.protocols.request_options import to_json_text
from chat_clients.protocols.response_items import build_image, item_contents, mcp_call, search_call
from chat_clients.protocols.response_texts import CODE, REFUSED, SUMMARY, TEXT, THOUGHT, PartKey, ResponseTexts
from chat_clients.protocols.token_usage import format_time, read_responses_usage
from chat_clients.protocols.tool_names import ToolNames
from framework.message_marks import PROVIDER_PROPERTY, REPLAY_NOTE

# What is read here; other members of a function call are its server's own.
_CALL_MEMBERS = frozenset({"type", "id", "call_id", "name", "arguments", "status"})

_HALF = frozenset({"incomplete", "failed", "cancelled"})
"""The states that a server gives to a message or a call that is a part only."""

# What a part is part of.
_KINDS = {TEXT: "message", REFUSED: "message", THOUGHT: "reasoning", SUMMARY: "reasoning"} | {
    CODE: "code_interpreter_call"
}

# Event -> what its delta is part of, and which of its fields numbers the parts.
_DELTAS: dict[str, tuple[str, str]] = {
    "response.output_text.delta": (TEXT, "content_index"),
    "response.refusal.delta": (REFUSED, "content_index"),
    "response.reasoning_text.delta": (THOUGHT, "content_index"),
    "response.reasoning_summary_text.delta": (SUMMARY, "summary_index"),
    "response.code_interpreter_call_code.delta": (CODE, "content_index"),
}

# Event -> the same, and the field that holds the whole.
_WHOLES: dict[str, tuple[str, str, str]] = {
    "response.output_text.done": (TEXT, "content_index", "text"),
    "response.refusal.done": (REFUSED, "content_index", "refusal"),
    "response.reasoning_text.done": (THOUGHT, "content_index", "text"),
    "response.reasoning_summary_text.done": (SUMMARY, "summary_index", "text"),
    "response.code_interpreter_call_code.done": (CODE, "content_index", "code"),
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

    Args:
        names: What the tools were called towards the model.
        model: Who was asked, in words that tell it from all others: what it wants back goes to no other.
        begins_with_thought: Whether the text is known to begin with a thought that nothing opens.
    """

    def __init__(
        self, names: ToolNames | None = None, model: str | None = None, *, begins_with_thought: bool = False
    ) -> None:
        self.finish_reason: str | None = None
        self.is_done = False
        self._items = ItemNames()
        # The place that the newest delta named, and the part that it means: the next delta mostly names the same one.
        # Forgotten at each other event, which may change the meaning of a place.
        self._said: tuple[str, Any, Any, Any] | None = None
        self._key: PartKey = ("", 0, "")
        self._texts = ResponseTexts(model, begins_with_thought=begins_with_thought)
        self._model: str | None = None
        self._has_half = False
        self._calls: dict[str, Call] = {}
        self._server_calls: dict[str, Mapping[str, Any]] = {}
        self._begun_items: set[str] = set()
        self._done_items: set[str] = set()
        self._names = names or ToolNames()
        self._origin = model

    @cached_property
    def _round(self) -> str:
        """A name that the calls of this answer share, and no other's."""
        return make_call_id(uuid4().hex)

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether a thought was closed in a text that nothing had opened; None where nothing tells."""
        return self._texts.has_unopened_thought

    def read(self, events: list[Event]) -> Iterator[ChatResponseUpdate]:
        """Return what `events` mean; see `AnswerReader.read`."""
        texts = self._texts
        for event in events:
            kind = event.get("type")
            try:
                place = _DELTAS.get(kind)  # type: ignore[arg-type]
            except TypeError:
                place = None  # a list, or an object
            if place is not None:
                part, index = place
                said = (part, event.get("item_id"), event.get("output_index"), event.get(index))
                if said != self._said:
                    self._key = (self._items.name_of(event, _KINDS[part]), read_number(said[3]), part)
                    self._said = said
                key = self._key
                if key != texts.pending:
                    yield from texts.flush()
                    texts.pending = key
                delta = event.get("delta")
                texts.pieces.append(delta if isinstance(delta, str) else to_json_text(delta))
                continue
            self._said = None
            yield from texts.flush()
            yield from self._event(kind, event)
            if self.is_done:
                return
        yield from texts.flush(may_go_on=True)

    def close(self) -> Iterator[ChatResponseUpdate]:
        """Return nothing, as a rule: what was not said before the last event was cut off."""
        yield from self.close_text()

    def close_text(self) -> Iterator[ChatResponseUpdate]:
        """Return the text that has waited for more; see `AnswerReader.close_text`."""
        yield from self._texts.close(is_whole=False)

    def _event(self, kind: Any, event: Event) -> Iterator[ChatResponseUpdate]:
        if isinstance(kind, str) and kind in _WHOLES:
            part, index, name = _WHOLES[kind]
            number, whole = read_number(event.get(index)), event.get(name)
            late = self._items.done_ones(event, _KINDS[part])
            if any(self._texts.is_said((item_id, number, part), whole) for item_id in late):
                return
            key = (self._items.name_of(event, _KINDS[part]), number, part)
            yield from self._texts.whole(key, whole)
            yield from self._texts.close_text(key)
            return
        match kind:
            case "response.created" | "response.in_progress" | "response.queued":
                response = read_object(event.get("response"))
                self._texts.response_id = read_word(response.get("id")) or self._texts.response_id
                self._model = read_word(response.get("model")) or self._model
            case "response.output_item.added":
                yield from self._texts.go_on()
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
                    yield self._texts.update([mcp_call(server_call, item_id, event.get("arguments"))])
            case "response.output_text.annotation.added":
                where = (self._items.name_of(event, "message"), read_number(event.get("content_index")))
                yield from self._texts.annotations(
                    *where, [event.get("annotation")], read_number(event.get("annotation_index"))
                )
            case "response.content_part.done":
                ended = read_object(event.get("part"))
                if ended.get("type") == "output_text" and not self._items.done_ones(event, "message"):
                    item_id, number = self._items.name_of(event, "message"), read_number(event.get("content_index"))
                    if not self._texts.has_text(item_id, number):
                        yield from self._texts.whole((item_id, number, TEXT), ended.get("text"))
            case "response.image_generation_call.partial_image":
                yield from self._partial_image(event)
            case "response.output_item.done":
                item = read_object(event.get("item"))
                if not self._is_told_again(item, event):
                    yield from self._item_done(item, self._items.done(item, event.get("output_index")))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                yield from self._end(read_object(event.get("response")), kind.removeprefix("response."))
            case None if event.get("object") == "response":  # an answer in one piece
                yield from self._end(event, None)
            case "error":
                raise explain_provider_error(event.get("error") or event)
            case _ if _is_failure(event):
                raise explain_provider_error(event.get("error") or event)
            case _:
                pass

    def _item_added(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        match item.get("type"):
            case "function_call" if read_word(item.get("name")):
                yield from self._begin_call(item, item_id)
            case "mcp_call":
                # What it asks for comes later, and the call is said once.
                self._server_calls[item_id] = item
            case "reasoning":
                self._begun_items.add(item_id)
                # Nothing to read yet, but that the model thinks is news.
                yield self._texts.update([Content.from_text_reasoning(id=item_id, text="", merge_mode="append")])
            case "web_search_call" | "file_search_call":
                self._begun_items.add(item_id)
                yield self._texts.update([search_call(item, item_id)])
            case "image_generation_call":
                self._begun_items.add(item_id)
                yield self._texts.update([Content.from_image_generation_tool_call(image_id=item_id)])

    def _begin_call(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        call_id = read_word(item.get("call_id")) or read_word(item.get("id"))
        if not call_id or any(call.call_id == call_id for call in self._calls.values()):
            call_id = make_call_id(uuid4().hex)
        call = Call(call_id, self._names.resolve(read_word(item.get("name"))), item_id)
        call.members = {key: value for key, value in item.items() if key not in _CALL_MEMBERS}
        self._calls[item_id] = call
        yield self._texts.update([self._call_content(call, "")])

    def _finish_call(self, call: Call, arguments: Any) -> Iterator[ChatResponseUpdate]:
        """Say a call's arguments once, all of them: no one can use a part."""
        if call.is_said:
            return
        call.is_said = True
        text = read_arguments(to_json_text(arguments) or "".join(call.arguments))
        call.arguments.clear()
        if text is None:
            self._has_half = True
            return
        content = self._call_content(call, text)
        # Only the whole item has all that its server wants back.
        members = Members()
        members.add(call.members)
        content.additional_properties[PROVIDER_PROPERTY][REPLAY_NOTE] = build_replay(
            self._origin, self._round, call=members
        )
        yield self._texts.update([content])

    def _call_content(self, call: Call, arguments: str) -> Content:
        return Content.from_function_call(
            call.call_id,
            call.name,
            arguments=arguments,
            merge_mode="append",
            additional_properties=self._texts.noted(item_id=call.item_id),
        )

    def _item_done(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        """Say what of a finished item was not said yet; all of it, if the provider streamed nothing."""
        if item_id in self._done_items:
            return
        self._done_items.add(item_id)
        if item.get("type") in ("message", "function_call") and _is_half(item):
            self._has_half = True
        match item.get("type"):
            case "message":
                parts: list[Mapping[str, Any]] = read_objects(item.get("content"))
                if isinstance(item.get("content"), str) and not self._texts.has_text(item_id):
                    parts = [{"type": "output_text", "text": item["content"]}]
                for index, part in enumerate(parts):
                    if part.get("type") == "refusal":
                        yield from self._texts.whole((item_id, index, REFUSED), part.get("refusal"))
                    elif part.get("type") in ("output_text", "text"):
                        yield from self._texts.whole((item_id, index, TEXT), part.get("text"))
                        yield from self._texts.close_text((item_id, index, TEXT))
                        yield from self._texts.annotations(item_id, index, read_objects(part.get("annotations")), 0)
                yield from self._texts.end_message(item_id, len(parts))
            case "function_call":
                if item_id not in self._calls:
                    yield from self._begin_call(item, item_id)
                call = self._calls[item_id]
                if self._has_half:
                    return
                call.members |= {key: value for key, value in item.items() if key not in _CALL_MEMBERS}
                yield from self._finish_call(call, item.get("arguments"))
            case "reasoning":
                yield from self._reasoning_done(item, item_id)
            case "code_interpreter_call":
                yield from self._texts.whole((item_id, 0, CODE), item.get("code"))
                yield self._texts.update(self._noted(item_contents(item, item_id, is_begun=False)))
            case _:
                contents = self._noted(item_contents(item, item_id, is_begun=item_id in self._begun_items))
                if contents:
                    yield self._texts.update(contents)

    def _is_told_again(self, item: Mapping[str, Any], event: Event) -> bool:
        """Return whether a message is at its end for the second time, under another id."""
        if item.get("type") != "message":
            return False
        parts = [
            (index, part.get("text")) for index, part in enumerate(read_objects(item.get("content"))) if "text" in part
        ]
        return bool(parts) and any(
            all(self._texts.is_said((name, index, TEXT), text) for index, text in parts)
            for name in self._items.done_ones(event, "message")
        )

    def _noted(self, contents: list[Content]) -> list[Content]:
        """Return contents of which it is noted who may be sent them."""
        for content in contents:
            content.additional_properties.update(self._texts.noted())
        return contents

    def _reasoning_done(self, item: Mapping[str, Any], item_id: str) -> Iterator[ChatResponseUpdate]:
        for index, part in enumerate(read_objects(item.get("content"))):
            yield from self._texts.whole((item_id, index, THOUGHT), part.get("text"))
        for index, part in enumerate(read_objects(item.get("summary"))):
            yield from self._texts.whole((item_id, index, SUMMARY), part.get("text"))
        sealed = item.get("encrypted_content")
        if sealed or item_id not in self._begun_items:
            thought = Content.from_text_reasoning(
                id=item_id,
                text="",
                protected_data=sealed if isinstance(sealed, str) else None,
                status=item.get("status"),
                merge_mode="append",
                additional_properties=self._texts.noted(),
            )
            yield self._texts.update([thought])

    def _partial_image(self, event: Event) -> Iterator[ChatResponseUpdate]:
        image = build_image(
            event.get("partial_image_b64"),
            partial_image_index=event.get("partial_image_index"),
            is_partial_image=True,
        )
        image_id = self._items.name_of(event, "image_generation_call")
        yield self._texts.update([Content.from_image_generation_tool_result(image_id=image_id, outputs=image)])

    def _end(self, response: Mapping[str, Any], named: str | None) -> Iterator[ChatResponseUpdate]:
        """Read the last event, which repeats the whole answer and says how it ended.

        Args:
            response: The response that the event holds.
            named: How it ended by the name of the event, which not every server repeats; None where it has none.
        """
        self._texts.response_id = read_word(response.get("id")) or self._texts.response_id
        matched: set[str] = set()
        for item in read_objects(response.get("output")):
            item_id = self._items.in_whole(item, matched)
            matched.add(item_id)
            yield from self._item_done(item, item_id)
        self.finish_reason = self._finish_reason(response, named)
        yield from self._texts.close(is_whole=self.finish_reason in ENDS and not self._has_half)
        if self.finish_reason in ENDS:
            for call in self._calls.values():
                yield from self._finish_call(call, None)
            if self._has_half:
                self.finish_reason = INTERRUPTED  # what it was about to do, or to say, is missing
        self.is_done = True
        usage = read_responses_usage(response.get("usage"))
        contents = [Content.from_usage(usage, merge_mode="replace")] if usage else []
        error = response.get("error")
        if self.finish_reason == "error":
            if contents:
                yield self._texts.update(contents)
            raise explain_provider_error(error)
        yield self._texts.update(
            contents,
            model=read_word(response.get("model")) or self._model,
            created_at=format_time(response.get("created_at")),
            finish_reason=self.finish_reason,
        )

    def _finish_reason(self, response: Mapping[str, Any], named: str | None) -> str:
        """Return why the answer ends: of all that is said about it, what says that something is missing."""
        said = response.get("status")
        statuses = {status for status in (named, said) if status and isinstance(status, str)}
        if "failed" in statuses or (isinstance(response.get("error"), Mapping) and response["error"]):
            return "error"
        reason = read_object(response.get("incomplete_details")).get("reason")
        if isinstance(reason, str) and (read := read_finish_reason(reason)) is not None:
            return read if read not in ENDS else INTERRUPTED
        if statuses != {"completed"}:
            return INTERRUPTED
        return "tool_calls" if self._calls else "stop"


def _is_half(item: Mapping[str, Any]) -> bool:
    status = item.get("status")
    return isinstance(status, str) and status in _HALF


def _is_failure(event: Event) -> bool:
    """Return whether an event of no known kind says that the answer has failed."""
    error = event.get("error")
    return bool(error and isinstance(error, Mapping | str)) or (event.get("type") is None and is_error(event))
