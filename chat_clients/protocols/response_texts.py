"""The texts of a response (messages, thoughts, code), which are streamed in pieces and repeated at their end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from agent_framework import ChatResponseUpdate, Content

from chat_clients.protocols.replay import origin_properties
from chat_clients.protocols.request_options import REFUSAL
from chat_clients.protocols.response_items import build_annotation, shift_regions
from chat_clients.protocols.thought_updates import build_split_updates
from framework.text_updates import build_text_piece
from text.growing_text import GrowingText
from text.surrogates import join_pieces, join_surrogates
from text.thoughts import Kind, ThoughtSplitter, without_thoughts

logger = logging.getLogger(__name__)

PartKey = tuple[str, int, str]
"""The key of a part of a response: the name of its item, its index in the item, and its kind."""

TEXT, REFUSED, THOUGHT, SUMMARY, CODE = "text", "refusal", "thought", "summary", "code"

_PARAGRAPH = "\n\n"
_REASONING_TEXT = "reasoning_text"


class ResponseTexts:
    """Builds the updates for the texts of one response, each text once.

    A complete text at the end of a part is compared with the streamed one, and leads to an update only if it differs.

    Args:
        origin: The model that was asked; thoughts are sent back to no other.
        begins_with_thought: Whether the first text is known to begin with a thought without an opening tag.

    Attributes:
        response_id: The provider's id of the response.
        pending: The part whose pieces are waiting; None if there is none.
        pieces: The waiting pieces. The reader of the events appends to them directly, since it does so for each delta.
    """

    def __init__(self, origin: str | None, *, begins_with_thought: bool) -> None:
        self.response_id: str | None = None
        self.pending: PartKey | None = None
        self.pieces: list[str] = []
        self._origin = origin
        self._begins_with_thought = begins_with_thought
        self._splitters: dict[PartKey, ThoughtSplitter] = {}
        self._undecided_part: PartKey | None = None
        self._streamed: dict[PartKey, GrowingText] = {}
        self._annotated: set[tuple[str, int, int]] = set()

    def has_text(self, item_id: str, index: int | None = None) -> bool:
        """Return whether a piece of an item's text, or of one of its parts, was streamed."""
        return any(
            name == item_id and kind == TEXT and index in (None, number) for name, number, kind in self._streamed
        )

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether a text has begun with a thought without an opening tag; None if that is unknown."""
        habits = [splitter.has_unopened_thought for splitter in self._splitters.values()]
        known = [habit for habit in habits if habit is not None]
        return any(known) if known else None

    def build_update(self, contents: list[Content], message_id: str | None = None, **more: Any) -> ChatResponseUpdate:
        """Return an update of the response."""
        return ChatResponseUpdate(
            contents=contents, role="assistant", message_id=message_id, response_id=self.response_id, **more
        )

    def build_properties(self, **more: Any) -> dict[str, Any]:
        """Return properties for a content that is sent back to the provider, and to no other."""
        return origin_properties(self._origin, **more)

    def flush(self, *, may_go_on: bool = False) -> Iterator[ChatResponseUpdate]:
        """Yield the waiting text; if it `may_go_on`, a high surrogate at its end keeps waiting."""
        key, self.pending = self.pending, None
        if key is None:
            return
        text, half = join_pieces(self.pieces, may_go_on=may_go_on)
        self.pending, self.pieces = (key, [half]) if half else (None, [])
        if not text:
            return
        if self._undecided_part not in (None, key):
            yield from self.settle_undecided()
        item_id, index, kind = key
        streamed = self._streamed.get(key)
        if streamed is None:
            streamed = self._streamed[key] = GrowingText()
            if kind == SUMMARY and index > 0:
                # The parts of a summary are paragraphs.
                yield self._build_piece(key, _PARAGRAPH)
        streamed.add(text)
        if kind == TEXT:
            yield from self._text_updates(item_id, self._get_splitter(key).feed(text))
        else:
            yield self._build_piece(key, text)

    def close_text(self, key: PartKey) -> Iterator[ChatResponseUpdate]:
        """Yield the rest of a finished text, unless what follows it decides whether it is a thought."""
        if (splitter := self._splitters.get(key)) is None:
            return
        if splitter.is_undecided:
            self._undecided_part = key
        else:
            yield from self._text_updates(key[0], splitter.close())

    def settle_undecided(self) -> Iterator[ChatResponseUpdate]:
        """Yield a finished text that was taken for a thought, as the answer, now that something else follows it."""
        key, self._undecided_part = self._undecided_part, None
        if key is not None and key in self._splitters:
            yield from self._text_updates(key[0], self._splitters[key].close())

    def close(self, *, is_whole: bool) -> Iterator[ChatResponseUpdate]:
        """Yield the rest of all texts.

        Args:
            is_whole: Whether the model has finished.
        """
        yield from self.flush()
        for key, splitter in self._splitters.items():
            yield from self._text_updates(key[0], splitter.close(is_whole=is_whole))

    def was_streamed(self, key: PartKey, whole: Any) -> bool:
        """Return whether exactly this text was streamed as a part."""
        return isinstance(whole, str) and key in self._streamed and str(self._streamed[key]) == join_surrogates(whole)

    def finish_part(self, key: PartKey, whole: Any) -> Iterator[ChatResponseUpdate]:
        """Yield what the complete text of a part adds to the streamed one, which is usually nothing."""
        if not isinstance(whole, str):
            return
        item_id, _, kind = key
        whole = join_surrogates(whole)
        streamed = str(self._streamed.get(key, ""))
        if whole == streamed:
            return
        if whole.startswith(streamed):
            self.pending, self.pieces = key, [whole[len(streamed) :]]
            yield from self.flush()
        elif kind in (TEXT, REFUSED):
            self._streamed[key] = GrowingText(whole)
            if kind == TEXT:
                splitter = self._splitters[key] = ThoughtSplitter()
                splitter.feed(whole)
            yield self._build_replacement(item_id, kind)
        else:
            logger.debug("a thought's whole differs from its parts", extra={"part": kind})

    def end_message(self, item_id: str, parts: int) -> Iterator[ChatResponseUpdate]:
        """Retract texts that were streamed as parts which the message turns out not to have."""
        surplus = [key for key in self._streamed if key[0] == item_id and key[1] >= parts > 0 and key[2] == TEXT]
        for key in surplus:
            del self._streamed[key]
            self._splitters.pop(key, None)
        if surplus:
            yield self._build_replacement(item_id, TEXT)

    def _build_replacement(self, item_id: str, kind: str) -> ChatResponseUpdate:
        """Return an update that replaces the text of a message, with all of its parts."""
        texts = [
            without_thoughts(str(text)) if kind == TEXT else str(text)
            for (item, _, part), text in sorted(self._streamed.items(), key=lambda entry: entry[0][1])
            if (item, part) == (item_id, kind)
        ]
        properties = dict(REFUSAL) if kind == REFUSED else None
        text = Content.from_text("".join(texts), merge_mode="replace", additional_properties=properties)
        return self.build_update([text], item_id)

    def annotate(self, item_id: str, index: int, raw_annotations: Any, first: int) -> Iterator[ChatResponseUpdate]:
        """Yield the annotations of a part that are new."""
        new_annotations = []
        for number, raw in enumerate(raw_annotations, first):
            key = (item_id, index, number)
            if key not in self._annotated and (annotation := build_annotation(raw)) is not None:
                self._annotated.add(key)
                # The provider counts from the beginning of the part, we from the beginning of the message.
                shift_regions(
                    annotation, self._chars_before(item_id, index) - self._dropped_chars((item_id, index, TEXT))
                )
                new_annotations.append(annotation)
        if new_annotations:
            citing = Content.from_text("", merge_mode="append", annotations=new_annotations)
            yield self.build_update([citing], item_id)

    def _get_splitter(self, key: PartKey) -> ThoughtSplitter:
        if key not in self._splitters:
            # Only the first text can continue a thought that the chat template has opened.
            is_first = not self._splitters
            splitter = self._splitters[key] = ThoughtSplitter(
                begins_with_thought=self._begins_with_thought and is_first
            )
            if any(part in (THOUGHT, SUMMARY) for _, _, part in self._streamed):
                splitter.note_thought()
        return self._splitters[key]

    def _text_updates(self, item_id: str, pieces: list[tuple[Kind, str]]) -> Iterator[ChatResponseUpdate]:
        """Return the updates for a text that is split into thoughts and the answer."""
        return build_split_updates(pieces, item_id, self.response_id)

    def _build_piece(self, key: PartKey, text: str) -> ChatResponseUpdate:
        item_id, _, part = key
        if part == REFUSED:
            return self.build_update([build_text_piece(text, dict(REFUSAL))], item_id)
        if part == CODE:
            code = Content.from_text(text, merge_mode="append")
            call = Content.from_code_interpreter_tool_call(call_id=item_id, inputs=[code], merge_mode="append")
            return self.build_update([call])
        properties = self.build_properties(**({_REASONING_TEXT: True} if part == THOUGHT else {}))
        return self.build_update(
            [Content.from_text_reasoning(id=item_id, text=text, merge_mode="append", additional_properties=properties)]
        )

    def _chars_before(self, item_id: str, index: int) -> int:
        """Return how many characters of a message come before its part `index`."""
        return sum(
            text.length - self._dropped_chars((item, at, kind))
            for (item, at, kind), text in self._streamed.items()
            if item == item_id and at < index and kind in (TEXT, REFUSED)
        )

    def _dropped_chars(self, key: PartKey) -> int:
        """Return how many characters of a part were dropped as thoughts."""
        return self._splitters[key].dropped_chars if key in self._splitters else 0
