"""The phrasings that the built-in model understands: a text leads to a reply in words or to tool calls."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chat_clients.offline.offline_phrase import OfflinePhrase

MAX_MATCHED_CHARS = 2_000
"""How much of the beginning of a message is searched, since a regular expression can be slow on long text."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool by name, and the arguments to call it with."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a phrase: words, or tool calls to be run in parallel."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


class PhraseBook:
    """A use case's phrases, ready to be searched.

    Raises:
        ValueError: When a pattern is not a regular expression, or a phrase has neither a tool nor words.
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
        """Examples of the phrases, in their order, without repetitions."""
        return list(dict.fromkeys(phrase.example for _, phrase in self._phrases if phrase.example))

    def find_reply(self, text: str, tools: Collection[str], *, must_call: bool = False) -> Reply | None:
        """Return the reply of the first phrase that matches a text; None when no phrase does.

        Args:
            text: What the person wrote.
            tools: The names of the tools that may be called. A phrase for another tool replies in words, if it has any.
            must_call: Whether the reply has to be a tool call.
        """
        text = text[:MAX_MATCHED_CHARS]
        for pattern, phrase in self._phrases:
            match = pattern.search(text)
            if match is None:
                continue
            if phrase.tool is not None and phrase.tool in tools:
                calls = tuple(ToolCall(phrase.tool, arguments) for arguments in _build_arguments(phrase, match))
                if calls:
                    return Reply(calls=calls)
            if phrase.say is not None and not must_call:
                return Reply(text=_fill_placeholders(phrase.say, match))
        return None


def _build_arguments(phrase: OfflinePhrase, match: re.Match[str]) -> Sequence[Mapping[str, Any]]:
    """Return the arguments of each call; without any there is no call."""
    if callable(phrase.arguments):
        arguments = phrase.arguments(match)
        return [arguments] if isinstance(arguments, Mapping) else list(arguments)
    groups = {name: value.strip() for name, value in match.groupdict().items() if value is not None}
    return [{**phrase.arguments, **groups}]


def _fill_placeholders(template: str, match: re.Match[str]) -> str:
    # Not `str.format`: other braces belong to the author's text, and attributes must not be accessible.
    groups = match.groupdict(default="")
    return _PLACEHOLDER.sub(lambda place: groups[place[1]].strip() if place[1] in groups else place[0], template)
