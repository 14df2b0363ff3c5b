"""Memory of what the servers of models refused, by model and by conversation, for as long as the process runs."""

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
WORDS_OF_A_PLACE = 3
"""Messages of a person by which a place in a conversation is known, with what was answered between them."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(slots=True)
class LearntOfModel:
    """Limits of a model's server, as far as they were learnt.

    Attributes:
        left_out: Members of a request, with the name that takes their place or None; ``name=value`` is one of a list.
        takes_pictures: Whether the model takes pictures.
        takes_system: Whether messages of the system are taken; if not, the person's first one says the same.
        begins_with_thought: Whether the text begins with a thought that nothing opens, as the chat template has done.
    """

    left_out: dict[str, str | None] = field(default_factory=dict)
    takes_pictures: bool = True
    takes_system: bool = True
    begins_with_thought: bool = False


class Learnt:
    """Memory of refusals, by model and by conversation; bounded, the oldest is forgotten first."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, LearntOfModel] = OrderedDict()
        self._forms: OrderedDict[bytes, HistoryForm] = OrderedDict()

    def of_model(self, model: str) -> LearntOfModel:
        """Return the knowledge about a model, which callers may add to."""
        if model not in self._models:
            _put(self._models, model, LearntOfModel(), MAX_MODELS)
        return self._models[model]

    def form_of(self, model: str, messages: Sequence[Message]) -> HistoryForm | None:
        """Return the form in which this conversation, or an earlier part of it, was taken after a refusal, or None."""
        if self._forms:
            for place in reversed(_places(model, messages)):
                for key in place:
                    if (form := self._forms.get(key)) is not None:
                        return form
        return None

    def remember(self, model: str, messages: Sequence[Message], form: HistoryForm) -> None:
        """Remember the form in which a conversation was taken, at its newest place."""
        for place in _places(model, messages)[-1:]:
            # One short sentence is said in many conversations: what is left out in one is not for that in another.
            is_alone = len(place) > 1 and form.max_chars is not None
            for key in place[:-1] if is_alone else place:
                _put(self._forms, key, form, MAX_KEYS)


def _put(known: OrderedDict[_Key, _Value], key: _Key, value: _Value, bound: int) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > bound:
        known.popitem(last=False)


def _places(model: str, messages: Iterable[Message]) -> list[tuple[bytes, ...]]:
    """Return the places of a conversation at which a person speaks, oldest first, each with what it is known by.

    That is what was said just before it, as far as it is sent: the oldest is left out one day. The first of its keys
    holds most of that, the last nothing but what the person says there.
    """
    places: list[tuple[bytes, ...]] = []
    said: deque[tuple[list[bytes], bytes]] = deque(maxlen=WORDS_OF_A_PLACE)
    answered: list[bytes] = []
    for message in messages:
        text = message.text.encode(errors="replace")
        if message.role == "assistant":
            answered.append(text)
        elif message.role == "user":
            said.append((answered, text))
            answered = []
            places.append(tuple(_digest(model, list(said)[at:]) for at in range(len(said))))
    return places


def _digest(model: str, said: Sequence[tuple[list[bytes], bytes]]) -> bytes:
    digest = blake2b(model.encode(errors="replace"), digest_size=16)
    for at, (answered, own) in enumerate(said):
        for text in (*answered, own) if at else (own,):
            digest.update(b"\0" + text)
    return digest.digest()
