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

_PICTURE_FIELD = re.compile(r"image|picture|photo|screenshot", re.IGNORECASE)
# Tags that only the platform writes: in the person's own words they are escaped.
_PLATFORM_TAG = re.compile(r"<(?:quoted_text|mention|file)\b|\[The attachment “")
_HISTORY_FIELD = re.compile(r"^(conversation_)?history$|^messages$|^conversation$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PersonsMessage:
    """The message that is answered, and the conversation before it.

    Attributes:
        item: The complete message with its pictures and files, as an input item.
        history: The input items before the message.
    """

    item: Item
    history: Sequence[Item]

    @property
    def text(self) -> str:
        """The person's own words, without quotes, files and other parts."""
        return "\n".join(str(part["text"]) for part in self.item["content"] if not _is_extra(part))

    @property
    def extras(self) -> list[Item]:
        """The other parts of the message: pictures, files, quotes and mentions."""
        return [part for part in self.item["content"] if _is_extra(part)]

    @property
    def pictures(self) -> list[str]:
        """The pictures of the message as URLs."""
        return [str(part["image_url"]) for part in self.extras if part.get("image_url")]

    def prepend_history(self, items: Sequence[Item]) -> list[Item]:
        """Return a conversation that begins with the message, with the history before it.

        Args:
            items: The conversation; its message is as the file writes it, which often is only the words.
        """
        message, *more = items
        content = message.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else list(content or ())
        if not any(part.get("type") != "input_text" for part in parts):
            parts += self.extras
        return [*_copy_items(self.history), {**message, "content": parts}, *more]

    def with_history(self, run_input: Any) -> Any:
        """Return the input of an agent with the history before it, if it begins with the message.

        Instructions of the file may come before the message. Any other input is returned unchanged, such as one that
        already begins with the history.
        """
        if isinstance(run_input, str):
            # Files may strip the text.
            is_the_message = run_input.strip() == self.text.strip()
            return [*_copy_items(self.history), *_copy_items([self.item])] if is_the_message else run_input
        if not isinstance(run_input, list) or not all(isinstance(item, Mapping) for item in run_input):
            return run_input
        at = next((n for n, item in enumerate(run_input) if item.get("role") not in ("system", "developer")), None)
        if at is None or run_input[at].get("role") != "user" or self.text.strip() not in _item_texts(run_input[at]):
            return run_input
        if (
            self.history
            and _item_texts(run_input[at]) == _item_texts(self.history[0])
            and self._begins_like_history(run_input[at:])
        ):
            return run_input
        return [*run_input[:at], *self.prepend_history(run_input[at:])]

    def _begins_like_history(self, run_input: Sequence[Mapping[str, Any]]) -> bool:
        history = [(item.get("role"), _item_texts(item)) for item in self.history if item.get("role")]
        return (
            history == [(item.get("role"), _item_texts(item)) for item in run_input if item.get("role")][: len(history)]
        )


class LooseInput(dict[str, Any]):
    """The input of a function without a type: a dictionary whose values are also attributes."""

    def __getattr__(self, name: str) -> Any:
        """Return a value by its key."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """Return the values, like a Pydantic model."""
        return dict(self)


def build_message(items: Sequence[Item], text: str | None = None) -> PersonsMessage:
    """Return the message that is answered.

    Args:
        items: The thread as input items, oldest first.
        text: The person's words, if other messages may follow; None for the person's newest message.
    """
    for at in range(len(items) - 1, -1, -1):
        if items[at].get("role") == "user":
            message = PersonsMessage(items[at], items[:at])
            if text is None or message.text == text:
                return message
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text or ""}]}
    return PersonsMessage(item, items)


def call_workflow(
    function: Callable[..., Any], message: PersonsMessage, variables: Mapping[str, Any], use_case: str
) -> Callable[[], Any]:
    """Return a function without arguments that calls the workflow's function with its input.

    Args:
        function: The function of the file.
        message: The person's message.
        variables: The state variables from the server that opened the session.
        use_case: The use case, for errors.

    Raises:
        AgentError: When the input has a required field without a value.
    """
    first = next(iter(inspect.signature(function, eval_str=False).parameters.values()))
    input_type = _resolve_annotation(function, first.annotation)
    if isinstance(input_type, type) and issubclass(input_type, BaseModel):
        fields = {name: (field.annotation, field.is_required()) for name, field in input_type.model_fields.items()}
        values = _input_values(fields, message, variables)
        try:
            value: Any = input_type.model_validate(values)
        except ValidationError as exc:
            missing = ", ".join(
                sorted({".".join(map(str, error["loc"])) or input_type.__name__ for error in exc.errors()})
            )
            raise AgentError(
                "This assistant lacks something that it needs to answer.",
                f"use case '{use_case}': {input_type.__name__} wants {missing}; give it a default in the file, or send "
                "it as a state variable of the session",
            ) from exc
    elif isinstance(input_type, type) and is_dataclass(input_type):
        annotations = {name: (annotation, True) for name, annotation in input_type.__annotations__.items()}
        value = input_type(**_input_values(annotations, message, variables))
    elif input_type is str:
        value = message.text
    else:
        value = LooseInput({**variables, "input_as_text": message.text})
    return lambda: function(value)


def _resolve_annotation(function: Callable[..., Any], annotation: Any) -> Any:
    if isinstance(annotation, str):
        return function.__globals__.get(annotation, {"str": str, "dict": dict}.get(annotation))
    return annotation


def _input_values(
    fields: Mapping[str, tuple[Any, bool]], message: PersonsMessage, variables: Mapping[str, Any]
) -> Item:
    values: Item = {}
    texts = [name for name, (field_type, is_needed) in fields.items() if "str" in str(field_type) and is_needed]
    for name, (field_type, _) in fields.items():
        is_list = "list" in str(field_type).lower() or "Sequence" in str(field_type)
        if name in variables:
            values[name] = variables[name]
        elif name == "input_as_text" or ("input_as_text" not in fields and texts[:1] == [name]):
            values[name] = message.text
        elif _PICTURE_FIELD.search(name) and message.pictures and "bytes" not in str(field_type):
            values[name] = message.pictures if is_list else message.pictures[0]
        elif _HISTORY_FIELD.search(name) and is_list:
            values[name] = _plain_items(message.history)
    return values


def _item_texts(item: Mapping[str, Any]) -> list[Any]:
    """Return the texts of an input item."""
    content = item.get("content")
    if isinstance(content, str):
        return [content]
    return [part.get("text") for part in content or () if isinstance(part, Mapping)]


def _plain_items(items: Sequence[Item]) -> list[Item]:
    """Return items in the shortest form of the SDK's input items, with text only, for exported files to read."""
    texts = [
        (str(item["role"]), "\n".join(str(text) for text in _item_texts(item) if text))
        for item in items
        if item.get("role")
    ]
    return [{"role": role, "content": text} for role, text in texts if text]


def _copy_items(items: Sequence[Item]) -> list[Item]:
    """Return copies of items, as a file may modify them, e.g. to mask personal data."""
    return [
        {**item, "content": [dict(part) for part in item["content"]]}
        if isinstance(item.get("content"), list)
        else dict(item)
        for item in items
    ]


def _is_extra(part: Item) -> bool:
    return part.get("type") != "input_text" or bool(_PLATFORM_TAG.match(str(part.get("text"))))
