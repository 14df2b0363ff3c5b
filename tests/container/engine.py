"""A container engine: Docker, or one put together from Debian's packages where no registry can be reached.

Without a registry, a minimal Debian with the same Python, made by mmdebstrap, replaces the base images.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD_TIMEOUT_S = 1800.0
COMMAND_TIMEOUT_S = 180.0
PARTS = ("buildah", "podman", "runc", "mmdebstrap")
# The Python image has pip, while Debian has it only for new virtual environments.
PIP = '#!/bin/sh\nexec /usr/bin/python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" "$@"\n'
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

# The libraries that Python and the wheels are linked against, without a shell or package manager.
SMALL_PACKAGES = (
    "base-files,ca-certificates,libbz2-1.0,libc6,libffi8,liblzma5,libpython3.13-stdlib,libsqlite3-0,libssl3t64,"
    "libstdc++6,libuuid1,media-types,openssl,python3,python3-minimal,python3.13-minimal,tzdata,zlib1g"
)


class EngineError(Exception):
    """The engine is missing, or one of its commands failed."""


class Engine:
    """A command-line engine that is compatible with Docker.

    Args:
        program: Name of the program, e.g. ``docker``.
        environment: Environment of its commands.
    """

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        self._program = program
        self._environment = environment

    def run(self, *arguments: str, stdin: str | None = None, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """Run a command and return its output.

        Raises:
            EngineError: When the command failed; the message contains the end of its error output.
        """
        done = subprocess.run(
            [self._program, *arguments], env=self._environment, input=stdin, capture_output=True, text=True,
            timeout=timeout_s, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise EngineError(f"{self._program} {' '.join(arguments[:3])}: {done.returncode}\n{done.stderr[-3000:]}")
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in the background, which the caller waits for."""
        command = [self._program, *arguments]
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)

    def inspect(self, name: str, template: str) -> Any:
        """Return the value of a template for a container or an image."""
        return json.loads(self.run("inspect", "--format", f"{{{{json {template}}}}}", name))


def build(engine: Engine, tag: str, *, bases: Sequence[str] = (), sources: str = "all") -> None:
    """Build an image with the real Dockerfile.

    Args:
        engine: The engine to build with.
        tag: Name of the image.
        bases: The build image and the runtime image; empty for the defaults of the Dockerfile.
        sources: The build argument ``SOURCES``.
    """
    options = ["--build-arg", f"SOURCES={sources}"]
    options += [
        option
        for name, base in zip(("BUILD_IMAGE", "RUNTIME_IMAGE"), bases, strict=False)
        for option in ("--build-arg", f"{name}={base}")
    ]
    if bases and CERTIFICATES.is_file():
        # Caching the steps would take most of the time, and no later build uses them.
        options += ["--pull=never", "--layers=false", "-v", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
    engine.run(
        "build", *options, "-f", str(ROOT / "infra" / "Dockerfile"), "-t", tag, str(ROOT), timeout_s=BUILD_TIMEOUT_S
    )


@contextmanager
def open_engine() -> Iterator[tuple[Engine, dict[str, Sequence[str]]]]:
    """Open an engine; yield it with the variants that it can build, each with its base images.

    Raises:
        EngineError: When there is no engine; the message says what is missing.
    """
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "info"], capture_output=True, check=False, timeout=300).returncode == 0:
        small = ("docker.io/library/debian:trixie-slim", "gcr.io/distroless/python3-debian13")
        yield Engine("docker", os.environ), {"slim": (), "small": small}
        return
    missing = [part for part in PARTS if not shutil.which(part)]
    if missing or os.geteuid() != 0:
        need = f"install {', '.join(missing)}" if missing else "run it as root"
        raise EngineError(f"There is no engine to build an image with: start Docker, or on Debian {need}.")
    with _parts_of_debian() as engine:
        yield engine, {"slim": ("localhost/base-slim",) * 2, "small": ("localhost/base-slim", "localhost/base-small")}


@contextmanager
def _parts_of_debian() -> Iterator[Engine]:
    folder = Path(tempfile.mkdtemp(prefix="parlor-engine-"))
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/store"\n'
    )
    (folder / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=1024:1024"]\n'
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    )
    environment = {
        **os.environ,
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "BUILDAH_FORMAT": "docker",  # the other form has no health check
    }
    engine, buildah = Engine("podman", environment), Engine("buildah", environment)
    try:
        packages = {
            "slim": ("minbase", "ca-certificates,python3,python3-venv"),
            "small": ("extract", SMALL_PACKAGES),
        }
        for name, (variant, included) in packages.items():
            archive = folder / f"{name}.tar"
            options = [f"--variant={variant}", "--mode=root", "--dpkgopt=force-unsafe-io", f"--include={included}"]
            Engine("mmdebstrap", environment).run("-q", *options, "trixie", str(archive), timeout_s=600)
            container = buildah.run("from", "scratch").strip()
            buildah.run("add", "-q", container, str(archive), "/")
            if name == "slim":
                (folder / "pip").write_text(PIP, encoding="utf-8")
                buildah.run("copy", "-q", "--chmod=755", container, str(folder / "pip"), "/usr/local/bin/pip")
            buildah.run("commit", "-q", container, f"localhost/base-{name}")
            buildah.run("rm", container)
            archive.unlink()
        yield engine
    finally:
        for command in (("podman", "rm", "-fa"), ("umount", "-R", str(folder / "store" / "overlay"))):
            subprocess.run(command, env=environment, capture_output=True, check=False, timeout=120)
        shutil.rmtree(folder, ignore_errors=True)
