"""Remembers what the servers of models have refused, by model and by conversation, until the process ends."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

from agent_framework import Message

from chat_clients.protocols.history_shape import HistoryForm

MAX_MODELS = 64
MAX_KEYS = 10_000
MESSAGES_PER_KEY = 3
"""How many of a person's messages, with the answers between them, the longest key of a conversation covers."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_ConversationTurn = tuple[list[bytes], bytes]
"""A message of the person, after the answers that came before it."""


@dataclass(slots=True)
class ModelLimits:
    """The limits and habits of a model's server that are known so far.

    Attributes:
        left_out_fields: Fields that requests leave out, each with the name to send its value under instead, or None;
            ``include=value`` is one value of that list.
        takes_pictures: Whether the model takes pictures.
        takes_system: Whether the server takes system messages; if not, their text goes into the person's first message.
        begins_with_thought: Whether the text begins with a thought without a tag, since the chat template opens it.
    """

    left_out_fields: dict[str, str | None] = field(default_factory=dict)
    takes_pictures: bool = True
    takes_system: bool = True
    begins_with_thought: bool = False


class RefusalMemory:
    """A bounded memory of refusals by model and by conversation; the oldest entries are dropped first."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, ModelLimits] = OrderedDict()
        self._forms: OrderedDict[bytes, HistoryForm] = OrderedDict()

    def model_limits(self, model: str) -> ModelLimits:
        """Return the limits of a model, which callers may modify."""
        if model not in self._models:
            _store_bounded(self._models, model, ModelLimits(), MAX_MODELS)
        return self._models[model]

    def find_form(self, model: str, messages: Sequence[Message]) -> HistoryForm | None:
        """Return the form in which a conversation, or an earlier part of it, was accepted after a refusal, or None."""
        if self._forms:
            for keys in reversed(_conversation_keys(model, messages)):
                for key in keys:
                    if (form := self._forms.get(key)) is not None:
                        return form
        return None

    def remember_form(self, model: str, messages: Sequence[Message], form: HistoryForm) -> None:
        """Remember the form in which a conversation was accepted, under the keys of the person's newest message."""
        for keys in _conversation_keys(model, messages)[-1:]:
            # The last key covers one message only, which may be "Yes" in many conversations: a history that is cut in
            # one need not be cut in the others.
            is_cut = len(keys) > 1 and form.max_chars is not None
            for key in keys[:-1] if is_cut else keys:
                _store_bounded(self._forms, key, form, MAX_KEYS)


def _store_bounded(entries: OrderedDict[_Key, _Value], key: _Key, value: _Value, max_entries: int) -> None:
    entries[key] = value
    entries.move_to_end(key)
    while len(entries) > max_entries:
        entries.popitem(last=False)


def _conversation_keys(model: str, messages: Iterable[Message]) -> list[tuple[bytes, ...]]:
    """Return the keys of each message of the person in a conversation, oldest message first.

    Each message has several keys, since the oldest part of a long conversation is no longer sent one day: the first key
    covers it with the most messages before it, the last one the message alone.
    """
    keys: list[tuple[bytes, ...]] = []
    turns: deque[_ConversationTurn] = deque(maxlen=MESSAGES_PER_KEY)
    answers: list[bytes] = []
    for message in messages:
        text = message.text.encode(errors="replace")
        if message.role == "assistant":
            answers.append(text)
        elif message.role == "user":
            turns.append((answers, text))
            answers = []
            keys.append(tuple(_digest(model, list(turns)[at:]) for at in range(len(turns))))
    return keys


def _digest(model: str, turns: Sequence[_ConversationTurn]) -> bytes:
    digest = blake2b(model.encode(errors="replace"), digest_size=16)
    for at, (answers, text) in enumerate(turns):
        for part in (*answers, text) if at else (text,):
            digest.update(b"\0" + part)
    return digest.digest()
