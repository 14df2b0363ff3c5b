"""Installs the public React packages and builds pages with them, each only if its inputs have changed."""

from __future__ import annotations

from pathlib import Path

from infra.client_build import (
    ROOT,
    Clone,
    fingerprint_of,
    install_client_packages,
    node_environment,
    node_program,
    run_quietly,
)
from tests.browser.servers.pages import react_dist
from tests.sharing import hold_lock

INSTALL_TIMEOUT_S = 300.0
BUILD_TIMEOUT_S = 120.0

_SOURCES = ROOT / "tests" / "browser" / "react"


def build_react_pages() -> None:
    """Build `/react/18/` and `/react/19/` of the test servers, in the first worker that needs them.

    Raises:
        ParlorError: When npm or the build fails.
    """
    with hold_lock(Clone().state / "react-pages.lock"):
        _build()


def _build() -> None:
    clone = Clone()
    lock = [_SOURCES / "package.json", _SOURCES / "package-lock.json", _SOURCES / ".npmrc"]
    node = Path(node_program())
    environment = node_environment()
    if _is_old(_SOURCES / "node_modules" / ".fingerprint", packages := fingerprint_of(_SOURCES, lock)):
        # Wheels do not support symbolic links, so that the package's bin/npm does not find its library.
        npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run_quietly(
            clone, "Installing React", [str(node), str(npm), "ci"],
            cwd=_SOURCES, environment=environment, timeout_s=INSTALL_TIMEOUT_S, log_name="react-pages.log",
        )  # fmt: skip
        (_SOURCES / "node_modules" / ".fingerprint").write_text(packages, encoding="utf-8")
    sources = [*lock, *sorted(_SOURCES.glob("*.jsx")), _SOURCES / "notes.js", _SOURCES / "build.mjs"]
    if _is_old(react_dist() / ".fingerprint", built := fingerprint_of(_SOURCES, sources)):
        install_client_packages()  # brings Vite
        vite = clone.frontend / "node_modules" / "vite" / "dist" / "node" / "index.js"
        run_quietly(
            clone, "Building the React pages", [str(node), "build.mjs", str(vite), str(react_dist())],
            cwd=_SOURCES, environment=environment, timeout_s=BUILD_TIMEOUT_S, log_name="react-pages.log",
        )  # fmt: skip
        (react_dist() / ".fingerprint").write_text(built, encoding="utf-8")


def _is_old(stamp: Path, fingerprint: str) -> bool:
    return not stamp.is_file() or stamp.read_text(encoding="utf-8") != fingerprint
