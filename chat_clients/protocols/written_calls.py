"""Calls of tools that a model writes into its text, where its server does not read them.

A server that is started without a parser for its model passes on what that has written: ``<tool_call>{…}</tool_call>``
of Hermes and Qwen, ``[TOOL_CALLS][…]`` of Mistral. Nobody means these words to be read. They are taken for calls only
at the end of an answer, at the beginning of a line, outside of code, where nothing follows them, and where every one of
them names a tool that was offered; all else is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from chat_clients.protocols.tool_names import ToolNames
from text.thoughts import Kind

MAX_HELD_CHARS = 64_000
"""A longer text is no call."""

_OPENERS = ("<tool_call>", "[TOOL_CALLS]")
_FENCE = "```"
_OPENED = re.compile(r"^[ \t]*(?:<tool_call>|\[TOOL_CALLS\])", re.MULTILINE)
_TAGGED = re.compile(r"\s*<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)\s*", re.DOTALL)
_FUNCTION = re.compile(r"<function=([^>\s]+)>(.*)</function>", re.DOTALL)
_PARAMETER = re.compile(r"\s*<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>\s*", re.DOTALL)
_NAMED = re.compile(r"\s*([A-Za-z0-9_.-]{1,64})\s*(?:\[ARGS\])?\s*(?=\{)")

Written = tuple[str, str]
"""A tool's name, and its arguments as JSON."""


class WrittenCalls:
    """Holds back what may be calls until the answer has ended.

    Args:
        names: The tools that were offered; without any, nothing is held back.
    """

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._held = ""
        self._is_open = False
        self._fences = 0
        self._ticks = ""
        self._is_line_start = True

    def without(self, pieces: Iterable[tuple[Kind, str]]) -> Iterator[tuple[Kind, str]]:
        """Return the pieces of a text that can be said now."""
        for kind, piece in pieces:
            if kind == "text_retracted":
                self.release()
            if kind != "text" or not self._names:
                yield kind, piece
            elif said := self._feed(piece):
                yield kind, said

    def calls(self) -> list[Written]:
        """Return what was held back as calls, and forget it; nothing where it is text."""
        found = _read(self._held) if self._is_open else None
        named = [(self._names.resolve(name), arguments) for name, arguments in found or ()]
        if not named or not all(name in self._names for name, _ in named):
            return []
        self.release()
        return named

    def release(self) -> str:
        """Return what was held back as text, and begin anew."""
        held, self._held = self._held, ""
        self._is_open, self._fences, self._ticks, self._is_line_start = False, 0, "", True
        return held

    def _feed(self, text: str) -> str:
        self._held += text
        if self._is_open:
            return self.release() if len(self._held) > MAX_HELD_CHARS else ""
        start = self._start()
        if start is None:
            start = len(self._held) - _half_opener(self._held, is_line_start=self._is_line_start)
        else:
            self._is_open = True
        said, self._held = self._held[:start], self._held[start:]
        ticked = self._ticks + said
        self._fences += ticked.count(_FENCE)
        # A fence may be cut.
        self._ticks = "`" * ((len(ticked) - len(ticked.rstrip("`"))) % len(_FENCE))
        _, newline, line = said.rpartition("\n")
        self._is_line_start = not line.strip(" \t") and (bool(newline) or self._is_line_start)
        return said

    def _start(self) -> int | None:
        """Return where in the text that is held a call may begin."""
        for found in _OPENED.finditer(self._held):
            is_in_code = (self._fences + (self._ticks + self._held[: found.start()]).count(_FENCE)) % 2
            if not is_in_code and (found.start() > 0 or self._is_line_start):
                return found.start()
        return None


def _half_opener(text: str, *, is_line_start: bool) -> int:
    """Return how many characters at the end of a text may be the beginning of a call."""
    _, newline, line = text.rpartition("\n")
    if not (newline or is_line_start):
        return 0
    mark = line.lstrip(" \t")
    return len(line) if any(opener.startswith(mark) for opener in _OPENERS) else 0


def _read(text: str) -> list[Written] | None:
    """Return the calls that a text consists of; None where there is anything else in it."""
    try:
        if text.lstrip().startswith("[TOOL_CALLS]"):
            return _read_mistral(text.lstrip().removeprefix("[TOOL_CALLS]"))
        calls, at = [], 0
        while at < len(text):
            found = _TAGGED.match(text, at)
            if found is None:
                return None
            calls.append(_read_tagged(found[1]))
            at = found.end()
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return calls


def _read_tagged(body: str) -> Written:
    if (function := _FUNCTION.fullmatch(body)) is None:
        return _written(json.loads(body))
    if _PARAMETER.sub("", function[2]).strip():
        raise ValueError("words between parameters")
    arguments = {name: _value(value) for name, value in _PARAMETER.findall(function[2])}
    return function[1], json.dumps(arguments)


def _value(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _read_mistral(body: str) -> list[Written]:
    if body.lstrip().startswith("["):
        return [_written(each) for each in json.loads(body)]
    calls, at = [], 0
    while at < len(body.rstrip()):
        found = _NAMED.match(body, at)
        if found is None:
            raise ValueError("no name of a tool")
        arguments, at = json.JSONDecoder().raw_decode(body, found.end())
        calls.append(_written({"name": found[1], "arguments": arguments}))
        while body.startswith("[TOOL_CALLS]", at):
            at += len("[TOOL_CALLS]")
    return calls


def _written(call: Any) -> Written:
    arguments = call["arguments"] if "arguments" in call else call.get("parameters", {})
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    if not isinstance(arguments, dict) or not isinstance(call["name"], str):
        raise TypeError("no call")
    return call["name"], json.dumps(arguments)
