"""Prints the metadata of the image's packages, and whether it is correct. It runs in the container's Python."""

import importlib.metadata
import json
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import agents  # noqa: F401 - with its bytecode

import base_server  # noqa: F401
import web.pages  # noqa: F401
from files.programs import build_command

BYTECODE = Path("/opt/parlor")
share = BYTECODE / "share"
sbom = json.loads((share / "sbom.cdx.json").read_text())
notices = (share / "NOTICES.txt").read_text()
packages = list(importlib.metadata.distributions())


def uncached() -> list[str]:
    """Return the modules without cached bytecode, which were compiled for this process."""
    found = ((name, getattr(each, "__cached__", None)) for name, each in list(sys.modules.items()))
    return [name for name, cached in found if cached and not Path(cached).exists() and not name.startswith("__")]


def is_untrue(file: importlib.metadata.PackagePath) -> bool:
    """Return whether a file is missing or differs from its digest in `RECORD`."""
    path = Path(str(file.locate()))
    if not path.is_file():
        return True
    digest = urlsafe_b64encode(sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    return file.hash is not None and file.hash.value != digest


# The process that reads documents ignores environment variables, and thus the location of the bytecode.
started = build_command("")
apart = [*started[: started.index("-c") + 1], "import pypdf; print(pypdf.__cached__ or pypdf.__file__)"]
of_documents = subprocess.run(apart, capture_output=True, text=True, check=True).stdout.strip()

print(
    json.dumps(
        {
            "listed": sorted(
                each["purl"].split("@")[0][9:] for each in sbom["components"] if each["purl"].startswith("pkg:pypi/")
            ),
            "found": sorted({each.name.lower().replace("_", "-").replace(".", "-") for each in packages}),
            "untrue": [str(file) for each in packages for file in each.files or () if is_untrue(file)],
            "tools": [
                tool for tool in ("sh", "bash", "pip", "npm", "node", "gcc", "apt-get", "curl") if shutil.which(tool)
            ],
            "uncached": uncached() + ([] if Path(of_documents).is_file() else [of_documents]),
            "dated": [str(path) for path in BYTECODE.rglob("*.pyc") if path.read_bytes()[4:8] != b"\1\0\0\0"][:20],
            "unnoticed": [each.name for each in packages if f"\n{each.name} {each.version} (" not in notices],
            "notices": notices[:2000],
        }
    )
)
