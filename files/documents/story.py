"""Story: the paragraphs and tables of a part as lines of text, for documents and presentations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from files.documents.charts import graphic_lines
from files.documents.parts import (
    DUPLICATE_ELEMENTS,
    attribute,
    child_elements,
    find_elements,
    local_name,
    parse_number,
    parse_part,
)

MAX_COLUMNS = 1_000
"""Largest number of columns that a merged cell can span."""


class Story:
    """Paragraphs and tables of a part, such as the body of a document, a slide, or its notes."""

    def __init__(self, part: Any) -> None:
        self.part = part

    def lines(self, element: Any) -> Iterator[str]:
        """Yield the lines of the content of an element; rows of tables with `|` between their cells."""
        for child in child_elements(element):
            match local_name(child):
                case "p":
                    yield from self.paragraph(child)
                case "tbl":
                    yield from self._rows(child)
                case "chart" | "relIds":
                    yield from self.graphic(child)
                case name if name not in DUPLICATE_ELEMENTS:
                    yield from self.lines(child)
                case _:
                    pass

    def paragraph(self, element: Any) -> Iterator[str]:
        """Yield a paragraph, followed by the text boxes and charts that are anchored in it."""
        floating: list[Any] = []
        yield self.paragraph_prefix(element) + "".join(self._pieces(element, floating))
        for each in floating:
            yield from self.graphic(each) if local_name(each) in ("chart", "relIds") else self.lines(each)

    def _pieces(self, element: Any, floating: list[Any]) -> Iterator[str]:
        for child in child_elements(element):
            match local_name(child):
                case "t":
                    yield child.text or ""
                case "tab":
                    yield "\t"
                case "br" | "cr":
                    yield "\n"
                case "noBreakHyphen":
                    yield "-"
                case "txbxContent" | "chart" | "relIds":
                    floating.append(child)
                case "pPr":
                    pass
                case name if name not in DUPLICATE_ELEMENTS:
                    yield from self._pieces(child, floating)
                    yield self.text_after(child)
                case _:
                    pass

    def _rows(self, table: Any) -> Iterator[str]:
        for row in find_elements(table, "tr"):
            cells: list[str] = []
            for cell in find_elements(row, "tc"):
                text = " ".join(" ".join(self.lines(cell)).split()).replace("|", "\\|")
                # A merged cell is followed by empty ones, so that the columns stay aligned.
                span = next((attribute(each) for each in cell.iterfind("{*}tcPr/{*}gridSpan")), None)
                cells += [text, *[""] * (parse_number(span, 1, MAX_COLUMNS) - 1)]
            yield f"| {' | '.join(cells)} |"

    def paragraph_prefix(self, _paragraph: Any) -> str:
        """Return the prefix of a paragraph that is a heading or a list item; empty for any other."""
        return ""

    def text_after(self, _element: Any) -> str:
        """Return the text to add after an element, such as the target of a link; empty by default."""
        return ""

    def graphic(self, element: Any) -> Iterator[str]:
        """Yield the lines of the chart or diagram that an element refers to."""
        to = self.part.rels.get(attribute(element, "id") or attribute(element, "dm") or "")
        if to is not None and not to.is_external:
            yield from graphic_lines(to.reltype.rpartition("/")[2], parse_part(to.target_part))
