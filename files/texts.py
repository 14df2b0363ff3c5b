"""Texts of files: text files are decoded here, and documents read by a separate program that can be killed."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from errors import UnavailableError
from files.media_types import OFFICE, PDF
from files.programs import build_command
from files.text_encodings import detect_encoding

logger = logging.getLogger(__name__)

EXTRACTION_TIMEOUT_S = 30.0
"""Time limit for one document, in seconds; generous for busy machines, as `MAX_EXTRACTION_CPU_S` limits the cost."""
MAX_EXTRACTED_CHARS = 200_000
MAX_OUTPUT_BYTES = 12 * MAX_EXTRACTED_CHARS
"""Largest JSON output of an extraction, in bytes: each character is at most two escapes of six bytes."""

# With lxml, openpyxl would accept XML that declares entities; without it, `defusedxml` rejects those.
_ENVIRONMENT = {"OPENPYXL_LXML": "False"}

DOCUMENTS = OFFICE | {PDF}
"""Types of files whose text is extracted."""


class UnreadableError(UnavailableError):
    """A document cannot be read, or not within the limits."""

    code = "attachments.unreadable"
    allow_retry = False

    def __init__(self) -> None:
        super().__init__("The text of this file cannot be read.")


@dataclass(frozen=True, slots=True)
class FileText:
    """Text of a file.

    Attributes:
        text: The text, from the beginning.
        left_out: A description of the part that is missing, e.g. ``"pages 4 to 9"``; empty when nothing is.
    """

    text: str
    left_out: str = ""

    def truncate(self, max_chars: int) -> FileText:
        """Return the text, cut to at most `max_chars`."""
        if len(self.text) <= max_chars:
            return self
        return FileText(self.text[:max_chars], "the rest")


def dump_text(text: FileText) -> bytes:
    """Return the JSON of a text, as it is stored."""
    return json.dumps({"text": text.text, "left_out": text.left_out}).encode()


def load_text(data: bytes) -> FileText:
    """Return the text in the JSON from `dump_text`."""
    members = json.loads(data)
    return FileText(members["text"], members["left_out"])


async def extract_text(path: Path, media_type: str) -> FileText:
    """Return the text of a document of one of the types `DOCUMENTS`, read by a separate program.

    Raises:
        UnreadableError: When the document cannot be read within the limits.
    """
    # Our environment variables are not passed on, as they contain keys.
    process = await asyncio.create_subprocess_exec(
        *build_command("files.text_extraction", str(path), media_type, str(MAX_EXTRACTED_CHARS)),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=_ENVIRONMENT, limit=MAX_OUTPUT_BYTES,
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    output = b""
    try:
        async with asyncio.timeout(EXTRACTION_TIMEOUT_S):
            output = await process.stdout.read(MAX_OUTPUT_BYTES)
            while more := await process.stdout.read(MAX_OUTPUT_BYTES):
                output += more
                if len(output) > MAX_OUTPUT_BYTES:
                    break
            await process.wait()
    except TimeoutError:
        logger.info("document takes too long to be read", extra={"media_type": media_type})
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    try:
        return load_text(output)
    except (ValueError, KeyError, TypeError) as exc:
        raise UnreadableError from exc


def decode_text(path: Path, max_chars: int) -> FileText:
    """Return the text of a text file in UTF-8, UTF-16 or Windows-1252. Blocks: to be called in a thread."""
    encoding = detect_encoding(path) or "utf-8"
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        text = file.read(max_chars + 1)
    return FileText(text).truncate(max_chars)
