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
_HISTORY = re.compile(r"^(conversation_)?history$|^messages$|^conversation$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PersonsMessage:
    """The message that is answered, and what was said before it.

    Attributes:
        text: The words of the person.
        item: The whole message with its pictures and files, as an input item.
        history: The input items before it.
    """

    text: str
    item: Item
    history: Sequence[Item]

    @property
    def extras(self) -> list[Item]:
        """The parts of the message besides its words."""
        parts = self.item.get("content") or []
        return [part for part in parts if not (part.get("type") == "input_text" and part.get("text") == self.text)]

    @property
    def pictures(self) -> list[str]:
        """The pictures of the message as URLs."""
        return [str(part["image_url"]) for part in self.extras if part.get("image_url")]


def build_message(items: Sequence[Item], text: str | None) -> PersonsMessage:
    """Return the message that is answered.

    Args:
        items: The thread as input items, oldest first.
        text: The words of the person; None to take them from the newest message of a person.
    """
    at = next(
        (
            index
            for index in range(len(items) - 1, -1, -1)
            if items[index].get("role") == "user" and (text is None or text in _texts(items[index]) or not text)
        ),
        None,
    )
    if at is None:
        said = text or ""
        return PersonsMessage(said, {"role": "user", "content": [{"type": "input_text", "text": said}]}, items)
    said = text if text is not None else "\n".join(_texts(items[at]))
    return PersonsMessage(said, items[at], items[:at])


def call_workflow(
    function: Callable[..., Any], message: PersonsMessage, variables: Mapping[str, Any], use_case: str
) -> Callable[[], Any]:
    """Return a call of the workflow's function with the input that it takes.

    Args:
        function: The function of the file.
        message: What the person said.
        variables: What the server that opened the session says.
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
        value = {**variables, "input_as_text": message.text}
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
            given[name] = list(message.history)
    return given


def _texts(item: Item) -> list[str]:
    content = item.get("content")
    if isinstance(content, str):
        return [content]
    return [str(part.get("text")) for part in content or [] if part.get("type") == "input_text"]
