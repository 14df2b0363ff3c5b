"""Virtual environment of the documents' examples: their own packages, on top of those of the clone.

The clone does not install them, since they take some 300 MB. The lock file has the clone's versions of shared packages.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import venv
from pathlib import Path

from infra.client_build import Clone, fingerprint_of, hold_lock, is_up_to_date, run_quietly

INSTALL_TIMEOUT_S = 900.0
LOCK = "requirements-examples.lock"


def make_examples_environment(clone: Clone | None = None) -> Path:
    """Return the Python of the environment, which is recreated when its lock or the clone's Python has changed.

    Raises:
        ParlorError: When a package cannot be installed; the message contains the end of pip's output.
    """
    clone = clone or Clone()
    folder = clone.state / "examples"
    python, stamp = folder / "bin" / "python", folder / ".fingerprint"
    fingerprint = f"{fingerprint_of(clone.root, [clone.root / LOCK])} {sys.version} {sys.prefix}"
    with hold_lock(clone, "examples"):
        if is_up_to_date(stamp, fingerprint):
            return python
        venv.create(folder, clear=True, symlinks=True)
        # pip rather than uv, since it knows the user's package index.
        run_quietly(
            clone,
            "Installing the packages of the examples (some 300 MB)",
            [
                sys.executable, "-m", "pip", "--python", str(python), "install", "--disable-pip-version-check",
                "--no-input", "--require-hashes", "-r", str(clone.root / LOCK),
            ],
            cwd=clone.root,
            environment={name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_TARGET")},
            timeout_s=INSTALL_TIMEOUT_S,
            log_name="examples.log",
        )  # fmt: skip
        paths = {name: sysconfig.get_path(name) for name in ("purelib", "platlib")}
        own = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
        (own / "clone.pth").write_text("".join(f"{path}\n" for path in dict.fromkeys(paths.values())), "utf-8")
        stamp.write_text(fingerprint, "utf-8")
    return python
