"""Results of tools: as text for later turns, whether they are failures, and their pictures for the person."""

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
"""How many pictures of one call are shown; there may be more in the result."""

MAX_IMAGE_CHARS = 14_000_000
"""The longest data URL of a picture that is shown, some 10 MB of bytes."""

RETURNED_IMAGE_PREFIX = "returned_"
"""Prefix of the id of a picture that a tool has returned."""


def result_text(content: Content) -> str:
    """Return the result of a call as text, with a mention of each part that is not text."""
    text = content.result if isinstance(content.result, str) else json.dumps(content.result, default=str)
    return "\n".join(part for part in (text, *mention_all_returned(content)) if part)


def has_failed(content: Content, answer: AnswerState) -> bool:
    """Return whether a call failed, with an exception or with a message for the model."""
    return bool(content.exception) or content.call_id in answer.failed_calls


def returned_images(items: Iterable[Content], turn: Turn) -> Iterator[GeneratedImageItem]:
    """Yield the pictures in a tool's result, as items that are shown like pictures of a model."""
    addresses = [item.uri for item in items if _is_image(item) and item.uri and _may_browser_load(item.uri, turn)]
    for address in addresses[:MAX_IMAGES]:
        item_id = turn.new_id("message")
        yield GeneratedImageItem(
            id=item_id,
            thread_id=turn.thread.id,
            created_at=utc_now(),
            image=GeneratedImage(id=f"{RETURNED_IMAGE_PREFIX}{item_id}", url=address),
        )


def is_tool_image(image: GeneratedImage) -> bool:
    """Return whether a picture comes from a tool, and not from a model that generates images."""
    return image.id.startswith(RETURNED_IMAGE_PREFIX)


def _may_browser_load(address: str, turn: Turn) -> bool:
    """Return whether the person's browser may load a picture; other servers would learn who views the thread."""
    parts = urlsplit(address[:2_000])
    if parts.scheme == "https":
        return parts.hostname in (turn.thread.allowed_image_domains or ())
    return address.startswith("data:image/") and len(address) <= MAX_IMAGE_CHARS


def _is_image(item: Content) -> bool:
    return item.type in ("data", "uri") and (item.media_type or "").startswith("image/")
