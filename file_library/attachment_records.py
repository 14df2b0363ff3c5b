"""ChatKit's records of files, built from rows, with marks in place of URLs."""

from __future__ import annotations

from typing import Any

from chatkit.types import Attachment, FileAttachment, ImageAttachment
from pydantic import AnyUrl

from files.file_urls import build_url_mark
from files.media_types import PICTURES
from storage.file_rows import StoredFile


def build_document(file_id: str, name: str, media_type: str) -> dict[str, Any]:
    """Return ChatKit's record of a file as the JSON that is stored in its row."""
    is_picture = media_type in PICTURES
    document = {"type": "image" if is_picture else "file", "id": file_id, "name": name, "mime_type": media_type}
    return document | ({"preview_url": build_url_mark(file_id, "preview")} if is_picture else {})


def build_details(size: int, width: int | None, height: int | None) -> dict[str, int]:
    """Return the metadata of ChatKit's record of a file, which are never sent to clients."""
    details = {"size": size, "width": width, "height": height}
    return {name: value for name, value in details.items() if value is not None}


def build_attachment(file: StoredFile) -> Attachment:
    """Return ChatKit's record of a file, with marks in place of URLs."""
    common: dict[str, Any] = {
        "id": file.id, "name": file.name, "mime_type": file.media_type, "thread_id": file.thread_id,
        "metadata": build_details(file.size, file.width, file.height),
    }  # fmt: skip
    if file.media_type in PICTURES:
        return ImageAttachment(preview_url=AnyUrl(build_url_mark(file.id, "preview")), **common)
    return FileAttachment(**common)
