"""The nginx to test the gateway's files with: found, or unpacked from Debian's package without installing it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from errors import ParlorError
from infra.client_build import Clone, run_quietly

DOWNLOAD_TIMEOUT_S = 300.0
# Other tests wait for it: where there is no network, apt by itself asks for minutes.
GIVING_UP = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10")
MACHINE_FOLDERS = ("/usr/sbin",)  # Debian keeps it where only root's PATH looks


def find_nginx(clone: Clone | None = None, machine: Sequence[str] = MACHINE_FOLDERS) -> str | None:
    """Return the nginx to test with: the machine's, or the one that was unpacked; None when there is none."""
    unpacked = str(_folder(clone or Clone()) / "usr" / "sbin")
    return shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), *machine, unpacked]))


def provide_nginx(clone: Clone | None = None, machine: Sequence[str] = MACHINE_FOLDERS) -> None:
    """Unpack Debian's nginx where there is none and apt can fetch it; elsewhere the tests that need it say so.

    It is not installed: that would start a server on the machine's port 80. The package list is updated only where
    nginx cannot be fetched by the one that is there: it takes longer, needs root, and fails while another apt does it.
    """
    clone = clone or Clone()
    if find_nginx(clone, machine) or not shutil.which("apt-get"):
        return
    folder = _folder(clone)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(clone, folder)
        except ParlorError:
            if os.geteuid() != 0:
                raise
            _run(clone, "Updating the package list", ["apt-get", "update", "-qq", *GIVING_UP], folder)
            _fetch(clone, folder)
        for package in sorted(folder.glob("nginx_*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True, timeout=DOWNLOAD_TIMEOUT_S)  # noqa: S603, S607
    except (ParlorError, subprocess.SubprocessError, OSError) as exc:
        print(f"nginx could not be fetched: {exc}")  # noqa: T201
        return
    if not find_nginx(clone, machine):
        print("nginx could not be fetched: this system's package nginx has no program")  # noqa: T201


def _fetch(clone: Clone, folder: Path) -> None:
    _run(clone, "Fetching nginx, to test the gateway", ["apt-get", "download", "-qq", *GIVING_UP, "nginx"], folder)


def _folder(clone: Clone) -> Path:
    return clone.state / "nginx"


def _run(clone: Clone, title: str, command: list[str], folder: Path) -> None:
    run_quietly(clone, title, command, cwd=folder, timeout_s=DOWNLOAD_TIMEOUT_S, log_name="nginx.log")
