"""Converts the chunks of the Chat Completions API to updates of Agent Framework.

Many servers offer this API, each with deviations of its own, which are tolerated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

from agent_framework import Annotation, ChatResponseUpdate, Content

from chat_clients.failures import explain_provider_error
from chat_clients.http.server_events import DONE, Event
from chat_clients.protocols.call_arguments import is_json_object, read_pieces
from chat_clients.protocols.complete_answers import COMPLETE_REASONS, INTERRUPTED, read_finish_reason
from chat_clients.protocols.error_events import is_error
from chat_clients.protocols.history_shape import make_call_id
from chat_clients.protocols.loose_json import read_index, read_objects, read_string
from chat_clients.protocols.replay import Members, build_replay, origin_properties
from chat_clients.protocols.request_options import REFUSAL
from chat_clients.protocols.response_items import build_annotation, shift_regions
from chat_clients.protocols.thought_updates import build_split_updates
from chat_clients.protocols.token_usage import format_time, read_completions_usage
from chat_clients.protocols.tool_names import ToolNames
from chat_clients.protocols.written_calls import WrittenCalls
from framework.message_marks import PROVIDER_PROPERTY, REPLAY_NOTE
from framework.text_updates import build_text_piece
from text.surrogates import join_pieces, join_surrogates
from text.thoughts import Kind, ThoughtSplitter

# Fields in which servers send their model's thoughts, the most common first.
_THOUGHT_FIELDS = ("reasoning_content", "reasoning")

_THOUGHT_TYPES = ("thinking", "reasoning")
"""Types of the parts of a content that are thoughts."""

_TEXT, _REFUSAL = "content", "refusal"

# Fields that are read here; unknown ones belong to the calls that are sent with them.
_READ_FIELDS = frozenset(
    {"role", "content", "refusal", "annotations", "tool_calls", "function_call", "audio", "images", "name"}
    | {*_THOUGHT_FIELDS}
)
_DELTA_FIELDS = _READ_FIELDS | {"reasoning_details"}
_CALL_FIELDS = frozenset({"id", "index", "type", "function"})
_FUNCTION_FIELDS = frozenset({"name", "arguments"})

MAX_CALLS = 256
"""How many tool calls an answer may have."""


@dataclass(slots=True)
class Call:
    """A tool call, as far as it has arrived.

    Attributes:
        given_id: The provider's id, which may be empty.
        call_id: Our id, which is unique within the answer.
        name: The tool.
        called_name: The model's name of the tool, as far as it has arrived.
        is_announced: Whether an update has announced the call.
        arguments: Pieces of JSON.
        fields: Unknown fields of the call.
        function_fields: Unknown fields of the call's function.
    """

    given_id: str
    call_id: str
    name: str
    called_name: str = ""
    is_announced: bool = False
    arguments: list[str] = field(default_factory=list)
    fields: Members = field(default_factory=Members)
    function_fields: Members = field(default_factory=Members)

    def is_followed_by(self, given_id: str, name: str, arguments: Any) -> bool:
        """Return whether a piece with a name, and with this call's index, begins another call.

        Some servers give all calls the index 0. Without ids, another call begins when this one is complete; some
        proxies repeat the name in each piece, with a new id.
        """
        is_whole = is_json_object(join_surrogates("".join(self.arguments)))
        if given_id:
            is_piece = bool(self.arguments) and not is_whole and name == self.name
            return given_id != self.given_id and not is_piece
        return bool(arguments) and is_whole


class CompletionsReader:
    """Converts the chunks of one completion to updates; see `AnswerReader`.

    Args:
        names: The names under which tools were offered to the model.
        model: The origin of the answer (see `build_origin`), the only model that its fields are sent back to.
        begins_with_thought: Whether the text is known to begin with a thought without an opening tag.
    """

    def __init__(
        self, names: ToolNames | None = None, model: str | None = None, *, begins_with_thought: bool = False
    ) -> None:
        self._splitter = ThoughtSplitter(begins_with_thought=begins_with_thought)
        self.finish_reason: str | None = None
        self.is_done = False
        self._response_id: str | None = None
        self._model: str | None = None
        self._created: Any = None
        self._pending_kind: str | None = None
        self._pieces: list[str] = []
        self._calls: list[Call] = []
        self._by_index: dict[int, Call] = {}
        self._is_call_lost = False
        self._reasoning_details: list[Any] = []
        self._usage: Mapping[str, Any] | None = None
        self._tool_names = names or ToolNames()
        self._written_calls = WrittenCalls(self._tool_names)
        self._origin = model
        self._message_fields = Members()

    @cached_property
    def _round_id(self) -> str:
        """An id that the calls of this answer share."""
        return make_call_id(uuid4().hex)

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether the text has begun with a thought without an opening tag; None if that is unknown."""
        return self._splitter.has_unopened_thought

    def read(self, events: list[Event]) -> Iterator[ChatResponseUpdate]:
        """Yield the updates of `events`; see `AnswerReader.read`."""
        for event in events:
            if event is DONE:
                self.is_done = True
                break
            choices = event.get("choices")
            error = event.get("error")
            if error or (choices is None and is_error(event)):
                yield from self._flush()
                raise explain_provider_error(error or event)
            if usage := event.get("usage"):
                self._usage = usage
            if choices and (choice := _find_choice(choices)) is not None:
                if self._response_id is None:
                    # From the first chunk: some servers give each chunk another id, and some give none.
                    self._response_id = read_string(event.get("id")) or f"chatcmpl-{uuid4().hex}"
                    self._model = read_string(event.get("model")) or None
                    self._created = event.get("created")
                text = _plain_text(choice)
                if text is not None and self._pending_kind in (_TEXT, None):
                    self._pending_kind = _TEXT
                    self._pieces.append(text)
                else:
                    yield from self._read_choice(choice)
        yield from self._flush(may_go_on=True)

    def close_text(self) -> Iterator[ChatResponseUpdate]:
        """Yield the text that has waited for more; see `AnswerReader.close_text`."""
        yield from self._flush()
        yield from self._text_updates(self._splitter.close(is_whole=self.finish_reason in COMPLETE_REASONS))
        if self.finish_reason in COMPLETE_REASONS and not self._calls:
            for name, arguments in self._written_calls.take_calls():
                self._begin_call("", name).arguments.append(arguments)
        if text := self._written_calls.release():
            yield from build_split_updates([("text", text)], self._response_id, self._response_id)

    def close(self) -> Iterator[ChatResponseUpdate]:
        """Yield the calls, the token usage and the finish reason; only remaining text if the answer was cut off."""
        yield from self.close_text()
        if self.finish_reason is None:
            return  # the stream has ended, but the model has not said that its answer is finished
        if self.finish_reason in COMPLETE_REASONS:
            self._is_call_lost = self._is_call_lost or any(not call.name and call.arguments for call in self._calls)
            self._calls = _deduplicate_calls([call for call in self._calls if call.name])
            arguments = [read_pieces(call.arguments) for call in self._calls]
            if self._is_call_lost or None in arguments or (self.finish_reason == "tool_calls" and not self._calls):
                self.finish_reason = INTERRUPTED  # a call is missing or incomplete
            else:
                # Some servers send "stop" with tool calls.
                self.finish_reason = "tool_calls" if self._calls else "stop"
                yield from self._call_updates([text or "{}" for text in arguments])
        usage = read_completions_usage(self._usage)
        yield self._build_update(
            [Content.from_usage(usage, merge_mode="replace")] if usage else [],
            model=self._model,
            created_at=format_time(self._created),
            finish_reason=self.finish_reason,
        )

    def _build_update(self, contents: list[Content], **more: Any) -> ChatResponseUpdate:
        return ChatResponseUpdate(
            contents=contents, role="assistant", message_id=self._response_id, response_id=self._response_id, **more
        )

    def _read_choice(self, choice: Mapping[str, Any]) -> Iterator[ChatResponseUpdate]:
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message")  # an answer in one piece
        if delta is None:
            delta = {"content": choice.get("text")}  # the form of the older Completions API
        if delta and isinstance(delta, Mapping):
            for name in _THOUGHT_FIELDS:
                if name in delta:
                    yield from self._read_thoughts(delta)
                    break
            if text := delta.get("content"):
                yield from self._read_content(text)
            if refusal := delta.get("refusal"):
                yield from self._add_piece(_REFUSAL, refusal)
            if annotations := delta.get("annotations"):
                yield from self._flush()
                yield from self._read_annotations(annotations)
            calls = delta.get("tool_calls") or _legacy_call(delta)
            for call in calls if isinstance(calls, list) else [calls] if calls else ():
                yield from self._flush()
                yield from self._read_call(call)
            if not delta.keys() <= _READ_FIELDS:
                self._keep_unknown_fields(delta)
        if (reason := read_finish_reason(choice.get("finish_reason"))) is not None:
            if isinstance(error := choice.get("error"), Mapping):
                yield from self._flush()
                raise explain_provider_error(error)
            if self.finish_reason in (None, *COMPLETE_REASONS):
                self.finish_reason = reason  # among several, the first that says that the answer is incomplete
            yield from self._flush()

    def _read_thoughts(self, delta: Mapping[str, Any]) -> Iterator[ChatResponseUpdate]:
        """Yield a thought once, and keep all of its fields unchanged."""
        is_taken = False
        for name in _THOUGHT_FIELDS:
            if isinstance(thought := delta.get(name), str):
                # Even if it is empty: Kimi and DeepSeek insist on getting the field back.
                self._message_fields.add_text(name, thought)
                if thought and not is_taken:
                    is_taken = True
                    yield from self._add_piece(name, thought)

    def _keep_unknown_fields(self, delta: Mapping[str, Any]) -> None:
        """Keep the fields that a server may need back with the calls of the same message."""
        self._message_fields.add({name: value for name, value in delta.items() if name not in _DELTA_FIELDS})
        if details := read_objects(delta.get("reasoning_details")):
            self._message_fields.add({"reasoning_details": details})
            self._reasoning_details.extend(details)

    def _read_content(self, content: Any) -> Iterator[ChatResponseUpdate]:
        """Read a content, which is text or a list of parts, some of which may be thoughts."""
        if isinstance(content, list) and all(isinstance(part, str) for part in content):
            content = "".join(content)
        if isinstance(content, str | int | float) and not isinstance(content, bool):
            yield from self._add_piece(_TEXT, str(content))
            return
        for part in content if isinstance(content, list) else [content]:
            if not isinstance(part, Mapping):
                continue
            if part.get("type") in _THOUGHT_TYPES:
                thoughts = part.get(part["type"]) or part.get("text")
                for thought in thoughts if isinstance(thoughts, list) else [thoughts]:
                    text = thought.get("text") if isinstance(thought, Mapping) else thought
                    yield from self._add_piece("reasoning", text)
            else:
                yield from self._add_piece(_TEXT, part.get("text"))

    def _add_piece(self, kind: str, text: Any) -> Iterator[ChatResponseUpdate]:
        if not isinstance(text, str) or not text:
            return
        if kind != self._pending_kind:
            yield from self._flush()
            self._pending_kind = kind
        self._pieces.append(text)

    def _flush(self, *, may_go_on: bool = False) -> Iterator[ChatResponseUpdate]:
        """Yield the waiting text; if it `may_go_on`, a high surrogate at its end keeps waiting."""
        kind, self._pending_kind = self._pending_kind, None
        if kind is None:
            return
        text, half = join_pieces(self._pieces, may_go_on=may_go_on)
        self._pending_kind, self._pieces = (kind, [half]) if half else (None, [])
        if not text:
            return
        if kind == _TEXT:
            yield from self._text_updates(self._splitter.feed(text))
        elif kind == _REFUSAL:
            yield self._build_update([build_text_piece(text, dict(REFUSAL))])
        else:
            properties = origin_properties(self._origin, thought_field=kind)
            thought = Content.from_text_reasoning(text=text, merge_mode="append", additional_properties=properties)
            self._splitter.note_thought()
            yield self._build_update([thought])

    def _text_updates(self, pieces: list[tuple[Kind, str]]) -> Iterator[ChatResponseUpdate]:
        """Return the updates for a text that is split into thoughts and the answer."""
        return build_split_updates(self._written_calls.hold_back(pieces), self._response_id, self._response_id)

    def _read_annotations(self, annotations: Any) -> Iterator[ChatResponseUpdate]:
        """Yield the citations of the text, whose positions count from the beginning of the message."""
        candidates = map(_build_citation, annotations) if isinstance(annotations, list) else ()
        citations = [citation for citation in candidates if citation is not None]
        for citation in citations:
            shift_regions(citation, -self._splitter.dropped_chars)
        if citations:
            yield self._build_update([Content.from_text("", merge_mode="append", annotations=citations)])

    def _read_call(self, raw: Any) -> Iterator[ChatResponseUpdate]:
        if not isinstance(raw, Mapping):
            return
        function = raw.get("function")
        if not isinstance(function, Mapping):
            function = {name: raw[name] for name in _FUNCTION_FIELDS if name in raw}  # some leave out a level
        given_id, index = read_string(raw.get("id")), read_index(raw.get("index"))
        name = read_string(function.get("name"))
        call = self._by_index.get(index) if index is not None else None
        if call is None and not name and self._calls and (index is None or not self._by_index):
            call = self._calls[-1]
        arguments = function.get("arguments")
        if call is None or (name and call.is_followed_by(given_id, self._tool_names.resolve(name), arguments)):
            if len(self._calls) >= MAX_CALLS or not (name or given_id or index is not None):
                # A piece of a call that never began.
                self._is_call_lost = self._is_call_lost or bool(name or arguments)
                return
            is_repeated = bool(given_id) and any(other.given_id == given_id for other in self._calls)
            call = self._begin_call(given_id, name)
            call.is_announced = is_repeated  # it may be the same call again: see `_deduplicate_calls`
            if index is not None:
                self._by_index[index] = call
        elif name and not (call.name and call.arguments):
            self._extend_name(call, name)
        if call.name and not call.is_announced and (call.name in self._tool_names or arguments):
            call.is_announced = True
            yield self._build_update([_build_call_content(call, "")])
        call.fields.add({key: value for key, value in raw.items() if key not in _CALL_FIELDS | _FUNCTION_FIELDS})
        call.function_fields.add({key: value for key, value in function.items() if key not in _FUNCTION_FIELDS})
        if arguments:
            call.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def _begin_call(self, given_id: str, name: str) -> Call:
        is_usable = given_id and all(call.call_id != given_id for call in self._calls)
        call_id = given_id if is_usable else make_call_id(uuid4().hex)
        call = Call(given_id, call_id, self._tool_names.resolve(name), name)
        self._calls.append(call)
        return call

    def _extend_name(self, call: Call, piece: str) -> None:
        """Append a piece to a call's name if that makes it the name of a tool; else it repeats the name."""
        whole = call.called_name + piece
        if not call.called_name or (
            call.name not in self._tool_names and self._tool_names.resolve(whole) in self._tool_names
        ):
            call.called_name, call.name = whole, self._tool_names.resolve(whole)

    def _call_updates(self, arguments: list[str]) -> Iterator[ChatResponseUpdate]:
        """Yield the calls with their complete arguments."""
        if self._reasoning_details:
            details = json.dumps(self._reasoning_details)
            properties = origin_properties(self._origin)
            thought = Content.from_text_reasoning(
                protected_data=details, merge_mode="append", additional_properties=properties
            )
            yield self._build_update([thought])
        for at, call in enumerate(self._calls):
            replay = build_replay(
                self._origin,
                self._round_id,
                call=call.fields,
                function=call.function_fields,
                beside=self._message_fields if at == 0 else None,
            )
            content = _build_call_content(call, arguments[at])
            content.additional_properties[PROVIDER_PROPERTY] = {REPLAY_NOTE: replay}
            yield self._build_update([content])
            call.arguments.clear()


