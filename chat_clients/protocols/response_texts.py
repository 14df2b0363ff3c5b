"""The texts of a response: parts of messages, thoughts and code, streamed in pieces and told again at their end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from agent_framework import ChatResponseUpdate, Content

from chat_clients.protocols.replay import note_origin
from chat_clients.protocols.request_options import REFUSAL
from chat_clients.protocols.response_items import build_annotation, shift_regions
from chat_clients.protocols.thought_updates import build_split_updates
from framework.text_updates import build_text_piece
from text.growing_text import GrowingText
from text.surrogates import join_pieces, join_surrogates
from text.thoughts import Kind, ThoughtSplitter, without_thoughts

logger = logging.getLogger(__name__)

PartKey = tuple[str, int, str]
"""The key of a part of an answer: its item, its place in it, and its kind."""

TEXT, REFUSED, THOUGHT, SUMMARY, CODE = "text", "refusal", "thought", "summary", "code"

_PARAGRAPH = "\n\n"
_REASONING_TEXT = "reasoning_text"


class ResponseTexts:
    """Says the texts of one response, each once.

    Texts that the provider repeats at their end are compared with what was streamed, and said only if they differ.

    Args:
        origin: Who was asked: thoughts go back to no other.
        begins_with_thought: Whether the first text is known to begin with a thought that nothing opens.

    Attributes:
        response_id: What the provider calls the response.
        pending: The part whose pieces wait to be said; None for none.
        pieces: What waits; the reader of events adds to it, which is done for each of them.
    """

    def __init__(self, origin: str | None, *, begins_with_thought: bool) -> None:
        self.response_id: str | None = None
        self.pending: PartKey | None = None
        self.pieces: list[str] = []
        self._origin = origin
        self._begins_with_thought = begins_with_thought
        self._splitters: dict[PartKey, ThoughtSplitter] = {}
        self._undecided: PartKey | None = None
        self._streamed: dict[PartKey, GrowingText] = {}
        self._annotated: set[tuple[str, int, int]] = set()

    def has_text(self, item_id: str, index: int | None = None) -> bool:
        """Return whether a piece of an item's text has come, or of one of its parts."""
        return any(
            name == item_id and kind == TEXT and index in (None, number) for name, number, kind in self._streamed
        )

    @property
    def has_unopened_thought(self) -> bool | None:
        """Whether a thought was closed in a text that nothing had opened; None where nothing tells."""
        known = [
            each.has_unopened_thought for each in self._splitters.values() if each.has_unopened_thought is not None
        ]
        return any(known) if known else None

    def update(self, contents: list[Content], message_id: str | None = None, **more: Any) -> ChatResponseUpdate:
        """Return an update of this response."""
        return ChatResponseUpdate(
            contents=contents, role="assistant", message_id=message_id, response_id=self.response_id, **more
        )

    def noted(self, **more: Any) -> dict[str, Any]:
        """Return properties of a content that goes back to the provider, and to no other."""
        return note_origin(self._origin, **more)

    def flush(self, *, may_go_on: bool = False) -> Iterator[ChatResponseUpdate]:
        """Say the text that has been gathered; half of a character waits for the other if it `may_go_on`."""
        key, self.pending = self.pending, None
        if key is None:
            return
        text, half = join_pieces(self.pieces, may_go_on=may_go_on)
        self.pending, self.pieces = (key, [half]) if half else (None, [])
        if not text:
            return
        if self._undecided not in (None, key):
            yield from self.go_on()
        known = self._streamed.get(key)
        if known is None:
            known = self._streamed[key] = GrowingText()
            if key[2] == SUMMARY and key[1] > 0:
                # The parts of a summary are paragraphs.
                yield self._piece(key, _PARAGRAPH)
        known.add(text)
        if key[2] == TEXT:
            yield from self._speak(key[0], self._splitter_of(key).feed(text))
        else:
            yield self._piece(key, text)

    def close_text(self, key: PartKey) -> Iterator[ChatResponseUpdate]:
        """Say what of a text has waited for more; whether it is a thought may wait for what comes after it."""
        if (splitter := self._splitters.get(key)) is None:
            return
        if splitter.is_undecided:
            self._undecided = key
        else:
            yield from self._speak(key[0], splitter.close())

    def go_on(self) -> Iterator[ChatResponseUpdate]:
        """Say a text that was taken for a thought: the model has ended it, and goes on with something else."""
        key, self._undecided = self._undecided, None
        if key is not None and key in self._splitters:
            yield from self._speak(key[0], self._splitters[key].close())

    def close(self, *, is_whole: bool) -> Iterator[ChatResponseUpdate]:
        """Say what of all texts has waited for more.

        Args:
            is_whole: Whether the model came to its end.
        """
        yield from self.flush()
        for key, splitter in self._splitters.items():
            yield from self._speak(key[0], splitter.close(is_whole=is_whole))

    def is_said(self, key: PartKey, whole: Any) -> bool:
        """Return whether a part was said exactly so."""
        return isinstance(whole, str) and key in self._streamed and str(self._streamed[key]) == join_surrogates(whole)

    def whole(self, key: PartKey, whole: Any) -> Iterator[ChatResponseUpdate]:
        """Say what of a part's whole text was not streamed, which as a rule is nothing."""
        if not isinstance(whole, str):
            return
        whole = join_surrogates(whole)
        known = str(self._streamed.get(key, ""))
        if whole == known:
            return
        if whole.startswith(known):
            self.pending, self.pieces = key, [whole[len(known) :]]
            yield from self.flush()
        elif key[2] in (TEXT, REFUSED):
            self._streamed[key] = GrowingText(whole)
            if key[2] == TEXT:
                splitter = self._splitters[key] = ThoughtSplitter()
                splitter.feed(whole)
            yield self._replacement(key[0], key[2])
        else:
            logger.debug("a thought's whole differs from its parts", extra={"part": key[2]})

    def end_message(self, item_id: str, parts: int) -> Iterator[ChatResponseUpdate]:
        """Take back what was streamed under numbers of parts that a message turns out not to have."""
        surplus = [key for key in self._streamed if key[0] == item_id and key[1] >= parts > 0 and key[2] == TEXT]
        for key in surplus:
            del self._streamed[key]
            self._splitters.pop(key, None)
        if surplus:
            yield self._replacement(item_id, TEXT)

    def _replacement(self, item_id: str, part: str) -> ChatResponseUpdate:
        """Return the whole text of a message: a replacement speaks of all parts, also of those that stay."""
        texts = [
            without_thoughts(str(text)) if part == TEXT else str(text)
            for (item, _, kind), text in sorted(self._streamed.items(), key=lambda each: each[0][1])
            if (item, kind) == (item_id, part)
        ]
        properties = dict(REFUSAL) if part == REFUSED else None
        text = Content.from_text("".join(texts), merge_mode="replace", additional_properties=properties)
        return self.update([text], item_id)

    def annotations(self, item_id: str, index: int, found: Any, first: int) -> Iterator[ChatResponseUpdate]:
        """Say the annotations of a part that were not said yet."""
        fresh = []
        for number, raw in enumerate(found, first):
            key = (item_id, index, number)
            if key not in self._annotated and (annotation := build_annotation(raw)) is not None:
                self._annotated.add(key)
                # The provider counts from the beginning of the part; to us the parts of a message are one text.
                shift_regions(
                    annotation, self._length_before(item_id, index) - self._dropped_of((item_id, index, TEXT))
                )
                fresh.append(annotation)
        if fresh:
            yield self.update([Content.from_text("", merge_mode="append", annotations=fresh)], item_id)

    def _splitter_of(self, key: PartKey) -> ThoughtSplitter:
        if key not in self._splitters:
            # Only the first text may go on with what the chat template has begun.
            is_first = not self._splitters
            splitter = self._splitters[key] = ThoughtSplitter(
                begins_with_thought=self._begins_with_thought and is_first
            )
            if any(part in (THOUGHT, SUMMARY) for _, _, part in self._streamed):
                splitter.note_thought()
        return self._splitters[key]

    def _speak(self, item_id: str, pieces: list[tuple[Kind, str]]) -> Iterator[ChatResponseUpdate]:
        """Say a text, and of its thoughts that they are thoughts."""
        return build_split_updates(pieces, item_id, self.response_id)

    def _piece(self, key: PartKey, text: str) -> ChatResponseUpdate:
        item_id, _, part = key
        if part == REFUSED:
            return self.update([build_text_piece(text, dict(REFUSAL))], item_id)
        if part == CODE:
            code = Content.from_text(text, merge_mode="append")
            call = Content.from_code_interpreter_tool_call(call_id=item_id, inputs=[code], merge_mode="append")
            return self.update([call])
        properties = self.noted(**({_REASONING_TEXT: True} if part == THOUGHT else {}))
        return self.update(
            [Content.from_text_reasoning(id=item_id, text=text, merge_mode="append", additional_properties=properties)]
        )

    def _length_before(self, item_id: str, index: int) -> int:
        """Return how many characters of a message stand before its part `index`."""
        return sum(
            text.length - self._dropped_of((item, at, kind))
            for (item, at, kind), text in self._streamed.items()
            if item == item_id and at < index and kind in (TEXT, REFUSED)
        )

    def _dropped_of(self, key: PartKey) -> int:
        """Return how many characters of a part were not said, because they are a thought."""
        return self._splitters[key].dropped_chars if key in self._splitters else 0
