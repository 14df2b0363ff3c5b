"""Names of tools on their way to a model and back: what every server takes, and which tool is meant by what comes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b

MAX_NAME_CHARS = 64

MAX_WORDS = 2
"""Words in which a name is looked for, such as a namespace and a name; more of them are a sentence."""

_SAFE = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_NAME_CHARS}}}")
_UNSAFE_RUN = re.compile(r"[^A-Za-z0-9_-]+")

# A model's marks of its own channels, whole or cut off, e.g. "<|channel|>commentary".
_MARK = re.compile(r"<\|[^|<>]*(?:\|>?|>|$)")
_QUOTES = " \t\r\n\"'`*()[]{}<>,;"
# What stands between a namespace and a name: "functions.add", "to=functions.add", "github:read", "server/read".
_SEPARATOR = re.compile(r"[.:/=\s]+")
_COUNTER = re.compile(r":\d+$")


class ToolNames:
    """Two names of each tool: the one that the agent knows, and the one that is offered to the model.

    They differ where the agent's is one that servers refuse, such as ``read.item`` of an MCP server.

    Args:
        known: The names of the agent's tools.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        names = list(dict.fromkeys(known))
        self._offered = {name: name for name in names if _SAFE.fullmatch(name)}
        for name in names:
            if name not in self._offered:
                self._offered[name] = self._unused(_made_safe(name))
        self._known = {offered: name for name, offered in self._offered.items()}

    def offered(self, name: str) -> str:
        """Return what `name` is called towards the model: always a name that every server takes."""
        return self._offered.get(name) or _made_safe(name)

    def resolve(self, said: str) -> str:
        """Return the tool that a model means which said `said`; that itself where it means none."""
        if said in self._known:
            return self._known[said]
        if said in self._offered:
            return said
        for candidate in _candidates(said):
            name = candidate if candidate in self._offered else self._known.get(candidate)
            if name is None and candidate:
                name = self._known.get(_made_safe(candidate))
            if name is not None:
                return name
        return said

    def _unused(self, name: str) -> str:
        taken, number, unused = set(self._offered.values()), 2, name
        while unused in taken:
            ending = f"_{number}"
            unused, number = name[: MAX_NAME_CHARS - len(ending)] + ending, number + 1
        return unused


def _made_safe(name: str) -> str:
    if _SAFE.fullmatch(name):
        return name
    safe = _UNSAFE_RUN.sub("_", name).strip("_") or "tool"
    if len(safe) > MAX_NAME_CHARS:
        # Long names of one server often begin alike.
        safe = f"{safe[: MAX_NAME_CHARS - 9]}_{blake2b(name.encode(errors='replace'), digest_size=4).hexdigest()}"
    return safe


def _candidates(said: str) -> Iterator[str]:
    """Return what may be a name in what a model has said, likeliest first."""
    parts = [part.strip(_QUOTES) for part in _MARK.split(said[:1_000])]
    for part in parts:
        if part:
            yield part
            yield _COUNTER.sub("", part).strip(_QUOTES)
    for part in parts:
        part = _COUNTER.sub("", part)
        if len(part.split()) > MAX_WORDS:
            continue  # a sentence: "do not delete" names no tool
        # A name may hold separators of its own, and a remark may follow it.
        yield from (part[found.end() :].strip(_QUOTES) for found in _SEPARATOR.finditer(part))
        yield from (piece.strip(_QUOTES) for piece in reversed(_SEPARATOR.split(part)))
