"""Workbooks as text: each sheet as CSV with the cached values of its formulas, and the comments on cells."""

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

from files.documents.bounded_text import MAX_PARTS, BoundedText

# A formula without a cached value, from a program that does not calculate.
_NOT_CALCULATED = re.compile(rb"(?:</f>|<f[^<>]*/>)\s*(?:<v\s*/>|<v>\s*</v>|</c>)")
_SCANNED_BYTES = 1024 * 1024


class _CellReader(ExcelReader):  # type: ignore[misc]
    """Reader that skips chart sheets, as the library fails on one whose drawing is missing."""

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Skip a chart sheet."""


def read_workbook(path: str, text: BoundedText) -> str:
    """Read a workbook; return what is left out."""
    with zipfile.ZipFile(path) as archive, Path(path).open("rb") as file:
        reader = _open_workbook(file, has_values=True)
        workbook = reader.wb
        # Opened a second time only if values are missing, as that parses the shared strings again.
        formulas = _open_workbook(file, has_values=False).wb if _has_uncalculated_formulas(archive) else None
        parts = {sheet.name: to.target for sheet, to in reader.parser.find_sheets() if to.Type.endswith("/worksheet")}
        sheets = [name for name in workbook.sheetnames if name in parts]
        for name in sheets[:MAX_PARTS]:
            hidden = " (hidden)" if workbook[name].sheet_state != "visible" else ""
            text.add(f"\n# Sheet {name}{hidden}\n")
            _read_rows(_iter_rows(workbook[name], formulas and formulas[name]), text)
            _read_comments(archive, parts[name], text)
    return f"all but the first {MAX_PARTS} sheets" if len(sheets) > MAX_PARTS else ""


def _open_workbook(file: Any, *, has_values: bool) -> Any:
    reader = _CellReader(file, read_only=True, data_only=has_values, keep_links=False)
    reader.read()
    return reader


def _has_uncalculated_formulas(archive: zipfile.ZipFile) -> bool:
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


def _iter_rows(sheet: Any, formulas: Any | None) -> Iterator[list[str]]:
    # A sheet may declare millions of columns; after the reset each row ends with its own last cell.
    sheet.reset_dimensions()
    if formulas is None:
        for row in sheet.iter_rows():
            yield [_format_cell(cell.value, cell.number_format) for cell in row]
        return
    formulas.reset_dimensions()
    for row, formula_row in zip(sheet.iter_rows(), formulas.iter_rows(), strict=False):
        yield [
            # An array formula is an object with an attribute `text`.
            str(getattr(formula.value, "text", formula.value)) if cell.value is None and formula.value is not None
            else _format_cell(cell.value, cell.number_format)
            for cell, formula in zip(row, formula_row, strict=False)
        ]  # fmt: skip


def _read_rows(rows: Iterator[list[str]], text: BoundedText) -> None:
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


def _read_comments(archive: zipfile.ZipFile, sheet: str, text: BoundedText) -> None:
    parts = set(archive.namelist())
    rels_path = get_rels_path(sheet)
    for each in get_dependents(archive, rels_path) if rels_path in parts else ():
        if each.Type.endswith("/comments") and each.target in parts:
            for place, comment in CommentSheet.from_tree(fromstring(archive.read(each.target))).comments:
                text.add(f"[Comment on {place}: {' '.join(str(comment.content).split())}]\n")


def _format_cell(cell: Any, number_format: str | None) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).upper()
        case int() | float() if (number_format or "").endswith("%"):
            return f"{cell * 100:.15g}%"
        case float():
            # As many digits as Excel shows: 0.1 + 0.2 is 0.3 there.
            return f"{cell:.15g}"
        case datetime() if cell.time() == time():
            # Workbooks store a date as a time at midnight.
            return str(cell.date())
        case _:
            return str(cell)
