"""Updates of a text in which thoughts were told from what is said; both protocols make the same of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_framework import ChatResponseUpdate, Content

from framework.text_updates import build_text_update
from text.thoughts import Kind


def build_split_updates(
    pieces: Iterable[tuple[Kind, str]], message_id: str | None, response_id: str | None
) -> Iterator[ChatResponseUpdate]:
    """Return what the pieces of a splitter are for the agent: text, thoughts, and what is taken back of both."""
    for kind, piece in pieces:
        if kind == "text":
            yield build_text_update(piece, message_id, response_id)
            continue
        contents = [Content.from_text_reasoning(text=piece, merge_mode="append")]
        if kind == "thought_retracted":
            contents = [Content.from_text_reasoning(text="", merge_mode="replace")]
        elif kind == "text_retracted":
            yield _update([Content.from_text("", merge_mode="replace")], message_id, response_id)
        yield _update(contents, message_id, response_id)


def _update(contents: list[Content], message_id: str | None, response_id: str | None) -> ChatResponseUpdate:
    return ChatResponseUpdate(contents=contents, role="assistant", message_id=message_id, response_id=response_id)
