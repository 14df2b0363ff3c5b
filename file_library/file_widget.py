"""The card of a file that an assistant has made."""

from __future__ import annotations

from typing import Any

from file_library.attached_file import AttachedFile
from files.media_types import PICTURES, extension_of
from files.upload_rules import in_words


def build_file_widget(file: AttachedFile) -> dict[str, Any]:
    """Return a card with the name, the size and a link; a picture is shown above it."""
    kind = extension_of(file.name).removeprefix(".").upper()
    label = " · ".join(part for part in (kind, in_words(file.size)) if part)
    line = {
        "type": "Row",
        "align": "center",
        "gap": 3,
        "children": [
            {"type": "Icon", "name": "document", "size": "lg"},
            {
                "type": "Col",
                "flex": 1,
                "children": [
                    {"type": "Text", "value": file.name, "weight": "semibold", "truncate": True},
                    {"type": "Caption", "value": label},
                ],
            },
            {"type": "Markdown", "value": f"[Download]({file.url})"},
        ],
    }
    shown = [{"type": "Image", "src": file.preview_url, "alt": file.name, "fit": "contain", "height": 220}]
    return {"type": "Card", "size": "md", "children": [*(shown if file.media_type in PICTURES else ()), line]}
