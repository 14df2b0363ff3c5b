"""Detection of imports by which a use case gets the platform's module instead of its own, as by `import config`.

The folder of a use case is not on `sys.path`, so that its modules are imported as `from .config import …`. Without the
dot, another module is imported silently, and the mistake shows only when that lacks a name, or never.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType

PLATFORM_MODULES = frozenset(
    {
        "agents_sdk", "attachments", "chat_clients", "config", "databases", "file_library", "files", "framework",
        "infra", "main", "process", "runs", "settings", "storage", "store", "streaming", "text", "turns", "web",
    }
)  # fmt: skip
"""Modules of the platform that use cases never import."""


def list_modules(folder: Path) -> set[str]:
    """Return the names of the modules and packages in a folder."""
    return {path.stem if path.is_file() else path.name for path in folder.iterdir() if path.suffix in ("", ".py")}


def find_mistaken_import(folder: Path) -> str | None:
    """Return a message about the first file that imports a platform module with the name of its own; None without one.

    Only files that are loaded as modules of the use case are examined, since an exported workflow can import the files
    beside it by their plain names.
    """
    names = list_modules(folder) & PLATFORM_MODULES
    for path in _find_loaded_files(folder) if names else ():
        for name, line in _find_absolute_imports(path, names):
            return (
                f"{path.relative_to(folder)}, line {line}, imports '{name}', which is Parlor's own module and not the "
                f"one in this folder: write 'from .{name} import …', or rename it"
            )
    return None


def _find_loaded_files(folder: Path) -> list[Path]:
    loaded = [module for name, module in sys.modules.items() if name.startswith(f"use_cases.{folder.name}.")]
    files = {Path(module.__file__) for module in loaded if module.__file__}
    return sorted(file for file in files if file.is_relative_to(folder))


def advise_on_import(exc: BaseException, folder: Path) -> str:
    """Return a hint for an exception about a module whose name a file of the folder has too; empty for any other."""
    module: str | None = None
    if isinstance(exc, ImportError):
        module = exc.name
    elif isinstance(exc, AttributeError) and isinstance(exc.obj, ModuleType):
        module = exc.obj.__name__
    name = (module or "").partition(".")[0]
    return f" (import a file of the same folder as 'from .{name} import …')" if name in list_modules(folder) else ""


def _find_absolute_imports(path: Path, names: Collection[str]) -> Iterator[tuple[str, int]]:
    try:
        source = path.read_bytes()
        # Parsing takes a hundred times as long, and hardly any file has such a line.
        import_line = rf"^\s*(?:from\s+|import\s+(?:.*,\s*)?)(?:{'|'.join(names)})\b"
        if not re.search(import_line.encode(), source, re.MULTILINE):
            return
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return  # importing the file will report that
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            if (name := module.partition(".")[0]) in names:
                yield name, node.lineno
