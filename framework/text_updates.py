"""Updates of an answer's text, as cheap as the framework's own classes allow.

Of the some fifty fields of the framework's `Content`, an instance here holds only those that differ; the others are
class attributes. Source: `Content` and `ChatResponseUpdate` in `agent_framework._types`;
`tests/unit/framework/test_reliances.py` compares field by field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from agent_framework import ChatResponseUpdate, Content

TextSink = Callable[[str, str | None], bool]
"""Shows a piece of the message with that id at once, if it can; returns whether it has."""

TEXT_SINK_KWARG = "text_sink"
"""Key of a run's `client_kwargs` under which a chat client with `takes_text_sink` finds a `TextSink`."""


class TextPiece(Content):
    """A text content that is appended to the previous ones.

    It is a full `Content`. But of its some fifty fields, of which only two are set, an instance holds only those that
    differ; the others are class attributes. That takes a fifth of the memory and of the time.
    """


# Copied from a real instance, so that fields which the framework adds are included.
for _name, _value in vars(Content.from_text("", merge_mode="append")).items():
    if _name not in ("text", "additional_properties"):
        setattr(TextPiece, _name, _value)


def build_text_piece(text: str, additional_properties: dict[str, Any] | None = None) -> TextPiece:
    """Return the equivalent of ``Content.from_text(text, merge_mode="append")`` in less memory.

    Args:
        text: The piece.
        additional_properties: The properties, which are not copied.
    """
    piece = TextPiece.__new__(TextPiece)
    piece.text = text
    piece.additional_properties = {} if additional_properties is None else additional_properties
    return piece


class ShownPiece(TextPiece):
    """A piece of text that was shown directly, and must not be shown again."""


class TextUpdate(ChatResponseUpdate):
    """An update of an assistant's message with a piece of text, as cheap as a `TextPiece`."""

    type: ClassVar[str] = "chat_response_update"


for _name, _value in vars(ChatResponseUpdate(contents=[], role="assistant")).items():
    if _name not in ("contents", "role", "message_id", "response_id"):
        setattr(TextUpdate, _name, _value)


def build_text_update(text: str, message_id: str | None, response_id: str | None) -> TextUpdate:
    """Return an update whose only content is a `TextPiece`."""
    update = TextUpdate.__new__(TextUpdate)
    update.contents = [build_text_piece(text)]
    update.role = "assistant"
    update.message_id = message_id
    update.response_id = response_id
    return update


def build_shown_update(text: str, message_id: str | None, response_id: str | None) -> TextUpdate:
    """Return an update whose only content is a `ShownPiece`."""
    piece = ShownPiece.__new__(ShownPiece)
    piece.text = text
    piece.additional_properties = {}
    update = build_text_update("", message_id, response_id)
    update.contents = [piece]
    return update
