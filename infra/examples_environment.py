"""Environment of the documents' examples: packages that the product needs nowhere, beside those of the clone.

They bring some 300 MB, so they are no part of what a clone installs. Of what both need, the lock has the clone's
versions.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import venv
from pathlib import Path

from infra.client_build import Clone, fingerprint_of, is_stamped, one_at_a_time, run_quietly

INSTALL_TIMEOUT_S = 900.0
LOCK = "requirements-examples.lock"


def make_examples_environment(clone: Clone | None = None) -> Path:
    """Return the Python of that environment, which is made again when its lock or the clone's Python has changed.

    Raises:
        ParlorError: When a package cannot be installed; the message holds the end of pip's output.
    """
    clone = clone or Clone()
    folder = clone.state / "examples"
    python, stamp = folder / "bin" / "python", folder / ".fingerprint"
    fingerprint = f"{fingerprint_of(clone.root, [clone.root / LOCK])} {sys.version} {sys.prefix}"
    with one_at_a_time(clone, "examples"):
        if is_stamped(stamp, fingerprint):
            return python
        venv.create(folder, clear=True, symlinks=True)
        # pip, as it knows the person's own index; it installs for another Python than the one that runs it.
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
