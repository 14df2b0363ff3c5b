"""Who may import whom, read from the sources: the table of the style guide as data."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROOMS = {
    "attachments", "base_server", "chat_clients", "config", "context", "database", "databases", "errors", "framework",
    "infra", "main", "plugins", "process", "storage", "store", "streaming", "text", "turns", "use_cases", "web",
    "widgets",
}  # fmt: skip

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "widgets": set(),
    "text": set(),
    "databases": set(),
    "turns": {"errors", "widgets"},
    "config": {"errors"},
    "database": {"errors", "databases"},
    "context": {"errors", "turns", "widgets"},
    "plugins": {"context", "errors", "base_server", "use_cases", "turns"},
    "framework": set(),
    "streaming": {"context", "errors", "framework", "text", "turns", "widgets"},
    "chat_clients": {"config", "errors", "framework", "text"},
    "storage": {"context", "database", "errors", "turns", "widgets"},
    "store": {"context", "database", "errors", "storage", "turns"},
    "attachments": {"context", "database", "errors", "store", "turns"},
    "base_server": {"context", "errors", "framework", "streaming", "turns"},
    "use_cases": {"base_server", "context", "database", "errors", "plugins"},
    "process": {"config", "context", "database", "errors", "plugins", "streaming", "turns"},
    "web": {
        "attachments",
        "base_server",
        "config",
        "context",
        "database",
        "errors",
        "plugins",
        "process",
        "streaming",
        "store",
        "turns",
    },
    "main": ROOMS - {"storage", "use_cases", "widgets", "databases"},
    "infra": {"database", "store", "plugins", "errors", "config"},
}

# Inside of a use case; a file that is not named here is a domain file.
INSIDE = {
    "plugin": {"agent", "actions", "widgets", "domain"},
    "agent": {"widgets", "domain"},
    "actions": {"widgets", "domain"},
    "widgets": {"domain"},
    "domain": {"domain"},
}


def sources() -> list[Path]:
    files = [p for room in sorted(ROOMS) for p in (*ROOT.glob(f"{room}.py"), *ROOT.glob(f"{room}/**/*.py"))]
    assert len(files) > 20
    return files


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Return what a file imports at run time: not under `TYPE_CHECKING`."""
    tree = ast.parse(path.read_text())
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_room_imports_only_what_it_may(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for name, line in imports_of(path):
        target = name.split(".")[0]
        if target in ROOMS and target != room:
            assert target in ALLOWED[room], f"{path.name}:{line}: {room} must not import {target}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("use_cases/*/**/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_use_case_keeps_its_own_order_and_knows_no_other(path: Path) -> None:
    use_case = path.relative_to(ROOT / "use_cases").parts[0]
    kind = path.stem if path.stem in INSIDE and path.parent.name == use_case else "domain"
    for name, line in imports_of(path):
        own = name.removeprefix(f"use_cases.{use_case}.") if name.startswith("use_cases.") else name.lstrip(".")
        if name.startswith("use_cases.") and not name.startswith(f"use_cases.{use_case}."):
            pytest.fail(f"{path.name}:{line}: {use_case} must not import {name}")
        if name.startswith((".", f"use_cases.{use_case}.")):
            target = own if own in INSIDE else "domain"
            assert target in INSIDE[kind], f"{path}:{line}: {kind} must not import {target}"


def test_packages_hold_a_docstring_and_nothing_else() -> None:
    for path in (p for room in ROOMS for p in ROOT.glob(f"{room}/**/__init__.py")):
        body = ast.parse(path.read_text()).body
        assert len(body) <= 1, path
        assert all(isinstance(node, ast.Expr) for node in body), path


def test_only_the_settings_read_the_environment() -> None:
    for path in sources():
        text = path.read_text()
        if path.relative_to(ROOT).parts[0] != "infra":  # it starts programs, which want an environment
            assert "os.environ" not in text, path
            assert "getenv(" not in text, path


def test_every_room_is_installed_and_its_types_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    paths = {f"{room}.py" if (ROOT / f"{room}.py").is_file() else room for room in ROOMS}
    assert {path.stem for path in ROOT.glob("*.py")} <= ROOMS
    assert set(project["mypy"]["files"]) == paths
    included = {
        path.removeprefix("/").removesuffix("/*.py")
        for path in project["hatch"]["build"]["targets"]["wheel"]["include"]
    }
    assert included == paths | {"static"}
