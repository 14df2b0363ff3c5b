"""Text of office documents, as written by the usual libraries and by odd programs.

The files in `samples/` were made by python-docx 1.2, python-pptx 1.0, openpyxl 3.1 and XlsxWriter 3.2, which name
them; nothing was changed in them but that their thumbnails were taken out.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from openpyxl.worksheet.formula import ArrayFormula  # type: ignore[import-untyped]

from files.archives import detect_archive_type
from files.documents.parts import MAX_XML_BYTES
from files.text_extraction import extract
from tests.unit.files.file_samples import DOCX, LAUGHS, PPTX, WORD_XML, XLSX, declaring, document, presentation

SAMPLES = Path(__file__).with_name("samples")

WORD = """[Header of the pages: HEADER TEXT]
# Report
# Chapter
### Deep
in content control
Plain bold end\twith tab
- bullet one
- sub bullet
1. number one
2. number two
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
            data = re.sub(rb"schemas\.openxmlformats\.org/(\w+)/2006", rb"purl.oclc.org/ooxml/\1", source.read(name))
            assert name != "word/document.xml" or b"purl.oclc.org/ooxml/wordprocessingml/main" in data
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


def test_notes_are_found_by_their_marks_and_separators_are_ignored(tmp_path: Path) -> None:
    kept = f"<w:footnote w:id='2'>{paragraph(_RUN)}</w:footnote>"
    line = f"<w:footnote w:type='separator' w:id='-1'>{paragraph('<w:r><w:separator/></w:r>')}</w:footnote>"
    notes = f"<w:footnotes xmlns:w='{WORD_XML}'>{line}{kept}</w:footnotes>"
    path = tmp_path / "notes.docx"
    path.write_bytes(document("said</w:t><w:footnoteReference w:id='2'/><w:t>", **{"word/footnotes.xml": notes}))
    assert text_of(path, DOCX) == "# Plan\nsaid[^2]\n\n[^2] x"


