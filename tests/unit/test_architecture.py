"""The allowed imports between rooms, types included; docs/architecture.md shows the same table."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# From the bottom to the top. Not a word of the list may import one that stands behind it.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "text": set(),
    "widgets": {"errors", "text"},
    "databases": {"errors", "text"},
    "settings": {"errors"},
    "config": {"errors", "settings"},
    "files": {"errors"},
    "framework": {"errors", "text"},
    "database": {"databases", "errors"},
    "turns": {"errors", "text", "widgets"},
    "runs": {"config", "errors", "text", "turns", "widgets"},
    "chat_clients": {"config", "errors", "framework", "text"},
    "storage": {"database", "errors", "framework", "turns", "widgets"},
    "store": {"database", "errors", "storage", "text", "turns"},
    "file_library": {"errors", "files", "storage", "turns"},
    "attachments": {"config", "database", "errors", "file_library", "files", "storage", "turns"},
    # What a use case is handed: it names the services by their types.
    "context": {
        "attachments", "chat_clients", "config", "database", "errors", "file_library", "runs", "store", "turns",
        "widgets",
    },
    "agents_sdk": {"chat_clients", "context", "errors", "framework", "text", "turns"},
    "plugins": {"chat_clients", "context", "runs", "turns", "widgets"},
    "streaming": {
        "agents_sdk", "attachments", "context", "errors", "files", "framework", "plugins", "runs", "storage", "store",
        "text", "turns",
        "widgets",
    },
    "stock_server": {"context", "errors", "plugins", "runs", "streaming", "turns"},
    "base_server": {"context", "errors", "plugins", "runs", "streaming", "turns"},
    "use_cases": {"base_server", "context", "database", "errors", "plugins"},
    "process": {
        "agents_sdk", "base_server", "config", "context", "database", "errors", "framework", "plugins", "runs",
        "stock_server", "streaming", "text", "use_cases", "widgets",
    },
    "web": {
        "attachments", "config", "database", "errors", "files", "framework", "plugins", "process", "runs", "settings",
        "storage", "turns",
    },
    "main": {
        "attachments", "chat_clients", "config", "context", "database", "errors", "files", "framework", "process",
        "runs", "store", "streaming", "web",
    },
    "infra": {"errors", "main", "widgets"},
}  # fmt: skip

ROOMS = set(ALLOWED)

# Beside the rooms, for a clone; no room imports them.
BESIDE = {"benchmarks", "tests"}

# An author imports these; what else stands at the top was named by the project's owner.
TOP_LEVEL = {
    "attachments", "base_server", "config", "context", "database", "errors", "main", "plugins", "stock_server", "store",
}  # fmt: skip

# Inside of a use case; a file that is not named here is a domain file.
INSIDE = {
    "plugin": {"agent", "actions", "samples", "widgets", "domain"},
    "samples": {"widgets", "domain"},
    "agent": {"widgets", "domain"},
    "actions": {"widgets", "domain"},
    "widgets": {"domain"},
    "domain": {"domain"},
}


def sources() -> list[Path]:
    files = [p for room in sorted(ROOMS) for p in (*ROOT.glob(f"{room}.py"), *ROOT.glob(f"{room}/**/*.py"))]
    assert len(files) > 100
    return files


@cache
def modules() -> dict[str, Path]:
    return {str(path.relative_to(ROOT))[:-3].replace("/", ".").removesuffix(".__init__"): path for path in sources()}


@dataclass(frozen=True)
class Source:
    """The parts of a file's syntax tree that the tests need, since the whole tree is large.

    Attributes:
        imports: Statements that import, wherever they stand.
        named_imports: Names of modules that are imported by a text, or their beginnings, with the line.
        docstrings: Docstrings of the module, its classes, functions and values.
        descriptions: Lines about arguments and attributes.
    """

    imports: list[ast.Import | ast.ImportFrom]
    named_imports: list[tuple[str, int]]
    docstrings: list[str]
    descriptions: list[str]


@cache
def parsed(path: Path) -> Source:
    """Read a file once for all tests."""
    source = Source([], [], [], [])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            source.imports.append(node)
        source.named_imports.extend(named_import(node))
        source.docstrings.extend(docstrings(node))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            source.descriptions.extend(described_names(ast.get_docstring(node) or ""))
    return source


UNKNOWN = "?"
"""Stands for a module whose name is made elsewhere."""

NAMED_ELSEWHERE = {"infra/config_docs.py": "the markers in the documents name it, and a class of settings in it"}
"""Files that import what they do not name themselves, and why they may."""


def named_import(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Return the module that a call such as ``import_module("store")`` names, or the beginning of its name."""
    match node:
        case ast.Call(func=ast.Name(id=function) | ast.Attribute(attr=function), args=given, keywords=named):
            if function in ("import_module", "__import__", "resolve_name"):
                argument = [*given, *(each.value for each in named)][0]
                first = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
                is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
                yield str(first.value).partition(":")[0] if is_text else UNKNOWN, node.lineno
        case ast.ImportFrom(module="importlib" | "pkgutil", names=names) if any(each.asname for each in names):
            yield UNKNOWN, node.lineno  # a call by another name would be seen by nobody


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Return the modules that a file names in imports, at run time or for its types, wherever they stand."""
    package = path.relative_to(ROOT).parent.parts
    yield from parsed(path).named_imports
    for node in parsed(path).imports:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join((*package[: len(package) - node.level + 1], *filter(None, [node.module])))
            name = base if node.level else node.module or ""
            for alias in node.names:
                inner = f"{name}.{alias.name}"
                yield (inner if inner in modules() else name), node.lineno


def room_of(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_room_imports_only_what_it_may(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for name, line in imports_of(path):
        target = room_of(name)
        if target in ROOMS | BESIDE and target != room:
            assert target in ALLOWED[room], f"{path.name}:{line}: {room} must not import {target}"
        is_known = name != UNKNOWN or path.relative_to(ROOT).as_posix() in NAMED_ELSEWHERE
        assert is_known, f"{path.name}:{line}: say in the call itself what is imported"


def test_an_import_by_a_text_is_one_too() -> None:
    code = (
        'import_module("store")\nimportlib.import_module(f"web.{name}")\n__import__("turns.inbox")\nimport_module(name)\n'
        'import_module(name="runs")\nfrom importlib import import_module as load\nresolve_name("context:Turn")'
    )
    found = [each for node in ast.walk(ast.parse(code)) for each in named_import(node)]
    assert sorted(found) == [
        (UNKNOWN, 4), (UNKNOWN, 6), ("context", 7), ("runs", 5), ("store", 1), ("turns.inbox", 3), ("web.", 2)
    ]  # fmt: skip


def test_every_folder_of_modules_is_a_room() -> None:
    folders = {path.parent.name for path in ROOT.glob("[a-z]*/*.py")}
    assert folders == {room for room in ROOMS if (ROOT / room).is_dir()} | BESIDE


def test_the_table_allows_no_unused_import() -> None:
    used = {
        (path.relative_to(ROOT).parts[0].removesuffix(".py"), room_of(name))
        for path in sources()
        for name, _ in imports_of(path)
    }
    allowed = {(room, target) for room, targets in ALLOWED.items() for target in targets}
    assert allowed - used == set()


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of names that reach each other."""
    reached: dict[str, set[str]] = {}
    for start in imports:
        waiting, seen = [start], set[str]()
        while waiting:
            for each in imports.get(waiting.pop(), ()):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
        reached[start] = seen
    found = {
        frozenset({name, *(other for other in reached[name] if name in reached[other])})
        for name in imports
        if name in reached[name]
    }
    return [set(each) for each in found]


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = {
        name: {each for target, _ in imports_of(path) for each in meant_by(target) if each != name}
        for name, path in modules().items()
    }
    assert "files.documents.word" in imports["files.text_extraction"]
    assert circles(imports) == []


