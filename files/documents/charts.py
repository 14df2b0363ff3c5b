"""Charts and diagrams within documents and presentations: their titles, and their numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from files.documents.parts import inside, number, value

MAX_POINTS = 2_000
"""How many points of a series are told."""


def graphic_lines(kind: str, root: Any) -> Iterator[str]:
    """Yield the lines of a chart or of the data of a diagram; none of what is neither."""
    if kind == "chart":
        yield from _chart_lines(root)
    elif kind == "diagramData":
        for paragraph in inside(root, "p"):
            if line := _texts(paragraph):
                yield line


def _texts(element: Any) -> str:
    return "".join(each.text or "" for each in element.iterfind(".//{*}t"))


def _chart_lines(root: Any) -> Iterator[str]:
    """Yield the title of a chart, then a line for each category with the number of each series. ECMA-376, 21.2."""
    title = "".join(_texts(each) for each in root.iterfind("{*}chart/{*}title"))
    yield f"[Chart{': ' if title else ''}{title}]"
    categories: dict[int, str] = {}
    names: list[str] = []
    values: list[dict[int, str]] = []
    for series in root.iter("{*}ser"):
        names.append("".join(each.text or "" for each in series.iterfind("{*}tx//{*}v")))
        categories = _points(series, "cat", "xVal") | categories
        values.append(_points(series, "val", "yVal"))
    if not names:
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["", *names])
    for point in sorted({point for each in values for point in each}):
        writer.writerow([categories.get(point, ""), *(each.get(point, "") for each in values)])
    yield buffer.getvalue().rstrip("\n")


def _points(series: Any, *places: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for place in places:
        for each in series.iterfind(f"{{*}}{place}//{{*}}pt"):
            point = number(each.get("idx"), MAX_POINTS, MAX_POINTS)
            if point < MAX_POINTS:
                # Of categories in several levels the first is the one that each number has.
                found.setdefault(point, next((v.text or "" for v in each.iterfind("{*}v")), ""))
    return found


def picture_note(element: Any) -> str:
    """Return the alternative text of a picture as a line of its own; empty when it has none."""
    said = " ".join((value(element, "descr") or "").split())
    return f"[Picture: {said}]" if said else ""
