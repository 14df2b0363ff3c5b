"""The text of a document, as a program of its own: what a stranger's document can make it do ends with it.

Started by `files.texts` with the path of a file, its media type, and how many characters are wanted; it writes a JSON
object with `text`, and with `left_out` where there is more. It imports nothing of ours, and has limits of memory and
time; it can write nowhere but into the pipe to who started it.
Sources: ECMA-376 for what office documents hold, ISO 32000 for PDF.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

MAX_MEMORY_BYTES = 1_500_000_000
MAX_CPU_S = 25
MAX_PART_BYTES = 150_000_000
"""How much of one part of an archive is unpacked."""

MAX_PAGES = 2_000
MAX_PARTS = 500

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_HEADING = re.compile(r"(?:heading|title|berschrift)\s?(\d?)", re.IGNORECASE)


class _FullError(Exception):
    """There is as much text as is wanted."""


class _Text:
    """Text that grows up to a bound."""

    def __init__(self, max_chars: int) -> None:
        self._left = max_chars
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Add a piece.

        Raises:
            _FullError: When there is more than is wanted.
        """
        self._pieces.append(piece[: self._left])
        self._left -= len(piece)
        if self._left < 0:
            raise _FullError

    def __str__(self) -> str:
        return "".join(self._pieces).strip()


class _Bounded(io.RawIOBase):
    """A part of an archive, of which no more is unpacked than a bound, whatever its head says."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part = part
        self._left = MAX_PART_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._part.read(min(size, 65_536) if size >= 0 else 65_536)
        self._left -= len(data)
        if self._left < 0:
            raise _FullError
        return data


def _parts(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the begins and ends of elements of a part, each of which is forgotten when it has ended."""
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    with archive.open(name) as part:
        yield from iterparse(_Bounded(part), events=("start", "end"), forbid_dtd=True)


def read_word(path: str, text: _Text) -> str:
    """Read a Word document: paragraphs, headings with `#`, tables with `|`, text boxes, and then its notes."""
    with zipfile.ZipFile(path) as archive:
        _read_story(archive, "word/document.xml", text)
        for part in ("word/footnotes.xml", "word/endnotes.xml"):
            if part in archive.namelist():
                text.add("\n")
                _read_story(archive, part, text)
    return ""


def _read_story(archive: zipfile.ZipFile, part: str, text: _Text) -> None:
    depth, style = 0, ""
    # A text box stands within a paragraph, and has paragraphs of its own.
    outer: list[list[str]] = []
    line: list[str] = []
    repeated = 0
    for event, element in _parts(archive, part):
        tag = element.tag.removeprefix(_WORD)
        if tag == _FALLBACK:
            # What is there a second time, for programs that do not know the first.
            repeated += 1 if event == "start" else -1
        elif repeated:
            continue
        elif event == "start":
            depth += tag == "tc"
            if tag == "p":
                outer.append(line)
                style, line = "", []
        else:
            match tag:
                case "t":
                    line.append(element.text or "")
                case "tab":
                    line.append("\t")
                case "br" | "cr":
                    line.append("\n")
                case "pStyle":
                    style = element.get(f"{_WORD}val", "")
                case "p":
                    heading = _HEADING.match(style)
                    mark = f"{'#' * int(heading[1] or 1)} " if heading and depth == 0 else ""
                    text.add(f"{mark}{''.join(line)}{' ' if depth else chr(10)}")
                    line = outer.pop()
                    element.clear()
                case "tc":
                    depth -= 1
                    text.add("| ")
                case "tr":
                    text.add("\n")
                    element.clear()
                case _:
                    pass


def read_presentation(path: str, text: _Text) -> str:
    """Read a presentation: the texts of its slides, in their order, each with the notes of who speaks."""
    with zipfile.ZipFile(path) as archive:
        relations = {
            element.get("Id"): element.get("Target", "")
            for event, element in _parts(archive, "ppt/_rels/presentation.xml.rels")
            if event == "end" and element.tag == f"{_RELATIONS}Relationship"
        }
        ids = [
            element.get(_RELATION_ID)
            for event, element in _parts(archive, "ppt/presentation.xml")
            if event == "end" and element.tag.endswith("}sldId")
        ]
        slides = [f"ppt/{relations[each].removeprefix('/ppt/')}" for each in ids if relations.get(each)]
        for number, name in enumerate(slides[:MAX_PARTS], 1):
            text.add(f"\n# Slide {number}\n")
            _read_slide(archive, name, text)
            notes = _notes_of(archive, name)
            if notes is not None:
                text.add("Notes:\n")
                _read_slide(archive, notes, text)
    return f"slides {MAX_PARTS + 1} to {len(slides)}" if len(slides) > MAX_PARTS else ""


