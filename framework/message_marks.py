"""Marks on messages of the framework: properties that a provider is not sent and that our own clients read."""

from __future__ import annotations

ANSWERS_PROPERTY = "answers_to_questions"
"""Marks a message that says what a person has answered to the questions of a tool."""

NO_PICTURE_TEXT = "[The model does not take this picture.]"
"""Said by our chat clients before an answer, once for each picture that a person sends to such a model."""

FILE_PROPERTY = "file"
"""Marks a text that is about a file, or is what it says: its value is the file's name."""

ORIGINAL_PROPERTY = "original"
"""Says of a picture that was made smaller what it was, in words."""

UNKNOWN_TOOL_PROPERTY = "parlor.unknown_tool"
"""Marks a call that means none of the tools that were offered. The framework may ask for it beside another."""
