"""Finds the optional field of a request that a provider's refusal is about, and removes it.

Providers name the field in many ways: by an address in their error's JSON, or in a sentence. Here a field has its name
in the request; ``reasoning.effort`` is a field within a field, ``include=value`` one value of that list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chat_clients.http.refusal_meanings import split_address
from chat_clients.http.status_errors import ProviderStatusError

MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Names of the field for the maximum length of an answer."""

# A request needs these; every other field is optional, and can be removed.
_REQUIRED = frozenset({"model", "messages", "input", "instructions", "stream", "tools", "response_format", "text"})
# Optional fields that we add to every request; all others come from the author or the person.
_ADDED_BY_US = frozenset({"stream_options", "store", "include", "tool_choice"})
# Fields whose own fields are defined by the protocol, so that each of them can be refused and removed.
_WITH_SUBFIELDS = frozenset({"reasoning", "stream_options", "web_search_options", "audio", "text"})
# Addresses that begin with one of these point into the conversation, where any name may occur.
_CONVERSATION = frozenset({"messages", "input", "contents", "tools"})

_INCLUDE = "include="
_ENCRYPTED_REASONING = f"{_INCLUDE}reasoning.encrypted_content"

_UNNAMED_PARAMETERS = re.compile(
    r"\b(?:requested|specified|given|provided|these|some|following) parameters\b", re.IGNORECASE
)
_UNEXPECTED_FIELDS = re.compile(r"\(([^()]{1,300}) (?:was|were) unexpected\)")
_CONVERSATION_ITEMS = re.compile(
    r"\bitems?\b|\bblocks?\b|\brs_|verif|decrypt|\bin (?:the )?(?:input|messages)\b", re.IGNORECASE
)

# Phrases before or after a word that make it the name of a refused field: "parameter 'x'", "x is not supported",
# "does not support x", "unknown x".
_FIELD_CALLED = (
    r"\b(?:parameter|argument|field|option|property|key|member|input|name)s?\b(?: supplied| provided)?"
    r"\W{1,4}(?:\w+:?\W+)?"
)
_IS_REFUSED = (
    r"(?:not (?:supported|permitted|allowed|recogni[sz]ed|available|accepted|valid)|cannot be|can't be|no longer"
    r"|must be|should be|has to be|unsupported|unknown|unexpected|unrecogni[sz]ed|deprecated|invalid|out of range)"
)
_DOES_NOT_SUPPORT = (
    r"\b(?:(?:does|do|is|are|did) not|doesn't|cannot|not) (?:support|accept|allow|permit)(?:ed|s)?(?: the| a)? "
)
_UNKNOWN_FIELD = r"\b(?:only|invalid|unsupported|unknown|unexpected|unrecogni[sz]ed) "


def find_refused_field(body: Mapping[str, Any], refusal: ProviderStatusError) -> str | None:
    """Return the name of the optional field that a refusal is about; None if it is about something else."""
    # Longest first: some names contain others.
    names = sorted(_optional_fields(body), key=len, reverse=True)
    addressed = (name for name in names if _is_addressed(name, body, refusal))
    mentioned = (name for name in names if _is_mentioned(name, body, refusal))
    return next(addressed, None) or next(mentioned, None)


