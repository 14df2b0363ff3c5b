"""Writes assistant messages from pieces of text, whole texts that repeat them, and citations."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_framework import AgentResponseUpdate, Content
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    EntitySource,
    FileSource,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    URLSource,
)

from context import Turn
from framework.text_updates import ShownPiece, TextPiece
from text.blanks import is_blank
from text.growing_text import GrowingText
from text.surrogates import ends_with_high_surrogate, join_surrogates
from turns.clock import utc_now

Events = Iterator[ThreadStreamEvent]

MessageKey = tuple[str | None, str | None, str | None]
"""Author, message id and the provider's item id. Keys that differ in a part which both have are different messages."""


@dataclass(slots=True)
class _OpenMessage:
    """A message that is being written.

    Attributes:
        item: The item as it was added.
        key: The author and the ids that distinguish it from other messages.
        text: The text so far.
        pending_surrogate: The first half of a surrogate pair whose second half has not come yet; else empty.
        segment_start: The index at which the provider's current text part begins, which "replace" refers to. Negative
            if it begins in an earlier item.
        is_segment_closed: Whether the part was given as a whole, so that the next delta begins another.
        is_author_done: Whether the author has finished, and will hardly add to the message.
        annotations: The citations.
    """

    item: AssistantMessageItem
    key: MessageKey
    text: GrowingText = field(default_factory=GrowingText)
    pending_surrogate: str = ""
    segment_start: int = 0
    is_segment_closed: bool = False
    is_author_done: bool = False
    annotations: list[Annotation] = field(default_factory=list)


class MessageWriter:
    """Writes one message at a time for each author; consecutive pieces of text are merged until `flush`.

    Nearly always there is one author. If several write at the same time, one message is current, and those of the other
    authors are set aside until more text comes for them.

    Attributes:
        has_text: Whether a message was finished whose text is not blank.
    """

    def __init__(self, turn: Turn) -> None:
        self.has_text = False
        self._turn = turn
        self._message: _OpenMessage | None = None
        self._open_messages: dict[str | None, _OpenMessage] = {}
        self._delta = ""
        self._segment_starts: dict[MessageKey, int] = {}

    @property
    def is_open(self) -> bool:
        """Whether there is a current message."""
        return self._message is not None

    def append_piece(self, update: AgentResponseUpdate) -> bool:
        """Add an update that only continues the current message; return whether it was such an update."""
        message = self._message
        if len(update.contents) == 1 and type(update.contents[0]) is ShownPiece:
            return True  # added when it was shown directly: see `continue_text`
        if message is None or len(update.contents) != 1 or update.role not in (None, "assistant"):
            return False
        piece = update.contents[0]
        if type(piece) is not TextPiece or update.merge_mode == "replace":
            return False
        if (update.author_name, update.message_id, None) != message.key:
            return False
        self._append(message, piece.text or "")
        return True

    def continue_text(self, text: str, message_id: str | None) -> ThreadItemUpdatedEvent | None:
        """Add a piece of the provider's message `message_id`; return None if that is not the current message.

        A piece that ends within a surrogate pair is not taken either: nothing might remain to be shown. Called only if
        all messages have the same author and come from a client of ours, which uses message ids alone.
        """
        message = self._message
        if message is None or message.key[1] != message_id or (not text.isascii() and ends_with_high_surrogate(text)):
            return None
        self._append(message, text)
        return self.pending_text()

    def switch_author(self, author: str | None) -> Events:
        """Make the message of `author` the current one; None keeps the current one, whoever writes it."""
        message = self._message
        if author is None or not self._open_messages:
            return
        if message is not None:
            if message.key[0] is None or message.key[0] == author:
                return
            yield from self.close() if message.is_author_done else self.flush()
        self._message = self._open_messages.get(author)

    def mark_author_done(self) -> None:
        """Mark the author of the current message as done: text of another author then closes the message."""
        if self._message is not None:
            self._message.is_author_done = True

    def is_continued_by(self, content: Content, update: AgentResponseUpdate) -> bool:
        """Return whether `content` belongs to the current message."""
        if self._message is None:
            return False
        key = message_key(content, update)
        if key == self._message.key:
            return True
        return not any(a != b and a is not None and b is not None for a, b in zip(self._message.key, key, strict=True))

    def write(self, content: Content, update: AgentResponseUpdate) -> Events:
        """Add a piece of text; open a message for it if there is none."""
        text = content.text or ""
        message = self._message
        if message is None:
            if not text:
                return  # an empty message must not be shown
            message = yield from self._open(message_key(content, update))
        if content.merge_mode == "replace":
            yield from self._replace(join_surrogates(text), start=message.segment_start)
            message.is_segment_closed = True
        elif text:
            self._append(message, text)
        for annotation in content.annotations or ():
            yield from self._annotate(message, annotation)

    def replace_all(self, text: str) -> Events:
        """Apply the whole text of the current message."""
        yield from self._replace(join_surrogates(text), start=0)

    def pending_text(self) -> ThreadItemUpdatedEvent | None:
        """Return the text that has been merged so far as an event to be sent; None when there is none."""
        if not self._delta or self._message is None:
            return None
        update = AssistantMessageContentPartTextDelta(content_index=0, delta=self._delta)
        self._delta = ""
        return ThreadItemUpdatedEvent(item_id=self._message.item.id, update=update)

    def flush(self) -> Events:
        """Send the text that has been merged so far."""
        if (event := self.pending_text()) is not None:
            yield event

    def close(self) -> Events:
        """Finish the current message, if any."""
        if (message := self._message) is not None:
            if message.pending_surrogate:
                message.pending_surrogate = ""
                self._append(message, "\ufffd")
            yield from self.flush()
            self._message = None
            del self._open_messages[message.key[0]]
            if message.key[1:] != (None, None):
                # If the part continues in another item, its positions still count from its own beginning.
                begins_anew = message.is_segment_closed
                self._segment_starts[message.key] = 0 if begins_anew else message.segment_start - message.text.length
            content = _build_content(message)
            if is_blank(content.text):
                # The text was blank, or has turned out to be a thought: an empty message must not be shown.
                yield ThreadItemRemovedEvent(item_id=message.item.id)
                return
            self.has_text = True
            done = AssistantMessageContentPartDone(content_index=0, content=content)
            yield ThreadItemUpdatedEvent(item_id=message.item.id, update=done)
            yield ThreadItemDoneEvent(item=message.item.model_copy(update={"content": [content]}))

    def close_all(self, authors: Collection[str] = ()) -> Events:
        """Finish all messages, or those of the given authors."""
        for author, message in list(self._open_messages.items()):
            if not authors or author is None or author in authors:
                yield from self.flush()
                self._message = message
                yield from self.close()

    def _append(self, message: _OpenMessage, text: str) -> None:
        if message.pending_surrogate or not text.isascii():
            text, message.pending_surrogate = message.pending_surrogate + text, ""
            if ends_with_high_surrogate(text):
                text, message.pending_surrogate = text[:-1], text[-1]
            text = join_surrogates(text)
        if message.is_segment_closed:
            message.segment_start, message.is_segment_closed = message.text.length, False
        message.text.add(text)
        self._delta += text

    def _open(self, key: MessageKey) -> Generator[ThreadStreamEvent, None, _OpenMessage]:
        item = AssistantMessageItem(
            id=self._turn.new_id("message"), thread_id=self._turn.thread.id, created_at=utc_now(), content=[]
        )
        message = _OpenMessage(item, key, segment_start=self._segment_starts.get(key, 0))
        self._message = self._open_messages[key[0]] = message
        yield ThreadItemAddedEvent(item=item)
        part = AssistantMessageContentPartAdded(content_index=0, content=AssistantMessageContent(text=""))
        yield ThreadItemUpdatedEvent(item_id=item.id, update=part)
        return message

    def _replace(self, text: str, *, start: int) -> Events:
        """Apply a whole text that follows its pieces, which usually adds nothing."""
        message = self._message
        if message is None:
            return
        message.pending_surrogate = ""
        # With a negative start, the beginning of the text is in an earlier item.
        text, start = text[max(0, -start) :], max(0, start)
        full_text = str(message.text)
        segment = full_text[start:]
        if text in (segment, full_text):
            return
        # A provider may repeat the text so far, of this part or of all parts, with more at the end.
        for known in (segment, full_text):
            if text.startswith(known):
                addition = text[len(known) :]
                message.text.add(addition)
                self._delta += addition
                return
        yield from self.flush()
        message.text = GrowingText(full_text[:start] + text)
        done = AssistantMessageContentPartDone(content_index=0, content=_build_content(message))
        yield ThreadItemUpdatedEvent(item_id=message.item.id, update=done)

    def _annotate(self, message: _OpenMessage, raw: Any) -> Events:
        annotation = parse_annotation(raw, offset=message.segment_start) if isinstance(raw, Mapping) else None
        if annotation is None or annotation in message.annotations:
            return
        yield from self.flush()
        message.annotations.append(annotation)
        update = AssistantMessageContentPartAnnotationAdded(
            content_index=0, annotation_index=len(message.annotations) - 1, annotation=annotation
        )
        yield ThreadItemUpdatedEvent(item_id=message.item.id, update=update)


