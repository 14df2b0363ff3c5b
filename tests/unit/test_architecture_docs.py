"""docs/architecture.md: its places exist, and its table of rooms is the tested one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.unit.test_architecture import ALLOWED, ROOT, sources

PAGE = (ROOT / "docs" / "architecture.md").read_text()
ROOMS = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*) \|$", PAGE, re.MULTILINE)
ANSWERS = re.findall(r"^\| ([^|]+) \| \[[^\]]+\]\(\.\./([^)]+)\)[^|]* \| `(\w+)` \|$", PAGE, re.MULTILINE)
NAMED = [*re.findall(r"\[`(\w+)`\]\(\.\./([^)]+\.py)\)", PAGE), *((name, file) for _, file, name in ANSWERS)]


def defined_names(path: Path) -> set[str]:
    """Return the names of the classes, functions and constants that a file defines; to use one is not enough."""
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def test_the_table_of_rooms_is_the_one_that_is_checked() -> None:
    assert {room: set(re.findall(r"`(\w+)`", imports)) for room, _, imports in ROOMS} == ALLOWED
    order = [room for room, _, _ in ROOMS]
    for room, _, imports in ROOMS:
        for target in re.findall(r"`(\w+)`", imports):
            assert order.index(target) < order.index(room), f"{room} stands above {target}"


def test_there_are_answers_to_where_things_are() -> None:
    table = PAGE.partition("## Where is …")[2]
    assert len(ANSWERS) >= 40
    assert len(ANSWERS) == len(re.findall(r"^\| (?!Where is|---)", table, re.MULTILINE))


@pytest.mark.parametrize(("name", "file"), sorted(set(NAMED)))
def test_each_place_that_is_named_is_there(name: str, file: str) -> None:
    path = ROOT / file
    assert name in (defined_names(path) if path.suffix == ".py" else path.read_text()), f"{file} defines no {name}"


def test_links_lead_to_what_is_there() -> None:
    for target in re.findall(r"\]\((?!https:)([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


DECISIONS = sorted((ROOT / "docs/adr").glob("0*.md"))


@cache
def known_files() -> frozenset[str]:
    """Return the sources of the server, the client, the tests and the benchmarks."""
    others = [
        path for folder in ("frontend/src", "tests", "benchmarks") for path in ROOT.glob(f"{folder}/**/*.[pt][ys]")
    ]
    return frozenset(str(path.relative_to(ROOT)) for path in (*sources(), *others))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem[:4])
def test_a_decision_has_number_date_and_state_and_names_files_that_are_there(path: Path) -> None:
    text = path.read_text()
    assert re.match(rf"# {path.stem[:4]}: .+\n\n20\d\d-\d\d-\d\d.*Status: \w", text)
    assert f"({path.name})" in (ROOT / "docs/adr/README.md").read_text()
    for name in re.findall(r"`([a-z][\w/-]*\.(?:py|ts))`", text):
        assert any(file == name or file.endswith(f"/{name}") for file in known_files()), f"{name} has moved"
