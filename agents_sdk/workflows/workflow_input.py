"""Input of a workflow: the person's message, its pictures and files, and the variables of the session."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from errors import AgentError

Item = dict[str, Any]
"""An input item of the Responses API."""

_PICTURE = re.compile(r"image|picture|photo|screenshot", re.IGNORECASE)
# Only the platform writes these tags beside a person's words; within their own words they are escaped.
_OURS = re.compile(r"<(?:quoted_text|mention|file)\b|\[The attachment “")
_HISTORY = re.compile(r"^(conversation_)?history$|^messages$|^conversation$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PersonsMessage:
    """The message that is answered, and what was said before it.

    Attributes:
        item: The whole message with its pictures and files, as an input item.
        history: The input items before it.
    """

    item: Item
    history: Sequence[Item]

    @property
    def text(self) -> str:
        """The words of the person, without quotes, files and other parts."""
        return "\n".join(str(part["text"]) for part in self.item["content"] if not _is_extra(part))

    @property
    def extras(self) -> list[Item]:
        """The parts of the message besides its words: pictures, files, what was quoted and mentioned."""
        return [part for part in self.item["content"] if _is_extra(part)]

    @property
    def pictures(self) -> list[str]:
        """The pictures of the message as URLs."""
        return [str(part["image_url"]) for part in self.extras if part.get("image_url")]

    def continued(self, items: Sequence[Item]) -> list[Item]:
        """Return a conversation that begins with the message, with all that was said before it.

        Args:
            items: The conversation; the message in it is as the file writes it, which is its words at most.
        """
        own, *more = items
        content = own.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else list(content or ())
        if not any(part.get("type") != "input_text" for part in parts):
            parts += self.extras
        return [*_copies(self.history), {**own, "content": parts}, *more]

    def with_history(self, given: Any) -> Any:
        """Return the input of an agent with all that was said before, if it begins with the message.

        Instructions of the file may stand in front of it. Any other input is the file's own, and stays as it is: one
        that begins with the history already, for instance.
        """
        if isinstance(given, str):
            # Files may take off what is blank around it.
            is_the_message = given.strip() == self.text.strip()
            return [*_copies(self.history), *_copies([self.item])] if is_the_message else given
        if not isinstance(given, list) or not all(isinstance(each, Mapping) for each in given):
            return given
        at = next((n for n, each in enumerate(given) if each.get("role") not in ("system", "developer")), None)
        if at is None or given[at].get("role") != "user" or self.text.strip() not in _texts(given[at]):
            return given
        if self.history and _texts(given[at]) == _texts(self.history[0]) and self._begins_like_history(given[at:]):
            return given
        return [*given[:at], *self.continued(given[at:])]

    def _begins_like_history(self, given: Sequence[Mapping[str, Any]]) -> bool:
        said = [(each.get("role"), _texts(each)) for each in self.history if each.get("role")]
        return said == [(each.get("role"), _texts(each)) for each in given if each.get("role")][: len(said)]


class LooseInput(dict[str, Any]):
    """An input for a function that does not say what it takes: its values are keys, and attributes too."""

    def __getattr__(self, name: str) -> Any:
        """Return a value by its key."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """Return the values, as a model does."""
        return dict(self)


def build_message(items: Sequence[Item], text: str | None = None) -> PersonsMessage:
    """Return the message that is answered.

    Args:
        items: The thread as input items, oldest first.
        text: The words of the message, when other items follow it; None for the person's newest message.
    """
    for at in range(len(items) - 1, -1, -1):
        if items[at].get("role") == "user":
            found = PersonsMessage(items[at], items[:at])
            if text is None or found.text == text:
                return found
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text or ""}]}
    return PersonsMessage(said, items)


def call_workflow(
    function: Callable[..., Any], message: PersonsMessage, variables: Mapping[str, Any], use_case: str
) -> Callable[[], Any]:
    """Return a call of the workflow's function with the input that it takes.

    Args:
        function: The function of the file.
        message: The person's message.
        variables: The state variables from the server that opened the session.
        use_case: The use case, for errors.

    Raises:
        AgentError: When its input wants something that nobody gives.
    """
    first = next(iter(inspect.signature(function, eval_str=False).parameters.values()))
    kind = _kind(function, first.annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {name: (field.annotation, field.is_required()) for name, field in kind.model_fields.items()}
        given = _values(fields, message, variables)
        try:
            value: Any = kind.model_validate(given)
        except ValidationError as exc:
            wanted = ", ".join(sorted({".".join(map(str, each["loc"])) or kind.__name__ for each in exc.errors()}))
            raise AgentError(
                "This assistant lacks something that it needs to answer.",
                f"use case '{use_case}': {kind.__name__} wants {wanted}; give it a default in the file, or send it as "
                "a state variable of the session",
            ) from exc
    elif isinstance(kind, type) and is_dataclass(kind):
        annotations = {name: (each, True) for name, each in kind.__annotations__.items()}
        value = kind(**_values(annotations, message, variables))
    elif kind is str:
        value = message.text
    else:
        value = LooseInput({**variables, "input_as_text": message.text})
    return lambda: function(value)


def _kind(function: Callable[..., Any], annotation: Any) -> Any:
    if isinstance(annotation, str):
        return function.__globals__.get(annotation, {"str": str, "dict": dict}.get(annotation))
    return annotation


def _values(fields: Mapping[str, tuple[Any, bool]], message: PersonsMessage, variables: Mapping[str, Any]) -> Item:
    given: Item = {}
    texts = [name for name, (kind, is_needed) in fields.items() if "str" in str(kind) and is_needed]
    for name, (kind, _) in fields.items():
        is_list = "list" in str(kind).lower() or "Sequence" in str(kind)
        if name in variables:
            given[name] = variables[name]
        elif name == "input_as_text" or ("input_as_text" not in fields and texts[:1] == [name]):
            given[name] = message.text
        elif _PICTURE.search(name) and message.pictures and "bytes" not in str(kind):
            given[name] = message.pictures if is_list else message.pictures[0]
        elif _HISTORY.search(name) and is_list:
            given[name] = _plain_items(message.history)
    return given


def _texts(item: Mapping[str, Any]) -> list[Any]:
    """Return the texts of an input item."""
    content = item.get("content")
    if isinstance(content, str):
        return [content]
    return [part.get("text") for part in content or () if isinstance(part, Mapping)]


def _plain_items(items: Sequence[Item]) -> list[Item]:
    """Return the texts of items in the shortest form of the SDK's input items, which exported files can read."""
    said = [
        (str(each["role"]), "\n".join(str(text) for text in _texts(each) if text)) for each in items if each.get("role")
    ]
    return [{"role": role, "content": text} for role, text in said if text]


def _copies(items: Sequence[Item]) -> list[Item]:
    """Return items that a file may change, as those that mask personal data do."""
    return [
        {**item, "content": [dict(part) for part in item["content"]]}
        if isinstance(item.get("content"), list)
        else dict(item)
        for item in items
    ]


def _is_extra(part: Item) -> bool:
    return part.get("type") != "input_text" or bool(_OURS.match(str(part.get("text"))))
