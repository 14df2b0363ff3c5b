"""Merges the updates that the framework keeps of a stream, and frees them when the stream has ended.

For the final response, the framework keeps each piece of an answer in four nested streams, wrapped three times; and an
ended stream references itself, by its hooks, until a full garbage collection.
Source: `ResponseStream` in `agent_framework._types`; `tests/unit/framework/test_reliances.py` notices a change.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from agent_framework import AgentResponseUpdate, ChatResponseUpdate, ResponseStream

from framework.text_updates import TextPiece, build_text_piece


class MergedUpdates(list[Any]):
    """A list of updates that merges consecutive updates which only add text to one message.

    Appended updates are not changed; the merged one is a copy without `raw_representation`.
    """

    __slots__ = ("_message_key", "_texts")

    def __init__(self, updates: Iterable[ChatResponseUpdate | AgentResponseUpdate]) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._message_key: tuple[str | None, str | None] = (None, None)
        for update in updates:
            self.append(update)

    def append(self, update: ChatResponseUpdate | AgentResponseUpdate) -> None:
        """Append an update, or add its text to the last one."""
        text = _only_text(update)
        if text is None:
            self._join_texts()
            super().append(update)
            return
        place = (update.message_id, update.author_name)
        if self._texts and self._message_key == place:
            self._texts.append(text)
            return
        self._join_texts()
        first = copy.copy(update)
        first.raw_representation = None
        super().append(first)
        self._texts, self._message_key = [text], place

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the merged updates."""
        self._join_texts()
        return super().__iter__()

    def _join_texts(self) -> None:
        if len(self._texts) > 1:
            self[-1].contents = [build_text_piece("".join(self._texts))]
        self._texts = []


def _only_text(update: ChatResponseUpdate | AgentResponseUpdate) -> str | None:
    """Return an update's text if it holds nothing else; else None."""
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


def merge_kept_updates(stream: object) -> None:
    """Merge the updates that a stream and its inner streams keep, from now on.

    Inner streams that are created at the first read are reached only after it; a second call does no harm.
    """
    while isinstance(stream, ResponseStream):
        updates = getattr(stream, "_updates", None)
        if type(updates) is list:
            stream._updates = MergedUpdates(updates)
        stream = getattr(stream, "_inner_stream", None) or getattr(stream, "_stream_source", None)


def release_stream(stream: object) -> None:
    """Drop all references of an ended stream, which cannot be used afterwards."""
    if isinstance(stream, ResponseStream):
        vars(stream).clear()
