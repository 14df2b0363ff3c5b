"""Checks that every test named in docs/chatkit-js.md exists."""

from __future__ import annotations

import re
from pathlib import Path

from infra.client_build import ROOT

DOCUMENT = ROOT / "docs" / "chatkit-js.md"
ROW = re.compile(
    r"^\|(?: (?P<number>T?\d+) \|)? (?P<what>[^|]+) \| "
    r"(?P<state>works|differs|missing|–)(?P<how>[^|]*) \| (?P<shown>[^|]+) \|$"
)
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<path>[^)]+)\)")
# Translations and speed are shown elsewhere.
STATEMENTS = [*range(1, 152), *range(157, 169), *range(175, 181)]
TRAPS = range(1, 23)


def rows() -> list[re.Match[str]]:
    return [found for line in lines() if (found := ROW.match(line))]


def lines() -> list[str]:
    table = DOCUMENT.read_text(encoding="utf-8").split("## Conformance")[1]
    return [line for line in table.splitlines() if line.startswith("| ")]


def names_test(link: re.Match[str]) -> bool:
    """Tell whether the file has the test that the link names; one that names the file itself stands for all of it."""
    path: Path = (DOCUMENT.parent / link["path"]).resolve()
    ticks = 2 if link["text"].startswith("``") else 1 if link["text"].startswith("`") else 0
    name = link["text"][ticks : len(link["text"]) - ticks]
    if not path.is_file():
        return False
    code = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return f"def {name}(" in code
    return name == path.name or f"'{name}'" in code


def test_every_line_of_the_table_can_be_read() -> None:
    headings = [line for line in lines() if line.endswith("| State | Shown by |") or set(line) <= set("|- ")]
    assert len(rows()) == len(lines()) - len(headings)
    assert len(rows()) > 80


def test_every_test_that_the_table_names_exists() -> None:
    missing = [
        f"{row['what']}: {link[0]}" for row in rows() for link in LINK.finditer(row["shown"]) if not names_test(link)
    ]
    assert missing == []


def test_every_working_feature_names_a_test() -> None:
    assert [row["what"] for row in rows() if row["state"] == "works" and not LINK.search(row["shown"])] == []


def test_every_statement_and_every_trap_has_its_line_and_names_tests_one_by_one() -> None:
    numbered = {row["number"]: row for row in rows() if row["number"]}
    assert list(numbered) == [*map(str, STATEMENTS), *(f"T{each}" for each in TRAPS)]
    whole_files = [
        number
        for number, row in numbered.items()
        for link in LINK.finditer(row["shown"])
        if link["text"].strip("`") == Path(link["path"]).name
    ]
    assert whole_files == []
