"""Tags that we write ourselves in a prompt, and the escaping of all that others write there.

Against prompt injection by our own means: a person or a file that writes such a tag must not be taken for us.
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
    """Return `text` with those tags escaped that only the platform may write."""
    return _RESERVED_TAG.sub("&lt;", text)


def mention_text(tag_id: str, text: str) -> str:
    """Return a mention as a model reads it, escaped: its id and its text come from the browser."""
    return f'<mention id="{html.escape(tag_id)}">{html.escape(text, quote=False)}</mention>'


def quote_text(text: str) -> str:
    """Return a person's quote for the model, escaped and in a tag."""
    return f"<quoted_text>\n{html.escape(text, quote=False)}\n</quoted_text>"


def file_text(name: str, text: str, note: str = "") -> Content:
    """Return the text of a file for the model, in a tag with its name.

    Args:
        name: The name of the file.
        text: The text in it.
        note: A remark of the platform's after it, such as that the rest is left out.
    """
    told = f'<file name="{html.escape(name)}">\n{escape_reserved_tags(text)}\n</file>{note}'
    return Content.from_text(told, additional_properties={FILE_PROPERTY: name})


def file_note(name: str, note: str) -> Content:
    """Return a remark of the platform's about a file, in which ``{}`` stands for its name."""
    told = f"[{note.replace('{}', f'“{escape_reserved_tags(name)}”', 1)}]"
    return Content.from_text(told, additional_properties={FILE_PROPERTY: name})
