"""The culprit of a refusal, among the optional members of the request that was really sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chat_clients.http.refusal_meanings import words_of_address
from chat_clients.http.status_errors import ProviderStatusError

LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Names for the longest length of an answer."""

_OURS = frozenset({"stream_options", "store", "include", "tool_choice"})
"""The members that every request has by itself; all other wishes are the author's, or the person's."""

_NO_NAMES = re.compile(r"\b(?:requested|specified|given|provided|these|some|following) parameters\b", re.IGNORECASE)

ENCRYPTED = "include=reasoning.encrypted_content"

# What a request is made of; all else is a wish, and can be left out.
_NEEDED = frozenset({"model", "messages", "input", "instructions", "stream", "tools", "response_format", "text"})
# Members whose own members are of the protocol, and not the author's.
_DIVIDED = frozenset({"reasoning", "stream_options", "web_search_options", "audio", "text"})
# In an address that begins so, the names are those of what was said.
_SPOKEN = frozenset({"messages", "input", "contents", "tools"})

_CALLED = (
    r"\b(?:parameter|argument|field|option|property|key|member|input|name)s?\b(?: supplied| provided)?"
    r"\W{1,4}(?:\w+:?\W+)?"
)
_IS_REFUSED = (
    r"(?:not (?:supported|permitted|allowed|recogni[sz]ed|available|accepted|valid)|cannot be|can't be|no longer"
    r"|must be|should be|has to be|unsupported|unknown|unexpected|unrecogni[sz]ed|deprecated|invalid|out of range)"
)
_REFUSES = r"\b(?:(?:does|do|is|are|did) not|doesn't|cannot|not) (?:support|accept|allow|permit)(?:ed|s)?(?: the| a)? "
_ALONE = r"\b(?:only|invalid|unsupported|unknown|unexpected|unrecogni[sz]ed) "
_UNEXPECTED = re.compile(r"\(([^()]{1,300}) (?:was|were) unexpected\)")
_ABOUT_ITEMS = re.compile(
    r"\bitems?\b|\bblocks?\b|\brs_|verif|decrypt|\bin (?:the )?(?:input|messages)\b", re.IGNORECASE
)


def find_culprit(body: Mapping[str, Any], refusal: ProviderStatusError) -> str | None:
    """Return the name of the optional member that a refusal is about, or None.

    ``reasoning.effort`` is a member of a member, ``include=value`` one value of the list.
    """
    # Longest first: some names hold others.
    names = sorted(_wishes(body), key=len, reverse=True)
    addressed = (name for name in names if _is_addressed(name, body, refusal))
    spoken = (name for name in names if _is_spoken_of(name, body, refusal))
    return next(addressed, None) or next(spoken, None)


def unnamed_culprits(body: Mapping[str, Any]) -> list[str]:
    """Return the members of a request that may be what is refused where a server names none."""
    return [name for name in body if name not in _NEEDED | _OURS]


def is_about_unnamed(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal is about members of the request, and does not say which."""
    return _NO_NAMES.search(refusal.text) is not None


def other_name(name: str, refusal: ProviderStatusError) -> str | None:
    """Return under which name a server wants the longest length instead, if that is what it says."""
    if name not in LENGTHS or not re.search(r"\b(?:use|instead|renamed|replaced)\b", refusal.text, re.IGNORECASE):
        return None
    return next((other for other in LENGTHS if other != name and other in refusal.text), None)


def leave_out(body: dict[str, Any], name: str, other: str | None = None) -> None:
    """Take a member out of a request.

    Args:
        body: The request; its members are replaced, not changed.
        name: As `find_culprit` returns it.
        other: The name that takes its place, or None.
    """
    outer, _, inner = name.partition(".") if not name.startswith("include=") else ("include", "", "")
    if outer not in body:
        return
    if outer == "include":
        kept: Any = [value for value in body["include"] if value != name.removeprefix("include=")]
    elif inner:
        kept = {key: value for key, value in body[outer].items() if key != inner}
    else:
        kept = None
    value = body.pop(outer)
    if kept:
        body[outer] = kept
    elif other is not None:
        body.setdefault(other, value)


def _wishes(body: Mapping[str, Any]) -> Iterator[str]:
    """Return the members of a request that can be left out."""
    for name, value in body.items():
        if name == "include":
            yield from (f"include={each}" for each in value)
        if name in _DIVIDED and isinstance(value, Mapping):
            yield from (f"{name}.{each}" for each in value if f"{name}.{each}" != "text.format")
        if name == "tool_choice":
            if value in ("auto", "none"):
                yield name
        elif name not in _NEEDED and name != "include":
            yield name


def _is_addressed(name: str, body: Mapping[str, Any], refusal: ProviderStatusError) -> bool:
    """Return whether a server says in a member of its own that it is about this one."""
    path = ["include"] if name.startswith("include=") else name.split(".")
    unexpected = [each for found in _UNEXPECTED.findall(refusal.text) for each in re.findall(r"[\w.]+", found)]
    for words in map(words_of_address, [*refusal.params, *unexpected]):
        is_whole = any(words[at : at + len(path)] == path for at in range(len(words)))
        if words[:1] and words[0] not in _SPOKEN and (is_whole or words == path[1:]):
            return not name.startswith("include=") or _is_value_meant(name, body, refusal)
    return False


def _is_value_meant(name: str, body: Mapping[str, Any], refusal: ProviderStatusError) -> bool:
    """Return whether this value of ``include`` is meant where the list is named: unless it says so, what few need."""
    return name.removeprefix("include=") in refusal.text or name == ENCRYPTED or ENCRYPTED not in _wishes(body)


def _is_spoken_of(name: str, body: Mapping[str, Any], refusal: ProviderStatusError) -> bool:
    """Return whether a refusal's sentences are about this member."""
    text = refusal.text
    if name.startswith("include="):
        if name.removeprefix("include=") in text:
            return not _is_about_item(refusal)
        if name == ENCRYPTED and "encrypted" in text.lower() and not _is_about_item(refusal):
            return True
        return _is_word_refused("include", text) and _is_value_meant(name, body, refusal)
    outer, _, inner = name.partition(".")
    if inner:
        return (
            _is_word_found(f"{outer}.{inner}", text)
            or _is_word_found(f"{outer}_{inner}", text)
            or (outer == "text" and _is_word_refused(inner, text))
        )
    return _is_word_found(name, text) if "_" in name else _is_word_refused(name, text)


def _is_about_item(refusal: ProviderStatusError) -> bool:
    """Return whether a sealed thought is refused, and not the wish for more of them."""
    return _ABOUT_ITEMS.search(refusal.text) is not None


def _is_word_found(name: str, text: str) -> bool:
    """Return whether a name that is no word of other sentences is in a text, in any spelling."""
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    spaced = re.sub(r"[_.]", " ", name)
    return any(
        re.search(rf"(?<![\w.]){re.escape(each)}\b", text, re.IGNORECASE)
        for each in dict.fromkeys((name, camel, spaced))
    )


def _is_word_refused(word: str, text: str) -> bool:
    """Return whether a word that people use too is called a member in a text, or is what is not taken."""
    found = re.escape(word)
    text = re.sub(r"\broles?\W+['\"`]?\w+", "", text, flags=re.IGNORECASE)  # of whom a message is
    patterns = (
        rf"['\"`“‘]{found}['\"`”’.\[]",
        rf"{_CALLED}{found}\b",
        rf"\b{found}\b(?:\W+[\w.]+){{0,3}}?\W+{_IS_REFUSED}",
        rf"{_REFUSES}{found}\b",
        rf"{_ALONE}{found}\b(?! and\b)",
    )
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)
