"""Paragraphs and tables of a part as lines: what documents and presentations have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from files.documents.charts import graphic_lines
from files.documents.parts import REPEATED, children, inside, name_of, number, tree_of, value

MAX_COLUMNS = 1_000
"""How many columns one merged cell can stand for."""


class Story:
    """Paragraphs and tables of a part: a page of text, a slide, its notes."""

    def __init__(self, part: Any) -> None:
        self.part = part

    def lines(self, element: Any) -> Iterator[str]:
        """Yield the lines of what is in an element; rows of tables with `|` between their cells."""
        for child in children(element):
            match name_of(child):
                case "p":
                    yield from self.paragraph(child)
                case "tbl":
                    yield from self._rows(child)
                case "chart" | "relIds":
                    yield from self.graphic(child)
                case name if name not in REPEATED:
                    yield from self.lines(child)
                case _:
                    pass

    def paragraph(self, element: Any) -> Iterator[str]:
        """Yield a paragraph, and after it the text boxes and charts in it."""
        aside: list[Any] = []
        yield self.mark(element) + "".join(self._pieces(element, aside))
        for each in aside:
            yield from self.graphic(each) if name_of(each) in ("chart", "relIds") else self.lines(each)

    def _pieces(self, element: Any, aside: list[Any]) -> Iterator[str]:
        for child in children(element):
            match name_of(child):
                case "t":
                    yield child.text or ""
                case "tab":
                    yield "\t"
                case "br" | "cr":
                    yield "\n"
                case "noBreakHyphen":
                    yield "-"
                case "txbxContent" | "chart" | "relIds":
                    aside.append(child)
                case "pPr":
                    pass
                case name if name not in REPEATED:
                    yield from self._pieces(child, aside)
                    yield self.behind(child)
                case _:
                    pass

    def _rows(self, table: Any) -> Iterator[str]:
        for row in inside(table, "tr"):
            cells: list[str] = []
            for cell in inside(row, "tc"):
                text = " ".join(" ".join(self.lines(cell)).split()).replace("|", "\\|")
                # Columns that it was merged of follow as empty ones, so that those below each other stay so.
                span = next((value(each) for each in cell.iterfind("{*}tcPr/{*}gridSpan")), None)
                cells += [text, *[""] * (number(span, 1, MAX_COLUMNS) - 1)]
            yield f"| {' | '.join(cells)} |"

    def mark(self, _paragraph: Any) -> str:
        """Return the mark in front of a paragraph that is a heading or a point of a list; empty for others."""
        return ""

    def behind(self, _element: Any) -> str:
        """Return text that belongs after an element, such as the description of a picture; empty by default."""
        return ""

    def graphic(self, element: Any) -> Iterator[str]:
        """Yield the lines of the chart or the diagram that an element stands for."""
        to = self.part.rels.get(value(element, "id") or value(element, "dm") or "")
        if to is not None and not to.is_external:
            yield from graphic_lines(to.reltype.rpartition("/")[2], tree_of(to.target_part))
