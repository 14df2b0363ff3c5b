"""The Chat Completions API: its chunks as Agent Framework updates, read from plain JSON.

Many servers speak it, each a little differently; what they leave out or add is taken with patience.
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
from chat_clients.protocols.complete_answers import ENDS, INTERRUPTED, read_finish_reason
from chat_clients.protocols.error_events import is_error
from chat_clients.protocols.history_shape import make_call_id
from chat_clients.protocols.loose_json import read_objects, read_place, read_word
from chat_clients.protocols.replay import Members, build_replay, note_origin
from chat_clients.protocols.request_options import REFUSAL
from chat_clients.protocols.response_items import build_annotation, shift_regions
from chat_clients.protocols.thought_updates import build_split_updates
from chat_clients.protocols.token_usage import format_time, read_completions_usage
from chat_clients.protocols.tool_names import ToolNames
from chat_clients.protocols.written_calls import WrittenCalls
from framework.message_marks import PROVIDER_PROPERTY, REPLAY_NOTE
from framework.text_updates import build_text_piece
from text.surrogates import join_pieces, joined_halves
from text.thoughts import Kind, ThoughtSplitter

# Where servers put their model's thoughts, most common first.
_THOUGHT_FIELDS = ("reasoning_content", "reasoning")

_THINKING = ("thinking", "reasoning")
"""The types of parts of a content that are thoughts."""

_TEXT, _REFUSAL = "content", "refusal"

# What is read here; other members are taken as belonging to the calls that come beside them.
_TOLD_MEMBERS = frozenset(
    {"role", "content", "refusal", "annotations", "tool_calls", "function_call", "audio", "images", "name"}
    | {*_THOUGHT_FIELDS}
)
_DELTA_MEMBERS = _TOLD_MEMBERS | {"reasoning_details"}
_CALL_MEMBERS = frozenset({"id", "index", "type", "function"})
_FUNCTION_MEMBERS = frozenset({"name", "arguments"})

MAX_CALLS = 256
"""Tool calls in one answer; what is beyond is no answer any more."""


@dataclass(slots=True)
class Call:
    """A tool call whose arguments are on their way.

    Attributes:
        given_id: What the provider calls it, possibly nothing.
        call_id: The id of the call here: unique within the answer.
        name: The tool.
        said_name: What the model calls it, as far as that has come.
        is_told: Whether the framework was told that the call has begun.
        arguments: Pieces of JSON.
        members: Members of the call that are not known here.
        function_members: Members of the call's function that are not known here.
    """

    given_id: str
    call_id: str
    name: str
    said_name: str = ""
    is_told: bool = False
    arguments: list[str] = field(default_factory=list)
    members: Members = field(default_factory=Members)
    function_members: Members = field(default_factory=Members)

    def is_followed_by(self, given_id: str, name: str, arguments: Any) -> bool:
        """Return whether a piece with a name, and with this call's number, begins another call.

        Some servers number all calls 0. Without ids, another begins where this one is complete; some proxies give each
        piece another id, and name the same tool again.
        """
        is_whole = is_json_object(joined_halves("".join(self.arguments)))
        if given_id:
            is_piece = bool(self.arguments) and not is_whole and name == self.name
            return given_id != self.given_id and not is_piece
        return bool(arguments) and is_whole


class CompletionsReader:
    """Reads the chunks of one completion; see `AnswerReader`.

    Args:
        names: What the tools were called towards the model.
        model: Who was asked, in words that tell it from all others: what it wants back goes to no other.
        begins_with_thought: Whether the text is known to begin with a thought that nothing opens.
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
        self._pending: str | None = None
        self._pieces: list[str] = []
        self._calls: list[Call] = []
        self._by_index: dict[int, Call] = {}
        self._is_call_lost = False
        self._reasoning_details: list[Any] = []
        self._usage: Mapping[str, Any] | None = None
        self._names = names or ToolNames()
        self._written = WrittenCalls(self._names)
        self._origin = model
        self._beside = Members()

    @cached_property
    def _round(self) -> str:
        """A name that the calls of this answer share, and no other's."""
        return make_call_id(uuid4().hex)

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether a thought was closed in the text that nothing had opened; None where nothing tells."""
        return self._splitter.has_unopened

    def read(self, events: list[Event]) -> Iterator[ChatResponseUpdate]:
        """Return what `events` mean; see `AnswerReader.read`."""
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
            if choices and (choice := _own_choice(choices)) is not None:
                if self._response_id is None:
                    # Some servers give every chunk another id, and some give none.
                    self._response_id = read_word(event.get("id")) or f"chatcmpl-{uuid4().hex}"
                    self._model = read_word(event.get("model")) or None
                    self._created = event.get("created")
                text = _mere_text(choice)
                if text is not None and self._pending in (_TEXT, None):
                    self._pending = _TEXT
                    self._pieces.append(text)
                else:
                    yield from self._choice(choice)
        yield from self._flush(may_go_on=True)

    def close_text(self) -> Iterator[ChatResponseUpdate]:
        """Return the text that has waited for more; see `AnswerReader.close_text`."""
        yield from self._flush()
        yield from self._speak(self._splitter.close(is_whole=self.finish_reason in ENDS))
        if self.finish_reason in ENDS and not self._calls:
            for name, arguments in self._written.calls():
                self._begin_call("", name).arguments.append(arguments)
        if text := self._written.release():
            yield from build_split_updates([("text", text)], self._response_id, self._response_id)

    def close(self) -> Iterator[ChatResponseUpdate]:
        """Return the calls, what the answer cost, and why it ended; none of that if it was cut off."""
        yield from self.close_text()
        if self.finish_reason is None:
            return  # whatever marks the end of a stream, nobody has said that the model came to one
        if self.finish_reason in ENDS:
            self._is_call_lost = self._is_call_lost or any(not call.name and call.arguments for call in self._calls)
            self._calls = _told_once([call for call in self._calls if call.name])
            arguments = [read_pieces(call.arguments) for call in self._calls]
            if self._is_call_lost or None in arguments or (self.finish_reason == "tool_calls" and not self._calls):
                self.finish_reason = INTERRUPTED  # what it was about to do is missing
            else:
                # Some servers say "stop" although they call tools.
                self.finish_reason = "tool_calls" if self._calls else "stop"
                yield from self._say_calls([text or "{}" for text in arguments])
        usage = read_completions_usage(self._usage)
        yield self._update(
            [Content.from_usage(usage, merge_mode="replace")] if usage else [],
            model=self._model,
            created_at=format_time(self._created),
            finish_reason=self.finish_reason,
        )

    def _update(self, contents: list[Content], **more: Any) -> ChatResponseUpdate:
        return ChatResponseUpdate(
            contents=contents, role="assistant", message_id=self._response_id, response_id=self._response_id, **more
        )

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[ChatResponseUpdate]:
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message")  # of an answer in one piece
        if delta is None:
            delta = {"content": choice.get("text")}  # of a server that answers as the older Completions do
        if delta and isinstance(delta, Mapping):
            for name in _THOUGHT_FIELDS:
                if name in delta:
                    yield from self._take_thought(delta)
                    break
            if text := delta.get("content"):
                yield from self._take_content(text)
            if refusal := delta.get("refusal"):
                yield from self._take(_REFUSAL, refusal)
            if found := delta.get("annotations"):
                yield from self._flush()
                yield from self._annotations(found)
            calls = delta.get("tool_calls") or _legacy_call(delta)
            for call in calls if isinstance(calls, list) else [calls] if calls else ():
                yield from self._flush()
                yield from self._take_call(call)
            if not delta.keys() <= _TOLD_MEMBERS:
                self._keep(delta)
        if (reason := read_finish_reason(choice.get("finish_reason"))) is not None:
            if isinstance(error := choice.get("error"), Mapping):
                yield from self._flush()
                raise explain_provider_error(error)
            if self.finish_reason in (None, *ENDS):
                self.finish_reason = reason  # of several, the first that says that something is missing
            yield from self._flush()

    def _take_thought(self, delta: Mapping[str, Any]) -> Iterator[ChatResponseUpdate]:
        """Say a thought once, and keep each of its fields as it came."""
        is_said = False
        for name in _THOUGHT_FIELDS:
            if isinstance(thought := delta.get(name), str):
                # An empty one too: Kimi and DeepSeek want to see the field again.
                self._beside.add_text(name, thought)
                if thought and not is_said:
                    is_said = True
                    yield from self._take(name, thought)

    def _keep(self, delta: Mapping[str, Any]) -> None:
        """Keep what a server may want back with the calls that come beside it."""
        self._beside.add({name: value for name, value in delta.items() if name not in _DELTA_MEMBERS})
        if details := read_objects(delta.get("reasoning_details")):
            self._beside.add({"reasoning_details": details})
            self._reasoning_details.extend(details)

    def _take_content(self, content: Any) -> Iterator[ChatResponseUpdate]:
        """Take text, or parts, which may be thoughts."""
        if isinstance(content, list) and all(isinstance(each, str) for each in content):
            content = "".join(content)
        if isinstance(content, str | int | float) and not isinstance(content, bool):
            yield from self._take(_TEXT, str(content))
            return
        for part in content if isinstance(content, list) else [content]:
            if not isinstance(part, Mapping):
                continue
            if part.get("type") in _THINKING:
                thoughts = part.get(part["type"]) or part.get("text")
                for thought in thoughts if isinstance(thoughts, list) else [thoughts]:
                    yield from self._take("reasoning", thought.get("text") if isinstance(thought, Mapping) else thought)
            else:
                yield from self._take(_TEXT, part.get("text"))

    def _take(self, kind: str, text: Any) -> Iterator[ChatResponseUpdate]:
        if not isinstance(text, str) or not text:
            return
        if kind != self._pending:
            yield from self._flush()
            self._pending = kind
        self._pieces.append(text)

    def _flush(self, *, may_go_on: bool = False) -> Iterator[ChatResponseUpdate]:
        """Say the text that has been gathered; half of a character waits for the other if it `may_go_on`."""
        kind, self._pending = self._pending, None
        if kind is None:
            return
        text, half = join_pieces(self._pieces, may_go_on=may_go_on)
        self._pending, self._pieces = (kind, [half]) if half else (None, [])
        if not text:
            return
        if kind == _TEXT:
            yield from self._speak(self._splitter.feed(text))
        elif kind == _REFUSAL:
            yield self._update([build_text_piece(text, dict(REFUSAL))])
        else:
            properties = note_origin(self._origin, thought_field=kind)
            thought = Content.from_text_reasoning(text=text, merge_mode="append", additional_properties=properties)
            self._splitter.note_thought()
            yield self._update([thought])

    def _speak(self, pieces: list[tuple[Kind, str]]) -> Iterator[ChatResponseUpdate]:
        """Say a text, and of its thoughts that they are thoughts."""
        return build_split_updates(self._written.without(pieces), self._response_id, self._response_id)

    def _annotations(self, found: Any) -> Iterator[ChatResponseUpdate]:
        """Say what the text cites; its positions count from the beginning of the message."""
        citations = [citation for raw in found if (citation := _citation(raw))] if isinstance(found, list) else []
        for citation in citations:
            shift_regions(citation, -self._splitter.dropped)
        if citations:
            yield self._update([Content.from_text("", merge_mode="append", annotations=citations)])

    def _take_call(self, raw: Any) -> Iterator[ChatResponseUpdate]:
        if not isinstance(raw, Mapping):
            return
        function = raw.get("function")
        if not isinstance(function, Mapping):
            function = {name: raw[name] for name in _FUNCTION_MEMBERS if name in raw}  # some leave out a level
        given_id, name, index = read_word(raw.get("id")), read_word(function.get("name")), read_place(raw.get("index"))
        call = self._by_index.get(index) if index is not None else None
        if call is None and not name and self._calls and (index is None or not self._by_index):
            call = self._calls[-1]
        arguments = function.get("arguments")
        if call is None or (name and call.is_followed_by(given_id, self._names.resolve(name), arguments)):
            if len(self._calls) >= MAX_CALLS or not (name or given_id or index is not None):
                # A piece of a call that never began.
                self._is_call_lost = self._is_call_lost or bool(name or arguments)
                return
            is_told_again = bool(given_id) and any(each.given_id == given_id for each in self._calls)
            call = self._begin_call(given_id, name)
            call.is_told = is_told_again  # it may be the same call once more: see `_told_once`
            if index is not None:
                self._by_index[index] = call
        elif name and not (call.name and call.arguments):
            self._go_on_with_name(call, name)
        if call.name and not call.is_told and (call.name in self._names or arguments):
            call.is_told = True
            yield self._update([_call_content(call, "")])
        call.members.add({key: value for key, value in raw.items() if key not in _CALL_MEMBERS | _FUNCTION_MEMBERS})
        call.function_members.add({key: value for key, value in function.items() if key not in _FUNCTION_MEMBERS})
        if arguments:
            call.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def _begin_call(self, given_id: str, name: str) -> Call:
        is_usable = given_id and all(call.call_id != given_id for call in self._calls)
        call_id = given_id if is_usable else make_call_id(uuid4().hex)
        call = Call(given_id, call_id, self._names.resolve(name), name)
        self._calls.append(call)
        return call

    def _go_on_with_name(self, call: Call, piece: str) -> None:
        """Take a piece of a name for more of it where that names a tool, and else for the name once more."""
        whole = call.said_name + piece
        if not call.said_name or (call.name not in self._names and self._names.resolve(whole) in self._names):
            call.said_name, call.name = whole, self._names.resolve(whole)

    def _say_calls(self, arguments: list[str]) -> Iterator[ChatResponseUpdate]:
        """Say the calls' arguments once, all of them: no one can use a part."""
        if self._reasoning_details:
            sealed = json.dumps(self._reasoning_details)
            properties = note_origin(self._origin)
            thought = Content.from_text_reasoning(
                protected_data=sealed, merge_mode="append", additional_properties=properties
            )
            yield self._update([thought])
        for at, call in enumerate(self._calls):
            replay = build_replay(
                self._origin,
                self._round,
                call=call.members,
                function=call.function_members,
                beside=self._beside if at == 0 else None,
            )
            content = _call_content(call, arguments[at])
            content.additional_properties[PROVIDER_PROPERTY] = {REPLAY_NOTE: replay}
            yield self._update([content])
            call.arguments.clear()


