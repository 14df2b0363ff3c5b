"""Separates the thoughts that a server leaves between tags in its model's text from the answer, while both arrive.

A model thinks before it answers: ``<think>…</think>`` at the beginning is a thought. Some chat templates write the
opening tag themselves, and then the text has the closing one only. Any closing tag ends a thought, even under another
name than it was opened with, unless it closes a tag that was opened within the thought. Tags that the text only
mentions, in code or in quotes, are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from text.blanks import count_leading_blanks, is_blank
from text.growing_text import GrowingText
from text.tag_mentions import is_mention, leaves_thought_open
from text.thought_tags import Role, Tag, is_partial_tag, partial_tag_start, tag_at, tags_in

Kind = Literal["text", "thought", "text_retracted", "thought_retracted"]
"""The kind of a piece: ``text_retracted`` holds all the text so far, which turns out to be a thought; a
``thought_retracted`` says that all the thought so far is the answer, which follows as text."""

MAX_WATCHED_CHARS = 400_000
"""How far into a text a closing tag without an opening one is looked for."""

_PARAGRAPH = "\n\n"

# The tag that closes this family also ends answers, so without an opening tag it tells nothing.
_NEVER_UNOPENED = "analysis"


def without_thoughts(text: str) -> str:
    """Return the answer in a complete text, without its thoughts."""
    if not _may_hold_tag(text):
        return "" if is_blank(text) else text
    splitter = ThoughtSplitter()
    pieces = [*splitter.feed(text), *splitter.close()]
    start = max((at + 1 for at, (kind, _) in enumerate(pieces) if kind == "text_retracted"), default=0)
    return "".join(piece for kind, piece in pieces[start:] if kind == "text")


def _may_hold_tag(text: str) -> bool:
    return "<" in text or "[" in text or "◁" in text


class ThoughtSplitter:
    """Splits a model's text, which arrives in pieces of any size, into thoughts and the answer.

    Blank characters before the first word, or around a thought, are dropped.

    Args:
        begins_with_thought: Whether this model is known to leave out the opening tag. Text without a closing tag is
            then a thought until the model has finished, and turns out to be the answer; if it is cut off, it stays a
            thought.

    Attributes:
        has_unopened_thought: Whether the text has begun with a thought without an opening tag; None if that is unknown.
        dropped_chars: How many characters of the text, tags and blanks included, are not part of the answer.
    """

    def __init__(self, *, begins_with_thought: bool = False) -> None:
        self.has_unopened_thought: bool | None = None
        self.dropped_chars = 0
        self._state: Literal["before", "thinking", "answering", "settled"] = "before"
        self._held = ""
        self._has_thought = False
        self._is_guess = begins_with_thought
        self._answer = GrowingText()
        self._thought = GrowingText()
        self._opening_family: str | None = None
        self._inner_families: set[str] = set()
        self._answer_family: str | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether only the end of the text tells if what has arrived is a thought."""
        return self._is_guess

    def note_thought(self) -> None:
        """Note that the thought arrived outside of the text, so that blanks at its beginning are dropped."""
        self._has_thought = True
        if self._thought.length == 0:
            self._is_guess = False

    def feed(self, text: str) -> list[tuple[Kind, str]]:
        """Return the pieces that `text` completes, in order; a possible beginning of a tag waits for more text."""
        if self._state == "settled":
            return [("text", text)]
        if not self._held and not _may_hold_tag(text):
            if self._state == "before" and self._begins_answer(text):
                self._state = "answering"
            if self._state == "answering":
                self._answer.add(text)
                return [("text", text)]
        self._held += text
        return list(self._read_held(is_end=False))

    def _begins_answer(self, text: str) -> bool:
        """Return whether `text`, which has no tag, begins the answer without any blanks to drop."""
        is_later = self._is_guess or self._has_thought or self._answer.length or self._answer_family is not None
        return not is_later and not is_blank(text)

    def close(self, *, is_whole: bool = True) -> list[tuple[Kind, str]]:
        """Return the pieces that have waited for more text.

        Args:
            is_whole: Whether the model has finished. Mostly it is a long thought that is cut off.
        """
        pieces = list(self._read_held(is_end=True)) if self._held else []
        if not self._is_guess or not is_whole:
            return pieces
        # This time the model has answered without thinking.
        self._is_guess, self._state, whole = False, "settled", str(self._thought)
        self.dropped_chars = len(whole) if is_blank(whole) else 0
        self.has_unopened_thought = None if is_blank(whole) else False
        return [] if is_blank(whole) else [("thought_retracted", ""), ("text", whole)]

    def _read_held(self, *, is_end: bool) -> Iterator[tuple[Kind, str]]:
        steps = {"before": self._read_start, "thinking": self._read_thought, "answering": self._read_answer}
        while self._held:
            place = self._state, len(self._held)
            if self._state == "settled":
                yield self._emit_text(len(self._held))
                return
            yield from (piece for piece in steps[self._state](is_end) if piece[1] or piece[0] == "text_retracted")
            if place == (self._state, len(self._held)):
                return

    def _read_start(self, is_end: bool) -> Iterator[tuple[Kind, str]]:
        blanks = count_leading_blanks(self._held)
        text = self._held[blanks:]
        if not text:
            if is_end:
                if self._is_guess:
                    self._thought.add(self._held)
                self._drop(len(self._held))
            return
        if not is_end and is_partial_tag(text):
            return
        tag = tag_at(text, 0)
        if tag is not None and (family := tag.family("opens_thought")) is not None:
            self._skip_tag(blanks + tag.end)
            if not tag.is_empty:
                self._state, self._opening_family = "thinking", family
                self._inner_families, self._thought = set(), GrowingText()
            return
        answer_roles: tuple[Role, ...] = ("opens_answer", "wraps_answer") if self._has_thought else ("opens_answer",)
        if tag is not None and (family := tag.family(*answer_roles)) is not None:
            self._skip_tag(blanks + tag.end)
            self._answer_family = family
            return
        if tag is not None and (self._has_thought or tag.family("closes_thought") not in (None, _NEVER_UNOPENED)):
            # An empty thought that the chat template has opened, unless the text begins by mentioning the tag.
            is_mentioned = False if self._has_thought else is_mention("", text[tag.end :], is_end=is_end)
            if is_mentioned is None:
                return
            if not is_mentioned:
                self._skip_tag(blanks + tag.end)
                return
        if self._is_guess:
            self._state = "thinking"
            return
        if self._has_thought:
            self._drop(blanks)
        if self._answer.length:
            self._answer.add(_PARAGRAPH)
            self.dropped_chars -= len(_PARAGRAPH)
            yield "text", _PARAGRAPH
        self._state = "answering" if self._is_watching or self._answer_family is not None else "settled"

    def _read_thought(self, is_end: bool) -> Iterator[tuple[Kind, str]]:
        length = len(self._held) if is_end else partial_tag_start(self._held)
        for tag in tags_in(self._held[:length]):
            ends = self._ends_thought(tag, is_end=is_end)
            if ends is None:
                length = tag.start
                break
            if ends:
                thought = self._held[: tag.start]
                self._drop(tag.start)
                if tag.family("opens_answer") is None:
                    self._drop(tag.end - tag.start)
                if self._is_guess:
                    self._is_guess, self.has_unopened_thought = False, True
                self._state, self._has_thought = "before", True
                yield "thought", thought
                return
        thought = self._held[:length]
        self._thought.add(thought)
        self._drop(length)
        yield "thought", thought

    def _ends_thought(self, tag: Tag, *, is_end: bool) -> bool | None:
        """Return whether a tag within a thought ends it; None if more text is needed to tell."""
        if tag.family("opens_answer") is not None:
            return True
        if (inner_family := tag.family("opens_thought")) is not None:
            self._inner_families.add(inner_family)
            return False
        family = tag.family("closes_thought")
        if family is None:
            return False
        before, after = str(self._thought) + self._held[: tag.start], self._held[tag.end :]
        if self._opening_family is None:
            return self._ends_unopened_thought(family, before, after, is_end=is_end)
        if family != self._opening_family and family in self._inner_families:
            return False
        is_open = leaves_thought_open(before, after, is_end=is_end)
        return None if is_open is None else not is_open

    @staticmethod
    def _ends_unopened_thought(family: str, before: str, after: str, *, is_end: bool) -> bool | None:
        if family == _NEVER_UNOPENED:
            return False
        is_mentioned = is_mention(before, after, is_end=is_end)
        return None if is_mentioned is None else not is_mentioned

    @property
    def _is_watching(self) -> bool:
        """Whether a closing tag may still turn the answer so far into a thought."""
        may_close = not self._has_thought or self._opening_family in self._inner_families
        return may_close and self._answer.length <= MAX_WATCHED_CHARS

    def _read_answer(self, is_end: bool) -> Iterator[tuple[Kind, str]]:
        is_watching = self._is_watching
        if not is_watching and self._answer_family is None:
            self._state = "settled"
            return
        length = len(self._held) if is_end else partial_tag_start(self._held)
        for tag in tags_in(self._held[:length]):
            if self._answer_family is not None and self._ends_answer(tag):
                answer = self._emit_text(tag.start)
                if ("closes_answer", self._answer_family) in tag.roles:
                    self._drop(tag.end - tag.start)
                self._state, self._has_thought = "before", True
                yield answer
                return
            family = tag.family("closes_thought")
            if not is_watching or family is None:
                continue
            before = str(self._answer) + self._held[: tag.start]
            ends = self._ends_unopened_thought(family, before, self._held[tag.end :], is_end=is_end)
            if ends is None:
                length = tag.start
                break
            if ends:
                if not self._has_thought:
                    self._has_thought = self.has_unopened_thought = True
                self.dropped_chars += self._answer.length
                self._drop(tag.end)
                self._answer, self._state = GrowingText(), "before"
                self._inner_families.clear()
                yield "text_retracted", before
                return
        yield self._emit_text(length)

    def _ends_answer(self, tag: Tag) -> bool:
        """Return whether a tag ends the answer of a model that puts tags around its answers."""
        if ("closes_answer", self._answer_family) in tag.roles:
            return True
        next_channels = (("opens_thought", "analysis"), ("opens_answer", "final"))
        return self._answer_family == "final" and any(role in next_channels for role in tag.roles)

    def _skip_tag(self, length: int) -> None:
        self._drop(length)
        if self._is_guess:
            self._is_guess, self.has_unopened_thought = False, False
        self._has_thought = True

    def _emit_text(self, length: int) -> tuple[Kind, str]:
        text, self._held = self._held[:length], self._held[length:]
        self._answer.add(text)
        return "text", text

    def _drop(self, length: int) -> None:
        self.dropped_chars += length
        self._held = self._held[length:]
