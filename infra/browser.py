"""The Chromium for the browser tests: the machine's own, or installed from Debian's packages."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

from errors import ParlorError
from infra.client_build import ROOT, Clone, run_quietly

APT_TIMEOUT_S = 900.0
# The headless shell takes three quarters of the processor time of the full browser.
BROWSER_PACKAGES = ("chromium-headless-shell", "fonts-noto-color-emoji", "fonts-noto-core")
BROWSER_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Return the path of Chromium: ``CHROMIUM_PATH``, or the first of `BROWSER_NAMES` on PATH; None without one."""
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen:
        return chosen if Path(chosen).is_file() else None
    return next((path for name in BROWSER_NAMES if (path := shutil.which(name))), None)


def install_browser() -> None:
    """Install Chromium and the library that Playwright's driver needs, where they are missing.

    Raises:
        ParlorError: When something is missing and cannot be installed automatically; the message says what to do.
    """
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen and not Path(chosen).is_file():
        raise ParlorError(f"CHROMIUM_PATH: there is no file {chosen}.")
    packages = [] if find_browser() else list(BROWSER_PACKAGES)
    if sys.platform == "linux" and not _has_libatomic():
        packages.append("libatomic1")
    if not packages:
        return
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    as_root = _root_prefix()
    if as_root is None or not shutil.which("apt-get"):
        raise ParlorError(
            "The browser tests need Chromium: install it (on Debian: sudo apt-get install "
            f"{' '.join(packages)}), or name one with CHROMIUM_PATH."
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for title, command in (
        ("Updating the package list", ["apt-get", "update", "-qq"]),
        ("Installing the test browser (some 200 MB)", install),
    ):
        run_quietly(
            Clone(), title, [*as_root, *command], cwd=ROOT, environment=environment, timeout_s=APT_TIMEOUT_S,
            log_name="browser.log",
        )  # fmt: skip
    if not find_browser():
        raise ParlorError("No Chromium was found after installing it; name one with CHROMIUM_PATH.")


def _has_libatomic() -> bool:
    """Return whether libatomic is installed, which Playwright's driver needs and a minimal Debian lacks."""
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return False
    return True


def _root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False, timeout=10).returncode == 0:
        return [sudo, "-n", "env", "DEBIAN_FRONTEND=noninteractive"]
    return None