def message_key(content: Content, update: AgentResponseUpdate) -> MessageKey:
    """Return a key that is equal for all pieces of one message.

    The framework's Responses client leaves the provider's item id in the raw event only.
    """
    item_id = getattr(content.raw_representation, "item_id", None)
    return update.author_name, update.message_id, item_id if isinstance(item_id, str) else None


def parse_annotation(raw: Mapping[str, Any], *, offset: int = 0) -> Annotation | None:
    """Return a citation as ChatKit shows it; None when it names no source.

    Args:
        raw: The framework's annotation: url, title, file_id, snippet, regions.
        offset: The index of the character from which the regions count.
    """
    regions = raw.get("annotated_regions") or ()
    ends = [end for r in regions if isinstance(r, Mapping) and isinstance(end := r.get("end_index"), int)]
    title, url, file_id = (_nonempty_text(raw.get(key)) for key in ("title", "url", "file_id"))
    details = raw.get("additional_properties")
    details = details if isinstance(details, Mapping) else {}
    source: URLSource | FileSource | EntitySource
    if entity_id := _nonempty_text(details.get("entity_id")):
        label = _nonempty_text(details.get("label"))
        source = EntitySource(id=entity_id, title=title or entity_id, label=label, data={}, interactive=True)
    elif url and url.startswith(("https://", "http://")):
        source = URLSource(url=url, title=title or url)
    elif file_id or title:
        filename = _nonempty_text(details.get("filename")) or title or file_id or ""
        source = FileSource(filename=filename, title=title or filename)
    else:
        return None
    source.description = _nonempty_text(raw.get("snippet"))
    # An index in an earlier item, which is stored already, does not exist in this one.
    index = ends[0] + offset if ends and ends[0] + offset >= 0 else None
    return Annotation(source=source, index=index)


def _nonempty_text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _build_content(message: _OpenMessage) -> AssistantMessageContent:
    return AssistantMessageContent(text=str(message.text), annotations=list(message.annotations))
