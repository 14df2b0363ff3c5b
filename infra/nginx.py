"""The nginx for tests of the gateway: the machine's own, or unpacked from Debian's package without installing it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from errors import ParlorError
from infra.client_build import Clone, run_quietly

DOWNLOAD_TIMEOUT_S = 300.0
# Without a network, apt would retry for minutes, while other tests wait.
APT_LIMITS = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10")
MACHINE_FOLDERS = ("/usr/sbin",)  # where Debian installs nginx, which only root has on PATH


def find_nginx(clone: Clone | None = None, machine: Sequence[str] = MACHINE_FOLDERS) -> str | None:
    """Return the path of the machine's nginx, or else of the unpacked one; None when there is none."""
    unpacked = str(_unpacked_folder(clone or Clone()) / "usr" / "sbin")
    return shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), *machine, unpacked]))


def provide_nginx(clone: Clone | None = None, machine: Sequence[str] = MACHINE_FOLDERS) -> None:
    """Download and unpack Debian's nginx if there is none and apt is available; print a line when that fails.

    Installing it would start a server on port 80. The package list is updated only if the download fails with the
    current one, since an update takes longer, needs root, and fails while another apt is running.
    """
    clone = clone or Clone()
    if find_nginx(clone, machine) or not shutil.which("apt-get"):
        return
    folder = _unpacked_folder(clone)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(clone, folder)
        except ParlorError:
            if os.geteuid() != 0:
                raise
            _run(clone, "Updating the package list", ["apt-get", "update", "-qq", *APT_LIMITS], folder)
            _fetch(clone, folder)
        for package in sorted(folder.glob("nginx_*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True, timeout=DOWNLOAD_TIMEOUT_S)  # noqa: S603, S607
    except (ParlorError, subprocess.SubprocessError, OSError) as exc:
        print(f"nginx could not be fetched: {exc}")  # noqa: T201
        return
    if not find_nginx(clone, machine):
        print("nginx could not be fetched: this system's package nginx has no program")  # noqa: T201


def _fetch(clone: Clone, folder: Path) -> None:
    _run(clone, "Fetching nginx, to test the gateway", ["apt-get", "download", "-qq", *APT_LIMITS, "nginx"], folder)


def _unpacked_folder(clone: Clone) -> Path:
    return clone.state / "nginx"


def _run(clone: Clone, title: str, command: list[str], folder: Path) -> None:
    run_quietly(clone, title, command, cwd=folder, timeout_s=DOWNLOAD_TIMEOUT_S, log_name="nginx.log")
