"""Word documents as text: headings with `#`, lists with numbers or `-`, then notes, comments and page footers.

`python-docx` opens the document; the text is read from the XML trees of its parts, which also contain what the library
has no objects for: text boxes, notes, content controls, and tracked insertions. Source: ECMA-376, 17.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import docx

from files.documents.bounded_text import MAX_PARTS, BoundedText, TextFullError
from files.documents.charts import alternative_text_line
from files.documents.numbers import BULLET, MAX_LEVELS, Numbering
from files.documents.parts import (
    attribute,
    child_elements,
    local_name,
    open_package,
    parse_number,
    parse_part,
    related_parts,
)
from files.documents.story import Story

MAX_HEADER_CHARS = 2_000
"""Largest size of a page header or footer, in characters."""

MAX_BASES = 10
"""Largest number of base styles that are followed from a style."""

_HEADING = re.compile(r"(?:heading|title|berschrift)\s?(\d?)", re.IGNORECASE)
_LIST = re.compile(r"list(?!\s?paragraph|\s?continue)", re.IGNORECASE)


@dataclass(slots=True)
class _Style:
    """Paragraph style: its heading level, and the list that its paragraphs belong to."""

    heading: int | None = None
    list_id: str | None = None
    level: int = 0
    is_list: bool = False
    based_on: str | None = None


@dataclass(slots=True)
class _Definitions:
    """Paragraph styles and list definitions of a document."""

    styles: dict[str, _Style] = field(default_factory=dict)
    numbering: Numbering = field(default_factory=lambda: Numbering(None))

    def style(self, style_id: str) -> _Style:
        """Return a style, with the properties that it inherits from its base styles."""
        if style_id not in self.styles:
            # Some programs write documents without style definitions.
            match = _HEADING.match(style_id)
            return _Style(heading=int(match[1] or 1) if match else None)
        style = base = self.styles[style_id]
        for _ in range(MAX_BASES):
            if base.based_on not in self.styles:
                break
            base = self.styles[base.based_on]
            if style.list_id is None:
                style = replace(style, list_id=base.list_id, level=base.level)
            heading = base.heading if style.heading is None else style.heading
            style = replace(style, heading=heading, is_list=style.is_list or base.is_list)
        return style


def read_word(path: str, text: BoundedText) -> str:
    """Read a Word document."""
    part = docx.Document(open_package(path)).part
    definitions = _read_definitions(part)
    _read_headers_or_footers(part, "header", text)
    for line in _WordStory(part, definitions).lines(parse_part(part)):
        text.add(f"{line}\n")
    for kind, mark, title in (("footnotes", "", ""), ("endnotes", "", ""), ("comments", "c", "Comments:\n")):
        for notes in related_parts(part, kind)[:1]:
            text.add(f"\n{title}")
            _read_notes(notes, mark, definitions, text)
    _read_headers_or_footers(part, "footer", text)
    return ""


def _read_definitions(document: Any) -> _Definitions:
    definitions = _Definitions(numbering=Numbering(next(map(parse_part, related_parts(document, "numbering")), None)))
    for root in map(parse_part, related_parts(document, "styles")[:1]):
        for element in root.iterfind("{*}style"):
            style = definitions.styles[attribute(element, "styleId") or ""] = _Style()
            name = next((attribute(each) or "" for each in element.iterfind("{*}name")), "")
            outline = next((attribute(each) for each in element.iterfind("{*}pPr/{*}outlineLvl")), None)
            if match := _HEADING.match(name):
                style.heading = int(match[1] or 1)
            elif (depth := parse_number(outline, MAX_LEVELS, MAX_LEVELS)) < MAX_LEVELS:
                style.heading = depth + 1
            style.based_on = next((attribute(each) for each in element.iterfind("{*}basedOn")), None)
            style.is_list = _LIST.match(name) is not None
            style.list_id, style.level = _find_list(element, style)
            if style.list_id is not None:
                key = style.list_id, attribute(element, "styleId") or ""
                style.level = definitions.numbering.level_of_style.get(key, style.level)
    return definitions


def _find_list(element: Any, style: _Style) -> tuple[str | None, int]:
    """Return list id and level of a paragraph or a style, by default those of `style`; the id 0 means no list."""
    list_id, level = style.list_id, style.level
    for properties in element.iterfind("{*}pPr/{*}numPr"):
        for each in child_elements(properties):
            if local_name(each) == "numId":
                list_id = attribute(each)
            elif local_name(each) == "ilvl":
                level = parse_number(attribute(each), 0, MAX_LEVELS - 1)
    return list_id, level


def _read_headers_or_footers(document: Any, kind: str, text: BoundedText) -> None:
    """Read the page headers or footers; one that several kinds of pages share is read once."""
    seen: list[str] = []
    for part in related_parts(document, kind)[:MAX_PARTS]:
        content = BoundedText(MAX_HEADER_CHARS)
        with suppress(TextFullError):
            for each in _WordStory(part, _Definitions()).lines(parse_part(part)):
                content.add(f"{each}\n")
        if (line := " ".join(str(content).split())) and line not in seen:
            seen.append(line)
            text.add(f"[{kind.capitalize()} of the pages: {line}]\n")


def _read_notes(part: Any, mark: str, definitions: _Definitions, text: BoundedText) -> None:
    """Read footnotes, endnotes or comments, each after its reference mark."""
    story = _WordStory(part, definitions)
    for note in child_elements(parse_part(part)):
        if attribute(note, "type") not in (None, "normal"):
            continue  # a separator line
        author = f"{attribute(note, 'author') or ''}: " if mark else ""
        text.add(f"[^{mark}{attribute(note, 'id')}] {author}")
        for line in story.lines(note):
            text.add(f"{line}\n")


class _WordStory(Story):
    """Text of a part of a Word document: its body, headers, notes or comments."""

    def __init__(self, part: Any, definitions: _Definitions) -> None:
        super().__init__(part)
        self._definitions = definitions

    def paragraph_prefix(self, paragraph: Any) -> str:
        style_id = next((attribute(each) or "" for each in paragraph.iterfind("{*}pPr/{*}pStyle")), "")
        style = self._definitions.style(style_id)
        list_id, level = _find_list(paragraph, style)
        label = ""
        if list_id not in (None, "0"):
            label = self._definitions.numbering.next_label(list_id or "", level)
        elif list_id is None and style.is_list:
            label = BULLET
        if style.heading is not None:
            return f"{'#' * style.heading} {f'{label} ' if label not in ('', BULLET) else ''}"
        return f"{'  ' * level}{label} " if label else ""

    def text_after(self, element: Any) -> str:
        match local_name(element):
            case "hyperlink":
                to = self.part.rels.get(attribute(element, "id") or "")
                return f" ({to.target_ref})" if to is not None and to.is_external else ""
            case "footnoteReference" | "endnoteReference":
                return f"[^{attribute(element, 'id')}]"
            case "commentReference":
                return f"[^c{attribute(element, 'id')}]"
            case "docPr":
                return alternative_text_line(element)
            case _:
                return ""
