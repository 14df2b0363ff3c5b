"""Marks on messages and contents of the framework, by which our chat clients and the conversion know what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import Content

ANSWERS_PROPERTY = "answers_to_questions"
"""Marks a message with a person's answers to the questions of a tool."""

NO_PICTURE_TEXT = "[The model does not take this picture.]"
"""Yielded by our chat clients before an answer, once for each picture that the model does not accept."""

FILE_PROPERTY = "file"
"""Marks a text that is the content of a file, or a note about it; its value is the file's name."""

ORIGINAL_PROPERTY = "original"
"""Describes the original of a picture that was made smaller, as text."""

UNKNOWN_TOOL_PROPERTY = "parlor.unknown_tool"
"""Marks a call of a tool that was not offered. The framework may request its approval together with other calls."""

PROVIDER_PROPERTY = "openai"
"""Holds, by name, what our chat clients note of a content for its way back to the server that it comes from."""

REPLAY_NOTE = "replay"
"""Name of the note of a call that holds what its server wants back with it."""

REPLAY_ORIGIN = "origin"
"""Name, within that note, of the model that was asked; it is not sent."""

REPLAY_ROUND = "round"
"""Name, within that note, of a number that all calls of one answer of the model share; it is not sent."""


def provider_property(content: Content, name: str) -> Any:
    """Return what was noted of a content for its way back to the provider; None when nothing was."""
    noted = content.additional_properties.get(PROVIDER_PROPERTY)
    return noted.get(name) if isinstance(noted, Mapping) else None


def read_replay(call: Content) -> dict[str, Any] | None:
    """Return what a server wants back with its call, as our chat clients note it; None without any."""
    replay = provider_property(call, REPLAY_NOTE)
    return replay if isinstance(replay, dict) else None