HOSTILE = {
    "asks elsewhere": (DOCX, lambda: declaring("<!ENTITY % e SYSTEM 'http://127.0.0.1:9/'> %e;", "words")),
    "refers elsewhere": (DOCX, lambda: declaring("<!ENTITY e SYSTEM 'file:///etc/passwd'>", "&e;")),
    "laughs in a note": (DOCX, lambda: declaring(LAUGHS, "&a9;", "word/footnotes.xml")),
    "laughs in its references": (
        DOCX, lambda: document(**{"word/_rels/document.xml.rels": f"<!DOCTYPE x [{LAUGHS}]><x>&a9;</x>"}),
    ),
    "laughs on a slide": (
        PPTX,
        lambda: presentation("x", **{"ppt/slides/slide1.xml": f"<!DOCTYPE x [{LAUGHS}]><x><p><t>&a9;</t></p></x>"}),
    ),
    "is too large for a tree": (DOCX, lambda: document("x", **{"word/more.xml": bytes(MAX_XML_BYTES)})),
    "has a thousand levels": (DOCX, lambda: document(f"</w:t>{'<w:p>' * 1000}{'</w:p>' * 1000}<w:t>")),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_document_is_not_read_that(tmp_path: Path, kind: str) -> None:
    media_type, data = HOSTILE[kind]
    path = tmp_path / "hostile"
    path.write_bytes(data())
    with pytest.raises((ValueError, SyntaxError)):
        extract(str(path), media_type, 200_000)


def numbered(definition: str, *points: str, styles: str = "") -> bytes:
    """A document with points of lists 1 and 2, which have one definition of three levels."""
    numbering = (
        f"<w:numbering xmlns:w='{WORD_XML}'><w:abstractNum w:abstractNumId='7'>{definition}</w:abstractNum>"
        "<w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num>"
        "<w:num w:numId='2'><w:abstractNumId w:val='7'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='1'/>"
        "</w:lvlOverride></w:num></w:numbering>"
    )
    parts = {"word/numbering.xml": numbering, "word/styles.xml": f"<w:styles xmlns:w='{WORD_XML}'>{styles}</w:styles>"}
    return document(f"</w:t></w:r></w:p>{''.join(points)}<w:p><w:r><w:t>", **parts)


def level(at: int, form: str, text: str, more: str = "") -> str:
    return (
        f"<w:lvl w:ilvl='{at}'><w:start w:val='1'/><w:numFmt w:val='{form}'/>{more}<w:lvlText w:val='{text}'/></w:lvl>"
    )


THREE = level(0, "decimal", "%1.") + level(1, "lowerLetter", "%2)") + level(2, "upperRoman", "%1.%2.%3")
NUMBERED = {
    "numbers go on behind deeper ones, which begin anew": (
        THREE, [(0, 1), (1, 1), (1, 1), (0, 1), (1, 1)], ["1. x", "  a) x", "  b) x", "2. x", "  a) x"],
    ),
    "a deeper one names those above it": (THREE, [(0, 1), (1, 1), (2, 1), (2, 1)], [
        "1. x", "  a) x", "    1.a.I x", "    1.a.II x",
    ]),
    "another list may begin anew": (THREE, [(0, 1), (0, 1), (0, 2), (0, 1)], ["1. x", "2. x", "1. x", "3. x"]),
    "a list begins where it says": (
        level(0, "upperLetter", "(%1)").replace("'1'", "'27'"), [(0, 1), (0, 1)], ["(AA) x", "(BB) x"],
    ),
    "bullets are none": (level(0, "bullet", "\uf0b7"), [(0, 1), (0, 1)], ["- x", "- x"]),
    "what is defined nowhere has a dash": ("", [(0, 1), (3, 9)], ["- x", "      - x"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", NUMBERED)
def test_in_numbered_lists(tmp_path: Path, kind: str) -> None:
    definition, points, lines = NUMBERED[kind]
    path = tmp_path / "numbered.docx"
    path.write_bytes(numbered(definition, *(listed(at, number) for at, number in points)))
    assert text_of(path, DOCX).splitlines() == ["# Plan", "", *lines]


def test_headings_and_paragraphs_of_a_style_have_the_numbers_of_their_style(tmp_path: Path) -> None:
    chapter = "<w:pStyle w:val='Chapter'/>"
    styles = (
        "<w:style w:styleId='Chapter'><w:name w:val='heading 1'/><w:pPr><w:numPr><w:numId w:val='1'/></w:numPr></w:pPr>"
        "</w:style><w:style w:styleId='Own'><w:name w:val='My own'/><w:basedOn w:val='Chapter'/></w:style>"
    )
    points = [paragraph(f"<w:pPr><w:pStyle w:val='{style}'/></w:pPr>{_RUN}") for style in ("Chapter", "Own")]
    path = tmp_path / "chapters.docx"
    path.write_bytes(numbered(level(0, "decimalZero", "§ %1", chapter), *points, styles=styles))
    assert text_of(path, DOCX).splitlines() == ["# Plan", "", "# § 01 x", "# § 02 x"]


def test_slides_have_their_numbers_links_and_comments(tmp_path: Path) -> None:
    def point(text: str, scheme: str = "", level: int = 0) -> str:
        automatic = f"<a:buAutoNum type='{scheme}'/>" if scheme else ""
        return f"<a:p><a:pPr lvl='{level}'>{automatic}</a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>"

    points = [
        point("one", "arabicPeriod"), point("deeper", "alphaLcParenR", 1), point("deeper", "alphaLcParenR", 1),
        point("two", "arabicPeriod"), point("none"), point("anew", "romanUcParenBoth"),
    ]  # fmt: skip
    link = '<a:p><a:r><a:rPr><a:hlinkClick r:id="r3"/></a:rPr><a:t>here</a:t></a:r></a:p>'
    slide = f'<p:sld xmlns:p="p" xmlns:a="a" xmlns:r="r">{"".join(points)}{link}</p:sld>'
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    references = (
        f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="x/comments" Target="/ppt/old.xml"/>'
        '<Relationship Id="r2" Type="http://schemas.microsoft.com/x/comments" Target="/ppt/new.xml"/>'
        '<Relationship Id="r3" Type="x/hyperlink" Target="https://example.com/" TargetMode="External"/></Relationships>'
    )
    parts = {
        "ppt/slides/slide1.xml": slide,
        "ppt/slides/_rels/slide1.xml.rels": references,
        "ppt/old.xml": '<cmLst><cm authorId="0"><text>Too\nlong</text></cm></cmLst>',
        "ppt/new.xml": '<cmLst><cm authorId="{7}"><replyLst><reply authorId="9"><txBody><p><r><t>Yes</t></r></p>'
        "</txBody></reply></replyLst><txBody><p><r><t>Better?</t></r></p></txBody></cm></cmLst>",
        "ppt/commentAuthors.xml": '<cmAuthorLst><cmAuthor id="0" name="Ada"/></cmAuthorLst>',
        "ppt/authors.xml": '<authorLst><author id="{7}" name="Bob"/></authorLst>',
    }
    path = tmp_path / "said.pptx"
    path.write_bytes(presentation("x", **parts))
    assert text_of(path, PPTX).splitlines() == [
        "# Slide 1", "1. one", "  a) deeper", "  b) deeper", "2. two", "none", "(I) anew", "here (https://example.com/)",
        "[Comment of Ada: Too long]", "[Comment of Bob: Better?]", "[Comment: Yes]",
    ]  # fmt: skip


def test_an_uncalculated_array_formula_is_shown_as_written(tmp_path: Path) -> None:
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
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId0" Type="x/slide" Target="../../../../etc/passwd"/>'
        '<Relationship Id="rId1" Type="x/slide" Target="file:///etc/passwd" TargetMode="External"/>'
        '<Relationship Id="rId2" Type="x/slide" Target="/ppt/slides/slide1.xml"/></Relationships>'
    )
    path.write_bytes(presentation("a", "b", "here", **{"ppt/_rels/presentation.xml.rels": relations}))
    assert text_of(path, PPTX) == "# Slide 1\nhere"


def test_a_document_whose_main_part_has_a_number_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "numbered.docx"
    with zipfile.ZipFile(SAMPLES / "python-docx.docx") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name).replace(b"word/document.xml", b"word/document2.xml")
            target.writestr(name.replace("document.xml", "document2.xml"), data)
    assert detect_archive_type(path) == DOCX
    assert text_of(path, DOCX) == WORD
