"""An answer's text on its way from the model: what is kept of it, by the framework and by us, is kept small.

An answer is hundreds of pieces of text. The framework wraps each three times and keeps all of it, four streams over
each other, for the sake of the final response; and an ended stream holds itself, by its hooks, until a full garbage
collection. Source: `ResponseStream` in `agent_framework._types`; `test_lean_updates.py` notices when that changes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from agent_framework import AgentResponseUpdate, ChatResponseUpdate, Content, ResponseStream

TextSink = Callable[[str, str | None], bool]
"""Takes a piece of the message with that id and shows it at once, if it can; returns whether it has."""

_LOOSE_PIECES = 64

TEXT_SINK_KWARG = "text_sink"
"""Under this name a chat client that says `takes_text_sink` finds a `TextSink` in a run's `client_kwargs`."""

FRAMEWORK_LIMIT_TEXT = "Function invocation limit reached before a final answer could be produced."
"""What the framework says, as if the model had said it, when the tool loop reaches its bound."""


NO_PICTURE_TEXT = "[The model does not take this picture.]"
"""What our chat clients say before an answer, once for each picture that a person sends to such a model."""


class GrowingText:
    """A text that grows by hundreds of small pieces: hardly larger than the text, and cheap to add to.

    A string that is added to is copied each time, and a list, or `io.StringIO`, keeps ten times the text.

    Attributes:
        length: In characters.
    """

    __slots__ = ("_joined", "_loose", "length")

    def __init__(self, text: str = "") -> None:
        self.length = len(text)
        self._joined = [text]
        self._loose: list[str] = []

    def add(self, piece: str) -> None:
        """Put `piece` at the end."""
        self.length += len(piece)
        self._loose.append(piece)
        if len(self._loose) == _LOOSE_PIECES:
            self._joined.append("".join(self._loose))
            self._loose.clear()

    def __str__(self) -> str:
        return "".join((*self._joined, *self._loose))


def ends_in_half(text: str) -> bool:
    """Say whether `text` ends with the first half of a surrogate pair.

    A server that cuts its text by UTF-16 units may cut a character in two, such as an emoji.
    """
    return "\ud800" <= text[-1:] <= "\udbff"


def joined_halves(text: str) -> str:
    """Return `text` with the halves of surrogate pairs joined, and those that are alone as U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class TextPiece(Content):
    """A text content to be appended to those before it.

    It is a `Content` in every respect. But of its some fifty fields, which are all empty but two, an instance holds
    only those that differ; the others are found in the class. That is a fifth of the memory and of the time.
    """


# Taken from a real one, so that a field which the framework adds is here too.
for _name, _value in vars(Content.from_text("", merge_mode="append")).items():
    if _name not in ("text", "additional_properties"):
        setattr(TextPiece, _name, _value)


def build_text_piece(text: str, additional_properties: dict[str, Any] | None = None) -> TextPiece:
    """Return what ``Content.from_text(text, merge_mode="append")`` would return, but smaller.

    Args:
        text: The piece.
        additional_properties: Kept, not copied.
    """
    piece = TextPiece.__new__(TextPiece)
    piece.text = text
    piece.additional_properties = {} if additional_properties is None else additional_properties
    return piece


class ShownPiece(TextPiece):
    """A piece of text that the person has read already: it took the short way."""


class TextUpdate(ChatResponseUpdate):
    """An update of an assistant's message with a piece of text, made as cheaply as a `TextPiece`."""

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


class MergedUpdates(list[Any]):
    """A list of updates in which neighbours that only add text to one message are one update.

    The updates that are appended are left as they are; the merged one is a copy without `raw_representation`.
    """

    def __init__(self, updates: Iterable[ChatResponseUpdate | AgentResponseUpdate]) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._place: tuple[str | None, str | None] = (None, None)
        for update in updates:
            self.append(update)

    def append(self, update: ChatResponseUpdate | AgentResponseUpdate) -> None:
        """Add an update, or its text to the last one."""
        text = _mere_text(update)
        if text is None:
            self._settle()
            super().append(update)
            return
        place = (update.message_id, update.author_name)
        if self._texts and self._place == place:
            self._texts.append(text)
            return
        self._settle()
        first = copy.copy(update)
        first.raw_representation = None
        super().append(first)
        self._texts, self._place = [text], place

    def __iter__(self) -> Iterator[Any]:
        """Return the merged updates."""
        self._settle()
        return super().__iter__()

    def _settle(self) -> None:
        if len(self._texts) > 1:
            self[-1].contents = [build_text_piece("".join(self._texts))]
        self._texts = []


def _mere_text(update: ChatResponseUpdate | AgentResponseUpdate) -> str | None:
    """Return an update's text if that is all it holds."""
    contents = update.contents
    if (
        len(contents) != 1
        or not isinstance(contents[0], TextPiece)
        or contents[0].additional_properties
        or update.finish_reason is not None
        or update.continuation_token is not None
        or update.additional_properties
    ):
        return None
    return contents[0].text


def keep_merged(stream: object) -> None:
    """Let a stream, and those that it is made of, keep their updates merged from now on.

    Those that are made on the first read are reached only after it; to call this twice does no harm.
    """
    while isinstance(stream, ResponseStream):
        kept = getattr(stream, "_updates", None)
        if type(kept) is list:
            stream._updates = MergedUpdates(kept)
        stream = getattr(stream, "_inner_stream", None) or getattr(stream, "_stream_source", None)


def release(stream: object) -> None:
    """Let go of all that an ended stream holds. Nothing can be asked of it afterwards."""
    if isinstance(stream, ResponseStream):
        vars(stream).clear()
