"""What docs/chatkit-js.md says to be shown by a test is shown by one that exists."""

from __future__ import annotations

import re

from infra.client_build import ROOT

DOCUMENT = ROOT / "docs" / "chatkit-js.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<state>works|differs|missing|–)(?P<how>[^|]*) \| (?P<shown>[^|]+) \|$")
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<path>[^)]+)\)")


def rows() -> list[re.Match[str]]:
    table = DOCUMENT.read_text(encoding="utf-8").split("## Conformance")[1]
    return [found for line in table.splitlines() if (found := ROW.match(line))]


def test_every_line_of_the_table_can_be_read() -> None:
    table = DOCUMENT.read_text(encoding="utf-8").split("## Conformance")[1]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    headings = [line for line in lines if line.endswith("| State | Shown by |") or set(line) <= set("|- ")]
    assert len(rows()) == len(lines) - len(headings)
    assert len(rows()) > 80


def test_every_test_that_the_table_names_exists() -> None:
    missing = []
    for row in rows():
        for link in LINK.finditer(row["shown"]):
            path = (DOCUMENT.parent / link["path"]).resolve()
            name = link["text"].strip("`")
            if not path.is_file() or (name != path.name and f"def {name}(" not in path.read_text(encoding="utf-8")):
                missing.append(f"{row['what']}: {link[0]}")
    assert missing == []


def test_what_works_names_a_test() -> None:
    assert [row["what"] for row in rows() if row["state"] == "works" and not LINK.search(row["shown"])] == []
