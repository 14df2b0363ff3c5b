"""The few phrasings that the built-in model understands: text in, words or tool calls out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chat_clients.offline.offline_phrase import OfflinePhrase

MAX_MATCHED_CHARS = 2_000
"""How much of a message's beginning is searched: a regular expression can be slow on long text."""

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool by name, and the arguments to call it with."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """Outcome of a phrase: words, or tool calls to be run side by side."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


class PhraseBook:
    """A use case's phrases, ready to be searched.

    Raises:
        ValueError: When a phrase is no regular expression, or does nothing.
    """

    def __init__(self, phrases: Sequence[OfflinePhrase]) -> None:
        self._phrases: list[tuple[re.Pattern[str], OfflinePhrase]] = []
        for phrase in phrases:
            if phrase.tool is None and phrase.say is None:
                raise ValueError(f"offline phrase '{phrase.pattern}': it names neither a tool nor what to say")
            try:
                pattern = re.compile(phrase.pattern, re.IGNORECASE)
            except re.error as exc:
                raise ValueError(f"offline phrase '{phrase.pattern}': {exc}") from exc
            self._phrases.append((pattern, phrase))

    @property
    def examples(self) -> list[str]:
        """How a person would say what the phrases understand, in their order, each once."""
        return list(dict.fromkeys(phrase.example for _, phrase in self._phrases if phrase.example))

    def find_reply(self, text: str, tools: Collection[str], *, must_call: bool = False) -> Reply | None:
        """Return the reply of the first phrase that matches a text; None when no phrase does.

        Args:
            text: What the person wrote.
            tools: The names of the tools that may be called. A phrase for another tool only speaks, if it has words.
            must_call: Whether words will not do.
        """
        text = text[:MAX_MATCHED_CHARS]
        for pattern, phrase in self._phrases:
            match = pattern.search(text)
            if match is None:
                continue
            if phrase.tool is not None and phrase.tool in tools:
                calls = tuple(ToolCall(phrase.tool, arguments) for arguments in _arguments(phrase, match))
                if calls:
                    return Reply(calls=calls)
            if phrase.say is not None and not must_call:
                return Reply(text=_fill(phrase.say, match))
        return None


def _arguments(phrase: OfflinePhrase, match: re.Match[str]) -> Sequence[Mapping[str, Any]]:
    """Return the arguments of each call; an empty sequence calls nothing."""
    if callable(phrase.arguments):
        made = phrase.arguments(match)
        return [made] if isinstance(made, Mapping) else list(made)
    groups = {name: value.strip() for name, value in match.groupdict().items() if value is not None}
    return [{**phrase.arguments, **groups}]


def _fill(words: str, match: re.Match[str]) -> str:
    # Not str.format: braces that name no group are the author's own, and attributes must stay out of reach.
    groups = match.groupdict(default="")
    return _PLACE.sub(lambda place: groups[place[1]].strip() if place[1] in groups else place[0], words)
