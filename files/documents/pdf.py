"""PDF documents as text, page by page. Source: ISO 32000-2."""

from __future__ import annotations

from pypdf import PdfReader

from files.documents.bounded_text import BoundedText, TextFullError

MAX_PAGES = 2_000


def read_pdf(path: str, text: BoundedText) -> str:
    """Read a PDF document; return which pages are left out. An encrypted one is read if it has no user password."""
    reader = PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise ValueError("it is protected by a password")
    count, number = len(reader.pages), 0
    try:
        for number in range(1, min(count, MAX_PAGES) + 1):
            text.add(f"\n# Page {number}\n{reader.pages[number - 1].extract_text()}\n")
    except TextFullError:
        return f"pages {number + 1} to {count}" if number < count else "the end of the last page"
    return f"pages {MAX_PAGES + 1} to {count}" if count > MAX_PAGES else ""
