"""Last step of the image build: removes unused files, compiles the rest and writes the inventory.

It runs with the Python of the environment that is copied into the image, and needs no other packages.
"""

from __future__ import annotations

import compileall
import py_compile
import re
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Set
from importlib.metadata import distributions
from importlib.util import cache_from_source
from pathlib import Path

SOURCES = ("all", "bytecode-only")
# Files for readers, compilers and debuggers.
UNUSED_SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".pxi", ".c", ".h", ".cpp", ".hpp", ".map"})
UNUSED_FOLDERS = frozenset({"tests", "test", "benchmarks"})
# Lists of cities. The one that is used has been converted to an SQLite file.
UNUSED_LISTS = ("cities500.json", "cities1000.json", "cities5000.json", "cities15000.json", "us_counties.json")
# Modules of the standard library that the server does not import.
NOT_COMPILED = re.compile(
    r"/(?:test|tests|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data|site-packages|unittest|_pyrepl|xmlrpc|wsgiref"
    r"|venv|curses|dbm)/|/encodings/(?!__init__|aliases|ascii|cp437|idna|latin_1|punycode|unicode_escape|utf_)"
    r"|/(?:_pydecimal|_pydatetime|_pyio|_osx_support|bdb|doctest|ftplib|imaplib|mailbox|modulefinder|optparse|pdb|pickletools"
    r"|poplib|profile|pstats|pydoc|trace|turtle|webbrowser)\.py"
)
# Modules of packages that the server itself does not import. A use case that does compiles them once per start.
SELDOM_IMPORTED = re.compile(
    r"/(?:agents/(?:extensions|realtime|voice|testing|sandbox/sandboxes)|agent_framework/_harness|cffi|pycparser|websockets"
    r"|openai/lib/(?:beta|live)|google/(?:api|gapic|cloud|logging|longrunning|type)"
    r"|sqlalchemy/(?:testing|dialects/(?:mssql|mysql|oracle)))/"
    r"|/(?:anyio/(?:pytest_plugin|_backends/_trio)|pydantic/mypy|agent_framework/(?:_evaluation|_vectors))\.py"
)
# Generated classes, whose lines explain nothing in a traceback, and whose sources are twice as large as their bytecode.
GENERATED = ("openai/types", "openai/resources", "opentelemetry/semconv")
# Docstrings are a quarter of its bytecode, and it supports running without them (`-OO`).
WITHOUT_DOCSTRINGS = "sqlalchemy"
# Packages that read their own source, to list their names or to quote a place in an error.
NEED_SOURCES = frozenset({"anyio", "fastapi", "starlette"})
# Files that the installer leaves behind: they differ from build to build, and the lock is world-writable.
INSTALLER_NOTES = ("uv_cache.json", ".lock", ".gitignore", "CACHEDIR.TAG")
# Where derived images install further packages, as the image's user, who cannot write to our own.
ADDED = Path("/packages")
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


def main() -> None:
    """Prepare the environment of the running Python.

    The command-line argument is ``all``, or ``bytecode-only`` to remove the sources of third-party packages.
    """
    _, sources = sys.argv
    if sources not in SOURCES:
        sys.exit(f"SOURCES={sources} is none of: {', '.join(SOURCES)}")
    environment = Path(sys.prefix)
    packages = Path(site.getsitepackages()[0])
    (share := environment / "share").mkdir(exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("health_check.py"), share / "health_check.py")
    sys.path.insert(0, str(Path(__file__).parent))
    from inventory import build_notices, build_sbom  # type: ignore[import-not-found]
    from records import correct_records  # type: ignore[import-not-found]

    installed = sorted(distributions(path=[str(packages)]), key=lambda package: str(package.name).lower())
    data_notice = (Path(__file__).parent / "geonames_notice.txt").read_text(encoding="utf-8")
    sbom = build_sbom(installed, Path("frontend/package-lock.json"), sources)
    (share / "sbom.cdx.json").write_text(sbom, encoding="utf-8")
    (share / "NOTICES.txt").write_text(build_notices(installed, data_notice), encoding="utf-8")
    added = sysconfig.get_path("purelib", vars={"base": str(ADDED), "platbase": str(ADDED)})
    (packages / "added.pth").write_text(f"{added}\n", encoding="utf-8")
    for path in (*unused_files(packages), *(environment / name for name in INSTALLER_NOTES)):
        path.unlink(missing_ok=True)
    for path in environment.glob("bin/*"):
        if not path.name.startswith(("python", "parlor")):
            path.unlink()
    strip_libraries(packages)
    if sources == "bytecode-only":
        own = {path.parts[0] for package in installed if package.name == "parlor" for path in package.files or ()}
        drop_sources(packages, own | NEED_SOURCES | {path.name for path in packages.glob("*.py")})
    for name in GENERATED:
        drop_sources(packages / name)
    compile_all(packages)
    correct_records(packages)
    for path in environment.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o022)


def strip_libraries(packages: Path) -> None:
    """Strip debug symbols from the shared libraries of wheels."""
    libraries = [str(path) for path in sorted(packages.rglob("*.so*")) if path.is_file() and not path.is_symlink()]
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)  # noqa: S603, S607 - the build's own


def unused_files(packages: Path) -> Iterator[Path]:
    """Yield the files that the server does not need."""
    for path in sorted(packages.rglob("*")):
        if not path.is_file():
            continue
        inside = path.relative_to(packages)
        is_unused = path.suffix in UNUSED_SUFFIXES or UNUSED_FOLDERS.intersection(inside.parts[:-1])
        if is_unused or path.name in (*UNUSED_LISTS, *INSTALLER_NOTES):
            yield path


def drop_sources(folder: Path, kept: Set[str] = frozenset()) -> None:
    """Replace sources with bytecode, except those in `kept`; tracebacks then show no source lines."""
    excluded = re.compile("|".join(f"^{re.escape(str(folder / name))}(?:/|$)" for name in sorted(kept)) or "(?!)")
    compileall.compile_dir(
        folder, maxlevels=20, quiet=2, rx=excluded, legacy=True, invalidation_mode=UNCHECKED, workers=0
    )
    compile_without_docstrings(folder / WITHOUT_DOCSTRINGS, lambda source: f"{source}c")
    for source in sorted(folder.rglob("*.py")):
        if not excluded.search(str(source)) and source.with_suffix(".pyc").exists():
            source.unlink()


def compile_all(packages: Path) -> None:
    """Compile the modules that the server imports into the folder of `PYTHONPYCACHEPREFIX`.

    The bytecode is not checked against the source's modification time, which differs from build to build.
    """
    for folder, skipped in ((Path(sysconfig.get_path("stdlib")), NOT_COMPILED), (packages, SELDOM_IMPORTED)):
        compileall.compile_dir(folder, maxlevels=20, quiet=2, rx=skipped, invalidation_mode=UNCHECKED, workers=0)
    compile_without_docstrings(packages / WITHOUT_DOCSTRINGS, cache_from_source)


def compile_without_docstrings(folder: Path, target_of: Callable[[str], str]) -> None:
    """Compile a package as `-OO` does, under the file names that Python looks for without that option."""
    for source in map(str, sorted(folder.rglob("*.py"))):
        if not SELDOM_IMPORTED.search(source):
            py_compile.compile(source, target_of(source), optimize=2, invalidation_mode=UNCHECKED)


if __name__ == "__main__":
    main()
