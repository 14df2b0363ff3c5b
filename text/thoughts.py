"""Thoughts that a server leaves in the text of its model, between tags, told apart while the text arrives.

A model thinks before it speaks: ``<think>…</think>`` at the beginning is a thought. Some chat templates give the model
its opening tag themselves, and then only the closing one is in the text. A thought ends with any closing tag, also of
another name than it began with, unless that closes what was opened within it; a tag that the text speaks about, in
code or between quotes, is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from text.blanks import is_blank, leading_blanks
from text.growing_text import GrowingText
from text.tag_mentions import is_inner, is_mention
from text.thought_tags import Tag, half_tag_start, is_half_tag, tag_at, tags_in

Kind = Literal["text", "thought", "taken_back", "no_thought"]
"""The kind of a piece: ``taken_back`` holds what was text so far, and is a thought; with ``no_thought`` what was
thought so far is none, and follows as text."""

MAX_WATCHED_CHARS = 400_000
"""How far into a text a closing tag is looked for that nothing has opened."""

_PARAGRAPH = "\n\n"

# Some models end whatever they say with the tag that closes this one.
_NEVER_UNOPENED = "analysis"


def without_thoughts(text: str) -> str:
    """Return what is said in a whole text."""
    if not _may_hold_tag(text):
        return "" if is_blank(text) else text
    splitter = ThoughtSplitter()
    pieces = [*splitter.feed(text), *splitter.close()]
    start = max((at + 1 for at, (kind, _) in enumerate(pieces) if kind == "taken_back"), default=0)
    return "".join(piece for kind, piece in pieces[start:] if kind == "text")


def _may_hold_tag(text: str) -> bool:
    return "<" in text or "[" in text or "◁" in text


class ThoughtSplitter:
    """Takes a model's text as it arrives, however it is cut, and tells thoughts from what is said.

    What is blank before the first word, or around a thought, is nobody's.

    Args:
        begins_with_thought: Whether this model is known to leave out the opening tag. What no tag closes then was said
            all the same, if the model came to its end; where it was cut, it stays a thought.

    Attributes:
        has_unopened: Whether a thought was closed that nothing had opened; None where the text does not tell.
        dropped: How many characters of the text, tags and blanks included, were not said.
    """

    def __init__(self, *, begins_with_thought: bool = False) -> None:
        self.has_unopened: bool | None = None
        self.dropped = 0
        self._state: Literal["before", "thinking", "speaking", "settled"] = "before"
        self._held = ""
        self._has_thought = False
        self._is_guess = begins_with_thought
        self._said = GrowingText()
        self._thought = GrowingText()
        self._opener: str | None = None
        self._inner: set[str] = set()
        self._speech: str | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether only the end of the answer tells if what has come is a thought."""
        return self._is_guess

    def note_thought(self) -> None:
        """Note that the thought came elsewhere: blanks before the text belong to neither."""
        self._has_thought = True
        if self._thought.length == 0:
            self._is_guess = False

    def feed(self, text: str) -> list[tuple[Kind, str]]:
        """Return what `text` adds, in order; what may be the beginning of a tag waits for more."""
        if self._state == "settled":
            return [("text", text)]
        if not self._held and not _may_hold_tag(text):
            if self._state == "before" and self._is_begun_by(text):
                self._state = "speaking"
            if self._state == "speaking":
                self._said.add(text)
                return [("text", text)]
        self._held += text
        return list(self._take(is_end=False))

    def _is_begun_by(self, text: str) -> bool:
        """Return whether `text`, which holds no tag, is the first of what is said, with nothing to be left out."""
        has_more = self._is_guess or self._has_thought or self._said.length or self._speech is not None
        return not has_more and not is_blank(text)

    def close(self, *, is_whole: bool = True) -> list[tuple[Kind, str]]:
        """Return what has waited for more.

        Args:
            is_whole: Whether the model came to its end. Most often it is a long thought that is cut.
        """
        pieces = list(self._take(is_end=True)) if self._held else []
        if not self._is_guess or not is_whole:
            return pieces
        # It spoke at once, this time.
        self._is_guess, self._state, whole = False, "settled", str(self._thought)
        self.dropped = len(whole) if is_blank(whole) else 0
        self.has_unopened = None if is_blank(whole) else False
        return [] if is_blank(whole) else [("no_thought", ""), ("text", whole)]

    def _take(self, *, is_end: bool) -> Iterator[tuple[Kind, str]]:
        steps = {"before": self._before, "thinking": self._thinking, "speaking": self._speaking}
        while self._held:
            place = self._state, len(self._held)
            if self._state == "settled":
                yield self._say(len(self._held))
                return
            yield from (piece for piece in steps[self._state](is_end) if piece[1] or piece[0] == "taken_back")
            if place == (self._state, len(self._held)):
                return

    def _before(self, is_end: bool) -> Iterator[tuple[Kind, str]]:
        blanks = leading_blanks(self._held)
        text = self._held[blanks:]
        if not text:
            if is_end:
                if self._is_guess:
                    self._thought.add(self._held)
                self._drop(len(self._held))
            return
        if not is_end and is_half_tag(text):
            return
        tag = tag_at(text, 0)
        if tag is not None and (family := tag.family("opens")) is not None:
            self._note_tag(blanks + tag.end)
            if not tag.is_empty:
                self._state, self._opener, self._inner, self._thought = "thinking", family, set(), GrowingText()
            return
        if tag is not None and (family := tag.family("says", "wraps") if self._has_thought else tag.family("says")):
            self._note_tag(blanks + tag.end)
            self._speech = family
            return
        if tag is not None and (self._has_thought or tag.family("closes") not in (None, _NEVER_UNOPENED)):
            # An empty thought, which its template had opened; unless the text begins with speaking about it.
            is_spoken_of = False if self._has_thought else is_mention("", text[tag.end :], is_end=is_end)
            if is_spoken_of is None:
                return
            if not is_spoken_of:
                self._note_tag(blanks + tag.end)
                return
        if self._is_guess:
            self._state = "thinking"
            return
        if self._has_thought:
            self._drop(blanks)
        if self._said.length:
            self._said.add(_PARAGRAPH)
            self.dropped -= len(_PARAGRAPH)
            yield "text", _PARAGRAPH
        self._state = "speaking" if self._is_watching or self._speech is not None else "settled"

    def _thinking(self, is_end: bool) -> Iterator[tuple[Kind, str]]:
        length = len(self._held) if is_end else half_tag_start(self._held)
        for tag in tags_in(self._held[:length]):
            ends = self._ends_thought(tag, is_end=is_end)
            if ends is None:
                length = tag.start
                break
            if ends:
                thought = self._held[: tag.start]
                self._drop(tag.start)
                if tag.family("says") is None:
                    self._drop(tag.end - tag.start)
                if self._is_guess:
                    self._is_guess, self.has_unopened = False, True
                self._state, self._has_thought = "before", True
                yield "thought", thought
                return
        thought = self._held[:length]
        self._thought.add(thought)
        self._drop(length)
        yield "thought", thought

    def _ends_thought(self, tag: Tag, *, is_end: bool) -> bool | None:
        """Return whether a tag within a thought ends it; None where more must be known."""
        if tag.family("says") is not None:
            return True
        if (opened := tag.family("opens")) is not None:
            self._inner.add(opened)
            return False
        family = tag.family("closes")
        if family is None:
            return False
        before, after = str(self._thought) + self._held[: tag.start], self._held[tag.end :]
        if self._opener is None:
            return self._ends_unopened(family, before, after, is_end=is_end)
        if family != self._opener and family in self._inner:
            return False
        is_within = is_inner(before, after, is_end=is_end)
        return None if is_within is None else not is_within

    @staticmethod
    def _ends_unopened(family: str, before: str, after: str, *, is_end: bool) -> bool | None:
        if family == _NEVER_UNOPENED:
            return False
        is_spoken_of = is_mention(before, after, is_end=is_end)
        return None if is_spoken_of is None else not is_spoken_of

    @property
    def _is_watching(self) -> bool:
        """Whether a closing tag may come that nothing has opened, or that closes what was opened within a thought."""
        return (not self._has_thought or self._opener in self._inner) and self._said.length <= MAX_WATCHED_CHARS

    def _speaking(self, is_end: bool) -> Iterator[tuple[Kind, str]]:
        is_watching = self._is_watching
        if not is_watching and self._speech is None:
            self._state = "settled"
            return
        length = len(self._held) if is_end else half_tag_start(self._held)
        for tag in tags_in(self._held[:length]):
            if self._speech is not None and self._ends_speech(tag):
                said = self._say(tag.start)
                if ("said", self._speech) in tag.roles:
                    self._drop(tag.end - tag.start)
                self._state, self._has_thought = "before", True
                yield said
                return
            family = tag.family("closes")
            if not is_watching or family is None:
                continue
            before = str(self._said) + self._held[: tag.start]
            ends = self._ends_unopened(family, before, self._held[tag.end :], is_end=is_end)
            if ends is None:
                length = tag.start
                break
            if ends:
                if not self._has_thought:
                    self._has_thought = self.has_unopened = True
                self.dropped += self._said.length
                self._drop(tag.end)
                self._said, self._state = GrowingText(), "before"
                self._inner.clear()
                yield "taken_back", before
                return
        yield self._say(length)

    def _ends_speech(self, tag: Tag) -> bool:
        """Return whether a tag ends what is said, of a model that puts tags around that."""
        return ("said", self._speech) in tag.roles or (
            self._speech == "final" and any(each in (("opens", "analysis"), ("says", "final")) for each in tag.roles)
        )

    def _note_tag(self, length: int) -> None:
        self._drop(length)
        if self._is_guess:
            self._is_guess, self.has_unopened = False, False
        self._has_thought = True

    def _say(self, length: int) -> tuple[Kind, str]:
        text, self._held = self._held[:length], self._held[length:]
        self._said.add(text)
        return "text", text

    def _drop(self, length: int) -> None:
        self.dropped += length
        self._held = self._held[length:]
