"""Names of tools: one that every server accepts for each, and the tool that a model means by a name."""

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

MAX_CALLED_CHARS = 1_000
"""How much of the name by which a model calls a tool is searched."""

MAX_WORDS = 2
"""How many words may contain a name, all others of which are a model's own; more words are a sentence."""

_SAFE_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_NAME_CHARS}}}")
_UNSAFE_CHARS = re.compile(r"[^A-Za-z0-9_-]+")

# A model's own special tokens, complete or cut off: "<|channel|>", "<｜tool▁sep｜>", "[TOOL_CALLS]", "</tool_call>".
_MODEL_TOKEN = re.compile(
    r"<[|｜][^|｜<>]*(?:[|｜]>?|>|$)|\[/?[A-Z_]{2,24}\]|</?(?:tool|function)[a-z_]{0,16}>|</?s>|<(?:eos|end_of_turn)>"
)
_QUOTES = ". \t\r\n\"'`´“”‘’«»*()[]{}<>,;"
# Separators between a namespace and a name: "functions.add", "functions->add", "mcp__shelf__read", "server/read".
_SEPARATOR = re.compile(r"(?:[.:/\\=\s]|[-=~]+>|→|__)+")
_BLANKS = re.compile(r"\s+")
# "functions → add"; not "Note: add".
_SPACED_SEPARATOR = re.compile(
    r"\b(functions?|tools?|tool_calls?|default_api|(?:recipient_)?name|to)\s*([.:/=]|[-=]>|→)\s+", re.IGNORECASE
)
# Suffixes that a model may add to a name: "add:json".
_FORMAT_SUFFIX = re.compile(r"(?:[.:/](?:json|commentary|call|args|arguments|code|python))+$", re.IGNORECASE)
# "functions_add"; a tool's own name may begin like that, too.
_NAMESPACE = re.compile(r"(?:functions?|tools?|default_api|api|mcp|multi_tool_use)[_-]", re.IGNORECASE)
_COUNTER = re.compile(r"[:#/]\d+$")
# "add(a=1)", also within "print(default_api.add(a=1))"; 'add{"a": 1}'.
_CALL_HEAD = re.compile(r"([^\s(){},;\"'`]+)\s?[({]")
_IGNORED_CHARS = re.compile(r"[\W_]+")

# Words that models write next to a name: namespaces, channels, formats.
_NOISE_WORDS = frozenset(
    {"functions", "function", "tools", "tool", "default_api", "api", "call", "tool_call", "tool_calls", "name", "to"}
    | {"recipient_name"}
    | {"commentary", "analysis", "final", "assistant", "recipient", "json", "python", "args", "arguments", "code"}
    | {"multi_tool_use", "mcp", "namespace", "invoke", ""}
)


