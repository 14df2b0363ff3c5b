"""The tests of a clone, all or in parts, and the browser that they need. A server needs nothing of it."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from errors import ParlorError
from infra.client_build import (
    ROOT,
    Clone,
    build_client,
    install_client_packages,
    node_environment,
    node_program,
    run_quietly,
)
from infra.examples_environment import make_examples_environment

APT_TIMEOUT_S = 900.0
PART_TIMEOUT_S = 900.0
MOST_WORKERS = 8
# The same engine without windows, tabs and menus that nobody sees: it takes three quarters of the processor's time.
BROWSER_PACKAGES = ("chromium-headless-shell", "fonts-noto-color-emoji", "fonts-noto-core")
BROWSER_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# For parts that pyproject's own options leave out.
OUTSIDE = ("-o", "addopts=--strict-markers --import-mode=importlib -p no:playwright")


# The browser


def find_browser() -> str | None:
    """Return the Chromium to test with: ``CHROMIUM_PATH``, or the best on PATH; None when there is none."""
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen:
        return chosen if Path(chosen).is_file() else None
    return next((path for name in BROWSER_NAMES if (path := shutil.which(name))), None)


def install_browser() -> None:
    """Make sure that there is a Chromium and what drives it.

    Raises:
        ParlorError: When something is missing and cannot be installed from here; the message says what to do.
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
    """Playwright's driver is linked against it, and a bare Debian has none."""
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


# The tests


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many tests of a part passed and did not; what could not run at all counts as one failure."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


def run_tests(args: Sequence[str]) -> int:
    """Run all tests, or the parts named, and print how many passed and failed as the last line.

    Args:
        args: Any of ``--python``, ``--client``, ``--browser``, ``--container``, ``--examples``; after ``--``,
            arguments for the one part named.

    Returns:
        0 when all passed, 1 when one failed, 2 when the arguments make no sense.
    """
    parts: dict[str, tuple[str, Callable[[Sequence[str]], Outcome]]] = {
        "--python": ("Python", _test_python),
        "--client": ("Client", _test_client),
        "--browser": ("Browser", _test_browser),
        # Minutes, and an engine or packages that not every machine has: where they are asked for by name.
        "--container": ("Container", _test_container),
        "--examples": ("Examples", _test_examples),
    }
    names, extra = _split_extra(args)
    unknown = [name for name in names if name not in parts]
    if unknown or (extra and len(names) != 1):
        usage = " ".join(f"[{name}]" for name in parts)
        print(f"Usage: parlor test {usage}, or one of them and: -- ARGUMENTS", file=sys.stderr)
        return 2
    names = names or [name for name in parts if name not in ("--container", "--examples")]
    started = time.monotonic()
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(2) as beside:
        # A browser, where there is none, takes as long to fetch as half of the tests that come before it.
        before: dict[str, Future[Any]] = {"--browser": beside.submit(install_browser)} if "--browser" in names else {}
        if {"--python", "--client"} <= set(names):
            # The Python tests wait for servers now and then; what is said meanwhile is held back.
            before["--client"] = beside.submit(_test_client_quietly)
            parts["--client"] = ("Client", lambda extra: _say(*before["--client"].result()))
        for name, (title, test) in parts.items():
            if name not in names:
                continue
            print(f"\n== {title} tests ({time.monotonic() - started:.0f} s so far)", flush=True)
            try:
                if name in before:
                    before[name].result()
                outcomes.append(test(extra))
            except ParlorError as exc:
                print(exc, file=sys.stderr, flush=True)
                outcomes.append(Outcome(failed=1))
    passed, failed, skipped = (sum(getattr(o, field) for o in outcomes) for field in ("passed", "failed", "skipped"))
    print(f"\n== Done in {time.monotonic() - started:.0f} s")
    if skipped:
        print(f"{skipped} skipped: see above for what was not tested here; that counts as a failure")
    print(f"{passed} passed, {failed + skipped} failed", flush=True)
    return 1 if failed or skipped else 0


def _split_extra(args: Sequence[str]) -> tuple[list[str], list[str]]:
    names = list(args)
    if "--" not in names:
        return names, []
    cut = names.index("--")
    return names[:cut], names[cut + 1 :]


def _test_python(extra: Sequence[str]) -> Outcome:
    # Some tests read what the server would send of the built client.
    build_client()
    return _pytest("python", extra or in_workers("worksteal"))


