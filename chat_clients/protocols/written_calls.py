"""Finds tool calls in the text of a model whose server does not parse them.

A server that is started without a parser for its model passes on the model's text: ``<tool_call>{…}</tool_call>`` of
Hermes and Qwen, ``[TOOL_CALLS][…]`` of Mistral. Such text is taken for calls only if it begins at the start of a line,
outside of code, extends to the end of the answer, and every call in it names a tool that was offered. Anything else
stays text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from chat_clients.protocols.tool_names import ToolNames
from text.thoughts import Kind

MAX_HELD_CHARS = 64_000
"""The longest text that may be calls."""

_OPENERS = ("<tool_call>", "[TOOL_CALLS]")
_FENCE = "```"
_OPENER = re.compile(r"^[ \t]*(?:<tool_call>|\[TOOL_CALLS\])", re.MULTILINE)
_TAGGED_CALL = re.compile(r"\s*<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)\s*", re.DOTALL)
_XML_FUNCTION = re.compile(r"<function=([^>\s]+)>(.*)</function>", re.DOTALL)
_XML_PARAMETER = re.compile(r"\s*<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>\s*", re.DOTALL)
_MISTRAL_NAME = re.compile(r"\s*([A-Za-z0-9_.-]{1,64})\s*(?:\[ARGS\])?\s*(?=\{)")

NamedArguments = tuple[str, str]
"""The name of a tool, and the arguments as JSON."""


class WrittenCalls:
    """Holds back text that may be calls until the answer has ended.

    Args:
        names: The names of the tools that were offered; without any, nothing is held back.
    """

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._held = ""
        self._is_open = False
        self._fences = 0
        self._open_ticks = ""
        self._is_line_start = True

    def hold_back(self, pieces: Iterable[tuple[Kind, str]]) -> Iterator[tuple[Kind, str]]:
        """Yield the pieces of a text that cannot be part of a call."""
        for kind, piece in pieces:
            if kind == "text_retracted":
                self.release()
            if kind != "text" or not self._names:
                yield kind, piece
            elif text := self._feed(piece):
                yield kind, text

    def take_calls(self) -> list[NamedArguments]:
        """Return the held text as calls, and drop it; an empty list if it is not calls of offered tools."""
        calls = _parse_calls(self._held) if self._is_open else None
        resolved = [(self._names.resolve(name), arguments) for name, arguments in calls or ()]
        if not resolved or not all(name in self._names for name, _ in resolved):
            return []
        self.release()
        return resolved

    def release(self) -> str:
        """Return the held text as text, and start again."""
        held, self._held = self._held, ""
        self._is_open, self._fences, self._open_ticks, self._is_line_start = False, 0, "", True
        return held

    def _feed(self, text: str) -> str:
        self._held += text
        if self._is_open:
            return self.release() if len(self._held) > MAX_HELD_CHARS else ""
        start = self._find_call_start()
        if start is None:
            start = len(self._held) - _partial_opener_length(self._held, is_line_start=self._is_line_start)
        else:
            self._is_open = True
        released, self._held = self._held[:start], self._held[start:]
        # A fence may be cut in two.
        with_ticks = self._open_ticks + released
        self._fences += with_ticks.count(_FENCE)
        self._open_ticks = "`" * ((len(with_ticks) - len(with_ticks.rstrip("`"))) % len(_FENCE))
        _, newline, line = released.rpartition("\n")
        self._is_line_start = not line.strip(" \t") and (bool(newline) or self._is_line_start)
        return released

    def _find_call_start(self) -> int | None:
        """Return the index in the held text at which calls may begin, or None."""
        for match in _OPENER.finditer(self._held):
            is_in_code = (self._fences + (self._open_ticks + self._held[: match.start()]).count(_FENCE)) % 2
            if not is_in_code and (match.start() > 0 or self._is_line_start):
                return match.start()
        return None


def _partial_opener_length(text: str, *, is_line_start: bool) -> int:
    """Return how many characters at the end of a text may be the beginning of a call's opening mark."""
    _, newline, line = text.rpartition("\n")
    if not (newline or is_line_start):
        return 0
    mark = line.lstrip(" \t")
    return len(line) if any(opener.startswith(mark) for opener in _OPENERS) else 0


def _parse_calls(text: str) -> list[NamedArguments] | None:
    """Return the calls that a text consists of; None if it contains anything else."""
    try:
        if text.lstrip().startswith("[TOOL_CALLS]"):
            return _parse_mistral(text.lstrip().removeprefix("[TOOL_CALLS]"))
        calls, at = [], 0
        while at < len(text):
            match = _TAGGED_CALL.match(text, at)
            if match is None:
                return None
            calls.append(_parse_tagged(match[1]))
            at = match.end()
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return calls


def _parse_tagged(body: str) -> NamedArguments:
    if (function := _XML_FUNCTION.fullmatch(body)) is None:
        return _parse_call(json.loads(body))
    if _XML_PARAMETER.sub("", function[2]).strip():
        raise ValueError("words between parameters")
    arguments = {name: _parse_value(value) for name, value in _XML_PARAMETER.findall(function[2])}
    return function[1], json.dumps(arguments)


def _parse_value(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _parse_mistral(body: str) -> list[NamedArguments]:
    if body.lstrip().startswith("["):
        return [_parse_call(call) for call in json.loads(body)]
    calls, at = [], 0
    while at < len(body.rstrip()):
        match = _MISTRAL_NAME.match(body, at)
        if match is None:
            raise ValueError("no name of a tool")
        arguments, at = json.JSONDecoder().raw_decode(body, match.end())
        calls.append(_parse_call({"name": match[1], "arguments": arguments}))
        while body.startswith("[TOOL_CALLS]", at):
            at += len("[TOOL_CALLS]")
    return calls


def _parse_call(call: Any) -> NamedArguments:
    arguments = call["arguments"] if "arguments" in call else call.get("parameters", {})
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    if not isinstance(arguments, dict) or not isinstance(call["name"], str):
        raise TypeError("no call")
    return call["name"], json.dumps(arguments)
