"""Finds the imports of an exported file: missing modules, and modules in the same folder."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

GUARDRAILS = "guardrails"
"""The module of the package `openai-guardrails`, which ours replaces if it is not installed."""

_DISTRIBUTIONS = {
    "PIL": "pillow", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dotenv": "python-dotenv",
    "sklearn": "scikit-learn", "yaml": "PyYAML",
}  # fmt: skip
# Never imported from the folder, even if there is a file of that name: an exported file needs the package.
_NEVER_SIBLINGS = frozenset({"agents", "openai", "pydantic", "chatkit", GUARDRAILS, "plugin"})


def find_siblings(folder: Path) -> frozenset[str]:
    """Return the names under which a file can import the modules and packages in its folder.

    They take precedence over installed modules, as for a script: `config` is the author's, and not ours.
    """
    files = {path.stem for path in folder.glob("*.py")}
    packages = {path.parent.name for path in folder.glob("*/*.py")}
    names = (files | packages) - _NEVER_SIBLINGS - sys.stdlib_module_names
    return frozenset(name for name in names if name.isidentifier())


def find_imported_siblings(path: Path) -> list[Path]:
    """Return the files and folders next to a file that it imports, and those that they import in turn."""
    by_name: dict[str, Path] = {}
    waiting = [path]
    siblings = find_siblings(path.parent)
    while waiting:
        for module, _ in find_imports(_parse_or_empty(waiting.pop())):
            name = module.lstrip(".")
            if name in siblings and name not in by_name and (path.parent / f"{name}.py") != path:
                file, folder = path.parent / f"{name}.py", path.parent / name
                by_name[name] = file if file.is_file() else folder
                waiting.extend([file] if file.is_file() else sorted(folder.glob("*.py")))
    return list(by_name.values())


def find_missing_modules(path: Path, text: str) -> list[str]:
    """Return a sentence for each module that a file imports and that cannot be found, with what to do.

    Nothing is imported. Imports that the file itself guards with ``except ImportError`` are ignored.

    Args:
        path: The exported file.
        text: The text of the file.
    """
    problems = list(_unresolved_imports(path, ast.parse(text), "", is_exported_file=True))
    for sibling in find_imported_siblings(path):
        files = [sibling] if sibling.is_file() else sorted(sibling.glob("*.py"))
        for file in files:
            where = str(file.relative_to(path.parent))
            folder = file.parent if sibling.is_dir() else path.parent
            problems.extend(
                _unresolved_imports(folder / file.name, _parse_or_empty(file), f"{where}, ", is_exported_file=False)
            )
    return problems


def find_imports(tree: ast.Module) -> list[tuple[str, int]]:
    """Return the top-level modules that a file needs, each with its line, in reverse order.

    A relative import begins with a dot for each level.
    """
    imports: list[tuple[str, int]] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Try | ast.TryStar) and any(_catches_import_error(handler) for handler in node.handlers):
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            imports.extend((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module.partition(".")[0]] if node.module else [alias.name for alias in node.names]
            imports.extend((f"{'.' * node.level}{name}", node.lineno) for name in names)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):  # expressions have no imports, and may be deeply nested
                visit(child)

    visit(tree)
    return imports[::-1]


def is_installed(module: str) -> bool:
    """Return whether a top-level module can be imported, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _unresolved_imports(path: Path, tree: ast.Module, where: str, *, is_exported_file: bool) -> Iterator[str]:
    """Yield a sentence for each import of a file that cannot be resolved.

    Args:
        path: The file.
        tree: The syntax tree of the file.
        where: The name of the file, if it is not the exported one.
        is_exported_file: Whether this is the exported file, whose imports from its folder are made relative.
    """
    siblings = find_siblings(path.parent)
    for module, line in dict(find_imports(tree)).items():
        bare = module.lstrip(".")
        place = f"{where}line {line} imports '{module}'"
        if module.startswith(".."):
            yield f"{place}, which lies above its folder; copy it beside the file"
        elif module.startswith("."):
            if bare not in siblings:
                yield f"{place}, which is not beside it"
        elif bare in siblings and path.stem != bare:
            if not is_exported_file:
                yield f"{place} from beside it; write: from .{bare} import …"
        elif module not in sys.stdlib_module_names and module != GUARDRAILS and not is_installed(module):
            distribution = _DISTRIBUTIONS.get(module, module)
            yield f"{place}, which is not installed; install it where Parlor is installed: pip install {distribution}"


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type is not None else "Exception"
    return any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))


def _parse_or_empty(path: Path) -> ast.Module:
    """Return the syntax tree of a file; an empty one if it is not valid Python, which its import will report."""
    try:
        return ast.parse(importlib.util.decode_source(path.read_bytes()))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])
