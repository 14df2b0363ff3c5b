"""Finds modules of a use case that are shadowed by the platform's: `import config` means the platform's.

A folder of a use case is not on Python's path, so what lies in it is imported as `from .config import …`. Whoever
forgets the dot gets another module without a word, and learns of it where that lacks something, or never.
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
"""The platform's modules of which a use case imports nothing."""


def own_modules(folder: Path) -> set[str]:
    """Return the names of the modules and packages that lie in a folder."""
    return {path.stem if path.is_file() else path.name for path in folder.iterdir() if path.suffix in ("", ".py")}


def find_mistaken_import(folder: Path) -> str | None:
    """Return which loaded file of a folder imports a module of ours that has the name of its own; None for none.

    Files that are not loaded as the use case's are not looked at: an exported workflow finds what lies beside it.
    """
    names = own_modules(folder) & PLATFORM_MODULES
    for path in _loaded_files(folder) if names else ():
        for name, line in _absolute_imports(path, names):
            return (
                f"{path.relative_to(folder)}, line {line}, imports '{name}', which is Parlor's own module and not the "
                f"one in this folder: write 'from .{name} import …', or rename it"
            )
    return None


def _loaded_files(folder: Path) -> list[Path]:
    loaded = [module for name, module in sys.modules.items() if name.startswith(f"use_cases.{folder.name}.")]
    files = {Path(module.__file__) for module in loaded if module.__file__}
    return sorted(file for file in files if file.is_relative_to(folder))


def advise_on_import(exc: BaseException, folder: Path) -> str:
    """Return how a module of a folder is imported, where the one that lacks something has its name; else nothing."""
    module: str | None = None
    if isinstance(exc, ImportError):
        module = exc.name
    elif isinstance(exc, AttributeError) and isinstance(exc.obj, ModuleType):
        module = exc.obj.__name__
    name = (module or "").partition(".")[0]
    return f" (import a file of the same folder as 'from .{name} import …')" if name in own_modules(folder) else ""


def _absolute_imports(path: Path, names: Collection[str]) -> Iterator[tuple[str, int]]:
    try:
        source = path.read_bytes()
        # To parse a file takes a hundred times as long, and nearly none has such a line.
        line = rf"^\s*(?:from\s+|import\s+(?:.*,\s*)?)(?:{'|'.join(names)})\b"
        if not re.search(line.encode(), source, re.MULTILINE):
            return
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return  # its import will say so, if it is imported
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
