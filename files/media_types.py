"""Media types of files: detection from the bytes, normalisation of declared types, and the known types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
AVIF = "image/avif"
HEIC = "image/heic"
PDF = "application/pdf"
ZIP = "application/zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
PLAIN = "text/plain"
UNKNOWN = "application/octet-stream"

PICTURES = frozenset({PNG, JPEG, GIF, WEBP})
"""Types of pictures that browsers display and models accept."""

UNSUPPORTED_PICTURES = frozenset({"image/tiff", "image/bmp"})
"""Types of pictures that neither browsers nor models support; accepted only by rules that name the very type."""

OFFICE = frozenset({DOCX, XLSX, PPTX})

SNIFFED_BYTES = 4096
"""Size of the beginning of a file from which its type is detected."""

_MAGIC_NUMBERS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"%PDF-", PDF),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "audio/webm"),
)
_BRANDS: Mapping[bytes, str] = {
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
}
"""Brands of ISO/IEC 14496-12 containers that contain pictures."""

_RIFF_KINDS = {b"WEBP": WEBP, b"WAVE": "audio/wav"}

# Other names that systems use for a type.
_ALIASES: Mapping[str, str] = {
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/x-png": PNG,
    "image/apng": PNG,
    "image/heif": HEIC,
    "image/heic-sequence": HEIC,
    "image/heif-sequence": HEIC,
    "image/avif-sequence": AVIF,
    "image/x-ms-bmp": "image/bmp",
    "image/x-bmp": "image/bmp",
    "application/x-pdf": PDF,
    "application/x-zip-compressed": ZIP,
    "application/x-zip": ZIP,
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-flac": "audio/flac",
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "video/ogg": "audio/ogg",
    "video/webm": "audio/webm",
    "video/mp4": "audio/mp4",
}

EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    PNG: (".png", ".apng"),
    JPEG: (".jpg", ".jpeg", ".jpe", ".jfif"),
    GIF: (".gif",),
    WEBP: (".webp",),
    AVIF: (".avif",),
    HEIC: (".heic", ".heif"),
    "image/tiff": (".tif", ".tiff"),
    PDF: (".pdf",),
    ZIP: (".zip",),
    DOCX: (".docx",),
    XLSX: (".xlsx",),
    PPTX: (".pptx",),
    "audio/mpeg": (".mp3", ".mpga"),
    "audio/wav": (".wav",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/flac": (".flac",),
    "audio/webm": (".webm", ".weba"),
    "audio/mp4": (".m4a", ".mp4", ".m4b"),
}
"""Extensions of the types that are detected from the bytes, the usual one first."""

_BINARY_EXTENSIONS = frozenset(extension for each in EXTENSIONS.values() for extension in each)

# RFC 6838, 4.2, and patterns such as `image/*`.
_MEDIA_TYPE = re.compile(r"(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,126})|\*/\*)")

_PLAIN_EXTENSIONS = """
.txt .text .log .rst .adoc .tex .yaml .yml .toml .ini .cfg .conf .env .properties .jsonl .ndjson .ics .vcf .srt .vtt
.diff .patch .sql .graphql .proto .py .pyi .js .mjs .cjs .jsx .ts .tsx .css .scss .less .c .h .cc .cpp .hpp .cs .java
.kt .kts .go .rs .rb .php .pl .lua .r .jl .swift .scala .clj .hs .ml .ex .exs .erl .dart .vue .svelte .sh .bash .zsh
.fish .ps1 .bat .cmd .dockerfile .tf .hcl .nix .gradle .make .cmake .asm
"""

_TEXT_EXTENSIONS: Mapping[str, str] = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".svg": "image/svg+xml",
    ".xml": "application/xml",
    **dict.fromkeys(_PLAIN_EXTENSIONS.split(), PLAIN),
}

_NOT_OFFERED = UNSUPPORTED_PICTURES | {ZIP}

KNOWN_TYPES: Mapping[str, Sequence[str]] = {
    **{
        kind: extensions
        for kind, extensions in EXTENSIONS.items()
        if kind not in _NOT_OFFERED and not kind.startswith("audio/")
    },
    "audio/*": tuple(extension for kind, each in EXTENSIONS.items() if kind.startswith("audio/") for extension in each),
    "text/*": tuple(_TEXT_EXTENSIONS),
}
"""Types that are accepted by default, with the extensions for the file dialog."""

_TEXT_APPLICATIONS = frozenset(
    f"application/{each}"
    for each in (
        "json", "xml", "xhtml+xml", "javascript", "x-javascript", "ecmascript", "typescript", "x-yaml", "yaml", "toml",
        "x-toml", "x-sh", "x-shellscript", "x-python", "x-httpd-php", "sql", "x-sql", "graphql", "x-ndjson", "jsonl",
        "x-tex", "x-subrip", "x-perl", "x-ruby", "csv", "rtf",
    )
)  # fmt: skip

# The type that some systems declare for CSV files.
_EXCEL_97 = "application/vnd.ms-excel"

_DESCRIPTIONS: Mapping[str, str] = {
    PNG: "a PNG picture",
    JPEG: "a JPEG picture",
    GIF: "a GIF picture",
    WEBP: "a WebP picture",
    AVIF: "an AVIF picture",
    HEIC: "a HEIC picture",
    "image/tiff": "a TIFF picture",
    "image/bmp": "a BMP picture",
    PDF: "a PDF document",
    ZIP: "a ZIP archive",
    DOCX: "a Word document",
    XLSX: "an Excel workbook",
    PPTX: "a PowerPoint presentation",
}


def sniff_type(head: bytes) -> str | None:
    """Return the media type detected from the beginning of a file; None for text, and for unknown signatures."""
    if head[:4] == b"RIFF":
        return _RIFF_KINDS.get(head[8:12])
    if head[4:8] == b"ftyp":
        if (picture := _BRANDS.get(_find_brand(head))) is not None:
            return picture
        return "audio/mp4" if head[8:11] in (b"M4A", b"M4B", b"mp4", b"iso", b"das") else None
    return next((kind for beginning, kind in _MAGIC_NUMBERS if head.startswith(beginning)), None)


def _find_brand(head: bytes) -> bytes:
    """Return the major brand of a container, or a compatible one that is more specific than a generic picture brand."""
    brand = head[8:12]
    if brand not in (b"mif1", b"msf1"):
        return brand
    others = head[16 : min(int.from_bytes(head[:4], "big"), 128)]
    return next((each for at in range(0, len(others), 4) if (each := others[at : at + 4]) in (b"avif", b"avis")), brand)


def normalize_type(declared: str) -> str:
    """Return a media type in lower case, without parameters, and under its usual name."""
    plain = declared.partition(";")[0].strip().lower()
    return _ALIASES.get(plain, plain) if _MEDIA_TYPE.fullmatch(plain) else UNKNOWN


def parse_declared_type(declared: str) -> str:
    """Return the declared media type of a file, normalized; `UNKNOWN` for a pattern such as ``image/*``."""
    plain = normalize_type(declared)
    return UNKNOWN if "*" in plain else plain


def extension_of(name: str) -> str:
    """Return the last extension of a name with its dot, in lower case; empty when there is none."""
    _, dot, extension = name.rpartition(".")
    return f".{extension.lower()}" if dot and extension else ""


def is_text(media_type: str) -> bool:
    """Return whether files of a type are treated as text, including SVG and HTML."""
    return media_type.startswith("text/") or media_type in _TEXT_APPLICATIONS or media_type.endswith(("+json", "+xml"))


def is_audio(media_type: str) -> bool:
    """Return whether a type is audio."""
    return media_type.startswith("audio/")


def text_type(declared: str, name: str) -> str | None:
    """Return the media type of a text file, from its declared type and its extension; None when that is no text type.

    Systems derive the declared type from the extension, and may declare TypeScript as video and CSV as a workbook.
    """
    extension = extension_of(name)
    if declared in EXTENSIONS or extension in _BINARY_EXTENSIONS:
        return None
    if (by_name := _TEXT_EXTENSIONS.get(extension)) is not None:
        return by_name
    if is_text(declared):
        return declared
    return PLAIN if declared in (UNKNOWN, _EXCEL_97) else None


def describe(media_type: str) -> str:
    """Return a description of a media type for people, with its article."""
    if media_type in _DESCRIPTIONS:
        return _DESCRIPTIONS[media_type]
    if is_text(media_type):
        return "a text"
    if is_audio(media_type):
        return "a recording"
    return "a file of a kind that is not known here" if media_type == UNKNOWN else f"a file of the type {media_type}"
