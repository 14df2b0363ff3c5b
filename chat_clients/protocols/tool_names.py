"""Names of tools on their way to a model and back: what every server takes, and which tool is meant by what comes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from unicodedata import normalize

from text.blanks import strip_blanks

Finder = Callable[[str], set[str]]
"""Returns the tools that a name may mean."""

MAX_NAME_CHARS = 64

MAX_SAID_CHARS = 1_000
"""How much is looked at of the name by which a model calls a tool."""

MAX_WORDS = 2
"""Words in which a name is looked for, of which all but one are a model's own; more of them are a sentence."""

_SAFE = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_NAME_CHARS}}}")
_UNSAFE_RUN = re.compile(r"[^A-Za-z0-9_-]+")

# A model's own marks, whole or cut off: "<|channel|>", "<｜tool▁sep｜>", "[TOOL_CALLS]", "</tool_call>".
_MARK = re.compile(
    r"<[|｜][^|｜<>]*(?:[|｜]>?|>|$)|\[/?[A-Z_]{2,24}\]|</?(?:tool|function)[a-z_]{0,16}>|</?s>|<(?:eos|end_of_turn)>"
)
_QUOTES = ". \t\r\n\"'`´“”‘’«»*()[]{}<>,;"
# What stands between a namespace and a name: "functions.add", "functions->add", "mcp__shelf__read", "server/read".
_SEPARATOR = re.compile(r"(?:[.:/\\=\s]|[-=~]+>|→|__)+")
_BLANKS = re.compile(r"\s+")
# "functions → add"; not "Note: add".
_APART = re.compile(
    r"\b(functions?|tools?|tool_calls?|default_api|(?:recipient_)?name|to)\s*([.:/=]|[-=]>|→)\s+", re.IGNORECASE
)
# What a model may write behind a name: "add:json".
_REMARK = re.compile(r"(?:[.:/](?:json|commentary|call|args|arguments|code|python))+$", re.IGNORECASE)
# "functions_add", which may be the beginning of a name too.
_NAMESPACE = re.compile(r"(?:functions?|tools?|default_api|api|mcp|multi_tool_use)[_-]", re.IGNORECASE)
_COUNTER = re.compile(r"[:#/]\d+$")
# "add(a=1)", also within "print(default_api.add(a=1))"; 'add{"a": 1}'.
_HEAD = re.compile(r"([^\s(){},;\"'`]+)\s?[({]")
_FOLDED = re.compile(r"[\W_]+")

# What models write beside a name: namespaces, channels, formats.
_NOISE = frozenset(
    {"functions", "function", "tools", "tool", "default_api", "api", "call", "tool_call", "tool_calls", "name", "to"}
    | {"recipient_name"}
    | {"commentary", "analysis", "final", "assistant", "recipient", "json", "python", "args", "arguments", "code"}
    | {"multi_tool_use", "mcp", "namespace", "invoke", ""}
)


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
        self._folded: dict[str, set[str]] | None = None

    def __len__(self) -> int:
        """Return how many tools there are."""
        return len(self._offered)

    def __contains__(self, name: object) -> bool:
        """Return whether the agent has a tool of that name."""
        return name in self._offered

    def offered(self, name: str) -> str:
        """Return what `name` is called towards the model: always a name that every server takes."""
        return self._offered.get(name) or _made_safe(name)

    def resolve(self, said: str) -> str:
        """Return the tool that a model means which said `said`; that itself where it means none, or one of several."""
        if said in self._known:
            return self._known[said]
        if said in self._offered:
            return said
        readings = list(dict.fromkeys(_readings(said[:MAX_SAID_CHARS])))
        exactly = _all(_whole, self._exactly, readings)
        # What is nearly a name may be a namespace and a name as well: then both are meant, or none.
        nearly = exactly or _all(_whole, self._nearly, readings) | _all(_named_within, self._exactly, readings)
        found = nearly or _all(_named_within, self._nearly, readings)
        return found.pop() if len(found) == 1 else said

    def _exactly(self, name: str) -> set[str]:
        known = name if name in self._offered else self._known.get(name) or (name and self._known.get(_made_safe(name)))
        return {known} if known else set()

    def _nearly(self, name: str) -> set[str]:
        """Return the tools whose names differ in nothing but case, and in what stands between words."""
        if self._folded is None:
            self._folded = {}
            for offered, known in self._known.items():
                for each in (offered, known):
                    self._folded.setdefault(_fold(each), set()).add(known)
        folded = _fold(name)
        return self._folded.get(folded, set()) if folded else set()

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


def _fold(name: str) -> str:
    return _FOLDED.sub("", normalize("NFKC", name)).casefold()


def _readings(said: str) -> Iterator[str]:
    """Return what may be a name, perhaps with a namespace, in what a model has said: without marks and arguments."""
    said = strip_blanks(said)
    for part in (said, *_MARK.split(said)):
        if (named := _named_in_json(part.strip())) is not None:
            part = named
        heads = [head[1] for head in _HEAD.finditer(part)]
        for each in heads or [part]:
            yield _COUNTER.sub("", each.strip(_QUOTES)).strip(_QUOTES)


def _named_in_json(said: str) -> str | None:
    if not said.startswith("{"):
        return None
    try:
        call = json.loads(said)
    except (ValueError, RecursionError):
        return None
    name = call.get("name") if isinstance(call, dict) else None
    return name if isinstance(name, str) else None


def _all(parts: Callable[[str, Finder], set[str]], find: Finder, readings: Iterable[str]) -> set[str]:
    return {name for reading in readings for name in parts(reading, find)}


def _whole(reading: str, find: Finder) -> set[str]:
    return find(reading) if reading else set()


def _named_within(reading: str, find: Finder) -> set[str]:
    """Return the tools that are named within a reading, by the longest of its endings that names one.

    What stands around it must be no other tool, and no other words than a model's own: a sentence names no tool.
    """
    words = [word.strip(_QUOTES) for word in _BLANKS.split(_APART.sub(r"\1\2", reading))]
    if len(words) > MAX_WORDS:
        return set()
    tail = len(words)
    while tail > 1 and words[tail - 1].lower() in _NOISE:
        tail -= 1
    if any(word.lower() not in _NOISE for word in words[: tail - 1]):
        return set()
    name = _REMARK.sub("", words[tail - 1])
    ends = [separator.end() for separator in _SEPARATOR.finditer(name)]
    if namespace := _NAMESPACE.match(name):
        ends.append(namespace.end())
    for end in sorted(ends):
        if found := find(_COUNTER.sub("", name[end:]).strip(_QUOTES)):
            before = {each for piece in _SEPARATOR.split(name[:end]) for each in find(piece)}
            return found | before
    return find(name) if name != reading else set()
