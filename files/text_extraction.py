"""Program that extracts the text of a document, in a process of its own since documents are untrusted.

Started by `files.texts` with the path of a file, its media type, and the largest number of characters; it prints a JSON
object with `text`, and with a description of the rest as `left_out`. Its memory and processor time are limited, and it
can write to no file.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from importlib import import_module

from files.documents.bounded_text import BoundedText, TextFullError
from files.programs import limit_resources

MAX_EXTRACTION_CPU_S = 10
"""Processor time limit for one document, in seconds."""

_READERS = {
    "application/pdf": ("pdf", "read_pdf"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("word", "read_word"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("workbook", "read_workbook"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("slides", "read_presentation"),
}
"""Modules of `files.documents` and their functions. Only one is imported, which takes longer than most documents."""


def extract(path: str, media_type: str, max_chars: int) -> dict[str, str]:
    """Return the text of a document, and a description of the part that is left out.

    Raises:
        Exception: Any error of a library that cannot read the document.
    """
    module, name = _READERS[media_type]
    read: Callable[[str, BoundedText], str] = getattr(import_module(f"files.documents.{module}"), name)
    text = BoundedText(max_chars)
    try:
        left_out = read(path, text)
    except TextFullError:
        left_out = "the rest"
    return {"text": str(text), "left_out": left_out}


def main() -> None:
    """Print the text of the document that the command line names."""
    limit_resources(max_cpu_s=MAX_EXTRACTION_CPU_S)
    # Warnings of the libraries about a document would go unread.
    warnings.simplefilter("ignore")
    _, path, media_type, max_chars = sys.argv
    sys.stdout.buffer.write(json.dumps(extract(path, media_type, int(max_chars))).encode())
