"""Updates for text that `ThoughtSplitter` has split into thoughts and the answer, for both protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_framework import ChatResponseUpdate, Content

from framework.text_updates import build_text_update
from text.thoughts import Kind


def build_split_updates(
    pieces: Iterable[tuple[Kind, str]], message_id: str | None, response_id: str | None
) -> Iterator[ChatResponseUpdate]:
    """Yield the updates for pieces of a `ThoughtSplitter`: text, thoughts, and retractions of both."""
    for kind, piece in pieces:
        if kind == "text":
            yield build_text_update(piece, message_id, response_id)
            continue
        contents = [Content.from_text_reasoning(text=piece, merge_mode="append")]
        if kind == "thought_retracted":
            contents = [Content.from_text_reasoning(text="", merge_mode="replace")]
        elif kind == "text_retracted":
            yield _build_update([Content.from_text("", merge_mode="replace")], message_id, response_id)
        yield _build_update(contents, message_id, response_id)


def _build_update(contents: list[Content], message_id: str | None, response_id: str | None) -> ChatResponseUpdate:
    return ChatResponseUpdate(contents=contents, role="assistant", message_id=message_id, response_id=response_id)
