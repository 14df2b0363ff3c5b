"""Access to the parts of an office document, and to their XML trees.

`python-docx` and `python-pptx` open documents, and have the same API for parts and relationships. Elements and
attributes are found by their local names, as the two formats use different namespaces.
"""

from __future__ import annotations

import io
import posixpath
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lxml import etree  # type: ignore[import-untyped]

MAX_XML_BYTES = 50_000_000
"""Largest unpacked size of the XML in an office document; the trees take ten times as much memory."""

# Strict documents (ECMA-376) have other namespaces than the transitional ones, which the libraries expect.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_TRANSITIONAL = rb"http://schemas.openxmlformats.org/\1/2006/"
DUPLICATE_ELEMENTS = frozenset({"Fallback", "moveFrom"})
"""Elements that repeat other content: a fallback for older programs, or the former place of moved text."""


def open_package(path: str) -> IO[bytes]:
    """Return a document as the libraries accept it: with transitional namespaces, and without dangling relationships.

    Raises:
        ValueError: When its XML is too large to be parsed.
    """
    package = io.BytesIO(Path(path).read_bytes())
    with zipfile.ZipFile(package, "a") as archive:
        names = set(archive.namelist())
        # Entries that unpack to more than they declare are truncated by `zipfile`.
        if sum(each.file_size for each in archive.infolist() if _is_xml(each.filename)) > MAX_XML_BYTES:
            raise ValueError("it is too large")
        is_strict = _STRICT.search(archive.read("_rels/.rels")) is not None
        for name in names:
            if not (_is_xml(name) if is_strict else name.endswith(".rels")):
                continue
            data = archive.read(name)
            repaired = _STRICT.sub(_TRANSITIONAL, data) if is_strict else data
            if name.endswith(".rels"):
                repaired = _remove_dangling_references(repaired, name, names)
            if repaired is not data:
                # A later entry replaces an earlier one of the same name, of which `zipfile` warns.
                with warnings.catch_warnings(action="ignore"):
                    archive.writestr(name, repaired)
    package.seek(0)
    return package


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".rels", ".xml"))


def _remove_dangling_references(data: bytes, name: str, names: set[str]) -> bytes:
    root = parse_xml(data)
    folder = posixpath.dirname(posixpath.dirname(name))
    dangling = [
        each for each in child_elements(root)
        if each.get("TargetMode") != "External"
        and posixpath.normpath(posixpath.join("/", folder, each.get("Target", ""))).lstrip("/") not in names
    ]  # fmt: skip
    for each in dangling:
        root.remove(each)
    return etree.tostring(root) if dangling else data


def parse_xml(data: bytes) -> Any:
    """Return the XML tree in `data`.

    Raises:
        ValueError: When it declares entities, which office programs never do.
    """
    return _reject_entities(
        etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    )


def _reject_entities(root: Any) -> Any:
    if root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("it declares entities")
    return root


def parse_part(part: Any) -> Any:
    """Return the XML tree of a part; `python-docx` has parsed some of them already."""
    root = getattr(part, "element", None)
    return parse_xml(part.blob) if root is None else _reject_entities(root)


def related_parts(part: Any, *kinds: str) -> list[Any]:
    """Return the parts that a part refers to by relationships of some kinds, the last segments of their types."""
    return [
        each.target_part for each in part.rels.values()
        if not each.is_external and each.reltype.rpartition("/")[2] in kinds
    ]  # fmt: skip


def child_elements(element: Any) -> Iterator[Any]:
    """Yield the child elements of an element, without comments and processing instructions."""
    yield from element.iterchildren("{*}*")


def local_name(element: Any) -> str:
    """Return the local name of an element."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Any, name: str = "val") -> str | None:
    """Return the value of an attribute by its local name; None when it is missing."""
    return next((str(each) for key, each in element.attrib.items() if key.rpartition("}")[2] == name), None)


def parse_number(text: str | None, default: int, maximum: int) -> int:
    """Return the number in the value of an attribute, at most `maximum`; `default` when it is missing or invalid."""
    if text is None or not text.isdecimal():
        return default
    return min(int(text[:9]), maximum)


def find_elements(element: Any, name: str) -> Iterator[Any]:
    """Yield the descendants of an element with a local name, except for those inside of tables and duplicates."""
    for child in child_elements(element):
        child_name = local_name(child)
        if child_name == name:
            yield child
        elif child_name != "tbl" and child_name not in DUPLICATE_ELEMENTS:
            yield from find_elements(child, name)
