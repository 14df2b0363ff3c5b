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
from collections.abc import Iterator, Set
from importlib.metadata import distributions
from importlib.util import cache_from_source
from pathlib import Path

SOURCES = ("all", "bytecode-only")
# Only for readers, compilers and tests.
UNUSED_SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".pxi", ".c", ".h", ".map"})
UNUSED_FOLDERS = frozenset({"tests", "test"})
# Lists of small places, which nothing reads; the one that is read becomes the file that is searched.
UNUSED_LISTS = ("cities500.json", "cities1000.json", "cities5000.json", "cities15000.json", "us_counties.json")
# Parts of the standard library that no server imports.
NOT_COMPILED = re.compile(r"/(?:test|tests|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data|site-packages)/")
# Parts of packages that no server imports by itself; a use case that does waits for them once in each start.
SELDOM_IMPORTED = re.compile(
    r"/(?:openai/(?:types|resources)/(?:beta|admin|live|realtime|fine_tuning|evals)|agents/extensions/sandbox"
    r"|agents/sandbox/sandboxes|sqlalchemy/(?:testing|dialects/(?:mssql|mysql|oracle)))/"
)
# They read their own source: to list what they offer, or to name a place in an error.
READ_THEMSELVES = frozenset({"anyio", "fastapi", "starlette"})
# Notes of the installer on its own work: they differ from build to build.
INSTALLER_NOTES = "uv_cache.json"


def main() -> None:
    """Prepare the environment that this Python belongs to.

    The argument says which sources stay: ``all``, or with ``bytecode-only`` none of the packages of others.
    """
    _, sources = sys.argv
    if sources not in SOURCES:
        sys.exit(f"SOURCES={sources} is none of: {', '.join(SOURCES)}")
    environment = Path(sys.prefix)
    packages = Path(site.getsitepackages()[0])
    shutil.copytree(Path(__file__).parent, share := environment / "share", dirs_exist_ok=True)
    for name in ("__init__.py", "prepare.py", "inventory.py", "geonames_notice.txt"):
        (share / name).unlink()
    sys.path.insert(0, str(Path(__file__).parent))
    from inventory import build_notices, build_sbom  # type: ignore[import-not-found]

    found = sorted(distributions(path=[str(packages)]), key=lambda each: str(each.name).lower())
    own_notice = (Path(__file__).parent / "geonames_notice.txt").read_text(encoding="utf-8")
    (share / "sbom.cdx.json").write_text(build_sbom(found, Path("frontend/package-lock.json")), encoding="utf-8")
    (share / "NOTICES.txt").write_text(build_notices(found, own_notice), encoding="utf-8")
    for path in unused_files(packages):
        path.unlink()
    for path in environment.glob("bin/*"):
        if not path.name.startswith(("python", "parlor")):
            path.unlink()
    strip_libraries(packages)
    if sources == "bytecode-only":
        own = {path.parts[0] for each in found if each.name == "parlor" for path in each.files or ()}
        drop_sources(packages, own | READ_THEMSELVES)
    compile_all(packages)
    # What this program itself left there.
    shutil.rmtree(environment / "bytecode" / Path.cwd().relative_to("/"), ignore_errors=True)


def strip_libraries(packages: Path) -> None:
    """Take the symbols of debuggers out of the wheels' libraries."""
    libraries = [str(path) for path in sorted(packages.rglob("*.so*")) if path.is_file() and not path.is_symlink()]
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)  # noqa: S603, S607 - the build's own


def unused_files(packages: Path) -> Iterator[Path]:
    """Yield the files that the server does not need, after freeing the installer's records of their names."""
    for record in packages.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        record.write_text("".join(line for line in lines if INSTALLER_NOTES not in line), encoding="utf-8")
    for path in sorted(packages.rglob("*")):
        if not path.is_file():
            continue
        inside = path.relative_to(packages)
        is_unused = path.suffix in UNUSED_SUFFIXES or UNUSED_FOLDERS.intersection(inside.parts[:-1])
        if is_unused or path.name in (*UNUSED_LISTS, INSTALLER_NOTES):
            yield path


def drop_sources(packages: Path, kept: Set[str]) -> None:
    """Put bytecode in the place of sources, but for those of the packages and modules in `kept`.

    A traceback then has no lines of them, which are half of what Python weighs here.
    """
    for entry in sorted(packages.iterdir()):
        if not entry.is_dir() or entry.name in kept:
            continue
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        compileall.compile_dir(entry, maxlevels=20, quiet=2, legacy=True, invalidation_mode=mode, workers=0)
        for source in sorted(entry.rglob("*.py")):
            if source.with_suffix(".pyc").exists():
                source.unlink()
                # Left by those who have been here before, and never read without the source.
                Path(cache_from_source(str(source))).unlink(missing_ok=True)


def compile_all(packages: Path) -> None:
    """Compile what may be imported, into the folder of `PYTHONPYCACHEPREFIX`.

    The bytecode is taken as it is, without a look at the source's date, which no two builds share.
    """
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for folder in (Path(sysconfig.get_path("stdlib")), packages):
        skipped = SELDOM_IMPORTED if folder is packages else NOT_COMPILED
        compileall.compile_dir(folder, maxlevels=20, quiet=2, rx=skipped, invalidation_mode=mode, workers=0)


if __name__ == "__main__":
    main()
