"""Compiling what a server imports, so that its first start is as quick as the later ones."""

from __future__ import annotations

import compileall
import sysconfig
from collections.abc import Iterable
from pathlib import Path

NOT_SERVED = ("data", "frontend", "tests")
"""Folders of a clone whose modules no server imports."""


def folders_of(clone: Path) -> list[Path]:
    """Return the folders of the installed packages and those of a clone's own modules."""
    own = [each for each in clone.iterdir() if each.is_dir() and each.name not in NOT_SERVED]
    installed = {Path(sysconfig.get_path(scheme)) for scheme in ("purelib", "platlib")}
    return [*sorted(installed), *sorted(each for each in own if not each.name.startswith("."))]


def compile_modules(folders: Iterable[Path]) -> None:
    """Compile the modules in `folders` that have changed since they were; those that cannot be are left out.

    Packages hold templates and tests for other versions of Python, which are no modules of this one.
    """
    for folder in folders:
        compileall.compile_dir(folder, maxlevels=20, quiet=2, workers=0)
