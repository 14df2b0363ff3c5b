"""Results of tools: in words for later turns, whether they are failures, and their pictures for the person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from agent_framework import Content
from chatkit.types import GeneratedImage, GeneratedImageItem

from context import Turn
from framework.returned_parts import mention_all_returned
from turns.answer_state import AnswerState
from turns.clock import utc_now

MAX_IMAGES = 8
"""Pictures of one call that are shown; there may be more in the result."""

MAX_IMAGE_CHARS = 14_000_000
"""The longest address of a picture that is shown; it holds the picture itself, some 10 MB of bytes."""

RETURNED_IMAGE = "returned_"
"""The beginning of the id of a picture that a tool has returned."""


def result_text(content: Content) -> str:
    """Return the result of a call in words; where it is no text, that there was something."""
    text = content.result if isinstance(content.result, str) else json.dumps(content.result, default=str)
    return "\n".join(part for part in (text, *mention_all_returned(content)) if part)


def has_failed(content: Content, answer: AnswerState) -> bool:
    """Whether a call came to nothing: with an exception that the framework told, or with a message for the model."""
    return bool(content.exception) or content.call_id in answer.failed_calls


def returned_images(items: Iterable[Content], turn: Turn) -> Iterator[GeneratedImageItem]:
    """Return the pictures among what a tool has returned, as items that are shown like those of a model."""
    addresses = [item.uri for item in items if _is_image(item) and item.uri and _may_be_loaded(item.uri, turn)]
    for address in addresses[:MAX_IMAGES]:
        item_id = turn.new_id("message")
        yield GeneratedImageItem(
            id=item_id,
            thread_id=turn.thread.id,
            created_at=utc_now(),
            image=GeneratedImage(id=f"{RETURNED_IMAGE}{item_id}", url=address),
        )


def is_returned(image: GeneratedImage) -> bool:
    """Whether a picture that was shown comes from a tool, and not from a model that draws and so can see."""
    return image.id.startswith(RETURNED_IMAGE)


def _may_be_loaded(address: str, turn: Turn) -> bool:
    """Say whether the person's browser may load a picture: another server would learn who looks at what."""
    parts = urlsplit(address[:2_000])
    if parts.scheme == "https":
        return parts.hostname in (turn.thread.allowed_image_domains or ())
    return address.startswith("data:image/") and len(address) <= MAX_IMAGE_CHARS


def _is_image(item: Content) -> bool:
    return item.type in ("data", "uri") and (item.media_type or "").startswith("image/")
