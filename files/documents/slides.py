"""Presentations as text: slides in their order, with tables, charts, the notes of who speaks, and comments.

`python-pptx` opens the presentation and has its parts; text is read from their trees of elements, where is also what it
has no objects for: diagrams, comments, what newer programs have added. Source: ECMA-376, 19.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pptx

from files.documents.bounded_text import MAX_PARTS, Text
from files.documents.charts import picture_note
from files.documents.numbers import AutoNumbers
from files.documents.parts import inside, name_of, number, open_package, related, tree_of, value
from files.documents.story import Story

_REFERENCE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_presentation(path: str, text: Text) -> str:
    """Read a presentation; return which slides are left out."""
    part = pptx.Presentation(open_package(path)).part
    authors = {
        value(each, "id"): value(each, "name") or ""
        for root in map(tree_of, related(part, "commentAuthors", "authors"))
        for each in (*inside(root, "cmAuthor"), *inside(root, "author"))
    }
    ids = [
        next((v for k, v in each.attrib.items() if k.endswith("}id")), "") for each in inside(tree_of(part), "sldId")
    ]
    slides = [to.target_part for each in ids if (to := part.rels.get(each)) is not None and not to.is_external]
    for index, slide in enumerate(slides[:MAX_PARTS], 1):
        root = tree_of(slide)
        hidden = " (hidden)" if root.get("show") in ("0", "false") else ""
        text.add(f"\n# Slide {index}{hidden}\n")
        _add(_SlideStory(slide).lines(root), text)
        for notes in related(slide, "notesSlide")[:1]:
            text.add("Notes:\n")
            _add(_SlideStory(notes, has_titles=False).lines(tree_of(notes)), text)
        for comments in related(slide, "comments"):
            _add(_comments(tree_of(comments), authors), text)
    return f"slides {MAX_PARTS + 1} to {len(slides)}" if len(slides) > MAX_PARTS else ""


def _add(lines: Iterator[str], text: Text) -> None:
    for line in lines:
        text.add(f"{line}\n")


def _comments(root: Any, authors: dict[str | None, str]) -> Iterator[str]:
    """Yield comments, and answers to them, in both of the forms that there are."""
    for comment in root.iter("{*}cm", "{*}reply"):
        said = "".join(each.text or "" for each in inside(comment, "text"))
        said += " ".join(line for body in comment.iterfind("{*}txBody") for line in Story(None).lines(body))
        author = authors.get(value(comment, "authorId"), "")
        yield f"[Comment{f' of {author}' if author else ''}: {' '.join(said.split())}]"


class _SlideStory(Story):
    """A slide, or the notes of one."""

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
        if name_of(element) == "sp":
            self._is_title = False
        for picture in element.iterfind("{*}nvPicPr/{*}cNvPr"):
            if note := picture_note(picture):
                yield note

    def paragraph(self, element: Any) -> Iterator[str]:
        if not self._is_title:
            yield from super().paragraph(element)
            return
        for line in super().paragraph(element):
            if title := " ".join(line.split()):
                yield f"## {title}"

    def mark(self, paragraph: Any) -> str:
        level = next((number(each.get("lvl"), 0, 8) for each in paragraph.iterfind("{*}pPr")), 0)
        point = self._numbers.next(paragraph, level)
        return f"{'  ' * level}{f'{point} ' if point else ''}"

    def behind(self, element: Any) -> str:
        if name_of(element) != "r":
            return ""
        found = (value(each, "id") or "" for each in element.iterfind("{*}rPr/{*}hlinkClick"))
        links = (to for each in found if (to := self.part.rels.get(each)) is not None and to.is_external)
        return "".join(f" ({to.target_ref})" for to in links)
