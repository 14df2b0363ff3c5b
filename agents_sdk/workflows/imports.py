"""Imports of an exported file: which are missing, and which are of files beside it."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

GUARDRAILS = "guardrails"
"""The module of the package `openai-guardrails`; where that is not installed, ours takes its place."""

_DISTRIBUTIONS = {
    "PIL": "pillow", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dotenv": "python-dotenv",
    "sklearn": "scikit-learn", "yaml": "PyYAML",
}  # fmt: skip
# A file beside it that is called like one of these is another one: an exported file needs the package.
_NEVER_BESIDE = frozenset({"agents", "openai", "pydantic", "chatkit", GUARDRAILS, "plugin"})


def siblings_in(folder: Path) -> frozenset[str]:
    """Return the names under which a file can import what lies beside it in a folder.

    They go before what is installed, as with a file that is run by itself: `config` is the author's, and not ours.
    """
    files = {each.stem for each in folder.glob("*.py")}
    packages = {each.parent.name for each in folder.glob("*/*.py")}
    names = (files | packages) - _NEVER_BESIDE - sys.stdlib_module_names
    return frozenset(name for name in names if name.isidentifier())


def imported_siblings(path: Path) -> list[Path]:
    """Return the files and folders beside a file that it imports, and those that they import."""
    found: dict[str, Path] = {}
    waiting = [path]
    siblings = siblings_in(path.parent)
    while waiting:
        for module, _ in imported(_parse_or_empty(waiting.pop())):
            name = module.lstrip(".")
            if name in siblings and name not in found and (path.parent / f"{name}.py") != path:
                beside = path.parent / f"{name}.py"
                found[name] = beside if beside.is_file() else path.parent / name
                waiting.extend([beside] if beside.is_file() else sorted(found[name].glob("*.py")))
    return list(found.values())


def missing_modules(path: Path, text: str) -> list[str]:
    """Return the modules that a file imports and that are not there, each with what to do.

    Nothing is imported to find out. What an ``except ImportError`` of the file stands around is left to it.

    Args:
        path: The exported file.
        text: The whole of it.
    """
    told = list(_unresolved_imports(path, ast.parse(text), "", has_rebound=True))
    for sibling in imported_siblings(path):
        files = [sibling] if sibling.is_file() else sorted(sibling.glob("*.py"))
        for file in files:
            where = str(file.relative_to(path.parent))
            folder = file.parent if sibling.is_dir() else path.parent
            told.extend(_unresolved_imports(folder / file.name, _parse_or_empty(file), f"{where}, ", has_rebound=False))
    return told


def imported(tree: ast.Module) -> list[tuple[str, int]]:
    """Return the top-level modules that a file cannot do without, with the line; the last import of each first.

    A module that is imported from beside the file begins with a dot, and with two from above it.
    """
    found: list[tuple[str, int]] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Try | ast.TryStar) and any(_catches_import(handler) for handler in node.handlers):
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            named = [node.module.partition(".")[0]] if node.module else [alias.name for alias in node.names]
            found.extend((f"{'.' * node.level}{name}", node.lineno) for name in named)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):  # which holds no import, and may be nested deeply
                visit(child)

    visit(tree)
    return found[::-1]


def is_installed(module: str) -> bool:
    """Say whether a top-level module can be imported; it is not."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _unresolved_imports(path: Path, tree: ast.Module, where: str, *, has_rebound: bool) -> Iterator[str]:
    """Yield a sentence for each import of a file that cannot be resolved.

    Args:
        path: The file.
        tree: The syntax tree of the file.
        where: The file in words, where it is not the exported one.
        has_rebound: Whether the file is the exported one, which finds what lies beside it by its bare name too.
    """
    siblings = siblings_in(path.parent)
    for module, line in dict(imported(tree)).items():
        bare = module.lstrip(".")
        place = f"{where}line {line} imports '{module}'"
        if module.startswith(".."):
            yield f"{place}, which lies above its folder; copy it beside the file"
        elif module.startswith("."):
            if bare not in siblings:
                yield f"{place}, which is not beside it"
        elif bare in siblings and path.stem != bare:
            if not has_rebound:
                yield f"{place} from beside it; write: from .{bare} import …"
        elif module not in sys.stdlib_module_names and module != GUARDRAILS and not is_installed(module):
            distribution = _DISTRIBUTIONS.get(module, module)
            yield f"{place}, which is not installed; install it where Parlor is installed: pip install {distribution}"


def _catches_import(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type is not None else "Exception"
    return any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))


def _parse_or_empty(path: Path) -> ast.Module:
    """Return the syntax tree of a file; an empty one if it is not Python, as importing it tells what is wrong."""
    try:
        return ast.parse(importlib.util.decode_source(path.read_bytes()))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])
