"""Program that extracts the text of a document, apart from the server since documents are untrusted.

Started by `files.texts` with the path of a file, its media type, and how many characters are wanted; it writes a JSON
object with `text`, and with `left_out` where there is more. It has limits of memory and time; it can write nowhere but
into the pipe to who started it.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from importlib import import_module

from files.documents.bounded_text import FullError, Text
from files.programs import limit

MAX_EXTRACTION_CPU_S = 10
"""How much time of a processor one document may take."""

_READERS = {
    "application/pdf": ("pdf", "read_pdf"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("word", "read_word"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("workbook", "read_workbook"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("slides", "read_presentation"),
}
"""Modules of `files.documents` and their functions. One is loaded: each library takes longer than most documents."""


def extract(path: str, media_type: str, max_chars: int) -> dict[str, str]:
    """Return the text of a document, and what of it is left out.

    Raises:
        Exception: Of any kind, when it cannot be read.
    """
    module, name = _READERS[media_type]
    read: Callable[[str, Text], str] = getattr(import_module(f"files.documents.{module}"), name)
    text = Text(max_chars)
    try:
        left_out = read(path, text)
    except FullError:
        left_out = "the rest"
    return {"text": str(text), "left_out": left_out}


def main() -> None:
    """Extract what the command line names."""
    limit(max_cpu_s=MAX_EXTRACTION_CPU_S)
    # Libraries warn of what is odd in a document, which nobody reads here.
    warnings.simplefilter("ignore")
    _, path, media_type, max_chars = sys.argv
    sys.stdout.buffer.write(json.dumps(extract(path, media_type, int(max_chars))).encode())
