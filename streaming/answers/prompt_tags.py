"""Tags that the platform writes into prompts, and the escaping of text by others.

Against prompt injection: a person or a file that contains such a tag must not be mistaken for the platform.
"""

from __future__ import annotations

import html
import re

from agent_framework import Content

from framework.message_marks import FILE_PROPERTY

_RESERVED_TAG = re.compile(
    r"<(?=/?(?:hidden_context|widget_shown|image_shown|questions_asked|quoted_text|mention|file|tool_results)\b)",
    re.IGNORECASE,
)


def escape_reserved_tags(text: str) -> str:
    """Return `text` with the tags escaped that only the platform may write."""
    return _RESERVED_TAG.sub("&lt;", text)


def mention_text(tag_id: str, text: str) -> str:
    """Return a mention for the model, escaped, since its id and its text come from the browser."""
    return f'<mention id="{html.escape(tag_id)}">{html.escape(text, quote=False)}</mention>'


def quote_text(text: str) -> str:
    """Return quoted text for the model, escaped and in a tag."""
    return f"<quoted_text>\n{html.escape(text, quote=False)}\n</quoted_text>"


def file_text(name: str, text: str, note: str = "") -> Content:
    """Return the text of a file for the model, in a tag with its name.

    Args:
        name: The name of the file.
        text: The text of the file.
        note: The platform's note after it, such as that the rest is left out.
    """
    tagged = f'<file name="{html.escape(name)}">\n{escape_reserved_tags(text)}\n</file>{note}'
    return Content.from_text(tagged, additional_properties={FILE_PROPERTY: name})


def file_note(name: str, note: str) -> Content:
    """Return the platform's note about a file; ``{}`` in it stands for the file's name."""
    bracketed = f"[{note.replace('{}', f'“{escape_reserved_tags(name)}”', 1)}]"
    return Content.from_text(bracketed, additional_properties={FILE_PROPERTY: name})
