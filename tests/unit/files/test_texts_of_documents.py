"""Texts of office documents, as the usual libraries write them and as odd programs do.

The files in `samples/` were made by python-docx 1.2, python-pptx 1.0, openpyxl 3.1 and XlsxWriter 3.2, which name
them; nothing was changed in them but that their thumbnails were taken out.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from openpyxl.worksheet.formula import ArrayFormula  # type: ignore[import-untyped]

from files.text_extraction import extract
from tests.unit.files.file_samples import DOCX, PPTX, WORD_XML, XLSX, archive, document

SAMPLES = Path(__file__).with_name("samples")

WORD = """[Header of the pages: HEADER TEXT]
# Report
# Chapter
### Deep
in content control
Plain bold end\twith tab
- bullet one
- sub bullet
- number one
- number two
| r0c0 r0c1 |  | r0c2 |
| two lines \\| pipe | r1c1 | r1c2 r2c2 |
| r2c0 \\| in1 \\| in2 \\| | r2c1 |  |
Link: linked words (https://example.com/x)
Kept inserted
Date: 28 November
soft hyphen-after
hidden: HIDDENRUN[^c0]


second page

Comments:
[^c0] Ada: A COMMENT
[Footer of the pages: FOOTER TEXT]"""

SLIDES = """# Slide 1
## Title 1
first
  second level
Notes:
speak slowly

# Slide 2
## Table slide
| r0c0 r0c1 |  | r0c2 |
| r1c0 | r1c1 | r1c2 |
| r2c0 | r2c1 | r2c2 |
in group

# Slide 3
## Chart slide
[Chart: Revenue chart]
,Sales 2025,Costs
East,19.2,9.5
West,21.4,8

# Slide 4 (hidden)
## Hidden slide

# Slide 5
[Picture: A red square of our logo]"""

SHEETS = """# Sheet Data
date,time,percent,money,bool,err,formula,text,dt,dur
2026-11-28,14:30:00,12.5%,1234.5,TRUE,#DIV/0!,=A2+1,=not,2026-11-28 09:05:00,"1 day, 6:00:00"

after gap,1000000000000000,0.3,1.23456789012346e+19,0
merged title
"line1
line2, comma ""quote\"""
[Comment on A1: a cell comment]

# Sheet Secret (hidden)
hidden sheet value

# Sheet Empty"""

CALCULATED = "# Sheet S\n2026-11-28,2,bold rest,50%,0,link\n\n2025-11-28"


def text_of(path: Path, media_type: str) -> str:
    found = extract(str(path), media_type, 200_000)
    assert found["left_out"] == ""
    return found["text"]


@pytest.mark.parametrize(
    ("name", "media_type", "text"),
    [
        ("python-docx.docx", DOCX, WORD),
        ("python-pptx.pptx", PPTX, SLIDES),
        ("openpyxl.xlsx", XLSX, SHEETS),
        ("xlsxwriter.xlsx", XLSX, CALCULATED),
    ],
)
def test_all_that_a_library_writes_into_a_document_is_read(name: str, media_type: str, text: str) -> None:
    assert text_of(SAMPLES / name, media_type) == text


def test_a_document_in_the_strict_form_is_read_as_any_other(tmp_path: Path) -> None:
    strict = tmp_path / "strict.docx"
    with zipfile.ZipFile(SAMPLES / "python-docx.docx") as source, zipfile.ZipFile(strict, "w") as target:
        for name in source.namelist():
            data = source.read(name).replace(b"schemas.openxmlformats.org/", b"purl.oclc.org/ooxml/")
            target.writestr(name, data)
    assert text_of(strict, DOCX) == WORD


_RUN = "<w:r><w:t>x</w:t></w:r>"


def paragraph(content: str) -> str:
    return f"<w:p>{content}</w:p>"


def listed(level: int, number: int) -> str:
    return paragraph(f"<w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='{number}'/></w:numPr></w:pPr>{_RUN}")


ODD = {
    "tab stops are no tabs": (paragraph(f"<w:pPr><w:tabs><w:tab w:pos='9'/></w:tabs></w:pPr>{_RUN}"), "x"),
    "what was moved is told once": (paragraph(f"<w:moveFrom>{_RUN}</w:moveFrom>{_RUN}"), "x"),
    "a list has its level": (listed(level=1, number=3), "  - x"),
    "a paragraph may leave its list": (listed(level=0, number=0), "x"),
    "a formula of mathematics is read": ("<w:p><m:r xmlns:m='m'><m:t>a+b</m:t></m:r></w:p>", "a+b"),
    "a merged cell that lies about its width is bounded": (
        "<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='4000000000'/></w:tcPr><w:p/></w:tc></w:tr></w:tbl>",
        f"| {' | ' * 999} |",
    ),
    "a row outside of any table is passed over": (f"<w:tr><w:tc>{paragraph(_RUN)}</w:tc></w:tr>", "x"),
}


@pytest.mark.parametrize("kind", ODD)
def test_in_a_word_document(tmp_path: Path, kind: str) -> None:
    body, text = ODD[kind]
    path = tmp_path / "odd.docx"
    path.write_bytes(document(f"before</w:t></w:r></w:p>{body}<w:p><w:r><w:t>after"))
    assert text_of(path, DOCX) == f"# Plan\nbefore\n{text}\nafter"


def test_notes_are_told_by_their_marks_and_lines_above_them_are_none(tmp_path: Path) -> None:
    kept = f"<w:footnote w:id='2'>{paragraph(_RUN)}</w:footnote>"
    line = f"<w:footnote w:type='separator' w:id='-1'>{paragraph('<w:r><w:separator/></w:r>')}</w:footnote>"
    notes = f"<w:footnotes xmlns:w='{WORD_XML}'>{line}{kept}</w:footnotes>"
    path = tmp_path / "notes.docx"
    path.write_bytes(document("said</w:t><w:footnoteReference w:id='2'/><w:t>", **{"word/footnotes.xml": notes}))
    assert text_of(path, DOCX) == "# Plan\nsaid[^2]\n\n\n[^2] x"


def test_a_formula_of_several_cells_that_nobody_has_calculated_is_told_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "array.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"] = ArrayFormula("A1:A2", "=SUM(B1:B2*C1:C2)")
    book.save(path)
    assert text_of(path, XLSX) == "# Sheet Sheet\n=SUM(B1:B2*C1:C2)"


