"""Parts of an office document, read piece by piece within bounds, and the text that is made of them.

Elements and attributes are told by their local names: a document in the strict form of ECMA-376 has other namespaces.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

MAX_PART_BYTES = 150_000_000
"""How much of one part of an archive is unpacked."""

MAX_PARTS = 500
MAX_COLUMNS = 1_000
"""How many columns one merged cell can stand for."""


class FullError(Exception):
    """There is as much text as is wanted."""


class Text:
    """Text that grows up to a bound."""

    def __init__(self, max_chars: int) -> None:
        self._left = max_chars
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Add a piece.

        Raises:
            FullError: When there is more than is wanted.
        """
        self._pieces.append(piece[: self._left])
        self._left -= len(piece)
        if self._left < 0:
            raise FullError

    def __str__(self) -> str:
        return "".join(self._pieces).strip()


@dataclass(frozen=True, slots=True)
class Relation:
    """Reference of a part to another, or to an address elsewhere.

    Attributes:
        kind: The last word of its type, e.g. ``"chart"``; ``"hyperlink"`` for an address, and for nothing else.
        target: The name of the other part, which is there, or the address.
    """

    kind: str
    target: str


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
            raise FullError
        return data


def elements(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str, Any]]:
    """Yield begins and ends of elements of a part: ``"start"`` or ``"end"``, the local name, the element.

    What a document holds a second time, for programs that do not know the first, is left out.
    """
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    repeated = 0
    with archive.open(part) as file:
        for event, element in iterparse(_Bounded(file), events=("start", "end"), forbid_dtd=True):
            name = element.tag.rpartition("}")[2]
            if name == "Fallback":
                repeated += 1 if event == "start" else -1
            elif not repeated:
                yield event, name, element


def value(element: Any, name: str) -> str | None:
    """Return an attribute by its local name; None when there is none."""
    return next((str(each) for key, each in element.attrib.items() if key.rpartition("}")[2] == name), None)


def relations(archive: zipfile.ZipFile, part: str) -> dict[str, Relation]:
    """Return the references of a part by their ids; to parts only where they are there."""
    folder, _, name = part.rpartition("/")
    of_part = f"{folder}/_rels/{name}.rels"
    parts = set(archive.namelist())
    found: dict[str, Relation] = {}
    if of_part not in parts:
        return found
    for event, tag, element in elements(archive, of_part):
        if event != "end" or tag != "Relationship":
            continue
        kind, target = element.get("Type", "").rpartition("/")[2], element.get("Target", "")
        is_elsewhere = element.get("TargetMode") == "External"
        if not is_elsewhere:
            target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        # A picture may lie elsewhere too, and a bookmark here.
        if is_elsewhere == (kind == "hyperlink") and (is_elsewhere or target in parts):
            found[element.get("Id", "")] = Relation(kind, target)
    return found


class Table:
    """A table, a row at a time: as a line with `|` between its cells."""

    def __init__(self) -> None:
        self.cell: list[str] = []
        self._row: list[str] = []
        self._columns = 1

    def open_row(self) -> None:
        """Begin a row."""
        self._row = []

    def open_cell(self, columns: str | None = None) -> None:
        """Begin a cell, merged of so many columns."""
        self.cell, self._columns = [], 1
        self.widen(columns)

    def widen(self, columns: str | None) -> None:
        """Let the cell be merged of so many columns."""
        if columns is not None and columns.isdecimal():
            self._columns = min(int(columns), MAX_COLUMNS)

    def close_cell(self) -> None:
        """End a cell; columns that it was merged of follow as empty ones, so that those below each other stay so."""
        text = " ".join(" ".join(self.cell).split()).replace("|", "\\|")
        self._row += [text, *[""] * (self._columns - 1)]
        self.cell = []

    def line(self) -> str:
        """Return the row."""
        return f"| {' | '.join(self._row)} |"
