"""Members of a tool call that are unknown here, on their way back to the server that sent them.

Some servers refuse a conversation without them: Gemini wants its ``extra_content`` with a thought's signature, Kimi the
``reasoning_content`` beside the call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from agent_framework import Content

from framework.message_marks import PROVIDER_PROPERTY, REPLAY_ORIGIN, REPLAY_ROUND, replay_of

MAX_REPLAY_CHARS = 100_000
"""How long all that goes back with one call may be, as JSON; of more, nothing is kept, and words may tell the call."""


ORIGIN_KEY = "parlor.origin"
"""Under this name a content says which model it comes from."""


class Members:
    """Members of an object that arrives in pieces."""

    __slots__ = ("_pieces", "_texts")

    def __init__(self) -> None:
        self._pieces: dict[str, list[Any]] = {}
        self._texts: dict[str, list[str]] = {}

    def add(self, piece: Mapping[str, Any]) -> None:
        """Add the members of another piece: text to text, list to list."""
        for name, value in piece.items():
            if value is not None:
                self._pieces.setdefault(name, []).append(value)

    def add_text(self, name: str, text: str) -> None:
        """Add a piece of a member that is known to be a text, which may say the same twice."""
        self._texts.setdefault(name, []).append(text)

    @property
    def values(self) -> dict[str, Any]:
        """All of them."""
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        return {**texts, **{name: _joined(name, pieces) for name, pieces in self._pieces.items()}}


_TEXT_NAMES = ("content", "delta", "reason", "summary", "text", "thinking", "thought")


def _joined(name: str, pieces: list[Any]) -> Any:
    """Return the value that pieces make; of different types, the last."""
    last = pieces[-1]
    if len(pieces) == 1:
        return last
    if isinstance(last, str):
        texts = [piece for piece in pieces if isinstance(piece, str)]
        # What every piece repeats is a name or a signature, unless it is called a text.
        is_repeated = all(text == last for text in texts)
        return last if is_repeated and not _is_called_text(name) else "".join(texts)
    if isinstance(last, list):
        return [each for piece in pieces if isinstance(piece, list) for each in piece]
    if isinstance(last, Mapping):
        members: dict[str, list[Any]] = {}
        for piece in pieces:
            for key, value in piece.items() if isinstance(piece, Mapping) else ():
                members.setdefault(key, []).append(value)
        return {key: _joined(key, values) for key, values in members.items()}
    return last


def _is_called_text(name: str) -> bool:
    """Return whether a member's name says that it is a text, and not the signature of one."""
    lowered = name.lower()
    is_sealed = any(word in lowered for word in ("signature", "encrypted", "_id"))
    return not is_sealed and any(word in lowered for word in _TEXT_NAMES)


def build_replay(
    model: str | None, round_id: str, *, call: Members, function: Members | None = None, beside: Members | None = None
) -> dict[str, Any]:
    """Return what is noted on a call for its way back.

    Args:
        model: Who was asked: what it wants back goes to no other.
        round_id: A number that all calls of one answer of the model share.
        call: Members of the call.
        function: Members of its function.
        beside: Members of the message that holds the calls; given with the first of them.
    """
    replay: dict[str, Any] = {REPLAY_ORIGIN: model, REPLAY_ROUND: round_id}
    parts = {"call": call, "function": function, "beside": beside}
    members = {name: part.values for name, part in parts.items() if part is not None and part.values}
    if members and len(json.dumps(members)) <= MAX_REPLAY_CHARS:
        replay.update(members)
    return replay


def note_origin(origin: str | None, **more: Any) -> dict[str, Any]:
    """Return properties of a content that goes back to the model that it comes from, and to no other.

    Args:
        origin: Which model that is; None where it is not known.
        more: What else is noted for its way back.
    """
    noted: dict[str, Any] = {} if origin is None else {ORIGIN_KEY: origin}
    return {**noted, PROVIDER_PROPERTY: more} if more else noted


def comes_from_another(content: Content, origin: str | None) -> bool:
    """Return whether a content is known to come from another model than `origin`."""
    noted = content.additional_properties.get(ORIGIN_KEY) or (replay_of(content) or {}).get(REPLAY_ORIGIN)
    if noted is None or origin is None:
        return False
    # Threads remember calls of before the address was a part of it.
    return noted not in (origin, origin.rpartition("@")[0])


def build_origin(model: str, address: str) -> str:
    """Return what tells a model from all others, also from one of the same name elsewhere.

    Args:
        model: The model's name.
        address: The address of the model; it may hold a secret, and cannot be read from what is returned.
    """
    return f"{model}@{blake2b(address.encode(errors='replace'), digest_size=6).hexdigest()}"
