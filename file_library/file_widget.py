"""Widget that shows a file from an assistant."""

from __future__ import annotations

from typing import Any

from file_library.attached_file import AttachedFile
from files.media_types import PICTURES, extension_of
from files.upload_rules import format_size


def build_file_widget(file: AttachedFile) -> dict[str, Any]:
    """Return a card with the name, the size and a download link of a file; a picture is shown above them."""
    kind = extension_of(file.name).removeprefix(".").upper()
    label = " · ".join(part for part in (kind, format_size(file.size)) if part)
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
    picture = [{"type": "Image", "src": file.preview_url, "alt": file.name, "fit": "contain", "height": 220}]
    return {"type": "Card", "size": "md", "children": [*(picture if file.media_type in PICTURES else ()), line]}