def _read_slide(archive: zipfile.ZipFile, part: str, text: _Text) -> None:
    for event, element in _parts(archive, part):
        if event == "end" and element.tag == f"{_DRAWING}t":
            text.add(element.text or "")
        elif event == "end" and element.tag in (f"{_DRAWING}p", f"{_DRAWING}br"):
            text.add("\n")


def _notes_of(archive: zipfile.ZipFile, slide: str) -> str | None:
    """Return the part with the notes of a slide; None when there is none."""
    folder, _, name = slide.rpartition("/")
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return None
    for event, element in _parts(archive, relations):
        if event == "end" and element.get("Type", "").endswith("/notesSlide"):
            part = f"ppt/notesSlides/{element.get('Target', '').rpartition('/')[2]}"
            return part if part in archive.namelist() else None
    return None


def read_workbook(path: str, text: _Text) -> str:
    """Read a workbook: each sheet as CSV, with the values that were shown last."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    # By its name it would be refused, which is not an Excel file's.
    with Path(path).open("rb") as file:
        return _read_sheets(load_workbook(file, read_only=True, data_only=True, keep_links=False), text)


def _read_sheets(book: Any, text: _Text) -> str:
    for sheet in book.worksheets[:MAX_PARTS]:
        text.add(f"\n# Sheet {sheet.title}\n")
        blank = 0
        for row in sheet.iter_rows(values_only=True):
            values = [_shown(value) for value in row]
            while values and not values[-1]:
                values.pop()
            if not values:
                blank += 1
                continue
            buffer = io.StringIO()
            csv.writer(buffer, lineterminator="\n").writerow(values)
            text.add("\n" * min(blank, 1) + buffer.getvalue())
            blank = 0
    return ""


def _shown(value: Any) -> str:
    # A date is a time at midnight to a workbook.
    return "" if value is None else str(value).removesuffix(" 00:00:00")


def read_pdf(path: str, text: _Text) -> str:
    """Read a PDF document page by page; what is encrypted only if no password is needed."""
    from pypdf import PdfReader

    reader = PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise ValueError("it is protected by a password")
    count, number = len(reader.pages), 0
    try:
        for number in range(1, min(count, MAX_PAGES) + 1):
            text.add(f"\n# Page {number}\n{reader.pages[number - 1].extract_text()}\n")
    except _FullError:
        return f"pages {number + 1} to {count}" if number < count else "the end of the last page"
    return f"pages {MAX_PAGES + 1} to {count}" if count > MAX_PAGES else ""


_READERS: dict[str, Callable[[str, _Text], str]] = {
    "application/pdf": read_pdf,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": read_word,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": read_workbook,
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": read_presentation,
}


def extract(path: str, media_type: str, max_chars: int) -> dict[str, str]:
    """Return the text of a document, and what of it is left out.

    Raises:
        Exception: Of any kind, when it cannot be read.
    """
    text = _Text(max_chars)
    try:
        left_out = _READERS[media_type](path, text)
    except _FullError:
        left_out = "the rest"
    return {"text": str(text), "left_out": left_out}


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows; there the time limit of who started it is all there is
        return
    for kind, value in ((resource.RLIMIT_AS, MAX_MEMORY_BYTES), (resource.RLIMIT_CPU, MAX_CPU_S)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (min(value, hard) if hard > 0 else value, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    _limit()
    # Libraries warn of what is odd in a document, which nobody reads here.
    warnings.simplefilter("ignore")
    _, asked_path, asked_type, asked_chars = sys.argv
    found = extract(asked_path, asked_type, int(asked_chars))
    sys.stdout.buffer.write(json.dumps(found).encode())