def meant_by(target: str) -> Iterator[str]:
    """Return the modules of ours that an import names; where it says a beginning only, all that begin so."""
    if target.endswith("."):
        yield from (name for name in modules() if name.startswith(target))
    elif target in modules():
        yield target


def test_no_rooms_import_each_other_in_a_circle() -> None:
    assert circles(ALLOWED) == [] == circles({"a": {"b"}, "b": set()})
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]


@pytest.mark.parametrize("path", sorted(ROOT.glob("use_cases/*/**/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_use_case_keeps_its_own_order_and_knows_no_other(path: Path) -> None:
    use_case = path.relative_to(ROOT / "use_cases").parts[0]
    kind = path.stem if path.stem in INSIDE and path.parent.name == use_case else "domain"
    for name, line in imports_of(path):
        if name.startswith("use_cases.") and not f"{name}.".startswith(f"use_cases.{use_case}."):
            pytest.fail(f"{path.name}:{line}: {use_case} must not import {name}")
        if name.startswith(f"use_cases.{use_case}."):
            own = name.removeprefix(f"use_cases.{use_case}.")
            target = own if own in INSIDE else "domain"
            assert target in INSIDE[kind], f"{path}:{line}: {kind} must not import {target}"


def test_packages_hold_a_docstring_and_nothing_else() -> None:
    for path in (p for room in ROOMS for p in ROOT.glob(f"{room}/**/__init__.py")):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


def test_only_the_settings_read_the_environment() -> None:
    # The first makes what libraries of others read there the same for all of them; the second starts programs.
    exempt = ("framework/outgoing.py", "infra/")
    for path in sources():
        text = path.read_text()
        if not path.relative_to(ROOT).as_posix().startswith(exempt):
            assert "os.environ" not in text, path
            assert "getenv(" not in text, path


def test_at_the_top_stands_what_the_owner_named_and_what_an_author_imports() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == TOP_LEVEL


LEANING = re.compile(
    r"(What |Of |That of |Those |The same\b|Its |Whose |Whom |Where |As |With |On |In |So much |So many |They )"
    r"|(All|Any|Each|Some) (of|that|this)\b|(Anything|Everything|Nothing|More|Such)\b"
    r"|(A|The) (larger|longer|smaller) \w+ is\b"
    r"|(Whether|Say whether|Return whether) (it|they)\b"
)
"""Openings of lines that say nothing by themselves: the reader has to find the line or the name before."""


def docstrings(node: ast.AST) -> Iterator[str]:
    """Return the docstring of a module, class or function, and those of the values that it defines."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield ast.get_docstring(node) or ""
    if isinstance(node, ast.Module | ast.ClassDef):
        for before, each in pairwise(node.body):
            if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(each, ast.Expr):
                yield str(getattr(each.value, "value", ""))


def test_every_docstring_can_be_read_alone() -> None:
    """A first line says what it is about: it is no riddle, and does not lean on the one before it."""
    found = [
        f"{path.relative_to(ROOT)}: {text.splitlines()[0]}"
        for path in sources()
        for text in parsed(path).docstrings
        if LEANING.match(text)
    ]
    assert found == []


def test_docstrings_of_values_are_found() -> None:
    module = ast.parse('"""All."""\nMAX = 1\n"""The most."""\nclass A:\n    b: int = 2\n    """The b."""')
    assert [text for node in ast.walk(module) for text in docstrings(node)] == ["All.", "The most.", "", "The b."]


def described_names(docstring: str) -> Iterator[str]:
    """Return the first line of the description of each argument and attribute in a docstring."""
    for section in re.findall(r"^(?:Args|Attributes):\n((?:(?:    .*)?\n?)*)", docstring, re.MULTILINE):
        yield from re.findall(r"^    \w+: (.+)$", section, re.MULTILINE)


def test_every_line_about_an_argument_can_be_read_alone() -> None:
    """A line says which thing it is about: "The title of a search", not "Of a search" or "The same, of files"."""
    leaning = re.compile(
        r"(Of |That of |Those of |The same\b|Its |Whose |Whom |Likewise|As for |As it was|With (it|those|them)\b)"
        r"|(Whether|Where|When|Why|What|How (long|many|much|far)) (it|its|they|one)\b|How (many|much) there\b"
        r"|(All|Each|Some) (of|that)\b|(Anything|Everything|Nothing|Such)\b"
        r"|Who \w+ (it|them)\b|(It|They) |The \w+ one\.|(By name|Where|Who|When)\.$"
    )
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in sources()
        for line in parsed(path).descriptions
        if leaning.match(line)
    ]
    assert found == []


def test_lines_about_arguments_are_found() -> None:
    text = "Say it.\n\nMore.\n\nArgs:\n    a: Of a.\n        Still a.\n    b: The b.\n\nReturns:\n    c: no name.\n"
    assert list(described_names(text)) == ["Of a.", "The b."]


def test_every_room_is_installed_and_its_types_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    paths = {f"{room}.py" if (ROOT / f"{room}.py").is_file() else room for room in ROOMS}
    assert set(project["mypy"]["files"]) == paths
    assert set(project["ruff"]["lint"]["isort"]["known-first-party"]) == ROOMS
    included = {path.removeprefix("/") for path in project["hatch"]["build"]["targets"]["wheel"]["include"]}
    assert included == paths - {"infra"} | {"static"}, "the workshop of a clone is not installed"
