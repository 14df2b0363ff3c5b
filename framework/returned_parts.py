"""Textual mentions of pictures and files in a tool's result, for models that do not accept them and for later turns."""

from __future__ import annotations

from agent_framework import Content

from text.shortening import shortened

MAX_LINK_CHARS = 2_000
"""The longest address of a returned file that is given to a model; a longer one is shortened."""


def mention_returned(item: Content) -> str:
    """Return a mention, in brackets, of a part of a result that cannot be sent to the model."""
    if bool(item.media_type) and item.has_top_level_media_type("image"):
        return "[an image was returned]"
    is_link = item.type == "uri" and item.uri and not item.uri.startswith("data:")
    return f"[a file was returned: {shortened(item.uri or '', MAX_LINK_CHARS)}]" if is_link else "[a file was returned]"


def mention_all_returned(result: Content) -> list[str]:
    """Return a mention, in brackets, of each part of a result that is not text, in order."""
    return [mention_returned(item) for item in result.items or () if item.type in ("data", "uri", "hosted_file")]
