"""Thoughts that a server leaves in the text of its model, between tags, told apart while the text arrives.

A model thinks before it speaks: ``<think>…</think>`` at the beginning is a thought. Some chat templates give the model
its opening tag themselves, and then only the closing one is in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from text.growing_text import GrowingText

Kind = Literal["text", "thought", "taken_back"]
"""Of a piece: ``taken_back`` holds what was said as text so far, and is a thought."""

# Opening and closing tag: of most models, and of Seed, Magistral and Kimi.
_TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
)
_CLOSERS = tuple(closer for _, closer in _TAGS)
_LONGEST = max(len(closer) for closer in _CLOSERS)

MAX_WATCHED_CHARS = 400_000
"""So far into a text a closing tag is looked for that nothing has opened."""


def without_thoughts(text: str) -> str:
    """Return what is said in a whole text."""
    splitter = ThoughtSplitter()
    pieces = [*splitter.feed(text), *splitter.close()]
    start = max((at + 1 for at, (kind, _) in enumerate(pieces) if kind == "taken_back"), default=0)
    return "".join(piece for kind, piece in pieces[start:] if kind == "text")


class ThoughtSplitter:
    """Takes a model's text as it arrives, however it is cut, and tells thoughts from what is said.

    What is blank before the first word, or around a thought, is nobody's.

    Args:
        begins_with_thought: Whether this model is known to leave out the opening tag.

    Attributes:
        has_unopened: Whether a thought was closed that nothing had opened; None where the text does not tell.
        dropped: How many characters of the text, tags and blanks included, were not said.
    """

    def __init__(self, *, begins_with_thought: bool = False) -> None:
        self.has_unopened: bool | None = None
        self.dropped = 0
        self._state: Literal["before", "thinking", "speaking"] = "before"
        self._held = ""
        self._closers: tuple[str, ...] = _CLOSERS
        self._has_thought = False
        self._said = GrowingText()
        self._is_guess = begins_with_thought
        if begins_with_thought:
            self._state = "thinking"

    def note_thought(self) -> None:
        """Note that the thought came elsewhere: blanks before the text belong to neither."""
        self._has_thought = True
        if self._state == "thinking":
            self._state, self._is_guess = "before", False

    def feed(self, text: str) -> list[tuple[Kind, str]]:
        """Return what `text` adds, in order; what may be the beginning of a tag waits for more."""
        if self._state == "speaking" and not self._held and "<" not in text and "[" not in text and "◁" not in text:
            # By far the most frequent.
            self._said.add(text)
            return [("text", text)]
        self._held += text
        return [piece for piece in self._take() if piece[1] or piece[0] == "taken_back"]

    def close(self) -> list[tuple[Kind, str]]:
        """Return what has waited for more."""
        held, self._held = self._held, ""
        if self._is_guess:
            # It spoke at once, this time.
            self._is_guess, self._state, whole = False, "speaking", str(self._said) + held
            self.dropped = 0 if whole.strip() else len(whole)
            self.has_unopened = False if whole.strip() else None
            return [("text", whole)] if whole.strip() else []
        if self._state == "thinking":
            self.dropped += len(held)
            return [("thought", held)] if held else []
        if self._state == "before" and not held.strip():
            self.dropped += len(held)
            return []
        self._said.add(held)
        return [("text", held)] if held else []

    def _take(self) -> Iterator[tuple[Kind, str]]:
        while True:
            step = {"before": self._before, "thinking": self._thinking, "speaking": self._speaking}[self._state]
            state = self._state
            yield from step()
            if self._state == state:
                return

    def _before(self) -> Iterator[tuple[Kind, str]]:
        text = self._held.lstrip()
        if not text:
            return
        head = text[:_LONGEST].lower()
        for opener, closer in _TAGS:
            for tag in (opener, closer):
                if head.startswith(tag):
                    self._drop(len(self._held) - len(text) + len(tag))
                    self._has_thought = True
                    if tag == opener:
                        self._state, self._closers = "thinking", (closer,)
                    else:
                        yield from self._before()  # an empty thought, which its template had opened
                    return
        if any(tag.startswith(head) for pair in _TAGS for tag in pair):
            return
        if self._has_thought:
            self._drop(len(self._held) - len(text))
        self._state = "speaking"

    def _thinking(self) -> Iterator[tuple[Kind, str]]:
        lowered = self._held.lower()
        found = [(at, closer) for closer in self._closers if (at := lowered.find(closer)) >= 0]
        if found:
            at, closer = min(found)
            thought = self._held[:at]
            self._drop(at + len(closer))
            self._state, self._has_thought = "before", True
            if self._is_guess:
                self._is_guess, self._said, self.has_unopened = False, GrowingText(), True
            yield "thought", thought
            return
        thought = self._held[: len(self._held) - _half_tag(lowered, self._closers)]
        if self._is_guess:
            self._said.add(thought)
        self._drop(len(thought))
        yield "thought", thought

    def _speaking(self) -> Iterator[tuple[Kind, str]]:
        if self._said.length > MAX_WATCHED_CHARS:
            yield self._say(len(self._held))
            return
        lowered = self._held.lower()
        found = [] if self._has_thought else [(at, c) for c in _CLOSERS if (at := lowered.find(c)) >= 0]
        if not found:
            yield self._say(len(self._held) - (0 if self._has_thought else _half_tag(lowered, _CLOSERS)))
            return
        at, closer = min(found)
        before = str(self._said) + self._held[:at]
        if not _is_thought(before, closer):
            yield self._say(at + len(closer))
            yield from self._speaking()
            return
        self._has_thought = self.has_unopened = True
        self.dropped += self._said.length
        self._drop(at + len(closer))
        self._said, self._state = GrowingText(), "before"
        yield "taken_back", before

    def _say(self, length: int) -> tuple[Kind, str]:
        text, self._held = self._held[:length], self._held[length:]
        self._said.add(text)
        return "text", text

    def _drop(self, length: int) -> None:
        self.dropped += length
        self._held = self._held[length:]


def _half_tag(lowered: str, tags: tuple[str, ...]) -> int:
    """Return how many characters at the end of a text may be the beginning of a tag."""
    for length in range(min(len(lowered), _LONGEST - 1), 0, -1):
        ending = lowered[-length:]
        if any(tag.startswith(ending) for tag in tags):
            return length
    return 0


def _is_thought(before: str, closer: str) -> bool:
    """Return whether a closing tag ends a thought, and is not what the text speaks about."""
    opener = next(opener for opener, each in _TAGS if each == closer)
    line = before.rpartition("\n")[2]
    is_quoted = line.count("`") % 2 == 1 or before.count("```") % 2 == 1 or (line[-1:] in "\"'“‘«" and line != "")
    return opener not in before.lower() and not is_quoted
