"""Merges the updates that the framework keeps of a stream, and frees them when the stream has ended.

The framework wraps each piece of an answer three times and keeps all of it, four streams over each other, for the sake
of the final response; and an ended stream holds itself, by its hooks, until a full garbage collection.
Source: `ResponseStream` in `agent_framework._types`; `tests/unit/framework/test_reliances.py` notices a change.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from agent_framework import AgentResponseUpdate, ChatResponseUpdate, ResponseStream

from framework.text_updates import TextPiece, build_text_piece


class MergedUpdates(list[Any]):
    """A list of updates in which neighbours that only add text to one message are one update.

    The updates that are appended are left as they are; the merged one is a copy without `raw_representation`.
    """

    __slots__ = ("_place", "_texts")

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
