"""Charts and diagrams within documents and presentations: their titles, and their numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from files.documents.parts import attribute, find_elements, parse_number

MAX_POINTS = 2_000
"""Largest number of points of a series that are read."""


def graphic_lines(kind: str, root: Any) -> Iterator[str]:
    """Yield the text of a chart, or of the data of a diagram, line by line; nothing for other kinds of parts."""
    if kind == "chart":
        yield from _chart_lines(root)
    elif kind == "diagramData":
        for paragraph in find_elements(root, "p"):
            if line := _joined_text(paragraph):
                yield line


def _joined_text(element: Any) -> str:
    return "".join(each.text or "" for each in element.iterfind(".//{*}t"))


def _chart_lines(root: Any) -> Iterator[str]:
    """Yield the title of a chart, then a line for each category with the number of each series. ECMA-376, 21.2."""
    title = "".join(_joined_text(each) for each in root.iterfind("{*}chart/{*}title"))
    yield f"[Chart{': ' if title else ''}{title}]"
    categories: dict[int, str] = {}
    names: list[str] = []
    values: list[dict[int, str]] = []
    for series in root.iter("{*}ser"):
        names.append("".join(each.text or "" for each in series.iterfind("{*}tx//{*}v")))
        categories = _read_points(series, "cat", "xVal") | categories
        values.append(_read_points(series, "val", "yVal"))
    if not names:
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["", *names])
    for point in sorted({point for each in values for point in each}):
        writer.writerow([categories.get(point, ""), *(each.get(point, "") for each in values)])
    yield buffer.getvalue().rstrip("\n")


def _read_points(series: Any, *names: str) -> dict[int, str]:
    points: dict[int, str] = {}
    for name in names:
        for each in series.iterfind(f"{{*}}{name}//{{*}}pt"):
            point = parse_number(each.get("idx"), MAX_POINTS, MAX_POINTS)
            if point < MAX_POINTS:
                # Of categories in several levels, only the first level has one for each point.
                points.setdefault(point, next((v.text or "" for v in each.iterfind("{*}v")), ""))
    return points


def alternative_text_line(element: Any) -> str:
    """Return a line with the alternative text of a picture; empty when it has none."""
    alternative = " ".join((attribute(element, "descr") or "").split())
    return f"[Picture: {alternative}]" if alternative else ""
