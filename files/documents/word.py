"""Word documents as text: headings with `#`, lists with `-`, tables with `|`, then notes, comments and page footers.

Source: ECMA-376, 17.
"""

from __future__ import annotations

import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from files.documents.charts import picture_note, read_graphic
from files.documents.parts import MAX_PARTS, FullError, Relation, Table, Text, elements, relations, value

DOCUMENT = "word/document.xml"
MAX_HEADER_CHARS = 2_000
"""How much is told of what stands above or below each page."""

_HEADING = re.compile(r"(?:heading|title|berschrift)\s?(\d?)", re.IGNORECASE)
_LIST = re.compile(r"list(?!\s?paragraph|\s?continue)", re.IGNORECASE)


@dataclass(slots=True)
class _Paragraph:
    """A paragraph that is being read."""

    pieces: list[str] = field(default_factory=list)
    style: str = ""
    list_level: int | None = None
    graphics: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Styles:
    """Styles of paragraphs by their ids: the levels of headings, and which of them are lists."""

    headings: dict[str, int]
    lists: frozenset[str]

    def heading(self, style: str) -> int | None:
        """Return the level of a heading; None for what is none."""
        if style in self.headings:
            return self.headings[style]
        # Written by a program that describes no styles.
        match = _HEADING.match(style)
        return int(match[1] or 1) if match else None


def read_word(path: str, text: Text) -> str:
    """Read a Word document."""
    with zipfile.ZipFile(path) as archive:
        styles = _read_styles(archive)
        of_document = relations(archive, DOCUMENT)
        _read_margins(archive, of_document, "header", text)
        _Story(archive, DOCUMENT, text, styles).read()
        for kind, title in (("footnotes", ""), ("endnotes", ""), ("comments", "Comments:\n")):
            part = next((each.target for each in of_document.values() if each.kind == kind), f"word/{kind}.xml")
            if part in archive.namelist():
                text.add(f"\n{title}")
                _Story(archive, part, text, styles).read()
        _read_margins(archive, of_document, "footer", text)
    return ""


def _read_styles(archive: zipfile.ZipFile) -> _Styles:
    headings: dict[str, int] = {}
    lists: set[str] = set()
    if "word/styles.xml" not in archive.namelist():
        return _Styles(headings, frozenset())
    style = ""
    for event, name, element in elements(archive, "word/styles.xml"):
        if event == "start" and name == "style":
            style = value(element, "styleId") or ""
        elif event == "end" and name == "name" and style:
            said = value(element, "val") or ""
            if match := _HEADING.match(said):
                headings[style] = int(match[1] or 1)
            elif _LIST.match(said):
                lists.add(style)
        elif event == "end" and name == "outlineLvl" and (level := value(element, "val") or "").isdecimal():
            headings.setdefault(style, min(int(level), 8) + 1)
        elif event == "end" and name == "style":
            style = ""
            element.clear()
    return _Styles(headings, frozenset(lists))


def _read_margins(archive: zipfile.ZipFile, of_document: dict[str, Relation], kind: str, text: Text) -> None:
    """Read what stands above or below each page; what several kinds of pages share once."""
    told: list[str] = []
    for part in [each.target for each in of_document.values() if each.kind == kind][:MAX_PARTS]:
        margin = Text(MAX_HEADER_CHARS)
        with suppress(FullError):
            _Story(archive, part, margin, _Styles({}, frozenset())).read()
        if (line := " ".join(str(margin).split())) and line not in told:
            told.append(line)
            text.add(f"[{kind.capitalize()} of the pages: {line}]\n")


class _Story:
    """A part with paragraphs and tables: the document itself, its notes, its comments."""

    def __init__(self, archive: zipfile.ZipFile, part: str, text: Text, styles: _Styles) -> None:
        self._archive = archive
        self._part = part
        self._text = text
        self._styles = styles
        self._relations = relations(archive, part)
        # A text box stands within a paragraph, and has paragraphs of its own; so do tables in cells.
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[Table] = []
        # What is here only as the definition of tab stops, or as the place from which something was moved.
        self._ignored = 0
        self._prefix = ""

    def read(self) -> None:
        """Read all of it."""
        for event, name, element in elements(self._archive, self._part):
            if name in ("tabs", "moveFrom"):
                self._ignored += 1 if event == "start" else -1
            elif self._ignored:
                continue
            elif event == "start":
                self._open(name, element)
            else:
                self._close(name, element)

    def _open(self, name: str, element: Any) -> None:
        match name:
            case "p":
                self._paragraphs.append(_Paragraph())
            case "tbl":
                self._tables.append(Table())
            case "tr" if self._tables:
                self._tables[-1].open_row()
            case "tc" if self._tables:
                self._tables[-1].open_cell()
            case "footnote" | "endnote" if value(element, "type") in (None, "normal"):  # others are lines above notes
                self._prefix = f"[^{value(element, 'id')}] "
            case "comment":
                self._prefix = f"[^c{value(element, 'id')}] {value(element, 'author') or ''}: "
            case _:
                pass

    def _close(self, name: str, element: Any) -> None:
        match name:
            case "p" if self._paragraphs:
                self._close_paragraph(self._paragraphs.pop())
                element.clear()
            case "tbl" if self._tables:
                self._tables.pop()
            case "tc" if self._tables:
                self._tables[-1].close_cell()
            case "tr" if self._tables:
                self._close_row()
                element.clear()
            case "gridSpan" if self._tables:
                self._tables[-1].widen(value(element, "val"))
            case _ if self._paragraphs:
                self._add(self._paragraphs[-1], name, element)
            case _:
                pass

    def _add(self, paragraph: _Paragraph, name: str, element: Any) -> None:
        """Add what an element within a paragraph says."""
        add = paragraph.pieces.append
        match name:
            case "t":
                add(element.text or "")
            case "tab":
                add("\t")
            case "br" | "cr":
                add("\n")
            case "noBreakHyphen":
                add("-")
            case "pStyle":
                paragraph.style = value(element, "val") or ""
            case "ilvl" if (level := value(element, "val") or "").isdecimal():
                paragraph.list_level = min(int(level), 8)
            case "numId":
                paragraph.list_level = None if value(element, "val") == "0" else paragraph.list_level or 0
            case "hyperlink":
                to = self._relations.get(value(element, "id") or "")
                if to is not None and to.kind == "hyperlink":
                    add(f" ({to.target})")
            case "footnoteReference" | "endnoteReference":
                add(f"[^{value(element, 'id')}]")
            case "commentReference":
                add(f"[^c{value(element, 'id')}]")
            case "docPr":
                add(picture_note(element))
            case "chart" | "relIds":
                paragraph.graphics.append(element)
            case _:
                pass

    def _close_paragraph(self, paragraph: _Paragraph) -> None:
        line = f"{self._prefix}{''.join(paragraph.pieces)}"
        self._prefix = ""
        if self._tables:
            self._tables[-1].cell.append(line)
        else:
            self._text.add(f"{self._mark(paragraph)}{line}\n")
        for each in paragraph.graphics:
            read_graphic(self._archive, self._relations, each, self._text)

    def _mark(self, paragraph: _Paragraph) -> str:
        heading = self._styles.heading(paragraph.style)
        if heading is not None:
            return f"{'#' * heading} "
        if paragraph.list_level is not None or paragraph.style in self._styles.lists:
            return f"{'  ' * (paragraph.list_level or 0)}- "
        return ""

    def _close_row(self) -> None:
        line = self._tables[-1].line()
        if len(self._tables) > 1:
            # A table in a cell is a part of what the cell says.
            self._tables[-2].cell.append(line)
        else:
            self._text.add(f"{line}\n")
