"""Workbooks as text: each sheet as CSV, with the values that were shown last, and the comments of cells."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any

from openpyxl.comments.comment_sheet import CommentSheet  # type: ignore[import-untyped]
from openpyxl.packaging.relationship import get_dependents, get_rels_path  # type: ignore[import-untyped]
from openpyxl.reader.excel import ExcelReader  # type: ignore[import-untyped]
from openpyxl.xml.functions import fromstring  # type: ignore[import-untyped]

from files.documents.bounded_text import MAX_PARTS, Text

# Written by a program that calculates nothing: a formula, and no value behind it.
_NOT_CALCULATED = re.compile(rb"(?:</f>|<f[^<>]*/>)\s*(?:<v\s*/>|<v>\s*</v>|</c>)")
_SCANNED_BYTES = 1024 * 1024


class _CellReader(ExcelReader):  # type: ignore[misc]
    """Reads what has cells. A sheet that is a chart has none, and the library gives up on one without its drawing."""

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Pass over a chart."""


def read_workbook(path: str, text: Text) -> str:
    """Read a workbook; return what is left out."""
    with zipfile.ZipFile(path) as archive, Path(path).open("rb") as file:
        reader = _load(file, has_values=True)
        shown = reader.wb
        # Opened once more only where formulas are all there is: it costs its shared texts again.
        formulas = _load(file, has_values=False).wb if _has_uncalculated(archive) else None
        parts = {sheet.name: to.target for sheet, to in reader.parser.find_sheets() if to.Type.endswith("/worksheet")}
        sheets = [name for name in shown.sheetnames if name in parts]
        for name in sheets[:MAX_PARTS]:
            hidden = " (hidden)" if shown[name].sheet_state != "visible" else ""
            text.add(f"\n# Sheet {name}{hidden}\n")
            _read_rows(_rows(shown[name], formulas and formulas[name]), text)
            _read_comments(archive, parts[name], text)
    return f"all but the first {MAX_PARTS} sheets" if len(sheets) > MAX_PARTS else ""


def _load(file: Any, *, has_values: bool) -> Any:
    reader = _CellReader(file, read_only=True, data_only=has_values, keep_links=False)
    reader.read()
    return reader


def _has_uncalculated(archive: zipfile.ZipFile) -> bool:
    for part in archive.namelist():
        if not part.startswith("xl/worksheets/"):
            continue
        with archive.open(part) as file:
            before = b""
            while piece := file.read(_SCANNED_BYTES):
                if _NOT_CALCULATED.search(before + piece):
                    return True
                before = piece[-100:]
    return False


def _rows(shown: Any, formulas: Any | None) -> Iterator[list[str]]:
    # A sheet may say that it has millions of columns: each row ends with its own last cell instead.
    shown.reset_dimensions()
    if formulas is None:
        for row in shown.iter_rows():
            yield [_as_text(cell.value, cell.number_format) for cell in row]
        return
    formulas.reset_dimensions()
    for row, asked in zip(shown.iter_rows(), formulas.iter_rows(), strict=False):
        yield [
            # That of several cells at once is an object with a text.
            str(getattr(formula.value, "text", formula.value)) if cell.value is None and formula.value is not None
            else _as_text(cell.value, cell.number_format)
            for cell, formula in zip(row, asked, strict=False)
        ]  # fmt: skip


def _read_rows(rows: Iterator[list[str]], text: Text) -> None:
    is_gap = False
    for values in rows:
        while values and not values[-1]:
            values.pop()
        if not values:
            is_gap = True
            continue
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(values)
        text.add("\n" * is_gap + buffer.getvalue())
        is_gap = False


def _read_comments(archive: zipfile.ZipFile, sheet: str, text: Text) -> None:
    parts = set(archive.namelist())
    of_sheet = get_rels_path(sheet)
    for each in get_dependents(archive, of_sheet) if of_sheet in parts else ():
        if each.Type.endswith("/comments") and each.target in parts:
            for place, comment in CommentSheet.from_tree(fromstring(archive.read(each.target))).comments:
                text.add(f"[Comment on {place}: {' '.join(str(comment.content).split())}]\n")


def _as_text(cell: Any, number_format: str | None) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case int() | float() if (number_format or "").endswith("%"):
            return f"{cell * 100:.15g}%"
        case float():
            # As many digits as the workbook's own program shows: 0.1 + 0.2 is 0.3 there.
            return f"{cell:.15g}"
        case datetime() if cell.time() == time():
            # A date is a time at midnight to a workbook.
            return str(cell.date())
        case _:
            return str(cell)
