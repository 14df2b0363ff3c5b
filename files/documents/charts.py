"""Charts and diagrams within documents and presentations: their titles, and their numbers as CSV."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass, field
from typing import Any

from files.documents.parts import Relation, Text, elements, value

MAX_POINTS = 2_000
"""How many points of a series are told."""


@dataclass(slots=True)
class _Series:
    """A row of numbers, with the categories that they belong to."""

    name: str = ""
    categories: dict[int, str] = field(default_factory=dict)
    values: dict[int, str] = field(default_factory=dict)


def read_graphic(archive: zipfile.ZipFile, of_part: dict[str, Relation], element: Any, text: Text) -> None:
    """Read the chart or the diagram that an element of a part stands for; none where it is not there."""
    to = of_part.get(value(element, "id") or value(element, "dm") or "")
    if to is not None and to.kind == "chart":
        _read_chart(archive, to.target, text)
    elif to is not None and to.kind == "diagramData":
        _read_diagram(archive, to.target, text)


def _read_chart(archive: zipfile.ZipFile, part: str, text: Text) -> None:
    """Read a chart: its title, then a line for each category with the number of each series. Source: ECMA-376, 21.2."""
    title: list[str] = []
    all_series: list[_Series] = []
    series, place, point = _Series(), "", 0
    for event, name, element in elements(archive, part):
        if event == "start":
            match name:
                case "ser":
                    series = _Series()
                    all_series.append(series)
                case "tx" | "cat" | "val" | "xVal" | "yVal":
                    place = name
                case "pt":
                    point = int(element.get("idx", 0))
                case _:
                    pass
        elif name == "v" and point < MAX_POINTS:
            shown = element.text or ""
            match place:
                case "tx":
                    series.name = shown
                case "cat" | "xVal":
                    series.categories.setdefault(point, shown)
                case "val" | "yVal":
                    series.values[point] = shown
                case _:
                    pass
        elif name == "t" and not all_series:
            title.append(element.text or "")
    text.add(f"[Chart{': ' if title else ''}{''.join(title)}]\n")
    text.add(_as_csv(all_series))


def _as_csv(all_series: list[_Series]) -> str:
    if not all_series:
        return ""
    categories: dict[int, str] = {}
    for series in all_series:
        categories = series.categories | categories
    points = sorted({point for series in all_series for point in series.values})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["", *(series.name for series in all_series)])
    for point in points:
        writer.writerow([categories.get(point, ""), *(series.values.get(point, "") for series in all_series)])
    return buffer.getvalue()


def _read_diagram(archive: zipfile.ZipFile, part: str, text: Text) -> None:
    """Read the texts of a diagram (SmartArt), a point on each line. Source: ECMA-376, 21.4."""
    line: list[str] = []
    for event, name, element in elements(archive, part):
        if event == "end" and name == "t":
            line.append(element.text or "")
        elif event == "end" and name == "p" and line:
            text.add(f"{''.join(line)}\n")
            line = []


def picture_note(element: Any) -> str:
    """Return what its author says of a picture, for a line of its own; empty when nothing is said."""
    said = " ".join((value(element, "descr") or "").split())
    return f"[Picture: {said}]" if said else ""
