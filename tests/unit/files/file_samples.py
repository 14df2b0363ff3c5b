"""Sample files, as people send them and as attackers might."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from PIL import Image

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
WORD_XML = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), color: str = "blue", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, kind, **options)
    return buffer.getvalue()


def photograph(orientation: int = 6) -> bytes:
    """A JPEG as from a telephone: rotated by Exif, with a position, a comment, and a second picture appended."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SecretCameraMaker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (47.0, 22.0, 7.0)
    data = picture("JPEG", (64, 32), "red", exif=exif.tobytes(), comment=b"SecretComment")
    return data + b"SecretTrailer" + picture("JPEG")


def turned_picture(kind: str, orientation: int, size: tuple[int, int] = (64, 32)) -> bytes:
    """A picture with a blue left half and a red right half, an Exif orientation, a maker and a position."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "SecretCameraMaker"
    exif.get_ifd(0x8825)[1] = "SecretNorth"
    buffer = io.BytesIO()
    image.save(buffer, kind, exif=exif.tobytes(), quality=95)
    return buffer.getvalue()


def telephone_photograph() -> bytes:
    """A HEIC of 64 × 32 pixels, blue and red, with orientation, maker and position, made with pillow-heif."""
    return Path(__file__).with_name("samples").joinpath("phone.heic").read_bytes()


def animation(kind: str = "GIF") -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "green", "blue")]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], loop=0, duration=40)
    return buffer.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG of some dozens of bytes whose header claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def archive(parts: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression, compresslevel=1) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def package(main: str, content: str, references: dict[str, str], parts: dict[str, str | bytes]) -> bytes:
    """An office document: its main part, the parts it refers to by relationships, and others."""
    kind = {"word/document.xml": DOCX, "ppt/presentation.xml": PPTX}[main]
    folder, _, name = main.partition("/")
    kinds = {key: part.rpartition("/")[2].rstrip("0123456789.xml") for key, part in references.items()}
    inner = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kinds[key]}" Target="{part}"/>' for key, part in references.items()
    )
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
            f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/{main}" ContentType="{kind}.main+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">'
            f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>',
            main: content,
            f"{folder}/_rels/{name}.rels": f'<Relationships xmlns="{_RELATIONS}">{inner}</Relationships>',
            **parts,
        }
    )


def document(*paragraphs: str, **parts: str | bytes) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    heading = '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Plan</w:t></w:r></w:p>'
    content = f'<w:document xmlns:w="{WORD_XML}"><w:body>{heading}{body}</w:body></w:document>'
    stories = [part for part in parts if part in ("word/footnotes.xml", "word/numbering.xml", "word/styles.xml")]
    return package("word/document.xml", content, {f"r{n}": f"/{part}" for n, part in enumerate(stories)}, parts)


LAUGHS = "<!ENTITY a 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1 or str()};' * 10}'>" for n in range(1, 10))
"""A declaration by which a few letters stand for a billion."""


def declaring(entities: str, text: str, part: str = "word/document.xml") -> bytes:
    """A document of which a part declares entities."""
    root = part.removeprefix("word/").removesuffix(".xml")
    content = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    inner = f"<w:body>{content}</w:body>" if root == "document" else f"<w:footnote>{content}</w:footnote>"
    declared = f"<!DOCTYPE w:{root} [{entities}]><w:{root} xmlns:w='{WORD_XML}'>{inner}</w:{root}>"
    return document("x", **{part: declared})


def presentation(*slides: str, **parts: str | bytes) -> bytes:
    """A presentation whose slide files are numbered in reverse, so that only the slide list has the right order."""
    count = len(slides)
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="rId{n}"/>' for n in range(count))
    files: dict[str, str | bytes] = {
        f"ppt/slides/slide{count - n}.xml": f'<x xmlns:a="{_DRAWING}"><a:p><a:r><a:t>{text}</a:t></a:r></a:p></x>'
        for n, text in enumerate(slides)
    }
    return package(
        "ppt/presentation.xml",
        f'<p:presentation xmlns:p="{_SLIDES}" xmlns:r="{_OFFICE}"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>',
        {f"rId{n}": f"slides/slide{count - n}.xml" for n in range(count)}
        | {part: f"/{part}" for part in parts if part in ("ppt/commentAuthors.xml", "ppt/authors.xml")},
        files | parts,
    )


def workbook(*rows: tuple[Any, ...]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def replace_in_part(packed: bytes, part: str, before: bytes, after: bytes) -> bytes:
    """Return an archive with some bytes of a part replaced."""
    with zipfile.ZipFile(io.BytesIO(packed)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    assert before in parts[part]
    return archive(parts | {part: parts[part].replace(before, after, 1)})


def pdf(*pages: str) -> bytes:
    """A PDF document with a line of text on each page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R "
            f"/Resources << /Font << /F1 {font} >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
    end += f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return (out + end).encode("latin-1")
