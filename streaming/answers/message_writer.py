"""The assistant messages that are being written: text in pieces, whole texts that repeat them, and citations."""

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
"""Author, message id and the provider's item id. Where two keys differ in what both know, another message begins."""


@dataclass(slots=True)
class _OpenMessage:
    """A message that is being written.

    Attributes:
        item: The item as it was added.
        key: The author and the ids that tell it from other messages.
        text: The text that was streamed.
        half: The first half of a character whose second half has not come yet, or nothing.
        segment_start: Where the provider's current text part begins; a "replace" speaks of this part. Less than 0 where
            its beginning stands in an earlier item.
        segment_is_closed: The part was given as a whole, so the next delta begins another.
        is_whole: The author has come to an end, and will hardly add to it.
        annotations: The citations.
    """

    item: AssistantMessageItem
    key: MessageKey
    text: GrowingText = field(default_factory=GrowingText)
    half: str = ""
    segment_start: int = 0
    segment_is_closed: bool = False
    is_whole: bool = False
    annotations: list[Annotation] = field(default_factory=list)


class MessageWriter:
    """Writes one message at a time for each author; neighbouring pieces of text are merged until `flush`.

    Nearly always there is one author. Where several write at the same time, one message is at hand, and those of the
    others lie aside until more comes for them.

    Attributes:
        has_said: Whether a message was finished that is more than blank.
    """

    def __init__(self, turn: Turn) -> None:
        self.has_said = False
        self._turn = turn
        self._message: _OpenMessage | None = None
        self._open_ones: dict[str | None, _OpenMessage] = {}
        self._delta = ""
        self._continued_at: dict[MessageKey, int] = {}

    @property
    def is_open(self) -> bool:
        """Whether a message is at hand."""
        return self._message is not None

    def take(self, update: AgentResponseUpdate) -> bool:
        """Add an update that is nothing but another piece of the message that is being written; say whether it was."""
        message = self._message
        if len(update.contents) == 1 and type(update.contents[0]) is ShownPiece:
            return True  # it was taken when it came: see `continue_text`
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
        """Add a piece of the provider's message `message_id`; None when that is not the one that is being written.

        A piece that ends within a character is not taken either: nothing might be left to show. Asked only where all
        messages have the same author and come from a client of ours, which tells them apart by their message ids alone.
        """
        message = self._message
        if message is None or message.key[1] != message_id or (not text.isascii() and ends_with_high_surrogate(text)):
            return None
        self._append(message, text)
        return self.pending_text()

    def turn_to(self, author: str | None) -> Events:
        """Take the message of `author` to hand, and lay that of another author aside; None is whoever writes."""
        message = self._message
        if author is None or not self._open_ones:
            return
        if message is not None:
            if message.key[0] is None or message.key[0] == author:
                return
            yield from self.close() if message.is_whole else self.flush()
        self._message = self._open_ones.get(author)

    def note_end(self) -> None:
        """Note that the author of the message at hand has come to an end: another's text closes it."""
        if self._message is not None:
            self._message.is_whole = True

    def continues(self, content: Content, update: AgentResponseUpdate) -> bool:
        """Say whether `content` belongs to the message that is being written."""
        if self._message is None:
            return False
        key = message_key(content, update)
        if key == self._message.key:
            return True
        return not any(a != b and a is not None and b is not None for a, b in zip(self._message.key, key, strict=True))

    def write(self, content: Content, update: AgentResponseUpdate) -> Events:
        """Add a piece of text; opens a message for it when none is open."""
        text = content.text or ""
        message = self._message
        if message is None:
            if not text:
                return  # never an empty bubble
            message = yield from self._open(message_key(content, update))
        if content.merge_mode == "replace":
            yield from self._replace(join_surrogates(text), start=message.segment_start)
            message.segment_is_closed = True
        elif text:
            self._append(message, text)
        for annotation in content.annotations or ():
            yield from self._annotate(message, annotation)

    def replace_all(self, text: str) -> Events:
        """Apply the whole text of the message that is being written."""
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
        """Finish the message at hand, if any."""
        if (message := self._message) is not None:
            if message.half:
                message.half = ""
                self._append(message, "\ufffd")
            yield from self.flush()
            self._message = None
            del self._open_ones[message.key[0]]
            if message.key[1:] != (None, None):
                # Something else stands between; positions of what may follow count from the part's beginning.
                begins_anew = message.segment_is_closed
                self._continued_at[message.key] = 0 if begins_anew else message.segment_start - message.text.length
            content = _content_of(message)
            if is_blank(content.text):
                # What was said turned out to be a thought, or blank: never an empty bubble.
                yield ThreadItemRemovedEvent(item_id=message.item.id)
                return
            self.has_said = True
            done = AssistantMessageContentPartDone(content_index=0, content=content)
            yield ThreadItemUpdatedEvent(item_id=message.item.id, update=done)
            yield ThreadItemDoneEvent(item=message.item.model_copy(update={"content": [content]}))

    def close_all(self, authors: Collection[str] = ()) -> Events:
        """Finish all messages, or those of some authors."""
        for author, message in list(self._open_ones.items()):
            if not authors or author is None or author in authors:
                yield from self.flush()
                self._message = message
                yield from self.close()

    def _append(self, message: _OpenMessage, text: str) -> None:
        if message.half or not text.isascii():
            text, message.half = message.half + text, ""
            if ends_with_high_surrogate(text):
                text, message.half = text[:-1], text[-1]
            text = join_surrogates(text)
        if message.segment_is_closed:
            message.segment_start, message.segment_is_closed = message.text.length, False
        message.text.add(text)
        self._delta += text

    def _open(self, key: MessageKey) -> Generator[ThreadStreamEvent, None, _OpenMessage]:
        item = AssistantMessageItem(
            id=self._turn.new_id("message"), thread_id=self._turn.thread.id, created_at=utc_now(), content=[]
        )
        self._message = self._open_ones[key[0]] = _OpenMessage(item, key, segment_start=self._continued_at.get(key, 0))
        yield ThreadItemAddedEvent(item=item)
        part = AssistantMessageContentPartAdded(content_index=0, content=AssistantMessageContent(text=""))
        yield ThreadItemUpdatedEvent(item_id=item.id, update=part)
        return self._message

    def _replace(self, text: str, *, start: int) -> Events:
        """Apply a whole text that follows its pieces: usually it says nothing new."""
        message = self._message
        if message is None:
            return
        message.half = ""
        # The beginning of it stands in an earlier item.
        text, start = text[max(0, -start) :], max(0, start)
        whole = str(message.text)
        segment = whole[start:]
        if text in (segment, whole):
            return
        # A provider may send the whole so far again with more at the end, of this part or of all parts.
        for known in (segment, whole):
            if text.startswith(known):
                addition = text[len(known) :]
                message.text.add(addition)
                self._delta += addition
                return
        yield from self.flush()
        message.text = GrowingText(whole[:start] + text)
        done = AssistantMessageContentPartDone(content_index=0, content=_content_of(message))
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
        offset: Where the text part begins that the regions count from, in characters.
    """
    regions = raw.get("annotated_regions") or ()
    ends = [end for r in regions if isinstance(r, Mapping) and isinstance(end := r.get("end_index"), int)]
    title, url, file_id = (_text(raw.get(key)) for key in ("title", "url", "file_id"))
    details = raw.get("additional_properties")
    details = details if isinstance(details, Mapping) else {}
    source: URLSource | FileSource | EntitySource
    if entity_id := _text(details.get("entity_id")):
        source = EntitySource(
            id=entity_id, title=title or entity_id, label=_text(details.get("label")), data={}, interactive=True
        )
    elif url and url.startswith(("https://", "http://")):
        source = URLSource(url=url, title=title or url)
    elif file_id or title:
        filename = _text(details.get("filename")) or title or file_id or ""
        source = FileSource(filename=filename, title=title or filename)
    else:
        return None
    source.description = _text(raw.get("snippet"))
    # A place in an earlier item, which is stored already, is none in this one.
    index = ends[0] + offset if ends and ends[0] + offset >= 0 else None
    return Annotation(source=source, index=index)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _content_of(message: _OpenMessage) -> AssistantMessageContent:
    return AssistantMessageContent(text=str(message.text), annotations=list(message.annotations))
