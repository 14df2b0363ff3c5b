"""Presentations as text: slides in their order, with tables, charts, and the notes of who speaks. ECMA-376, 19."""

from __future__ import annotations

import zipfile
from typing import Any

from files.documents.charts import picture_note, read_graphic
from files.documents.parts import MAX_PARTS, Relation, Table, Text, elements, relations

PRESENTATION = "ppt/presentation.xml"


def read_presentation(path: str, text: Text) -> str:
    """Read a presentation; return which slides are left out."""
    with zipfile.ZipFile(path) as archive:
        of_presentation = relations(archive, PRESENTATION)
        ids = [
            next((each for key, each in element.attrib.items() if key.endswith("}id")), "")
            for event, name, element in elements(archive, PRESENTATION)
            if event == "end" and name == "sldId"
        ]
        slides = [to.target for each in ids if (to := of_presentation.get(each)) and to.kind == "slide"]
        for number, part in enumerate(slides[:MAX_PARTS], 1):
            of_slide = relations(archive, part)
            _Slide(archive, part, of_slide, text).read(f"Slide {number}")
            notes = next((each.target for each in of_slide.values() if each.kind == "notesSlide"), None)
            if notes is not None:
                text.add("Notes:\n")
                _Slide(archive, notes, {}, text).read()
    return f"slides {MAX_PARTS + 1} to {len(slides)}" if len(slides) > MAX_PARTS else ""


class _Slide:
    """A slide, or the notes of one."""

    def __init__(self, archive: zipfile.ZipFile, part: str, of_slide: dict[str, Relation], text: Text) -> None:
        self._archive = archive
        self._part = part
        self._relations = of_slide
        self._text = text
        self._line: list[str] = []
        self._level = 0
        self._is_title = False
        self._is_picture = False
        self._table: Table | None = None

    def read(self, title: str = "") -> None:
        """Read all of it, below a heading where it has one; a slide that is not shown says so."""
        is_first = True
        for event, name, element in elements(self._archive, self._part):
            if is_first and title:
                hidden = " (hidden)" if element.get("show") in ("0", "false") else ""
                self._text.add(f"\n# {title}{hidden}\n")
            is_first = False
            if event == "start":
                self._open(name, element)
            else:
                self._close(name, element)

    def _open(self, name: str, element: Any) -> None:
        match name:
            case "p":
                self._line, self._level = [], 0
            case "sp":
                self._is_title = False
            case "pic":
                self._is_picture = True
            case "tbl":
                self._table = Table()
            case "tr" if self._table:
                self._table.open_row()
            case "tc" if self._table:
                self._table.open_cell()
            case _:
                pass

    def _close(self, name: str, element: Any) -> None:
        match name:
            case "t":
                self._line.append(element.text or "")
            case "br":
                self._line.append("\n")
            case "pPr" if (level := element.get("lvl", "")).isdecimal():
                self._level = min(int(level), 8)
            case "ph":
                self._is_title = element.get("type") in ("title", "ctrTitle")
            case "p":
                self._close_paragraph()
            case "cNvPr" if self._is_picture and (note := picture_note(element)):
                self._text.add(f"{note}\n")
            case "pic":
                self._is_picture = False
            case "tc" if self._table:
                self._table.close_cell()
            case "tr" if self._table:
                self._text.add(f"{self._table.line()}\n")
            case "tbl":
                self._table = None
            case "chart" | "relIds":
                read_graphic(self._archive, self._relations, element, self._text)
            case _:
                pass

    def _close_paragraph(self) -> None:
        line = "".join(self._line)
        self._line = []
        if self._table:
            self._table.cell.append(line)
        elif self._is_title and line.strip():
            self._text.add(f"## {' '.join(line.split())}\n")
        else:
            self._text.add(f"{'  ' * self._level}{line}\n")
