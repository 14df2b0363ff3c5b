"""The checks of a clone: formatting, style, types, lock files, and the fast tests."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from errors import ParlorError
from infra.client_build import ROOT, Clone, install_client_packages, node_environment
from infra.testing import frontend_command, python_environment, worker_options

# How lock files of pip, uv and npm name a package index; npm's `funding` links are not meant.
HOST_IN_LOCK = re.compile(r"(?:index-url|find-links|--trusted-host)|https?://", re.IGNORECASE)
HOST_IN_NPM_LOCK = re.compile(r'"resolved"\s*:')


def run_checks(args: Sequence[str]) -> int:
    """Check formatting, style, types and lock files and, unless ``--static`` is given, run the fast tests.

    Returns:
        The exit code: 0 when all checks passed, 1 when one failed, 2 for unknown arguments.
    """
    if any(arg != "--static" for arg in args):
        print("Usage: parlor check [--static]", file=sys.stderr)
        return 2
    python = [sys.executable, "-m"]
    steps: list[tuple[str, Callable[[], tuple[bool, str]]]] = [
        ("ruff format", lambda: _run_captured([*python, "ruff", "format", "--check", "."])),
        ("ruff check", lambda: _run_captured([*python, "ruff", "check", "."])),
        ("mypy", lambda: _run_captured([*python, "mypy"])),
        ("lock files", _check_locks),
        ("biome", lambda: _run_in_frontend("@biomejs/biome/bin/biome", "check", ".")),
        ("tsc", lambda: _run_in_frontend("typescript/bin/tsc", "-p", ".")),
    ]
    if not args:
        steps += [
            (
                "pytest tests/unit",
                lambda: _run_captured(
                    [*python, "pytest", "tests/unit", "-q", "-x", *worker_options("worksteal")],
                    environment=python_environment(),
                ),
            ),
            ("vitest", lambda: _run_in_frontend("vitest/vitest.mjs", "run")),
        ]
    failed = []
    for title, check in steps:
        started = time.monotonic()
        try:
            is_well, output = check()
        except ParlorError as exc:
            is_well, output = False, str(exc)
        print(f"{'ok    ' if is_well else 'FAILED'} {title} ({time.monotonic() - started:.1f} s)", flush=True)
        if not is_well:
            failed.append(title)
            print(output.rstrip(), flush=True)
    print(f"Not well: {', '.join(failed)}." if failed else "All is well.")
    return 1 if failed else 0


def _run_captured(
    command: Sequence[str], cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> tuple[bool, str]:
    done = subprocess.run(
        command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", check=False,
    )  # fmt: skip
    return done.returncode == 0, done.stdout


def _run_in_frontend(script: str, *arguments: str) -> tuple[bool, str]:
    install_client_packages()
    return _run_captured(frontend_command(script, *arguments), Clone().frontend, node_environment())


def _check_locks() -> tuple[bool, str]:
    problems = find_hosts_in_locks(Clone())
    return not problems, "\n".join(problems)


def find_hosts_in_locks(clone: Clone) -> list[str]:
    """Return a line for each place where a lock file names a package index, which differs between machines."""
    problems = []
    for path in sorted(clone.root.glob("requirements*.lock")):
        problems += _find_lines(path, HOST_IN_LOCK)
    problems += _find_lines(clone.frontend / "package-lock.json", HOST_IN_NPM_LOCK)
    for path in sorted(clone.root.glob("tests/*/*/package-lock.json")):
        problems += _find_lines(path, HOST_IN_NPM_LOCK)
    return problems


def _find_lines(path: Path, pattern: re.Pattern[str]) -> list[str]:
    if not path.is_file():
        return [f"{path.name} is missing"]
    lines = path.read_text(encoding="utf-8").splitlines()
    return [f"{path.name}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if pattern.search(line)]