def _test_client(extra: Sequence[str], output: IO[bytes] | None = None) -> Outcome:
    install_client_packages()
    report = _report("client.json")
    reporters = ["--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
    command = in_frontend("vitest/vitest.mjs", "run", *reporters, *extra)
    code = _run_part(command, Clone().frontend, node_environment(), output)
    return read_vitest_report(report, code)


def _test_client_quietly() -> tuple[Outcome, str]:
    path = _report("client.log")
    with path.open("wb") as output:
        outcome = _test_client([], output)
    return outcome, path.read_text(encoding="utf-8", errors="replace")


def _say(outcome: Outcome, text: str) -> Outcome:
    print(text, flush=True)
    return outcome


def _test_browser(extra: Sequence[str]) -> Outcome:
    build_client()
    # A process of its own: Playwright's event loop and pytest-asyncio's cannot share one. These options stand in for
    # pyproject's, which keep Playwright out of the other tests.
    options = ["-o", "addopts=--strict-markers --import-mode=importlib"]
    # The files one after the other: what a file has opened is there for all its tests.
    workers = in_workers("loadfile", "--no-loadscope-reorder")
    return _pytest("browser", [*options, *(extra or [*workers, "tests/browser"])])


def _test_container(extra: Sequence[str]) -> Outcome:
    return _pytest("container", [*OUTSIDE, *(extra or ["tests/container"])])


def _test_examples(extra: Sequence[str]) -> Outcome:
    return _pytest("examples", [*OUTSIDE, *(extra or ["tests/examples"])], str(make_examples_environment()))


def in_workers(distribution: str, *more: str) -> list[str]:
    """Return the options with which pytest runs in so many processes that the processors are busy.

    Each waits for half of the time, for servers, browsers and timers: two for each processor, and one more.

    Args:
        distribution: How pytest-xdist deals out the tests.
        more: Further options.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ["-n", str(min(2 * processors, MOST_WORKERS - 1) + 1), "--dist", distribution, *more]


def _pytest(name: str, arguments: Sequence[str], python: str = sys.executable) -> Outcome:
    report = _report(f"{name}.xml")
    command = [python, "-m", "pytest", f"--junit-xml={report}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=python_environment(), check=False)
    return read_junit_report(report, done.returncode)


def python_environment(clone: Clone | None = None) -> dict[str, str]:
    """Return the environment of Python's own tools, in which each module is compiled once and not in each process.

    Who wants no bytecode beside the sources, as images of containers do, gets none there: it is in the state folder.
    """
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment.setdefault("PYTHONPYCACHEPREFIX", str((clone or Clone()).state / "bytecode"))
    return environment


def _report(name: str) -> Path:
    folder = Clone().state / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.unlink(missing_ok=True)  # a run that dies early must not be judged by an earlier one's report
    return path


def in_frontend(script: str, *arguments: str) -> list[str]:
    """Return the command that runs a script of the client's packages."""
    return [node_program(), str(Clone().frontend / "node_modules" / script), *arguments]


def _run_part(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], output: IO[bytes] | None = None
) -> int:
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, check=False, timeout=PART_TIMEOUT_S, stdout=output, stderr=output
        )
    except subprocess.TimeoutExpired as exc:
        raise ParlorError(f"These tests took longer than {PART_TIMEOUT_S:.0f} s and were stopped.") from exc
    return done.returncode


def read_junit_report(report: Path, code: int) -> Outcome:
    """Count the tests in pytest's report; without one, or with a bad exit code, at least one has failed."""
    passed = failed = skipped = 0
    if report.is_file():
        for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - written by our own pytest
            total, failures, errors, skips = (
                int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")
            )
            failed += failures + errors
            skipped += skips
            passed += max(0, total - failures - errors - skips)
    return _judged(passed, failed, skipped, code)


def read_vitest_report(report: Path, code: int) -> Outcome:
    """Count the tests in vitest's report; a file that could not be loaded is a failure, though it has no tests."""
    passed = failed = skipped = 0
    if report.is_file():
        counts = json.loads(report.read_text(encoding="utf-8"))
        passed, failed = int(counts["numPassedTests"]), int(counts["numFailedTests"])
        skipped = int(counts["numPendingTests"]) + int(counts.get("numTodoTests", 0))
        failed += sum(
            1 for file in counts["testResults"] if file["status"] == "failed" and not file["assertionResults"]
        )
    return _judged(passed, failed, skipped, code)


def _judged(passed: int, failed: int, skipped: int, code: int) -> Outcome:
    return Outcome(passed, max(failed, 1) if code != 0 or not passed else failed, skipped)


def run_benchmarks(args: Sequence[str]) -> int:
    """Run the benchmarks; see ``parlor bench --help``."""
    return subprocess.run([sys.executable, str(ROOT / "benchmarks" / "run.py"), *args], check=False).returncode
