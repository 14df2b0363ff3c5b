"""Word documents as text: headings with `#`, lists with numbers or `-`, then notes, comments and page footers.

`python-docx` opens the document and has its parts; text is read from their trees of elements, where is also what it has
no objects for: text boxes, notes, content controls, what was inserted. Source: ECMA-376, 17.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import docx

from files.documents.bounded_text import MAX_PARTS, FullError, Text
from files.documents.charts import picture_note
from files.documents.numbers import BULLET, MAX_LEVELS, Numbering
from files.documents.parts import children, name_of, number, open_package, related, tree_of, value
from files.documents.story import Story

MAX_HEADER_CHARS = 2_000
"""Most characters of the headers and footers of pages that are kept."""

MAX_BASES = 10
"""How many styles one may be based on, one after the other."""

_HEADING = re.compile(r"(?:heading|title|berschrift)\s?(\d?)", re.IGNORECASE)
_LIST = re.compile(r"list(?!\s?paragraph|\s?continue)", re.IGNORECASE)


@dataclass(slots=True)
class _Style:
    """Style of paragraphs: the level of a heading, the list that its paragraphs are points of."""

    heading: int | None = None
    list_id: str | None = None
    level: int = 0
    is_list: bool = False
    based_on: str | None = None


@dataclass(slots=True)
class _Look:
    """Definitions of a document: its styles of paragraphs, and its numbered lists."""

    styles: dict[str, _Style] = field(default_factory=dict)
    numbering: Numbering = field(default_factory=lambda: Numbering(None))

    def style(self, style_id: str) -> _Style:
        """Return a style, with what it has of those that it is based on."""
        if style_id not in self.styles:
            # Written by a program that describes no styles.
            match = _HEADING.match(style_id)
            return _Style(heading=int(match[1] or 1) if match else None)
        found = base = self.styles[style_id]
        for _ in range(MAX_BASES):
            if base.based_on not in self.styles:
                break
            base = self.styles[base.based_on]
            if found.list_id is None:
                found = replace(found, list_id=base.list_id, level=base.level)
            heading = base.heading if found.heading is None else found.heading
            found = replace(found, heading=heading, is_list=found.is_list or base.is_list)
        return found


def read_word(path: str, text: Text) -> str:
    """Read a Word document."""
    part = docx.Document(open_package(path)).part
    look = _read_look(part)
    _read_margins(part, "header", text)
    for line in _WordStory(part, look).lines(tree_of(part)):
        text.add(f"{line}\n")
    for kind, mark, title in (("footnotes", "", ""), ("endnotes", "", ""), ("comments", "c", "Comments:\n")):
        for notes in related(part, kind)[:1]:
            text.add(f"\n{title}")
            _read_notes(notes, mark, look, text)
    _read_margins(part, "footer", text)
    return ""


def _read_look(document: Any) -> _Look:
    look = _Look(numbering=Numbering(next(map(tree_of, related(document, "numbering")), None)))
    for root in map(tree_of, related(document, "styles")[:1]):
        for element in root.iterfind("{*}style"):
            style = look.styles[value(element, "styleId") or ""] = _Style()
            name = next((value(each) or "" for each in element.iterfind("{*}name")), "")
            outline = next((value(each) for each in element.iterfind("{*}pPr/{*}outlineLvl")), None)
            if match := _HEADING.match(name):
                style.heading = int(match[1] or 1)
            elif (depth := number(outline, MAX_LEVELS, MAX_LEVELS)) < MAX_LEVELS:
                style.heading = depth + 1
            style.based_on = next((value(each) for each in element.iterfind("{*}basedOn")), None)
            style.is_list = _LIST.match(name) is not None
            style.list_id, style.level = _list_of(element, style)
            if style.list_id is not None:
                key = style.list_id, value(element, "styleId") or ""
                style.level = look.numbering.level_of_style.get(key, style.level)
    return look


def _list_of(element: Any, style: _Style) -> tuple[str | None, int]:
    """Return the list of a paragraph or a style and the level in it, by default those of `style`; list 0 is no list."""
    list_id, level = style.list_id, style.level
    for properties in element.iterfind("{*}pPr/{*}numPr"):
        for each in children(properties):
            if name_of(each) == "numId":
                list_id = value(each)
            elif name_of(each) == "ilvl":
                level = number(value(each), 0, MAX_LEVELS - 1)
    return list_id, level


def _read_margins(document: Any, kind: str, text: Text) -> None:
    """Read the headers or footers of pages; a text that several kinds of pages share is read once."""
    told: list[str] = []
    for part in related(document, kind)[:MAX_PARTS]:
        margin = Text(MAX_HEADER_CHARS)
        with suppress(FullError):
            for each in _WordStory(part, _Look()).lines(tree_of(part)):
                margin.add(f"{each}\n")
        if (line := " ".join(str(margin).split())) and line not in told:
            told.append(line)
            text.add(f"[{kind.capitalize()} of the pages: {line}]\n")


def _read_notes(part: Any, mark: str, look: _Look, text: Text) -> None:
    """Read footnotes, endnotes or comments, each after the mark of its place."""
    story = _WordStory(part, look)
    for note in children(tree_of(part)):
        if value(note, "type") not in (None, "normal"):
            continue  # a line above notes
        author = f"{value(note, 'author') or ''}: " if mark else ""
        text.add(f"[^{mark}{value(note, 'id')}] {author}")
        for line in story.lines(note):
            text.add(f"{line}\n")


class _WordStory(Story):
    """A part with paragraphs and tables: the document itself, its notes, its comments."""

    def __init__(self, part: Any, look: _Look) -> None:
        super().__init__(part)
        self._look = look

    def mark(self, paragraph: Any) -> str:
        style_id = next((value(each) or "" for each in paragraph.iterfind("{*}pPr/{*}pStyle")), "")
        style = self._look.style(style_id)
        list_id, level = _list_of(paragraph, style)
        point = ""
        if list_id not in (None, "0"):
            point = self._look.numbering.next(list_id or "", level)
        elif list_id is None and style.is_list:
            point = BULLET
        if style.heading is not None:
            return f"{'#' * style.heading} {f'{point} ' if point not in ('', BULLET) else ''}"
        return f"{'  ' * level}{point} " if point else ""

    def behind(self, element: Any) -> str:
        match name_of(element):
            case "hyperlink":
                to = self.part.rels.get(value(element, "id") or "")
                return f" ({to.target_ref})" if to is not None and to.is_external else ""
            case "footnoteReference" | "endnoteReference":
                return f"[^{value(element, 'id')}]"
            case "commentReference":
                return f"[^c{value(element, 'id')}]"
            case "docPr":
                return picture_note(element)
            case _:
                return ""
