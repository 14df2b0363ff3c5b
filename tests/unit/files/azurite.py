"""Azurite, a stand-in for Azure Blob Storage: its installation on first use, its command, and its containers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from email.utils import formatdate
from pathlib import Path

import httpx

from infra.client_build import ROOT, Clone, fingerprint_of, node_environment, node_program, run_quietly
from tests.sharing import hold_lock

INSTALL_TIMEOUT_S = 300.0
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of Azurite's default account, which is documented."""

_FOLDER = ROOT / "tests" / "unit" / "azurite"
_VERSION = "2021-08-06"


def install_azurite() -> Path:
    """Return the path of the program, which the first worker installs.

    Raises:
        ParlorError: When npm fails.
    """
    with hold_lock(Clone().state / "azurite.lock"):
        stamp = _FOLDER / "node_modules" / ".fingerprint"
        lock = fingerprint_of(_FOLDER, [_FOLDER / "package.json", _FOLDER / "package-lock.json", _FOLDER / ".npmrc"])
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock:
            node = Path(node_program())
            npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            run_quietly(
                Clone(), "Installing Azurite", [str(node), str(npm), "ci"],
                cwd=_FOLDER, environment=node_environment(), timeout_s=INSTALL_TIMEOUT_S, log_name="azurite.log",
            )  # fmt: skip
            stamp.write_text(lock, encoding="utf-8")
    return _FOLDER / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"


def azurite_command(port: int) -> list[str]:
    """Return the command that serves blobs from memory."""
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent"]
    return [node_program(), str(install_azurite()), *options, "--skipApiVersionCheck", "--disableTelemetry"]


def create_container(address: str, name: str) -> None:
    """Make an empty container. Source: "Authorize with Shared Key" of the Blob service."""
    date = formatdate(usegmt=True)
    lines = ["PUT", *[""] * 11, f"x-ms-date:{date}", f"x-ms-version:{_VERSION}", f"/{ACCOUNT}/{ACCOUNT}/{name}"]
    to_sign = "\n".join([*lines, "restype:container"]).encode()
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), to_sign, hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": date, "x-ms-version": _VERSION, "Authorization": f"SharedKey {ACCOUNT}:{signature}"}
    url = f"{address}/{ACCOUNT}/{name}?restype=container"
    httpx.put(url, headers=headers, trust_env=False, timeout=300).raise_for_status()