def _legacy_call(delta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the one call of a server that still says `function_call`, as the tool call that it is."""
    call = delta.get("function_call")
    return {"index": 0, "function": call} if isinstance(call, Mapping) else None


def _told_once(calls: list[Call]) -> list[Call]:
    """Return calls without those that a proxy has told twice: under one id, the same tool with the same arguments."""
    told: dict[tuple[str, str, str], Call] = {}
    for at, call in enumerate(calls):
        told.setdefault((call.given_id or f"\0{at}", call.name, "".join(call.arguments)), call)
    return list(told.values())


def _own_choice(choices: Any) -> Mapping[str, Any] | None:
    """Return the answer that was asked for; another one to the same question has another number."""
    if type(choices) is not list:
        return None
    if len(choices) == 1 and type(choices[0]) is dict and not choices[0].get("index"):
        return choices[0]  # by far the most frequent
    for choice in choices:
        if isinstance(choice, Mapping) and not ((index := choice.get("index")) and read_place(index)):
            return choice
    return None


def _mere_text(choice: Mapping[str, Any]) -> str | None:
    """Return the text of a choice that holds nothing else, as all but a few of an answer do; None for any other."""
    delta = choice.get("delta")
    if type(delta) is not dict or len(delta) > 1 + ("role" in delta) or choice.get("finish_reason") is not None:
        return None
    text = delta.get("content")
    return text if isinstance(text, str) and text else None


def _citation(raw: Any) -> Annotation | None:
    """Return a citation, whose details stand under the name of its kind here."""
    if not isinstance(raw, Mapping):
        return None
    kind = raw.get("type")
    details = raw.get(kind) if isinstance(kind, str) else None
    return build_annotation({**details, "type": kind} if isinstance(details, Mapping) else raw)


def _call_content(call: Call, arguments: str) -> Content:
    return Content.from_function_call(call.call_id, call.name, arguments=arguments, merge_mode="append")
