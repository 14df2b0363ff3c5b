"""Last step of the image's build: leaves out what does not run, compiles the rest and lists it.

Runs with the Python of the environment that goes into the image, and needs nothing but that.
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
# Only for readers, compilers and tests.
UNUSED_SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".pxi", ".c", ".h", ".cpp", ".hpp", ".map"})
UNUSED_FOLDERS = frozenset({"tests", "test", "benchmarks"})
# Lists of small places, which nothing reads; the one that is read becomes the file that is searched.
UNUSED_LISTS = ("cities500.json", "cities1000.json", "cities5000.json", "cities15000.json", "us_counties.json")
# Parts of the standard library that no server imports.
NOT_COMPILED = re.compile(
    r"/(?:test|tests|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data|site-packages|unittest|_pyrepl|xmlrpc|wsgiref"
    r"|venv|curses|dbm)/|/encodings/(?!__init__|aliases|ascii|cp437|idna|latin_1|punycode|unicode_escape|utf_)"
    r"|/(?:_pydecimal|_pydatetime|_pyio|_osx_support|bdb|doctest|ftplib|imaplib|mailbox|modulefinder|optparse|pdb|pickletools"
    r"|poplib|profile|pstats|pydoc|trace|turtle|webbrowser)\.py"
)
# Parts of packages that no server imports by itself; a use case that does waits for them once in each start.
SELDOM_IMPORTED = re.compile(
    r"/(?:agents/(?:extensions|realtime|voice|testing|sandbox/sandboxes)|agent_framework/_harness|cffi|pycparser|websockets"
    r"|openai/lib/(?:beta|live)|google/(?:api|gapic|cloud|logging|longrunning|type)"
    r"|sqlalchemy/(?:testing|dialects/(?:mssql|mysql|oracle)))/"
    r"|/(?:anyio/(?:pytest_plugin|_backends/_trio)|pydantic/mypy|agent_framework/(?:_evaluation|_vectors))\.py"
)
# Thousands of classes that a generator writes from an API's description: no line of them explains a traceback, and the
# sources are twice as large as their bytecode.
GENERATED = ("openai/types", "openai/resources", "opentelemetry/semconv")
# A fourth of its bytecode is text for those who read its documentation. It supports being run without, as `-OO` does.
WITHOUT_DOCSTRINGS = "sqlalchemy"
# They read their own source: to list what they offer, or to name a place in an error.
READ_THEMSELVES = frozenset({"anyio", "fastapi", "starlette"})
# Notes of the installer on its own work: they differ from build to build, and anybody may write to the lock.
INSTALLER_NOTES = ("uv_cache.json", ".lock", ".gitignore", "CACHEDIR.TAG")
# What an image of one's own adds by pip, as the image's user: apart, so that nothing of ours can be written to.
ADDED = Path("/packages")
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


def main() -> None:
    """Prepare the environment that this Python belongs to.

    The argument says which sources stay: ``all``, or with ``bytecode-only`` none of the packages of others.
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

    found = sorted(distributions(path=[str(packages)]), key=lambda each: str(each.name).lower())
    own_notice = (Path(__file__).parent / "geonames_notice.txt").read_text(encoding="utf-8")
    sbom = build_sbom(found, Path("frontend/package-lock.json"), sources)
    (share / "sbom.cdx.json").write_text(sbom, encoding="utf-8")
    (share / "NOTICES.txt").write_text(build_notices(found, own_notice), encoding="utf-8")
    added = sysconfig.get_path("purelib", vars={"base": str(ADDED), "platbase": str(ADDED)})
    (packages / "added.pth").write_text(f"{added}\n", encoding="utf-8")
    for path in (*unused_files(packages), *(environment / name for name in INSTALLER_NOTES)):
        path.unlink(missing_ok=True)
    for path in environment.glob("bin/*"):
        if not path.name.startswith(("python", "parlor")):
            path.unlink()
    strip_libraries(packages)
    if sources == "bytecode-only":
        own = {path.parts[0] for each in found if each.name == "parlor" for path in each.files or ()}
        drop_sources(packages, own | READ_THEMSELVES | {each.name for each in packages.glob("*.py")})
    for name in GENERATED:
        drop_sources(packages / name)
    compile_all(packages)
    correct_records(packages)
    for path in environment.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o022)


def strip_libraries(packages: Path) -> None:
    """Take the symbols of debuggers out of the wheels' libraries."""
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
    """Replace sources by bytecode, except those in `kept`; tracebacks then show no lines of the replaced ones."""
    left = re.compile("|".join(f"^{re.escape(str(folder / name))}(?:/|$)" for name in sorted(kept)) or "(?!)")
    compileall.compile_dir(
        folder, maxlevels=20, quiet=2, rx=left, legacy=True, invalidation_mode=UNCHECKED, workers=0
    )  # fmt: skip
    compile_without_docstrings(folder / WITHOUT_DOCSTRINGS, lambda source: f"{source}c")
    for source in sorted(folder.rglob("*.py")):
        if not left.search(str(source)) and source.with_suffix(".pyc").exists():
            source.unlink()


def compile_all(packages: Path) -> None:
    """Compile what may be imported, into the folder of `PYTHONPYCACHEPREFIX`.

    The bytecode is taken as it is, without a look at the source's date, which no two builds share.
    """
    for folder, skipped in ((Path(sysconfig.get_path("stdlib")), NOT_COMPILED), (packages, SELDOM_IMPORTED)):
        compileall.compile_dir(folder, maxlevels=20, quiet=2, rx=skipped, invalidation_mode=UNCHECKED, workers=0)
    compile_without_docstrings(packages / WITHOUT_DOCSTRINGS, cache_from_source)


def compile_without_docstrings(folder: Path, target_of: Callable[[str], str]) -> None:
    """Compile a package as `-OO` does, under the names that a Python looks for which runs without it."""
    for source in map(str, sorted(folder.rglob("*.py"))):
        if not SELDOM_IMPORTED.search(source):
            py_compile.compile(source, target_of(source), optimize=2, invalidation_mode=UNCHECKED)


if __name__ == "__main__":
    main()