class ToolNames:
    """Maps the agent's names of tools to the names that are offered to the model, and back.

    The two differ if servers would refuse the agent's name, such as ``read.item`` of an MCP server.

    Args:
        known: The names of the agent's tools.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        names = list(dict.fromkeys(known))
        self._offered = {name: name for name in names if _SAFE_NAME.fullmatch(name)}
        for name in names:
            if name not in self._offered:
                self._offered[name] = self._make_unique(_sanitize_name(name))
        self._by_offered = {offered: name for name, offered in self._offered.items()}
        self._by_folded: dict[str, set[str]] | None = None

    def __len__(self) -> int:
        """Return how many tools there are."""
        return len(self._offered)

    def __contains__(self, name: object) -> bool:
        """Return whether the agent has a tool of that name."""
        return name in self._offered

    def offered_name(self, name: str) -> str:
        """Return the name under which a tool is offered to the model, which every server accepts."""
        return self._offered.get(name) or _sanitize_name(name)

    def resolve(self, called: str) -> str:
        """Return the tool that a model means by a name; the name itself if it means no tool, or more than one."""
        if called in self._by_offered:
            return self._by_offered[called]
        if called in self._offered:
            return called
        candidates = list(dict.fromkeys(_candidate_names(called[:MAX_CALLED_CHARS])))
        tools = (
            _find_in_all(_find_whole, self._find_exact, candidates)
            # A name that resembles a tool's may also be a namespace with another tool's name: then it is ambiguous.
            or _find_in_all(_find_whole, self._find_similar, candidates)
            | _find_in_all(_find_within, self._find_exact, candidates)
            or _find_in_all(_find_within, self._find_similar, candidates)
        )
        return tools.pop() if len(tools) == 1 else called

    def _find_exact(self, name: str) -> set[str]:
        if name in self._offered:
            return {name}
        known = self._by_offered.get(name) or (name and self._by_offered.get(_sanitize_name(name)))
        return {known} if known else set()

    def _find_similar(self, name: str) -> set[str]:
        """Return the tools whose names differ only in case and in the characters between words."""
        if self._by_folded is None:
            self._by_folded = {}
            for offered, known in self._by_offered.items():
                for name_form in (offered, known):
                    self._by_folded.setdefault(_fold(name_form), set()).add(known)
        folded = _fold(name)
        return self._by_folded.get(folded, set()) if folded else set()

    def _make_unique(self, name: str) -> str:
        taken, number, unused = set(self._offered.values()), 2, name
        while unused in taken:
            ending = f"_{number}"
            unused, number = name[: MAX_NAME_CHARS - len(ending)] + ending, number + 1
        return unused


def _sanitize_name(name: str) -> str:
    if _SAFE_NAME.fullmatch(name):
        return name
    safe = _UNSAFE_CHARS.sub("_", name).strip("_") or "tool"
    if len(safe) > MAX_NAME_CHARS:
        # A hash, since long names of one server often have the same beginning.
        safe = f"{safe[: MAX_NAME_CHARS - 9]}_{blake2b(name.encode(errors='replace'), digest_size=4).hexdigest()}"
    return safe


def _fold(name: str) -> str:
    return _IGNORED_CHARS.sub("", normalize("NFKC", name)).casefold()


def _candidate_names(text: str) -> Iterator[str]:
    """Yield the names, perhaps with a namespace, in a model's text, without special tokens and arguments."""
    text = strip_blanks(text)
    for part in (text, *_MODEL_TOKEN.split(text)):
        if (named := _name_in_json(part.strip())) is not None:
            part = named
        heads = [head[1] for head in _CALL_HEAD.finditer(part)]
        for name in heads or [part]:
            yield _COUNTER.sub("", name.strip(_QUOTES)).strip(_QUOTES)


def _name_in_json(text: str) -> str | None:
    if not text.startswith("{"):
        return None
    try:
        call = json.loads(text)
    except (ValueError, RecursionError):
        return None
    name = call.get("name") if isinstance(call, dict) else None
    return name if isinstance(name, str) else None


def _find_in_all(search: Callable[[str, Finder], set[str]], find: Finder, candidates: Iterable[str]) -> set[str]:
    return {name for candidate in candidates for name in search(candidate, find)}


def _find_whole(candidate: str, find: Finder) -> set[str]:
    return find(candidate) if candidate else set()


def _find_within(candidate: str, find: Finder) -> set[str]:
    """Return the tools that a part of a candidate names: the longest ending that is a name, and tools before it.

    All other words must be a model's own, since a sentence names no tool.
    """
    words = [word.strip(_QUOTES) for word in _BLANKS.split(_SPACED_SEPARATOR.sub(r"\1\2", candidate))]
    if len(words) > MAX_WORDS:
        return set()
    tail = len(words)
    while tail > 1 and words[tail - 1].lower() in _NOISE_WORDS:
        tail -= 1
    if any(word.lower() not in _NOISE_WORDS for word in words[: tail - 1]):
        return set()
    name = _FORMAT_SUFFIX.sub("", words[tail - 1])
    ends = [separator.end() for separator in _SEPARATOR.finditer(name)]
    if namespace := _NAMESPACE.match(name):
        ends.append(namespace.end())
    for end in sorted(ends):
        if found := find(_COUNTER.sub("", name[end:]).strip(_QUOTES)):
            before = {tool for piece in _SEPARATOR.split(name[:end]) for tool in find(piece)}
            return found | before
    return find(name) if name != candidate else set()
