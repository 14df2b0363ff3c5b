"""Keeps the unknown fields of a tool call, so that they can be sent back to the server that they come from.

Some servers refuse a conversation without them: Gemini needs its ``extra_content`` with a thought's signature, Kimi the
``reasoning_content`` beside the call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from agent_framework import Content

from framework.message_marks import PROVIDER_PROPERTY, REPLAY_ORIGIN, REPLAY_ROUND, read_replay

MAX_REPLAY_CHARS = 100_000
"""The longest JSON of the fields that are kept for one call; if it is longer, none of them are."""


ORIGIN_KEY = "parlor.origin"
"""Property of a content that names the model that it comes from."""


class Members:
    """The fields of an object that arrives in pieces."""

    __slots__ = ("_pieces", "_texts")

    def __init__(self) -> None:
        self._pieces: dict[str, list[Any]] = {}
        self._texts: dict[str, list[str]] = {}

    def add(self, piece: Mapping[str, Any]) -> None:
        """Add the fields of another piece."""
        for name, value in piece.items():
            if value is not None:
                self._pieces.setdefault(name, []).append(value)

    def add_text(self, name: str, text: str) -> None:
        """Add a piece of a field that is known to be a text, whose pieces may be equal."""
        self._texts.setdefault(name, []).append(text)

    @property
    def values(self) -> dict[str, Any]:
        """The complete fields."""
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        return {**texts, **{name: _join_values(name, pieces) for name, pieces in self._pieces.items()}}


_TEXT_NAMES = ("content", "delta", "reason", "summary", "text", "thinking", "thought")


def _join_values(name: str, pieces: list[Any]) -> Any:
    """Return the value of a field whose pieces have arrived; the last of them if their types differ."""
    last = pieces[-1]
    if len(pieces) == 1:
        return last
    if isinstance(last, str):
        texts = [piece for piece in pieces if isinstance(piece, str)]
        # A value that every piece repeats is a name or a signature, unless the field's name says that it is a text.
        is_repeated = all(text == last for text in texts)
        return last if is_repeated and not _is_text_name(name) else "".join(texts)
    if isinstance(last, list):
        return [item for piece in pieces if isinstance(piece, list) for item in piece]
    if isinstance(last, Mapping):
        members: dict[str, list[Any]] = {}
        for piece in pieces:
            for key, value in piece.items() if isinstance(piece, Mapping) else ():
                members.setdefault(key, []).append(value)
        return {key: _join_values(key, values) for key, values in members.items()}
    return last


def _is_text_name(name: str) -> bool:
    """Return whether the name of a field means a text, and not the signature of one."""
    lowered = name.lower()
    is_sealed = any(word in lowered for word in ("signature", "encrypted", "_id"))
    return not is_sealed and any(word in lowered for word in _TEXT_NAMES)


def build_replay(
    model: str | None, round_id: str, *, call: Members, function: Members | None = None, beside: Members | None = None
) -> dict[str, Any]:
    """Return the properties of a call that are sent back to its server.

    Args:
        model: The origin of the call; no other model is sent the fields.
        round_id: An id that all calls of one answer share.
        call: Unknown fields of the call.
        function: Unknown fields of the call's function.
        beside: Unknown fields of the message with the calls; only given for the first call.
    """
    replay: dict[str, Any] = {REPLAY_ORIGIN: model, REPLAY_ROUND: round_id}
    parts = {"call": call, "function": function, "beside": beside}
    members = {name: part.values for name, part in parts.items() if part is not None and part.values}
    if members and len(json.dumps(members)) <= MAX_REPLAY_CHARS:
        replay.update(members)
    return replay


def origin_properties(origin: str | None, **more: Any) -> dict[str, Any]:
    """Return properties for a content that is sent back to the model that it comes from, and to no other.

    Args:
        origin: The model, as `build_origin` names it; None if it is unknown.
        more: Further properties to send back.
    """
    properties: dict[str, Any] = {} if origin is None else {ORIGIN_KEY: origin}
    return {**properties, PROVIDER_PROPERTY: more} if more else properties


def is_from_other_model(content: Content, origin: str | None) -> bool:
    """Return whether a content is known to come from another model than `origin`."""
    known = content.additional_properties.get(ORIGIN_KEY) or (read_replay(content) or {}).get(REPLAY_ORIGIN)
    if known is None or origin is None:
        return False
    # Threads may hold calls from a time when an origin had no address.
    return known not in (origin, origin.rpartition("@")[0])


def build_origin(model: str, address: str) -> str:
    """Return a name that distinguishes a model from all others, even of the same name at another address.

    Args:
        model: The model's name.
        address: The address of the model, which may contain a secret; only a hash of it is returned.
    """
    return f"{model}@{blake2b(address.encode(errors='replace'), digest_size=6).hexdigest()}"