def _legacy_call(delta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the call of a server that still sends `function_call`, as a tool call."""
    call = delta.get("function_call")
    return {"index": 0, "function": call} if isinstance(call, Mapping) else None


def _deduplicate_calls(calls: list[Call]) -> list[Call]:
    """Return calls without those that a proxy has repeated, with the same id, tool and arguments."""
    unique: dict[tuple[str, str, str], Call] = {}
    for at, call in enumerate(calls):
        unique.setdefault((call.given_id or f"\0{at}", call.name, "".join(call.arguments)), call)
    return list(unique.values())


def _find_choice(choices: Any) -> Mapping[str, Any] | None:
    """Return the choice with index 0; others are further answers, which were not asked for."""
    if type(choices) is not list:
        return None
    if len(choices) == 1 and type(choices[0]) is dict and not choices[0].get("index"):
        return choices[0]  # the most frequent case by far
    for choice in choices:
        if isinstance(choice, Mapping) and not ((index := choice.get("index")) and read_index(index)):
            return choice
    return None


def _plain_text(choice: Mapping[str, Any]) -> str | None:
    """Return the text of a choice that has nothing else, as most of them do; None for any other."""
    delta = choice.get("delta")
    if type(delta) is not dict or len(delta) > 1 + ("role" in delta) or choice.get("finish_reason") is not None:
        return None
    text = delta.get("content")
    return text if isinstance(text, str) and text else None


def _build_citation(raw: Any) -> Annotation | None:
    """Return a citation from an annotation whose details are in a field named after its type."""
    if not isinstance(raw, Mapping):
        return None
    kind = raw.get("type")
    details = raw.get(kind) if isinstance(kind, str) else None
    return build_annotation({**details, "type": kind} if isinstance(details, Mapping) else raw)


def _build_call_content(call: Call, arguments: str) -> Content:
    return Content.from_function_call(call.call_id, call.name, arguments=arguments, merge_mode="append")