def test_a_sheet_that_says_it_is_endless_costs_no_more_than_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    with zipfile.ZipFile(SAMPLES / "xlsxwriter.xlsx") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                rows = b"".join(b'<row r="%d"/>' % number for number in range(4, 5_000))
                data = data.replace(b'"A1:F3"', b'"A1:XFD1048576"').replace(b"</sheetData>", rows + b"</sheetData>")
                assert b"XFD1048576" in data
            target.writestr(name, data)
    assert text_of(path, XLSX) == CALCULATED


def test_a_part_that_is_not_where_it_should_be_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "far.pptx"
    path.write_bytes(
        archive(
            {
                "[Content_Types].xml": "<Types/>",
                "ppt/presentation.xml": '<p xmlns:r="r"><sldId r:id="a"/><sldId r:id="b"/><sldId r:id="c"/></p>',
                "ppt/_rels/presentation.xml.rels": "<R>"
                '<Relationship Id="a" Type="x/slide" Target="../../../../etc/passwd"/>'
                '<Relationship Id="b" Type="x/slide" Target="file:///etc/passwd" TargetMode="External"/>'
                '<Relationship Id="c" Type="x/slide" Target="/ppt/slides/one.xml"/></R>',
                "ppt/slides/one.xml": "<sld><p><r><t>here</t></r></p></sld>",
            }
        )
    )
    assert text_of(path, PPTX) == "# Slide 1\nhere"