def find_suspect_fields(body: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that a refusal without a field's name may mean."""
    return [name for name in body if name not in _REQUIRED | _ADDED_BY_US]


def is_about_unnamed_fields(refusal: ProviderStatusError) -> bool:
    """Return whether a refusal is about some fields of the request without naming them."""
    return _UNNAMED_PARAMETERS.search(refusal.text) is not None


def find_replacement_name(name: str, refusal: ProviderStatusError) -> str | None:
    """Return the name that a server wants instead for the maximum length of an answer; None if it says none."""
    text = refusal.text
    if name not in MAX_TOKENS_FIELDS or not re.search(r"\b(?:use|instead|renamed|replaced)\b", text, re.IGNORECASE):
        return None
    return next((other for other in MAX_TOKENS_FIELDS if other != name and other in text), None)


def remove_field(body: dict[str, Any], name: str, other: str | None = None) -> None:
    """Remove a field from a request.

    Args:
        body: The request; the values of its fields are replaced, never modified.
        name: A name that `find_refused_field` has returned.
        other: The name to send the value under instead; None to drop it.
    """
    outer = "include" if name.startswith(_INCLUDE) else name.partition(".")[0]
    if outer not in body:
        return
    value = body.pop(outer)
    if rest := _remaining_value(name, value):
        body[outer] = rest
    elif other is not None:
        body.setdefault(other, value)


def _remaining_value(name: str, value: Any) -> Any:
    """Return a field's value without the part called `name`; None if that is the whole field."""
    if name.startswith(_INCLUDE):
        return [item for item in value if item != name.removeprefix(_INCLUDE)]
    inner = name.partition(".")[2]
    return {key: item for key, item in value.items() if key != inner} if inner else None


def _optional_fields(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the fields, subfields and values of ``include`` that can be removed from a request."""
    for name, value in body.items():
        if name == "include":
            yield from (f"{_INCLUDE}{item}" for item in value)
            continue
        if name in _WITH_SUBFIELDS and isinstance(value, Mapping):
            yield from (f"{name}.{subfield}" for subfield in value if f"{name}.{subfield}" != "text.format")
        if name == "tool_choice" and value not in ("auto", "none"):
            continue  # the caller relies on a tool being called
        if name not in _REQUIRED:
            yield name


def _is_addressed(name: str, body: Mapping[str, Any], refusal: ProviderStatusError) -> bool:
    """Return whether the JSON of a refusal points to a field by its address, e.g. ``"param": "reasoning.effort"``."""
    path = ["include"] if name.startswith(_INCLUDE) else name.split(".")
    unexpected = [
        address for found in _UNEXPECTED_FIELDS.findall(refusal.text) for address in re.findall(r"[\w.]+", found)
    ]
    for words in map(split_address, [*refusal.params, *unexpected]):
        contains_path = any(words[at : at + len(path)] == path for at in range(len(words)))
        if words[:1] and words[0] not in _CONVERSATION and (contains_path or words == path[1:]):
            return not name.startswith(_INCLUDE) or _is_refused_value(name, body, refusal)
    return False


def _is_refused_value(name: str, body: Mapping[str, Any], refusal: ProviderStatusError) -> bool:
    """Return whether a refusal of ``include`` means this value of the list.

    Where the refusal quotes no value, encrypted reasoning is meant if it is asked for: few servers know it.
    """
    if name.removeprefix(_INCLUDE) in refusal.text:
        return True
    return name == _ENCRYPTED_REASONING or _ENCRYPTED_REASONING not in _optional_fields(body)


def _is_mentioned(name: str, body: Mapping[str, Any], refusal: ProviderStatusError) -> bool:
    """Return whether the sentences of a refusal are about a field."""
    text = refusal.text
    if name.startswith(_INCLUDE):
        return _is_include_mentioned(name, body, refusal)
    outer, _, inner = name.partition(".")
    if inner:
        return (
            _contains_name(f"{outer}.{inner}", text)
            or _contains_name(f"{outer}_{inner}", text)
            or (outer == "text" and _is_refused_as_word(inner, text))
        )
    return _contains_name(name, text) if "_" in name else _is_refused_as_word(name, text)


def _is_include_mentioned(name: str, body: Mapping[str, Any], refusal: ProviderStatusError) -> bool:
    """Return whether the sentences of a refusal are about a value of ``include``."""
    text = refusal.text
    # A refusal of encrypted reasoning that we sent back is not about asking for more of it.
    is_about_item = _CONVERSATION_ITEMS.search(text) is not None
    if name.removeprefix(_INCLUDE) in text:
        return not is_about_item
    if name == _ENCRYPTED_REASONING and "encrypted" in text.lower() and not is_about_item:
        return True
    return _is_refused_as_word("include", text) and _is_refused_value(name, body, refusal)


def _contains_name(name: str, text: str) -> bool:
    """Return whether a text contains a name that is no ordinary word: in snake case, in camel case or with spaces."""
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    spaced = re.sub(r"[_.]", " ", name)
    return any(
        re.search(rf"(?<![\w.]){re.escape(spelling)}\b", text, re.IGNORECASE)
        for spelling in dict.fromkeys((name, camel, spaced))
    )


def _is_refused_as_word(word: str, text: str) -> bool:
    """Return whether a text refuses a field whose name is also an ordinary word: quotes it, or calls it unsupported."""
    escaped = re.escape(word)
    # The role of a message, "role 'user'", is not the field `user`.
    text = re.sub(r"\broles?\W+['\"`]?\w+", "", text, flags=re.IGNORECASE)
    patterns = (
        rf"['\"`“‘]{escaped}['\"`”’.\[]",
        rf"{_FIELD_CALLED}{escaped}\b",
        rf"\b{escaped}\b(?:\W+[\w.]+){{0,3}}?\W+{_IS_REFUSED}",
        rf"{_DOES_NOT_SUPPORT}{escaped}\b",
        rf"{_UNKNOWN_FIELD}{escaped}\b(?! and\b)",
    )
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)
