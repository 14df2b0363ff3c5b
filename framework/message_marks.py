"""Marks on messages of the framework: properties that are read by our own clients and not sent to a provider."""

from __future__ import annotations

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
