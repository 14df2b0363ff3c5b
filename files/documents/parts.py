"""Parts of an office document, and their trees of XML elements.

`python-docx` and `python-pptx` open documents, and have the same words for parts and their references. Elements and
attributes are told by their local names: the one library has other namespaces than the other.
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
"""How much XML an office document may unpack to: its tree takes ten times as much memory."""

# The strict form of ECMA-376 has names of its own for what all programs know by those of the usual form.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_USUAL = rb"http://schemas.openxmlformats.org/\1/2006/"
REPEATED = frozenset({"Fallback", "moveFrom"})
"""Elements with a second copy of something: for programs that do not know the first, or where it once was."""


def open_package(path: str) -> IO[bytes]:
    """Return a document as the libraries take it: in the usual form, and without references to what is not there.

    Raises:
        ValueError: When it is too large to be held as a tree.
    """
    package = io.BytesIO(Path(path).read_bytes())
    with zipfile.ZipFile(package, "a") as archive:
        names = set(archive.namelist())
        # What unpacks to more than its entry says is cut off by `zipfile`.
        if sum(each.file_size for each in archive.infolist() if _is_xml(each.filename)) > MAX_XML_BYTES:
            raise ValueError("it is too large")
        is_strict = _STRICT.search(archive.read("_rels/.rels")) is not None
        for name in names:
            if not (_is_xml(name) if is_strict else name.endswith(".rels")):
                continue
            data = archive.read(name)
            mended = _STRICT.sub(_USUAL, data) if is_strict else data
            if name.endswith(".rels"):
                mended = _without_dangling(mended, name, names)
            if mended is not data:
                # What is written later takes the place of what has the same name.
                with warnings.catch_warnings(action="ignore"):
                    archive.writestr(name, mended)
    package.seek(0)
    return package


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".rels", ".xml"))


def _without_dangling(data: bytes, name: str, names: set[str]) -> bytes:
    root = parse(data)
    folder = posixpath.dirname(posixpath.dirname(name))
    dangling = [
        each for each in children(root)
        if each.get("TargetMode") != "External"
        and posixpath.normpath(posixpath.join("/", folder, each.get("Target", ""))).lstrip("/") not in names
    ]  # fmt: skip
    for each in dangling:
        root.remove(each)
    return etree.tostring(root) if dangling else data


def parse(data: bytes) -> Any:
    """Return the tree of a part.

    Raises:
        ValueError: When it declares entities, which no office program does.
    """
    return _checked(etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)))


def _checked(root: Any) -> Any:
    if root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("it declares entities")
    return root


def tree_of(part: Any) -> Any:
    """Return the tree of a part. `python-docx` has parsed those that it knows."""
    known = getattr(part, "element", None)
    return parse(part.blob) if known is None else _checked(known)


def related(part: Any, *kinds: str) -> list[Any]:
    """Return the parts that a part refers to by a relation of some kinds: the last word of its type."""
    return [
        each.target_part for each in part.rels.values()
        if not each.is_external and each.reltype.rpartition("/")[2] in kinds
    ]  # fmt: skip


def children(element: Any) -> Iterator[Any]:
    """Yield the child elements of an element, without comments and processing instructions."""
    yield from element.iterchildren("{*}*")


def name_of(element: Any) -> str:
    """Return the local name of an element."""
    return str(element.tag).rpartition("}")[2]


def value(element: Any, name: str = "val") -> str | None:
    """Return an attribute by its local name; None when there is none."""
    return next((str(each) for key, each in element.attrib.items() if key.rpartition("}")[2] == name), None)


def number(said: str | None, default: int, most: int) -> int:
    """Return a number as an attribute says it, at most `most`; the default where it says none."""
    if said is None or not said.isdecimal():
        return default
    return min(int(said[:9]), most)


def inside(element: Any, name: str) -> Iterator[Any]:
    """Yield the elements of a name in an element, but not those in a table that is in it."""
    for child in children(element):
        found = name_of(child)
        if found == name:
            yield child
        elif found != "tbl" and found not in REPEATED:
            yield from inside(child, name)
