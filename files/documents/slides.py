"""Presentations as text: slides in their order, with tables, charts, speaker notes and comments.

`python-pptx` opens the presentation; the text is read from the XML trees of its parts, which also contain what the
library has no objects for: diagrams, comments, and additions of newer programs. Source: ECMA-376, 19.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pptx

from files.documents.bounded_text import MAX_PARTS, BoundedText
from files.documents.charts import alternative_text_line
from files.documents.numbers import AutoNumbers
from files.documents.parts import (
    attribute,
    find_elements,
    local_name,
    open_package,
    parse_number,
    parse_part,
    related_parts,
)
from files.documents.story import Story

_REFERENCE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_presentation(path: str, text: BoundedText) -> str:
    """Read a presentation; return which slides are left out."""
    part = pptx.Presentation(open_package(path)).part
    authors = {
        attribute(each, "id"): attribute(each, "name") or ""
        for root in map(parse_part, related_parts(part, "commentAuthors", "authors"))
        for each in (*find_elements(root, "cmAuthor"), *find_elements(root, "author"))
    }
    ids = [
        next((v for k, v in each.attrib.items() if k.endswith("}id")), "")
        for each in find_elements(parse_part(part), "sldId")
    ]
    slides = [to.target_part for each in ids if (to := part.rels.get(each)) is not None and not to.is_external]
    for index, slide in enumerate(slides[:MAX_PARTS], 1):
        root = parse_part(slide)
        hidden = " (hidden)" if root.get("show") in ("0", "false") else ""
        text.add(f"\n# Slide {index}{hidden}\n")
        _add_lines(_SlideStory(slide).lines(root), text)
        for notes in related_parts(slide, "notesSlide")[:1]:
            text.add("Notes:\n")
            _add_lines(_SlideStory(notes, has_titles=False).lines(parse_part(notes)), text)
        for comments in related_parts(slide, "comments"):
            _add_lines(_comment_lines(parse_part(comments), authors), text)
    return f"slides {MAX_PARTS + 1} to {len(slides)}" if len(slides) > MAX_PARTS else ""


def _add_lines(lines: Iterator[str], text: BoundedText) -> None:
    for line in lines:
        text.add(f"{line}\n")


def _comment_lines(root: Any, authors: dict[str | None, str]) -> Iterator[str]:
    """Yield comments and replies, in the classic and the modern format."""
    for comment in root.iter("{*}cm", "{*}reply"):
        text = "".join(each.text or "" for each in find_elements(comment, "text"))
        text += " ".join(line for body in comment.iterfind("{*}txBody") for line in Story(None).lines(body))
        author = authors.get(attribute(comment, "authorId"), "")
        yield f"[Comment{f' of {author}' if author else ''}: {' '.join(text.split())}]"


class _SlideStory(Story):
    """Text of a slide, or of its notes."""

    def __init__(self, part: Any, *, has_titles: bool = True) -> None:
        super().__init__(part)
        self._has_titles = has_titles
        self._is_title = False
        self._numbers = AutoNumbers()

    def lines(self, element: Any) -> Iterator[str]:
        for shape in element.iterfind("{*}nvSpPr/{*}nvPr"):
            kinds = [each.get("type") for each in shape.iterfind("{*}ph")]
            self._is_title = self._has_titles and kinds in (["title"], ["ctrTitle"])
            self._numbers = AutoNumbers()
        yield from super().lines(element)
        if local_name(element) == "sp":
            self._is_title = False
        for picture in element.iterfind("{*}nvPicPr/{*}cNvPr"):
            if note := alternative_text_line(picture):
                yield note

    def paragraph(self, element: Any) -> Iterator[str]:
        if not self._is_title:
            yield from super().paragraph(element)
            return
        for line in super().paragraph(element):
            if title := " ".join(line.split()):
                yield f"## {title}"

    def paragraph_prefix(self, paragraph: Any) -> str:
        level = next((parse_number(each.get("lvl"), 0, 8) for each in paragraph.iterfind("{*}pPr")), 0)
        number = self._numbers.next_number(paragraph, level)
        return f"{'  ' * level}{f'{number} ' if number else ''}"

    def text_after(self, element: Any) -> str:
        if local_name(element) != "r":
            return ""
        link_ids = (attribute(each, "id") or "" for each in element.iterfind("{*}rPr/{*}hlinkClick"))
        links = (to for link_id in link_ids if (to := self.part.rels.get(link_id)) is not None and to.is_external)
        return "".join(f" ({to.target_ref})" for to in links)
