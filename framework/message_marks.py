"""Marks on messages of the framework: properties that a provider is not sent and that our own clients read."""

from __future__ import annotations

ANSWERS_PROPERTY = "answers_to_questions"
"""Marks a message that says what a person has answered to the questions of a tool."""
